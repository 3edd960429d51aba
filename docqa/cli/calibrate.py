"""``docqa calibrate``: make probabilities of a reader's scores."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from docqa.cli.exits import ANSWERED, debug_option, debugging, hush_libraries
from docqa.cli.interrupt import emit
from docqa.cli.notices import Notices, counted
from docqa.cli.options import LibraryDefault, reading_options
from docqa.cli.output import json_line
from docqa.cli.progress import ProgressLine
from docqa.cli.terminal import console_for, speaks_unicode

if TYPE_CHECKING:
    from docqa.evaluation.asked_documents import AskedDocument
    from docqa.evaluation.calibration import CalibrationReport, Trust
    from docqa.evaluation.observations import Observation
    from docqa.pipeline import Pipeline

__all__ = ["calibrate"]

_MOST_TOLD = 20  # bad rows named one by one
_PAGE_QUESTIONS = ".jsonl"

_EPILOG = """
\b
Examples:
  docqa calibrate questions.json --documents --reader ./my-reader
  docqa calibrate questions.json more.json --reader ./my-reader --observations asked.jsonl
  docqa calibrate report-questions.jsonl --output mine.json     (PDFs; for the shipped reader)
  docqa ask report.pdf "Who audits it?" --calibration mine.json

\b
DATA:
  .json, .json.gz  SQuAD form, v1.1 or v2.0; some questions should have no answer, as many as in
                   real use
  .jsonl           one object a line: "pdf", "question", "answer", "page_number"
  The reader must not have been trained on these questions.

\b
Exit codes:
  0 calibrated, 2 an error
