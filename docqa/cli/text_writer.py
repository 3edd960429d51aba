"""Answers for people: the words, the place, the sentence around them with the words marked."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, TextIO

from docqa.cli.exits import describe
from docqa.cli.interrupt import emit
from docqa.cli.notices import page_ranges
from docqa.cli.sources import STDIN
from docqa.cli.terminal import console_for, one_line, speaks_unicode
from docqa.datamodel import (
    Answer,
    GridItem,
    Location,
    PageLocation,
    PartLocation,
    SourceLocation,
    TextLocation,
)

if TYPE_CHECKING:
    from rich.text import Text

__all__ = ["TextWriter", "marked_context", "place"]

_AROUND = 240  # characters of the sentence shown on each side of the answer
_INDENT = "  "
_STATES = {  # what became of a source since a collection indexed it
    "moved": "the file has moved here since it was indexed; --sync brings the collection up to"
    " date",
    "changed": "the file has changed since it was indexed: these are its words of then; --sync"
    " reads it again, and docqa index --checksum also where its size and time are the same",
    "missing": "the file is gone: these are the words that were indexed",
    "unreadable": "the file cannot be read now: these are the words that were indexed",
}
_SLIDE_PARTS = {"notesSlide": ", notes", "data": ", diagram"}
_WORD_PARTS = ("footnotes", "endnotes", "header", "footer")
_PART_OF_FIRST_WORD = re.compile(r"\A\S{1,30}\s+")  # none where a script has no spaces
_PART_OF_LAST_WORD = re.compile(r"\s+\S{1,30}\Z")


class TextWriter:
    """Write outcomes as text: coloured on a terminal, with marks around the answer elsewhere.

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
        where = place(answer.locations)
        if not self._many_sources:
            where = ", ".join(filter(None, (_named(answer.document.source), where)))
        if answer.ocr_confidence is not None:
            where += f", read by OCR (confidence {_score(answer.ocr_confidence)})"
        self._print(
            (f"{where}, score {_score(answer.score)}".removeprefix(", "), "dim"), indent=True
        )
        before, words, after = marked_context(answer)
        opening, closing = self._marks
        self._print(before, (f"{opening}{words}{closing}", "bold green"), after, indent=True)
        if also := _also(answer):
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


def marked_context(answer: Answer) -> tuple[str, str, str]:
    """Return the sentence around an answer as (before, the answer, after), each on one line.

    Long sentences are cut on both sides, which an ellipsis shows.
    """
    start = answer.start - answer.context_start
    end = start + len(answer.text)
    before, after = answer.context[:start], answer.context[end:]
    if len(before) > _AROUND:
        before = "... " + _PART_OF_FIRST_WORD.sub("", before[-_AROUND:])
    if len(after) > _AROUND:
        after = _PART_OF_LAST_WORD.sub("", after[:_AROUND]) + " ..."
    return one_line(before).lstrip(), one_line(answer.text), one_line(after).rstrip()


def place(locations: Iterable[Location]) -> str:
    """Return in words where a span stands: its page, line or element."""
    first, *rest = tuple(locations) or (None,)
    if isinstance(first, PageLocation):
        last = rest[-1] if rest else first
        pages = _page(first)
        if isinstance(last, PageLocation) and last.page_number != first.page_number:
            return f"{pages} to {_page(last)}"
        return pages
    if isinstance(first, TextLocation):
        return f"line {first.line}"
    if isinstance(first, PartLocation):
        return _paragraph(first)
    if isinstance(first, SourceLocation):
        part = f"{one_line(first.part)}, " if first.part else ""
        return part + one_line(first.css_path)  # whole, so that it can be pasted
    return ""


def _score(score: float) -> str:
    """Return a score with two digits, never as 0.00 or 1.00: neither is certain.

    >>> _score(0.875), _score(0.9997), _score(0.0004)
    ('0.88', '>0.99', '<0.01')
    """
    rounded = f"{score:.2f}"
    return {"1.00": ">0.99", "0.00": "<0.01"}.get(rounded, rounded)


def _named(source: str) -> str:
    return "(standard input)" if source == STDIN else one_line(source)


def _page(location: PageLocation) -> str:
    number, label = str(location.page_number), location.page_label
    printed = f" (printed {one_line(label)})" if label is not None and label != number else ""
    return f"page {number}{printed}"


def _paragraph(location: PartLocation) -> str:
    """Return where a paragraph stands; what is not the body or a slide is named.

    >>> from docqa.datamodel import Span
    >>> _paragraph(PartLocation("word/footnotes.xml", "", 2, Span(0, 1)))
    'footnotes, paragraph 2'
    """
    name = PurePosixPath(location.part).stem.rstrip("0123456789")
    if location.slide_number is not None:
        return f"slide {location.slide_number}{_SLIDE_PARTS.get(name, '')}"
    part = f"{name}, " if name in _WORD_PARTS else ""
    return f"{part}paragraph {location.paragraph}"


def _also(answer: Answer) -> str:
    firsts = [spot.locations[0] for spot in answer.occurrences if spot.locations]
    for kind, attribute, word in (
        (PageLocation, "page_number", "page"),
        (PartLocation, "slide_number", "slide"),
        (TextLocation, "line", "line"),
    ):
        numbers = {getattr(spot, attribute) for spot in firsts if isinstance(spot, kind)} - {None}
        if numbers:
            return f"also on {word}{'s' * (len(numbers) > 1)} {page_ranges(numbers)}"
    if firsts:
        return f"also at {len(firsts)} more place{'s' * (len(firsts) > 1)}"
    return ""
