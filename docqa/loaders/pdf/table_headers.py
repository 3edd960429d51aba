"""Tell which words above a table's first row head which of its columns.

Headers have several levels ("Three months ended March 31," over "2021" and "2020"), lines of one
header stand on several lines of the page ("Fixed Income" / "Markets"), and one header may span
columns that it is not as wide as. What stands above the row labels ("(in millions)") heads no
column, except for a period that the columns' headers complete.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from docqa.datamodel import Box, Span
from docqa.loaders.pdf.lines import Chunk, PageLines
from docqa.loaders.table_grid import innermost
from docqa.loaders.table_values import is_value, is_year

__all__ = ["Column", "column_headers"]

_MOST_LINES = 24  # of text above the first row: a header of eight columns has two or three each
_MOST_LEVELS = 7
_REACH = 10  # heights of a line above the first row

_NOTES = re.compile(r"(?:\s*\([a-z\d]{1,2}\))+$")
_UNIT = re.compile(r"\(.*\)")
_PERIOD = re.compile(r"\b(?:ended|ending|as of|at)\b|\w+ \d{1,2},$", re.IGNORECASE)
_DATE = re.compile(r"\d{1,2}[./-]\d{1,2}[./-]\d{2,4}")
_CONTENTS = re.compile(r"\bcontents\b|^page$", re.IGNORECASE)  # the numbers are pages
_ENDS_SENTENCE = re.compile(r"[a-z]{2}[.;:]\s*$|^\s*[•·▪]")


@dataclass(frozen=True, slots=True)
class _Header:
    """The chunks of one header, from the top, and the box around them."""

    chunks: tuple[Chunk, ...]
    box: Box

    @classmethod
    def of(cls, chunk: Chunk) -> _Header:
        return cls((chunk,), chunk.box)

    @property
    def middle(self) -> float:
        return (self.box.x0 + self.box.x1) / 2

    def under(self, other: _Header) -> _Header:
        """Return this header and one right below it as one."""
        one, two = self.box, other.box
        box = Box(min(one.x0, two.x0), one.top, max(one.x1, two.x1), two.bottom)
        return _Header((*self.chunks, *other.chunks), box)


@dataclass(frozen=True, slots=True)
class Column:
    """The left and right edge of a column's values, in points."""

    x0: float
    x1: float

    @property
    def middle(self) -> float:
        """Return the middle of the column."""
        return (self.x0 + self.x1) / 2

    def overlaps(self, box: Box) -> bool:
        """Say whether a box stands in the column, at whatever height."""
        return self.x0 < box.x1 and box.x0 < self.x1


def column_headers(
    lines: PageLines, columns: Sequence[Column], above: range, first: Chunk
) -> list[tuple[Span, ...]]:
    """Return the headers of each column, from the outermost to the innermost; () for none.

    Args:
        lines: of the page.
        columns: of the table, from left to right.
        above: the lines between what stands before the table and its first row.
        first: the leftmost chunk of the first row.
    """
    headers: list[list[Span]] = [[] for _ in columns]
    period: Span | None = None
    rows: list[list[_Header]] = []
    for level in _levels(list(_header_chunks(lines, columns, above, first)))[-_MOST_LEVELS:]:
        beside = [chunk for chunk in level if chunk.box.x1 <= columns[0].x0]
        period = next((_bare(each) for each in beside if _PERIOD.search(each.text)), period)
        over = [chunk for chunk in level if chunk.box.x1 > columns[0].x0]
        _stack(rows, [_Header.of(chunk) for chunk in over if not _UNIT.fullmatch(chunk.text)])
    for row in rows:
        for header, numbers in _spread(row, columns):
            for number in numbers:
                headers[number] += map(_bare, header.chunks)
    return [_complete(lines.text, period, each) for each in headers]


def _stack(rows: list[list[_Header]], level: list[_Header]) -> None:
    """Add a level of headers; lines of the same headers ("Fixed Income" / "Markets") are one."""
    if not level:
        return
    before = rows[-1] if rows else []
    pairs = list(zip(before, level, strict=False))
    if len(before) == len(level) and all(
        one.box.x0 < two.box.x1
        and two.box.x0 < one.box.x1
        and two.box.top - one.box.bottom < (two.box.bottom - two.box.top) / 2
        for one, two in pairs
    ):
        rows[-1] = [one.under(two) for one, two in pairs]
    else:
        rows.append(level)


def _complete(text: str, period: Span | None, headers: list[Span]) -> tuple[Span, ...]:
    """Return a column's headers, with the period beside them where they have none."""
    kept = innermost(headers)
    if not kept or period is None or any(_PERIOD.search(each.of(text)) for each in kept):
        return kept
    return innermost((period, *kept))


def _bare(chunk: Chunk) -> Span:
    """Return a header's characters without marks of footnotes."""
    match = _NOTES.search(chunk.text)
    end = match.start() if match and match.start() else len(chunk.text)
    return Span(chunk.span.start, chunk.span.start + end)