"""


@click.command(epilog=_EPILOG, no_args_is_help=True)
@click.argument("names", nargs=-1, required=True, metavar="DATA...", type=click.Path())
@click.option(
    "--documents",
    is_flag=True,
    help="Join each article's paragraphs to one document, as long as those of real use.",
)
@click.option(
    "--root",
    metavar="DIR",
    type=click.Path(exists=True, file_okay=False),
    help="Where the files named in a .jsonl are; its own folder, or pdfs in it, by default.",
)
@click.option("--sample", type=click.IntRange(min=1), metavar="N", help="Draw N questions a DATA.")
@click.option("--seed", type=int, default=0, show_default=True, help="What --sample draws by.")
@click.option(
    "--margin-only",
    is_flag=True,
    help="Weigh the reader's margin alone (a temperature and a bias), for few questions.",
)
@click.option(
    "--top-passages",
    cls=LibraryDefault,
    type=click.IntRange(min=1),
    help="Read so many passages of a document.",
)
@click.option(
    "--observations",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Keep what came of the questions in FILE; when it is there, nothing is asked again.",
)
@click.option(
    "--output",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where the calibration goes; calibration.json in the reader's folder by default.",
)
@click.option("--json", "as_json", is_flag=True, help="Write the report as one JSON object.")
@click.option("--quiet", is_flag=True, help="No progress and notes; only errors.")
@reading_options
@debug_option
@click.pass_context
def calibrate(
    ctx: click.Context,
    /,
    *,
    names: Sequence[str],
    documents: bool,
    root: str | None,
    sample: int | None,
    seed: int,
    margin_only: bool,
    top_passages: int | None,
    observations: Path | None,
    output: Path | None,
    as_json: bool,
    quiet: bool,
    reader: str,
    **computing: Any,
) -> None:
    """Learn from questions with gold answers how likely a reader's answers are right.

    The questions of DATA are asked from end to end. What is known of each best answer (its odds
    against all others, how well passage and sentence fit the question) is weighed so that the
    score becomes the probability that it matches a gold answer. The report compares scores before
    and after, on documents left out of the fit.
    """
    hush_libraries(ctx)
    notices = Notices(quiet=quiet, debug=debugging(ctx))
    target = output or _beside(reader)
    progress = ProgressLine(quiet=quiet)
    ctx.call_on_close(progress.close)
    progress.say("loading the reader")
    import docqa
    from docqa.evaluation.calibration import USUAL_FEATURES
    from docqa.evaluation.calibration import calibrate as calibrated

    loaded = docqa.load_reader(reader, **computing, calibration=False)
    reading: dict[str, Any] = {} if top_passages is None else {"top_passages": top_passages}
    pipeline = docqa.Pipeline(reader=loaded, **reading)
    asked = {
        "reader": [loaded.name, loaded.revision],
        "data": [
            [name, Path(name).stat().st_size if Path(name).is_file() else 0] for name in names
        ],
        "settings": [documents, sample, seed, top_passages],
    }
    found = _kept(observations, asked)
    if found is None:
        sets = [
            _documents(name, pipeline, notices, together=documents, root=root, draw=(sample, seed))
            for name in names
        ]
        found = _asked(pipeline, [each for one in sets for each in one], progress, notices)
        if observations is not None:
            from docqa.evaluation.observations import keep

            keep(found, asked, observations)
    report = calibrated(
        found, features=("margin",) if margin_only else USUAL_FEATURES, revision=loaded.revision
    )
    report.calibration.write(target)
    progress.close()
    emit(sys.stdout, _json(report) if as_json else _table(report))
    notices.note(f"wrote {target}")
    ctx.exit(ANSWERED)


def _beside(reader: str) -> Path:
    """Return where the calibration of a reader lies: in its own folder.

    Raises:
        click.UsageError: the reader has none that is the user's.
    """
    from docqa.calibration import CALIBRATION_FILE

    folder = Path(reader).expanduser()
    if not folder.is_dir():
        raise click.UsageError(
            f"the reader {reader!r} is not in a folder of yours: name a file with --output FILE, "
            "and give it to docqa ask with --calibration FILE"
        )
    return folder / CALIBRATION_FILE


def _kept(path: Path | None, asked: dict[str, Any]) -> list[Observation] | None:
    if path is None:
        return None
    from docqa.evaluation.observations import kept

    return kept(path, asked)


def _documents(
    name: str,
    pipeline: Pipeline,
    notices: Notices,
    *,
    together: bool,
    root: str | None,
    draw: tuple[int | None, int],
) -> list[AskedDocument]:
    """Return the documents of one file of questions.

    Raises:
        QuestionSetError: it holds no question that can be used.
    """
    from docqa.evaluation.asked_documents import articles_as_documents
    from docqa.evaluation.observations import paragraphs_as_articles
    from docqa.evaluation.page_questions import read_page_questions
    from docqa.evaluation.sampling import draw as drawn
    from docqa.evaluation.sampling import draw_page_questions
    from docqa.question_sets import read_question_set

    count, seed = draw
    if Path(name).suffix.lower() == _PAGE_QUESTIONS:
        pages = read_page_questions(name, root=root)
        _tell(pages.bad_rows, notices)
        return (draw_page_questions(pages, count, seed=seed) if count else pages).documents(
            pipeline.load
        )
    questions = read_question_set(name)
    _tell(questions.bad_rows, notices)
    if count:
        questions = drawn(questions, count, seed=seed)
    return articles_as_documents(questions if together else paragraphs_as_articles(questions))


def _tell(bad_rows: Sequence[object], notices: Notices) -> None:
    for bad in bad_rows[:_MOST_TOLD]:
        notices.note(f"left out: {bad}")
    if len(bad_rows) > _MOST_TOLD:
        notices.note(f"left out: {counted(len(bad_rows) - _MOST_TOLD, 'more row')}")


def _asked(
    pipeline: Pipeline,
    documents: Sequence[AskedDocument],
    progress: ProgressLine,
    notices: Notices,
) -> list[Observation]:
    from docqa.evaluation.observations import observe

    total = sum(len(each.questions) for each in documents)

    def update(done: int) -> None:
        progress.say("asking", total=total, done=done, unit="questions")

    update(0)
    found = list(observe(pipeline, documents, progress=update))
    progress.close()
    if len(found) < total:
        notices.note(f"{counted(total - len(found), 'question')} got no answer or cannot be read")
    return found


def _json(report: CalibrationReport) -> str:
    return json_line(report.to_dict(), unicode=speaks_unicode(sys.stdout))


def _table(report: CalibrationReport) -> str:
    """Return the report for people: figures before and after, then the weights."""
    from rich.table import Table

    console = console_for(sys.stdout)
    figures = Table(box=None, pad_edge=False)
    for column in ("", "before", "after"):
        figures.add_column(column, justify="right" if column else "left")
    for label, name in _FIGURES.items():
        figures.add_row(label, *(_number(each, name) for each in (report.before, report.after)))
    weights = Table(box=None, pad_edge=False)
    weights.add_column("weight of")
    weights.add_column("", justify="right")
    for name, weight in {"(bias)": report.calibration.bias, **report.calibration.weights}.items():
        weights.add_row(name, f"{weight:+.3f}")
    heading = (
        f"{counted(report.n_questions, 'question')} to {counted(report.n_documents, 'document')}: "
        f"{report.share_right:.1%} right, {report.share_overlap:.1%} at least half"
    )
    with console.capture() as written:
        console.print(heading, style="bold", soft_wrap=True)
        for table in (figures, weights):
            console.print()
            console.print(table)
    return written.get()


_FIGURES = {
    "mean score": "mean_score",
    "calibration error (ECE)": "ece",
    "  if half right is right": "ece_overlap",
    "Brier score": "brier",
    "wrong in the surer half": "risk_at_half",
}


def _number(trust: Trust, name: str) -> str:
    return f"{getattr(trust, name):.3f}"
