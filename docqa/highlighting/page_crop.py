"""Pictures of the places of answers, small enough to put many into one file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO

from docqa.datamodel import Box
from docqa.highlighting.page_image import Mark, draw_page

__all__ = ["PageCrop", "page_crop"]

_WIDTH = 620.0  # points: A4 (595) and Letter (612) in their whole width
_HEIGHT_AT_MOST = 400.0  # points; of a longer answer the first lines are shown
_MARGIN = 42.0  # points above and below the answer, three or four lines of text
_SIDE = 36.0  # points beside an answer that is wider than a crop
_SCALE = 1.6  # pixels per point: 10-point text stays legible at about 100 kB a picture or less
_COLOURS = 128  # of a palette; an octree keeps the mark's own however small the mark is
_MOST_BYTES = 60_000  # a palette picture over this is a photograph, which JPEG holds in less


@dataclass(frozen=True, slots=True)
class PageCrop:
    """A picture of a part of a page.

    Attributes:
        data: PNG or JPEG.
        media_type: which of them.
        width, height: pixels.
    """

    data: bytes
    media_type: str
    width: int
    height: int


def page_crop(
    data: bytes,
    page_number: int,
    boxes: Sequence[Box],
    *,
    fill: str,
    line: str,
    password: str | None = None,
) -> PageCrop:
    """Return the part of a page around `boxes`, which are marked in it.

    Args:
        data: the PDF.
        page_number: from 1.
        boxes: of the answer on that page, one per line; at least one.
        fill: ``#rrggbb`` behind the answer.
        line: ``#rrggbb`` around it.
        password: opens an encrypted file.

    Raises:
        HighlightError: the page cannot be drawn.
        SettingError: the boxes lie outside the page.
    """
    marks = [Mark(box, fill, outline=line) for box in boxes]
    png = draw_page(
        data, page_number, password=password, scale=_SCALE, marks=marks, crop=_around(boxes)
    )
    return _small(png)


def _around(boxes: Sequence[Box]) -> Box:
    """Return the part to show: a page's width, or as much of a wide page, and a few lines.

    >>> _around([Box(100, 200, 180, 212)])
    Box(x0=0.0, top=158.0, x1=620.0, bottom=254.0)
    """
    left, right = min(box.x0 for box in boxes), max(box.x1 for box in boxes)
    top, bottom = min(box.top for box in boxes), max(box.bottom for box in boxes)
    if right <= _WIDTH:
        left, right = 0.0, _WIDTH
    else:
        half = max(_WIDTH / 2, (right - left) / 2 + _SIDE)
        centre = (left + right) / 2
        left, right = centre - half, centre + half
    return Box(left, top - _MARGIN, right, min(bottom, top + _HEIGHT_AT_MOST) + _MARGIN)


def _small(png: bytes) -> PageCrop:
    """Return the picture as a PNG with a palette, or as a JPEG where that is far smaller."""
    from PIL import Image

    with Image.open(BytesIO(png)) as image:
        size, full = image.size, image.convert("RGB")
    few = full.quantize(_COLOURS, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    found, media_type = _encoded(few, "PNG", optimize=True), "image/png"
    if len(found) > _MOST_BYTES:
        photograph = _encoded(full, "JPEG", quality=72, optimize=True)
        if len(photograph) < len(found):
            found, media_type = photograph, "image/jpeg"
    return PageCrop(found, media_type, *size)


def _encoded(image: object, kind: str, **options: object) -> bytes:
    from PIL.Image import Image

    assert isinstance(image, Image)
    out = BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()
