"""Highlights in PDFs: drawn by PDFium and by poppler, read back by pypdf."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pypdf
import pytest
from checkout import EXAMPLES
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageChops

import docqa
from docqa._pdfium import Frame, UserBox
from docqa.datamodel import Box, Span
from docqa.errors import HighlightError, MissingDependencyError
from docqa.highlighting.page_image import draw_page
from docqa.highlighting.pdf import MarkedPdf, PdfMark, mark_pdf

SCALE = 2  # pixels per point
YELLOW, VIOLET = "#ffd84a", "#b4a5f0"
WORDS = Box(20, 40, 120, 60)
MARK = PdfMark(1, (WORDS,), YELLOW, "Who?\nscore 0.87")

Renderer = Callable[[bytes], Image.Image]


def by_pdfium(data: bytes) -> Image.Image:
    return Image.open(BytesIO(draw_page(data, 1, scale=SCALE))).convert("RGB")


def by_poppler(data: bytes) -> Image.Image:
    if shutil.which("pdftoppm") is None:
        pytest.skip("poppler's pdftoppm is not installed")
    command = ["pdftoppm", "-cropbox", "-r", str(72 * SCALE), "-singlefile", "-"]
    drawn = subprocess.run(command, input=data, capture_output=True, check=True).stdout
    return Image.open(BytesIO(drawn)).convert("RGB")


def difference(data: bytes, copy: bytes, render: Renderer = by_pdfium) -> Box:
    """Return the box around all that differs on page 1, in points."""
    found = ImageChops.difference(render(data), render(copy)).getbbox()
    assert found is not None, "nothing differs"
    return Box(*(edge / SCALE for edge in found))


def annotations(copy: bytes, page: int = 0) -> list[dict]:
    return [each.get_object() for each in pypdf.PdfReader(BytesIO(copy)).pages[page]["/Annots"]]


def assert_right(data: bytes, marked: MarkedPdf, box: Box = WORDS) -> None:
    assert difference(data, marked.data).is_near(box, tolerance=1)


def with_stream(pdf, packed: tuple[int, ...] = ()) -> bytes:
    """Return a file whose cross-references are a stream, with some objects in an object stream."""
    kids = " ".join(f"{number} 0 R" for number in pdf.pages)
    pdf.objects[0] = b"<</Type/Catalog/Pages 2 0 R>>"
    pdf.objects[1] = f"<</Type/Pages/Kids[{kids}]/Count {len(pdf.pages)}>>".encode()
    bodies = [pdf.objects[number - 1] + b" " for number in packed]
    starts = [sum(map(len, bodies[:place])) for place in range(len(bodies))]
    head = " ".join(f"{n} {start}" for n, start in zip(packed, starts, strict=True)).encode() + b" "
    pack = pdf.add(f"<</Type/ObjStm/N {len(packed)}/First {len(head)}>>", head + b"".join(bodies))
    data, rows = b"%PDF-1.7\n", [b"\0" * 5]
    for number, body in enumerate(pdf.objects, start=1):
        if number in packed:
            rows.append(b"\2" + pack.to_bytes(3, "big") + bytes([packed.index(number)]))
            continue
        rows.append(b"\1" + len(data).to_bytes(3, "big") + b"\0")
        data += b"%d 0 obj\n%b\nendobj\n" % (number, body)
    own = len(pdf.objects) + 1
    rows.append(b"\1" + len(data).to_bytes(3, "big") + b"\0")
    entries = b"<</Type/XRef/Size %d/W[1 3 1]/Root 1 0 R/Length %d>>" % (own + 1, 5 * len(rows))
    stream = b"%d 0 obj\n%b\nstream\n%b\nendstream\nendobj\n" % (own, entries, b"".join(rows))
    return data + stream + b"startxref\n%d\n%%%%EOF\n" % len(data)


@given(
    page=st.tuples(*[st.integers(-500, 500)] * 2, *[st.integers(10, 900)] * 2),
    turns=st.integers(0, 3),
    box=st.tuples(*[st.integers(-900, 900)] * 4),
)
def test_user_is_the_inverse_of_display(page, turns, box) -> None:
    """A displayed rectangle leads back to its place in user space, however the page is turned."""
    left, bottom, width, height = page
    frame = Frame(UserBox(left, bottom, left + width, bottom + height), turns)
    assert frame.user(frame.display(UserBox(*box))) == UserBox(*box)


@pytest.mark.parametrize("render", [by_pdfium, by_poppler])
@pytest.mark.parametrize("crop", ["", "/CropBox[30 10 280 190]"])
@pytest.mark.parametrize("turn", [0, 90, 180, 270])
def test_highlight_is_drawn_on_the_words(pdf, load, *, render, crop, turn) -> None:
    """Two renderers show the highlight exactly on the words' rectangle, on turned pages too."""
    words = "BT /F1 12 Tf 60 120 Td (Quill) Tj ET"
    pdf.page(words, f"/Rotate {turn}{crop}")
    data = pdf.to_bytes()
    (box,) = load(data).locate(Span(0, 5))[0].boxes
    copy = mark_pdf(data, [PdfMark(1, (box,), YELLOW, "Who?")]).data
    assert difference(data, copy, render).is_near(box, tolerance=1)


