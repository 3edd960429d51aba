"""Character references (``&amp;``, ``&#233;``) as the HTML Standard decodes them.

Source: HTML Standard, 13.2.5.72 to 13.2.5.80. ``html.unescape`` is close but drops control
characters and noncharacters, and does not say how much of its input a reference took.
"""

from __future__ import annotations

import re
from html.entities import html5

__all__ = [
    "REFERENCE",
    "decode_attribute",
    "decode_attribute_reference",
    "decode_reference",
    "decode_text",
]

REFERENCE = re.compile(r"&(?:#[xX][0-9a-fA-F]+;?|#[0-9]+;?|[A-Za-z][A-Za-z0-9]{0,31};?)")
"""What may be a reference; the longest name is 32 characters with its semicolon."""

_MAX_CODE = 0x10FFFF
_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"

# Numbers 0x80 to 0x9F mean windows-1252 (HTML Standard, 13.2.5.80); its gaps stay controls.
_C1 = {code: bytes([code]).decode("cp1252", "ignore") or chr(code) for code in range(0x80, 0xA0)}


def decode_reference(raw: str) -> tuple[str, int] | None:
    r"""Decode a match of `REFERENCE` in text: its characters and how many of `raw` they took.

    Returns None where `raw` is no reference.

    >>> decode_reference("&amp;"), decode_reference("&ampx"), decode_reference("&#0;")
    (('&', 5), ('&', 4), ('\ufffd', 4))
    >>> decode_reference("&unknown;") is None
    True
    """
    if raw[1] == "#":
        return _numeric(raw), len(raw)
    name = raw[1:]
    if name in html5:
        return html5[name], len(raw)
    for length in range(len(name) - 1, 1, -1):
        if name[:length] in html5:
            return html5[name[:length]], length + 1
    return None


def decode_attribute_reference(raw: str, following: str) -> tuple[str, int] | None:
    """Decode a match of `REFERENCE` in an attribute's value, as `decode_reference` does in text.

    A name without semicolon stays as it is before ``=`` or an alphanumeric character
    (HTML Standard, 13.2.5.73), so that query strings survive.

    Args:
        raw: the match.
        following: the value's characters after it; one is enough.
    """
    decoded = decode_reference(raw)
    if decoded is None or raw[1] == "#" or raw[decoded[1] - 1] == ";":
        return decoded
    after = raw[decoded[1] :] or following
    is_name = after[:1] == "=" or (after[:1].isascii() and after[:1].isalnum())
    return None if is_name else decoded


def decode_attribute(value: str) -> str:
    """Decode the references of an attribute's value.

    >>> decode_attribute("R&amp;D"), decode_attribute("?a=1&copy=2")
    ('R&D', '?a=1&copy=2')
    """
    return REFERENCE.sub(_attribute_reference, value) if "&" in value else value


def decode_text(raw: str) -> str:
    """Decode the character references of a stretch of text.

    >>> decode_text("R&amp;D &eacute;t&eacute")
    'R&D été'
    """
    return REFERENCE.sub(_decoded, raw) if "&" in raw else raw


def _decoded(match: re.Match[str]) -> str:
    raw = match.group()
    decoded = decode_reference(raw)
    return raw if decoded is None else decoded[0] + raw[decoded[1] :]


def _attribute_reference(match: re.Match[str]) -> str:
    raw, end = match.group(), match.end()
    decoded = decode_attribute_reference(raw, match.string[end : end + 1])
    return raw if decoded is None else decoded[0] + raw[decoded[1] :]


def _numeric(raw: str) -> str:
    digits = raw[2:].rstrip(";").lstrip("xX")
    digits = digits.lstrip("0")[:8]  # eight digits are past the last code point in either base
    code = int(digits or "0", 16 if raw[2] in "xX" else 10)
    if code == 0 or code > _MAX_CODE or 0xD800 <= code <= 0xDFFF:
        return _REPLACEMENT
    return _C1.get(code) or chr(code)
