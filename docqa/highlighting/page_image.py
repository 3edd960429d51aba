"""Pictures of PDF pages with marks: PDFium's picture, Pillow's rectangles, a PNG or a JPEG."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Literal

from docqa._pdf_passwords import open_pdf
from docqa._pdfium import Frame, PdfiumError, PdfPage
from docqa.datamodel import Box
from docqa.errors import HighlightError, SettingError

if TYPE_CHECKING:
    from PIL import ImageDraw
    from PIL.Image import Image

__all__ = ["Mark", "draw_page"]

_MOST_PIXELS = 25_000_000  # 100 MB of bitmap; A4 at 2 pixels a point has 2 million
_LABEL_SIZE = 8.0  # points
_JPEG_QUALITY = 85


@dataclass(frozen=True, slots=True)
class Mark:
    """A rectangle to mark on a page.

    Attributes:
        box: points from the displayed page's top left corner.
        color: ``#rrggbb``; a filled mark multiplies the page with it, as a marker pen does.
        label: a word or two above the rectangle; blank for none.
        outline: ``#rrggbb`` of a thin line around it; blank for none.
        is_filled: False leaves the inside as it is.
    """

    box: Box
    color: str = "#ffd54f"
    label: str = ""
    outline: str = ""
    is_filled: bool = True


def draw_page(
    data: bytes,
    page_number: int,
    *,
    password: str | None = None,
    scale: float = 2.0,
    marks: Sequence[Mark] = (),
    crop: Box | None = None,
    kind: Literal["PNG", "JPEG"] = "PNG",
) -> bytes:
    """Return a picture of one page of a PDF with marks on it.

    Args:
        data: the PDF.
        page_number: from 1.
        password: opens an encrypted file.
        scale: pixels per point; made smaller where the picture would have over 25 million pixels.
        marks: drawn in order, later ones over earlier ones.
        crop: the part of the displayed page to draw, in points from its top left corner; parts
            outside the page are left out. None draws all of it.
        kind: of the file: PNG is small for drawings and takes long; JPEG, of quality 85, is made in
            a tenth of the time.

    Raises:
        HighlightError: PDFium cannot open the file or draw the page, or there is no such page.
        SettingError: `scale` is not above 0, or `crop` lies outside the page.
    """
    if not 0 < scale < math.inf:
        raise SettingError(f"scale must be above 0, not {scale}")
    try:
        file, _ = open_pdf(data, password)
    except PdfiumError as error:
        raise HighlightError(f"no page image: PDFium cannot open the file: {error}") from error
    with file:
        if not 1 <= page_number <= file.page_count:
            last = file.page_count
            raise HighlightError(f"there is no page {page_number}: pages are 1 to {last}")
        try:
            with file.page(page_number - 1) as page:
                area = _area(page.frame, crop, page_number)
                scale = min(scale, math.sqrt(_MOST_PIXELS / _extent(area)))
                image = _picture(page, scale, area)
        except PdfiumError as error:
            raise HighlightError(f"no page image: {error}") from error
    for mark in marks:
        image = _marked(image, mark, scale, area)
    file_bytes = BytesIO()
    image.save(file_bytes, kind, optimize=kind == "PNG", quality=_JPEG_QUALITY)
    return file_bytes.getvalue()


def _area(frame: Frame, crop: Box | None, page_number: int) -> Box:
    """Return the part of the page to draw, whole where `crop` is None."""
    width, height = frame.width, frame.height
    if not (width > 0 and height > 0):
        raise HighlightError(f"page {page_number} has no extent: there is nothing to draw")
    if crop is None:
        return Box(0, 0, width, height)
    area = Box(max(0, crop.x0), max(0, crop.top), min(width, crop.x1), min(height, crop.bottom))
    if area.x0 >= area.x1 or area.top >= area.bottom:
        raise SettingError(
            f"{crop} lies outside page {page_number} of {width:g} x {height:g} points"
        )
    return area


def _extent(area: Box) -> float:
    return (area.x1 - area.x0) * (area.bottom - area.top)


def _picture(page: PdfPage, scale: float, area: Box) -> Image:
    from PIL import Image

    width, height, pixels = page.render(scale, area)
    return Image.frombuffer("RGB", (width, height), pixels, "raw", "BGRX", len(pixels) // height, 1)


def _marked(image: Image, mark: Mark, scale: float, area: Box) -> Image:
    """Return the picture with one mark; a part of it outside the picture is left out."""
    from PIL import ImageChops
    from PIL.ImageDraw import Draw

    box = mark.box
    left, right = sorted(((box.x0 - area.x0) * scale, (box.x1 - area.x0) * scale))
    top, bottom = sorted(((box.top - area.top) * scale, (box.bottom - area.top) * scale))
    edges = (math.floor(left), math.floor(top), math.ceil(right), math.ceil(bottom))
    inside = (
        max(0, edges[0]),
        max(0, edges[1]),
        min(image.width, edges[2]),
        min(image.height, edges[3]),
    )
    if inside[0] >= inside[2] or inside[1] >= inside[3]:
        return image
    if mark.is_filled:
        part = image.crop(inside)
        tint = part.copy()
        tint.paste(mark.color, (0, 0, *part.size))
        image.paste(ImageChops.multiply(part, tint), inside)
    draw = Draw(image)
    if mark.outline:
        around = (edges[0], edges[1], edges[2] - 1, edges[3] - 1)
        draw.rectangle(around, outline=mark.outline, width=max(1, round(scale / 2)))
    if mark.label:
        _write(draw, mark, (edges[0], edges[1]), scale)
    return image


def _write(draw: ImageDraw.ImageDraw, mark: Mark, corner: tuple[int, int], scale: float) -> None:
    """Write a mark's label above its top left corner, or inside where there is no room."""
    from PIL import ImageFont

    font = ImageFont.load_default(_LABEL_SIZE * scale)
    left, top, right, bottom = draw.textbbox((0, 0), mark.label, font=font)
    x, y = corner[0], max(0, corner[1] - math.ceil(bottom - top) - round(2 * scale))
    pad = round(scale)
    around = (x, y, x + math.ceil(right - left) + 2 * pad, y + math.ceil(bottom - top) + 2 * pad)
    draw.rectangle(around, fill=mark.color)
    draw.text((x + pad - left, y + pad - top), mark.label, fill="black", font=font)
