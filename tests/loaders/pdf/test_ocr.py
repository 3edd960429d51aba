"""Scanned pages read by an engine that knows what it finds: text, places, warnings."""

from __future__ import annotations

import pickle
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

import docqa
from docqa.datamodel import Document, Span
from docqa.load_settings import LoadSettings
from docqa.loaders.ocr.tesseract import Tesseract
from docqa.loaders.pdf.loader import PdfLoader
from docqa.ocr_engine import OcrError, OcrWord, PageImage, PixelBox

BLACK = 128  # grey values below are ink


@dataclass(frozen=True)
class Engine:
    """Give what a function makes of an image."""

    read: Callable[[PageImage], list[OcrWord]]
    name: str = "fake 1.0"


def word(
    text: str, x: int, y: int, *, confidence: float = 0.9, paragraph: int = 0, line: int = 0
) -> OcrWord:
    """Return a word of 10 pixels a letter and 20 pixels high."""
    box = PixelBox(x, y, x + 10 * len(text), y + 20)
    return OcrWord(text, box, confidence, paragraph, line)


def engine(*words: OcrWord) -> Engine:
    return Engine(lambda image: list(words))


@pytest.fixture
def scan(pdf):
    """Return what adds a page covered by a white image, with further content on top."""
    image = pdf.add(
        "<</Type/XObject/Subtype/Image/Width 1/Height 1/ColorSpace/DeviceGray/BitsPerComponent 8>>",
        b"\xff",
    )

    def add(content: str = "", entries: str = ""):
        cover = f"q 600 0 0 600 -100 -100 cm /I Do Q {content}"
        pdf.page(cover, entries, resources=f"/XObject<</I {image} 0 R>>")
        return pdf

    return add


def load(pdf, ocr: Engine, progress=None) -> Document:
    return PdfLoader(progress=progress, ocr=ocr).load(pdf.to_bytes(), source="scan.pdf")


def ink(image: PageImage) -> list[OcrWord]:
    """Return the ink of an image as one word."""
    rows = [image.pixels[y * image.width :][: image.width] for y in range(image.height)]
    ys = [y for y, row in enumerate(rows) if min(row) < BLACK]
    xs = [x for row in rows for x, value in enumerate(row) if value < BLACK]
    if not ys:
        return []
    box = PixelBox(min(xs), ys[0], max(xs) + 1, ys[-1] + 1)
    return [OcrWord("ink", box, 0.9, 0, 0)]


def test_words_lines_paragraphs(scan):
    """Words are joined by spaces, lines by line feeds, paragraphs by a blank line."""
    words = [
        *(word("The", 100, 100), word("lamp", 150, 100), word("burns", 100, 130, line=1)),
        word("Oil", 100, 200, paragraph=1, line=2),
    ]
    document = load(scan(), engine(*words))
    assert document.text == "The lamp\nburns\n\nOil"
    assert (document.pages[0].ocr, document.pages[0].needs_ocr) == (True, True)
    assert document.extractor.endswith("; fake 1.0")
    assert not document.warnings


def test_one_rectangle_a_line(scan):
    """A span over two lines has two rectangles, in points, and its least sure word counts."""
    words = [
        *(word("The", 100, 100), word("lamp", 150, 100, confidence=0.61)),
        word("burns", 100, 150, line=1),
    ]
    document = load(scan(), engine(*words))
    (location,) = document.locate(Span(0, len(document.text)))
    edges = [(box.x0, box.top, box.x1, box.bottom) for box in location.boxes]
    expected = [(24, 24, 45.6, 28.8), (24, 36, 36, 40.8)]  # a pixel of 300 dpi: 0.24 points
    assert edges == [pytest.approx(each, abs=0.1) for each in expected]
    assert location.ocr_confidence == 0.61
    (location,) = document.locate(Span(0, 3))
    assert location.ocr_confidence == 0.9


@given(
    st.lists(
        st.lists(st.text("abcdefg", min_size=1, max_size=5), min_size=1, max_size=4), max_size=4
    ),
    st.data(),
)
def test_any_span(new_pdf, lines, data):
    """The rectangles of any span are as many as its lines, and hold its words and no others."""
    words = [
        word(text, 100 + 60 * column, 100 + 40 * row, line=row)
        for row, line in enumerate(lines)
        for column, text in enumerate(line)
    ]
    pdf = new_pdf()
    image = pdf.add(
        "<</Type/XObject/Subtype/Image/Width 1/Height 1/ColorSpace/DeviceGray/BitsPerComponent 8>>",
        b"\xff",
    )
    pdf.page("q 300 0 0 200 0 0 cm /I Do Q", resources=f"/XObject<</I {image} 0 R>>")
    document = load(pdf, engine(*words))
    assert document.text == "\n".join(" ".join(line) for line in lines)
    if not words:
        return
    start = data.draw(st.integers(0, len(document.text) - 1))
    end = data.draw(st.integers(start + 1, len(document.text)))
    touched, offset = [], 0
    for each in words:
        offset = document.text.index(each.text, offset)
        if Span(start, end).overlaps(Span(offset, offset + len(each.text))):
            touched.append(each)
        offset += len(each.text)
    (location,) = document.locate(Span(start, end))
    assert len(location.boxes) == len({each.line for each in touched})
    assert [each for each in words if holds(location.boxes, each.box)] == touched


