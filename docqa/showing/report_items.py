"""Arrange outcomes for a report: by question and by file, with a place in words for each answer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path, PurePath
from typing import TypeVar

from docqa.datamodel import Answer, GridItem, PageLocation, SourceLocation
from docqa.errors import DocqaError
from docqa.loaders.media_types import SUPPORTED_TYPES
from docqa.places import around_answer, one_spaced, place_words, score_words
from docqa.showing.report_entries import AnswerEntry, FileEntry, Outcome, QuestionEntry
from docqa.showing.source_links import link_to_file, with_place

__all__ = ["ReportItems"]

_Entry = TypeVar("_Entry")


class ReportItems:
    """Arrange outcomes; nothing is left out.

    Args:
        items: the outcomes, in the order in which questions and files are to stand.
        folder: where the report will be, for links to the files.
        warnings: what should be known of a file, by its source.

    Attributes:
        questions, files: in the order of their first outcome.
    """

    def __init__(
        self, items: Iterable[GridItem], folder: Path, warnings: Mapping[str, Sequence[str]]
    ) -> None:
        self.questions: list[QuestionEntry] = []
        self.files: list[FileEntry] = []
        self._folder, self._warnings = folder, warnings
        self._count = 0
        questions: dict[str, QuestionEntry] = {}
        files: dict[str, FileEntry] = {}
        for item in items:
            question = _entry(questions, item.question, self.questions, self._question)
            file = _entry(files, item.source, self.files, self._file)
            self._add(item, question, file)
        names = Counter(_last_part(file.source) for file in self.files)
        for file in self.files:
            last = _last_part(file.source)
            file.name = last if names[last] == 1 else file.source

    @property
    def outcomes(self) -> list[Outcome]:
        """Return all outcomes, question by question."""
        return [outcome for question in self.questions for outcome in question.outcomes]

    @property
    def answers(self) -> list[AnswerEntry]:
        """Return all answers, those that a question's file answers best with first."""
        found = [entry for outcome in self.outcomes for entry in outcome.answers]
        return sorted(found, key=lambda entry: entry.rank)

    @property
    def calibrated(self) -> bool:
        """Say whether the scores of all answers are probabilities."""
        readers = {entry.answer.reader for entry in self.answers}
        return bool(readers) and all(each is not None and each.calibrated for each in readers)

    @property
    def summary(self) -> str:
        """Return how many outcomes of which kind there are, and how much was read."""
        outcomes = self.outcomes
        answered = sum(bool(one.answers) for one in outcomes)
        failed = sum(bool(one.error) for one in outcomes)
        said = [
            f"{answered:,} answered",
            f"{len(outcomes) - answered - failed:,} without an answer",
        ]
        said += [f"{failed:,} failed"] if failed else []
        read = sum(one.coverage.passages_read for one in outcomes)
        total = sum(one.coverage.passages_total for one in outcomes)
        return f"{', '.join(said)}; read {read:,} of {total:,} passages"

    def _question(self, text: str) -> QuestionEntry:
        return QuestionEntry(f"q{len(self.questions) + 1}", one_spaced(text))

    def _file(self, source: str) -> FileEntry:
        return FileEntry(
            id=f"f{len(self.files) + 1}",
            source=source,
            name=source,
            link=link_to_file(source, self._folder),
            details="",
            warnings=self._warnings.get(source, ()),
        )

    def _add(self, item: GridItem, question: QuestionEntry, file: FileEntry) -> None:
        if item.document is not None and not file.details:
            kind = SUPPORTED_TYPES.get(item.document.media_type, item.document.media_type)
            title = one_spaced(item.document.title or "")
            file.details = ", ".join(filter(None, (title, kind)))
        answers = [self._answer(one, rank, file) for rank, one in enumerate(item.answers, start=1)]
        error = _described(item.error, item.source) if item.error is not None else ""
        outcome = Outcome(file, question, answers, item.answers.coverage, error)
        question.outcomes.append(outcome)
        file.outcomes.append(outcome)

    def _answer(self, answer: Answer, rank: int, file: FileEntry) -> AnswerEntry:
        self._count += 1
        before, words, after = around_answer(answer)
        return AnswerEntry(
            answer=answer,
            id=f"a{self._count}",
            rank=rank,
            before=before,
            words=words,
            after=after,
            score=score_words(answer.score),
            percent=round(100 * answer.score),
            place=place_words(answer.locations),
            link=with_place(file.link, answer.locations) if file.link else None,
            notes=_notes(answer),
        )


def _last_part(source: str) -> str:
    """Return what a source is called in its folder.

    >>> _last_part("reports/2025.pdf"), _last_part("-")
    ('2025.pdf', 'standard input')
    """
    return "standard input" if source == "-" else PurePath(source).name or source


def _entry(
    known: dict[str, _Entry], key: str, entries: list[_Entry], make: Callable[[str], _Entry]
) -> _Entry:
    if key not in known:
        known[key] = make(key)
        entries.append(known[key])
    return known[key]


def _notes(answer: Answer) -> list[str]:
    notes = []
    more = len(answer.occurrences)
    if more and any(isinstance(one, SourceLocation) for one in answer.locations):
        notes.append(f"The same words at {more} more place{'s' * (more > 1)}.")
    elif more:
        places = dict.fromkeys(place_words(one.locations) for one in answer.occurrences)
        notes.append(f"The same words also on {'; '.join(places)}.")
    for location in answer.locations:
        if isinstance(location, PageLocation) and location.ocr_confidence is not None:
            sure = f"{location.ocr_confidence:.0%}"
            notes.append(f"Read from a picture of the page; its least certain word has {sure}.")
            break
    return notes


def _described(error: Exception, source: str) -> str:
    """Return what an error says, without the source's name, which stands in front of it."""
    text = one_spaced(str(error)).removeprefix(f"{source}: ")
    return text if isinstance(error, DocqaError) else f"unexpected {type(error).__name__}: {text}"
