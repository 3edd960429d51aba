"""Turn the bytes of a plain text into characters, keeping the way back to the bytes."""

from __future__ import annotations

import codecs
from dataclasses import dataclass

from docqa.datamodel import Span
from docqa.errors import MalformedError, SettingError

__all__ = ["DecodedText", "decode_text"]

_BOMS = (  # the longer marks first: the UTF-32 mark starts with the UTF-16 one
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_SAMPLE_BYTES = 200_000  # enough for a stable guess, and bounded for a huge file
# The legacy encodings of the WHATWG Encoding standard that files are still found in; a guess among
# all codecs of Python takes rare ones (short Russian in KOI8-R became Shift_JIS-2004).
_LEGACY = (
    *("cp1250", "cp1251", "cp1252", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257", "cp1258"),
    *("cp874", "koi8_r", "koi8_u", "iso8859_2", "iso2022_jp"),
    *("shift_jis", "euc_jp", "gb18030", "big5", "euc_kr"),
)
_MOSTLY_UTF8 = 0.01  # broken bytes per byte outside ASCII that still count as damaged UTF-8


@dataclass(frozen=True, slots=True)
class DecodedText:
    """Hold a decoded text and what its bytes were.

    Attributes:
        text: the characters; bytes without meaning are U+FFFD, one for each byte.
        encoding: name of the codec.
        bom_length: bytes of the byte order mark, which is not part of `text`.
        guessed: the encoding was neither declared nor verified, but guessed from the bytes.
        replaced: number of bytes that have no meaning in the encoding.
    """

    text: str
    encoding: str
    bom_length: int = 0
    guessed: bool = False
    replaced: int = 0
    _escaped: str | None = None

    def byte_span(self, span: Span) -> Span | None:
        """Return the bytes of the file that hold `span` of the text, or None.

        None where the encoding is stateful or several byte strings mean the same characters, so
        that encoding again would not give the file's own bytes.
        """
        escaped = self.text if self._escaped is None else self._escaped
        try:
            before = len(_encode(escaped[: span.start], self.encoding))
            inside = len(_encode(escaped[span.start : span.end], self.encoding))
        except UnicodeEncodeError:
            return None
        start = self.bom_length + before
        return Span(start, start + inside)


def decode_text(data: bytes, *, source: str, encoding: str | None = None) -> DecodedText:
    """Decode a plain text: byte order mark, then the given encoding, UTF-8, UTF-16, a guess.

    Raises:
        SettingError: there is no codec of the name `encoding`.
        MalformedError: no encoding gives text.

    >>> decode_text("naïve".encode("utf-8-sig"), source="x").text
    'naïve'
    >>> decode_text("naïve".encode("utf-16-le"), source="x").encoding
    'utf-16-le'
    """
    for mark, name in _BOMS:
        if data.startswith(mark):
            return _decode(data[len(mark) :], name, bom_length=len(mark))
    if encoding is not None:
        return _decode(data, _codec_name(encoding))
    try:
        return DecodedText(data.decode("utf-8"), "utf-8")
    except UnicodeDecodeError:
        pass
    likely = _unmarked_utf16(data) or _damaged_utf8(data)
    if likely is not None:
        return _decode(data, likely, guessed=True)
    return _guess(data, source)


def _codec_name(encoding: str) -> str:
    try:
        return codecs.lookup(encoding).name
    except LookupError as error:
        raise SettingError(
            f"unknown encoding {encoding!r}; use a name such as utf-8, cp1252, shift_jis"
        ) from error


def _encode(text: str, encoding: str) -> bytes:
    return text.encode(encoding, "surrogateescape")


def _decode(
    data: bytes, encoding: str, *, bom_length: int = 0, guessed: bool = False
) -> DecodedText:
    try:
        return DecodedText(data.decode(encoding), encoding, bom_length, guessed)
    except UnicodeDecodeError:
        pass
    try:
        escaped = data.decode(encoding, "surrogateescape")
    except UnicodeDecodeError:  # UTF-16 and UTF-32 cannot escape a lone unit
        text = data.decode(encoding, "replace")
        return DecodedText(text, encoding, bom_length, guessed, text.count("\ufffd"))
    replaced = sum(1 for character in escaped if "\udc80" <= character <= "\udcff")
    text = escaped.translate(dict.fromkeys(range(0xDC80, 0xDD00), "\ufffd"))
    return DecodedText(text, encoding, bom_length, guessed, replaced, escaped)


def _unmarked_utf16(data: bytes) -> str | None:
    """Return the UTF-16 byte order that puts NULs where Latin text has them, or None."""
    sample = data[:_SAMPLE_BYTES]
    half = len(sample) // 2
    if half < 2:
        return None
    even, odd = sample[0::2].count(0) / half, sample[1::2].count(0) / half
    if odd > 0.3 and even < 0.1:
        return "utf-16-le"
    return "utf-16-be" if even > 0.3 and odd < 0.1 else None


def _damaged_utf8(data: bytes) -> str | None:
    """Return ``"utf-8"`` when nearly all bytes outside ASCII form valid sequences, or None."""
    sample = data[:_SAMPLE_BYTES]
    high = sum(1 for byte in sample if byte >= 0x80)
    broken = sample.decode("utf-8", "replace").count("\ufffd")
    return "utf-8" if high and broken <= max(1, _MOSTLY_UTF8 * high) and high > 8 else None


def _guess(data: bytes, source: str) -> DecodedText:
    from charset_normalizer import from_bytes

    best = from_bytes(data[:_SAMPLE_BYTES], cp_isolation=list(_LEGACY)).best()
    if best is None or b"\0" in data[:_SAMPLE_BYTES]:
        raise MalformedError(
            f"{source}: these bytes are not text in any known encoding; name it with encoding= "
            "(--encoding) if it is text",
            source=source,
        )
    return _decode(data, best.encoding, guessed=True)
