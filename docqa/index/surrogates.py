r"""Escape lone surrogates, which have no UTF-8 but stand in names of files.

The bytes of a file's name need not be UTF-8; Python gives each that is not as half of a pair.

>>> escape_surrogates("/caf\udce9.txt")
'\x00"/caf\\udce9.txt"'
>>> unescape_surrogates(escape_surrogates("/caf\udce9.txt")) == "/caf\udce9.txt"
True
>>> escape_surrogates("/café.txt")
'/café.txt'
"""

from __future__ import annotations

import json

__all__ = ["escape_surrogates", "unescape_surrogates"]

_MARK = "\0"  # no path holds it


def escape_surrogates(text: str) -> str:
    """Return the text, or where it has lone surrogates an escaped text that no other text gives."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return _MARK + json.dumps(text)
    return _MARK + json.dumps(text) if text.startswith(_MARK) else text


def unescape_surrogates(text: str) -> str:
    """Return the text from which `escape_surrogates` made this one."""
    if not text.startswith(_MARK):
        return text
    original: str = json.loads(text[len(_MARK) :])
    return original
