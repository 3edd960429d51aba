"""The picture of a page with a thin line around every line of its text."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from docqa._pdf_passwords import open_pdf
from docqa._pdfium import PdfiumError
from docqa.datamodel import Box, Document, Page
from docqa.errors import HighlightError, SettingError
from docqa.highlighting.page_image import Mark, draw_page
from docqa.limits import Limits
from docqa.places import boxed_places
from docqa.showing.original import work_on

__all__ = ["PageView", "chosen_page", "field_boxes", "view_page"]

# Strong enough for thin lines, and distinct in every kind of colour vision: Okabe and Ito, "Color
# Universal Design" (2008), https://jfly.uni-koeln.de/color/
TEXT_LINE = "#0072b2"  # blue
FIELD_LINE = "#d55e00"  # vermilion
OCR_LINE = "#cc79a7"  # pink


@dataclass(frozen=True, slots=True)
class PageView:
    """A drawn page.

    Attributes:
        png: the picture.
        lines: rectangles of the text drawn on it, blue, or pink where OCR read them.
        fields: rectangles of filled form fields drawn on it, vermilion.
    """

    png: bytes
    lines: int = 0
    fields: int = 0


def chosen_page(document: Document, page_number: int) -> Page:
    """Return a page of a PDF.

    Raises:
        SettingError: the document is no PDF, or has no such page.
    """
    if document.media_type != "application/pdf":
        raise SettingError(
            f"{document.source} is no PDF, and only pages of PDFs are drawn; docqa ask ... "
            "--highlight OUT.html shows the text of other documents with answers marked"
        )
    last = len(document.pages)
    if not 1 <= page_number <= last:
        pages = f"pages are 1 to {last}" if last > 1 else "its only page is 1"
        raise SettingError(f"{document.source} has no page {page_number}: {pages}")
    return document.pages[page_number - 1]


def view_page(
    document: Document,
    data: bytes,
    page_number: int,
    *,
    boxes: bool = False,
    password: str | None = None,
    isolate: bool = False,
    limits: Limits | None = None,
) -> PageView:
    """Return the picture of a page.

    Args:
        document: of the PDF.
        data: its bytes.
        page_number: from 1.
        boxes: draw the rectangles of the text, one per line, and of filled form fields.
        password: opens an encrypted file.
        isolate: open it in a worker process; see `docqa.load_settings.LoadSettings`.
        limits: of opening it.

    Raises:
        IsolationError: the file ended the worker process.
        HighlightError: PDFium cannot draw the page.
        SettingError: the document is no PDF, or has no such page.
    """
    page = chosen_page(document, page_number)
    work = partial(work_on, document.source, isolate=isolate, limits=limits)
    fields = work(field_boxes, data, page_number, password=password) if boxes else []
    marks = _marks(document, page, fields) if boxes else []
    png = work(draw_page, data, page_number, password=password, marks=marks)
    n_fields = sum(mark.outline == FIELD_LINE for mark in marks)
    return PageView(png, len(marks) - n_fields, n_fields)


def _marks(document: Document, page: Page, fields: list[Box]) -> list[Mark]:
    """Return an outline for each rectangle of a page's text."""
    places = document.locate(page.span) if page.span else ()
    marks = []
    for place in boxed_places(places):
        text_line = TEXT_LINE if place.ocr_confidence is None else OCR_LINE
        for box in place.boxes or ():
            line = FIELD_LINE if any(box.is_near(field) for field in fields) else text_line
            marks.append(Mark(box, outline=line, is_filled=False))
    return marks


def field_boxes(data: bytes, page_number: int, *, password: str | None = None) -> list[Box]:
    """Return the rectangles of a page's filled form fields.

    Raises:
        HighlightError: PDFium cannot open the page.
    """
    try:
        file, _ = open_pdf(data, password)
        with file, file.page(page_number - 1) as page:
            return [page.frame.display(widget.box) for widget in page.widgets()]
    except PdfiumError as error:
        raise HighlightError(f"no page image: PDFium: {error}") from error
