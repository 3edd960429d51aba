"""Find the tables of a PDF page: rows with values in columns, under headers.

A PDF draws a table as text at places; it has no rows and no cells. PDFium gives the characters of
a row in order, so rows are lines. Three steps, each on fewer lines than the one before:

1. Lines that end with a number, a percentage or a dash may be rows; most pages have hardly any.
2. Such a line is a row where wide gaps divide it into a label and values; following rows belong
   to one table, with label lines (a section, or a label that goes on) between them.
3. The columns are where the values stand; the lines above the first row are headers where they
   stand above columns (`docqa.loaders.pdf.table_headers`).

Where a table cannot be read this way there is none: the text stays what it is in any case.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from docqa._pdfium import PdfPage
from docqa.datamodel import Span, Table, TableCell, TableRow
from docqa.loaders.pdf.lines import Chunk, PageLines
from docqa.loaders.pdf.table_headers import Column, column_headers
from docqa.loaders.pdf.text import PageText
from docqa.loaders.table_values import is_value

__all__ = ["page_tables"]

_BEFORE = re.compile(r"[#$€£¥]+")  # stands at a column's left edge, apart from its number
_AFTER = re.compile(r"[%)]+(?:\s*\([a-z]{1,2}\))*|\([a-z]{1,2}\)(?:\s*\([a-z]{1,2}\))*")
_FOOTNOTE = re.compile(r"\([a-z\d]{1,2}\)\s|\*\s|•")

_LAST_WORD = 40  # characters from a line's end in which to look for it
_MOST_LABELS = 4  # lines without values between two rows of a table
_MOST_COLUMNS = 30
_MOST_ROWS = 500  # a page


@dataclass(slots=True)
class _Row:
    """A row with values: its lines, its cells from left to right, its label if it has one."""

    lines: range
    label: Chunk | None
    cells: list[Chunk]


@dataclass(slots=True)
class _Run:
    """Rows that follow one another, and the columns of their values."""

    rows: list[_Row]
    columns: list[Column] = field(default_factory=list)


def page_tables(page: PdfPage, content: PageText) -> tuple[Table, ...]:
    """Return the tables of a loaded page, with spans of the page's text."""
    lines = PageLines(page, content)
    tables, previous = list[Table](), None
    above = 0  # lines from here on may be the next table's header
    for run in _runs(lines):
        first = run.rows[0]
        headers = column_headers(
            lines, run.columns, range(above, first.lines.start), first.label or first.cells[0]
        )
        if not any(headers) and previous is not None and _same_columns(previous[0], run):
            headers = previous[1]
        above = run.rows[-1].lines.stop
        if any(headers):
            previous = run, headers
            tables.append(_table(lines, run, headers))
    return tuple(tables)


def _runs(lines: PageLines) -> Iterator[_Run]:
    """Yield the runs of rows that form tables."""
    rows: list[_Row] = []
    for number in _candidates(lines):
        if rows and number in rows[-1].lines:
            continue
        row = _row(lines, number)
        if row is None:
            continue
        if rows and row.lines.start < rows[-1].lines.stop:
            rows.pop()  # PDFium ended a line inside the row: now it is whole
        if rows and not _continues(lines, rows, row):
            yield from _closed(rows)
            rows = []
        rows.append(row)
    yield from _closed(rows)


def _candidates(lines: PageLines) -> list[int]:
    """Return the lines that end like a row's last cell and have another such line near."""
    found = [n for n in range(len(lines)) if _ends_in_value(lines.line(n))]
    near = {n for pair in pairwise(found) if pair[1] - pair[0] <= _MOST_LABELS + 1 for n in pair}
    return sorted(near)[:_MOST_ROWS]


def _ends_in_value(line: str) -> bool:
    *_, last = ["", *line[-_LAST_WORD:].split()]
    return bool(_AFTER.fullmatch(last)) or is_value(last)


def _closed(rows: list[_Row]) -> Iterator[_Run]:
    """Yield rows as a run, if they make a table: two rows with columns in common."""
    columns = _columns(rows)
    if len(rows) > 1 and 0 < len(columns) <= _MOST_COLUMNS:
        yield _Run(rows, columns)


def _row(lines: PageLines, number: int) -> _Row | None:
    """Return a line as a row, or None where it is prose or a line of years."""
    row = _row_of(lines, range(number, number + 1), lines.chunks(number))
    if row is not None and row.label is not None:
        return row
    return _row_of(lines, *lines.across(number))


