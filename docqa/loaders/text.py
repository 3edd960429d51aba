"""Load plain text: the characters as they are, placed by line and column."""

from __future__ import annotations

import hashlib
import re
from array import array
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from docqa.datamodel import Block, Document, LoadWarning, Page, Span, TextLocation
from docqa.loaders.decoded_source import decode_as_reported
from docqa.loaders.text_decoding import DecodedText, decode_text

__all__ = ["TextLoader", "TextSourceMap", "text_document"]

_LINE_END = re.compile(r"\r\n|\n|\r")


@dataclass(frozen=True, slots=True)
class TextState:
    """The encoding of a text, from which its source map is made again."""

    codec: str
    bom_length: int
    encoding: str
    guessed: bool


class TextSourceMap:
    """A source map from a decoded text to line, column and bytes."""

    State: ClassVar[type] = TextState

    def __init__(self, decoded: DecodedText) -> None:
        self._decoded = decoded
        self._line_starts: array[int] | None = None

    def locate(self, span: Span) -> tuple[TextLocation, ...]:
        """Return the one place of `span`."""
        starts = self._lines()
        line = bisect_right(starts, span.start)
        return (
            TextLocation(
                line=line,
                column=span.start - starts[line - 1] + 1,
                end_line=bisect_right(starts, span.end - 1),
                span=span,
                byte_span=self._decoded.byte_span(span),
            ),
        )

    def close(self) -> None:
        """Do nothing: no file is held open."""

    def state(self) -> TextState:
        """Return plain data from which `restored` makes the map again."""
        decoded = self._decoded
        return TextState(
            decoded.source.codec, decoded.source.bom_length, decoded.encoding, decoded.guessed
        )

    @classmethod
    def restored(
        cls, state: TextState, *, text: str, pages: Sequence[Page], data: bytes
    ) -> TextSourceMap:
        """Return the map of a text from its state and the file's bytes.

        Raises:
            ValueError: the bytes are not `text` in the encoding of `state`.
        """
        source = decode_as_reported(data, state.codec, state.bom_length)
        if source.text != text:
            raise ValueError(f"the file is another text in {state.codec}")
        source.text = text  # one copy of it is enough
        return cls(DecodedText(source, state.encoding, state.guessed))

    def _lines(self) -> array[int]:
        if self._line_starts is None:
            ends = (match.end() for match in _LINE_END.finditer(self._decoded.text))
            self._line_starts = array("Q", [0, *ends])
        return self._line_starts


class TextLoader:
    """A loader of plain text; `encoding` overrules everything but a byte order mark."""

    def __init__(self, encoding: str | None = None) -> None:
        self._encoding = encoding

    def load(self, data: bytes, *, source: str) -> Document:
        """Load `data` as plain text.

        Raises:
            MalformedError: the bytes are not text in any known encoding.
            SettingError: the loader's `encoding` is unknown.
        """
        decoded = decode_text(data, source=source, encoding=self._encoding)
        return text_document(data, decoded, source=source)


def text_document(
    data: bytes,
    decoded: DecodedText,
    *,
    source: str,
    media_type: str = "text/plain",
    title: str | None = None,
    blocks: tuple[Block, ...] = (),
) -> Document:
    """Return the document of a text format whose text is its decoded source."""
    return Document(
        id=hashlib.sha256(data).hexdigest(),
        text=decoded.text,
        source=source,
        media_type=media_type,
        title=title,
        source_map=TextSourceMap(decoded),
        blocks=blocks,
        warnings=_warnings(decoded),
        metadata={"encoding": decoded.encoding},
        extractor="docqa text",
    )


def _warnings(decoded: DecodedText) -> tuple[LoadWarning, ...]:
    found = []
    if decoded.replaced:
        found.append(
            LoadWarning(
                "replaced-bytes",
                f"bytes at {decoded.replaced:,} places mean nothing in {decoded.encoding} and read "
                "as U+FFFD",
            )
        )
    if decoded.guessed:
        found.append(
            LoadWarning(
                "guessed-encoding",
                f"the encoding {decoded.encoding} was guessed; name it with encoding= (--encoding) "
                "if letters look wrong",
            )
        )
    return tuple(found)
