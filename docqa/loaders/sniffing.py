"""Recognise the content of a file by its first bytes, its zip container or its structure."""

from __future__ import annotations

import re

from docqa.errors import EncryptedError
from docqa.loaders.zipped.kinds import ENCRYPTED, ole_kind

__all__ = [
    "MAILBOX",
    "foreign_kind",
    "is_binary",
    "is_html",
    "is_message",
    "is_padded_text",
    "is_pdf",
    "is_zip",
    "looks_like_html",
]

# First bytes of formats that are often handed over by mistake, with their names.
_FOREIGN = (
    (b"{\\rtf", "a rich text (RTF) file"),
    (b"\x89PNG\r\n\x1a\n", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"II*\x00", "a TIFF image"),
    (b"MM\x00*", "a TIFF image"),
    (b"%!PS", "a PostScript file"),
    (b"\x1f\x8b\x08", "a gzip archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"Rar!\x1a\x07", "a RAR archive"),
    (b"\x7fELF", "a program"),
    (b"SQLite format 3\x00", "an SQLite database"),
)
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
# A text may start with these letters; the sizes that follow in an image are no text.
_GIF = re.compile(rb"GIF8[79]a.{0,6}[\x00-\x08\x0e-\x1f]", re.DOTALL)
_PDF_START = re.compile(rb"(?:\xef\xbb\xbf)?[\x00\t\n\f\r ]*%PDF-")
_PDF_HEADER = re.compile(rb"%PDF-\d")
_PDF_HEADER_WITHIN = 1024  # ISO 32000-1, annex H.3.4.1: readers accept a header in this range
_HTML_START = re.compile(rb"<(?:!doctype\s+html|html[\s>])", re.IGNORECASE)
_SPACE = re.compile(rb"\s*")
# The tags of the WHATWG "MIME Sniffing" standard, section 7.1.
_HTML_LIKELY = re.compile(
    rb"\s*<(?:head|script|iframe|h1|div|font|table|a|style|title|b|body|br|p|!--)(?:[\s>]|(?<=--))",
    re.I,
)
_SNIFFED_BYTES = 4096
_PADDED_BYTES = 65_536  # in which there is text beside the padding
_BETWEEN_NULS = 8  # bytes of text for each run of NULs, at least; names in tables have fewer
_MOST_CONTROLS = 0.01
_TEXT_CONTROLS = frozenset(b"\t\n\v\f\r\b\x1a\x1b")

MAILBOX = "an mbox of several messages"
_MESSAGE_HEADER = re.compile(rb"(?:From [^\n]*\n)?(?:[!-9;-~]+[ \t]*:[^\n]*\n(?:[ \t][^\n]*\n)*)+")
_MESSAGE_FIELDS = tuple(
    re.compile(rb"^" + name + rb"[ \t]*:", re.IGNORECASE | re.MULTILINE)
    for name in (b"mime-version", b"content-type")
)
_HEADER_WITHIN = 65_536  # servers and spam filters add lines of their own
_NEXT_MESSAGE = re.compile(rb"\n\r?\nFrom [^\n]*[0-9]{4}[^\n]{0,9}\n[!-9;-~]+:")


def is_html(data: bytes) -> bool:
    """Say whether a document type or ``<html>`` comes first, but for an XML header and comments.

    >>> is_html(b"<!-- saved --><!doctype html><p>Hi"), is_html(b"<p>Hi")
    (True, False)
    """
    head = _ascii_head(data)
    position = _after_space(head, 0)
    while head.startswith((b"<!--", b"<?xml"), position):
        closing = b"-->" if head.startswith(b"<!--", position) else b">"
        end = head.find(closing, position + 4)
        if end < 0:
            return False
        position = _after_space(head, end + len(closing))
    return _HTML_START.match(head, position) is not None


def looks_like_html(data: bytes) -> bool:
    """Say whether a tag that is frequent at the start of web pages comes first."""
    return _HTML_LIKELY.match(_ascii_head(data)) is not None


def is_pdf(data: bytes) -> bool:
    """Say whether a PDF's header comes first, or after junk and with the rest of a PDF."""
    if _PDF_START.match(data):
        return True
    return (
        _PDF_HEADER.search(data, 0, _PDF_HEADER_WITHIN) is not None
        and b" obj" in data
        and (b"startxref" in data or b"%%EOF" in data)
        and not is_html(data)
    )


def is_message(data: bytes) -> bool:
    r"""Say whether the header lines of a MIME message come first.

    >>> is_message(b"From: a@example.org\nMIME-Version: 1.0\nContent-Type: text/plain\n\nHi")
    True
    """
    header = _MESSAGE_HEADER.match(data, 0, _HEADER_WITHIN)
    if header is None or _is_mailbox(data):
        return False
    return all(field.search(header.group()) for field in _MESSAGE_FIELDS)


def _is_mailbox(data: bytes) -> bool:
    """Say whether messages follow one another, each behind a line of its own (RFC 4155)."""
    return data.startswith(b"From ") and _NEXT_MESSAGE.search(data) is not None


def is_zip(data: bytes) -> bool:
    """Say whether a zip container begins."""
    return data.startswith(_ZIP)


def is_binary(data: bytes) -> bool:
    """Say whether the first bytes hold a NUL and are neither UTF-16 nor a text around NULs."""
    head = data[:_SNIFFED_BYTES]
    if head.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" not in head:
        return False
    half = max(1, len(head) // 2)
    even, odd = head[0::2].count(0) / half, head[1::2].count(0) / half
    if max(even, odd) > 0.3 and min(even, odd) < 0.1:
        return False  # UTF-16 without a mark
    return not is_padded_text(data[:_PADDED_BYTES])


def is_padded_text(sample: bytes) -> bool:
    r"""Say whether bytes are lines of text but for a few runs of NULs.

    A log has them after a power cut, or at the end of its space on the disk. Records of a fixed
    size and strings of a program have NULs all over.

    >>> is_padded_text(b"10:00 pump on" + bytes(9) + b"10:01 off"), is_padded_text(b"a\0b\0c\0")
    (True, False)
    """
    runs = [run for run in sample.split(b"\0") if run]
    text = b"".join(runs)
    odd = sum((byte < 0x20 and byte not in _TEXT_CONTROLS) or byte == 0x7F for byte in text)
    return len(text) >= _BETWEEN_NULS * len(runs) > 0 and odd <= _MOST_CONTROLS * len(text)


def foreign_kind(data: bytes, *, source: str) -> str | None:
    """Return the name of a format that no loader reads, such as ``"a PNG image"``, or None.

    Raises:
        EncryptedError: it is an encrypted Office file.
    """
    if data.startswith(_OLE):
        return _ole_kind(data, source)
    if _is_mailbox(data):
        return MAILBOX
    if _GIF.match(data):
        return "a GIF image"
    return next((name for magic, name in _FOREIGN if data.startswith(magic)), None)


def _ole_kind(data: bytes, source: str) -> str:
    kind = ole_kind(data)
    if kind == ENCRYPTED:
        raise EncryptedError(
            f"{source}: this Office file is encrypted with a password, which docqa cannot use; "
            "open it in its program, remove the password and save a copy",
            source=source,
        )
    return kind


def _ascii_head(data: bytes) -> bytes:
    """Return the first bytes with a byte order mark, and the NULs of UTF-16, taken out."""
    head = data[:_SNIFFED_BYTES]
    if head.startswith(b"\xef\xbb\xbf"):
        return head[3:]
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return head[2:].replace(b"\0", b"")
    return head


def _after_space(head: bytes, position: int) -> int:
    space = _SPACE.match(head, position)
    return space.end() if space else position
