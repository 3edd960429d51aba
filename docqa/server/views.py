"""Views of documents that the server holds: pictures, lines of pages, pages of text, files."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

from docqa.datamodel import Answer, Document, GridItem, Page
from docqa.errors import SettingError
from docqa.server.wire import line_spans

__all__ = ["jpeg_of_page", "marked_pdf", "page_record", "report_page", "text_of_document"]

_QUALITY = 85


def jpeg_of_page(data: bytes, number: int, *, password: str | None, scale: float) -> bytes:
    """Return the picture of a page as a JPEG.

    Raises:
        HighlightError: PDFium cannot draw it.
    """
    from PIL import Image

    from docqa.highlighting.page_image import draw_page

    png = draw_page(data, number, password=password, scale=scale)
    out = BytesIO()
    with Image.open(BytesIO(png)) as image:
        image.convert("RGB").save(out, "JPEG", quality=_QUALITY)
    return out.getvalue()


def page_record(document: Document, page: Page) -> dict[str, Any]:
    """Return a page's size, and its lines with their rectangles, for the wire."""
    lines = []
    for span in line_spans(document.text, page.span):
        boxes = [
            {"x0": box.x0, "top": box.top, "x1": box.x1, "bottom": box.bottom}
            for place in document.locate(span)
            if getattr(place, "page_number", None) == page.number
            for box in getattr(place, "boxes", None) or ()
        ]
        text = span.of(document.text)
        lines.append({"start": span.start, "end": span.end, "text": text, "boxes": boxes})
    return {
        "number": page.number,
        "label": page.label,
        "width": page.width,
        "height": page.height,
        "start": page.span.start,
        "end": page.span.end,
        "needs_ocr": page.needs_ocr,
        "picture": f"{page.number}.jpg",
        "lines": lines,
    }


def text_of_document(document: Document, data: bytes, name: str) -> bytes:
    """Return a document that is no PDF as a page without script: HTML as it is, others as text."""
    if document.media_type == "text/html":
        from docqa.loaders.decoded_source import decode
        from docqa.showing.safe_html import safe_html

        codec = getattr(document.source_map, "codec", "utf-8")
        page = safe_html(decode(data, codec).text.lstrip("\ufeff"))
        return b"\xef\xbb\xbf" + page.encode("utf-8", "replace")
    from docqa.highlighting.text_view import text_view

    subtitle = f"{len(document.text):,} characters"
    is_numbered = document.media_type == "text/plain"
    return text_view(
        document.text, [], [], title=name, subtitle=subtitle, numbered=is_numbered
    ).page


def report_page(items: Sequence[GridItem], sources: Mapping[str, bytes]) -> bytes:
    """Return the report of outcomes.

    Args:
        items: outcomes, whose sources are names and no paths.
        sources: the bytes of each document, by that name.
    """
    from docqa.showing.answer_report import report

    def make(path: Path) -> None:
        report(items, path, sources=sources, isolate=True)

    return _made("answers.html", make)


def marked_pdf(answers: Sequence[Answer], data: bytes, *, password: str | None) -> bytes:
    """Return a copy of a PDF with answers marked in it.

    Raises:
        SettingError: there is no answer, or the document is no PDF.
        HighlightError: it cannot be marked.
    """
    from docqa.showing.marked_copy import highlight

    if not answers:
        raise SettingError("no answer was found, so there is nothing to mark; lower min_score")
    if len({answer.document.id for answer in answers}) > 1:
        raise SettingError("a marked PDF has the answers of one document; ask one, or a report")
    if answers[0].document.media_type != "application/pdf":
        raise SettingError("only PDFs become marked PDFs; ask for a report")

    def make(path: Path) -> None:
        highlight(answers, path, source=data, password=password, isolate=True)

    return _made("marked.pdf", make)


def _made(name: str, make: Callable[[Path], None]) -> bytes:
    """Return the bytes of a file that a function of docqa writes."""
    with tempfile.TemporaryDirectory(prefix="docqa-") as folder:
        path = Path(folder) / name
        make(path)
        return path.read_bytes()