def test_original_bytes_and_text_stay(pdf, write, load) -> None:
    """The copy begins with the original, byte for byte, and reads the same."""
    pdf.page(write(20, 120, "Ada Quill"))
    data = pdf.to_bytes()
    marked = mark_pdf(data, [MARK])
    assert marked.data.startswith(data)
    assert marked.keeps_original
    assert load(marked.data).text == load(data).text


def test_comment_is_read_back_by_pypdf(pdf) -> None:
    """Question, score, author, print flag and the corners' order are in the annotation."""
    pdf.page("")
    (found,) = annotations(mark_pdf(pdf.to_bytes(), [MARK]).data)
    assert found["/Contents"] == "Who?\nscore 0.87"
    assert (found["/T"], found["/F"], found["/Subtype"]) == ("docqa", 4, "/Highlight")
    assert found["/QuadPoints"] == [20, 160, 120, 160, 20, 140, 120, 140]
    assert found["/CreationDate"].startswith("D:20")


def test_corners_follow_the_words_on_a_turned_page(pdf) -> None:
    """The first two corners are the top of the words as they are read."""
    pdf.page("", "/Rotate 90")
    (found,) = annotations(mark_pdf(pdf.to_bytes(), [MARK]).data)
    assert found["/QuadPoints"] == [40, 20, 40, 120, 60, 20, 60, 120]


@pytest.mark.parametrize("comment", ["Käse – 奶酪?", "(\\)\r\n", "a" * 5000])
def test_any_question_becomes_a_comment(pdf, comment) -> None:
    """Umlauts, ideographs, brackets and line ends are read back as they were."""
    pdf.page("")
    (found,) = annotations(mark_pdf(pdf.to_bytes(), [PdfMark(1, (WORDS,), VIOLET, comment)]).data)
    assert found["/Contents"] == comment


def test_half_of_a_surrogate_pair_is_replaced(pdf) -> None:
    """A question that no PDF can hold is written as far as it can be."""
    pdf.page("")
    (found,) = annotations(mark_pdf(pdf.to_bytes(), [PdfMark(1, (WORDS,), VIOLET, "a\ud83d")]).data)
    assert found["/Contents"] == "a?"


def test_two_answers_have_two_colours(pdf, write, load, answer_over, tmp_path) -> None:
    """The first answer is yellow, the second violet."""
    pdf.page(write(20, 120, "one") + write(20, 60, "two"))
    data = pdf.to_bytes()
    document = load(data)
    answers = [answer_over(document, "one"), answer_over(document, "two")]
    docqa.highlight(answers, tmp_path / "out.pdf", source=data)
    shades = {color for _, color in by_pdfium((tmp_path / "out.pdf").read_bytes()).getcolors(9999)}
    assert {(0xFF, 0xD8, 0x4A), (0xB4, 0xA5, 0xF0)} <= shades


