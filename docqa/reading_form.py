"""The reading form of a passage: its text, with the headers of table cells before the cells.

"Net income 14,300 2,865" says little to who does not see the line with the years, thirty lines up
or in another passage. Read as "Net income 2021: 14,300 2020: 2,865" it can be found and answered
from. The passage's own characters all stay, in order; the inserted ones lead nowhere, and no
answer touches them.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from docqa.datamodel import Insertion, Passage, Span

__all__ = ["ReadingForm"]


@dataclass(frozen=True, slots=True)
class ReadingForm:
    """The text that stands for a passage, with the way back to the passage's characters.

    Attributes:
        text: the passage's characters with the inserted ones.
        inserted: where the inserted characters stand in `text`; rising, apart from one another.

    >>> row = Passage("id", 0, Span(0, 13), "Costs 5,1 4,2", insertions=(Insertion(6, "2021: "),))
    >>> form = ReadingForm.of(row)
    >>> form.text, form.to_passage(Span(12, 15)), form.to_passage(Span(6, 8))
    ('Costs 2021: 5,1 4,2', Span(start=6, end=9), None)
    """

    text: str
    inserted: tuple[Span, ...]

    @classmethod
    def of(cls, passage: Passage) -> ReadingForm:
        """Return the reading form of a passage; its text alone where nothing is inserted."""
        return cls.from_insertions(passage.text, passage.insertions)

    @classmethod
    def from_insertions(cls, text: str, insertions: Sequence[Insertion]) -> ReadingForm:
        """Return `text` with `insertions`, whose positions rise."""
        if not insertions:
            return cls(text, ())
        starts = [0, *(each.position for each in insertions)]
        ends = [*starts[1:], len(text)]
        pieces = ["", *(each.text for each in insertions)]
        kept = (text[start:end] for start, end in zip(starts, ends, strict=True))
        shifts = accumulate(len(piece) for piece in pieces)
        inserted = tuple(
            Span(start + shift - len(piece), start + shift)
            for start, shift, piece in zip(starts, shifts, pieces, strict=True)
            if piece
        )
        return cls("".join(a + b for a, b in zip(pieces, kept, strict=True)), inserted)

    def borders(self, borders: Sequence[int]) -> tuple[int, ...]:
        """Return the borders in the reading form: the passage's own and those of insertions.

        No answer reaches over inserted characters, so they and the text behind them begin blocks.
        """
        if not self.inserted:
            return tuple(borders)
        moved = {border + self._inserted_up_to(border) for border in borders}
        ends = {end for span in self.inserted for end in (span.start, span.end)}
        return tuple(sorted(moved | ends))

    def _inserted_up_to(self, offset: int) -> int:
        """Return how many characters are inserted before a character of the passage."""
        shift = 0
        for span in self.inserted:
            if span.start - shift > offset:
                break
            shift += len(span)
        return shift

    def to_passage(self, span: Span) -> Span | None:
        """Return the passage's characters that `span` stands for.

        None where it touches an inserted character or reaches over one.
        """
        if not self.inserted:
            return span
        before = bisect_right(self.inserted, span.start, key=lambda each: each.start)
        if before and self.inserted[before - 1].end > span.start:
            return None
        if before < len(self.inserted) and self.inserted[before].start < span.end:
            return None
        shift = sum(len(each) for each in self.inserted[:before])
        return Span(span.start - shift, span.end - shift)
