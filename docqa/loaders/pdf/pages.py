"""Read a PDF page by page and put the pages together to one text."""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Literal

from docqa._pdfium import PdfPage
from docqa.datamodel import LoadWarning, Page, Span, Table
from docqa.loaders.offset_map import OffsetMap, OffsetMapBuilder
from docqa.loaders.pdf.annotations import annotation_texts
from docqa.loaders.pdf.columns import column_by_column
from docqa.loaders.pdf.crop import outside_indexes
from docqa.loaders.pdf.forms import shown_widgets, with_field_values
from docqa.loaders.pdf.hidden import Layers, hidden_indexes
from docqa.loaders.pdf.joined import joins
from docqa.loaders.pdf.labels import Candidate, candidates, printed_labels
from docqa.loaders.pdf.placed import PlacedText
from docqa.loaders.pdf.tables import page_tables
from docqa.loaders.pdf.text import REPLACEMENT, PageText, characters, page_text
from docqa.ocr_engine import OcrResult

__all__ = ["PAGE_BREAK", "PagesBuilder", "ReadPage", "read_page"]

PAGE_BREAK = "\f"

_GARBLED_SAMPLE = 512  # characters a page: the share of 10 % is then known to 1.3 % (1 sigma)
_SCAN_LETTERS, _SCAN_IMAGE = 40, 0.5  # fewer letters and digits under a larger image: a scan


@dataclass(frozen=True, slots=True)
class ReadPage:
    """The content of one page of a file.

    Attributes:
        content: its text and the map to its own source indexes.
        source_length: how many source indexes it takes.
        width, height: points, as displayed.
        outside: characters left out because they lie outside the page's edges.
        hidden: characters left out because the page does not show them.
        unread: characters are left out because PDFium has no font to read them with.
        unread_annotations: a sentence for each stamp or attached file that is not read.
        truncated_at: number of characters after which the rest is left out; None where none is.
        placed: values of its filled form fields, words of notes and stamps, and words read by OCR.
        has_boxes: whether the text leads to rectangles.
        tables: in spans of its own text.
        reading: what OCR gave, or None where it was not asked.
        is_read: the text has words read by OCR.
        warnings: what else is to be said of the page.
    """

    content: PageText
    source_length: int = 0
    width: float = 0.0
    height: float = 0.0
    placed: tuple[PlacedText, ...] = ()
    has_boxes: bool = True
    tables: tuple[Table, ...] = ()
    needs_ocr: bool = False
    garbled: float = 0.0
    truncated_at: int | None = None
    unread: bool = False
    outside: int = 0
    hidden: int = 0
    unread_annotations: tuple[str, ...] = ()
    reading: OcrResult | None = None
    is_read: bool = False
    warnings: tuple[LoadWarning, ...] = ()

    @classmethod
    def without_boxes(
        cls,
        text: str,
        size: tuple[float, float] = (0.0, 0.0),
        *,
        warnings: tuple[LoadWarning, ...] = (),
    ) -> ReadPage:
        """Return a page of a text that leads nowhere, from another extractor or none."""
        builder = OffsetMapBuilder()
        text = text.replace(PAGE_BREAK, "\n")
        builder.synthetic(len(text))
        return cls(PageText(text, builder.build()), 0, *size, has_boxes=False, warnings=warnings)


def read_page(
    page: PdfPage, most_characters: int | None = None, *, index: int = 0, layers: Layers
) -> ReadPage:
    """Return the text of a loaded page, its filled fields, and how far it can be relied on.

    Args:
        page: the loaded page.
        most_characters: no more are read; None for no limit.
        index: of the page, from 0.
        layers: of the file.
    """
    count = page.character_count
    limit = count if most_characters is None else most_characters
    codes = page.codes(limit)
    outside = outside_indexes(page, codes)
    hidden = hidden_indexes(page, codes, layers, index) - outside
    raw, unseen = characters(codes), outside | hidden
    joined = joins(page, raw)
    drawn = page_text(codes, page.is_hyphen, unseen | joined.left_out, joined.parted - unseen)
    plain = column_by_column(page, drawn, raw)
    texts, unread = annotation_texts(page, layers)
    widgets, outside_values = shown_widgets(page, texts)
    content, fields = with_field_values(page, plain, widgets)
    is_bare = _is_bare(content.text)
    return ReadPage(
        content,
        source_length=count + sum(len(field.source) for field in fields),
        width=page.frame.width,
        height=page.frame.height,
        placed=fields,
        tables=page_tables(page, content),
        needs_ocr=is_bare and page.image_share() > _SCAN_IMAGE,
        garbled=_garbled_share(page, plain.text),
        outside=len(outside) + outside_values,
        hidden=sum(chr(codes[number]) > " " for number in hidden if codes[number] <= 0x10FFFF),
        truncated_at=limit if count > limit else None,
        unread_annotations=unread,
        unread=is_bare and page.unread_text_count() > count,
    )


def _is_bare(text: str) -> bool:
    letters = (1 for character in text if character.isalnum())
    return sum(islice(letters, _SCAN_LETTERS)) < _SCAN_LETTERS


