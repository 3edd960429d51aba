"""The encoding of an HTML file, found as browsers do it.

Sources: HTML Standard, 13.2.3.2 (encoding sniffing and the prescan) and the Encoding Standard,
section 4.2 (labels, of which `webencodings` has the table).
"""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

from docqa.errors import SettingError
from docqa.loaders.decoded_source import codec_of
from docqa.loaders.html.references import decode_attribute

__all__ = ["SniffedEncoding", "encoding_of_label", "sniff_encoding"]

_PRESCAN = 1024
"""Bytes in which browsers look for ``<meta charset>`` before they parse."""

_SEVERAL_BYTES = frozenset({"big5", "euc-jp", "euc-kr", "gb18030", "gbk", "shift_jis"})
_FEWEST_OF_SEVERAL = 8
"""Bytes outside ASCII from which on valid UTF-8 is believed against one of these."""

_ASCII = bytes(range(0x80))

_LATE_META = 65_536
"""Bytes in which a late ``<meta charset>`` is still believed where the file is not UTF-8."""

_BOMS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16le"), (b"\xfe\xff", "utf-16be"))

# Python's codecs that come closest to the Encoding Standard's decoders, where `webencodings` takes
# one that reads less, or has another spelling.
_CODECS = {
    "gbk": "gb18030",
    "iso-2022-jp": "iso2022_jp_ext",
    "macintosh": "mac_roman",
    "x-mac-cyrillic": "mac_cyrillic",
}
_NO_FILES = frozenset({"replacement", "x-user-defined"})
"""Encodings of the standard in which no text is read."""

_SKIPPED = re.compile(rb"<!(?=--)(?:.*?-->|.*)|</?[A-Za-z]|<[!/?][^>]*>?|<", re.DOTALL)
_META = re.compile(rb"<meta[\t\n\f\r /]", re.IGNORECASE)
_ATTRIBUTE = re.compile(
    rb"""[\t\n\f\r /]*([^\t\n\f\r />][^\t\n\f\r />=]*)"""
    rb"""(?:[\t\n\f\r ]*=[\t\n\f\r ]*(?:"([^"]*)"|'([^']*)'|([^\t\n\f\r >]*)))?"""
)
_CONTENT_CHARSET = re.compile(
    r"""charset[\t\n\f\r ]*=[\t\n\f\r ]*(?:"([^"]*)"|'([^']*)'|([^"'\t\n\f\r ;][^\t\n\f\r ;]*))""",
    re.IGNORECASE,
)
_XML_ENCODING = re.compile(rb"""<\?xml[^>]*?encoding[\x00-\x20]*=[\x00-\x20]*["']([^"'>]+)["']""")


class SniffedEncoding(NamedTuple):
    """The encoding of a file and how it was found.

    Attributes:
        name: as the Encoding Standard spells it, in lower case.
        codec: Python's name of the closest codec.
        bom_length: bytes of the byte order mark, or 0.
        origin: ``"bom"``, the caller's ``"override"``, ``"declared"`` in the file, found to be
            ``"valid"`` UTF-8, or ``"fallback"``.
    """

    name: str
    codec: str
    bom_length: int
    origin: Literal["bom", "override", "declared", "valid", "fallback"]


def encoding_of_label(label: str) -> str | None:
    """Return the encoding that a label means on the web, or None for an unknown label.

    >>> encoding_of_label(" Latin1 "), encoding_of_label("UTF8"), encoding_of_label("nonsense")
    ('windows-1252', 'utf-8', None)
    """
    from webencodings.labels import LABELS

    name: str | None = LABELS.get(label.strip("\t\n\f\r ").lower())
    return None if name in _NO_FILES else name


def sniff_encoding(data: bytes, override: str | None = None) -> SniffedEncoding:
    """Find the encoding of an HTML file's bytes.

    In order: a byte order mark; the caller's `override`; UTF-16 by its zero bytes; a declaration
    in the first 1,024 bytes, unless it says otherwise of what is valid UTF-8; UTF-8 if all bytes
    are valid; a later declaration; windows-1252.

    Raises:
        SettingError: `override` is no encoding that browsers or Python know.

    >>> sniff_encoding(b'<meta charset="latin1">').name
    'windows-1252'
    """
    for bom, name in _BOMS:
        if data.startswith(bom):
            return _sniffed(name, "bom", len(bom))
    if override is not None:
        return _overridden(override)
    wide = _utf16_by_zeros(data)
    if wide:
        return _sniffed(wide, "valid")
    declared = _declared(data[:_PRESCAN])
    if declared in ("utf-8", None) or _is_utf8_anyway(data, declared):
        try:
            data.decode("utf-8")
            return _sniffed("utf-8", "declared" if declared == "utf-8" else "valid")
        except UnicodeDecodeError:
            pass
    declared = declared or _declared(data[:_LATE_META])
    return _sniffed(declared or "windows-1252", "declared" if declared else "fallback")