def holds(boxes: Sequence, box: PixelBox) -> bool:
    """Say whether one of some rectangles in points holds the middle of a box in pixels."""
    x, y = 0.12 * (box.left + box.right), 0.12 * (box.top + box.bottom)
    return any(each.x0 < x < each.x1 and each.top < y < each.bottom for each in boxes)


@pytest.mark.parametrize("turn", [0, 90, 180, 270])
@pytest.mark.parametrize("crop", ["", "/CropBox[20 30 270 190]"])
def test_place_on_turned_and_cropped_pages(scan, turn, crop):
    """Rectangles are where the ink is: in user space, and on the page as it is displayed."""
    entries = f"/Rotate {turn}{crop}"
    document = load(scan("40 60 100 15 re f", entries), Engine(ink))
    (box,) = document.source_map.user_boxes(Span(0, 3))[0]
    assert box == pytest.approx((40, 60, 140, 75), abs=0.3)
    (shown,) = document.locate(Span(0, 3))[0].boxes
    left, bottom, right, top = (20, 30, 270, 190) if crop else (0, 0, 300, 200)
    assert (shown.x0, shown.top) == pytest.approx(
        {
            0: (40 - left, top - 75),
            90: (60 - bottom, 40 - left),
            180: (right - 140, 60 - bottom),
            270: (top - 75, right - 140),
        }[turn],
        abs=0.3,
    )


def test_own_words_stay(scan, write):
    """The few words that a page has are kept, and not read a second time."""
    pdf = scan(write(20, 10, "page 7"))
    read = [word("Scanned", 100, 100), word("page", 90, 775, line=1), word("7", 218, 775, line=1)]
    document = load(pdf, engine(*read))
    assert document.text == "page 7\n\nScanned"
    (own,) = document.locate(Span(0, 6))
    assert own.ocr_confidence is None
    (both,) = document.locate(Span(0, len(document.text)))
    assert (len(both.boxes), both.ocr_confidence) == (2, 0.9)


def test_pages_with_text_are_not_read(pdf, write):
    """A page with a text layer is never handed to the engine."""
    pdf.page(write(20, 150, "words"))

    def refuse(image: PageImage) -> list[OcrWord]:
        raise AssertionError("read")

    document = load(pdf, Engine(refuse))
    assert (document.text, document.pages[0].ocr) == ("words", False)
    assert "fake" not in document.extractor


def test_letters_drawn_as_curves_are_read(pdf):
    """A page without a letter that shows something is read, a blank one is not."""
    pdf.page("40 60 100 15 re f")
    pdf.page("")
    document = load(pdf, Engine(ink))
    assert (document.text, document.warnings) == ("ink\f", ())
    assert [page.ocr for page in document.pages] == [True, False]
    assert not any(page.needs_ocr for page in document.pages)


def test_drawing_without_words(pdf):
    """A drawing in which nothing is found is no reason for a warning."""
    pdf.page("40 60 100 15 re f")
    document = load(pdf, engine())
    assert (document.text, document.warnings) == ("", ())


@pytest.mark.parametrize(
    ("words", "kind"),
    [([], "ocr-found-nothing"), ([word("x", 9, 9, confidence=0.4)], "ocr-low-confidence")],
)
def test_warnings(scan, words, kind):
    """A page of which little was read says so."""
    document = load(scan(), engine(*words))
    assert [(each.kind, each.page_number) for each in document.warnings] == [(kind, 1)]


def test_failure_spoils_one_page(scan):
    """A page that cannot be read is named; the others are read."""
    scan("40 60 100 15 re f")
    scan()

    def read(image: PageImage) -> list[OcrWord]:
        if found := ink(image):
            return found
        raise OcrError("it took over 120 s")

    document = load(scan("40 60 100 15 re f"), Engine(read))
    assert document.text == "ink\f\fink"
    assert [page.ocr for page in document.pages] == [True, False, True]
    (warning,) = document.warnings
    assert (warning.kind, warning.page_number) == ("ocr-failed", 2)
    assert "it took over 120 s" in warning.message


