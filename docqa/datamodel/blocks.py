"""Parts of a document: paragraphs, tables and pages."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from operator import attrgetter
from typing import ClassVar, Literal

from docqa.datamodel.spans import Span

__all__ = ["Block", "BlockKind", "Page", "Table", "TableCell", "TableRow"]


BlockKind = Literal["paragraph", "heading", "list_item", "table_row", "code"]


@dataclass(frozen=True, slots=True)
class Block:
    """A stretch of a document's text that its format sets apart.

    Attributes:
        span: characters of the document's text.
        kind: the format's name for it.
        boilerplate: True for navigation, footers and blocks made mostly of links.
    """

    span: Span
    kind: BlockKind
    boilerplate: bool = False

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle as a call, as `Span` does."""
        return Block, (self.span, self.kind, self.boilerplate)


@dataclass(frozen=True, slots=True)
class TableCell:
    """A cell of a table's row, with its headers.

    Attributes:
        span: the cell's characters in the document's text, signs of currency and percent included.
        headers: characters of the document's text that head the cell, from the outermost header
            ("Three months ended March 31,") to the innermost ("2021").
    """

    span: Span
    headers: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class TableRow:
    """A row of a table.

    Attributes:
        cells: the cells with headers, from left to right.
        label: header of the row ("Net income"), with the lines above it that hold no values, or
            None.
    """

    cells: tuple[TableCell, ...]
    label: Span | None = None

    @property
    def start(self) -> int:
        """Return where the row begins in the document's text."""
        return self.cells[0].span.start if self.label is None else self.label.start


@dataclass(frozen=True, slots=True)
class Table:
    """A table whose columns have headers: its rows, from the top, without the header's.

    Cells, and so rows, rise in the document's text and do not overlap.
    """

    rows: tuple[TableRow, ...]

    @classmethod
    def joined(cls, tables: Iterable[Table]) -> Table:
        """Return one table with the rows of all, in order of the text."""
        rows = (row for table in tables for row in table.rows)
        return cls(tuple(sorted(rows, key=_row_start)))

    def row_at(self, span: Span) -> TableRow | None:
        """Return the last row that begins at or before `span`; None where none does."""
        after = bisect_right(self.rows, span.start, key=_row_start)
        return self.rows[after - 1] if after else None

    def rows_touching(self, span: Span) -> tuple[TableRow, ...]:
        """Return the rows that share characters with `span`, in order."""
        first = max(0, bisect_right(self.rows, span.start, key=_row_start) - 1)
        last = bisect_left(self.rows, span.end, key=_row_start)
        return tuple(row for row in self.rows[first:last] if row.cells[-1].span.end > span.start)

    def shift(self, offset: int) -> Table:
        """Return the table with all spans moved by `offset` characters."""
        spans = {span for row in self.rows for cell in row.cells for span in cell.headers}
        headers = {span: span.shift(offset) for span in spans}  # cells share them

        def moved(row: TableRow) -> TableRow:
            cells = (
                TableCell(cell.span.shift(offset), tuple(headers[span] for span in cell.headers))
                for cell in row.cells
            )
            return TableRow(tuple(cells), row.label.shift(offset) if row.label else None)

        return Table(tuple(map(moved, self.rows)))


_row_start = attrgetter("start")


@dataclass(frozen=True, slots=True)
class Page:
    """Facts about one page of a paged document, or about one slide.

    Attributes:
        number: index from 1.
        label: printed number or None; `label_origin` says where it comes from.
        span: the page's characters in the document's text.
        width, height: points, as displayed (after rotation and crop).
        needs_ocr: in the file, the page shows an image but (nearly) no text.
        garbled: share of the file's characters (0 to 1) whose code has no known meaning.
        ocr: the page's text was read from its image, all of it or but for a few words.
    """

    GARBLED_SHARE: ClassVar[float] = 0.10  # more than any good page of 1,110 looked at has

    number: int
    label: str | None
    label_origin: Literal["file", "printed"] | None
    span: Span
    width: float
    height: float
    needs_ocr: bool = False
    garbled: float = 0.0
    ocr: bool = False

    @property
    def is_garbled(self) -> bool:
        """Say whether too many characters have no known meaning for words to be read."""
        return self.garbled > self.GARBLED_SHARE