def _garbled_share(page: PdfPage, text: str) -> float:
    if not text:
        return 0.0
    replaced = text.count(REPLACEMENT) / len(text)
    return round(max(replaced, page.map_error_share(_GARBLED_SAMPLE)), 3)


@dataclass(slots=True)
class PagesBuilder:
    """A builder that joins pages in order, and keeps no more of each than its text and map."""

    texts: list[str] = field(default_factory=list)
    warnings: list[LoadWarning] = field(default_factory=list)
    placed: dict[int, tuple[PlacedText, ...]] = field(default_factory=dict)
    without_boxes: set[int] = field(default_factory=set)
    source_starts: array[int] = field(default_factory=lambda: array("Q"))
    tables: list[Table] = field(default_factory=list)
    _offsets: OffsetMapBuilder = field(default_factory=OffsetMapBuilder)
    _pages: list[Page] = field(default_factory=list)
    _votes: list[frozenset[Candidate]] = field(default_factory=list)
    _source_length: int = 0

    def add(self, page: ReadPage, label: str | None) -> None:
        """Add the next page, with the label that the file declares for it or None."""
        index, start = len(self._pages), self._offsets.text_length
        if index:
            self._offsets.synthetic(len(PAGE_BREAK))
            start += len(PAGE_BREAK)
        text = page.content.text
        self._offsets.extend(page.content.offsets, self._source_length)
        self.texts.append(text)
        self.source_starts.append(self._source_length)
        self._source_length += page.source_length
        self._votes.append(frozenset() if label else candidates(text))
        self._pages.append(_page(page, Span(start, start + len(text)), index + 1, label))
        self.tables += [table.shift(start) for table in page.tables]
        if page.placed:
            self.placed[index] = page.placed
        if not page.has_boxes:
            self.without_boxes.add(index)
        self.warnings += (*page.warnings, *_warnings(page, index + 1))

    @property
    def text_length(self) -> int:
        """Return the length of the text so far."""
        return self._offsets.text_length

    def text(self) -> str:
        """Return the text of all pages."""
        return PAGE_BREAK.join(self.texts)

    def offsets(self) -> OffsetMap:
        """Return the map from that text to the pages' source indexes, one after another."""
        return self._offsets.build()

    def pages(self) -> tuple[Page, ...]:
        """Return the pages, with printed numbers where the file declares no labels."""
        labels = printed_labels(self._votes)
        return tuple(_with_label(*each) for each in zip(self._pages, labels, strict=True))


def _page(page: ReadPage, span: Span, number: int, label: str | None) -> Page:
    return Page(
        number=number,
        label=label,
        label_origin="file" if label else None,
        span=span,
        width=page.width,
        height=page.height,
        needs_ocr=page.needs_ocr,
        garbled=page.garbled,
        ocr=page.is_read,
    )


def _with_label(page: Page, printed: str | None) -> Page:
    if page.label or not printed:
        return page
    origin: Literal["printed"] = "printed"
    return replace(page, label=printed, label_origin=origin)


def _warnings(page: ReadPage, number: int) -> Iterable[LoadWarning]:
    yield from _ocr_warnings(page, number)
    for sentence in page.unread_annotations:
        yield LoadWarning("annotation-unread", f"page {number}: {sentence}", number)
    if page.garbled > Page.GARBLED_SHARE and not page.is_read:
        advice = "OCR did no better" if page.reading else "--ocr (ocr=True) may help"
        yield LoadWarning(
            "garbled-text",
            f"page {number}: {page.garbled:.0%} of the characters have no known meaning; "
            f"answers from it may be wrong, {advice}",
            number,
        )
    if page.outside:
        yield LoadWarning(
            "outside-page",
            f"page {number}: {page.outside:,} characters outside the page's edges are left out",
            number,
        )
    if page.hidden:
        yield LoadWarning(
            "hidden-text",
            f"page {number}: {page.hidden:,} characters that the page does not show (in a layer "
            "that is off, invisible or white) are left out",
            number,
        )
    if page.unread:
        yield LoadWarning(
            "text-unread",
            f"page {number}: most of the text is in a font that the file does not bring; install "
            "the font or run OCR on the file",
            number,
        )
    if page.truncated_at is not None:
        yield LoadWarning(
            "page-truncated",
            f"page {number} has over {page.truncated_at:,} characters; the rest is left out",
            number,
        )


def _ocr_warnings(page: ReadPage, number: int) -> Iterable[LoadWarning]:
    reading = page.reading
    if reading is None:
        if page.needs_ocr:
            yield LoadWarning(
                "needs-ocr",
                f"page {number} shows an image and (nearly) no text; --ocr (ocr=True) reads it",
                number,
            )
    elif reading.failure is not None:
        yield LoadWarning(
            "ocr-failed",
            f"page {number} could not be read by OCR: {reading.failure}",
            number,
        )
    elif page.needs_ocr and not page.is_read:
        yield LoadWarning(
            "ocr-found-nothing", f"page {number} is an image in which OCR found no words", number
        )
    elif page.is_read and reading.is_doubtful:
        yield LoadWarning(
            "ocr-low-confidence",
            f"page {number} was read by OCR with a confidence of {reading.confidence:.2f}: many "
            "words will be wrong; a sharper scan or the right --ocr-language may help",
            number,
        )
