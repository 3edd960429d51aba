"""Tell the format of a file: by its content first, then by its name."""

from __future__ import annotations

import re
from pathlib import PurePath

from docqa.errors import EncryptedError, UnsupportedFormatError
from docqa.loaders.zipped.kinds import ARCHIVE, DAMAGED, ENCRYPTED, ole_kind, zip_kind

__all__ = ["SUPPORTED_SUFFIXES", "SUPPORTED_TYPES", "TYPES_BY_SUFFIX", "detect_media_type"]

_OFFICE = "application/vnd.openxmlformats-officedocument."
_DOCX = _OFFICE + "wordprocessingml.document"
_PPTX = _OFFICE + "presentationml.presentation"
_EPUB = "application/epub+zip"

SUPPORTED_TYPES = {
    "application/pdf": "PDF",
    "text/html": "HTML",
    "text/markdown": "Markdown",
    "text/plain": "plain text",
    _DOCX: "Word (docx)",
    _PPTX: "PowerPoint (pptx)",
    _EPUB: "EPUB",
}

TYPES_BY_SUFFIX = {
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
    ".docx": _DOCX,
    ".docm": _DOCX,
    ".dotx": _DOCX,
    ".dotm": _DOCX,
    ".pptx": _PPTX,
    ".pptm": _PPTX,
    ".ppsx": _PPTX,
    ".potx": _PPTX,
    ".epub": _EPUB,
}
SUPPORTED_SUFFIXES = frozenset(TYPES_BY_SUFFIX)

# First bytes of formats that are often handed over by mistake, with what to do about each.
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
_BY_KIND = {"docx": _DOCX, "pptx": _PPTX, "epub": _EPUB}
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


def detect_media_type(data: bytes, *, source: str) -> str:
    """Return the media type of `data`, one of `SUPPORTED_TYPES`.

    Args:
        data: the whole content.
        source: path or name; its suffix decides where the content does not.

    Raises:
        UnsupportedFormatError: no loader reads it; the message lists what is supported.
        EncryptedError: it is an encrypted Office file, or a zip container with encrypted parts.
        TooLargeError: it is a zip container that exceeds a limit.

    >>> detect_media_type(b"<!doctype html><p>Hi", source="page.txt")
    'text/html'
    >>> detect_media_type(b"# Hi", source="README.md")
    'text/markdown'
    """
    suffix = PurePath(source).suffix.lower()
    named = TYPES_BY_SUFFIX.get(suffix)
    head = _ascii_head(data)
    if _is_certain_html(head):
        return "text/html"
    if _is_pdf(data):
        return "application/pdf"
    if data.startswith(_ZIP):
        return _zip_type(data, source, named)
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


def _is_certain_html(head: bytes) -> bool:
    """Say whether a document type or ``<html>`` comes first, but for an XML header and comments."""
    position = _after_space(head, 0)
    if head[position : position + 5].lower() == b"<?xml":
        position = _after_space(head, head.find(b">", position) + 1)
    while head.startswith(b"<!--", position):
        end = head.find(b"-->", position + 4)
        if end < 0:
            return False
        position = _after_space(head, end + 3)
    return _HTML_START.match(head, position) is not None


def _after_space(head: bytes, position: int) -> int:
    space = _SPACE.match(head, position)
    return space.end() if space else position


def _is_pdf(data: bytes) -> bool:
    """Say whether a PDF's header comes first, or after junk and with the rest of a PDF."""
    if _PDF_START.match(data):
        return True
    return (
        _PDF_HEADER.search(data, 0, _PDF_HEADER_WITHIN) is not None
        and b" obj" in data
        and (b"startxref" in data or b"%%EOF" in data)
    )


def _is_binary(data: bytes) -> bool:
    head = data[:_SNIFFED_BYTES]
    if head.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" not in head:
        return False
    half = max(1, len(head) // 2)
    even, odd = head[0::2].count(0) / half, head[1::2].count(0) / half
    return not (max(even, odd) > 0.3 and min(even, odd) < 0.1)  # UTF-16 without a mark


def _zip_type(data: bytes, source: str, named: str | None) -> str:
    """Return what a zip container holds; a damaged one is what its name says."""
    kind = zip_kind(data, source=source)
    if kind == DAMAGED and named in _BY_KIND.values():
        return str(named)
    if kind not in _BY_KIND:
        raise UnsupportedFormatError(_unsupported(source, kind), source=source)
    return _BY_KIND[kind]


def _refuse_ole(data: bytes, source: str) -> None:
    kind = ole_kind(data)
    if kind == ENCRYPTED:
        raise EncryptedError(
            f"{source}: this Office file is encrypted with a password, which docqa cannot use; "
            "open it in its program, remove the password and save a copy",
            source=source,
        )
    raise UnsupportedFormatError(_unsupported(source, kind), source=source)


def _refuse_foreign(data: bytes, source: str) -> None:
    if data.startswith(_OLE):
        _refuse_ole(data, source)
    if _GIF.match(data):
        raise UnsupportedFormatError(_unsupported(source, "a GIF image"), source=source)
    for magic, name in _FOREIGN:
        if data.startswith(magic):
            raise UnsupportedFormatError(_unsupported(source, name), source=source)


def _unsupported(source: str, name: str) -> str:
    supported = ", ".join(SUPPORTED_TYPES.values())
    advice = "Convert it to one of them"
    if name == ARCHIVE:
        advice = "Unpack it and ask the files in it"
    elif name.endswith("image"):
        advice = "Put it into a PDF, and read that with --ocr (ocr=True)"
    return (
        f"{source}: this is {name}, which docqa does not read; supported are {supported}. {advice}"
    )