def _header_chunks(
    lines: PageLines, columns: Sequence[Column], above: range, first: Chunk
) -> Iterator[Chunk]:
    """Yield the chunks right above a table, line by line upwards until another text begins."""
    top, left = first.box.top, min(first.box.x0, columns[0].x0)
    height = first.box.bottom - top
    pitch = (columns[-1].x1 - columns[0].x0) / len(columns)
    right = columns[-1].x1 + max(pitch, 2 * height)
    for number in reversed(above[-_MOST_LINES:]):
        chunks = lines.chunks(number)
        if not chunks or _ENDS_SENTENCE.search(lines.line(number)):
            return
        for chunk in chunks:
            box = chunk.box
            if box.bottom > top + height / 2 or box.top < top - _REACH * height:
                return
            if not _is_header(chunk.text):
                return
            if box.x0 < left - pitch or box.x1 > right or _is_prose(box, columns, left):
                return
        yield from chunks


def _is_header(text: str) -> bool:
    """Say whether words can head a column: numbers but for years and dates, or contents, cannot."""
    if not any(map(str.isalpha, text)):
        return is_year(text) or bool(_DATE.fullmatch(text)) or bool(_UNIT.fullmatch(text))
    return not is_value(text) and not _CONTENTS.search(text)


def _is_prose(box: Box, columns: Sequence[Column], left: float) -> bool:
    """Say whether words begin with the labels and reach over the columns."""
    return box.x0 < left + 3 and box.x1 > columns[0].x0 and columns[0].x0 > left + 3


def _levels(chunks: Sequence[Chunk]) -> list[list[Chunk]]:
    """Return chunks that stand at one height together, from the top; each from left to right."""
    levels: list[list[Chunk]] = []
    for chunk in sorted(chunks, key=lambda each: each.box.bottom):
        height = chunk.box.bottom - chunk.box.top
        if levels and chunk.box.bottom - levels[-1][0].box.bottom < height / 2:
            levels[-1].append(chunk)
        else:
            levels.append([chunk])
    return [sorted(level, key=lambda each: each.box.x0) for level in levels]


def _spread(
    headers: Sequence[_Header], columns: Sequence[Column]
) -> Iterator[tuple[_Header, Sequence[int]]]:
    """Yield the headers of one level with the columns that each one heads."""
    pitch = (columns[-1].middle - columns[0].middle) / max(1, len(columns) - 1)
    tiles = _tiles(headers, columns, pitch)
    touched = [_touched(header, columns) for header in headers]
    for number, header in enumerate(headers):
        if tiles:
            yield header, tiles[number]
            continue
        low = max((n + 1 for other in touched[:number] for n in other), default=0)
        high = min((n for other in touched[number + 1 :] for n in other), default=len(columns))
        yield header, _under(header, columns, range(low, high), pitch)


def _tiles(
    headers: Sequence[_Header], columns: Sequence[Column], pitch: float
) -> list[range] | None:
    """Return equal groups of columns, one under the middle of each header, or None."""
    if not headers or len(columns) % len(headers):
        return None
    size = len(columns) // len(headers)
    tiles = [range(n * size, (n + 1) * size) for n in range(len(headers))]
    fits = all(
        abs(_middle(columns, tile) - header.middle) < 0.4 * pitch
        for header, tile in zip(headers, tiles, strict=True)
    )
    only = len(headers) == 1 and len(_touched(headers[0], columns)) == 1
    return tiles if fits and not only else None


def _under(header: _Header, columns: Sequence[Column], free: range, pitch: float) -> Sequence[int]:
    """Return the columns under a header that stands over one, between two, or over several.

    A header over several spans as many on both sides as keep it in their middle.
    """
    touched = _touched(header, columns)
    if not touched:
        right = next((n for n in free if columns[n].middle > header.middle), free.stop)
        near = [n for n in (right - 1, right) if n in free]
        return [n for n in near if abs(columns[n].middle - header.middle) < 0.75 * pitch]
    if len(touched) == 1:
        return touched
    groups = [
        range(first, last + 1)
        for first in range(min(free.start, touched[0]), touched[0] + 1)
        for last in range(touched[-1], max(free.stop, touched[-1] + 1))
    ]
    off = [abs(_middle(columns, group) - header.middle) for group in groups]
    fitting = (g for g, far in zip(groups, off, strict=True) if far <= min(off) + 0.1 * pitch)
    return max(fitting, key=len)


def _touched(header: _Header, columns: Sequence[Column]) -> list[int]:
    return [n for n, each in enumerate(columns) if each.overlaps(header.box)]


def _middle(columns: Sequence[Column], group: Sequence[int]) -> float:
    return (columns[group[0]].x0 + columns[group[-1]].x1) / 2
