"""A loaded document, and the facts about it that travel with every answer."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from docqa.datamodel.blocks import Block, Page, Table
from docqa.datamodel.places import Location, SourceMap
from docqa.datamodel.spans import Span

if TYPE_CHECKING:
    from docqa.load_settings import LoadSettings

__all__ = ["Content", "Document", "DocumentInfo", "LoadWarning", "SourceState", "is_nameless"]


_MOST_BLOCKS = 2_000  # looked back at for a heading; a table may have as many rows

SourceState = Literal["same", "moved", "changed", "missing", "unreadable"]


Content = Literal["all", "main"]
"""Which blocks are read: all, or those not flagged as navigation, footers and the like."""


@dataclass(frozen=True, slots=True)
class LoadWarning:
    """A fact about a document that its reader should know, such as a page without text.

    Attributes:
        kind: a short fixed word, such as ``"needs-ocr"`` or ``"garbled-text"``.
        message: one sentence: what, where, what to do.
        page_number: the page from 1, where the warning is about one.
    """

    kind: str
    message: str
    page_number: int | None = None


@dataclass(frozen=True, slots=True)
class DocumentInfo:
    """The few facts about a document that travel with every answer.

    Attributes:
        id, source, title, media_type, extractor: those of the `Document`.
        source_state: of a collection's answers, what became of the source since it was indexed:
            ``"same"``, ``"moved"`` (`source` says where to), ``"changed"``, ``"missing"``, or
            ``"unreadable"``; None where it was not checked. In the last three cases the words
            are as indexed, and locations have no rectangles, or there are none.
    """

    id: str
    source: str
    title: str | None
    media_type: str
    extractor: str = ""
    source_state: SourceState | None = None


def is_nameless(source: str) -> bool:
    """Say whether a source was standard input, bytes, or a file object without a name.

    >>> [is_nameless(source) for source in ("-", "<bytes>", "<stdin>", "", "<a>.txt")]
    [True, True, True, True, False]
    """
    return source in {"", "-"} or (source.startswith("<") and source.endswith(">"))


@dataclass(frozen=True, slots=True)
class Document:
    """A loaded document: its final text and the way back to the original.

    Attributes:
        id: SHA-256 of the content's bytes, in hexadecimal.
        text: the text that is read and answered from; never changed after loading.
        source: the path or name that the caller gave; ``"-"`` for standard input.
        media_type: such as ``"application/pdf"``.
        title: the document's own title or None.
        source_map: maps spans of `text` to places in the original.
        blocks: sorted, non-overlapping blocks where the format knows them; empty otherwise (then
            line ends may be soft). Text outside all blocks is white space.
        pages: one record per page of a paged format, else empty.
        tables: the tables whose cells have headers, in order of the text.
        warnings: facts that its reader should know; every skipped page has one.
        metadata: author, dates and the like, as the file says them.
        extractor: name and version of the library that gave the text.
        settings: how it was loaded, without the password and an engine's object; None where no
            loader says.
    """

    id: str
    text: str
    source: str
    media_type: str
    title: str | None
    source_map: SourceMap
    blocks: tuple[Block, ...] = ()
    pages: tuple[Page, ...] = ()
    tables: tuple[Table, ...] = ()
    warnings: tuple[LoadWarning, ...] = ()
    metadata: Mapping[str, str] = field(default_factory=dict)
    extractor: str = ""
    settings: LoadSettings | None = None

    @property
    def info(self) -> DocumentInfo:
        """Return the small, picklable description that answers carry."""
        return DocumentInfo(self.id, self.source, self.title, self.media_type, self.extractor)

    def locate(self, span: Span) -> tuple[Location, ...]:
        """Return where `span` of the text stands in the original, in reading order.

        Raises:
            ValueError: the span is empty or does not lie inside the text.
        """
        if not span or span.end > len(self.text):
            raise ValueError(f"{span} is empty or outside a text of {len(self.text)} characters")
        return self.source_map.locate(span)

    def heading_above(self, span: Span) -> str | None:
        """Return the nearest heading above a span, or that in which it stands; None without one."""
        last = bisect_left(self.blocks, span.end, key=lambda block: block.span.start)
        for at in range(last - 1, max(-1, last - _MOST_BLOCKS), -1):
            if self.blocks[at].kind == "heading":
                words = self.blocks[at].span.of(self.text).strip("# \n")  # Markdown's marks
                return " ".join(words.split()) or None
        return None

    def close(self) -> None:
        """Close the files of the source map; the text stays usable."""
        self.source_map.close()

    def __enter__(self) -> Document:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()
