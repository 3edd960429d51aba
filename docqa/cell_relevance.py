"""How well cells of tables fit a question: by the words of their row's label and their headers.

A reader trained on prose finds the right row of a table more often than the right column: beside
"2021: 14,300 2020: 2,865" it answers "2020?" with either. The words that head a cell tell the two
apart, without a model.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable

from docqa.datamodel import Document, Span, TableCell, TableRow
from docqa.index.analysis import terms

__all__ = ["cell_relevances"]


def cell_relevances(document: Document, question: str, spans: Iterable[Span]) -> dict[Span, float]:
    """Return how relevant the cells are that hold some of `spans`, 0 to 1, by span.

    That is the share of the question's terms that the cell's row label and headers hold, as a
    share of the best such cell's. Spans outside the cells of tables are not in the result, nor is
    any where no cell shares a term with the question.

    Args:
        document: what was read.
        question: as asked.
        spans: characters of the document's text.
    """
    asked = set(terms(question))
    found = ((span, cell_at(document, span)) for span in spans) if document.tables else ()
    shared = {
        span: len(asked & _context_terms(document.text, *place))
        for span, place in found
        if place is not None
    }
    best = max(shared.values(), default=0)
    return {span: count / best for span, count in shared.items()} if best else {}


def cell_at(document: Document, span: Span) -> tuple[TableRow, TableCell] | None:
    """Return the cell with headers that holds `span`, and its row, or None."""
    number = bisect_right(document.tables, span.start, key=lambda table: _start(table.rows[0])) - 1
    if number < 0:
        return None
    rows = document.tables[number].rows
    row = rows[bisect_right(rows, span.start, key=_start) - 1]
    cell = row.cells[bisect_right(row.cells, span.start, key=lambda each: each.span.start) - 1]
    return (row, cell) if cell.span.covers(span) else None


def _start(row: TableRow) -> int:
    return row.cells[0].span.start


def _context_terms(text: str, row: TableRow, cell: TableCell) -> set[str]:
    spans = [*([row.label] if row.label else []), *cell.headers]
    return {term for span in spans for term in terms(span.of(text))}
