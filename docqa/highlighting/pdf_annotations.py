"""Marks as highlight annotations (ISO 32000-1, 12.5.6.10)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from docqa._pdfium import Frame, UserBox
from docqa.datamodel import Box
from docqa.highlighting.colours import fraction

__all__ = ["appearance", "highlight_annotation"]

AUTHOR = "docqa"
FRAME = 1.5  # points: the width of the line around what is covered


def highlight_annotation(
    frame: Frame, boxes: Sequence[Box], color: str, *, comment: str, when: datetime, form: Any
) -> Any:
    """Return one highlight over rectangles of a page, as a dictionary of pypdf.

    Args:
        frame: of the page.
        boxes: points from the displayed page's top left corner.
        color: ``#rrggbb``.
        comment: shown by readers beside the highlight.
        when: when it was made.
        form: its `appearance`.
    """
    from pypdf.annotations import Highlight
    from pypdf.generic import ArrayObject, FloatObject, NameObject, TextStringObject

    corners = [corner for box in boxes for corner in _corners(frame, box)]
    annotation = Highlight(
        rect=form["/BBox"],
        quad_points=ArrayObject(map(FloatObject, corners)),
        highlight_color=color.removeprefix("#"),
        printing=True,
        title_bar=AUTHOR,
    )
    date = TextStringObject(when.astimezone(UTC).strftime("D:%Y%m%d%H%M%S+00'00'"))
    annotation[NameObject("/Type")] = NameObject("/Annot")
    annotation[NameObject("/Contents")] = TextStringObject(_written(comment))
    annotation[NameObject("/CreationDate")] = date
    annotation[NameObject("/M")] = date
    return annotation


def appearance(
    frame: Frame, boxes: Sequence[Box], color: str, *, framed: Collection[Box] = ()
) -> Any:
    """Return the appearance of a highlight as a form XObject: exact rectangles, in every reader.

    Readers left to themselves draw highlights in shapes of their own; poppler's reach a quarter of
    the line's height over its ends. The blend mode lets the text show through (11.3.5).

    Args:
        frame: of the page.
        boxes: points from the displayed page's top left corner.
        color: ``#rrggbb``.
        framed: those of `boxes` that something covers; they get a line around them too.
    """
    from pypdf.generic import (
        ArrayObject,
        DecodedStreamObject,
        DictionaryObject,
        FloatObject,
        NameObject,
    )

    fills = [frame.user(box) for box in boxes]
    frames = [_grown(frame.user(box), FRAME / 2) for box in boxes if box in framed]
    extent = _around([*fills, *(_grown(each, FRAME / 2) for each in frames)])
    state = DictionaryObject({NameObject("/BM"): NameObject("/Multiply")})
    states = DictionaryObject({NameObject("/Marker"): state})
    form = DecodedStreamObject()
    form.update(
        {
            NameObject("/Type"): NameObject("/XObject"),
            NameObject("/Subtype"): NameObject("/Form"),
            NameObject("/BBox"): ArrayObject(map(FloatObject, extent)),
            NameObject("/Resources"): DictionaryObject({NameObject("/ExtGState"): states}),
        }
    )
    shade = " ".join(f"{part:.4f}" for part in fraction(color))
    drawn = f"/Marker gs {shade} rg {shade} RG {FRAME} w\n{_rectangles(fills)}f\n"
    drawn += f"{_rectangles(frames)}S\n" if frames else ""
    form.set_data(drawn.encode())
    return form


def _rectangles(boxes: Iterable[UserBox]) -> str:
    """Return the operators that make a path of rectangles."""
    sides = ((box.left, box.bottom, box.right - box.left, box.top - box.bottom) for box in boxes)
    return "".join(" ".join(f"{side:.3f}" for side in each) + " re\n" for each in sides)


def _grown(box: UserBox, width: float) -> UserBox:
    return UserBox(box.left - width, box.bottom - width, box.right + width, box.top + width)


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
