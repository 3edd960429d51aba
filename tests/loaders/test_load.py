"""Sources and formats: what `docqa.load` takes, what it refuses, and how it says so."""

from __future__ import annotations

import io
import os
import pickle
import sys
from pathlib import Path

import pytest

import docqa
from docqa.datamodel import Span
from docqa.loaders.formats import detect_media_type


@pytest.mark.parametrize(
    ("data", "name", "expected"),
    [
        (b"%PDF-1.7\n", "x.txt", "application/pdf"),
        (b"\xef\xbb\xbf\r\n %PDF-1.4\n", "x", "application/pdf"),
        (b"junk\n%PDF-1.4\n1 0 obj\n<<>>\nendobj\n%%EOF", "x", "application/pdf"),
        (b"# Headers\n\nA file starts with `%PDF-1.7`.", "x.md", "text/markdown"),
        (b"<!DOCTYPE html><p>%PDF-1.7, then 1 0 obj, startxref", "x", "text/html"),
        (b"Rar! means rare.", "x.txt", "text/plain"),
        (b"GIF89a is a format", "x.txt", "text/plain"),
        (b"\xef\xbb\xbf<!DOCTYPE html><p>", "x.txt", "text/html"),
        ("<html>".encode("utf-16"), "x", "text/html"),
        (b"<?xml version='1.0'?>\n<!-- c -->\n<html xmlns='x'>", "x.xml", "text/html"),
        (b"<div align=center>logo</div>\n# Title", "README.md", "text/markdown"),
        (b"<div>fragment</div>", "-", "text/html"),
        (b"<p>", "x.html", "text/html"),
        (b"1 < 2 and plain", "-", "text/plain"),
        (b"", "empty.txt", "text/plain"),
        ("plain".encode("utf-16-le"), "-", "text/plain"),
        (b"not a pdf at all", "x.pdf", "application/pdf"),
    ],
)
def test_format_by_content_then_by_name(data, name, expected):
    """Certain content wins over the name; the name settles what content leaves open."""
    assert detect_media_type(data, source=name) == expected


@pytest.mark.parametrize(
    "data",
    [
        *(b"PK\x03\x04rest", b"\x89PNG\r\n\x1a\n", bytes(range(32)) * 9, b"{\\rtf1 x}"),
        *(b"GIF89a\x40\x01\xf0\x00\xf7\x00\x00", b"Rar!\x1a\x07\x00"),
    ],
)
def test_an_unsupported_format_lists_what_is_supported(data):
    """The error names the file, what it seems to be, and every supported format."""
    with pytest.raises(docqa.UnsupportedFormatError, match=r"x\.bin: .*PDF, HTML, Markdown, plain"):
        docqa.load(data, name="x.bin")


def test_many_comments_take_linear_time():
    """Comments before the first tag are skipped one by one, not in every combination."""
    assert docqa.load(b"<!-- -->" * 400 + b"<p>hi", name="x.html").text == "hi"


def test_a_missing_file_is_named(tmp_path: Path):
    """No such file: the path, and what to do."""
    with pytest.raises(docqa.SourceNotFoundError, match=r"gone\.pdf: no such file; check the path"):
        docqa.load(tmp_path / "gone.pdf")


def test_a_folder_is_refused(tmp_path: Path):
    """A folder is no document; the message says to pass the files in it."""
    with pytest.raises(docqa.SourceUnreadableError, match="folder; pass the files"):
        docqa.load(tmp_path)


def test_an_impossible_path_is_unreadable_not_a_traceback():
    """A path with a NUL is an error of the tree."""
    with pytest.raises(docqa.LoadError):
        docqa.load("a\0b")


def test_a_stream_that_breaks_off_is_unreadable():
    """An error while reading an open file is translated."""

    class Broken(io.RawIOBase):
        def read(self, size: int = -1) -> bytes:
            raise OSError("the line went dead")

    with pytest.raises(docqa.SourceUnreadableError, match="the line went dead"):
        docqa.load(Broken())


@pytest.mark.parametrize("wrap", [bytes, io.BytesIO, lambda b: io.StringIO(b.decode()), bytearray])
def test_bytes_and_files_load_alike(wrap):
    """Bytes, binary and text files give the same document."""
    assert docqa.load(wrap(b"Oil: 40 litres.")).text == "Oil: 40 litres."


