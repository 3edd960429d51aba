"""Merge the boxes of a span's characters into one rectangle per line.

PDFium's own rectangles are one per text object: up to fourteen for a single word. These start
from the characters instead, and never join two characters when the rectangle around both would
reach over to another line.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from docqa._pdfium import PdfPage, UserBox

__all__ = ["line_boxes"]

_SAME_LINE = 0.5  # share of the smaller height by which two characters of a line overlap
_USUAL_GAP = 3.0  # in character sizes: over wider ones (cells, columns) a closer look is taken
_GENERATED_SPACE = 2  # a step of two indexes is a space that PDFium added, of three a line end
_AXIS_TOLERANCE = math.radians(3)  # text turned by more than this off an axis is not merged


@dataclass(frozen=True, slots=True)
class _Line:
    """Hold the characters joined so far: their rectangle, direction and last index."""

    box: UserBox
    axis: int | None
    last: int


@dataclass(frozen=True, slots=True)
class _Glyph:
    """Hold a character's place.

    Attributes:
        index: PDFium's character index.
        box: its rectangle in user space.
        axis: the direction of its line: 0 along x, 1 along y, None slanted.
    """

    index: int
    box: UserBox
    axis: int | None


def line_boxes(page: PdfPage, characters: Iterable[int]) -> list[UserBox]:
    """Return one rectangle per line for characters in the order of the text, in user space.

    Characters that PDFium added (line ends, some spaces) have no box.
    """
    glyphs = [glyph for index in characters if (glyph := _glyph(page, index)) is not None]
    lines: list[_Line] = []
    for number, glyph in enumerate(glyphs):
        axis = _axis(glyphs, number)
        if lines and _continues(page, lines[-1], glyph, axis):
            lines[-1] = _Line(_union(lines[-1].box, glyph.box), axis, glyph.index)
        else:
            lines.append(_Line(glyph.box, axis, glyph.index))
    return [line.box for line in lines]


def _glyph(page: PdfPage, index: int) -> _Glyph | None:
    box = page.loose_box(index)
    angle = page.angle(index)
    axis = _axis_of(angle) if angle >= 0 else 0
    if axis is None or box is None or _is_flat(box):
        box = page.strict_box(index) or box
    if box is None or _is_flat(box):
        return None
    return _Glyph(index, box, axis)


def _is_flat(box: UserBox) -> bool:
    return box.right <= box.left or box.top <= box.bottom


def _axis_of(angle: float) -> int | None:
    """Return 0 for text along x, 1 for text along y, None for slanted text.

    >>> [_axis_of(math.radians(degrees)) for degrees in (0, 90, 181, 359, 45)]
    [0, 1, 0, 0, None]
    """
    turns = angle / (math.pi / 2)
    if abs(turns - round(turns)) * (math.pi / 2) > _AXIS_TOLERANCE:
        return None
    return round(turns) % 2


def _axis(glyphs: Sequence[_Glyph], number: int) -> int | None:
    """Return the direction of the line at a character.

    Vertical scripts have upright characters (angle 0) that follow one another downwards, without
    a line end between them: there the movement from or to a neighbour tells.
    """
    glyph = glyphs[number]
    if glyph.axis != 0:
        return glyph.axis
    neighbours = [glyphs[n] for n in (number - 1, number + 1) if 0 <= n < len(glyphs)]
    adjacent = (near for near in neighbours if abs(near.index - glyph.index) == 1)
    return 1 if any(_is_below(glyph.box, near.box) for near in adjacent) else 0


def _is_below(one: UserBox, other: UserBox) -> bool:
    """Say whether two upright characters stand in one column, one right below the other."""
    across = abs(one.left + one.right - other.left - other.right) / 2
    along = abs(one.top + one.bottom - other.top - other.bottom) / 2
    width = max(one.right - one.left, other.right - other.left)
    height = max(one.top - one.bottom, other.top - other.bottom)
    return across < 0.3 * width and 0.5 * height < along < 2 * height


def _continues(page: PdfPage, line: _Line, glyph: _Glyph, axis: int | None) -> bool:
    """Say whether a character goes on the line, with nothing foreign between the two."""
    if axis is None or axis != line.axis:
        return False
    along, across = (0, 1) if axis == 0 else (1, 0)
    one, other = line.box, glyph.box
    overlap = min(one[across + 2], other[across + 2]) - max(one[across], other[across])
    height = min(one[across + 2] - one[across], other[across + 2] - other[across])
    if overlap <= _SAME_LINE * height:
        return False
    gap = max(other[along] - one[along + 2], one[along] - other[along + 2])
    size = max(other.top - other.bottom, other.right - other.left)
    if gap < _USUAL_GAP * size:
        return True
    breaks = glyph.index - line.last > _GENERATED_SPACE
    return not breaks and not page.has_text(_between(one, other, along))


def _between(one: UserBox, other: UserBox, along: int) -> UserBox:
    """Return the gap between two boxes that follow one another along an axis."""
    start = min(one[along + 2], other[along + 2])
    end = max(one[along], other[along])
    low, high = max(one[1 - along], other[1 - along]), min(one[3 - along], other[3 - along])
    return UserBox(start, low, end, high) if along == 0 else UserBox(low, start, high, end)


def _union(one: UserBox, other: UserBox) -> UserBox:
    return UserBox(
        min(one.left, other.left),
        min(one.bottom, other.bottom),
        max(one.right, other.right),
        max(one.top, other.top),
    )
