"""Merge the boxes of a span's characters into one rectangle per line.

PDFium's own rectangles are one per text object: up to fourteen for a single word. These start
from the characters, and hold the centre of every character of the span and of no other. Where
full-height rectangles would reach over to another line they are cut down to the ink, and where
that does not do they are taken apart.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from docqa._pdfium import UserBox
from docqa.loaders.pdf.glyphs import Glyph, PageGlyphs, centre, is_inside, union

__all__ = ["line_boxes"]

_SAME_LINE = 0.5  # share of the smaller height by which two characters of a line overlap
_USUAL_GAP = 3.0  # in character sizes: over wider ones (cells, columns) a closer look is taken
_GENERATED_SPACE = 2  # a step of two indexes is a space that PDFium added, of three a line end


@dataclass(slots=True)
class _Line:
    """The characters of one line.

    Attributes:
        glyphs: in the order of the text.
        axis: the direction of the line: 0 along x, 1 along y, None for a slanted character.
        box: around them.
    """

    glyphs: list[Glyph]
    axis: int | None
    box: UserBox

    def add(self, glyph: Glyph) -> None:
        self.glyphs.append(glyph)
        self.box = union(self.box, glyph.box)


def line_boxes(page: PageGlyphs, characters: Iterable[int]) -> list[UserBox]:
    """Return one rectangle per line, in user space, for character indexes in order of the text."""
    glyphs = page.among(characters)
    own = {glyph.number for glyph in glyphs}
    lines: list[_Line] = []
    for number, glyph in enumerate(glyphs):
        axis = _axis(glyphs, number)
        if lines and _continues(lines[-1], glyph, axis) and _is_clear(page, lines[-1], glyph, own):
            lines[-1].add(glyph)
        else:
            lines.append(_Line([glyph], axis, glyph.box))
    return [box for line in lines for box in _exact(page, line, own)]


def _axis(glyphs: Sequence[Glyph], number: int) -> int | None:
    """Return the direction of the line at a character.

    Vertical scripts have upright characters (angle 0) that follow one another downwards, without
    a line end between them: there the movement from or to a neighbour tells.
    """
    glyph = glyphs[number]
    if glyph.axis != 0:
        return glyph.axis
    neighbours = (glyphs[n] for n in (number - 1, number + 1) if 0 <= n < len(glyphs))
    adjacent = (near for near in neighbours if abs(near.number - glyph.number) == 1)
    return 1 if any(_is_below(glyph.box, near.box) for near in adjacent) else 0


def _is_below(one: UserBox, other: UserBox) -> bool:
    """Say whether two upright characters stand in one column, one right below the other."""
    (one_x, one_y), (other_x, other_y) = centre(one), centre(other)
    width = max(one.right - one.left, other.right - other.left)
    height = max(one.top - one.bottom, other.top - other.bottom)
    return abs(one_x - other_x) < 0.3 * width and 0.5 * height < abs(one_y - other_y) < 2 * height


def _continues(line: _Line, glyph: Glyph, axis: int | None) -> bool:
    """Say whether a character stands at the height of a line and goes in its direction."""
    if axis is None or axis != line.axis:
        return False
    low, high = (1, 3) if axis == 0 else (0, 2)
    one, other = line.box, glyph.box
    overlap = min(one[high], other[high]) - max(one[low], other[low])
    return overlap > _SAME_LINE * min(one[high] - one[low], other[high] - other[low])


def _is_clear(page: PageGlyphs, line: _Line, glyph: Glyph, own: set[int]) -> bool:
    """Say whether nothing foreign stands between a line and a character that continues it."""
    along = line.axis or 0
    one, other = line.box, glyph.box
    gap = max(other[along] - one[along + 2], one[along] - other[along + 2])
    if gap < _USUAL_GAP * max(other.top - other.bottom, other.right - other.left):
        return True
    breaks = glyph.number - line.glyphs[-1].number > _GENERATED_SPACE
    return not breaks and not any(page.foreign(_gap(one, other, along), own))


def _gap(one: UserBox, other: UserBox, along: int) -> UserBox:
    """Return the rectangle between two boxes that follow one another along an axis."""
    start, end = min(one[along + 2], other[along + 2]), max(one[along], other[along])
    low, high = min(one[1 - along], other[1 - along]), max(one[3 - along], other[3 - along])
    return UserBox(start, low, end, high) if along == 0 else UserBox(low, start, high, end)


def _exact(page: PageGlyphs, line: _Line, own: set[int]) -> list[UserBox]:
    """Return rectangles for a line that hold no character but the span's own."""
    if not _is_foreign(page, line.box, line.glyphs, own):
        return [line.box]
    ink = _around([glyph.ink for glyph in line.glyphs])
    if line.axis is None or not _is_foreign(page, ink, line.glyphs, own):
        return [ink]
    pieces: list[list[Glyph]] = []
    for glyph in line.glyphs:
        longer = [*pieces[-1], glyph] if pieces else []
        if longer and not _is_foreign(page, _around([g.ink for g in longer]), longer, own):
            pieces[-1] = longer
        else:
            pieces.append([glyph])
    return [_around([glyph.ink for glyph in piece]) for piece in pieces]


def _is_foreign(page: PageGlyphs, box: UserBox, glyphs: Sequence[Glyph], own: set[int]) -> bool:
    """Say whether a box holds another character, but for those on top of one of `glyphs`.

    Letters printed twice for boldness and the halves of a ligature cannot be distinguished.
    """
    return any(
        not any(_coincide(other.ink, glyph.ink) for glyph in glyphs)
        for other in page.foreign(box, own)
    )


def _coincide(one: UserBox, other: UserBox) -> bool:
    return is_inside(centre(one), other) or is_inside(centre(other), one)


def _around(boxes: Sequence[UserBox]) -> UserBox:
    around = boxes[0]
    for box in boxes[1:]:
        around = union(around, box)
    return around