@pytest.mark.parametrize(
    ("entry", "kept"),
    [
        ("[{note}]", 1),
        ("{array}", 1),
        ("null", 0),
        ("77", 0),
        ("99 0 R", 0),
        ("[{note} null 99 0 R]", 3),
    ],
)
def test_annotations_that_are_there_stay(pdf, entry, kept) -> None:
    """Whatever holds the page's own annotations, the highlight is added behind them."""
    note = f"{pdf.add('<</Type/Annot/Subtype/Text/Rect[0 0 9 9]/Contents(old)>>')} 0 R"
    array = f"{pdf.add(f'[{note}]')} 0 R"
    pdf.page("", f"/Annots {entry.format(note=note, array=array)}")
    data = pdf.to_bytes()
    marked = mark_pdf(data, [MARK])
    found = pypdf.PdfReader(BytesIO(marked.data)).pages[0]["/Annots"]
    assert len(found) == kept + 1
    assert not kept or found[0].get_object()["/Contents"] == "old"
    assert_right(data, marked)


@pytest.mark.parametrize("is_packed", [False, True])
def test_stream_of_references_is_continued_by_one(pdf, write, load, is_packed) -> None:
    """A file with a cross-reference stream, its page in an object stream or not, gets another."""
    page = pdf.page(write(20, 120, "Ada Quill"))
    data = with_stream(pdf, (1, 2, page) if is_packed else ())
    assert load(data).text.strip() == "Ada Quill"
    marked = mark_pdf(data, [MARK])
    assert b"/XRef" in marked.data[len(data) :]
    assert b"trailer" not in marked.data
    assert_right(data, marked)


def test_table_is_continued_by_a_table(pdf) -> None:
    """The standard lets a table's chain hold tables only."""
    pdf.page("")
    data = pdf.to_bytes()
    appended = mark_pdf(data, [MARK]).data[len(data) :]
    assert b"trailer" in appended
    assert b"/XRef" not in appended


def test_document_information_stays(pdf, load) -> None:
    """Title and author are found from the copy's last trailer."""
    pdf.info = "/Title(Annual Report)/Author(Ada)"
    pdf.page("")
    copy = load(mark_pdf(pdf.to_bytes(), [MARK]).data)
    assert (copy.title, copy.metadata["author"]) == ("Annual Report", "Ada")


def test_attributes_from_the_page_tree_stay_there(pdf) -> None:
    """What a page inherits is not copied into it: a program may change it in one place."""
    number = pdf.page("", "/MediaBox[0 0 300 200]")
    pdf.objects[number - 1] = pdf.objects[number - 1].replace(b"/MediaBox[0 0 300 200]", b"")
    data = pdf.to_bytes().replace(b"/Count 1>>", b"/Count 1/MediaBox[0 0 300 200]>>")
    marked = mark_pdf(data, [MARK])
    assert b"/MediaBox" not in marked.data[len(data) :]
    assert_right(data, marked)


def test_generation_of_a_page_stays(pdf) -> None:
    """An object that was used anew has another generation, by which it is referred to."""
    number = pdf.page("")
    data = pdf.to_bytes()
    row = data.index(b"xref\n0") + len(b"xref\n0 7\n") + 20 * number
    data = data[: row + 11] + b"00001" + data[row + 16 :]
    for ending in (b"R", b"obj"):
        data = data.replace(b"%d 0 %b" % (number, ending), b"%d 1 %b" % (number, ending))
    marked = mark_pdf(data, [MARK])
    assert marked.data[len(data) :].startswith(b"%d 1 obj" % number)
    assert_right(data, marked)


@pytest.mark.parametrize("junk", [b"HTTP/1.1 200 OK\r\n\r\n", b"\0" * 500])
def test_bytes_before_the_header_move_no_offset(pdf, junk) -> None:
    """Offsets count from the header, where other bytes come before it."""
    pdf.page("")
    data = junk + pdf.to_bytes()
    marked = mark_pdf(data, [MARK])
    assert marked.data.startswith(data)
    assert_right(data, marked)


