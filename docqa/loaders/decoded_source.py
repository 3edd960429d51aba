"""Decoded text that remembers its bytes: where each character stands in the file."""

from __future__ import annotations

import codecs
from array import array
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from docqa.datamodel import Span

__all__ = ["DecodedSource", "codec_of", "decode", "decode_as_reported"]

_CHUNK = 2048
"""Bytes between two checkpoints: a look-up takes that many single steps, under a millisecond."""

_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
_WINDOWS_1252 = "".join(
    bytes([code]).decode("cp1252", "ignore") or chr(code) for code in range(256)
)
"""windows-1252 as browsers read it: the five bytes it leaves open are C1 controls."""

_WITHOUT_MARK = {"utf-8-sig": "utf-8", "utf-16": "utf-16-le", "utf-32": "utf-32-le"}
"""Codecs that write a byte order mark, as their mark is looked for before anything is decoded."""

_NO_FILES = frozenset({"idna", "punycode", "undefined", "unicode_escape", "raw_unicode_escape"})
"""Codecs of Python that no file is written in: of host names and of literals."""

_WITHOUT_PLACES = frozenset({"utf-7"})
"""Codecs whose decoder gives the characters of a whole shifted sequence at once."""

_SINGLE_BYTE = ("ascii", "cp125", "cp866", "cp874", "koi8", "iso8859", "mac_")


@dataclass(slots=True)
class DecodedSource:
    """A decoded file that finds the bytes of its characters.

    Attributes:
        text: the decoded characters, without a byte order mark; broken bytes are U+FFFD.
        data: the file's bytes.
        bom_length: bytes of the byte order mark.
        is_broken: some bytes mean nothing in the encoding.
        codec: Python's name of the encoding.
    """

    text: str
    data: bytes
    bom_length: int
    is_broken: bool
    codec: str
    _characters: array[int] = field(default_factory=lambda: array("Q"))
    _states: list[Any] = field(default_factory=list)

    def byte_span(self, span: Span) -> Span | None:
        """Return the bytes of the file that `span` of the text was decoded from, None in UTF-7.

        The bytes of all characters cover the file after its byte order mark. In a stateful
        encoding (ISO-2022-JP) a character's bytes include the escape sequences before it, and
        decode alone only where the span starts with one.
        """
        if self.codec in _WITHOUT_PLACES:
            return None
        return Span(self._byte_offset(span.start), self._byte_offset(span.end))

    def _byte_offset(self, character: int) -> int:
        """Return where the bytes of the character before `character` end."""
        if self.codec.startswith(_SINGLE_BYTE):
            return self.bom_length + character
        if not self._states:
            self._set_checkpoints()
        if character == 0:
            return self.bom_length
        place = max(0, bisect_right(self._characters, character - 1) - 1)
        missing = character - self._characters[place]
        for end in self._character_ends(place):
            missing -= 1
            if not missing:
                return end
        return len(self.data)

    def _character_ends(self, place: int) -> Iterator[int]:
        """Yield where each character from checkpoint `place` on ends, decoding byte by byte."""
        decoder = codecs.getincrementaldecoder(self.codec)("replace")
        decoder.setstate(self._states[place])
        position = self.bom_length + place * _CHUNK
        last = position - _held_back(self._states[place])
        while position < len(self.data):
            step = self.data[position : position + 1]
            position += 1
            text = decoder.decode(step, position == len(self.data))
            if text:
                end = position - _held_back(decoder.getstate())
                yield from _ends(text, last, end, self.codec)
                last = end

    def _set_checkpoints(self) -> None:
        """Decode in chunks and note how many characters stand before each one."""
        decoder = codecs.getincrementaldecoder(self.codec)("replace")
        characters = 0
        for position in range(self.bom_length, len(self.data) + 1, _CHUNK):
            self._characters.append(characters)
            self._states.append(decoder.getstate())
            characters += len(decoder.decode(self.data[position : position + _CHUNK]))


def codec_of(name: str) -> str | None:
    """Return Python's name of the codec for files in the encoding `name`, or None.

    >>> codec_of("Latin-1"), codec_of("utf-8-sig"), codec_of("base64"), codec_of("idna")
    ('iso8859-1', 'utf-8', None, None)
    """
    try:
        codec = codecs.lookup(name)
        "".encode(codec.name)  # codecs such as "rot13" do not map text to bytes
    except (LookupError, ValueError, TypeError):
        return None
    if codec.incrementaldecoder is None or codec.name.replace("-", "_") in _NO_FILES:
        return None
    return _WITHOUT_MARK.get(codec.name, codec.name)


def decode(data: bytes, codec: str, bom_length: int = 0) -> DecodedSource:
    """Decode a file's bytes; broken ones become U+FFFD.

    Args:
        data: the file.
        codec: Python's name of the encoding.
        bom_length: bytes of its byte order mark, which is no part of the text.

    >>> source = decode("é=x".encode(), "utf-8")
    >>> source.byte_span(Span(1, 3))
    Span(start=2, end=4)
    """
    body = data[bom_length:] if bom_length else data
    if codec == "cp1252":
        return DecodedSource(
            codecs.charmap_decode(body, "strict", _WINDOWS_1252)[0], data, bom_length, False, codec
        )
    try:
        text, is_broken = body.decode(codec), False
    except UnicodeDecodeError:
        text, is_broken = body.decode(codec, "replace"), True
    return DecodedSource(text, data, bom_length, is_broken, codec)


def decode_as_reported(data: bytes, codec: str, bom_length: int) -> DecodedSource:
    """Decode a file's bytes with the codec that an untrusted process reports.

    Raises:
        ValueError: there is no such codec for files, or the byte order mark has another length.
    """
    if codec_of(codec) is None or not 0 <= bom_length <= min(4, len(data)):
        raise ValueError(f"no file is decoded by {codec!r} after {bom_length} bytes")
    return decode(data, codec, bom_length)


def _held_back(state: tuple[bytes, int]) -> int:
    """Return how many bytes a decoder has read without a character for them."""
    return len(state[0])


def _ends(text: str, start: int, end: int, codec: str) -> list[int]:
    """Say where each character ends that one step gave for the bytes ``[start, end)``.

    A step gives several characters where a broken sequence shows only at the next character.
    """
    ends = [end]
    for char in reversed(text[1:]):
        size = 1 if char == _REPLACEMENT else len(char.encode(codec, "ignore"))
        ends.append(max(start, ends[-1] - size))
    return ends[::-1]