def test_a_text_file_gives_its_bytes(tmp_path: Path):
    """A file opened as text, whatever its encoding, loads like its path until it was read from."""
    page = tmp_path / "page.html"
    page.write_bytes("<!doctype html><meta charset=iso-8859-1><p>caf\xe9\r\n".encode("latin-1"))
    with page.open(encoding="utf-8") as file:
        document = docqa.load(file)
    assert (document.text, document.id) == ("café", docqa.load(page).id)
    with page.open(encoding="latin-1") as file:
        file.read(15)
        assert docqa.load(file, media_type="text/html").text == "café"


def test_declarations_in_a_decoded_text_do_not_count():
    """What is text already is not decoded again as its page or its caller says."""
    page = '<!doctype html><meta charset="iso-8859-1"><p>Price: £5 café'
    assert docqa.load(io.StringIO(page)).text == "Price: £5 café"
    assert docqa.load(io.StringIO("café"), encoding="latin-1").text == "café"


@pytest.mark.parametrize("content", [None, 3, "half \udc80"])
def test_a_file_that_gives_neither_bytes_nor_text_is_unreadable(content):
    """Whatever `read` returns, the error is one of the tree."""

    class Odd:
        def read(self) -> object:
            return content

    with pytest.raises(docqa.SourceUnreadableError, match=r"<file>: .*(read\(\) gave|surrogate)"):
        docqa.load(Odd())  # type: ignore[arg-type]


def test_a_path_of_bytes_is_a_path(tmp_path: Path):
    """A `PathLike` may say its path in bytes."""
    (tmp_path / "a.txt").write_bytes(b"Oil")

    class BytesPath:
        def __fspath__(self) -> bytes:
            return os.fsencode(tmp_path / "a.txt")

    assert docqa.load(BytesPath()).text == "Oil"  # type: ignore[arg-type]


def test_an_empty_path_is_named_so():
    """An empty path is no folder."""
    with pytest.raises(docqa.SourceNotFoundError, match="empty path"):
        docqa.load("")


def test_a_dash_is_standard_input(monkeypatch: pytest.MonkeyPatch):
    """``-`` reads standard input and is the document's source."""
    stdin = io.TextIOWrapper(io.BytesIO(b"From a pipe."))
    monkeypatch.setattr(sys, "stdin", stdin)
    document = docqa.load("-")
    assert (document.text, document.source) == ("From a pipe.", "-")


def test_a_document_is_returned_as_it_is():
    """Loading a document again costs nothing and changes nothing."""
    document = docqa.load(b"x")
    assert docqa.load(document) is document


def test_a_text_passed_as_path_is_told_how():
    """Somebody who passes the text itself is told to pass it as bytes."""
    with pytest.raises(docqa.SourceNotFoundError, match="as bytes"):
        docqa.load("The lamp burns all night.")


def test_image_by_itself():
    """An image is refused with the way to read it."""
    with pytest.raises(docqa.UnsupportedFormatError, match=r"a PNG image.*into a PDF.*--ocr"):
        docqa.load(b"\x89PNG\r\n\x1a\n and more", name="page.png")


@pytest.mark.parametrize("setting", [{"media_type": "image/png"}, {"encoding": "no-such"}])
def test_unknown_settings_are_errors(setting):
    """A setting that nothing knows is refused by name, and is a ValueError."""
    with pytest.raises(docqa.SettingError, match=next(iter(setting.values()))):
        docqa.load(b"x", **{"media_type": "text/plain", **setting})


def test_something_that_is_no_source_is_refused():
    """A number is neither a path nor a file."""
    with pytest.raises(docqa.SettingError, match="int"):
        docqa.load(3)  # type: ignore[arg-type]


def test_bytes_that_no_encoding_explains_are_malformed():
    """Named as text but not text: an error that offers `encoding=`."""
    with pytest.raises(docqa.MalformedError, match="encoding="):
        docqa.load(bytes(range(256)) * 40, name="x.txt")


def test_load_errors_survive_pickling():
    """Worker processes can send an error with its source and page."""
    error = docqa.MalformedError("x: broken", source="x", page_number=3)
    copy = pickle.loads(pickle.dumps(error))
    assert (type(copy), str(copy), copy.page_number) == (docqa.MalformedError, "x: broken", 3)


def test_locating_nothing_is_an_error():
    """An empty span, or one outside the text, has no place."""
    document = docqa.load(b"abc")
    for span in (Span(1, 1), Span(2, 9)):
        with pytest.raises(ValueError, match="empty or outside"):
            document.locate(span)
