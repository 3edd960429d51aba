"""Words of notes, stamps and signatures: in the text, at their place, or named in a warning."""

from __future__ import annotations

import io

import pytest
from pypdf import PdfWriter

import docqa
from docqa.datamodel import Span
from docqa.errors import NoTextError

WORDS = "Approved budget: 12,400 euros"
ONE = "BT /F1 12 Tf 4 20 Td (Approved budget: 12,400 euros) Tj ET"
TWO = "BT /F1 10 Tf 4 26 Td (Keeper: Ida) Tj 0 -14 Td (Holm of Skerry) Tj ET"


@pytest.fixture
def note(pdf, write):
    """Return a function that adds a page with an annotation of a kind and its appearance."""

    def added(kind: str, look: str | None, entries: str = "", content: str | None = None):
        ap = ""
        if look is not None:
            pdf.objects.append(
                b"<</Type/XObject/Subtype/Form/BBox[0 0 200 40]"
                b"/Resources<</Font<</F1 3 0 R>>>>/Length %d>>"
                % len(look)
                + b"\nstream\n%b\nendstream" % look.encode()
            )
            ap = f"/AP<</N {len(pdf.objects)} 0 R>>"
        one = pdf.add(f"<</Type/Annot{kind}/Rect[50 60 250 100]/F 4{entries}{ap}>>")
        page = write(20, 150, "Pump house") if content is None else content
        pdf.page(page, f"/Annots[{one} 0 R]")
        return pdf

    return added


def boxes(document, words):
    start = document.text.index(words)
    (place,) = document.locate(Span(start, start + len(words)))
    return [
        (round(b.x0, 1), round(b.top, 1), round(b.x1, 1), round(b.bottom, 1)) for b in place.boxes
    ]


@pytest.mark.parametrize(
    "kind",
    [
        "/Subtype/FreeText/DA(/F1 12 Tf)",
        "/Subtype/Stamp",
        "/Subtype/Watermark",
        "/Subtype/Widget/FT/Sig",
    ],
)
def test_words_of_an_annotation_have_their_own_rectangles(note, new_pdf, write, load, kind):
    """They stand where the same words, drawn by the page itself, would stand."""
    document = load(note(kind, ONE))
    drawn = new_pdf()
    drawn.page(write(54, 80, WORDS))
    assert document.text == f"Pump house\n{WORDS}"
    for words in (WORDS, "12,400", "budget: 12"):
        assert boxes(document, words) == boxes(load(drawn), words)


def test_a_note_of_two_lines_has_two_rectangles(note, load):
    """Its lines stay lines, and a span over both has one rectangle for each."""
    document = load(note("/Subtype/FreeText/DA(/F1 10 Tf)", TWO))
    assert document.text == "Pump house\nKeeper: Ida\nHolm of Skerry"
    first, second = boxes(document, "Ida\nHolm")
    assert first[3] <= second[1] + 3
    assert len(boxes(document, "Keeper: Ida")) == 1


@pytest.mark.parametrize("rotation", [90, 180, 270])
def test_rectangles_of_a_turned_page(new_pdf, write, load, note, rotation):
    """The page's rotation turns the words of its notes with it."""
    pdf = note("/Subtype/FreeText/DA(/F1 12 Tf)", ONE)
    page = pdf.objects[pdf.pages[0] - 1]
    pdf.objects[pdf.pages[0] - 1] = page.replace(b"/Annots", b"/Rotate %d/Annots" % rotation)
    drawn = new_pdf()
    drawn.page(write(54, 80, WORDS), f"/Rotate {rotation}")
    assert boxes(load(pdf), "12,400") == boxes(load(drawn), "12,400")


def test_a_note_without_an_appearance_has_its_rectangle(note, load):
    """Programs draw its contents themselves: the words are known, and the box around them."""
    document = load(note("/Subtype/FreeText/DA(/F1 12 Tf)/Contents(Fee: 80 euros)", None))
    assert document.text == "Pump house\nFee: 80 euros"
    assert boxes(document, "80 euros") == [(50, 100, 250, 140)]


def test_rich_text_stands_for_missing_contents(note, load):
    """Some programs write the words of a note as XHTML alone."""
    rich = "(<body><p>Fee: <b>80</b> &#8364;</p><p>R&amp;D</p></body>)"
    document = load(note("/Subtype/FreeText/DA(/F1 12 Tf)", None, f"/RC{rich}"))
    assert document.text == "Pump house\nFee: 80 \u20ac\nR&D"


def test_a_stamp_that_readers_draw_is_named(note, load):
    """A stamp without an appearance shows its name."""
    (warning,) = load(note("/Subtype/Stamp/Name/Approved", None)).warnings
    assert "page 1: a stamp (Approved) has no text that can be read" in warning.message


def test_a_typed_value_stands_beside_its_label(note, write, load):
    """A form filled with notes reads like one filled with fields."""
    content = write(10, 82, "Name") + write(10, 40, "Next")
    look = "BT /F1 12 Tf 4 20 Td (Ida Holm) Tj ET"
    assert load(note("/Subtype/FreeText/DA(/F1 12 Tf)", look, content=content)).text == (
        "Name Ida Holm\nNext"
    )


