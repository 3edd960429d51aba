"""Insert tags into the bytes of a file, in its own encoding.

In ISO-2022 encodings an escape sequence says what the bytes after it mean (RFC 1468), so that a tag
can stand only where ASCII is in force, or between two sequences that bring it about. Browsers take
two sequences in a row for an error (Encoding Standard, 12.2.1): none is ever put beside another.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import groupby
from typing import NamedTuple

from docqa.errors import HighlightError

__all__ = ["Insertion", "insert"]

_ASCII = b"\x1b(B"
_ESCAPE = re.compile(rb"\x1b(?:\([BIJ]|\$[@AB]|\$\([CDOPQ])")
_LAST_ESCAPE = re.compile(rb".*(\x1b(?:\([BIJ]|\$[@AB]|\$\([CDOPQ]))", re.DOTALL)
_ESCAPE_FREE = 4096
"""Bytes looked back at a time for the escape sequence in force."""


class Insertion(NamedTuple):
    """Say which ASCII text to insert in front of the byte `offset`."""

    offset: int
    text: str


def insert(data: bytes, insertions: Iterable[Insertion], *, codec: str) -> bytes:
    r"""Return `data` with all insertions made; they are sorted by offset.

    Args:
        data: the file; it stays complete and in order.
        insertions: at offsets between two characters.
        codec: Python's name of the file's encoding.

    Raises:
        HighlightError: what bytes mean in this encoding depends on those before them, in a way
            that leaves no place to insert.

    >>> insert("aé".encode("utf-16-le"), [Insertion(2, "<b>")], codec="utf-16-le")[:6]
    b'a\x00<\x00b\x00'
    """
    escapes = codec.startswith("iso2022_jp")
    if not escapes and (codec.startswith("iso2022") or codec in ("hz", "utf-7")):
        raise HighlightError(
            f"no tag can be put into a page in {codec}; save it as UTF-8 and ask that copy"
        )
    out: list[bytes] = []
    position = 0
    for offset, group in groupby(insertions, key=lambda one: one.offset):
        text = "".join(one.text for one in group).encode(codec)
        place, text = _between_escapes(data, offset, text) if escapes else (offset, text)
        out += [data[position:place], text]
        position = place
    return b"".join([*out, data[position:]])


def _between_escapes(data: bytes, offset: int, text: bytes) -> tuple[int, bytes]:
    """Return where to insert, and what, so that `text` is ASCII and all after it means the same."""
    before = _in_force(data, offset)
    if before == _ASCII:
        return offset, text
    following = _ESCAPE.match(data, offset)
    if following is None:
        return offset, _ASCII + text + before
    if following.group() == _ASCII:
        return following.end(), text
    return offset, _ASCII + text


def _in_force(data: bytes, offset: int) -> bytes:
    """Return the escape sequence that says what the byte at `offset` means."""
    end = offset
    while end > 0:
        start = max(0, end - _ESCAPE_FREE)
        found = _LAST_ESCAPE.match(data, start, end)
        if found:
            return found.group(1)
        end = start + 3 if start else 0  # a sequence may lie across the border
    return _ASCII