@pytest.mark.parametrize("end", [b"", b"startxref\n7\n%%EOF", b"startxref\n99999999\n%%EOF\n\n"])
def test_broken_references_are_no_obstacle(pdf, end) -> None:
    """A file cut before its end, or with a wrong start of the references, is marked too."""
    pdf.page("")
    data = pdf.to_bytes()
    data = data[: data.index(b"startxref")] + end
    assert_right(data, mark_pdf(data, [MARK]))


def test_line_end_is_added_where_the_file_has_none(pdf) -> None:
    """The first new object does not stick to the last byte of the original."""
    pdf.page("")
    data = pdf.to_bytes().rstrip()
    assert_right(data, mark_pdf(data, [MARK]))


def test_marking_a_marked_copy_adds_to_it(pdf) -> None:
    """Highlights of an earlier question stay."""
    pdf.page("")
    once = mark_pdf(pdf.to_bytes(), [MARK]).data
    lower = Box(20, 100, 120, 120)
    twice = mark_pdf(once, [PdfMark(1, (lower,), VIOLET, "When?")])
    assert [each["/Contents"][:4] for each in annotations(twice.data)] == ["Who?", "When"]
    assert_right(once, twice, lower)


@pytest.mark.parametrize("algorithm", ["RC4-40", "RC4-128", "AES-128", "AES-256"])
@pytest.mark.parametrize("user", ["", "open"])
def test_encrypted_file_stays_encrypted(pdf, load, algorithm, user) -> None:
    """Nothing is decrypted: the bytes stay, and the same password opens the copy."""
    pytest.importorskip("cryptography")
    pdf.page("")
    writer = pypdf.PdfWriter(clone_from=BytesIO(pdf.to_bytes()))
    writer.encrypt(user, "owner", algorithm=algorithm)
    stream = BytesIO()
    writer.write(stream)
    marked = mark_pdf(stream.getvalue(), [MARK], password=user or None)
    assert marked.keeps_original
    assert b"Who?" not in marked.data
    reader = pypdf.PdfReader(BytesIO(marked.data), password=user)
    assert reader.pages[0]["/Annots"][0].get_object()["/Contents"] == "Who?\nscore 0.87"
    drawn = Image.open(BytesIO(draw_page(marked.data, 1, password=user or None))).convert("RGB")
    assert drawn.getpixel((140, 100)) == (0xFF, 0xD8, 0x4A)


def test_encryption_that_cannot_be_continued_is_taken_off_and_named(pdf, monkeypatch) -> None:
    """Where pypdf cannot encrypt, the copy is plain, and says so."""
    pytest.importorskip("cryptography")
    pdf.page("")
    writer = pypdf.PdfWriter(clone_from=BytesIO(pdf.to_bytes()))
    writer.encrypt("open", algorithm="AES-256")
    stream = BytesIO()
    writer.write(stream)
    monkeypatch.delattr("pypdf._encryption.Encryption.encrypt_object")
    marked = mark_pdf(stream.getvalue(), [MARK], password="open")
    assert not marked.keeps_original
    assert marked.notes == (
        "the copy is not encrypted: the original's encryption cannot be continued",
    )
    assert_right(pdf.to_bytes(), marked)


def test_signed_file_says_what_readers_will_show(pdf) -> None:
    """The signed bytes stay; that a comment came later is for readers to show."""
    pdf.add("<</Type/Sig/ByteRange[0 10 20 10]/Contents<00>>>")
    pdf.page("")
    marked = mark_pdf(pdf.to_bytes(), [MARK])
    assert marked.keeps_original
    assert marked.notes[0].startswith("the original is signed; its bytes stay")


