"""``docqa batch``: many questions to many documents, as a job that goes on where it stopped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from docqa.asking.reading_settings import ReadingSettings
from docqa.cli.batch_watch import Watch, report_resumed
from docqa.cli.collection_options import AskedCollection, settled_collection_options
from docqa.cli.collections import asking_settings, open_collection
from docqa.cli.exits import ANSWERED, FAILED, NOTHING_FOUND
from docqa.cli.interrupt import before_leaving
from docqa.cli.notices import Notices
from docqa.cli.options import answer_options, reading_options, source_options
from docqa.cli.output_files import require_apart
from docqa.cli.pool_options import open_pool, pool_options
from docqa.cli.prelude import Run, command
from docqa.cli.sources import STDIN, expand
from docqa.load_settings import LoadSettings

if TYPE_CHECKING:
    from docqa.batch.job import JobTally
    from docqa.batch.targets import BatchTarget, Documents, WholeCollection

__all__ = ["batch"]

_EPILOG = """
\b
Examples:
  docqa batch questions.txt reports/ --out answers.jsonl
  docqa batch questions.txt reports/ --out answers.jsonl    (again: goes on where it stopped)
  docqa batch questions.jsonl 'minutes/**/*.html' --out answers.jsonl --retry-failed
  docqa batch questions.txt --in kb --out answers.jsonl
  docqa batch questions.txt --in kb --folder contracts/ --where year=2024 --out answers.jsonl
  docqa batch questions.csv reports/ --out answers.jsonl --workers 4
  docqa batch questions.txt reports/ --out answers.jsonl --ray auto

\b
Questions:
  a UTF-8 file of one a line; or .jsonl, an object a line with "question" and "id"; or .csv with
  columns of these names. Without an id a question is named by its line.

\b
Answers:
  one JSON object a line, as docqa ask --json writes them, with "cell": the question's id, the
  SHA-256 of the document, the settings. A document that changed is asked again; other settings
  or another reader need --fresh. A collection is read by the reader that it was made with, unless
  --reader names another.

\b
Exit codes:
  0 answered, 1 nothing found, 2 an error (the other documents are still asked),
  130 left with Ctrl-C; the same command goes on
"""


@command(epilog=_EPILOG)
@click.argument("questions", metavar="QUESTIONS", type=click.Path(dir_okay=False))
@click.argument("sources", nargs=-1, metavar="SOURCE...", type=click.Path())
@click.option(
    "--out",
    required=True,
    metavar="FILE",
    type=click.Path(dir_okay=False),
    help="Gets the answers; where it exists, the job goes on from what is in it.",
)
@click.option("--fresh", is_flag=True, help="Begin with an empty file, whatever is in it.")
@click.option("--retry-failed", is_flag=True, help="Ask again what failed.")
@pool_options
@settled_collection_options
@answer_options
@reading_options
@source_options
def batch(
    run: Run,
    /,
    *,
    questions: str,
    sources: Sequence[str],
    collection: AskedCollection | None,
    out: str,
    fresh: bool,
    retry_failed: bool,
    workers: int | None,
    ray_address: str | None,
    loading: LoadSettings,
    **reading: object,
) -> int:
    """Ask every question of QUESTIONS of each SOURCE, and write the answers to a file.

    A SOURCE is a file, a folder (everything of a supported kind in it and below) or a pattern.
    Whatever stops the job, the same command goes on where it stopped. With --in there is no
    SOURCE: each question is asked of all documents of a collection at once.
    """
    from docqa.batch.job import BatchJob
    from docqa.batch.questions import read_batch_questions

    settings = ReadingSettings(**reading)  # type: ignore[arg-type]  # click checked them
    asked: BatchTarget = _documents(sources, collection, {"--out": out}, questions, run.notices)
    if collection is not None:
        asked, settings = _whole(run.context, collection, settings, run.notices)
    with BatchJob(
        read_batch_questions(Path(questions)),
        asked,
        Path(out),
        reading=settings,
        loading=loading,
        pool=open_pool(workers, ray_address, gpus=_may_use_gpus(settings)),
        retry_failed=retry_failed,
        fresh=fresh,
    ) as job:
        watch = Watch(job, out, len(asked.sources), run.progress, run.notices)
        if not run.quiet:
            before_leaving(watch.leave)
        run.progress.say("checking what is there")
        resumed = job.resume()
        run.progress.close()
        report_resumed(
            resumed, f"{resumed.kept:,} of {job.n_outcomes:,} outcomes", out, run.notices
        )
        for outcome in job.run():
            watch.outcome(outcome)
        watch.end()
        return _exit_code(job.tally)


def _documents(
    sources: Sequence[str],
    collection: AskedCollection | None,
    outputs: Mapping[str, str],
    questions: str,
    notices: Notices,
) -> Documents:
    """Return the documents to ask; none where a collection is asked.

    Raises:
        click.UsageError: there are no sources, or a collection beside them; or the output would
            replace the questions.
        SettingError: the output is a source.
    """
    from docqa.batch.targets import BatchSource, Documents

    if STDIN in sources:
        raise click.UsageError("a batch reads its documents more than once: name files, not -")
    if bool(sources) == (collection is not None):
        raise click.UsageError("name the documents, or a collection with --in KB; not both")
    expansion = expand(sources)
    notices.passed_over(expansion.passed_over)
    require_apart(outputs, expansion, questions)
    return Documents([BatchSource(file.path, file.error) for file in expansion.files])


def _whole(
    ctx: click.Context, collection: AskedCollection, reading: ReadingSettings, notices: Notices
) -> tuple[WholeCollection, ReadingSettings]:
    """Return the collection to ask, and the settings for reading it.

    Raises:
        click.UsageError: an option does nothing here.
        CollectionError: there is no collection, or it was made by another version.
    """
    from docqa.batch.targets import WholeCollection

    with open_collection(collection.address) as opened:
        settled = asking_settings(ctx, reading, collection.address, opened.settings())
        if collection.where and not opened.documents(collection.where):
            notices.warning("no document of the collection is asked: the filters leave none")
        asked = WholeCollection(opened.address, collection.where)
        return asked, settled


def _may_use_gpus(settings: ReadingSettings) -> bool:
    return settings.device not in {"cpu", "mps"} and settings.runtime != "onnx"


def _exit_code(tally: JobTally) -> int:
    if tally.failed:
        return FAILED
    return ANSWERED if tally.answered else NOTHING_FOUND
