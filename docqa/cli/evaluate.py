"""``docqa evaluate``: the quality of a reader, alone and end to end."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from docqa.cli.notices import SLOW_BFLOAT16, Notices, counted
from docqa.cli.options import LibraryDefault, isolation_options, reading_options
from docqa.cli.output_files import require_outputs
from docqa.cli.prelude import Run, command
from docqa.cli.progress import ProgressLine
from docqa.cli.question_data import data_options, has_pages, read_data
from docqa.limits import Limits

if TYPE_CHECKING:
    from docqa.cli.question_data import Data
    from docqa.evaluation.report import EvaluationReport
    from docqa.protocols import Reader

__all__ = ["evaluate"]

_EPILOG = """
\b
Examples:
  docqa evaluate dev-v1.1.json                      (the reader alone, on gold paragraphs)
  docqa evaluate dev-v2.0.json.gz --sample 500
  docqa evaluate dev-v1.1.json --documents          (end to end: each article one document)
  docqa evaluate questions.jsonl                    (end to end: PDFs and pages)
  docqa evaluate dev-v2.0.json --reader ./my-reader --predictions said.json --plot curves.svg

\b
DATA:
  .json, .json.gz  SQuAD form, v1.1 or v2.0
  .jsonl           one object a line: "pdf", "question", "answer" (or "answers"), "page_number";
                   lines with "verbatim_on_page": false are left out

\b
Exit codes:
  0 measured, 2 an error
