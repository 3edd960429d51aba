"""Load PowerPoint presentations: slide by slide, a paragraph of a slide for each place."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from docqa.datamodel import Document, LoadWarning, Page, Span
from docqa.loaders.office.document import office_document, require_text, unread_warnings
from docqa.loaders.office.layout import LaidOut, PartParagraph, lay_out
from docqa.loaders.office.package import OfficePackage
from docqa.loaders.office.pptx_reader import SlideReader
from docqa.loaders.zipped.xml_reading import StartTags

__all__ = ["MEDIA_TYPE", "PptxLoader"]

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.presentationml.presentation"

_SIZE = re.compile(r"[0-9]{1,10}")
_EMU_PER_POINT = 12_700  # English Metric Units, ISO/IEC 29500-1, 20.1.10.16
_DEFAULT_SIZE = (9_144_000, 6_858_000)  # of a 4:3 slide in EMU: what p:sldSz stands for if missing


@dataclass(slots=True)
class _Slide:
    """A slide that was read, and its notes and diagrams."""

    number: int
    reader: SlideReader
    others: list[SlideReader]

    @property
    def paragraphs(self) -> list[PartParagraph]:
        readers = [self.reader, *self.others]
        return [paragraph for reader in readers for paragraph in reader.in_reading_order()]

    @property
    def needs_ocr(self) -> bool:
        has_text = any(paragraph.text.strip() for paragraph in self.reader.paragraphs)
        return self.reader.has_picture and not has_text


class PptxLoader:
    """A loader of PowerPoint presentations (.pptx, .pptm, .ppsx, .potx), transitional and strict.

    A slide's title comes first, then its shapes in the order of the file, which screen readers
    follow; then the text of its diagrams, then its notes. Hidden slides are read, with a warning;
    hidden shapes are not, nor is what layouts and masters add, nor comments.
    """

    def load(self, data: bytes, *, source: str) -> Document:
        """Load `data`; `source` is its path or name, for messages and answers.

        Raises:
            MalformedError: it is no presentation, or is damaged.
            EncryptedError: its parts are encrypted.
            TooLargeError: it unpacks to more than is read.
            NoTextError: it holds no text.
        """
        package = OfficePackage(data, source=source)
        outline = _Outline()
        package.read(package.main_part, outline)
        warnings: list[LoadWarning] = []
        slides = list(_slides(package, outline.slides, warnings))
        laid_out = lay_out(paragraph for slide in slides for paragraph in slide.paragraphs)
        readers = [reader for slide in slides for reader in (slide.reader, *slide.others)]
        unread = unread_warnings(package, readers)
        require_text(laid_out, unread, source=source, sheets="slides")
        return office_document(
            data,
            package,
            laid_out,
            source=source,
            media_type=MEDIA_TYPE,
            extractor="docqa pptx",
            readers=readers,
            unread=unread,
            warnings=warnings,
            pages=tuple(_pages(slides, laid_out, outline.size)),
        )


class _Outline(StartTags):
    """A reader of the presentation part: relationships of its slides in order, and size."""

    def __init__(self) -> None:
        self.slides: list[str] = []
        self.size = _DEFAULT_SIZE

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        if name == "p:sldId":
            self.slides.append(attributes.get("r:id", ""))
        elif name == "p:sldSz":
            sizes = attributes.get("cx", ""), attributes.get("cy", "")
            if all(_SIZE.fullmatch(size) for size in sizes):
                self.size = int(sizes[0]), int(sizes[1])


def _slides(
    package: OfficePackage, ids: Sequence[str], warnings: list[LoadWarning]
) -> Iterator[_Slide]:
    targets = {one.id: one.target for one in package.relationships(package.main_part)}
    for number, slide_id in enumerate(dict.fromkeys(ids), start=1):
        part = targets.get(slide_id, "")
        if part not in package.archive:
            warnings.append(
                LoadWarning("missing-part", f"slide {number} is missing from the file", number)
            )
            continue
        reader = SlideReader(part, number)
        package.read(part, reader)
        if reader.hidden:
            warnings.append(
                LoadWarning(
                    "hidden-slide",
                    f"slide {number} is hidden in the presentation; its text was read",
                    number,
                )
            )
        slide = _Slide(number, reader, list(_others(package, part, number)))
        if slide.needs_ocr:
            warnings.append(
                LoadWarning(
                    "picture-slide",
                    f"slide {number} shows a picture and no text; save the presentation as PDF and "
                    "read that with --ocr (ocr=True)",
                    number,
                )
            )
        yield slide


def _others(package: OfficePackage, part: str, number: int) -> Iterator[SlideReader]:
    """Yield the readers of a slide's diagrams and notes."""
    for kind, only in (("diagramData", ""), ("notesSlide", "body")):
        for other in package.related(part, kind):
            if other in package.archive:
                reader = SlideReader(other, number, only=only)
                package.read(other, reader)
                yield reader


def _pages(slides: Sequence[_Slide], laid_out: LaidOut, size: tuple[int, int]) -> Iterator[Page]:
    """Yield a record for each slide; one without text stands at the end of the one before."""
    spans = laid_out.source_map.slide_spans()
    end = 0
    for slide in slides:
        span = spans.get(slide.number, Span(end, end))
        end = span.end
        yield Page(
            number=slide.number,
            label=None,
            label_origin=None,
            span=span,
            width=size[0] / _EMU_PER_POINT,
            height=size[1] / _EMU_PER_POINT,
            needs_ocr=slide.needs_ocr,
        )
