"""The kinds of zip containers by their parts, and of compound files (old or encrypted Office)."""

from __future__ import annotations

import re

from docqa.errors import MalformedError
from docqa.loaders.zipped.archive import ZipArchive

__all__ = ["ARCHIVE", "DAMAGED", "ENCRYPTED", "ole_kind", "zip_kind"]

ARCHIVE = "a zip archive"
DAMAGED = "a damaged zip container"
ENCRYPTED = "encrypted"

_CONTENT_TYPES = "[Content_Types].xml"
_MIMETYPE = "mimetype"
# ISO/IEC 29500-1, 11.3.10 and 13.3.6, and what [MS-OFFMACRO2] adds: the type of the main part.
_MAIN = (
    (re.compile(rb"(?:wordprocessingml|ms-word)\.[\w.]*main\+xml"), "docx"),
    (re.compile(rb"(?:presentationml|ms-powerpoint)\.[\w.]*main\+xml"), "pptx"),
    (re.compile(rb"(?:spreadsheetml|ms-excel)\.[\w.]*main"), "an Excel workbook (xlsx)"),
    (re.compile(rb"ms-visio\."), "a Visio drawing (vsdx)"),
)
_BY_MIMETYPE = (
    (b"application/epub+zip", "epub"),
    (b"application/vnd.oasis.opendocument.text", "an OpenDocument text (odt)"),
    (b"application/vnd.oasis.opendocument.spreadsheet", "an OpenDocument spreadsheet (ods)"),
    (b"application/vnd.oasis.opendocument.presentation", "an OpenDocument presentation (odp)"),
)
_BY_NAME = (
    ("META-INF/container.xml", "epub"),
    ("word/document.xml", "docx"),
    ("ppt/presentation.xml", "pptx"),
    ("xl/workbook.xml", "an Excel workbook (xlsx)"),
    ("Index/Document.iwa", "an Apple iWork document"),
    ("META-INF/MANIFEST.MF", "a Java archive (jar)"),
)
_READ_OF_A_SMALL_PART = 1 << 20

# Names of streams in a compound file's directory are UTF-16: [MS-CFB] 2.6.1.
_BY_STREAM = (
    ("EncryptedPackage", ENCRYPTED),
    ("WordDocument", "an old Word document (.doc)"),
    ("PowerPoint Document", "an old PowerPoint presentation (.ppt)"),
    ("Workbook", "an old Excel workbook (.xls)"),
    ("__nameid_version1.0", "an Outlook message (.msg)"),
)


def zip_kind(data: bytes, *, source: str) -> str:
    """Return ``"docx"``, ``"pptx"``, ``"epub"``, or the name of another kind of zip container.

    Raises:
        EncryptedError: its parts are encrypted.
        TooLargeError: it exceeds a limit of `ZipArchive`.
    """
    try:
        return _by_parts(ZipArchive(data, source=source))
    except MalformedError:
        return DAMAGED


def _by_parts(archive: ZipArchive) -> str:
    if _CONTENT_TYPES in archive:
        types = _start(archive, _CONTENT_TYPES)
        for pattern, kind in _MAIN:
            if pattern.search(types):
                return kind
    if _MIMETYPE in archive:
        mimetype = _start(archive, _MIMETYPE).strip()
        for declared, kind in _BY_MIMETYPE:
            if mimetype == declared:
                return kind
    return next((kind for name, kind in _BY_NAME if name in archive), ARCHIVE)


def _start(archive: ZipArchive, name: str) -> bytes:
    return next(archive.chunks(name), b"")[:_READ_OF_A_SMALL_PART]


def ole_kind(data: bytes) -> str:
    """Return ``"encrypted"`` for an encrypted Office file, else the kind of compound file.

    >>> ole_kind("EncryptedPackage".encode("utf-16-le"))
    'encrypted'
    """
    for name, kind in _BY_STREAM:
        if name.encode("utf-16-le") in data:
            return kind
    return "an old Microsoft Office file"
