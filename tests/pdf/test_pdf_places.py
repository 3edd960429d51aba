"""Where on the page the characters of a PDF's text stand."""

from __future__ import annotations

import copy
import pickle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from docqa._pdfium import PdfFile, UserBox
from docqa.datamodel import Box, Span
from docqa.loaders.pdf.boxes import line_boxes
from docqa.loaders.pdf.glyphs import Glyph, PageGlyphs
from docqa.loaders.pdf.loader import PdfLoader

PIXELS = 4  # a point


def dark_area(data: bytes, index: int = 0) -> Box:
    """Return the box around everything that PDFium draws on a page: an oracle without text."""
    with PdfFile(data) as file, file.page(index) as page:
        width, height, pixels = page.render(PIXELS)
    greens = pixels[1::4]
    rows = [greens[row * width : (row + 1) * width] for row in range(height)]
    dark_rows = [number for number, row in enumerate(rows) if min(row) < 128]
    dark_columns = [x for row in rows for x, green in enumerate(row) if green < 128]
    return Box(
        min(dark_columns) / PIXELS,
        dark_rows[0] / PIXELS,
        (max(dark_columns) + 1) / PIXELS,
        (dark_rows[-1] + 1) / PIXELS,
    )


def holds(outer: Box, inner: Box, margin: float = 0.5) -> bool:
    """Say whether a box lies inside another, up to a margin."""
    return (
        outer.x0 - margin <= inner.x0
        and outer.top - margin <= inner.top
        and inner.x1 <= outer.x1 + margin
        and inner.bottom <= outer.bottom + margin
    )


def only_box(document, words: str) -> Box:
    """Return the one rectangle of the only place of `words`."""
    start = document.text.index(words)
    (location,) = document.locate(Span(start, start + len(words)))
    (box,) = location.boxes
    return box


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
@pytest.mark.parametrize("crop", ["", "/CropBox[50 40 250 170]", "/CropBox[-20 -20 220 190]"])
@pytest.mark.parametrize("unit", ["", "/UserUnit 2"])
def test_turned_and_cropped_pages(pdf, load, rotation, crop, unit):
    """The rectangle is where the word is drawn, whatever the page's turn and crop."""
    pdf.page("BT /F1 12 Tf 80 100 Td (Aqbjlp) Tj ET", f"/Rotate {rotation}{crop}{unit}")
    document = load(pdf)
    box, ink = only_box(document, "Aqbjlp"), dark_area(pdf.to_bytes())
    assert holds(box, ink)
    assert holds(ink, box, margin=7)
    assert box.x1 <= document.pages[0].width
    assert box.bottom <= document.pages[0].height


@pytest.mark.parametrize("matrix", ["0 1 -1 0 100 50", "-1 0 0 -1 200 100", "0 -1 1 0 100 150"])
def test_turned_text(pdf, load, matrix):
    """Text along the page's other axis, or upside down, is one rectangle a line too."""
    pdf.page(f"BT /F1 12 Tf {matrix} Tm (turned words) Tj ET")
    box = only_box(load(pdf), "turned words")
    assert holds(box, dark_area(pdf.to_bytes()))


def test_slanted_text_is_covered_character_by_character(pdf, load):
    """Slanted text has no upright line: small rectangles, together around the ink."""
    pdf.page("BT /F1 20 Tf .7 .7 -.7 .7 100 50 Tm (slant) Tj ET")
    (location,) = load(pdf).locate(Span(0, 5))
    boxes = location.boxes
    x0s, tops, x1s, bottoms = zip(*map(edges, boxes), strict=True)
    around = Box(min(x0s), min(tops), max(x1s), max(bottoms))
    assert holds(around, dark_area(pdf.to_bytes()), margin=1)
    assert max(box.x1 - box.x0 for box in boxes) < 40


def edges(box: Box) -> tuple[float, ...]:
    return box.x0, box.top, box.x1, box.bottom


def test_vertical_script():
    """Upright characters that stand one below the other are one rectangle."""
    places = [UserBox(100, 80 - 10 * row, 110, 90 - 10 * row) for row in range(3)]
    page = PageGlyphs(Glyph(index, box, box, 0) for index, box in enumerate(places))
    assert line_boxes(page, range(3)) == [UserBox(100, 60, 110, 90)]


def test_list_of_single_characters_is_not_vertical():
    """Line ends between characters (two indexes each) keep them on lines of their own."""
    places = [UserBox(100, 80 - 10 * row, 110, 90 - 10 * row) for row in range(3)]
    page = PageGlyphs(Glyph(3 * index, box, box, 0) for index, box in enumerate(places))
    assert line_boxes(page, range(7)) == places


@pytest.mark.data
def test_vertical_file(data_folder):
    """A page of vertical Japanese gives one tall rectangle a column."""
    data = (data_folder / "robust" / "pdf" / "pdfjs--issue6387.pdf").read_bytes()
    (location,) = PdfLoader().load(data, source="vertical").locate(Span(0, 30))
    assert all(box.bottom - box.top > 3 * (box.x1 - box.x0) for box in location.boxes)


