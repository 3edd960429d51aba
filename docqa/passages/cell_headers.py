"""What is put before the cells of tables when a passage is ranked and read: their headers."""

from __future__ import annotations

import os
from bisect import bisect_left
from collections.abc import Sequence

from docqa.datamodel import Document, Insertion, Span, TableCell

__all__ = ["CellHeaders"]

MODE = os.environ.get("TMODE", "cell")


class CellHeaders:
    """Hold the headers of a document's table cells, ready to be put before them.

    Attributes:
        starts: where cells with headers begin in the document's text; rising.
    """

    def __init__(self, document: Document) -> None:
        found = [
            (cell.span.start, _label(document.text, cell))
            for table in document.tables
            for row in table.rows
            for cell in row.cells
            if cell.headers
        ]
        if MODE == "none":
            found = []
        self.starts = [start for start, _ in found]
        self._labels = [label for _, label in found]
        self.cell_starts = [] if MODE == "none" else [
            cell.span.start
            for table in document.tables
            for row in table.rows
            for cell in row.cells
        ]

    def inside(self, span: Span) -> tuple[Insertion, ...]:
        """Return what goes into `span` of the document's text, at places inside it."""
        first, last = bisect_left(self.starts, span.start), bisect_left(self.starts, span.end)
        pairs = list(zip(self.starts[first:last], self._labels[first:last], strict=True))
        if MODE == "border" or MODE == "none":
            return ()
        if MODE == "cell":
            return tuple(Insertion(s - span.start, l + ": ") for s, l in pairs)
        if MODE == "cellspace":
            return tuple(Insertion(s - span.start, l + " ") for s, l in pairs)
        if MODE == "paren":
            return tuple(Insertion(s - span.start, "(" + l + ") ") for s, l in pairs)
        if MODE == "of":
            return tuple(Insertion(s - span.start, ", " + l + ": ") for s, l in pairs)
        if MODE == "last":
            return tuple(Insertion(s - span.start, l.split("; ")[-1] + ": ") for s, l in pairs)
        if MODE == "prefix":
            seen = dict.fromkeys(l for _, l in pairs)
            return (Insertion(0, " | ".join(seen) + "\n"),) if seen else ()
        raise ValueError(MODE)


def _label(text: str, cell: TableCell) -> str:
    return " ".join(" ".join(span.of(text).split()) for span in cell.headers)
