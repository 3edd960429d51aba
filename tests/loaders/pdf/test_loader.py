"""What files become: documents with warnings, or errors that say what to do."""

from __future__ import annotations

import hashlib
import logging
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from docqa.datamodel import Document, Span
from docqa.errors import EncryptedError, LoadError, MalformedError, SettingError
from docqa.limits import Limits
from docqa.loaders.pdf.loader import PdfLoader
from docqa.protocols import Loader, SourceMap


def kinds(document: Document) -> list[str]:
    return [warning.kind for warning in document.warnings]


def encrypted(data: bytes, **settings: object) -> bytes:
    """Return the file encrypted by pypdf."""
    import pypdf

    writer, target = pypdf.PdfWriter(clone_from=BytesIO(data)), BytesIO()
    writer.encrypt(**settings)
    writer.write(target)
    return target.getvalue()


@pytest.fixture
def plain(pdf, write) -> bytes:
    """Return a file of one page."""
    pdf.info = "/Title(Annual Report)/Author(A. Writer)/CreationDate(D:20240131093000Z)"
    pdf.page(write(20, 150, "plain words"))
    return pdf.to_bytes()


def test_document_of_a_plain_file(plain, load):
    """Everything that the file says of itself is in the document."""
    document = load(plain)
    assert document.id == hashlib.sha256(plain).hexdigest()
    assert (document.title, document.media_type) == ("Annual Report", "application/pdf")
    assert document.metadata["created"] == "2024-01-31T09:30:00+00:00"
    assert document.extractor.startswith("pypdfium2 ")
    assert (document.pages[0].width, document.pages[0].height) == (300, 200)
    assert document.warnings == ()


def test_protocols(plain, load):
    """Loader and source map keep their seams."""
    assert isinstance(PdfLoader(), Loader)
    assert isinstance(load(plain).source_map, SourceMap)


def test_progress(pdf, write, load):
    """Progress counts the pages done."""
    calls: list[tuple[int, int]] = []
    for _ in range(3):
        pdf.page(write(20, 150, "words"))
    load(pdf, progress=lambda done, total: calls.append((done, total)))
    assert calls == [(1, 3), (2, 3), (3, 3)]


@pytest.mark.parametrize("algorithm", ["RC4-40", "RC4-128", "AES-128", "AES-256"])
@pytest.mark.parametrize("password", ["secret", "pässwörd"])
def test_password(plain, load, algorithm, password):
    """User's and owner's passwords open every kind of encryption, also for places."""
    data = encrypted(plain, user_password=password, owner_password="owner", algorithm=algorithm)
    for given_password in (password, "owner"):
        document = load(data, password=given_password)
        assert document.text == "plain words"
        assert document.locate(Span(0, 5))[0].boxes


def test_password_in_another_unicode_form(plain, load):
    """A password is compared after SASLprep, as the standard for AES-256 says."""
    data = encrypted(plain, user_password="IX", algorithm="AES-256")
    assert load(data, password="I\u00adX").text == "plain words"


@pytest.mark.parametrize("algorithm", ["RC4-128", "AES-256"])
def test_a_password_that_is_not_needed(plain, load, algorithm):
    """A file that opens without password opens with a wrong one too, and says so."""
    data = encrypted(plain, user_password="", owner_password="owner", algorithm=algorithm)
    document = load(data, password="another")
    assert (document.text, kinds(document)) == ("plain words", ["password-not-needed"])
    assert document.locate(Span(0, 5))[0].boxes
    assert kinds(load(data, password="owner")) == kinds(load(data)) == []


@pytest.mark.parametrize("given", [None, "wrong"])
def test_an_empty_owner_password_opens_nothing(plain, load, monkeypatch, given):
    """Where PDFium wants a password, pypdf is not let in with the empty one."""
    data = encrypted(plain, user_password="secret", algorithm="AES-256")
    monkeypatch.setattr("pypdf.PdfReader.decrypt", lambda self, password: password == "")
    with pytest.raises(EncryptedError):
        load(data, password=given)


def test_passwords_that_are_no_text(plain, load):
    """Undecoded bytes are a password like any other; what is no text is a wrong setting."""
    data = encrypted(plain, user_password="secret", algorithm="AES-256")
    with pytest.raises(EncryptedError, match="does not open"):
        load(data, password="a\udcff")
    for password in (b"secret", "a\ud800"):
        with pytest.raises(SettingError, match="password"):
            load(data, password=password)


def test_missing_and_wrong_password_differ(plain, load):
    """The error says whether a password is missing or wrong, and how to give it."""
    data = encrypted(plain, user_password="secret", algorithm="AES-256")
    with pytest.raises(EncryptedError, match=r"needs a password: give password= or --password"):
        load(data)
    with pytest.raises(EncryptedError, match=r"does not open test\.pdf"):
        load(data, password="wrong")


def test_owner_only_file_opens(plain, load):
    """A file that only restricts opens without password and says what it forbids."""
    data = encrypted(
        plain, user_password="", owner_password="o", permissions_flag=0b100, algorithm="AES-256"
    )
    document = load(data)
    assert document.text == "plain words"
    assert document.metadata["permissions"] == "print"
    assert kinds(document) == ["permissions"]


