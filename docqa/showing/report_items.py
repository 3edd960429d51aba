"""The outcomes of a report, arranged by question and by file, with each place in words."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path, PurePath
from typing import TypeVar
from urllib.parse import quote

from docqa.datamodel import Answer, Coverage, GridItem
from docqa.errors import DocqaError
from docqa.loaders.formats import SUPPORTED_TYPES
from docqa.outcome_records import outcomes_in_words
from docqa.places import (
    in_words,
    is_element_path,
    link_part,
    one_spaced,
    place_in_words,
    score_in_words,
    sentence_around,
)
from docqa.showing.report_entries import AnswerEntry, FileEntry, Outcome, QuestionEntry

__all__ = ["ReportItems", "link_to_file"]

_Entry = TypeVar("_Entry")


class ReportItems:
    """The outcomes of a report; none is left out.

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
        """Return all answers, the best of each file and question first."""
        found = [entry for outcome in self.outcomes for entry in outcome.answers]
        return sorted(found, key=lambda entry: entry.rank)

    @property
    def calibrated(self) -> bool:
        """Say whether the scores of all answers are probabilities."""
        readers = {entry.answer.reader for entry in self.answers}
        return bool(readers) and all(each is not None and each.calibrated for each in readers)

    @property
    def summary(self) -> str:
        """Return the numbers of outcomes by kind, and the coverage, in words."""
        outcomes = self.outcomes
        answered = sum(bool(one.answers) for one in outcomes)
        failed = sum(bool(one.error) for one in outcomes)
        return outcomes_in_words(
            answered=answered,
            unanswered=len(outcomes) - answered - failed,
            failed=failed,
            coverage=Coverage(
                sum(one.coverage.passages_read for one in outcomes),
                sum(one.coverage.passages_total for one in outcomes),
            ),
        )

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
        before, words, after = sentence_around(answer)
        return AnswerEntry(
            answer=answer,
            id=f"a{self._count}",
            rank=rank,
            before=before,
            words=words,
            after=after,
            score=score_in_words(answer.score),
            percent=round(100 * answer.score),
            place=place_in_words(answer, in_full=True),
            link=file.link + link_part(answer.locations) if file.link else None,
            notes=_notes(answer),
        )


def link_to_file(source: str, folder: Path) -> str | None:
    """Return the address of a file as seen from a page in `folder`, or None where there is none.

    It is relative where a path leads there, so that both can be moved together. Every character
    with a meaning in an address is escaped: a file called ``javascript:alert(1)`` stays a file.

    Args:
        source: the file's path, as it was asked.
        folder: the folder of the page.
    """
    path = Path(source)
    try:
        if not path.is_file():
            return None
        target, start = path.absolute(), Path(os.path.realpath(folder))
        relative = os.path.relpath(os.path.realpath(target.parent), start)
    except OSError:
        return None
    except ValueError:  # another drive, or a name with a NUL
        return path.absolute().as_uri() if "\0" not in source else None
    whole = os.path.normpath(os.path.join(relative, target.name))  # noqa: PTH118  # keeps ".."
    return quote(os.fsencode(whole.replace(os.sep, "/")), safe="/")


def _last_part(source: str) -> str:
    """Return the name of a source in its folder.

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
    if more and is_element_path(answer.locations):
        notes.append(f"The same words at {more} more place{'s' * (more > 1)}.")
    elif more:
        places = dict.fromkeys(in_words(one.locations, in_full=True) for one in answer.occurrences)
        notes.append(f"The same words also on {'; '.join(places)}.")
    if answer.ocr_confidence is not None:
        sure = f"{answer.ocr_confidence:.0%}"
        notes.append(f"Read from a picture of the page; its least certain word has {sure}.")
    return notes


def _described(error: Exception, source: str) -> str:
    """Return the message of an error without the source's name in front of it."""
    text = one_spaced(str(error)).removeprefix(f"{source}: ")
    return text if isinstance(error, DocqaError) else f"unexpected {type(error).__name__}: {text}"
