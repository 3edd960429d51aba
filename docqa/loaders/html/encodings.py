"""Find the encoding of an HTML file as browsers do it.

Sources: HTML Standard, 13.2.3.2 (encoding sniffing and the prescan) and the Encoding Standard,
section 4.2 (labels).
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

_LATE_META = 65_536
"""Bytes in which a late ``<meta charset>`` is still believed where the file is not UTF-8."""

_BOMS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16le"), (b"\xfe\xff", "utf-16be"))

_LABELS = {
    "utf-8": "unicode-1-1-utf-8 unicode11utf8 unicode20utf8 utf8 x-unicode20utf8",
    "ibm866": "866 cp866 csibm866",
    "iso-8859-2": "csisolatin2 iso-ir-101 iso8859-2 iso88592 iso_8859-2 iso_8859-2:1987 l2 latin2",
    "iso-8859-3": "csisolatin3 iso-ir-109 iso8859-3 iso88593 iso_8859-3 iso_8859-3:1988 l3 latin3",
    "iso-8859-4": "csisolatin4 iso-ir-110 iso8859-4 iso88594 iso_8859-4 iso_8859-4:1988 l4 latin4",
    "iso-8859-5": "csisolatincyrillic cyrillic iso-ir-144 iso8859-5 iso88595 iso_8859-5 "
    "iso_8859-5:1988",
    "iso-8859-6": "arabic asmo-708 csiso88596e csiso88596i csisolatinarabic ecma-114 iso-8859-6-e "
    "iso-8859-6-i iso-ir-127 iso8859-6 iso88596 iso_8859-6 iso_8859-6:1987",
    "iso-8859-7": "csisolatingreek ecma-118 elot_928 greek greek8 iso-ir-126 iso8859-7 iso88597 "
    "iso_8859-7 iso_8859-7:1987 sun_eu_greek",
    "iso-8859-8": "csiso88598e csisolatinhebrew hebrew iso-8859-8-e iso-ir-138 iso8859-8 iso88598 "
    "iso_8859-8 iso_8859-8:1988 visual",
    "iso-8859-8-i": "csiso88598i logical",
    "iso-8859-10": "csisolatin6 iso-ir-157 iso8859-10 iso885910 l6 latin6",
    "iso-8859-13": "iso8859-13 iso885913",
    "iso-8859-14": "iso8859-14 iso885914",
    "iso-8859-15": "csisolatin9 iso8859-15 iso885915 iso_8859-15 l9",
    "iso-8859-16": "",
    "koi8-r": "cskoi8r koi koi8 koi8_r",
    "koi8-u": "koi8-ru",
    "macintosh": "csmacintosh mac x-mac-roman",
    "windows-874": "dos-874 iso-8859-11 iso8859-11 iso885911 tis-620",
    "windows-1250": "cp1250 x-cp1250",
    "windows-1251": "cp1251 x-cp1251",
    "windows-1252": "ansi_x3.4-1968 ascii cp1252 cp819 csisolatin1 ibm819 iso-8859-1 iso-ir-100 "
    "iso8859-1 iso88591 iso_8859-1 iso_8859-1:1987 l1 latin1 us-ascii x-cp1252",
    "windows-1253": "cp1253 x-cp1253",
    "windows-1254": "cp1254 csisolatin5 iso-8859-9 iso-ir-148 iso8859-9 iso88599 iso_8859-9 "
    "iso_8859-9:1989 l5 latin5 x-cp1254",
    "windows-1255": "cp1255 x-cp1255",
    "windows-1256": "cp1256 x-cp1256",
    "windows-1257": "cp1257 x-cp1257",
    "windows-1258": "cp1258 x-cp1258",
    "x-mac-cyrillic": "x-mac-ukrainian",
    "gbk": "chinese csgb2312 csiso58gb231280 gb2312 gb_2312 gb_2312-80 iso-ir-58 x-gbk",
    "gb18030": "",
    "big5": "big5-hkscs cn-big5 csbig5 x-x-big5",
    "euc-jp": "cseucpkdfmtjapanese x-euc-jp",
    "iso-2022-jp": "csiso2022jp",
    "shift_jis": "csshiftjis ms932 ms_kanji shift-jis sjis windows-31j x-sjis",
    "euc-kr": "cseuckr csksc56011987 iso-ir-149 korean ks_c_5601-1987 ks_c_5601-1989 ksc5601 "
    "ksc_5601 windows-949",
    "utf-16be": "unicodefffe",
    "utf-16le": "csunicode iso-10646-ucs-2 ucs-2 unicode unicodefeff utf-16",
}
_ENCODINGS = {label: name for name, labels in _LABELS.items() for label in (name, *labels.split())}

# Python's codecs that come closest to the Encoding Standard's decoders.
_CODECS = {
    "ibm866": "cp866",
    "iso-8859-8-i": "iso8859-8",
    "macintosh": "mac_roman",
    "x-mac-cyrillic": "mac_cyrillic",
    "gbk": "gb18030",
    "big5": "big5hkscs",
    "iso-2022-jp": "iso2022_jp_ext",
    "shift_jis": "cp932",
    "euc-kr": "cp949",
    "utf-16le": "utf-16-le",
    "utf-16be": "utf-16-be",
}

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
    """Hold the encoding of a file and how it was found.

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
    return _ENCODINGS.get(label.strip("\t\n\f\r ").lower())


def sniff_encoding(data: bytes, override: str | None = None) -> SniffedEncoding:
    """Find the encoding of an HTML file's bytes.

    In order: a byte order mark; the caller's `override`; a declaration in the first 1,024 bytes;
    UTF-16 by its zero bytes; UTF-8 if all bytes are valid; a later declaration; windows-1252.

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
    if declared:
        return _sniffed(declared, "declared")
    try:
        data.decode("utf-8")
        return _sniffed("utf-8", "valid")
    except UnicodeDecodeError:
        declared = _declared(data[:_LATE_META])
        return _sniffed(declared or "windows-1252", "declared" if declared else "fallback")


def _sniffed(
    name: str, origin: Literal["bom", "declared", "valid", "fallback"], bom_length: int = 0
) -> SniffedEncoding:
    return SniffedEncoding(name, _codec(name), bom_length, origin)


def _codec(name: str) -> str:
    if name.startswith("windows-"):
        return "cp" + name.removeprefix("windows-")
    if name.startswith("iso-8859"):
        return _CODECS.get(name, name.replace("iso-8859-", "iso8859-"))
    return _CODECS.get(name, name)


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
    """Return what a declared label means.

    What declares UTF-16 was read as ASCII, so that it cannot be: browsers take UTF-8.
    """
    name = encoding_of_label(label)
    if name in ("utf-16le", "utf-16be"):
        return "utf-8"
    return "windows-1252" if label.strip().lower() == "x-user-defined" else name
