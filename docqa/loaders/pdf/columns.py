"""Put the lines of columns one below the other where a page draws them row by row.

A PDF's text comes in the order of its content. Most programs draw a column after the other; some
draw the first line of each, then the second. Read like that, sentences of different columns mix.
Where a clear gutter divides line after line, and the words on each side of it run on from line to
line as prose does, the columns follow one another. A table's cells do not run on.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from docqa._pdfium import PdfPage
from docqa.datamodel import Box, Span
from docqa.loaders.pdf.text import PageText, reordered

__all__ = ["column_by_column"]

_LINE = re.compile(r"[^\n]+")
_SPACE = re.compile(r"(?<=\S) +(?=\S)")
_BESIDE = re.compile(r"(?<=[^\W\d_]|[.,;:!?)-])(?: |\r\n)(?=[^\W\d_])")
_SHORTEST = 8  # characters of a line in a column
_GAP = 0.6  # of a line's height: no gutter is narrower
_SAME_HEIGHT = 0.25  # of a line's height by which pieces of a row may stand higher or lower
_NEXT_LINE = 2.5  # heights of a line within which the next one follows
_FEWEST_ROWS = 3
_FEWEST_WORDS = 2.5  # a line, on average
_RUNS_ON = 0.4  # of a column's lines begin with a small letter: prose has more, cells have none
_ALIGNED = 6.0  # points by which the lines of a column may begin apart, indents aside


@dataclass(frozen=True, slots=True)
class _Piece:
    """A stretch of a line that no wide gap divides; its box is turned as its line is."""

    span: Span
    text: str
    box: Box


@dataclass(slots=True)
class _Columns:
    """Rows of pieces with gutters between them.

    Attributes:
        gutters: their left and right edges, from left to right.
        rows: the pieces at each height.
    """

    gutters: list[tuple[float, float]]
    rows: list[Sequence[_Piece]] = field(default_factory=list)

    def take(self, row: Sequence[_Piece]) -> bool:
        """Add a row and return True, if no piece of it stands in a gutter."""
        gutters = []
        for left, right in self.gutters:
            middle = (left + right) / 2
            before = [piece.box.x1 for piece in row if piece.box.x1 <= middle]
            after = [piece.box.x0 for piece in row if piece.box.x0 >= middle]
            if len(before) + len(after) < len(row):
                return False
            gutters.append((max([left, *before]), min([right, *after])))
        height = row[0].box.bottom - row[0].box.top
        if any(right - left < _GAP * height for left, right in gutters):
            return False
        if self.rows and not _follows(self.rows[-1][0].box, row[0].box):
            return False
        self.gutters = gutters
        self.rows.append(row)
        return True

    def columns(self) -> list[list[_Piece]]:
        """Return the pieces of each column, from the top."""
        edges = [(left + right) / 2 for left, right in self.gutters]
        found: list[list[_Piece]] = [[] for _ in range(len(edges) + 1)]
        for row in self.rows:
            for piece in row:
                found[sum(piece.box.x0 >= edge for edge in edges)].append(piece)
        return found

    def are_prose(self) -> bool:
        """Say whether the words of every column run on from line to line."""
        divided = sum(len(row) > len(self.gutters) for row in self.rows)
        return divided >= _FEWEST_ROWS and all(map(_runs_on, self.columns()))


def column_by_column(page: PdfPage, content: PageText, raw: str) -> PageText:
    """Return the page's text with columns that are drawn row by row put in order.

    Args:
        page: the loaded page.
        content: its text and map.
        raw: a character for each index of the page.
    """
    if not _may_have_columns(page, raw):
        return content
    pieces = list(_pieces(page, content))
    rows = list(_rows(pieces))
    if sum(len(row) > 1 for row in rows) < _FEWEST_ROWS:
        return content
    ordered, is_changed = list[_Piece](), False
    number = 0
    while number < len(rows):
        found = _columns_from(rows, number)
        if found is not None:
            ordered += [piece for column in found.columns() for piece in column]
            number, is_changed = number + len(found.rows), True
        else:
            ordered += rows[number]
            number += 1
    return _in_order(content, pieces, ordered) if is_changed else content


def _may_have_columns(page: PdfPage, raw: str) -> bool:
    """Say whether words stand far from those before them, many of them with small letters."""
    found = [
        raw[match.end()].islower()
        for match in _BESIDE.finditer(raw)
        if page.is_beside(match.start() - 1, match.end())
    ]
    return len(found) >= _FEWEST_ROWS and sum(found) >= _RUNS_ON / 2 * len(found)


def _in_order(content: PageText, pieces: Sequence[_Piece], ordered: Sequence[_Piece]) -> PageText:
    """Return the text with its pieces in another order; neighbours of before stay on their line."""
    following = {id(one): two for one, two in pairwise(pieces)}
    spans = [ordered[0].span]
    for one, two in pairwise(ordered):
        between = content.text[one.span.end : two.span.start]
        if following.get(id(one)) is two and "\n" not in between:
            spans[-1] = Span(spans[-1].start, two.span.end)
        else:
            spans.append(two.span)
    return reordered(content, spans)


def _columns_from(rows: Sequence[Sequence[_Piece]], number: int) -> _Columns | None:
    """Return the columns that begin with a row, or None where none do."""
    row = rows[number]
    if len(row) < 2:
        return None
    found = _Columns([(one.box.x1, two.box.x0) for one, two in pairwise(row)])
    for each in rows[number:]:
        if not found.take(each):
            break
    return found if found.are_prose() else None


def _runs_on(column: Sequence[_Piece]) -> bool:
    if len(column) < _FEWEST_ROWS:
        return False
    left = min(piece.box.x0 for piece in column)
    aligned = sum(piece.box.x0 - left < _ALIGNED for piece in column)
    words = sum(len(piece.text.split()) for piece in column)
    small = sum(piece.text[0].islower() for piece in column[1:])
    return (
        2 * aligned > len(column)
        and words >= _FEWEST_WORDS * len(column)
        and small >= _RUNS_ON * (len(column) - 1)
    )


def _follows(before: Box, after: Box) -> bool:
    height = before.bottom - before.top
    return 0 < after.top - before.top < _NEXT_LINE * height


def _rows(pieces: Sequence[_Piece]) -> Iterator[list[_Piece]]:
    """Yield the pieces that follow one another to the right at one height."""
    row: list[_Piece] = []
    for piece in pieces:
        if row:
            last = row[-1].box
            apart = abs(piece.box.bottom - last.bottom)
            if not (piece.box.x0 > last.x1 and apart < _SAME_HEIGHT * (last.bottom - last.top)):
                yield row
                row = []
        row.append(piece)
    if row:
        yield row


def _pieces(page: PdfPage, content: PageText) -> Iterator[_Piece]:
    """Yield the lines of a page, cut at wide gaps."""
    for match in _LINE.finditer(content.text):
        line = Span(*match.span())
        source = content.offsets.to_source(line)
        if not source or not match.group().strip():
            continue
        is_plain = len(source) == 1 and len(source[0]) == len(line)
        start = line.start
        if is_plain and len(line) > 2 * _SHORTEST:
            shift = source[0].start - line.start
            for space in _SPACE.finditer(content.text, line.start, line.end):
                if page.is_generated(space.start() + shift) and _is_gutter(
                    page, space.start() - 1 + shift, space.end() + shift
                ):
                    yield from _piece(page, content, Span(start, space.start()))
                    start = space.end()
        yield from _piece(page, content, Span(start, line.end))


def _is_gutter(page: PdfPage, one: int, two: int) -> bool:
    before, after = page.line_box(one), page.line_box(two)
    if before is None or after is None:
        return False
    return after.left - before.right > _GAP * (before.top - before.bottom)


def _piece(page: PdfPage, content: PageText, span: Span) -> Iterator[_Piece]:
    """Yield a stretch of a line, if its place is known."""
    text = span.of(content.text)
    bare = Span(span.start + len(text) - len(text.lstrip()), span.start + len(text.rstrip()))
    source = content.offsets.to_source(bare)
    if bare and source:
        first, last = page.line_box(source[0].start), page.line_box(source[-1].end - 1)
        if first is not None and last is not None:
            top, bottom = max(first.top, last.top), min(first.bottom, last.bottom)
            box = Box(first.left, -top, last.right, -bottom)
            yield _Piece(span, bare.of(content.text), box)
