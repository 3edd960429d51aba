"""Put the values of filled form fields into a page's text, beside their labels.

PDFium leaves them out of the text (0 of 38 values in the sample forms). A value goes behind the
last character to the left of its field on the same line, else behind the line right above it,
else to the end of the page. It is mapped to source indexes past the page's last character, and
its rectangle is the field's. Text fields, lists and the export values of ticked boxes are read;
passwords, hidden fields and buttons are not. The words of notes, stamps and signatures go to their
place in the same way, each character with a rectangle of its own.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from docqa._pdfium import PdfPage, UserBox, Widget
from docqa.datamodel import Box, Span
from docqa.loaders.pdf.crop import lies_outside
from docqa.loaders.pdf.glyphs import union
from docqa.loaders.pdf.placed import PlacedText
from docqa.loaders.pdf.text import PageText, TextInsertion, insert, printable

__all__ = ["shown_widgets", "with_field_values"]

_SAME_LINE = 0.5  # share of a character's height that lies within the field's
_FARTHEST_LABEL = 40.0  # points: about three lines, from a field up to what may be its label


@dataclass(frozen=True, slots=True)
class _Anchor:
    """A character of the page: its offset in the text and its displayed box."""

    position: int
    box: Box


def shown_widgets(page: PdfPage, texts: Iterable[Widget] = ()) -> tuple[list[Widget], int]:
    """Return the filled fields inside the page's edges, and the characters in those outside.

    Args:
        page: it is asked for its fields.
        texts: of other annotations, to be seen as fields.
    """
    widgets, left_out = [], 0
    frame = page.frame
    has_extent = frame.width > 0 and frame.height > 0
    for widget in (*page.widgets(), *texts):
        if has_extent and lies_outside(widget.box, frame.box):
            left_out += len(widget.value)
        else:
            widgets.append(widget)
    return widgets, left_out


def with_field_values(
    page: PdfPage, text: PageText, widgets: list[Widget]
) -> tuple[PageText, tuple[PlacedText, ...]]:
    """Return the page's text with the values of its filled fields, and where they are."""
    if not widgets:
        return text, ()
    widgets = sorted(widgets, key=lambda each: _reading_order(page.frame.display(each.box)))
    anchors = _anchors(page, text)
    fields: list[PlacedText] = []
    insertions, source = [], page.character_count
    for widget in widgets:
        position, before = _place(text.text, anchors, page.frame.display(_first_line(widget)))
        value = _shown_value(widget.value)
        fields += _placed(widget, value, source)
        after = " " if text.text[position : position + 1].strip() else ""
        insertions.append(TextInsertion(position, value, source, before, after))
        source += len(value)
    insertions.sort(key=lambda each: each.position)
    return insert(text, insertions), tuple(fields)


def _first_line(widget: Widget) -> UserBox:
    """Return the rectangle of the first line, which stands beside a label."""
    line = widget.value.partition("\n")[0]
    drawn = [box for box in widget.boxes[: len(line)] if box is not None]
    return functools.reduce(union, drawn) if drawn else widget.box


def _placed(widget: Widget, value: str, source: int) -> Iterator[PlacedText]:
    """Yield the rectangles of a value: its own, or those of its characters, line by line.

    White space belongs to the character before it.
    """
    drawn = [place for place, box in enumerate(widget.boxes) if box is not None]
    if not drawn:
        yield PlacedText(Span(source, source + len(value)), widget.box)
        return
    starts = [0, *drawn[1:]]
    for start, end, place in zip(starts, [*starts[1:], len(value)], drawn, strict=True):
        line = value.count("\n", 0, place)
        box = widget.boxes[place] or widget.box
        yield PlacedText(Span(source + start, source + end), box, line)


def _shown_value(value: str) -> str:
    """Return the value as page text, without the character that parts pages."""
    return printable(value.replace("\f", "\n"))


def _reading_order(box: Box) -> tuple[float, float]:
    return (box.top, box.x0)


def _anchors(page: PdfPage, text: PageText) -> list[_Anchor]:
    """Return the visible characters of the page with their displayed boxes."""
    anchors = []
    for position, character in enumerate(text.text):
        sources = text.offsets.to_source(Span(position, position + 1))
        user = None if character.isspace() else page.loose_box(sources[0].start)
        if user is not None:
            anchors.append(_Anchor(position, page.frame.display(user)))
    return anchors


def _place(text: str, anchors: Sequence[_Anchor], field: Box) -> tuple[int, str]:
    """Return the offset at which a field's value goes, and the layout before it."""
    left = [each for each in anchors if _is_left(each.box, field)]
    if left:
        return max(left, key=lambda each: each.box.x1).position + 1, " "
    above = [each for each in anchors if _is_above(each.box, field)]
    if not above:
        return len(text), "\n"
    nearest = max(above, key=lambda each: (each.box.bottom, each.box.x1)).position
    line_end = text.find("\n", nearest)
    return (len(text) if line_end < 0 else line_end), "\n"


def _is_left(character: Box, field: Box) -> bool:
    shared = min(character.bottom, field.bottom) - max(character.top, field.top)
    centre = (character.x0 + character.x1) / 2
    return centre < field.x0 and shared > _SAME_LINE * (character.bottom - character.top)


def _is_above(character: Box, field: Box) -> bool:
    middle = (character.top + character.bottom) / 2
    overlaps = character.x0 < field.x1 and field.x0 < character.x1
    return overlaps and field.top - _FARTHEST_LABEL < middle < field.top
