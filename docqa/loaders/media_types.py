"""Tell the format of a file: by its content first, then by its name."""

from __future__ import annotations

import re
from pathlib import PurePath

from docqa.errors import UnsupportedFormatError

__all__ = ["SUPPORTED_SUFFIXES", "SUPPORTED_TYPES", "detect_media_type"]

SUPPORTED_TYPES = {
    "application/pdf": "PDF",
    "text/html": "HTML",
    "text/markdown": "Markdown",
    "text/plain": "plain text",
}

_BY_SUFFIX = {
    ".pdf": "application/pdf",
    ".html": "text/html",
    ".htm": "text/html",
    ".xhtml": "text/html",
    ".xht": "text/html",
    ".shtml": "text/html",
    ".md": "text/markdown",
    ".markdown": "text/markdown",
    ".mdown": "text/markdown",
    ".txt": "text/plain",
    ".text": "text/plain",
    ".rst": "text/plain",
    ".log": "text/plain",
}
SUPPORTED_SUFFIXES = frozenset(_BY_SUFFIX)

# First bytes of formats that are often handed over by mistake, with what to do about each.
_FOREIGN = (
    (b"PK\x03\x04", "a zip container (such as docx, xlsx, pptx, epub or odt)"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Microsoft Office file"),
    (b"{\\rtf", "a rich text (RTF) file"),
    (b"\x89PNG\r\n\x1a\n", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF8", "a GIF image"),
    (b"II*\x00", "a TIFF image"),
    (b"MM\x00*", "a TIFF image"),
    (b"%!PS", "a PostScript file"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"Rar!", "a RAR archive"),
    (b"\x7fELF", "a program"),
    (b"SQLite format 3\x00", "an SQLite database"),
)
_PDF_HEADER_WITHIN = 1024  # ISO 32000-1, annex H.3.4.1: readers accept a header in this range
_HTML_CERTAIN = re.compile(
    rb"\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html[\s>])", re.I | re.S
)
# The tags of the WHATWG "MIME Sniffing" standard, section 7.1.
_HTML_LIKELY = re.compile(
    rb"\s*<(?:head|script|iframe|h1|div|font|table|a|style|title|b|body|br|p|!--)(?:[\s>]|(?<=--))",
    re.I,
)
_SNIFFED_BYTES = 4096


def detect_media_type(data: bytes, *, source: str) -> str:
    """Return the media type of `data`, one of `SUPPORTED_TYPES`.

    Args:
        data: the whole content.
        source: path or name; its suffix decides where the content does not.

    Raises:
        UnsupportedFormatError: no loader reads it; the message lists what is supported.

    >>> detect_media_type(b"<!doctype html><p>Hi", source="page.txt")
    'text/html'
    >>> detect_media_type(b"# Hi", source="README.md")
    'text/markdown'
    """
    suffix = PurePath(source).suffix.lower()
    named = _BY_SUFFIX.get(suffix)
    if b"%PDF-" in data[:_PDF_HEADER_WITHIN]:
        return "application/pdf"
    head = _ascii_head(data)
    if _HTML_CERTAIN.match(head):
        return "text/html"
    _refuse_foreign(data, source)
    if named is None and _HTML_LIKELY.match(head):
        return "text/html"
    if named is not None:
        return named
    if _is_binary(data):
        raise UnsupportedFormatError(_unsupported(source, "a binary file"), source=source)
    return "text/plain"


def _ascii_head(data: bytes) -> bytes:
    """Return the first bytes with a byte order mark, and the NULs of UTF-16, taken out."""
    head = data[:_SNIFFED_BYTES]
    if head.startswith(b"\xef\xbb\xbf"):
        return head[3:]
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return head[2:].replace(b"\0", b"")
    return head


def _is_binary(data: bytes) -> bool:
    head = data[:_SNIFFED_BYTES]
    if head.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" not in head:
        return False
    half = max(1, len(head) // 2)
    even, odd = head[0::2].count(0) / half, head[1::2].count(0) / half
    return not (max(even, odd) > 0.3 and min(even, odd) < 0.1)  # UTF-16 without a mark


def _refuse_foreign(data: bytes, source: str) -> None:
    for magic, name in _FOREIGN:
        if data.startswith(magic):
            raise UnsupportedFormatError(_unsupported(source, name), source=source)


def _unsupported(source: str, name: str) -> str:
    supported = ", ".join(SUPPORTED_TYPES.values())
    return (
        f"{source}: this is {name}, which docqa does not read; supported are {supported}. "
        "Convert it to one of them"
    )
