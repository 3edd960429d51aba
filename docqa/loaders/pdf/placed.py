"""Characters of a page that PDFium does not count: values of form fields, words read by OCR.

They are numbered past the page's last character, in the same source indexes, so that no character
has them; and each stretch brings the rectangle in which it is shown.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from docqa._pdfium import UserBox
from docqa.datamodel import Span
from docqa.loaders.pdf.glyphs import union

__all__ = ["PlacedText", "placed_boxes", "touched"]


@dataclass(frozen=True, slots=True)
class PlacedText:
    """A stretch of characters: its place in the page's source, and on the page.

    Attributes:
        source: indexes past those of all characters of the page.
        box: the rectangle that shows it, in user space.
        line: number of its line on the page; those of one line share a rectangle. None for one
            that keeps its own.
        confidence: in 0 to 1, how sure the reading is; None for the file's own words.
    """

    source: Span
    box: UserBox
    line: int | None = None
    confidence: float | None = None


def touched(placed: Sequence[PlacedText], ranges: Iterable[Span]) -> Iterator[PlacedText]:
    """Yield the stretches that share a character with `ranges`, each once, in their order.

    Args:
        placed: their source indexes rise.
        ranges: source indexes; need not be in order.
    """
    ends = [each.source.end for each in placed]
    numbers: set[int] = set()
    for span in ranges:
        number = bisect_right(ends, span.start)
        while number < len(placed) and placed[number].source.overlaps(span):
            numbers.add(number)
            number += 1
    yield from (placed[number] for number in sorted(numbers))


def placed_boxes(placed: Iterable[PlacedText]) -> list[UserBox]:
    """Return the rectangles of stretches, those of one line as one.

    >>> one, two = UserBox(0, 0, 9, 9), UserBox(20, 1, 30, 8)
    >>> placed_boxes([PlacedText(Span(5, 7), one, 1), PlacedText(Span(7, 9), two, 1)])
    [UserBox(left=0, bottom=0, right=30, top=9)]
    """
    boxes: list[UserBox] = []
    line: int | None = None
    for each in placed:
        if boxes and each.line is not None and each.line == line:
            boxes[-1] = union(boxes[-1], each.box)
        else:
            boxes.append(each.box)
        line = each.line
    return boxes