def _row_of(lines: PageLines, where: range, across: Sequence[Chunk]) -> _Row | None:
    """Return chunks at one height as a row, or None where they make none."""
    chunks = _cells(_last_line(across), lines.text)
    label = chunks.pop(0) if chunks and not is_value(chunks[0].text) else None
    values = [chunk for chunk in chunks if is_value(chunk.text)]
    if 2 * len(values) <= len(chunks):
        return None  # prose with wide spaces, or a table of words
    return _Row(where, label, chunks) if label is not None or len(values) > 1 else None


def _last_line(chunks: Sequence[Chunk]) -> Sequence[Chunk]:
    """Return the last of the lines that a hyphen at a line's end makes one in the text."""
    boxes = [chunk.box for chunk in chunks]
    steps = (n for n in range(len(boxes) - 1, 0, -1) if boxes[n].x0 < boxes[n - 1].x1 - 1)
    return chunks[next(steps, 0) :]


def _cells(chunks: Sequence[Chunk], text: str) -> list[Chunk]:
    """Join signs of currency to the number after them, percent signs to the one before."""
    cells: list[Chunk] = []
    for chunk in chunks:
        joins = cells and (
            _BEFORE.fullmatch(cells[-1].text)
            or (_AFTER.fullmatch(chunk.text) and is_value(cells[-1].text))
        )
        if joins:
            cells[-1] = cells[-1].joined(chunk, text)
        else:
            cells.append(chunk)
    return cells


def _continues(lines: PageLines, rows: Sequence[_Row], row: _Row) -> bool:
    """Say whether a row belongs to the table of the rows before it."""
    last = rows[-1]
    between = range(last.lines.stop, row.lines.start)
    if len(between) > _MOST_LABELS or _top(row) < _top(last):
        return False
    left = min(cell.box.x0 for each in (*rows[-3:], row) for cell in each.cells)
    if not all(_is_label(lines, number, left) for number in between):
        return False
    return any(
        one.box.x0 < other.box.x1 and other.box.x0 < one.box.x1
        for before in rows[-3:]
        for one in before.cells
        for other in row.cells
    )


def _top(row: _Row) -> float:
    return row.cells[0].box.top


def _is_label(lines: PageLines, number: int, left: float) -> bool:
    """Say whether a line without values stands left of all values, and is no footnote."""
    if _FOOTNOTE.match(lines.line(number)):
        return False
    chunks = lines.chunks(number)
    return bool(chunks) and all(chunk.box.x1 < left + 2 for chunk in chunks)


def _columns(rows: Sequence[_Row]) -> list[Column]:
    """Return where values stand, from left to right: their places, merged where they overlap."""
    values = (cell.box for row in rows for cell in row.cells if is_value(cell.text))
    columns: list[Column] = []
    for box in sorted(values, key=lambda box: box.x0):
        if columns and box.x0 < columns[-1].x1:
            columns[-1] = Column(columns[-1].x0, max(columns[-1].x1, box.x1))
        else:
            columns.append(Column(box.x0, box.x1))
    return columns


def _same_columns(one: _Run, other: _Run) -> bool:
    return len(one.columns) == len(other.columns) and all(
        a.x0 < b.x1 and b.x0 < a.x1 for a, b in zip(one.columns, other.columns, strict=True)
    )


def _table(lines: PageLines, run: _Run, headers: Sequence[tuple[Span, ...]]) -> Table:
    rows, before = [], run.rows[0].lines.start
    for row in run.rows:
        cells = tuple(
            TableCell(cell.span, headers[column])
            for cell in row.cells
            if (column := _column_of(run.columns, cell)) is not None and headers[column]
        )
        label = row.label.span if row.label is not None else None
        if label is not None and row.lines.start > before:
            label = Span(lines.spans[before].start, label.end)
        if cells:
            rows.append(TableRow(cells, label))
        before = row.lines.stop
    return Table(tuple(rows))


def _column_of(columns: Sequence[Column], cell: Chunk) -> int | None:
    """Return the only column that a cell stands in, or None."""
    touched = [n for n, each in enumerate(columns) if each.overlaps(cell.box)]
    return touched[0] if len(touched) == 1 else None
