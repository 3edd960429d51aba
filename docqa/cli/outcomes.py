"""Write the outcomes of a grid of questions as they come, and count them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from docqa.asking.reading_settings import ReadingSettings
from docqa.cli.exits import ANSWERED, FAILED, NOTHING_FOUND
from docqa.cli.notices import Notices
from docqa.cli.output_files import Artifact, write_all
from docqa.cli.writers import Format, open_writer
from docqa.datamodel import Coverage, Document, GridItem
from docqa.outcome_records import outcomes_in_words

__all__ = ["OutcomeCounts", "why_fewer", "write_outcomes"]


@dataclass
class OutcomeCounts:
    """The counts of outcomes, for the exit code and the closing note."""

    answered: int = 0
    unanswered: int = 0
    failed: int = 0
    left_out: int = 0  # documents that are damaged, counted for each question
    passages_read: int = 0
    most_read: int = 0  # passages read for one question
    passages_total: int = 0

    def add(self, item: GridItem) -> None:
        """Count one outcome."""
        self.failed += item.error is not None
        self.answered += bool(item.answers)
        self.left_out += len(item.answers.warnings)
        self.unanswered += item.error is None and not item.answers
        self.passages_read += item.answers.coverage.passages_read
        self.most_read = max(self.most_read, item.answers.coverage.passages_read)
        self.passages_total += item.answers.coverage.passages_total

    @property
    def exit_code(self) -> int:
        """Return the exit code of the command."""
        if self.failed:
            return FAILED
        return ANSWERED if self.answered else NOTHING_FOUND

    def __str__(self) -> str:
        return outcomes_in_words(
            answered=self.answered,
            unanswered=self.unanswered,
            failed=self.failed,
            coverage=Coverage(self.passages_read, self.passages_total),
        )


def why_fewer(reading: ReadingSettings, item: GridItem) -> str:
    """Return the reason why a question has fewer answers than were asked for, or ``""``."""
    found, coverage = len(item.answers), item.answers.coverage
    if not 0 < found < reading.top_k:
        return ""
    reasons = []
    if reading.min_score != 0:
        reasons.append("--min-score 0 shows unlikely ones too")
    if coverage.passages_read < coverage.passages_total and not reading.exhaustive:
        reasons.append("--exhaustive reads all passages")
    rest = "; ".join(reasons) or "the reader proposes no further words in the passages"
    return f"{found:,} of the {reading.top_k:,} answers asked for: {rest}"


def write_outcomes(
    outcomes: Iterable[tuple[Document | None, GridItem]],
    notices: Notices,
    *,
    kind: Format,
    many_sources: bool,
    many_questions: bool,
    artifacts: Sequence[Artifact],
    what_to_try: Callable[[OutcomeCounts], str],
    why_fewer: Callable[[GridItem], str],
) -> int:
    """Write every outcome as it comes, then the files made of them; return the exit code.

    Args:
        outcomes: each with its document, where one is open.
        notices: for errors, warnings and notes.
        kind: how outcomes are written.
        many_sources: texts for people name the source.
        many_questions: texts for people repeat the question.
        artifacts: files made of the outcomes.
        what_to_try: returns advice where nothing was found.
        why_fewer: returns why an outcome has fewer answers than were asked for, or ``""``.
    """
    grid = many_sources or many_questions
    writer = open_writer(kind, many_sources=many_sources, many_questions=many_questions)
    tally = OutcomeCounts()
    for document, item in outcomes:
        tally.add(item)
        for artifact in artifacts:
            artifact.add(document, item)
        if item.error is not None:
            notices.error(item.error, source=item.source)
        for warning in item.answers.warnings:
            notices.warning(warning)
        if item.error is None or kind != "text":
            writer.write(item)
        if not grid and item.answers:
            if kind == "text":
                notices.note(str(item.answers.coverage))
            if reason := why_fewer(item):
                notices.note(reason)
    if grid:
        notices.note(str(tally))
    if not tally.answered and tally.unanswered and not tally.left_out:
        notices.note(what_to_try(tally))
    return tally.exit_code if write_all(artifacts, notices) else FAILED
