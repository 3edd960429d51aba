"""The header lines of a message that a reader sees, with the way back to their bytes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from email.errors import HeaderParseError
from email.header import decode_header, make_header

from docqa.datamodel import Span
from docqa.loaders.decoded_source import decode
from docqa.loaders.offset_map import OffsetMapBuilder
from docqa.loaders.text import TextSourceMap
from docqa.loaders.text_decoding import DecodedText

__all__ = ["decoded_words", "shown_header"]

_SHOWN = re.compile(
    r"^(?:from|sender|to|cc|bcc|date|subject):[^\r\n]*(?:\r?\n[ \t][^\r\n]*)*",
    re.IGNORECASE | re.MULTILINE,
)
_WORD = r"=\?[^?\s]+\?[bBqQ]\?[^?\s]*\?="
_FOLD = r"(?:\r?\n[ \t]+|[ \t]*\r?\n[ \t]*|[ \t]+)"
_SPECIAL = re.compile(rf"{_WORD}(?:{_FOLD}{_WORD})*|[ \t]*\r?\n[ \t]+|[ \t]{{2,}}|\t")


def shown_header(header: bytes) -> tuple[str, TextSourceMap]:
    r"""Return the lines of a header that name sender, receivers, date and subject.

    >>> shown_header(b"X-Id: 7\r\nSubject: =?utf-8?Q?Caf=C3=A9?=\r\n bill\r\n")[0]
    'Subject: Café bill'
    """
    source = decode(header, "utf-8")
    if source.is_broken:
        source = decode(header, "latin-1")
    decoded = DecodedText(source, source.codec)
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
    return "".join(parts), TextSourceMap(decoded, builder.build())


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