def _is_utf8_anyway(data: bytes, declared: str) -> bool:
    """Say whether bytes outside ASCII do not form valid UTF-8 by chance.

    A page saved as UTF-8 often keeps the declaration of another encoding. In one with a byte for
    each letter, "Ã©" stands for "é" and for nothing else; a word of Chinese may look like UTF-8.
    """
    high = data.translate(None, _ASCII)
    if len(high) < (_FEWEST_OF_SEVERAL if declared in _SEVERAL_BYTES else 2):
        return False
    try:
        return len(high.decode("utf-8")) > 0
    except UnicodeDecodeError:
        return False


def _sniffed(
    name: str, origin: Literal["bom", "declared", "valid", "fallback"], bom_length: int = 0
) -> SniffedEncoding:
    return SniffedEncoding(name, _codec(name), bom_length, origin)


def _codec(name: str) -> str:
    from webencodings import lookup

    encoding = lookup(name)
    assert encoding is not None  # `name` is one of the standard
    return _CODECS.get(name) or str(encoding.codec_info.name)


def _overridden(label: str) -> SniffedEncoding:
    name = encoding_of_label(label)
    if name:
        return SniffedEncoding(name, _codec(name), 0, "override")
    codec = codec_of(label)
    if codec is None:
        raise SettingError(
            f"unknown encoding {label!r}; use a label such as 'utf-8', 'windows-1252' or "
            "'shift_jis', or leave it out to let the file decide"
        )
    return SniffedEncoding(codec, codec, 0, "override")


def _utf16_by_zeros(data: bytes) -> str | None:
    """Return UTF-16's byte order where the file starts as markup does, or None."""
    head = data[:4]
    if len(head) == 4 and head[:2] == b"<\0" and head[3] == 0 and head[2]:
        return "utf-16le"
    if len(head) == 4 and head[:2] == b"\0<" and head[2] == 0 and head[3]:
        return "utf-16be"
    return None


def _declared(head: bytes) -> str | None:
    """Return the encoding that the start of a file declares, or None (the prescan)."""
    position = 0
    while (found := _SKIPPED.search(head, position)) is not None:
        start, position = found.span()
        if _META.match(head, start):
            name, position = _meta_encoding(head, start + 5)
            if name:
                return name
        elif found.group()[:1] == b"<" and found.group()[-1:].isalpha():
            position = _attributes(head, _after_name(head, position))[1]
    xml = _XML_ENCODING.match(head)
    return _usable(xml.group(1).decode("latin-1")) if xml else None


def _after_name(head: bytes, position: int) -> int:
    while position < len(head) and head[position] not in b"\t\n\f\r />":
        position += 1
    return position


def _attributes(head: bytes, position: int) -> tuple[dict[str, str], int]:
    """Return a tag's attributes, the first of each name, and where they end."""
    attributes: dict[str, str] = {}
    while (match := _ATTRIBUTE.match(head, position)) is not None:
        value = next((group for group in match.groups()[1:] if group is not None), b"")
        name = match.group(1).decode("latin-1").lower()
        attributes.setdefault(name, decode_attribute(value.decode("latin-1")))
        position = match.end()
    return attributes, position


def _meta_encoding(head: bytes, position: int) -> tuple[str | None, int]:
    attributes, position = _attributes(head, position)
    if "charset" in attributes:
        return _usable(attributes["charset"]), position
    if attributes.get("http-equiv", "").lower() == "content-type":
        charset = _CONTENT_CHARSET.search(attributes.get("content", ""))
        if charset:
            return _usable(next(group for group in charset.groups() if group)), position
    return None, position


def _usable(label: str) -> str | None:
    """Return the encoding that a declared label means.

    What declares UTF-16 was read as ASCII, so that it cannot be: browsers take UTF-8.
    """
    name = encoding_of_label(label)
    if name in ("utf-16le", "utf-16be"):
        return "utf-8"
    return "windows-1252" if label.strip().lower() == "x-user-defined" else name
