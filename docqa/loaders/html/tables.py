"""The tables of a web page: rows and cells as they come by in the walk through the tree."""

from __future__ import annotations

from dataclasses import dataclass, field

from docqa.datamodel import Span, Table
from docqa.loaders.html.facts import ElementFacts
from docqa.loaders.table_grid import GridCell, grid_table

__all__ = ["TableRecorder"]


@dataclass(slots=True)
class _OpenCell:
    start: int
    is_header: bool
    facts: ElementFacts


@dataclass(slots=True)
class _OpenTable:
    """A table whose rows are still coming.

    Attributes:
        in_head: the row stands in ``<thead>``.
        is_layout: it holds another table, or a cell that does, and lays out a page.
    """

    rows: list[list[tuple[_OpenCell, int, bool]]] = field(default_factory=list)
    cell: _OpenCell | None = None
    in_head: bool = False
    is_layout: bool = False


class TableRecorder:
    """A collector of table cells in the order of the text; of nested tables the innermost."""

    def __init__(self) -> None:
        self._open: list[_OpenTable] = []
        self._closed: list[_OpenTable] = []

    def start(self, name: str, facts: ElementFacts, position: int) -> None:
        """Note that an element starts where the text has `position` characters."""
        if name == "table":
            for around in self._open[-1:]:
                around.is_layout = True
            self._open.append(_OpenTable())
        elif not self._open:
            return
        elif name == "thead":
            self._open[-1].in_head = True
        elif name == "tr":
            self._open[-1].rows.append([])
        elif name in ("td", "th") and self._open[-1].rows:
            self._open[-1].cell = _OpenCell(position, name == "th", facts)

    def end(self, name: str, position: int) -> None:
        """Note that an element ends where the text has `position` characters."""
        if not self._open:
            return
        table = self._open[-1]
        if name == "table":
            self._closed.append(self._open.pop())
        elif name == "thead":
            table.in_head = False
        elif name in ("td", "th") and table.cell is not None:
            table.rows[-1].append((table.cell, position, table.in_head))
            table.cell = None

    def build(self, text: str) -> tuple[Table, ...]:
        """Return the tables that have headers, in order of the text."""
        data = (table for table in self._closed if not table.is_layout)
        found = (grid_table(text, _grid(text, table)) for table in data)
        return tuple(sorted((table for table in found if table is not None), key=_start))


def _start(table: Table) -> int:
    return table.rows[0].cells[0].span.start


def _grid(text: str, table: _OpenTable) -> list[list[GridCell]]:
    return [
        [_cell(text, cell, end, in_head=in_head, among=row) for cell, end, in_head in row]
        for row in table.rows
    ]


def _cell(
    text: str, cell: _OpenCell, end: int, *, in_head: bool, among: list[tuple[_OpenCell, int, bool]]
) -> GridCell:
    part = text[cell.start : end]
    start = cell.start + len(part) - len(part.lstrip())
    span = Span(start, max(start, cell.start + len(part.rstrip())))
    facts = cell.facts
    if in_head or facts.scope in ("col", "colgroup"):
        return GridCell(span, facts.colspan, facts.rowspan, "column")
    if facts.scope in ("row", "rowgroup"):
        return GridCell(span, facts.colspan, facts.rowspan, "row")
    if not cell.is_header:
        return GridCell(span, facts.colspan, facts.rowspan)
    has_data = any(not other.is_header for other, _, _ in among)
    return GridCell(span, facts.colspan, facts.rowspan, "row" if has_data else "column")
