"""Page images: PDFium's picture with marks on it."""

from __future__ import annotations

from io import BytesIO

import pypdf
import pytest
from checkout import EXAMPLES
from PIL import Image

from docqa.datamodel import Box
from docqa.errors import HighlightError, SettingError
from docqa.highlighting.page_image import Mark, draw_page

HANDBOOK = (EXAMPLES / "handbook.pdf").read_bytes()
BLANK = Box(100, 500, 160, 540)  # white on page 1
YELLOW = (0xFF, 0xD5, 0x4F)


def drawn(data: bytes = HANDBOOK, page_number: int = 1, **settings: object) -> Image.Image:
    png = draw_page(data, page_number, **settings)  # type: ignore[arg-type]
    return Image.open(BytesIO(png)).convert("RGB")


def page_of(width: float, height: float, password: str = "") -> bytes:
    writer, stream = pypdf.PdfWriter(), BytesIO()
    writer.add_blank_page(width, height)
    if password:
        writer.encrypt(password, algorithm="RC4-128")
    writer.write(stream)
    return stream.getvalue()


@pytest.mark.parametrize("scale", [0.5, 1, 3.7])
def test_scale_is_pixels_per_point(scale: float) -> None:
    """The picture has the page's size times the scale."""
    assert drawn(scale=scale).size == (round(419.528 * scale), round(595.276 * scale))


def test_mark_fills_its_box_and_no_more() -> None:
    """The corners of the box are coloured, the pixels around them are not."""
    image = drawn(marks=[Mark(BLANK)], scale=2)
    assert image.getpixel((200, 1000)) == image.getpixel((319, 1079)) == YELLOW
    assert image.getpixel((199, 1000)) == image.getpixel((320, 1079)) == (255, 255, 255)


def test_words_show_through_a_mark() -> None:
    """Black stays black: a mark multiplies."""
    title = Box(77, 125, 343, 148)
    assert drawn(marks=[Mark(title)], crop=title).getextrema()[0][0] < 8


def test_outline_leaves_the_inside() -> None:
    """A thin line goes around a box that is not filled."""
    image = drawn(marks=[Mark(BLANK, outline="#0072b2", is_filled=False)], scale=2)
    assert image.getpixel((200, 1000)) == (0x00, 0x72, 0xB2)
    assert image.getpixel((260, 1040)) == (255, 255, 255)


def test_label_stands_above_the_box() -> None:
    """Something dark is written over the mark's colour above its corner."""
    label = drawn(marks=[Mark(BLANK, label="12")], crop=Box(100, 480, 115, 501))
    shades = {color for _, color in label.getcolors(1 << 16) or ()}
    assert YELLOW in shades
    assert min(map(max, shades)) < 64


def test_crop_shows_the_same_pixels() -> None:
    """A part drawn by itself looks as it does in the whole page."""
    part = Box(50, 100, 250, 160)
    whole = drawn(marks=[Mark(BLANK)], scale=2)
    assert drawn(marks=[Mark(BLANK)], scale=2, crop=part).tobytes() == (
        whole.crop((100, 200, 500, 320)).tobytes()
    )


def test_crop_ends_at_the_page() -> None:
    """What lies beyond the page is not drawn."""
    assert drawn(crop=Box(-50, -50, 100, 50), scale=1).size == (100, 50)


def test_crop_outside_the_page_is_refused() -> None:
    """There would be nothing to draw."""
    with pytest.raises(SettingError, match="lies outside page 1"):
        drawn(crop=Box(1000, 0, 1100, 50))


@pytest.mark.parametrize("box", [Box(-900, -900, -800, -800), Box(-9, -9, 9, 9), Box(5, 5, 5, 5)])
def test_mark_beyond_the_page_is_cut(box: Box) -> None:
    """Marks partly or wholly outside the picture, or without extent, are no error."""
    assert drawn(marks=[Mark(box, label="1", outline="#000000")], scale=1).size == (420, 595)


def test_huge_page_is_drawn_smaller() -> None:
    """A page of 200 inches is kept to 25 million pixels."""
    width, height = drawn(page_of(14_400, 14_400), scale=10).size
    assert width == height == 5000


@pytest.mark.parametrize("size", [(1, 14_400), (0.01, 0.01)])
def test_thin_and_tiny_pages_are_drawn(size: tuple[float, float]) -> None:
    """There is at least one pixel."""
    assert min(drawn(page_of(*size)).size) >= 1


def test_page_without_extent_is_an_error() -> None:
    """A crop box that misses the media box shows nothing."""
    data = page_of(100, 100).replace(b"[ 0.0 0.0 100 100 ]", b"[ 0.0 0.0 0.0 0.0 ]")
    try:
        image = drawn(data)
    except HighlightError as error:
        assert "nothing to draw" in str(error)  # noqa: PT017  # PDFium may take a size of its own
    else:
        assert min(image.size) >= 1


def test_password_opens_the_file() -> None:
    """An encrypted file is drawn with its password, and refused without."""
    data = page_of(100, 50, "open")
    assert drawn(data, password="open", scale=1).size == (100, 50)
    with pytest.raises(HighlightError, match="the password is missing or wrong"):
        drawn(data)


@pytest.mark.parametrize("page_number", [0, -1, 8])
def test_page_out_of_range_is_an_error(page_number: int) -> None:
    """Pages count from 1 to the last."""
    with pytest.raises(HighlightError, match="pages are 1 to 7"):
        drawn(page_number=page_number)


@pytest.mark.parametrize("scale", [0, -1, float("inf"), float("nan")])
def test_scale_must_be_positive(scale: float) -> None:
    """No picture has no pixels, or infinitely many."""
    with pytest.raises(SettingError, match="scale must be above 0"):
        drawn(scale=scale)
