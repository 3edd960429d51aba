"""An evaluation as tables for people."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, TextIO

from docqa.cli.interrupt import emit
from docqa.cli.notices import counted
from docqa.cli.terminal import console_for, one_line

if TYPE_CHECKING:
    from rich.table import Table

    from docqa.evaluation.bootstrap import Estimate
    from docqa.evaluation.groups import Group
    from docqa.evaluation.report import EvaluationReport, Retrieval
    from docqa.evaluation.summary import Scores
    from docqa.evaluation.thresholds import BestThreshold

__all__ = ["write_tables"]

_MODES = {
    "paragraphs": "the reader alone, each question in its own paragraph",
    "documents": "end to end, each article one document",
    "pages": "end to end, files with pages",
}
_UNKNOWN = "-"


def write_tables(stream: TextIO, report: EvaluationReport) -> None:
    """Write all figures of a report."""
    console = console_for(stream)
    with console.capture() as written:
        console.print(_heading(report), style="bold", soft_wrap=True)
        console.print(f"{_MODES[report.mode]}; EM and F1 in percent", soft_wrap=True)
        for table in _tables(report):
            console.print()
            console.print(table)
    emit(stream, written.get())


def _heading(report: EvaluationReport) -> str:
    asked = counted(report.questions, "question")
    documents = f" to {counted(report.documents, 'document')}" if report.documents else ""
    return one_line(f"{report.data}: {asked}{documents}, reader {report.reader.name}")


def _tables(report: EvaluationReport) -> Iterator[Table]:
    yield _answers(report)
    for name, groups in (
        ("by type of question", report.by_type),
        ("by length of answer", report.by_length),
        ("by form of answer", report.by_form),
    ):
        if groups:
            yield _groups(name, groups)
    if report.retrieval is not None:
        yield _pairs("documents and pages", _retrieval(report.retrieval))
    yield _pairs("places of the best answers", _places(report))
    yield _pairs("scores: is the best answer right (EM)?", _scores(report))
    yield _reliability(report)
    yield _pairs("speed on this machine", _speed(report))


def _answers(report: EvaluationReport) -> Table:
    table = _table("answers", "questions", "EM (95%)", "F1 (95%)")
    summary, asked = report.summary, f"{report.questions:,}"
    decided = f"all, from score {report.min_score:g}"
    first = "all, best answer" if summary.no_answer is None else decided
    table.add_row(first, asked, _interval(report.exact_match), _interval(report.f1))
    if report.at_threshold is not None and summary.no_answer is None:
        table.add_row(decided, *_means(report.at_threshold))
    for label, scores in (("  has answer", summary.has_answer), ("  no answer", summary.no_answer)):
        if scores is not None:
            table.add_row(label, *_means(scores))
    if summary.best_exact_match is not None and summary.best_f1 is not None:
        best = _best(summary.best_exact_match), _best(summary.best_f1)
        table.add_row("all, best threshold", asked, *best)
    table.caption = f"95% intervals by resampling {report.resampled}"
    table.caption_justify = "left"
    return table


def _groups(name: str, groups: Sequence[Group]) -> Table:
    table = _table(name, "questions", "EM (95%)", "F1 (95%)")
    for group in groups:
        row = f"{group.questions:,}", _interval(group.exact_match), _interval(group.f1)
        table.add_row(one_line(group.name), *row)
    return table


def _retrieval(found: Retrieval) -> Iterator[tuple[str, str]]:
    yield "passages read for a question", f"{found.passages_read:.1f}"
    yield "gold answer's place among them", _percent(found.gold_read)
    yield "right words among the reader's proposals", _percent(found.proposed)
    if found.page_at_1 is not None:
        yield "first answer on the gold page", _percent(found.page_at_1)
        yield "one of the first 5 answers there", _percent(found.page_at_5)


def _places(report: EvaluationReport) -> Iterator[tuple[str, str]]:
    places = report.places
    answers = counted(places.answers, "answer")
    yield "text at the offsets is the answer", f"{_percent(places.exact)} of {answers}"
    if places.placed:
        asked = counted(places.placed, "question")
        yield "starts at a gold answer", f"{_percent(places.at_gold_start)} of {asked}"
        yield "spans a gold answer", f"{_percent(places.at_gold_span)} of {asked}"
    if places.boxed and places.box_overlap is not None:
        boxed = counted(places.boxed, "question")
        yield "mean overlap with the gold boxes (IoU)", f"{places.box_overlap:.3f}"
        yield "overlap of at least one half", f"{_percent(places.half_overlap)} of {boxed}"


def _scores(report: EvaluationReport) -> Iterator[tuple[str, str]]:
    found = report.calibration
    yield f"questions answered, from score {report.min_score:g}", _percent(report.answered)
    yield "mean score", f"{found.mean_score:.3f}"
    yield "share right", f"{found.right:.3f}"
    yield "ECE, 15 bins", f"{found.ece:.3f}"
    yield "ECE, 15 bins of equal mass", f"{found.ece_equal_mass:.3f}"
    yield "ECE, 15 bins, an F1 of 0.5 is right", f"{found.ece_overlap:.3f}"
    yield "Brier score", f"{found.brier:.3f}"
    yield "wrong among the surest 50%", _percent(found.risk_at_50)
    yield "wrong among the surest 80%", _percent(found.risk_at_80)
    yield "wrong among all", _percent(found.risk_at_100)
    yield "area under risk-coverage (AURC)", f"{found.aurc:.3f}"


def _reliability(report: EvaluationReport) -> Table:
    table = _table("scores above, up to", "questions", "mean score", "share right")
    for each in report.calibration.table:
        figures = f"{each.count:,}", f"{each.mean_score:.3f}", f"{each.share_right:.3f}"
        table.add_row(f"{each.low:.3f}-{each.high:.3f}", *figures)
    return table


def _speed(report: EvaluationReport) -> Iterator[tuple[str, str]]:
    speed = report.speed
    yield "reading", f"{speed.seconds:.1f} s"
    yield "passages a second", f"{speed.passages_per_second:,.1f}"
    yield "tokens a second", f"{speed.tokens_per_second:,.0f}"
    if speed.latency_p50 is not None and speed.latency_p95 is not None:
        median, slow = 1000 * speed.latency_p50, 1000 * speed.latency_p95
        yield "one question, half are faster than", f"{median:,.0f} ms"
        yield "one question, 95% are faster than", f"{slow:,.0f} ms"


def _table(first: str, *rest: str) -> Table:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold", min_width=56)
    table.add_column(first, no_wrap=True)
    for name in rest:
        table.add_column(name, justify="right", no_wrap=True)
    return table


def _pairs(name: str, rows: Iterable[tuple[str, str]]) -> Table:
    table = _table(name, "")
    for row in rows:
        table.add_row(*row)
    return table


def _means(scores: Scores) -> tuple[str, str, str]:
    return f"{scores.questions:,}", _percent(scores.exact_match), _percent(scores.f1)


def _percent(share: float | None) -> str:
    return _UNKNOWN if share is None else f"{100 * share:.1f}"


def _interval(estimate: Estimate) -> str:
    low, high = 100 * estimate.low, 100 * estimate.high
    return f"{100 * estimate.value:.1f} ({low:.1f}-{high:.1f})"


def _best(best: BestThreshold) -> str:
    at = "none answered" if best.min_score is None else f"from {best.min_score:.5f}"
    return f"{_percent(best.value)} ({at})"
