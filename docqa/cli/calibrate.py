"""``docqa calibrate``: make probabilities of a reader's scores."""

from __future__ import annotations

import hashlib
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from docqa._version import __version__
from docqa.cli.notices import Notices, counted
from docqa.cli.options import LibraryDefault, isolation_options, reading_options
from docqa.cli.output_files import require_outputs
from docqa.cli.prelude import Run, command
from docqa.cli.progress import ProgressLine
from docqa.cli.question_data import data_options, read_data
from docqa.cli.terminal import console_for
from docqa.limits import Limits

if TYPE_CHECKING:
    from docqa.asking.pipeline import Pipeline
    from docqa.cli.question_data import Data
    from docqa.errors import LoadError, MissingDependencyError
    from docqa.evaluation.asked_documents import AskedDocument
    from docqa.evaluation.calibration import CalibrationReport, Trust
    from docqa.evaluation.observations import Observation
    from docqa.protocols import Reader

__all__ = ["calibrate"]

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


@command(
    epilog=_EPILOG,
    json="Write the report as one JSON object.",
    quiet="No progress and notes; only errors.",
)
@data_options
@click.option(
    "--documents",
    is_flag=True,
    help="Join each article's paragraphs to one document, as long as those of real use.",
)
@click.option(
    "--margin-only",
    is_flag=True,
    help="Keep the usual ranking; fit a temperature and a bias alone, for few questions.",
)
@click.option(
    "--top-passages",
    cls=LibraryDefault,
    type=click.IntRange(min=1),
    help="Passages read of a document.",
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
@reading_options
@isolation_options
def calibrate(
    run: Run,
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
    reader: str,
    isolate: bool,
    limits: Limits | None,
    **computing: Any,
) -> None:
    """Learn the probability that a reader's answers are right from questions with gold answers.

    The questions of DATA are asked from end to end. What is known of all answers to a question
    (the reader's logits, how well passage and headings fit the question) is weighed so that the
    right ones come first. Then the score of a first answer becomes the probability that it matches
    a gold answer. The report compares answers and scores before and after, on documents left out
    of the fit.
    """
    notices, progress = run.notices, run.progress
    target = output.expanduser() if output is not None else _beside(reader)
    kept_in = observations.expanduser() if observations is not None else None
    outputs = {"--output" if output is not None else "the reader's calibration": target}
    require_outputs(outputs if kept_in is None else {**outputs, "--observations": kept_in}, names)
    sets = [read_data(name, root, notices, sample=sample, seed=seed) for name in names]
    progress.say("loading the reader")
    from docqa.asking.pipeline import Pipeline
    from docqa.evaluation.calibration import calibrate as calibrated
    from docqa.reader.models import load_reader

    loaded = load_reader(reader, **computing, calibration=False)
    reading: dict[str, Any] = {} if top_passages is None else {"top_passages": top_passages}
    pipeline = Pipeline(reader=loaded, isolate=isolate, limits=limits, **reading)
    settings = [documents, root and str(Path(root).resolve()), sample, seed, top_passages]
    asked = _made_by(loaded, names, settings)
    found = _kept(kept_in, asked)
    if found is None:
        asked_documents = [
            one for each in sets for one in _documents(each, pipeline, together=documents)
        ]
        found = _asked(pipeline, asked_documents, progress, notices)
        if kept_in is not None:
            from docqa.evaluation.observations import keep

            keep(found, asked, kept_in)
    report = calibrated(found, margin_only=margin_only, revision=loaded.revision)
    from docqa.showing.new_file import write_new_file

    write_new_file(target, report.calibration.to_json().encode())
    progress.close()
    if run.as_json:
        run.write_record(report.to_dict())
    else:
        run.write(_table(report))
    notices.note(f"wrote {target}")


def _beside(reader: str) -> Path:
    """Return the path of a reader's calibration: in its own folder.

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


def _made_by(reader: Reader, names: Sequence[str], settings: list[Any]) -> dict[str, Any]:
    """Return the key of observations: reader, questions by their content, settings."""
    files = [Path(name).expanduser() for name in names]
    return {
        "docqa": __version__,
        "reader": [reader.name, reader.revision, reader.runtime],
        "data": [hashlib.sha256(file.read_bytes()).hexdigest() for file in files],
        "settings": settings,
    }


def _kept(path: Path | None, asked: dict[str, Any]) -> list[Observation] | None:
    if path is None:
        return None
    from docqa.evaluation.observations import kept

    return kept(path, asked)


def _documents(data: Data, pipeline: Pipeline, *, together: bool) -> list[AskedDocument]:
    """Return the documents to which the questions of one file belong."""
    from docqa.evaluation.asked_documents import articles_as_documents
    from docqa.evaluation.observations import paragraphs_as_articles
    from docqa.evaluation.page_questions import PageQuestions

    if isinstance(data, PageQuestions):
        return data.documents(pipeline.load)
    return articles_as_documents(data if together else paragraphs_as_articles(data))


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

    lost: Counter[str] = Counter()

    def leave_out(
        document: AskedDocument, count: int, error: LoadError | MissingDependencyError
    ) -> None:
        name = "" if document.name in str(error) else f"{document.name}: "
        lost[f"{name}{error}"] += count

    update(0)
    found = list(observe(pipeline, documents, progress=update, on_lost=leave_out))
    progress.close()
    for reason, count in lost.items():
        notices.warning(f"{counted(count, 'question')} not asked: {reason}")
    if more := total - len(found) - lost.total():
        notices.note(f"{counted(more, 'question')} got no answer or cannot be read")
    return found


def _table(report: CalibrationReport) -> str:
    """Return the report for people: figures before and after, then the weights of both sums."""
    from rich.table import Table

    console = console_for(sys.stdout)
    figures = Table(box=None, pad_edge=False)
    for column in ("", "before", "after"):
        figures.add_column(column, justify="right" if column else "left")
    for name, label in _FIGURES.items():
        figures.add_row(label, *(_number(each, name) for each in (report.before, report.after)))
    made = report.calibration
    strength = {"(bias)": made.ranking_bias, **made.ranking}
    probability = {"(bias)": made.bias, **made.weights}
    weights = Table(box=None, pad_edge=False)
    weights.add_column("weight of")
    weights.add_column("strength", justify="right")
    weights.add_column("probability", justify="right")
    for name in dict.fromkeys((*strength, *probability)):
        cells = (f"{each[name]:+.3f}" if name in each else "" for each in (strength, probability))
        weights.add_row(name, *cells)
    questions = counted(report.n_questions, "question")
    heading = f"{questions} to {counted(report.n_documents, 'document')}"
    with console.capture() as written:
        console.print(heading, style="bold", soft_wrap=True)
        for table in (figures, weights):
            console.print()
            console.print(table)
    return written.get()


_FIGURES = {
    "share_right": "right",
    "share_overlap": "at least half right",
    "mean_score": "mean score",
    "ece": "calibration error (ECE)",
    "ece_overlap": "  if half right is right",
    "brier": "Brier score",
    "risk_at_half": "wrong in the surer half",
    "auc": "right over wrong (AUC)",
    "auc_overlap": "  if half right is right",
    "stopped": "unanswerable stopped, 15% lost",
}


def _number(trust: Trust, name: str) -> str:
    figure = getattr(trust, name)
    return "–" if figure is None else f"{figure:.3f}"
