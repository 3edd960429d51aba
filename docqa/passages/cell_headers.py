"""Headers of table cells, put before the cells when a passage is ranked and read."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator

from docqa.datamodel import Document, Insertion, Span, TableRow

__all__ = ["CellHeaders"]


class CellHeaders:
    """The headers of a document's table cells, ready to be put before them.

    Attributes:
        starts: where the cells begin in the document's text; rising.
    """

    def __init__(self, document: Document) -> None:
        found = [
            pair
            for table in document.tables
            for row in table.rows
            for pair in _headings(document.text, row)
        ]
        self.starts = [start for start, _ in found]
        self._headings = [heading for _, heading in found]

    def borders(self, span: Span) -> list[int]:
        """Return where cells begin inside `span` of the document's text."""
        return self.starts[bisect_left(self.starts, span.start) : self._stop(span)]

    def insertions(self, span: Span) -> tuple[Insertion, ...]:
        """Return the insertions into `span` of the document's text, at places inside it."""
        first, stop = bisect_left(self.starts, span.start), self._stop(span)
        pairs = zip(self.starts[first:stop], self._headings[first:stop], strict=True)
        return tuple(Insertion(start - span.start, heading) for start, heading in pairs)

    def _stop(self, span: Span) -> int:
        return bisect_left(self.starts, span.end)


def _headings(text: str, row: TableRow) -> Iterator[tuple[int, str]]:
    """Yield the start of each cell of a row, and the text to put there.

    >>> from docqa.datamodel import TableCell
    >>> text, cell = "2021 Costs 7", TableCell(Span(11, 12), (Span(0, 4),))
    >>> list(_headings(text, TableRow((cell,))))
    [(11, '2021: ')]
    """
    for cell in row.cells:
        words = " ".join(" ".join(span.of(text).split()) for span in cell.headers)
        yield cell.span.start, f"{words}: "
