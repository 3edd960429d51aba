"""The text of a PDF's pages, and its map to PDFium's characters."""

from __future__ import annotations

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docqa.datamodel import Span
from docqa.loaders.pdf.text import TextInsertion, insert, page_text

ODD_CODES = st.sampled_from([0, 2, 9, 10, 13, 0xA0, 0xAD, 0xD835, 0xDC00, 0xFFFE, 0x10FFFF, 2**31])
CODES = st.lists(ODD_CODES | st.integers(32, 126) | st.integers(0, 2**32 - 1), max_size=30)


def test_lines_and_pages(pdf, write, load):
    """Lines end in line feeds, pages in form feeds."""
    pdf.page(write(20, 150, "First line") + write(20, 130, "Second line"))
    pdf.page(write(20, 150, "Second page"))
    assert load(pdf).text == "First line\nSecond line\fSecond page"


def test_columns_keep_the_order_of_the_content(pdf, write, load):
    """Two columns are read one after the other when the file writes them so."""
    left = "".join(write(20, y, "left column", 8) for y in (150, 140))
    right = "".join(write(160, y, "right column", 8) for y in (150, 140))
    pdf.page(left + right)
    assert load(pdf).text.split("\n") == ["left column"] * 2 + ["right column"] * 2


def test_hyphen_at_line_end(pdf, write, load):
    """A hyphen at a line's end is one character; PDFium drops the line break behind it."""
    pdf.page(write(20, 150, "looking for-") + write(20, 136, "ward to it"))
    assert load(pdf).text == "looking for-ward to it"


def test_ligature_is_two_characters_in_one_place(pdf, load):
    """Both letters of a ligature lead to its glyph."""
    encoding = "<</Type/Encoding/Differences[102/fi]>>"
    font = pdf.add(f"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding {encoding}>>")
    pdf.page("BT /F2 12 Tf 20 100 Td (f) Tj ET", fonts=f"/F2 {font} 0 R")
    document = load(pdf)
    assert document.text == "fi"
    assert document.locate(Span(0, 1)) == document.locate(Span(1, 2))


def test_fixed_space_becomes_a_space(pdf, write, load):
    """Tabs and no-break spaces are spaces in the text, one to one."""
    pdf.page(write(20, 150, "10\\240000 EUR"))
    assert load(pdf).text == "10 000 EUR"


@pytest.mark.parametrize("edges", ["/CropBox[0 0 300 170]", "/Rotate 90/CropBox[0 0 300 170]"])
def test_text_outside_the_page_is_left_out(pdf, write, load, edges):
    """What the crop box cuts away is no text, with a warning, and the rest keeps its place."""
    pdf.page(
        write(20, 180, "Printer") + write(20, 150, "shown") + write(250, 130, "half way"), edges
    )
    document = load(pdf)
    assert document.text == "shown\nhalf way"
    (warning,) = document.warnings
    assert (warning.kind, warning.page_number) == ("outside-page", 1)
    (location,) = document.locate(Span(0, 5))
    assert len(location.boxes) == 1


@pytest.mark.parametrize(
    ("codes", "text"),
    [
        ([65, 2, 66], "A\ufffdB"),
        ([65, 0, 0x110000, 0xF0A8A780], "A\ufffd\ufffd\ufffd"),
        ([0xD835, 65, 0xDC00], "\ufffdA\ufffd"),
        ([0xD835, 0xDC00, 13, 10, 13, 65], "\U0001d400\n\nA"),
        ([12, 11, 0x85, 0xFFFE], "\ufffd" * 4),
    ],
)
def test_bad_codes(codes, text):
    """What is no character is replaced, and pairs become one."""
    assert page_text(codes, lambda index: False).text == text


@given(CODES, st.sets(st.integers(0, 29)))
def test_every_character_has_its_codes(codes, hyphens):
    """The text's characters lead to all codes, in order, once each."""
    page = page_text(codes, hyphens.__contains__)
    spans = [page.offsets.to_source(Span(i, i + 1)) for i in range(len(page.text))]
    indexes = [index for (span,) in spans for index in range(span.start, span.end)]
    assert indexes == list(range(len(codes)))
    page.text.encode()
    assert "\f" not in page.text


@given(CODES, st.sets(st.integers(0, 29)))
def test_characters_left_out_have_no_place(codes, left_out):
    """An index left out is neither in the text nor in the map."""
    left_out = {index for index in left_out if index < len(codes)}
    page = page_text(codes, lambda index: False, left_out)
    ranges = page.offsets.to_source(Span(0, len(page.text)))
    assert not any(index in left_out for span in ranges for index in range(span.start, span.end))
    assert page.offsets.text_length == len(page.text)


@given(CODES, st.integers(0, 30))
def test_insertion_keeps_the_rest(codes, position):
    """An inserted value has its own source, and the rest keeps its own."""
    page = page_text(codes, lambda index: False)
    position = min(position, len(page.text))
    longer = insert(page, [TextInsertion(position, "value", 1000, " ", "\n")])
    rest = longer.text[:position] + longer.text[position + 7 :]
    assert (longer.text[position : position + 7], rest) == (" value\n", page.text)
    assert longer.offsets.to_source(Span(position, position + 7)) == (Span(1000, 1005),)
    for offset in range(len(page.text)):
        moved = offset if offset < position else offset + 7
        there, here = Span(moved, moved + 1), Span(offset, offset + 1)
        assert longer.offsets.to_source(there) == page.offsets.to_source(here)


def test_map_is_lean():
    """A page of plain lines takes two segments a line."""
    line = [*map(ord, "a line of text"), 13, 10]
    page = page_text(line * 100, lambda index: False)
    assert len(page.offsets) == 200
    assert sys.getsizeof(page.offsets.text_start) < 2000
