"""Source maps from a PDF's text to pages and rectangles, computed when asked for.

Four numbers per character would be fifteen times the text, so no box is stored: the bytes are
kept, and PDFium opens them again for the first location, and for the next one after `close`.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from docqa._pdfium import LOCK, Frame, PdfFile, UserBox
from docqa.datamodel import Box, Location, Page, PageLocation, Span
from docqa.loaders.numbers import Numbers
from docqa.loaders.offset_map import OffsetMap
from docqa.loaders.pdf.boxes import line_boxes
from docqa.loaders.pdf.glyphs import PageGlyphs
from docqa.loaders.pdf.placed import PlacedText, placed_boxes, touched

__all__ = ["PageSpan", "PagesSourceMap", "PdfSource", "PdfSourceMap", "PdfState"]

_DECIMALS = 3  # a thousandth of a point; PDFium's own coordinates are single floats
_PAGES_KEPT = 4  # answers to one question crowd on few pages; a page takes about 1 MB


@dataclass(frozen=True, slots=True)
class PageSpan:
    """The part of a span that lies on one page: its index from 0 and the characters."""

    index: int
    span: Span


@dataclass(frozen=True, slots=True)
class PdfSource:
    """The way from a text back to PDFium's characters.

    Attributes:
        data, password: the file's bytes, and the bytes that opened it or None.
        offsets: the text over all pages' character indexes, one page after another.
        source_starts: where each page's character indexes start in that numbering.
        placed: what stands on a page without being PDFium's characters (values of form fields,
            words read by OCR), by the page's index from 0; its source indexes rise.
        without_boxes: indexes of pages whose text does not come from PDFium.
    """

    data: bytes
    password: bytes | None
    offsets: OffsetMap
    source_starts: array[int]
    placed: Mapping[int, Sequence[PlacedText]]
    without_boxes: Collection[int]


@dataclass(frozen=True, slots=True)
class _Layout:
    """The visible characters of a page, and the part of user space that it shows."""

    glyphs: PageGlyphs
    frame: Frame


@dataclass(frozen=True, slots=True)
class PdfState:
    """Plain data from which the source map of a PDF is made again; see `PdfSource`."""

    password: bytes | None
    offsets: OffsetMap
    source_starts: Numbers
    placed: dict[int, tuple[PlacedText, ...]]
    without_boxes: tuple[int, ...]


class PagesSourceMap:
    """A source map from a paged text to pages and labels, without rectangles.

    Args:
        pages: one record per page; their spans rise and do not overlap.
    """

    State: ClassVar[object] = type(None)

    def __init__(self, pages: Sequence[Page]) -> None:
        self._pages = pages
        self._starts = array("Q", [page.span.start for page in pages])

    def locate(self, span: Span) -> tuple[Location, ...]:
        """Return one location per page that `span` touches."""
        return tuple(self._location(part) for part in self.page_spans(span))

    def page_spans(self, span: Span) -> Iterator[PageSpan]:
        """Yield the parts of `span` page by page.

        A span of page breaks alone counts as the empty end of the page before it.
        """
        first = max(0, bisect_right(self._starts, span.start) - 1)
        last = max(first + 1, bisect_right(self._starts, span.end - 1))
        parts = []
        for index in range(first, last):
            page = self._pages[index].span
            start, end = max(page.start, span.start), min(page.end, span.end)
            if start < end:
                parts.append(PageSpan(index, Span(start, end)))
        end = self._pages[first].span.end
        yield from parts or [PageSpan(first, Span(end, end))]

    def close(self) -> None:
        """Do nothing: nothing is open."""

    def state(self) -> object:
        """Return plain data from which `restored` makes the map again: none beside the pages."""
        return None

    @classmethod
    def restored(
        cls, state: object, *, text: str, pages: Sequence[Page], data: bytes
    ) -> PagesSourceMap:
        """Return the map of a document from its pages.

        Raises:
            ValueError: there is a text, but no page.
        """
        if text and not pages:
            raise ValueError("a text of no page")
        return cls(pages)

    def _location(self, part: PageSpan) -> PageLocation:
        page = self._pages[part.index]
        return PageLocation(
            page.number, page.label, page.label_origin, self._boxes(part), self._confidence(part)
        )

    def _boxes(self, part: PageSpan) -> tuple[Box, ...] | None:
        del part
        return None

    def _confidence(self, part: PageSpan) -> float | None:
        """Return the lowest confidence of the words read by OCR, None where there are none."""
        del part
        return None


class PdfSourceMap(PagesSourceMap):
    """A source map from a PDF's text to pages, labels and rectangles: one per line of the span.

    Args:
        pages: one record per page; their spans rise and do not overlap.
        source: what leads back to PDFium's characters.
    """

    State: ClassVar[object] = PdfState

    opens_source: ClassVar[bool] = True
    """It opens the file, so that an isolated document's must live in the worker."""

    def __init__(self, pages: Sequence[Page], source: PdfSource) -> None:
        super().__init__(pages)
        self._source = source
        self._file: PdfFile | None = None
        self._layouts: dict[int, _Layout] = {}  # the page asked for last comes last

    def user_boxes(self, span: Span) -> dict[int, list[UserBox]]:
        """Return the rectangles of `span` in PDF user space, by page index from 0.

        That is the space of annotations: origin at the bottom left, before rotation and crop.
        """
        return {part.index: self._page_boxes(part)[0] for part in self.page_spans(span)}

    def close(self) -> None:
        """Free the open file; a later `locate` opens it again."""
        with LOCK:
            if self._file is not None:
                self._file.close()
                self._file = None
            self._layouts.clear()

    def state(self) -> PdfState:
        """Return plain data from which `restored` makes the map again."""
        source = self._source
        return PdfState(
            source.password,
            source.offsets,
            source.source_starts,
            {index: tuple(placed) for index, placed in source.placed.items()},
            tuple(source.without_boxes),
        )

    @classmethod
    def restored(
        cls, state: object, *, text: str, pages: Sequence[Page], data: bytes
    ) -> PdfSourceMap:
        """Return the map of a PDF from its state, its pages and the file's bytes.

        Raises:
            ValueError: it is the state of another kind of map.
        """
        if not isinstance(state, PdfState):
            raise ValueError("no state of a PDF's source map")
        places = PdfSource(
            data,
            state.password,
            state.offsets,
            state.source_starts,
            state.placed,
            state.without_boxes,
        )
        return cls(pages, places)

    def __getstate__(self) -> dict[str, object]:
        """Leave out the open file and its layouts: a copy opens the file again."""
        return {**self.__dict__, "_file": None, "_layouts": {}}

    def _boxes(self, part: PageSpan) -> tuple[Box, ...] | None:
        if part.index in self._source.without_boxes:
            return None
        return self._page_boxes(part)[1]

    def _page_boxes(self, part: PageSpan) -> tuple[list[UserBox], tuple[Box, ...]]:
        """Return the rectangles of a part in user space, and as displayed."""
        ranges = self._ranges(part)
        if not ranges:
            return [], ()
        with LOCK:
            layout = self._layout(part.index)
        boxes = _range_boxes(layout.glyphs, ranges, self._placed(part, ranges))
        return boxes, tuple(_rounded(layout.frame.display(box)) for box in boxes)

    def _ranges(self, part: PageSpan) -> list[Span]:
        """Return the source indexes of a part, counted from its page's first."""
        start = self._source.source_starts[part.index]
        return [each.shift(-start) for each in self._source.offsets.to_source(part.span)]

    def _placed(self, part: PageSpan, ranges: Sequence[Span]) -> list[PlacedText]:
        return list(touched(self._source.placed.get(part.index, ()), ranges))

    def _confidence(self, part: PageSpan) -> float | None:
        if part.index not in self._source.placed:
            return None
        read = (each.confidence for each in self._placed(part, self._ranges(part)))
        return min((each for each in read if each is not None), default=None)

    def _layout(self, index: int) -> _Layout:
        """Return where the characters of a page stand, from memory if it was asked for lately."""
        layout = self._layouts.pop(index, None)
        if layout is None:
            if self._file is None:
                self._file = PdfFile(self._source.data, self._source.password)
            with self._file.page(index) as page:
                layout = _Layout(PageGlyphs.of(page), page.frame)
        self._layouts[index] = layout
        if len(self._layouts) > _PAGES_KEPT:
            del self._layouts[next(iter(self._layouts))]
        return layout


def _range_boxes(
    glyphs: PageGlyphs, ranges: Sequence[Span], placed: Sequence[PlacedText]
) -> list[UserBox]:
    """Return the rectangles of the lines of characters, then those of other placed text."""
    characters = (index for each in ranges for index in range(each.start, each.end))
    return [*line_boxes(glyphs, characters), *placed_boxes(placed)]


def _rounded(box: Box) -> Box:
    edges = (box.x0, box.top, box.x1, box.bottom)
    return Box(*(round(edge, _DECIMALS) for edge in edges))