"""


@dataclass(frozen=True, slots=True)
class _Asking:
    """The settings for measuring sets of questions.

    Attributes:
        documents: ask each article as one document.
        timed: how many questions are asked once more, alone.
        min_score: the threshold; None for the library's.
        pipeline: settings of the pipeline, for runs end to end.
    """

    documents: bool
    timed: int
    min_score: float | None
    pipeline: dict[str, Any]


@command(epilog=_EPILOG, json="Write one JSON object for each DATA.")
@data_options
@click.option("--documents", is_flag=True, help="Join each article's paragraphs to one document.")
@click.option(
    "--min-score",
    cls=LibraryDefault,
    type=click.FloatRange(0, 1),
    help='Answers with a lower score count as "no answer". For the reader alone 0.5.',
)
@click.option(
    "--top-passages",
    cls=LibraryDefault,
    type=click.IntRange(min=1),
    help="End to end: passages read of a document.",
)
@click.option("--exhaustive", is_flag=True, help="End to end: read all passages.")
@click.option(
    "--timed",
    type=click.IntRange(min=0),
    default=30,
    show_default=True,
    metavar="N",
    help="Ask N questions once more, one at a time, for the latency.",
)
@click.option(
    "--predictions",
    metavar="FILE",
    type=click.Path(),
    help="Write {id: text} as the official SQuAD scripts read it, and FILE's .odds.json beside it.",
)
@click.option(
    "--plot",
    metavar="FILE",
    type=click.Path(),
    help="Draw the reliability diagram and the risk-coverage curve, .svg or .png.",
)
@reading_options
@isolation_options
def evaluate(
    run: Run,
    /,
    *,
    names: Sequence[str],
    documents: bool,
    root: str | None,
    sample: int | None,
    seed: int,
    min_score: float | None,
    top_passages: int | None,
    exhaustive: bool,
    timed: int,
    predictions: str | None,
    plot: str | None,
    reader: str,
    isolate: bool,
    limits: Limits | None,
    **computing: Any,
) -> None:
    """Measure a reader on questions with gold answers.

    EM and F1 by the official SQuAD rules, by type of question and length of answer, with 95%
    intervals; the places of the answers; how far their scores can be trusted; speed.
    """
    notices, progress = run.notices, run.progress
    _require_use(
        names, documents=documents, root=root, settings=exhaustive or top_passages is not None
    )
    _require_outputs(names, predictions, plot)
    sets = [read_data(name, root, notices, sample=sample, seed=seed) for name in names]
    pipeline: dict[str, Any] = {"exhaustive": exhaustive, "isolate": isolate, "limits": limits}
    if top_passages is not None:
        pipeline["top_passages"] = top_passages
    asking = _Asking(documents, timed, min_score, pipeline)
    progress.say("loading the reader")
    from docqa.reader.models import load_reader

    loaded = load_reader(reader, **computing)
    if computing["dtype"] == "bfloat16":
        _warn_of_bfloat16(computing["device"], notices)
    for data in sets:
        report = _measured(loaded, data, asking, progress)
        progress.close()
        _write(run, report)
        _report_unread(report, notices)
        _write_files(report, predictions, plot, notices)


def _warn_of_bfloat16(device: str, notices: Notices) -> None:
    """Warn where a device is not known to multiply bfloat16 in hardware."""
    from docqa.reader.torch_model import bfloat16_unit, choose_device

    chosen = choose_device(device)
    if bfloat16_unit(chosen) is None:
        notices.warning(SLOW_BFLOAT16.format(device=chosen))


def _require_use(
    names: Sequence[str], *, documents: bool, root: str | None, settings: bool
) -> None:
    """Check that the given options have an effect.

    Raises:
        click.UsageError: one has no effect.
    """
    paged = [has_pages(name) for name in names]
    if settings and not (documents or any(paged)):
        raise click.UsageError(
            "--exhaustive and --top-passages are for whole documents; the reader alone reads each "
            "question's own paragraph. Add --documents, or leave them out"
        )
    if root is not None and not any(paged):
        raise click.UsageError("--root is for questions over files, .jsonl; leave it out")


def _require_outputs(names: Sequence[str], predictions: str | None, plot: str | None) -> None:
    """Check before any work that the files can be written.

    Raises:
        click.UsageError: they would be those of several sets.
        DocqaError: they cannot be written, or would replace the questions or one another.
    """
    if len(names) > 1 and (predictions or plot):
        raise click.UsageError("--predictions and --plot take the results of one DATA; name one")
    outputs: dict[str, Path] = {}
    if plot is not None:
        from docqa.evaluation.plot import require_plot

        outputs["--plot"] = require_plot(plot)
    if predictions is not None:
        from docqa.evaluation.predictions import odds_file

        said = Path(predictions).expanduser()
        outputs |= {"--predictions": said, "the odds beside --predictions": odds_file(said)}
    require_outputs(outputs, names)


def _measured(
    reader: Reader, data: Data, asking: _Asking, progress: ProgressLine
) -> EvaluationReport:
    from docqa.evaluation.evaluate import evaluate_documents, evaluate_pages, evaluate_reader
    from docqa.evaluation.page_questions import PageQuestions

    def update(done: int, total: int) -> None:
        progress.say(f"asking {data.name}", total=total, done=done, unit="questions")

    update(0, len(data))
    given: dict[str, Any] = {"timed_questions": asking.timed, "progress": update}
    if asking.min_score is not None:
        given["min_score"] = asking.min_score
    if isinstance(data, PageQuestions):
        return evaluate_pages(reader, data, **given, **asking.pipeline)
    if asking.documents:
        return evaluate_documents(reader, data, **given, **asking.pipeline)
    return evaluate_reader(reader, data, **given)


def _write(run: Run, report: EvaluationReport) -> None:
    if run.as_json:
        run.write_record(report.to_dict())
        return
    from docqa.cli.evaluation_tables import write_tables

    write_tables(sys.stdout, report)


def _report_unread(report: EvaluationReport, notices: Notices) -> None:
    """Report the questions that were not asked, and the reasons."""
    for reason, count in report.unread.items():
        notices.warning(f"{report.data}: {counted(count, 'question')} not asked: {reason}")


def _write_files(
    report: EvaluationReport, predictions: str | None, plot: str | None, notices: Notices
) -> None:
    if predictions is not None:
        from docqa.evaluation.predictions import write_predictions

        said, odds = write_predictions(report.predictions, predictions)
        notices.note(f"wrote {said} and {odds}")
    if plot is not None:
        from docqa.evaluation.plot import plot_calibration

        notices.note(f"wrote {plot_calibration(report, plot)}")
