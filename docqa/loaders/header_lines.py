"""The header lines of a message that a reader sees, with the way back to their bytes."""

from __future__ import annotations

import re
from array import array
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from typing import ClassVar

from docqa.datamodel import Page, Span, TextLocation
from docqa.loaders.decoded_source import DecodedSource, decode, decode_as_reported
from docqa.loaders.offset_map import OffsetMap, OffsetMapBuilder

__all__ = ["HeaderSourceMap", "HeaderState", "decoded_words", "shown_header"]

_SHOWN = re.compile(
    r"^(?:from|sender|to|cc|bcc|date|subject):[^\r\n]*(?:\r?\n[ \t][^\r\n]*)*",
    re.IGNORECASE | re.MULTILINE,
)
_WORD = r"=\?[^?\s]+\?[bBqQ]\?[^?\s]*\?="
_FOLD = r"(?:\r?\n[ \t]+|[ \t]*\r?\n[ \t]*|[ \t]+)"
_SPECIAL = re.compile(rf"{_WORD}(?:{_FOLD}{_WORD})*|[ \t]*\r?\n[ \t]+|[ \t]{{2,}}|\t")


@dataclass(frozen=True, slots=True)
class HeaderState:
    """Plain data from which the source map of header lines is made again."""

    codec: str
    offsets: OffsetMap


class HeaderSourceMap:
    """A source map from decoded header lines to lines, characters and bytes of a message.

    Args:
        decoded: the header as it is written.
        offsets: from the decoded lines to its characters.
    """

    State: ClassVar[type] = HeaderState

    def __init__(self, decoded: DecodedSource, offsets: OffsetMap) -> None:
        self._decoded, self._offsets = decoded, offsets
        ends = (match.end() for match in re.finditer("\n", decoded.text))
        self._lines = array("Q", [0, *ends])

    def locate(self, span: Span) -> tuple[TextLocation, ...]:
        """Return the places of `span`, one for each header line; an encoded word is one whole."""
        ranges = self._offsets.to_source(span) or self._offsets.to_source(
            Span(span.start - 1, span.end)
        )
        return tuple(map(self._place, ranges))

    def _place(self, span: Span) -> TextLocation:
        line = bisect_right(self._lines, span.start)
        return TextLocation(
            line=line,
            column=span.start - self._lines[line - 1] + 1,
            end_line=bisect_right(self._lines, span.end - 1),
            span=span,
            byte_span=self._decoded.byte_span(span),
        )

    def close(self) -> None:
        """Do nothing: no file is held open."""

    def state(self) -> HeaderState:
        """Return plain data from which `restored` makes the map again."""
        return HeaderState(self._decoded.codec, self._offsets)

    @classmethod
    def restored(
        cls, state: HeaderState, *, text: str, pages: Sequence[Page], data: bytes
    ) -> HeaderSourceMap:
        """Return the map of header lines from its state and their bytes.

        Raises:
            ValueError: the state is that of another header.
        """
        decoded = decode_as_reported(data, state.codec, 0)
        state.offsets.require_sound(source_length=len(decoded.text))
        if state.offsets.text_length != len(text):
            raise ValueError("the state of a header belongs to another one")
        return cls(decoded, state.offsets)


def shown_header(header: bytes) -> tuple[str, HeaderSourceMap]:
    r"""Return the lines of a header that name sender, receivers, date and subject.

    >>> shown_header(b"X-Id: 7\r\nSubject: =?utf-8?Q?Caf=C3=A9?=\r\n bill\r\n")[0]
    'Subject: Café bill'
    """
    try:
        header.decode("utf-8")
        decoded = decode(header, "utf-8", 0)
    except UnicodeDecodeError:
        decoded = decode(header, "latin-1", 0)
    builder, parts = OffsetMapBuilder(), list[str]()
    for line in _SHOWN.finditer(decoded.text):
        if parts:
            parts.append("\n")
            builder.synthetic(1)
        for text, span in _pieces(decoded.text, Span(*line.span())):
            parts.append(text)
            if text == span.of(decoded.text):
                builder.verbatim(len(text), span.start)
            else:
                builder.atom(len(text), span.start, span.end)
    return "".join(parts), HeaderSourceMap(decoded, builder.build())


def _pieces(text: str, line: Span) -> Iterator[tuple[str, Span]]:
    """Yield the decoded stretches of a header line with the characters that they come from."""
    position, end = line.start, line.start + len(line.of(text).rstrip())
    for found in _SPECIAL.finditer(text, position, end):
        if found.start() > position:
            yield text[position : found.start()], Span(position, found.start())
        words = found.group()
        shown = decoded_words(words) if words.startswith("=?") else " "
        yield shown, Span(*found.span())
        position = found.end()
    if position < end:
        yield text[position:end], Span(position, end)


def decoded_words(value: str) -> str:
    """Return a header's value with its encoded words (RFC 2047) decoded, on one line.

    >>> decoded_words("=?utf-8?Q?Caf=C3=A9?= bill")
    'Café bill'
    """
    with suppress(LookupError, ValueError, HeaderParseError):
        value = str(make_header(decode_header(value)))
    return " ".join(value.encode("utf-8", "replace").decode("utf-8").split())
