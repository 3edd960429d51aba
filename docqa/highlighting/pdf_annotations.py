"""Turn marks into highlight annotations (ISO 32000-1, 12.5.6.10)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timezone
from typing import Any

from docqa._pdfium import Frame, UserBox
from docqa.datamodel import Box
from docqa.highlighting.colours import fraction

__all__ = ["appearance", "highlight_annotation"]

AUTHOR = "docqa"


def highlight_annotation(
    frame: Frame, boxes: Sequence[Box], color: str, comment: str, when: datetime
) -> Any:
    """Return one highlight over rectangles of a page, as a dictionary of pypdf.

    Args:
        frame: of the page.
        boxes: points from the displayed page's top left corner.
        color: ``#rrggbb``.
        comment: shown by readers beside the highlight.
        when: when it was made.
    """
    from pypdf.annotations import Highlight
    from pypdf.generic import ArrayObject, FloatObject, NameObject, TextStringObject

    corners = [corner for box in boxes for corner in _corners(frame, box)]
    annotation = Highlight(
        rect=_around([frame.user(box) for box in boxes]),
        quad_points=ArrayObject(map(FloatObject, corners)),
        highlight_color=color.removeprefix("#"),
        printing=True,
        title_bar=AUTHOR,
    )
    date = TextStringObject(when.astimezone(timezone.utc).strftime("D:%Y%m%d%H%M%S+00'00'"))
    annotation[NameObject("/Type")] = NameObject("/Annot")
    annotation[NameObject("/Contents")] = TextStringObject(_written(comment))
    annotation[NameObject("/CreationDate")] = date
    annotation[NameObject("/M")] = date
    return annotation


def appearance(frame: Frame, boxes: Sequence[Box], color: str) -> Any:
    """Return how the highlight looks, as a form XObject: exact rectangles, in every reader.

    Readers left to themselves draw highlights in shapes of their own; poppler's reach a quarter of
    the line's height over its ends. The blend mode lets the text show through (11.3.5).
    """
    from pypdf.generic import (
        ArrayObject,
        DecodedStreamObject,
        DictionaryObject,
        FloatObject,
        NameObject,
    )

    users = [frame.user(box) for box in boxes]
    state = DictionaryObject({NameObject("/BM"): NameObject("/Multiply")})
    states = DictionaryObject({NameObject("/Marker"): state})
    form = DecodedStreamObject()
    form.update(
        {
            NameObject("/Type"): NameObject("/XObject"),
            NameObject("/Subtype"): NameObject("/Form"),
            NameObject("/BBox"): ArrayObject(map(FloatObject, _around(users))),
            NameObject("/Resources"): DictionaryObject({NameObject("/ExtGState"): states}),
        }
    )
    red, green, blue = fraction(color)
    rectangles = "".join(
        f"{user.left:.3f} {user.bottom:.3f} {user.right - user.left:.3f} "
        f"{user.top - user.bottom:.3f} re\n"
        for user in users
    )
    form.set_data(f"/Marker gs {red:.4f} {green:.4f} {blue:.4f} rg\n{rectangles}f\n".encode())
    return form


def _corners(frame: Frame, box: Box) -> list[float]:
    """Return a rectangle's corners in the order in which readers take them.

    It is top left, top right, bottom left, bottom right as the words run; the standard's own order,
    around the rectangle, is one that no reader follows.
    """
    points = [(box.x0, box.top), (box.x1, box.top), (box.x0, box.bottom), (box.x1, box.bottom)]
    users = [frame.user(Box(x, y, x, y)) for x, y in points]
    return [edge for user in users for edge in (user.left, user.bottom)]


def _around(boxes: Sequence[UserBox]) -> tuple[float, float, float, float]:
    return (
        min(box.left for box in boxes),
        min(box.bottom for box in boxes),
        max(box.right for box in boxes),
        max(box.top for box in boxes),
    )


def _written(text: str) -> str:
    """Return `text` without halves of surrogate pairs, which no PDF can hold."""
    return text.encode("utf-16", "replace").decode("utf-16")
