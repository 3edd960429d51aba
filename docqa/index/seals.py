"""Checksums in front of stored bytes, so that a changed byte is seen when they are read.

A seal is a mark and the CRC-32 of what follows, in hexadecimal. CRC-32 sees every change of one
byte and every burst of up to 32 bits (W. W. Peterson and D. T. Brown, "Cyclic Codes for Error
Detection", 1961); it is against failing disks, not against an attacker. The mark is in front, so
that no truncation makes a sealed file look like one that never had a seal.
"""

from __future__ import annotations

import zlib

__all__ = ["is_sealed", "sealed", "unsealed"]

_MARK = b"docqa crc32 "
_LENGTH = len(_MARK) + 9  # eight digits and the end of the line


def sealed(data: bytes, beside: bytes = b"") -> bytes:
    r"""Return bytes behind their seal.

    Args:
        data: the bytes.
        beside: others that belong to them and are kept elsewhere; the seal is over both.

    >>> sealed(b"text")
    b'docqa crc32 3b8ba7c7\ntext'
    """
    return _MARK + _digits(data, beside) + data


def is_sealed(data: bytes) -> bool:
    """Return whether bytes begin with the mark of a seal, right or not."""
    return data.startswith(_MARK)


def unsealed(data: bytes, beside: bytes = b"") -> bytes:
    """Return the bytes behind a seal; those without a mark, of an older version, as they are.

    Args:
        data: with a seal.
        beside: see `sealed`.

    Raises:
        ValueError: they, or those beside them, are not what was sealed.
    """
    if not is_sealed(data):
        return data
    body = data[_LENGTH:]
    if data[len(_MARK) : _LENGTH] != _digits(body, beside):
        raise ValueError("its checksum does not match")
    return body


def _digits(data: bytes, beside: bytes) -> bytes:
    return b"%08x\n" % zlib.crc32(data, zlib.crc32(beside))
