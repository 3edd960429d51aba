"""Tell which cells of a grid head which others: for every format that has rows and cells.

A cell may reach over several columns and rows. Where the format says which cells are headers that
counts (HTML Standard, 4.9.12: ``<th>``, ``scope``, ``<thead>``); where it does not, leading rows
without a value over rows with values are taken for headers. A grid without headers is no table
here: it may just as well lay out a page.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from docqa.datamodel import Span, Table, TableCell, TableRow
from docqa.loaders.table_values import is_currency, is_value

__all__ = ["GridCell", "grid_table", "innermost"]

_MOST_CHARACTERS = 90  # of one cell's headers together; more is mostly prose, and costs reading
_MOST_COLUMNS = 100
_MOST_HEADER_ROWS, _MOST_UNMARKED_ROWS = 6, 3


@dataclass(frozen=True, slots=True)
class GridCell:
    """A cell as its format gives it.

    Attributes:
        span: its characters in the document's text, without outer white space; may be empty.
        columns, rows: over how many it reaches, at least 1.
        heads: what the format says that it heads, or None where it says nothing.
    """

    span: Span
    columns: int = 1
    rows: int = 1
    heads: Literal["column", "row"] | None = None


@dataclass(frozen=True, slots=True)
class _Placed:
    """A cell and its first column; `is_own` is False where it reaches down from above."""

    cell: GridCell
    column: int
    is_own: bool = True


_PlacedRow = list[_Placed]


def grid_table(text: str, rows: Iterable[Sequence[GridCell]]) -> Table | None:
    """Return the rows of a grid with the headers of each cell, or None where it has no headers.

    Cells of the first column are labels and get no headers, nor does a cell without characters. A
    sign of currency in a cell of its own belongs to the value in the next one.

    Args:
        text: the document's.
        rows: from the top; cells from left to right, each in the row where it begins.

    >>> text = "Net income 2021 14,300"
    >>> top = [GridCell(Span(0, 0)), GridCell(Span(11, 15), heads="column")]
    >>> row = [GridCell(Span(0, 10)), GridCell(Span(16, 22))]
    >>> grid_table(text, [top, row]).rows[0].cells
    (TableCell(span=Span(start=16, end=22), headers=(Span(start=11, end=15),)),)
    """
    placed = _place(rows)
    if placed is None:
        return None
    is_header = _header_rows(text, placed)
    found: list[TableRow] = []
    headers: list[_PlacedRow] = []
    for number, row in enumerate(placed):
        if is_header[number]:
            above_is_header = number > 0 and is_header[number - 1]
            headers = [*headers, row][-_MOST_HEADER_ROWS:] if above_is_header else [row]
        elif cells := tuple(_cells(text, row, headers)):
            found.append(TableRow(cells, _label(row)))
    return Table(tuple(found)) if found else None


def _place(rows: Iterable[Sequence[GridCell]]) -> list[_PlacedRow] | None:
    """Return each cell with its column, past cells that reach down from above; None if too wide."""
    placed: list[_PlacedRow] = []
    hanging: list[tuple[_Placed, int]] = []  # cells from above with the rows they still reach over
    for row in rows:
        taken = {
            column
            for above, _ in hanging
            for column in range(above.column, above.column + above.cell.columns)
        }
        column, own = 0, list[_Placed]()
        for cell in row:
            while column in taken:
                column += 1
            own.append(_Placed(cell, column))
            column += cell.columns
            if column > _MOST_COLUMNS:
                return None
        from_above = [_Placed(above.cell, above.column, is_own=False) for above, _ in hanging]
        placed.append(sorted([*own, *from_above], key=lambda each: each.column))
        hanging = [(above, left - 1) for above, left in hanging if left > 1]
        hanging += [(each, each.cell.rows - 1) for each in own if each.cell.rows > 1]
    return placed


def _header_rows(text: str, rows: Sequence[_PlacedRow]) -> list[bool]:
    """Say of each row whether it heads columns."""
    marked = [_is_marked(row) for row in rows]
    if any(marked):
        return marked
    values = [any(_has_number(each.cell.span.of(text)) for each in row) for row in rows]
    first = values.index(True) if sum(values) > 1 else 0
    if first > _MOST_UNMARKED_ROWS:
        return [False] * len(rows)
    head = any(each.column and each.cell.span for row in rows[:first] for each in row)
    return [number < first and head for number in range(len(rows))]


def _has_number(content: str) -> bool:
    return is_value(content) and any(map(str.isdigit, content))


def _is_marked(row: _PlacedRow) -> bool:
    """Say whether the format makes all cells of a row headers of columns, several or one."""
    own = [each for each in row if each.cell.span]
    return bool(own) and all(each.cell.heads == "column" for each in own) and own[-1].column > 0


def _cells(text: str, row: _PlacedRow, headers: Sequence[_PlacedRow]) -> Iterable[TableCell]:
    labels = [each.cell.span for each in row if not each.is_own and each.cell.span]
    sign: Span | None = None
    for each in row:
        cell = each.cell
        if not each.is_own or not each.column or not cell.span or cell.heads == "row":
            continue
        content = cell.span.of(text)
        if is_currency(content):
            sign = cell.span
            continue
        if not is_value(content) and not any(map(str.isalnum, content)):
            continue
        span = cell.span if sign is None else Span(sign.start, cell.span.end)
        sign = None
        above = _above(headers, each.column)
        if above:
            yield TableCell(span, innermost((*labels, *above)))


def _above(headers: Sequence[_PlacedRow], column: int) -> tuple[Span, ...]:
    """Return the headers over a column, from the top, each once."""
    found: dict[Span, None] = {}
    for row in headers:
        number = bisect_right(row, column, key=lambda each: each.column) - 1
        if number >= 0 and row[number].column + row[number].cell.columns > column:
            found[row[number].cell.span] = None
    return tuple(span for span in found if span)


def _label(row: _PlacedRow) -> Span | None:
    """Return the cell of the first column, or the one that the format names as the row's header."""
    heads = [each.cell.span for each in row if each.is_own and each.cell.heads == "row"]
    first = [each.cell.span for each in row if each.is_own and not each.column]
    return next((span for span in [*heads, *first] if span), None)


def innermost(headers: Sequence[Span]) -> tuple[Span, ...]:
    """Return headers without the outermost where they are too long together.

    >>> innermost([Span(0, 80), Span(80, 120), Span(120, 124)])
    (Span(start=80, end=120), Span(start=120, end=124))
    """
    kept = list(headers)
    while sum(map(len, kept)) > _MOST_CHARACTERS:
        kept.pop(0)
    return tuple(kept)