def test_form_field_gets_a_frame(pdf, load, answer_over, tmp_path) -> None:
    """Readers draw fields over highlights; a line around the field is seen all the same."""
    look = pdf.add("<</Type/XObject/Subtype/Form/BBox[0 0 60 20]>>", b"0.9 g 0 0 60 20 re f")
    field = pdf.add(
        "<</Type/Annot/Subtype/Widget/FT/Tx/T(name)/V(Quill)/F 4/Rect[50 100 110 120]"
        f"/AP<</N {look} 0 R>>>>"
    )
    pdf.catalog = f"/AcroForm<</Fields[{field} 0 R]>>"
    pdf.page("", f"/Annots[{field} 0 R]")
    data = pdf.to_bytes()
    docqa.highlight(answer_over(load(data), "Quill"), tmp_path / "out.pdf", source=data)
    copy = (tmp_path / "out.pdf").read_bytes()
    assert difference(data, copy).is_near(Box(48.5, 78.5, 111.5, 101.5), tolerance=1)


def test_page_out_of_range_is_an_error(pdf) -> None:
    """A mark on a page that is not there is refused."""
    pdf.page("")
    with pytest.raises(HighlightError, match="there is no page 2"):
        mark_pdf(pdf.to_bytes(), [PdfMark(2, (WORDS,), YELLOW, "")])


def test_what_is_no_pdf_is_an_error() -> None:
    """Other bytes are refused with a reason."""
    with pytest.raises(HighlightError, match="does not follow the PDF format"):
        mark_pdf(b"%PDF-1.7 nothing", [MARK])


def test_file_that_pypdf_cannot_write_is_an_error(pdf, monkeypatch) -> None:
    """Where neither way of writing works, both reasons are said, and what to do."""
    pdf.page("")
    monkeypatch.setattr(pypdf, "PdfReader", lambda *_, **__: {}["no such key"])
    with pytest.raises(HighlightError, match=r"no such key.*repair it.*\.png"):
        mark_pdf(pdf.to_bytes(), [MARK])


def test_missing_cryptography_is_named(pdf, monkeypatch) -> None:
    """The message has the pip command."""

    def refuse(*_: object, **__: object) -> None:
        raise pypdf.errors.DependencyError("cryptography>=3.1 is required for AES algorithm")

    pdf.page("")
    monkeypatch.setattr(pypdf, "PdfReader", refuse)
    with pytest.raises(MissingDependencyError, match=r"pip install .*crypto"):
        mark_pdf(pdf.to_bytes(), [MARK])


def test_highlights_are_checked(pdf, monkeypatch) -> None:
    """A copy that does not show the highlights is not returned."""
    pdf.page("")
    data = pdf.to_bytes()
    monkeypatch.setattr("docqa.highlighting.pdf.PdfUpdate.to_bytes", lambda _: data)
    with pytest.raises(HighlightError, match="page 1 of the copy lacks the highlights"):
        mark_pdf(data, [MARK])


def test_sample_handbook_is_marked(tmp_path: Path) -> None:
    """The sample of the documentation, made by another program, is marked on its page."""
    handbook = EXAMPLES / "handbook.pdf"
    with docqa.load(handbook) as document:
        page = document.pages[3]
    marked = mark_pdf(handbook.read_bytes(), [PdfMark(4, (WORDS,), YELLOW, "?")])
    assert [each["/T"] for each in annotations(marked.data, page.number - 1)] == ["docqa"]


def test_page_that_is_shown_twice_is_marked_twice(pdf) -> None:
    """A page that stands in the tree of pages two times is one object."""
    pdf.pages.append(pdf.page(""))
    marks = [MARK, PdfMark(2, (Box(20, 100, 120, 120),), VIOLET, "When?")]
    found = annotations(mark_pdf(pdf.to_bytes(), marks).data)
    assert [each["/Contents"][:4] for each in found] == ["Who?", "When"]


def test_marks_that_show_on_further_pages_are_named(pdf) -> None:
    """A page listed again shows the mark there too, and a note says where."""
    repeated = pdf.page("")
    pdf.page("")
    pdf.pages.append(repeated)
    marked = mark_pdf(pdf.to_bytes(), [MARK, PdfMark(2, (WORDS,), VIOLET, "When?")])
    pages = pypdf.PdfReader(BytesIO(marked.data)).pages
    assert [len(page["/Annots"]) for page in pages] == [1, 1, 1]
    [note] = marked.notes
    assert note.startswith("pages 1 and 3 are one page")
