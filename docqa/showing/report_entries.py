"""The entries of a report: questions, files, and the outcome of each question in each file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from docqa.datamodel import Answer, Coverage

__all__ = ["AnswerEntry", "FileEntry", "Outcome", "Picture", "QuestionEntry"]


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture inside a page.

    Attributes:
        uri: a ``data:`` address.
        width, height: pixels.
    """

    uri: str
    width: int
    height: int


@dataclass(slots=True, eq=False)
class AnswerEntry:
    """An answer in a report.

    Attributes:
        answer: as it was found.
        id: of its element in the page.
        rank: from 1, among the answers of its question and file.
        before, words, after: the sentence with the answer in it.
        score: in words.
        percent: the score as a length, 0 to 100.
        place: in words.
        link: opens the file at the place, or None.
        notes: what should be known of it.
        picture: the place on its page, or None.
    """

    answer: Answer
    id: str
    rank: int
    before: str
    words: str
    after: str
    score: str
    percent: int
    place: str
    link: str | None
    notes: list[str]
    picture: Picture | None = None


@dataclass(slots=True, eq=False)
class FileEntry:
    """A source in a report.

    Attributes:
        id: of its row in the page.
        source: its path, as it was asked.
        name: its last part, or all of it where another source is called the same.
        link: opens it, or None where it is no file.
        details: title and kind.
        warnings: what should be known of it.
        outcomes: in the order of the questions.
    """

    id: str
    source: str
    name: str
    link: str | None
    details: str
    warnings: Sequence[str] = ()
    outcomes: list[Outcome] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Outcome:
    """The outcome of one question in one file: answers, none, or an error."""

    file: FileEntry
    question: QuestionEntry
    answers: list[AnswerEntry]
    coverage: Coverage
    error: str

    @property
    def best(self) -> float:
        """Return the score of the best answer, below all scores where there is none."""
        return max((entry.answer.score for entry in self.answers), default=-1.0)


@dataclass(slots=True, eq=False)
class QuestionEntry:
    """A question in a report, with its outcomes by kind."""

    id: str
    text: str
    outcomes: list[Outcome] = field(default_factory=list)

    @property
    def answered(self) -> list[Outcome]:
        """Return the outcomes with answers, the file with the best one first."""
        found = [outcome for outcome in self.outcomes if outcome.answers]
        return sorted(found, key=lambda outcome: -outcome.best)

    @property
    def unanswered(self) -> list[Outcome]:
        """Return the outcomes without an answer."""
        return [one for one in self.outcomes if not one.answers and not one.error]

    @property
    def failed(self) -> list[Outcome]:
        """Return the outcomes of files that could not be asked."""
        return [one for one in self.outcomes if one.error]
