"""Which format a container is: its parts say so, whatever its name."""

from __future__ import annotations

from collections.abc import Callable

import pytest

import docqa
from docqa.errors import EncryptedError, MalformedError, UnsupportedFormatError
from docqa.loaders.formats import SUPPORTED_TYPES, detect_media_type

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500)


def test_content_goes_before_the_name(
    word: Callable[..., bytes],
    show: Callable[..., bytes],
    slide: Callable[..., str],
    book: Callable[..., bytes],
) -> None:
    """A Word document called a.pptx, a.txt or nothing at all is a Word document."""
    files = (word("<w:p/>"), show([slide("")]), book({}))
    names = ("a.pptx", "a.epub", "a.txt", "a.zip", "-")
    kinds = [{detect_media_type(data, source=name) for name in names} for data in files]
    assert kinds == [{kind} for kind in list(SUPPORTED_TYPES)[4:7]]


@pytest.mark.parametrize(
    ("suffixes", "words"),
    [("docx docm dotx dotm", "Word"), ("pptx pptm ppsx potx", "PowerPoint"), ("epub", "EPUB")],
)
def test_suffixes(suffixes: str, words: str) -> None:
    """A damaged container is what its name says, so that the message is about the damage."""
    for suffix in suffixes.split():
        kind = detect_media_type(b"PK\x03\x04", source=f"a.{suffix}")
        assert SUPPORTED_TYPES[kind].startswith(words)
        with pytest.raises(MalformedError, match="damaged, get a fresh copy"):
            docqa.load(b"PK\x03\x04", name=f"a.{suffix}")


_OFFICE = "application/vnd.openxmlformats-officedocument."
_EXCEL = f'<Override ContentType="{_OFFICE}spreadsheetml.sheet.main+xml"/>'


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ({"[Content_Types].xml": _EXCEL}, r"an Excel workbook \(xlsx\)"),
        ({"mimetype": "application/vnd.oasis.opendocument.text"}, "an OpenDocument text"),
        ({"Index/Document.iwa": ""}, "an Apple iWork document"),
        ({"photo.jpg": ""}, "a zip archive"),
        ({}, "a zip archive"),
    ],
)
def test_other_containers_are_named(
    zipped: Callable[..., bytes], parts: dict[str, str], words: str
) -> None:
    """The refusal says what the file truly is."""
    with pytest.raises(UnsupportedFormatError, match=f"x.docx: this is {words}.*supported are PDF"):
        docqa.load(zipped(parts), name="x.docx")


@pytest.mark.parametrize(
    ("stream", "error", "words"),
    [
        ("EncryptedPackage", EncryptedError, "remove the password and save a copy"),
        ("WordDocument", UnsupportedFormatError, r"an old Word document \(.doc\)"),
        ("PowerPoint Document", UnsupportedFormatError, r"an old PowerPoint .*\(.ppt\)"),
        ("Whatever", UnsupportedFormatError, "an old Microsoft Office file"),
    ],
)
def test_compound_files_are_told_apart(stream: str, error: type, words: str) -> None:
    """An encrypted document and an old one look alike at first sight."""
    with pytest.raises(error, match=words):
        docqa.load(_OLE + stream.encode("utf-16-le"), name="x.docx")
