"""Answers for people: the words, the place, the sentence around them with the words marked."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, TextIO

from docqa.cli.exits import describe
from docqa.cli.interrupt import emit
from docqa.cli.sources import STDIN
from docqa.cli.terminal import console_for, one_line, speaks_unicode
from docqa.datamodel import Answer, GridItem
from docqa.places import also_in_words, place_in_words, score_in_words, sentence_around

if TYPE_CHECKING:
    from rich.text import Text

__all__ = ["TextWriter"]

_AROUND = 240  # characters of the sentence shown on each side of the answer
_INDENT = "  "
_STATES = {  # of a source, since a collection indexed it
    "moved": "the file has moved here since it was indexed; --sync brings the collection up to"
    " date",
    "changed": "the file has changed since it was indexed: these are its words of then; --sync"
    " reads it again, and docqa index --checksum also where its size and time are the same",
    "missing": "the file is gone: these are the words that were indexed",
    "unreadable": "the file cannot be read now: these are the words that were indexed",
}


class TextWriter:
    """The writer of text: coloured on a terminal, with marks around the answer elsewhere.

    Args:
        stream: where to.
        many_sources: put the source above its outcomes, and leave it out of each.
        many_questions: put the question above its outcome.
    """

    def __init__(self, stream: TextIO, *, many_sources: bool, many_questions: bool) -> None:
        self._stream = stream
        self._console = console_for(stream)
        self._many_sources, self._many_questions = many_sources, many_questions
        self._marks = ("", "")
        if not self._console.is_terminal:
            self._marks = ("«", "»") if speaks_unicode(stream) else ("[", "]")
        self._source: str | None = None
        self._begun = False

    def write(self, item: GridItem) -> None:
        """Write the outcome of one question to one source."""
        with self._console.capture() as written:
            self._headings(item)
            if item.error is not None:
                self._print((f"error: {describe(item.error)}", "red"))
            elif not item.answers:
                self._print(("no answer", "yellow"), (f" ({item.answers.coverage})", "dim"))
            for rank, answer in enumerate(item.answers, start=1):
                self._answer(answer, rank=rank if len(item.answers) > 1 else None)
        emit(self._stream, written.get())

    def _headings(self, item: GridItem) -> None:
        if self._begun and (self._many_sources or self._many_questions):
            self._print()
        self._begun = True
        if self._many_sources and item.source != self._source:
            self._print((f"== {_named(item.source)}", "bold cyan"))
            self._source = item.source
        if self._many_questions:
            self._print((f"? {one_line(item.question)}", "cyan"))

    def _answer(self, answer: Answer, *, rank: int | None) -> None:
        number = f"{rank}. " if rank is not None else ""
        self._print((number, "dim"), (one_line(answer.text).strip(), "bold green"))
        where = one_line(place_in_words(answer))
        if not self._many_sources:
            where = ", ".join(filter(None, (_named(answer.document.source), where)))
        if answer.ocr_confidence is not None:
            where += f", read by OCR (confidence {score_in_words(answer.ocr_confidence)})"
        score = f"score {score_in_words(answer.score)}"
        self._print((", ".join(filter(None, (where, score))), "dim"), indent=True)
        before, words, after = map(one_line, sentence_around(answer, most=_AROUND))
        opening, closing = self._marks
        self._print(before, (f"{opening}{words}{closing}", "bold green"), after, indent=True)
        if also := also_in_words(answer.occurrences):
            self._print((also, "dim"), indent=True)
        if state := _STATES.get(answer.document.source_state or "same"):
            self._print((state, "yellow"), indent=True)

    def _print(self, *parts: str | tuple[str, str], indent: bool = False) -> None:
        from rich.text import Text

        text = Text.assemble(*parts)
        lines: Iterable[Text] = [text]
        if self._console.is_terminal:
            lines = text.wrap(self._console, max(20, self._console.width - 2 * indent))
        for line in lines:
            if indent:
                line.pad_left(len(_INDENT))
            self._console.print(line, soft_wrap=True)


def _named(source: str) -> str:
    return "(standard input)" if source == STDIN else one_line(source)
