"""Places in an original: on a page, in an HTML source, in a part of a file, in a plain text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

from docqa.datamodel.spans import Box, Span

__all__ = [
    "DomPoint",
    "DomRange",
    "Location",
    "PageLocation",
    "PartLocation",
    "SourceLocation",
    "SourceMap",
    "TextLocation",
]


@dataclass(frozen=True, slots=True)
class PageLocation:
    """A place on a page.

    Attributes:
        page_number: the page's index from 1.
        page_label: the printed number, such as ``"iv"``, or None where none is known.
        label_origin: ``"file"`` when the file declares the label, ``"printed"`` when it was found
            by voting over the numbers at the pages' edges.
        boxes: one rectangle per line of the span, or None where the extractor gives no
            rectangles (the fallback for files that PDFium cannot open).
        ocr_confidence: in 0 to 1, the lowest of the words that optical character recognition read
            here; None where the words are the file's own.
    """

    page_number: int
    page_label: str | None
    label_origin: Literal["file", "printed"] | None
    boxes: tuple[Box, ...] | None
    ocr_confidence: float | None = None


@dataclass(frozen=True, slots=True)
class DomPoint:
    """A place between two characters of a text node.

    Attributes:
        xpath: path of the text node.
        offset: UTF-16 code units from its start, as the DOM counts.
        characters: the same distance in code points, as W3C selectors count.
    """

    xpath: str
    offset: int
    characters: int


@dataclass(frozen=True, slots=True)
class DomRange:
    """A range of a page as a browser sees it, from `start` to `end`."""

    start: DomPoint
    end: DomPoint


@dataclass(frozen=True, slots=True)
class SourceLocation:
    """A place in an HTML source.

    Attributes:
        span: characters of the decoded source.
        byte_span: the same place in bytes of the file, or None where the encoding has no
            position-by-position mapping.
        xpath: path of the element that holds the start of the span.
        css_path: the same element as a CSS selector.
        text_fragment: a ``#:~:text=`` fragment that resolves to this place alone, or None.
        dom_range: the place as a browser's DOM has it, from the first to the last character; None
            where one of them is in no text node, as in an attribute.
        part: name of the file inside a container that holds the source (EPUB), or number of the
            part of a message; None where the source is the file.
    """

    span: Span
    byte_span: Span | None
    xpath: str
    css_path: str
    text_fragment: str | None
    dom_range: DomRange | None = None
    part: str | None = None


@dataclass(frozen=True, slots=True)
class PartLocation:
    """A place in a document made of XML parts (Office Open XML): DOCX, PPTX.

    Attributes:
        part: name of the part inside the file, such as ``"word/document.xml"``.
        xpath: path of the paragraph's element in the part, in the standard's usual prefixes.
        paragraph: number of that paragraph in the part, from 1, in document order.
        span: characters of the paragraph's text: that of ``w:t`` and ``a:t`` with white space as
            spaces, and a character each for tabs, breaks, symbols, non-breaking hyphens and boxes
            to tick. The chosen entry of a drop-down field counts where the field begins.
        slide_number: number of the slide, from 1, or None outside presentations.
    """

    part: str
    xpath: str
    paragraph: int
    span: Span
    slide_number: int | None = None


@dataclass(frozen=True, slots=True)
class TextLocation:
    r"""A place in a plain text: line and column of its first character, both from 1.

    Attributes:
        line: line number of the first character; ``\r\n``, ``\n`` and ``\r`` end lines.
        column: column of the first character, in characters.
        end_line: line number of the last character.
        span: characters of the decoded source.
        byte_span: the same place in bytes of the file.
        part: number of the part of a message in which all this counts; None for the file.
    """

    line: int
    column: int
    end_line: int
    span: Span
    byte_span: Span | None
    part: str | None = None


Location = PageLocation | SourceLocation | TextLocation | PartLocation


@runtime_checkable
class SourceMap(Protocol):
    """Map from spans of a document's text to places in the original."""

    def locate(self, span: Span) -> tuple[Location, ...]:
        """Return the places of a non-empty span, in reading order; never empty.

        The places together give the span's text back, up to white space.
        """
        ...

    def close(self) -> None:
        """Free open files; a later `locate` may open them again."""
        ...
