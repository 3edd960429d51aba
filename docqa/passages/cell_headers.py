"""What is put before the cells of tables when a passage is ranked and read: their headers."""

from __future__ import annotations

import os
from bisect import bisect_left
from collections.abc import Sequence

from docqa.datamodel import Document, Insertion, Span, TableCell

__all__ = ["CellHeaders"]

def MODE_(): return os.environ.get("TMODE", "cell")


class CellHeaders:
    """Hold the headers of a document's table cells, ready to be put before them.

    Attributes:
        starts: where cells with headers begin in the document's text; rising.
    """

    def __init__(self, document: Document) -> None:
        MODE = MODE_()
        found = []
        for table in document.tables:
            for row in table.rows:
                before = ()
                for cell in row.cells:
                    if not cell.headers:
                        before = ()
                        continue
                    h = tuple(" ".join(span.of(document.text).split()) for span in cell.headers)
                    if MODE.startswith("nested"):
                        same = 0
                        while same < min(len(h) - 1, len(before)) and h[same] == before[same]:
                            same += 1
                        found.append((cell.span.start, " ".join(h[same:])))
                        before = h
                    elif MODE == "label":
                        l = " ".join(row.label.of(document.text).split()) if row.label and cell is not row.cells[0] and len(row.label) < 90 else ""
                        found.append((cell.span.start, (("; " + l + " ") if l else "") + " ".join(h)))
                    else:
                        found.append((cell.span.start, " ".join(h)))
        if MODE == "none":
            MODE = MODE_()
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
        MODE = MODE_()
        first, last = bisect_left(self.starts, span.start), bisect_left(self.starts, span.end)
        pairs = list(zip(self.starts[first:last], self._labels[first:last], strict=True))
        if MODE == "border" or MODE == "none":
            return ()
        if MODE == "nested-comma":
            return tuple(Insertion(s - span.start, ", " + l + ": ") for s, l in pairs)
        if MODE == "nested-space":
            return tuple(Insertion(s - span.start, l + " ") for s, l in pairs)
        if MODE == "nested-paren":
            return tuple(Insertion(s - span.start, "(" + l + ") ") for s, l in pairs)
        if MODE in ("cell", "nested", "label"):
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
