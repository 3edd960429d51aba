"""Show the tables found on a document's pages, each cell with its headers.

    python tests/benchmarks/show_tables.py FILE [PAGE ...]

Without pages, print how many tables, rows and cells each page has.
"""

from __future__ import annotations

import argparse

import docqa
from docqa.datamodel import Document, Span, Table


def shown(document: Document, table: Table) -> str:
    """Return a table's rows, a line each: the cells as "header > header = value"."""
    lines = []
    for row in table.rows:
        cells = []
        for cell in row.cells:
            headers = " > ".join(span.of(document.text) for span in cell.headers)
            cells.append(f"{headers or '?'} = {' '.join(cell.span.of(document.text).split())}")
        start = document.text.rfind("\n", 0, row.cells[0].span.start) + 1 if row.cells else 0
        label = document.text[start : row.cells[0].span.start].strip() if row.cells else ""
        lines.append(f"  {label}: " + " | ".join(cells))
    return "\n".join(lines)


def page_span(document: Document, number: int) -> Span:
    """Return the characters of page `number`, or of the whole document without pages."""
    if not document.pages:
        return Span(0, len(document.text))
    return document.pages[number - 1].span


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file")
    parser.add_argument("pages", type=int, nargs="*")
    options = parser.parse_args()
    with docqa.load(options.file) as document:
        for number in options.pages or range(1, max(2, len(document.pages) + 1)):
            span = page_span(document, number)
            tables = [t for t in document.tables if span.covers(t.rows[0].cells[0].span)]
            rows = sum(len(table.rows) for table in tables)
            cells = sum(len(row.cells) for table in tables for row in table.rows)
            if tables or options.pages:
                print(f"page {number}: {len(tables)} tables, {rows} rows, {cells} cells")
            if options.pages:
                print("\n\n".join(shown(document, table) for table in tables))


if __name__ == "__main__":
    main()