def test_page_upside_down(scan):
    """Doubtful words are compared with those of the page turned round, whose places are turned."""

    def read(image: PageImage) -> list[OcrWord]:
        (found,) = ink(image)
        is_upright = found.box.top > image.height / 2
        return [OcrWord("up" if is_upright else "dn", found.box, 0.95 if is_upright else 0.3, 0, 0)]

    document = load(scan("40 160 100 15 re f"), Engine(read))
    assert document.text == "up"
    (box,) = document.source_map.user_boxes(Span(0, 2))[0]
    assert box == pytest.approx((40, 160, 140, 175), abs=0.3)


def test_order_and_progress(scan):
    """Pages come in their order and are reported one by one, however long each takes."""
    heights = [150, 120, 90, 60, 30, 10]
    for height in heights:
        scan(f"40 {height} 100 15 re f")

    def read(image: PageImage) -> list[OcrWord]:
        (found,) = ink(image)
        time.sleep(0.002 * (found.box.top % 7))
        return [OcrWord(str(round(found.box.top / 10)), found.box, 0.9, 0, 0)]

    done: list[tuple[int, int]] = []
    document = load(scan("40 5 100 9 re f"), Engine(read), lambda *counts: done.append(counts))
    tops = [round(int(text) * 2.4) for text in document.text.split("\f")]
    assert tops == pytest.approx([200 - 15 - height for height in heights] + [186], abs=2)
    assert done == [(page, 7) for page in range(1, 8)]


def garbled_page(pdf) -> None:
    """Add a page whose three characters have no known meaning."""
    descendant = pdf.add(
        "<</Type/Font/Subtype/CIDFontType2/BaseFont/Unknown/DW 500/CIDSystemInfo"
        "<</Registry(Adobe)/Ordering(Identity)/Supplement 0>>>>"
    )
    font = pdf.add(
        "<</Type/Font/Subtype/Type0/BaseFont/Unknown/Encoding/Identity-H"
        f"/DescendantFonts[{descendant} 0 R]>>"
    )
    pdf.page("BT /F2 12 Tf 20 100 Td <000100020003> Tj ET", fonts=f"/F2 {font} 0 R")


def test_garbled_page_is_read_anew(pdf):
    """What is read with confidence takes the place of characters without meaning."""
    garbled_page(pdf)
    document = load(pdf, engine(word("lamp", 100, 100)))
    assert (document.text, document.pages[0].ocr, document.warnings) == ("lamp", True, ())


def test_garbled_page_is_kept_where_reading_is_unsure(pdf):
    """A flagged page keeps its text, and its warning, where OCR is not sure either."""
    garbled_page(pdf)
    document = load(pdf, engine(word("lamp", 100, 100, confidence=0.75)))
    assert len(document.text) == 3
    assert not document.pages[0].ocr
    (warning,) = document.warnings
    assert warning.kind == "garbled-text"
    assert "OCR did no better" in warning.message


def test_pickled_document_keeps_its_places(scan):
    """A document from another process gives the same places."""
    document = load(scan(), engine(word("lamp", 100, 100)))
    copy = pickle.loads(pickle.dumps(document))
    assert copy.locate(Span(0, 4)) == document.locate(Span(0, 4))


def test_citation_is_not_judged_by_another_engine(scan, tmp_path):
    """A record names the engine, and is not checked without it."""
    path = tmp_path / "scan.pdf"
    path.write_bytes(scan().to_bytes())
    with docqa.load(path, ocr=engine(word("lamp", 100, 100))) as document:
        answer = docqa.cite(document, Span(0, 4))
    record = answer.to_dict()
    assert record["settings"]["load"]["ocr"] == "fake 1.0"
    [outcome] = docqa.verify(record)
    assert outcome.status == "failed"
    assert "were read by fake 1.0" in outcome.reason
    assert [each.status for each in docqa.verify(answer)] == ["failed"]


def test_citation_needs_no_engine_that_read_nothing(pdf, write, tmp_path):
    """Where no page was scanned, the text is the file's own, whatever engine stood by."""
    pdf.page(write(20, 150, "The lamp burns oil."))
    path = tmp_path / "text.pdf"
    path.write_bytes(pdf.to_bytes())
    with docqa.load(path, ocr=engine()) as document:
        [found] = docqa.verify(docqa.cite(document, Span(4, 8)).to_dict())
    assert found.status == "exact"


def test_record_names_the_language_of_a_tesseract_of_ones_own():
    """Tesseract with settings of its own is Tesseract, and reads its own language."""
    settings = LoadSettings(ocr=Tesseract("eng+deu", timeout=300))
    recorded = settings.to_dict()
    assert (recorded["ocr"], recorded["ocr_language"]) == (True, "eng+deu")