def test_one_rectangle_per_line(pdf, write, load):
    """A span over three lines has three rectangles, from the top down, in step with the lines."""
    pdf.page("".join(write(20, y, f"line at {y}") for y in (150, 136, 122)))
    document = load(pdf)
    (location,) = document.locate(Span(5, len(document.text)))
    assert len(location.boxes) == 3
    tops = [box.top for box in location.boxes]
    assert tops == sorted(tops)
    assert location.boxes[0].x0 > location.boxes[1].x0


def test_cells_of_a_row_are_one_rectangle(pdf, write, load):
    """Wide gaps without text between do not break a line's rectangle."""
    pdf.page(write(20, 100, "Revenue") + write(150, 100, "1,234") + write(240, 100, "999"))
    document = load(pdf)
    (location,) = document.locate(Span(0, len(document.text)))
    assert len(location.boxes) == 1


def test_gap_with_foreign_text_is_left_free():
    """A row around a character that is not the span's does not cover that character."""
    places = [UserBox(x, 0, x + 5, 8) for x in (0, 60, 30)]
    page = PageGlyphs(Glyph(index, box, box, 0) for index, box in enumerate(places))
    assert line_boxes(page, [0, 1]) == places[:2]
    assert line_boxes(page, [0, 1, 2]) == [UserBox(0, 0, 65, 8)]


def test_span_over_pages(pdf, write, load):
    """A span over a page break has one location a page; the break alone has no rectangle."""
    pdf.page(write(20, 150, "ends"))
    pdf.page(write(20, 150, "begins"))
    document = load(pdf)
    first, second = document.locate(Span(2, 8))
    assert (first.page_number, second.page_number) == (1, 2)
    assert len(first.boxes) == len(second.boxes) == 1
    (page_break,) = document.locate(Span(4, 5))
    assert (page_break.page_number, page_break.boxes) == (1, ())


def test_user_boxes_are_not_turned(pdf, write, load):
    """Annotations get the rectangle in the file's own space."""
    pdf.page(write(80, 100, "word"), "/Rotate 90/CropBox[50 40 250 170]")
    document = load(pdf)
    ((index, (box,)),) = document.source_map.user_boxes(Span(0, 4)).items()
    assert index == 0
    assert 79 < box.left < 82
    assert 95 < box.bottom < 100 < box.top < 112


def test_locate_after_close(pdf, write, load):
    """The text stays, and a later question opens the file again."""
    pdf.page(write(20, 150, "word"))
    document = load(pdf)
    before = document.locate(Span(0, 4))
    document.close()
    document.close()
    assert document.locate(Span(0, 4)) == before


@pytest.mark.parametrize(
    "duplicate", [copy.deepcopy, lambda each: pickle.loads(pickle.dumps(each))]
)
def test_copies_open_the_file_themselves(pdf, write, load, duplicate):
    """A document can be copied and sent to another process after its file was opened."""
    pdf.page(write(20, 150, "word"))
    document = load(pdf)
    before = document.locate(Span(0, 4))
    other = duplicate(document)
    document.close()
    assert other.locate(Span(0, 4)) == before


@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_rectangles_hold_the_span_and_nothing_else(new_pdf, data):
    """Any span of a page of words at any places covers its own characters' centres only."""
    places = st.tuples(st.integers(0, 9), st.integers(0, 11), st.sampled_from(["ab", "Qq-", "i"]))
    words = data.draw(st.lists(places, min_size=2, max_size=12, unique_by=lambda place: place[:2]))
    shown = "".join(
        f"BT /F1 10 Tf {10 + 28 * x} {20 + 14 * y} Td ({word}) Tj ET\n" for x, y, word in words
    )
    rotation = data.draw(st.sampled_from([0, 90, 180, 270]))
    pdf = new_pdf()
    pdf.page(shown, f"/Rotate {rotation}")
    content = pdf.to_bytes()
    document = PdfLoader().load(content, source="words.pdf")
    start = data.draw(st.integers(0, len(document.text) - 1))
    span = Span(start, data.draw(st.integers(start + 1, len(document.text))))
    (location,) = document.locate(span)
    for offset, point in centres(content, document):
        covered = any(
            box.x0 <= point[0] <= box.x1 and box.top <= point[1] <= box.bottom
            for box in location.boxes
        )
        assert covered == (span.start <= offset < span.end), document.text[offset]


def centres(content: bytes, document) -> list[tuple[int, tuple[float, float]]]:
    """Return text offset and displayed centre of the ink of each visible character."""
    found = []
    with PdfFile(content) as file, file.page(0) as page:
        inks = {place.number: place.ink for place in page.places()}
        for offset, character in enumerate(document.text):
            if character.isspace():
                continue
            (source,) = document.source_map._source.offsets.to_source(Span(offset, offset + 1))
            box = page.frame.display(inks[source.start])
            found.append((offset, ((box.x0 + box.x1) / 2, (box.top + box.bottom) / 2)))
    return found
