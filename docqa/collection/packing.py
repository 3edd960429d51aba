"""Passages and documents as bytes, which an engine keeps without looking into them.

Plain JSON, texts and arrays of numbers, no pickles: reading a collection runs nothing that it
holds. Numbers are little-endian. All stand behind a seal (`docqa.index.seals`), so that damaged
words are not taken for the source's.
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from docqa.datamodel import (
    Block,
    Document,
    Insertion,
    LoadWarning,
    Page,
    Passage,
    Span,
    Table,
    TableCell,
    TableRow,
)
from docqa.errors import CollectionError
from docqa.index.seals import sealed, unsealed

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from docqa.datamodel.places import SourceMap
    from docqa.load_settings import LoadSettings
    from docqa.protocols import Tokens

__all__ = [
    "NOWHERE",
    "PackedDocument",
    "PackedPassage",
    "pack_document",
    "pack_passage",
    "table_of",
    "unpack_document",
    "unpack_passage",
]

_LENGTHS = struct.Struct("<III")
_UNICODE = "surrogatepass"  # a text may hold half of a surrogate pair


@dataclass(frozen=True, slots=True)
class PackedPassage:
    """A passage with its tokens and table rows.

    Attributes:
        passage: its words and span.
        tokens: of its reading form, as a reader sees it; None where they are not kept.
        rows: the rows of the document's tables that touch the passage.
    """

    passage: Passage
    tokens: Tokens | None
    rows: tuple[TableRow, ...] = ()


def pack_passage(packed: PackedPassage) -> bytes:
    """Return a passage as bytes."""
    passage, tokens = packed.passage, packed.tokens
    header: list[Any] = [passage.number, passage.span.start, passage.span.end]
    header += [int(passage.boilerplate), list(passage.borders)]
    header.append([[each.position, each.text] for each in passage.insertions])
    header.append([_row_values(row) for row in packed.rows])
    facts = json.dumps(header, separators=(",", ":")).encode("ascii")
    text = passage.text.encode("utf-8", _UNICODE)
    numbers = b"" if tokens is None else _pack_tokens(tokens)
    return sealed(_LENGTHS.pack(len(facts), len(text), len(numbers)) + facts + text + numbers)


def unpack_passage(body: bytes, document_id: str) -> PackedPassage:
    """Return a stored passage.

    Args:
        body: of `pack_passage`.
        document_id: of the passage.

    Raises:
        CollectionError: the bytes are damaged.
    """
    try:
        facts, text, numbers = _parts(unsealed(body))
        number, start, end, boilerplate, borders, insertions, rows = json.loads(facts)
        passage = Passage(
            document_id=document_id,
            number=number,
            span=Span(start, end),
            text=text.decode("utf-8", _UNICODE),
            boilerplate=bool(boilerplate),
            borders=tuple(borders),
            insertions=tuple(Insertion(*each) for each in insertions),
        )
        tokens = _unpack_tokens(numbers) if numbers else None
        return PackedPassage(passage, tokens, tuple(_row(each) for each in rows))
    except (ValueError, TypeError, struct.error) as error:
        raise CollectionError(f"a stored passage is damaged ({error})") from error


def _parts(body: bytes) -> tuple[bytes, bytes, bytes]:
    lengths = _LENGTHS.unpack_from(body)
    if len(body) != _LENGTHS.size + sum(lengths):
        raise ValueError(f"{len(body)} bytes where {_LENGTHS.size + sum(lengths)} belong")
    first, second = _LENGTHS.size + lengths[0], _LENGTHS.size + lengths[0] + lengths[1]
    return body[_LENGTHS.size : first], body[first:second], body[second:]


def _pack_tokens(tokens: Tokens) -> bytes:
    """Return ids, distances of the starts, and lengths: small numbers, so two bytes mostly."""
    import numpy as np

    starts = np.diff(tokens.starts, prepend=np.int32(0))
    return b"".join(
        _pack_numbers(each) for each in (tokens.ids, starts, tokens.ends - tokens.starts)
    )


def _pack_numbers(numbers: NDArray[np.int32]) -> bytes:
    """Return a count, the bytes of each number, and the numbers."""
    low, high = (int(numbers.min()), int(numbers.max())) if len(numbers) else (0, 0)
    kind = next(
        (kind for kind, most in (("u1", 0xFF), ("u2", 0xFFFF)) if low >= 0 and high <= most), "i4"
    )
    return struct.pack("<IB", len(numbers), int(kind[1])) + numbers.astype(f"<{kind}").tobytes()


def _unpack_tokens(packed: bytes) -> Tokens:
    import numpy as np

    from docqa.protocols import Tokens

    arrays, at = [], 0
    for _ in range(3):
        count, size = struct.unpack_from("<IB", packed, at)
        kind = {1: "<u1", 2: "<u2", 4: "<i4"}[size]
        array = np.frombuffer(packed, kind, count, at + 5)
        arrays.append(array.astype(np.int32))
        at += 5 + count * size
    starts = np.cumsum(arrays[1], dtype=np.int32)
    return Tokens(arrays[0], starts, starts + arrays[2])


@dataclass(frozen=True, slots=True)
class PackedDocument:
    """A document as it was stored.

    Attributes:
        values: all fields beside the text.
        text: the document's.
        original: the source's bytes, where they are kept because no file holds them; else None.
    """

    values: dict[str, Any]
    text: str
    original: bytes | None

    def document(
        self,
        source_map: SourceMap,
        settings: LoadSettings | None,
        tables: tuple[Table, ...] = (),
    ) -> Document:
        """Return the document, with a source map.

        Args:
            source_map: leads to its places.
            settings: how it was loaded.
            tables: its own are kept with the passages, as rows.
        """
        values = self.values
        return Document(
            **{name: values[name] for name in ("id", "source", "media_type", "title")},
            text=self.text,
            source_map=source_map,
            blocks=tuple(Block(Span(a, b), kind, bool(c)) for a, b, kind, c in values["blocks"]),
            pages=tuple(_page(each) for each in values["pages"]),
            tables=tables,
            warnings=tuple(LoadWarning(**each) for each in values["warnings"]),
            metadata=values["metadata"],
            extractor=values["extractor"],
            settings=settings,
        )


class _Nowhere:
    """The source map of a document that has no other yet."""

    def locate(self, span: object) -> tuple[()]:
        del span
        return ()

    def close(self) -> None:
        """Do nothing."""


NOWHERE = _Nowhere()


def table_of(rows: Iterable[TableRow]) -> Table:
    """Return rows of several passages as one table, each once and in order."""
    by_place = {row.cells[0].span: row for row in rows}
    return Table(tuple(by_place[span] for span in sorted(by_place)))


def pack_document(document: Document, *, original: bytes | None = None) -> bytes:
    """Return a document as bytes, without its source map and its tables.

    Args:
        document: a loaded one.
        original: the source's bytes, where they are to be kept.
    """
    values = {
        **{name: getattr(document, name) for name in ("id", "source", "media_type", "title")},
        "extractor": document.extractor,
        "metadata": dict(document.metadata),
        "settings": None if document.settings is None else document.settings.to_dict(),
        "warnings": [asdict(each) for each in document.warnings],
        "pages": [{**asdict(page), "span": _pair(page.span)} for page in document.pages],
        "blocks": [
            [*_pair(each.span), each.kind, int(each.boilerplate)] for each in document.blocks
        ],
    }
    header = zlib.compress(json.dumps(values, separators=(",", ":")).encode("ascii"), 3)
    text = zlib.compress(document.text.encode("utf-8", _UNICODE), 3)
    kept = b"" if original is None else zlib.compress(original, 3)
    return sealed(_LENGTHS.pack(len(header), len(text), len(kept)) + header + text + kept)


def unpack_document(body: bytes) -> PackedDocument:
    """Return a stored document.

    Raises:
        CollectionError: the bytes are damaged.
    """
    try:
        header, text, kept = _parts(unsealed(body))
        return PackedDocument(
            json.loads(zlib.decompress(header)),
            zlib.decompress(text).decode("utf-8", _UNICODE),
            zlib.decompress(kept) if kept else None,
        )
    except (ValueError, struct.error, zlib.error) as error:
        raise CollectionError(f"the stored document is damaged ({error})") from error


def _pair(span: Span) -> list[int]:
    return [span.start, span.end]


def _pairs(spans: Iterable[Span]) -> list[list[int]]:
    return [_pair(span) for span in spans]


def _spans(pairs: Iterable[Sequence[int]]) -> tuple[Span, ...]:
    return tuple(Span(*pair) for pair in pairs)


def _row_values(row: TableRow) -> list[Any]:
    label = None if row.label is None else _pair(row.label)
    return [label, [[*_pair(cell.span), _pairs(cell.headers)] for cell in row.cells]]


def _row(values: Sequence[Any]) -> TableRow:
    label, cells = values
    return TableRow(
        tuple(TableCell(Span(a, b), _spans(headers)) for a, b, headers in cells),
        None if label is None else Span(*label),
    )


def _page(values: dict[str, Any]) -> Page:
    return Page(**{**values, "span": Span(*values["span"])})
