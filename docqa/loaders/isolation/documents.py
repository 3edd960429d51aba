"""Documents as plain data, from a worker to its parent.

The parent knows the file's bytes and its name, so that neither crosses; the document's id is
counted here. Spans are checked against the text, and the source map is restored by a class that
the table of formats names.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from importlib import import_module
from typing import Any, ClassVar, Protocol

import msgspec

from docqa.datamodel import Block, Document, LoadWarning, Page, Span, Table
from docqa.datamodel.places import SourceMap
from docqa.loaders.formats import FORMATS
from docqa.loaders.isolation.messages import MessageError, decode, encode

__all__ = ["LoadedDocument", "PlainSourceMap", "document_of", "plain_document", "source_map_of"]


class PlainSourceMap(SourceMap, Protocol):
    """A source map that can cross as plain data.

    Attributes:
        State: type of its state: a dataclass of plain values, arrays of whole numbers and the
            like; see `docqa.loaders.isolation.messages`.
    """

    State: ClassVar[Any]

    def state(self) -> Any:
        """Return the data from which `restored` makes the map again."""
        ...

    @classmethod
    def restored(cls, state: Any, *, text: str, pages: Sequence[Page], data: bytes) -> SourceMap:
        """Return the map from its state, the document's text and pages, and the file's bytes.

        Raises:
            ValueError: a part of the state is out of order or out of bounds.
        """
        ...


class LoadedDocument(msgspec.Struct, frozen=True):
    """A document as plain data.

    Attributes:
        text, media_type, title, blocks, pages, tables, warnings, metadata, extractor: those of
            the `Document`.
        source_map: name of the class of its source map.
        state: the state of that map, encoded.
        opens_source: whether the map opens the file, and so must live in the worker.
    """

    text: str
    media_type: str
    title: str | None
    blocks: tuple[Block, ...]
    pages: tuple[Page, ...]
    tables: tuple[Table, ...]
    warnings: tuple[LoadWarning, ...]
    metadata: dict[str, str]
    extractor: str
    source_map: str
    state: bytes
    opens_source: bool


def plain_document(document: Document) -> LoadedDocument:
    """Return a document as plain data."""
    source_map: Any = document.source_map
    return LoadedDocument(
        document.text,
        document.media_type,
        document.title,
        document.blocks,
        document.pages,
        document.tables,
        document.warnings,
        dict(document.metadata),
        document.extractor,
        type(source_map).__name__,
        encode(source_map.state()),
        getattr(source_map, "opens_source", False),
    )


def document_of(
    loaded: LoadedDocument, source_map: SourceMap, *, data: bytes, name: str
) -> Document:
    """Return the document that plain data stand for.

    Args:
        loaded: from a worker.
        source_map: of the document.
        data: the file's bytes.
        name: path or name of the source.

    Raises:
        MessageError: a span is out of order or out of bounds.
    """
    for spans in (
        (block.span for block in loaded.blocks),
        (page.span for page in loaded.pages),
        (row.cells[0].span for table in loaded.tables for row in table.rows if row.cells),
    ):
        _require_rising(spans, len(loaded.text))
    if loaded.opens_source and loaded.text and not loaded.pages:
        raise MessageError("a text of no page")
    if any(span.end > len(loaded.text) for span in _table_spans(loaded.tables)):
        raise MessageError("a table reaches beyond the text")
    return Document(
        id=hashlib.sha256(data).hexdigest(),
        text=loaded.text,
        source=name,
        media_type=loaded.media_type,
        title=loaded.title,
        source_map=source_map,
        blocks=loaded.blocks,
        pages=loaded.pages,
        tables=loaded.tables,
        warnings=loaded.warnings,
        metadata=loaded.metadata,
        extractor=loaded.extractor,
    )


def source_map_of(
    name: str, state: bytes, *, text: str, pages: Sequence[Page], data: bytes
) -> SourceMap:
    """Return a source map from its encoded state.

    Args:
        name: its class.
        state: as `plain_document` gives it.
        text: of the document; not needed for maps that open the source.
        pages: of the document.
        data: the file's bytes.

    Raises:
        MessageError: there is no such class, or the state is none of it.
    """
    kind = _source_map_class(name)
    decoded = decode(state, kind.State)
    try:
        return kind.restored(decoded, text=text, pages=pages, data=data)
    except (ValueError, LookupError, TypeError, OverflowError) as error:
        raise MessageError(f"no state of a {name}: {error}") from error


@cache
def _source_map_class(name: str) -> type[PlainSourceMap]:
    """Return a class that the table of formats names."""
    for row in FORMATS:
        for path in row.source_maps:
            module, _, found = path.partition(":")
            if found == name:
                kind: type[PlainSourceMap] = getattr(import_module(module), name)
                return kind
    raise MessageError(f"no format has source maps of the class {name}")


def _require_rising(spans: Iterable[Span], length: int) -> None:
    end = 0
    for span in spans:
        if span.start < end:
            raise MessageError("spans of a document overlap")
        end = span.end
    if end > length:
        raise MessageError("a span reaches beyond the text")


def _table_spans(tables: Iterable[Table]) -> Iterator[Span]:
    for table in tables:
        for row in table.rows:
            if row.label is not None:
                yield row.label
            for cell in row.cells:
                yield cell.span
                yield from cell.headers