@pytest.mark.parametrize(
    "data", [b"", b"%PDF-1.7\n", b"%PDF-1.7\n" + b"\x93junk" * 999, b"<html>no</html>"]
)
def test_broken_file(load, data):
    """What is no PDF is an error that says so."""
    with pytest.raises(MalformedError, match=r"test\.pdf is not a PDF that can be read"):
        load(data)


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_damaged_files_end_well(new_pdf, data):
    """A file with any stretch cut out or overwritten is a document or a clear error."""
    pdf = new_pdf()
    pdf.page("BT /F1 12 Tf 20 100 Td (words) Tj ET")
    content = pdf.to_bytes()
    start = data.draw(st.integers(0, len(content)))
    end = data.draw(st.integers(start, len(content)))
    damaged = content[:start] + data.draw(st.binary(max_size=20)) + content[end:]
    try:
        document = PdfLoader().load(damaged, source="damaged.pdf")
    except LoadError as error:
        assert error.source == "damaged.pdf"  # noqa: PT017 -- either end is right
    else:
        assert not document.text or document.locate(Span(0, len(document.text)))


def test_fallback_text_without_rectangles(plain, load):
    """A file that PDFium refuses is read by pypdf, and says that it has no rectangles."""
    document = load(b"junk before the header\n" * 100 + plain)
    assert document.text == "plain words"
    assert document.extractor.startswith("pypdf ")
    assert kinds(document) == ["no-rectangles"]
    (location,) = document.locate(Span(0, 5))
    assert (location.page_number, location.boxes) == (1, None)
    assert document.title == "Annual Report"


def test_fallback_keeps_quiet(plain, load, capfd):
    """The log of pypdf goes to those who listen, and never to the terminal by itself."""
    logging.getLogger("pypdf").propagate = False
    try:
        load(b"junk before the header\n" * 100 + plain)
    finally:
        logging.getLogger("pypdf").propagate = True
    assert capfd.readouterr() == ("", "")


def test_page_that_fails(pdf, write, load):
    """A page that cannot be loaded is kept, empty, with a warning that names it."""
    pdf.page(write(20, 150, "first"))
    pdf.pages.append(99)
    pdf.page(write(20, 150, "third"))
    document = load(pdf)
    assert document.text == "first\f\fthird"
    (warning,) = document.warnings
    assert (warning.kind, warning.page_number) == ("page-failed", 2)
    assert document.locate(document.text and Span(7, 12))[0].page_number == 3


@pytest.mark.parametrize("crop", ["900 900 950 950", "300 0 400 200", "-9 -9 0 0"])
@pytest.mark.parametrize("rotation", [0, 90])
def test_crop_box_beside_the_page(pdf, write, load, crop, rotation):
    """Where crop box and media box do not meet, the whole page is shown, its words on it."""
    boxes = f"/MediaBox[0 0 300 200]/Rotate {rotation}"
    pdf.page(write(20, 150, "words"), boxes)
    pdf.page(write(20, 150, "words"), f"{boxes}/CropBox[{crop}]")
    document = load(pdf)
    plain, cropped = document.pages
    assert (cropped.width, cropped.height) == (plain.width, plain.height)
    (first,), (second,) = document.locate(Span(0, 5)), document.locate(Span(6, 11))
    assert second.boxes == first.boxes


def test_claimed_pages_are_bounded(pdf, write, load):
    """A file that claims more pages than allowed is cut with a warning."""
    for _ in range(5):
        pdf.page(write(20, 150, "words"))
    document = load(pdf, limits=Limits(pages=3, characters=None))
    assert len(document.pages) == 3
    (warning,) = document.warnings
    assert (warning.kind, warning.page_number) == ("page-limit", 4)


def test_scanned_page(pdf, write, load):
    """A page that is an image with hardly a word needs OCR, one with a small image does not."""
    image = pdf.add(
        "<</Type/XObject/Subtype/Image/Width 1/Height 1/ColorSpace/DeviceGray/BitsPerComponent 8>>",
        b"\x80",
    )
    resources = f"/XObject<</I {image} 0 R>>"
    pdf.page(f"q 290 0 0 190 5 5 cm /I Do Q {write(20, 10, 'page 1')}", resources=resources)
    pdf.page(f"q 90 0 0 90 5 5 cm /I Do Q {write(20, 10, 'page 2')}", resources=resources)
    document = load(pdf)
    assert [page.needs_ocr for page in document.pages] == [True, False]
    assert [(warning.kind, warning.page_number) for warning in document.warnings] == [
        ("needs-ocr", 1)
    ]


def test_garbled_page(pdf, load):
    """Characters without known meaning are counted and warned of."""
    descendant = pdf.add(
        "<</Type/Font/Subtype/CIDFontType2/BaseFont/Unknown/DW 500/CIDSystemInfo"
        "<</Registry(Adobe)/Ordering(Identity)/Supplement 0>>>>"
    )
    font = pdf.add(
        "<</Type/Font/Subtype/Type0/BaseFont/Unknown/Encoding/Identity-H"
        f"/DescendantFonts[{descendant} 0 R]>>"
    )
    pdf.page("BT /F2 12 Tf 20 100 Td <000100020003> Tj ET", fonts=f"/F2 {font} 0 R")
    document = load(pdf)
    assert document.pages[0].garbled > 0.5
    assert kinds(document) == ["garbled-text"]


def test_threads(new_pdf, write):
    """Files loaded by several threads at once give what they give alone."""
    files = []
    for number in range(12):
        pdf = new_pdf()
        for page in range(5):
            pdf.page(write(20, 150, f"file {number} page {page}"))
        files.append(pdf.to_bytes())

    def read(data: bytes) -> tuple[str, object]:
        with PdfLoader().load(data, source="thread.pdf") as document:
            return document.text, document.locate(Span(0, 6))

    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(read, files * 3)) == list(map(read, files)) * 3
