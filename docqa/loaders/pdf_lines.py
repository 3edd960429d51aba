"""The lines of a page's text, cut where wide gaps divide them: the cells of a table, and labels.

A word's place is that of its first and last character: a few hundred questions to PDFium on a page
with a table, where asking for every character takes five times as long as reading the text does.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from docqa._pdfium import PdfPage, UserBox
from docqa.datamodel import Box, Span
from docqa.loaders.pdf_text import PageText

__all__ = ["Chunk", "PageLines"]

_LINE = re.compile(r"[^\n]+")
_WORD = re.compile(r"\S+")
_LEADER = re.compile(r"[._…·]{2,}|[._…·](?=\s)")
_GAP = 0.6  # of a line's height (about 1.15 em): a space takes 0.25, columns are further apart
_CURRENCIES = frozenset("$€£¥#")  # stand at the left edge of the column whose number follows
_MOST_WORDS = 120  # a line; longer ones are prose of a page without line ends


@dataclass(frozen=True, slots=True)
class Chunk:
    """Hold words of one line that stand close together.

    Attributes:
        span: characters of the page's text.
        text: these characters.
        box: points, from the displayed page's top left.
    """

    span: Span
    text: str
    box: Box

    def joined(self, other: Chunk, text: str) -> Chunk:
        """Return this chunk and a following one as one; `text` is the page's."""
        one, two = self.box, other.box
        box = Box(
            min(one.x0, two.x0),
            min(one.top, two.top),
            max(one.x1, two.x1),
            max(one.bottom, two.bottom),
        )
        span = Span(self.span.start, other.span.end)
        return Chunk(span, span.of(text), box)


class PageLines:
    """Hold the lines of a page; the places of a line's words are asked for when needed.

    Args:
        page: the loaded page.
        content: its text and map.
    """

    def __init__(self, page: PdfPage, content: PageText) -> None:
        self._page, self.text, self._offsets = page, content.text, content.offsets
        self.spans = [Span(*match.span()) for match in _LINE.finditer(content.text)]
        self._chunks: dict[int, tuple[Chunk, ...]] = {}

    def __len__(self) -> int:
        return len(self.spans)

    def line(self, number: int) -> str:
        """Return the characters of line `number`, from 0."""
        return self.spans[number].of(self.text)

    def chunks(self, number: int) -> tuple[Chunk, ...]:
        """Return the chunks of line `number`; none where its place is not known."""
        if number not in self._chunks:
            self._chunks[number] = tuple(self._read(self.spans[number]))
        return self._chunks[number]

    def _read(self, line: Span) -> list[Chunk]:
        words = [
            Span(*match.span())
            for match in _WORD.finditer(self.text, line.start, line.end)
            if not _LEADER.fullmatch(match.group())
        ]
        ranges = self._offsets.to_source(line)
        if len(words) > _MOST_WORDS or len(ranges) != 1 or len(ranges[0]) != len(line):
            return []
        shift = ranges[0].start - line.start
        boxes = self._page.word_boxes((w.start + shift, w.end - 1 + shift) for w in words)
        placed = [
            Chunk(word, word.of(self.text), self._display(box))
            for word, box in zip(words, boxes, strict=True)
            if box is not None
        ]
        return _gathered(placed, self.text) if len(placed) == len(words) else []

    def _display(self, box: UserBox) -> Box:
        return self._page.frame.display(box)


def _gathered(words: Sequence[Chunk], text: str) -> list[Chunk]:
    """Join neighbouring words that no wide gap divides."""
    chunks = list(words[:1])
    for before, word in pairwise(words):
        height = before.box.bottom - before.box.top
        gap = word.box.x0 - before.box.x1
        leader = text[before.span.end : word.span.start].strip()
        if gap > _GAP * height or gap < -height or leader or word.text in _CURRENCIES:
            chunks.append(word)
        else:
            chunks[-1] = chunks[-1].joined(word, text)
    return chunks
