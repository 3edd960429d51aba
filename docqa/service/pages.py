"""Pages and texts of documents as a browser shows them: lines with boxes, pictures, views."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from docqa.datamodel import Box, Document, Page, Span
from docqa.errors import SettingError, UnknownItemError
from docqa.places import boxed_places

if TYPE_CHECKING:
    from docqa.load_settings import LoadSettings

__all__ = ["ShownPage", "TextLine", "page_text", "picture", "view"]

_LARGEST_SCALE = 4.0  # pixels a point


@dataclass(frozen=True, slots=True)
class TextLine:
    """A line of a page's text with its rectangles.

    Attributes:
        text: its words.
        span: characters of the document's text.
        boxes: points from the displayed page's top left corner; none where none are known.
    """

    text: str
    span: Span
    boxes: tuple[Box, ...]


@dataclass(frozen=True, slots=True)
class ShownPage:
    """A page's size, numbers and text.

    Attributes:
        number: from 1.
        label: printed number, or None.
        width, height: points, as displayed.
        span: characters of the document's text.
        lines: in reading order.
        needs_ocr: it shows text as a picture only.
    """

    number: int
    label: str | None
    width: float
    height: float
    span: Span
    lines: tuple[TextLine, ...]
    needs_ocr: bool

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            "number": self.number,
            "label": self.label,
            "width": self.width,
            "height": self.height,
            "start": self.span.start,
            "end": self.span.end,
            "needs_ocr": self.needs_ocr,
            "lines": [
                {
                    "text": line.text,
                    "start": line.span.start,
                    "end": line.span.end,
                    "boxes": [asdict(box) for box in line.boxes],
                }
                for line in self.lines
            ],
        }


def page_text(document: Document, number: int) -> ShownPage:
    """Return the text of a page, line by line.

    Raises:
        UnknownItemError: the document has no such page.
    """
    page = _page(document, number)
    lines, start = [], page.span.start
    for line in page.span.of(document.text).split("\n"):
        words = line.strip()
        if words:
            first = start + line.index(words[0])
            span = Span(first, first + len(words))
            lines.append(TextLine(words, span, _boxes(document, span, number)))
        start += len(line) + 1
    return ShownPage(
        number, page.label, page.width, page.height, page.span, tuple(lines), page.needs_ocr
    )


def picture(
    document: Document,
    data: bytes,
    number: int,
    *,
    scale: float,
    settings: LoadSettings,
    marks: Sequence[Box] = (),
    crop: Box | None = None,
) -> bytes:
    """Return a JPEG of a page of a PDF.

    Args:
        document: of the PDF.
        data: its bytes.
        number: of the page, from 1.
        scale: pixels a point.
        settings: with which it was loaded.
        marks: rectangles that are marked.
        crop: the part of the page to draw; None for all of it.

    Raises:
        UnknownItemError: the document has no such page.
        SettingError: it is no PDF, or the scale is out of its range.
        HighlightError: PDFium cannot draw the page.
        IsolationError: the page ends the process that draws it.
    """
    from docqa.highlighting.page_image import Mark, draw_page
    from docqa.showing.original import work_on

    _page(document, number)
    if document.media_type != "application/pdf":
        raise SettingError(f"{document.source} is no PDF, and only pages of PDFs are drawn")
    if not 0 < scale <= _LARGEST_SCALE:
        raise SettingError(f"scale must be above 0 and at most {_LARGEST_SCALE:g}, not {scale:g}")
    drawn: bytes = work_on(
        document.source,
        draw_page,
        data,
        number,
        isolate=True,
        limits=settings.limits,
        password=settings.password,
        scale=scale,
        marks=[Mark(box) for box in marks],
        crop=crop,
        kind="JPEG",
    )
    return drawn


def view(document: Document, data: bytes, settings: LoadSettings) -> bytes:
    """Return a document as a page of HTML without scripts and without anything to fetch.

    Args:
        document: of any format; pages of the web look as they are, the others show their text.
        data: its bytes.
        settings: with which it was loaded.

    Raises:
        IsolationError: the page ends the process that looks at it.
    """
    if document.media_type in ("text/html", "application/xhtml+xml"):
        from docqa.showing.original import work_on

        page: bytes = work_on(
            document.source,
            safe_copy,
            data,
            isolate=True,
            limits=settings.limits,
            encoding=settings.encoding,
        )
        return page
    from docqa.highlighting.text_view import text_view

    numbered = document.media_type == "text/plain"
    shown = text_view(
        document.text,
        (),
        (),
        title=document.title or document.source,
        subtitle=document.source,
        numbered=numbered,
    )
    return shown.page


def safe_copy(data: bytes, *, encoding: str | None) -> bytes:
    """Return a page of the web without scripts; see `docqa.showing.safe_html`."""
    from docqa.loaders.html.loader import HtmlLoader
    from docqa.loaders.html.source_map import HtmlSourceMap
    from docqa.showing.safe_html import safe_page

    loaded = HtmlLoader(encoding).load(data, source="page")
    assert isinstance(loaded.source_map, HtmlSourceMap)
    return safe_page(data, loaded.source_map.codec)


def _page(document: Document, number: int) -> Page:
    if not 1 <= number <= len(document.pages):
        pages = f"1 to {len(document.pages)}" if document.pages else "none"
        raise UnknownItemError(f"{document.source} has no page {number}; its pages are {pages}")
    return document.pages[number - 1]


def _boxes(document: Document, span: Span, number: int) -> tuple[Box, ...]:
    return tuple(
        box
        for place in boxed_places(document.locate(span))
        if place.page_number == number
        for box in place.boxes or ()
    )
