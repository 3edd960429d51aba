"""The lines of a page's text, cut where wide gaps divide them: the cells of a table, and labels.

A word's place is that of its first and last character: a few hundred questions to PDFium on a page
with a table, where asking for every character takes five times as long as reading the text does.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from docqa._pdfium import PdfPage, UserBox
from docqa.datamodel import Box, Span
from docqa.loaders.pdf.text import PageText

__all__ = ["Chunk", "PageLines"]

_LINE = re.compile(r"[^\n]+")
_WORD = re.compile(r"\S+")
_LEADER = re.compile(r"[._…·]{2,}|[._…·](?=\s)")
_GAP = 0.6  # of a line's height (about 1.15 em): a space takes 0.25, columns are further apart
_SAME_HEIGHT = 0.2  # of a line's height by which words of a line may stand higher or lower
_CURRENCIES = frozenset("$€£¥#")  # stand at the left edge of the column whose number follows
_MOST_WORDS, _LONGEST = 120, 2000  # a line; longer ones are prose of a page without line ends


@dataclass(frozen=True, slots=True)
class Chunk:
    """Words of one line that stand close together.

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
    """The lines of a page; the places of a line's words are asked for when needed.

    Args:
        page: the loaded page.
        content: its text and map.
    """

    def __init__(self, page: PdfPage, content: PageText) -> None:
        self._page, self._frame = page, page.frame
        self.text, self._offsets = content.text, content.offsets
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

    def across(self, number: int) -> tuple[range, list[Chunk]]:
        """Return the chunks that stand at the height of line `number`, and the lines they are of.

        PDFium sometimes ends a line between two cells of a row.
        """
        chunks, first, last = list(self.chunks(number)), number, number
        while chunks and first > 0 and _follows(self.chunks(first - 1), chunks):
            first -= 1
            chunks[:0] = self.chunks(first)
        while chunks and last + 1 < len(self) and _follows(chunks, self.chunks(last + 1)):
            last += 1
            chunks += self.chunks(last)
        return range(first, last + 1), chunks

    def _read(self, line: Span) -> list[Chunk]:
        if len(line) > _LONGEST:
            return []
        words = [
            match.span()
            for match in _WORD.finditer(self.text, line.start, line.end)
            if not _LEADER.fullmatch(match.group())
        ]
        ranges = self._offsets.to_source(line)
        if len(words) > _MOST_WORDS or not ranges:
            return []
        shift = ranges[0].start - line.start
        if len(ranges) == 1 and len(ranges[0]) == len(line):
            sources = [(start + shift, end - 1 + shift) for start, end in words]
        else:  # a space was put in, or characters come from several
            places = [self._offsets.to_source(Span(*word)) for word in words]
            if not all(places):
                return []
            sources = [(place[0].start, place[-1].end - 1) for place in places]
        boxes = self._page.word_boxes(sources)
        placed = [box for box in map(self._upright, boxes) if box is not None]
        return self._gathered(words, placed) if len(placed) == len(words) else []

    def _upright(self, box: UserBox | None) -> UserBox | None:
        """Return a box as it is displayed, with y upwards; most pages are not turned."""
        if box is None or not self._frame.rotation:
            return box
        shown = self._frame.display(box)
        return UserBox(shown.x0, -shown.bottom, shown.x1, -shown.top)

    def _gathered(self, words: Sequence[tuple[int, int]], boxes: Sequence[UserBox]) -> list[Chunk]:
        """Join neighbouring words that no wide gap divides."""
        chunks: list[Chunk] = []
        first = 0
        for number in range(1, len(words) + 1):
            if number == len(words) or self._is_apart(words, boxes, number):
                span = Span(words[first][0], words[number - 1][1])
                box = self._around(boxes[first:number])
                chunks.append(Chunk(span, span.of(self.text), box))
                first = number
        return chunks

    def _is_apart(
        self, words: Sequence[tuple[int, int]], boxes: Sequence[UserBox], number: int
    ) -> bool:
        """Say whether a word stands apart from the one before it."""
        before, box = boxes[number - 1], boxes[number]
        height, gap = before.top - before.bottom, box.left - before.right
        if not -height <= gap <= _GAP * height:
            return True
        (_, end), (start, stop) = words[number - 1], words[number]
        is_sign = stop - start == 1 and self.text[start] in _CURRENCIES
        return is_sign or (start - end > 1 and not self.text[end:start].isspace())

    def _around(self, boxes: Sequence[UserBox]) -> Box:
        """Return the box around words, in points from the displayed page's top left."""
        left, right = min(box.left for box in boxes), max(box.right for box in boxes)
        bottom, top = min(box.bottom for box in boxes), max(box.top for box in boxes)
        page = self._frame.box
        if self._frame.rotation:
            return Box(left, -top, right, -bottom)
        return Box(left - page.left, page.top - top, right - page.left, page.top - bottom)


def _follows(before: Sequence[Chunk], after: Sequence[Chunk]) -> bool:
    """Say whether chunks go on to the right of others at the same height."""
    if not before or not after:
        return False
    one, two = before[-1].box, after[0].box
    apart = abs(one.bottom - two.bottom)
    return two.x0 >= one.x1 and apart < _SAME_HEIGHT * (one.bottom - one.top)