@pytest.mark.parametrize(
    ("kind", "entries"),
    [("/Subtype/FreeText", "/F 2"), ("/Subtype/Stamp", "/F 32"), ("/Subtype/Popup", "")],
)
def test_what_is_hidden_is_not_read(note, load, kind, entries):
    """Hidden notes and pop-ups are not on the page."""
    pdf = note(kind, ONE)
    pdf.objects = [one.replace(b"/F 4", entries.encode() or b"/F 4") for one in pdf.objects]
    assert load(pdf).text == "Pump house"


@pytest.mark.parametrize(
    ("kind", "name"), [("/Subtype/Stamp", "stamp"), ("/Subtype/Widget/FT/Sig", "signature")]
)
def test_a_picture_of_words_is_named(note, load, kind, name):
    """A stamp that is drawn in curves cannot be read: a warning says which and where."""
    document = load(note(kind, "0 0 m 90 30 l S"))
    (warning,) = document.warnings
    assert warning.page_number == 1
    assert f"page 1: a {name}" in warning.message
    assert "50 to 250 points from the left, 100 to 140 from the top" in warning.message


def carrier(writer: PdfWriter, *names: str) -> bytes:
    for name in names:
        writer.add_attachment(name, b"The notice period is six weeks.")
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def test_an_empty_page_with_attachments_asks_for_them():
    """The error names the files, and does not send anybody to OCR."""
    writer = PdfWriter()
    writer.add_blank_page(300, 200)
    data = carrier(writer, "inner.pdf", "terms.txt")
    with pytest.raises(NoTextError, match=r"2 attached files \(inner.pdf, terms.txt\)") as caught:
        docqa.ask(data, "Who?")
    assert "ocr" not in str(caught.value).lower()


def test_attachments_of_a_file_with_text_are_named(pdf, write):
    """A warning says how many there are, and not all the names of a great many."""
    pdf.page(write(20, 150, "Cover sheet"))
    data = carrier(
        PdfWriter(clone_from=io.BytesIO(pdf.to_bytes())), *(f"{n}.txt" for n in range(9))
    )
    (warning,) = docqa.load(data).warnings
    assert warning.kind == "attachments-unread"
    assert "9 attached files (0.txt, 1.txt, 2.txt, 3.txt, 4.txt, and 4 more)" in warning.message


def test_a_file_pinned_to_a_page_is_named(pdf, write, load):
    """An attachment may belong to a place on a page instead of the file."""
    pdf.page(write(20, 150, "Cover sheet"), "/Annots[6 0 R]")
    spec = "<</Type/Filespec/F(terms.txt)/UF(terms.txt)/EF<</F 8 0 R>>>>"
    pdf.add("<</Type/Annot/Subtype/FileAttachment/Rect[9 9 20 20]/FS 7 0 R>>")
    pdf.add(spec)
    pdf.add("<</Type/EmbeddedFile>>", b"six weeks")
    (warning,) = load(pdf).warnings
    assert "page 1: an attached file (terms.txt) is not read" in warning.message


@pytest.mark.parametrize("needs", ["/NeedsRendering true", ""])
def test_a_form_in_place_of_pages_is_named(pdf, write, needs):
    """The notice of a dynamic form is no text of the form, and OCR would not find more."""
    pdf.page("")
    pdf.catalog = f"/AcroForm<</Fields[]/XFA 6 0 R>>{needs}"
    pdf.add("<<>>", b"<xdp/>")
    with pytest.raises(NoTextError, match="Adobe Reader") as caught:
        docqa.ask(pdf.to_bytes(), "Who?")
    assert "ocr" not in str(caught.value).lower()
    assert [each.kind for each in docqa.load(pdf.to_bytes()).warnings] == ["form-unread"]


def test_a_form_with_fields_on_its_pages_is_no_notice(pdf, write, load):
    """Many forms have both kinds of fields, and the page's are read."""
    pdf.page(write(20, 150, "Name"), "/Annots[6 0 R]")
    pdf.add("<</Type/Annot/Subtype/Widget/Rect[80 146 200 162]/P 5 0 R/T(a)/FT/Tx/V(Ida)>>")
    pdf.catalog = "/AcroForm<</Fields[6 0 R]/XFA 7 0 R/DA(/F1 10 Tf 0 g)>>"
    pdf.add("<<>>", b"<xdp/>")
    document = load(pdf)
    assert (document.text, document.warnings) == ("Name Ida", ())


@pytest.mark.parametrize("is_off", [True, False])
@pytest.mark.parametrize("is_group", [True, False])
@pytest.mark.parametrize("kind", ["/Subtype/FreeText/DA(/F1 12 Tf)", "/Subtype/Stamp"])
def test_annotations_in_a_layer_that_is_off_are_not_read(  # noqa: PLR0917
    pdf, note, load, kind, is_group, is_off
):
    """Nobody sees them as the file opens."""
    layer = group = pdf.add("<</Type/OCG/Name(Draft)>>")
    if is_group:
        group = pdf.add(f"<</Type/OCMD/OCGs[{layer} 0 R]>>")
    off = f"/OFF[{layer} 0 R]" * is_off
    pdf.catalog = f"/OCProperties<</OCGs[{layer} 0 R]/D<<{off}/Order[{layer} 0 R]>>>>"
    document = load(note(kind, ONE, f"/OC {group} 0 R"))
    assert (WORDS in document.text) is not is_off
    assert document.warnings == ()
