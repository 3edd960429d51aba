"""Load plain text: the characters as they are shown, placed by line and column."""

from __future__ import annotations

import hashlib
import re
from array import array
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from docqa.datamodel import Block, Document, LoadWarning, Page, Span, Table, TextLocation
from docqa.loaders.decoded_source import decode_as_reported
from docqa.loaders.offset_map import OffsetMap, OffsetMapBuilder
from docqa.loaders.text_decoding import DecodedText, decode_text

__all__ = ["LINE_END", "ShownText", "TextLoader", "TextSourceMap", "text_document"]

LINE_END = re.compile(r"\r\n|\n|\r")
# Control sequences and strings (ECMA-48, 5.3 to 5.6), and a character that a printer overstrikes.
_NOT_SHOWN = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b\r\n]*(?:\x07|\x1b\\)"
    r"|\x1b[PX^_][^\x1b\r\n]*\x1b\\|\x1b[ -/]*[0-OQ-WYZ\\`-~]|[^\r\n\x08]\x08"
)


@dataclass(frozen=True, slots=True)
class ShownText:
    """A text as it is shown, with the map to its decoded source."""

    text: str
    offsets: OffsetMap


@dataclass(frozen=True, slots=True)
class TextState:
    """The encoding of a text and its map, from which its source map is made again.

    Attributes:
        offsets: from the shown text to the decoded source; None where they are the same.
    """

    codec: str
    bom_length: int
    encoding: str
    guessed: bool
    offsets: OffsetMap | None = None


class TextSourceMap:
    """A source map from a text to line, column and bytes of its decoded source.

    Args:
        decoded: the source.
        offsets: from the text to the source; None where they are the same.
    """

    State: ClassVar[type] = TextState

    def __init__(self, decoded: DecodedText, offsets: OffsetMap | None = None) -> None:
        self._decoded, self._offsets = decoded, offsets
        self._line_starts: array[int] | None = None

    def locate(self, span: Span) -> tuple[TextLocation, ...]:
        """Return the places of `span`: one, or several where the source has marks between them.

        What only divides two blocks is located at the end of the first.
        """
        if self._offsets is None:
            return (self._place(span),)
        ranges = self._offsets.to_source(span)
        start = span.start
        while not ranges and start > 0:
            start -= 1
            ranges = self._offsets.to_source(Span(start, span.end))
        return tuple(map(self._place, ranges)) or (self._place(Span(0, 1)),)

    def _place(self, span: Span) -> TextLocation:
        starts = self._lines()
        line = bisect_right(starts, span.start)
        return TextLocation(
            line=line,
            column=span.start - starts[line - 1] + 1,
            end_line=bisect_right(starts, span.end - 1),
            span=span,
            byte_span=self._decoded.byte_span(span),
        )

    def close(self) -> None:
        """Do nothing: no file is held open."""

    def state(self) -> TextState:
        """Return plain data from which `restored` makes the map again."""
        decoded = self._decoded
        return TextState(
            decoded.source.codec,
            decoded.source.bom_length,
            decoded.encoding,
            decoded.guessed,
            self._offsets,
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
        decoded = DecodedText(source, state.encoding, state.guessed)
        if state.offsets is not None:
            state.offsets.require_sound(source_length=len(source.text))
            if state.offsets.text_length != len(text):
                raise ValueError("the state of a text belongs to another one")
            return cls(decoded, state.offsets)
        if source.text != text:
            raise ValueError(f"the file is another text in {state.codec}")
        source.text = text  # one copy of it is enough
        return cls(decoded)

    def _lines(self) -> array[int]:
        if self._line_starts is None:
            ends = (match.end() for match in LINE_END.finditer(self._decoded.text))
            self._line_starts = array("Q", [0, *ends])
        return self._line_starts


class TextLoader:
    """A loader of plain text; `encoding` overrules everything but a byte order mark.

    Colour codes of terminals and overstruck characters are left out, as a terminal shows none.
    """

    def __init__(self, encoding: str | None = None) -> None:
        self._encoding = encoding

    def load(self, data: bytes, *, source: str) -> Document:
        """Load `data` as plain text.

        Raises:
            MalformedError: the bytes are not text in any known encoding.
            SettingError: the loader's `encoding` is unknown.
        """
        decoded = decode_text(data, source=source, encoding=self._encoding)
        return text_document(data, decoded, source=source, shown=_shown(decoded.text))


def _shown(text: str) -> ShownText | None:
    """Return a text without a terminal's codes; None where it has none."""
    if not ("\x1b" in text or "\x08" in text or "\x9b" in text):
        return None
    parts, offsets, start = list[str](), OffsetMapBuilder(), 0
    for match in _NOT_SHOWN.finditer(text):
        parts.append(text[start : match.start()])
        offsets.verbatim(match.start() - start, start)
        start = match.end()
    parts.append(text[start:])
    offsets.verbatim(len(text) - start, start)
    shown = ShownText("".join(parts), offsets.build())
    return shown if shown.text else None


def text_document(
    data: bytes,
    decoded: DecodedText,
    *,
    source: str,
    media_type: str = "text/plain",
    title: str | None = None,
    shown: ShownText | None = None,
    blocks: tuple[Block, ...] = (),
    tables: tuple[Table, ...] = (),
    warnings: tuple[LoadWarning, ...] = (),
) -> Document:
    """Return the document of a text format; without `shown`, its text is its decoded source."""
    return Document(
        id=hashlib.sha256(data).hexdigest(),
        text=decoded.text if shown is None else shown.text,
        source=source,
        media_type=media_type,
        title=title,
        source_map=TextSourceMap(decoded, None if shown is None else shown.offsets),
        blocks=blocks,
        tables=tables,
        warnings=(*_warnings(decoded), *warnings),
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
