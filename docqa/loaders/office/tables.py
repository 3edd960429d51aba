"""The tables of an Office document: its rows and cells as they come by, then their headers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from docqa.datamodel import Span, Table
from docqa.loaders.table_grid import GridCell, grid_table

__all__ = ["OfficeCell", "OpenTable", "Row", "tables"]

_MOST = 1000  # columns and rows over which a cell reaches, at most


@dataclass(slots=True)
class OfficeCell:
    """A cell of a row, also one without text.

    Attributes:
        columns, rows: over how many it reaches.
        begins, continues: a cell below may continue it; it continues the cell above it (Word).
        span: its characters in the document's text; None without any.
    """

    columns: int = 1
    rows: int = 1
    begins: bool = False
    continues: bool = False
    span: Span | None = None

    def reach(self, *, columns: str = "", rows: str = "") -> None:
        """Take over how many columns and rows it reaches, as attributes say it."""
        self.columns = _count(columns) or self.columns
        self.rows = _count(rows) or self.rows


@dataclass(slots=True, eq=False)
class Row:
    """A row of a table.

    Attributes:
        table: the table.
        cells: how many were begun, those that another one covers too.
        is_layout: it holds a heading or another table: the table only places them.
        is_header: the format says that it heads the columns.
        before: columns that it leaves out at its start.
        shapes: its cells by their numbers from 1, without those that another one covers.
    """

    table: OpenTable
    cells: int = 0
    is_layout: bool = False
    is_header: bool = False
    before: int = 0
    shapes: dict[int, OfficeCell] = field(default_factory=dict)

    def begin_cell(self) -> OfficeCell:
        """Begin the next cell and return it."""
        self.cells += 1
        return self.shapes.setdefault(self.cells, OfficeCell())

    def leave_out(self, count: str) -> None:
        """Take the number of columns left out at the start, as an attribute says it."""
        self.before = _count(count)

    def extend(self, number: int, span: Span) -> None:
        """Add characters of the document's text to cell `number`, in their order."""
        cell = self.shapes.get(number)
        if cell is not None:
            cell.span = span if cell.span is None else Span(cell.span.start, span.end)


@dataclass(slots=True, eq=False)
class OpenTable:
    """A table whose rows are still coming."""

    rows: list[Row] = field(default_factory=list)

    def new_row(self) -> Row:
        """Begin the next row and return it."""
        self.rows.append(Row(self))
        return self.rows[-1]


def tables(text: str, rows: Iterable[Row | None]) -> tuple[Table, ...]:
    """Return the tables that hold data and have headers, in order of the text.

    Args:
        text: the document's.
        rows: those that hold text, in its order; None stands for text outside tables.
    """
    seen = dict.fromkeys(row.table for row in rows if row is not None)
    data = (table for table in seen if not any(row.is_layout for row in table.rows))
    found = (grid_table(text, _grid(text, table)) for table in data)
    return tuple(
        sorted((table for table in found if table is not None), key=lambda each: each.rows[0].start)
    )


def _grid(text: str, table: OpenTable) -> list[list[GridCell]]:
    """Return the cells of each row; a cell that continues the one above adds a row to that."""
    kept: list[list[tuple[OfficeCell, bool]]] = []
    above: dict[int, OfficeCell] = {}  # by their first column
    for row in table.rows:
        column, own = row.before, list[tuple[OfficeCell, bool]]()
        if row.before:
            own.append((OfficeCell(row.before), False))
        for cell in row.shapes.values():
            if cell.continues and column in above:
                above[column].rows += 1
            else:
                own.append((cell, row.is_header))
                above.pop(column, None)
                if cell.begins:
                    above[column] = cell
            column += cell.columns
        kept.append(own)
    return [[_grid_cell(text, *pair) for pair in own] for own in kept]


def _grid_cell(text: str, cell: OfficeCell, is_header: bool) -> GridCell:
    span = Span(0, 0)
    if cell.span is not None:
        part = cell.span.of(text)
        start = cell.span.start + len(part) - len(part.lstrip())
        span = Span(start, start + len(part.strip()))
    return GridCell(span, cell.columns, cell.rows, "column" if is_header else None)


def _count(value: str) -> int:
    return min(int(value), _MOST) if value.isascii() and value.isdecimal() and len(value) < 9 else 0
