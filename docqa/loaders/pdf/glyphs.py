"""Read where the characters of a page stand, to draw rectangles around some of them."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Iterator
from typing import NamedTuple

from docqa._pdfium import PdfPage, Place, UserBox

__all__ = ["Glyph", "PageGlyphs", "centre", "is_inside", "union"]

_AXIS_TOLERANCE = math.radians(3)  # scanned text is skewed by one or two degrees


class Glyph(NamedTuple):
    """The place of a visible character, in user space.

    Attributes:
        number: PDFium's character index.
        box: the font's full height; always holds the centre of the ink.
        ink: the smallest box around what is drawn.
        axis: the direction of its line as the font is turned: 0 along x, 1 along y, None slanted.
    """

    number: int
    box: UserBox
    ink: UserBox
    axis: int | None


class PageGlyphs:
    """The visible characters of a page, without white space.

    Args:
        glyphs: in the order of their indexes.
    """

    def __init__(self, glyphs: Iterable[Glyph]) -> None:
        self._by_index = {glyph.number: glyph for glyph in glyphs}
        self._upwards = sorted(self._by_index.values(), key=_height)
        self._heights = [_height(glyph) for glyph in self._upwards]

    @classmethod
    def of(cls, page: PdfPage) -> PageGlyphs:
        """Read all visible characters of a loaded page."""
        found = map(_glyph, page.places())
        return cls(glyph for glyph in found if glyph is not None)

    def among(self, indexes: Iterable[int]) -> list[Glyph]:
        """Return the visible characters among `indexes`, in their order."""
        found = map(self._by_index.get, indexes)
        return [glyph for glyph in found if glyph is not None]

    def foreign(self, box: UserBox, own: Collection[int]) -> Iterator[Glyph]:
        """Yield the characters whose centre lies in `box` and whose index is not in `own`."""
        low = bisect_left(self._heights, box.bottom)
        for glyph in self._upwards[low : bisect_right(self._heights, box.top)]:
            if glyph.number not in own and is_inside(centre(glyph.ink), box):
                yield glyph


def centre(box: UserBox) -> tuple[float, float]:
    """Return the middle of a box.

    >>> centre(UserBox(0, 0, 4, 2))
    (2.0, 1.0)
    """
    return (box.left + box.right) / 2, (box.bottom + box.top) / 2


def is_inside(point: tuple[float, float], box: UserBox) -> bool:
    """Say whether a point lies in a box, its edges included."""
    return box.left <= point[0] <= box.right and box.bottom <= point[1] <= box.top


def union(one: UserBox, other: UserBox) -> UserBox:
    """Return the smallest box around two.

    >>> union(UserBox(0, 0, 1, 1), UserBox(2, -1, 3, 1))
    UserBox(left=0, bottom=-1, right=3, top=1)
    """
    return UserBox(
        min(one.left, other.left),
        min(one.bottom, other.bottom),
        max(one.right, other.right),
        max(one.top, other.top),
    )


def _height(glyph: Glyph) -> float:
    return (glyph.ink.bottom + glyph.ink.top) / 2


def _glyph(place: Place) -> Glyph | None:
    """Return a character with boxes that hold one another, or None where it has no extent."""
    ink, box, axis = place.ink, place.box, _axis(place.angle)
    if _is_flat(box):
        box = ink
    if _is_flat(ink):
        if _is_flat(box):
            return None
        ink = box
    if axis is None:
        box = ink
    elif not is_inside(centre(ink), box):
        box = union(box, ink)
    return Glyph(place.number, box, ink, axis)


def _is_flat(box: UserBox) -> bool:
    return box.right <= box.left or box.top <= box.bottom


def _axis(angle: float) -> int | None:
    """Return 0 for text along x, 1 along y, None for slanted text; unknown (negative) is 0.

    >>> [_axis(math.radians(degrees)) for degrees in (0, 90, 181, 359, 45)]
    [0, 1, 0, 0, None]
    """
    if angle < 0:
        return 0
    turns = round(angle / (math.pi / 2))
    if abs(angle - turns * math.pi / 2) > _AXIS_TOLERANCE:
        return None
    return turns % 2
