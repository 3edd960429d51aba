"""Texts, pictures and lists of documents for agents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING

from docqa.datamodel import Box, Span
from docqa.errors import SettingError
from docqa.mcp_server.desk import Desk, ToolOutcome
from docqa.mcp_server.library import ID_DIGITS, short_handle
from docqa.mcp_server.results import DocumentRow, ListResult, ReadResult, ShowResult, cited_place
from docqa.mcp_server.wording import at, table
from docqa.places import boxed_places, in_words

if TYPE_CHECKING:
    from docqa.mcp_server.turns import Turn

__all__ = ["PictureOutcome", "list_documents", "page_picture", "read", "show", "whole_text"]

_READ = 8_000  # characters
_LAST_WORDS = 500  # characters in which a border of words is looked for
_SIDE = 1_500  # pixels of a picture
_PICTURE_BYTES = 400_000
_MARGIN = 90.0  # points above and below the marked lines of a cropped picture
_ROWS = 50


@dataclass(frozen=True, slots=True)
class PictureOutcome(ToolOutcome[ShowResult]):
    """The outcome of `show`, with a JPEG and the URI of the whole page."""

    jpeg: bytes
    uri: str


def read(
    desk: Desk,
    turn: Turn,
    *,
    document: str | None = None,
    page: int | None = None,
    cite: str | None = None,
    before: int = 1,
    after: int = 1,
) -> ToolOutcome[ReadResult]:
    """Return the text of a page, around a cite, or from the beginning."""
    if cite is not None:
        document_id, span = desk.library.place(cite, turn)
        if len(span) < _READ // 2:
            wide = desk.service.around(
                document_id, span.start, span.end, before=before, after=after
            )
            span = Span(max(wide.start, span.end - _READ // 2), wide.end)
    else:
        document_id = desk.required(document, turn)
        span = Span(0, len(desk.service.text(document_id)))
        if page is not None:
            span = desk.page(document_id, page).span
    text = desk.service.text(document_id)
    if not span:
        raise SettingError("the page has no text; show draws it")
    end = min(span.end, span.start + _READ)
    if end < span.end:  # between two words, where there are any
        spaces = (text.rfind(space, end - _LAST_WORDS, end) for space in " \n\x0c")
        end = max(spaces) + 1 or end
    whole, span = span, Span(span.start, end)
    last = whole.end if end < whole.end else len(text)
    more = short_handle(document_id, Span(end, min(last, end + _READ))) if end < len(text) else None
    locations = desk.service.locate(document_id, span.start, span.end)
    result = ReadResult(
        **cited_place(
            document_id,
            desk.library.name(document_id),
            span,
            locations,
            desk.service.heading(document_id, span.start, span.start + 1),
        ),
        text=span.of(text),
        start=span.start,
        end=span.end,
        characters=len(text),
        more=more,
    )
    head = f"{at(result, in_words(locations))}, characters {span.start} to {end} of {len(text)}"
    tail = [f'The text goes on: read(cite="{more}")'] if more else []
    return ToolOutcome("\n\n".join([head, result.text, *tail]), result)


def show(
    desk: Desk,
    turn: Turn,
    *,
    cite: str | None = None,
    document: str | None = None,
    page: int | None = None,
    crop: bool = True,
) -> PictureOutcome:
    """Return the picture of a page of a PDF, with the words of a cite marked."""
    boxes: Sequence[Box] = ()
    if cite is not None:
        document_id, span = desk.library.place(cite, turn)
        places = desk.service.locate(document_id, span.start, span.end)
        first = next(boxed_places(places), None)
        if first is not None:
            page, boxes = first.page_number, first.boxes or ()
    else:
        document_id = desk.required(document, turn)
    shown = desk.page(document_id, 1 if page is None else page)
    area = Box(0, 0, shown.width, shown.height)
    if crop and boxes:
        top = max(0.0, min(box.top for box in boxes) - _MARGIN)
        bottom = min(shown.height, max(box.bottom for box in boxes) + _MARGIN)
        area = Box(0, top, shown.width, bottom)
    scale, jpeg = _drawn(desk, document_id, shown.number, boxes, area)
    width, height = _size(jpeg)
    uri = f"docqa://document/{document_id[:ID_DIGITS]}/page/{shown.number}.jpg"
    marks = [
        [round(n * scale, 1) for n in (box.x0, box.top - area.top, box.x1, box.bottom - area.top)]
        for box in boxes
    ]
    result = ShowResult(
        document=desk.library.name(document_id),
        page=shown.number,
        page_label=shown.label,
        width=width,
        height=height,
        marks=marks,
        cite=cite,
    )
    printed = f" (printed {shown.label})" if shown.label else ""
    marked = f", {len(boxes)} line{'s' * (len(boxes) > 1)} marked" if boxes else ""
    text = f"{result.document}, page {shown.number}{printed}{marked}"
    return PictureOutcome(text, result, jpeg, uri)


def list_documents(
    desk: Desk, turn: Turn, *, matching: str | None = None, cursor: str | None = None
) -> ToolOutcome[ListResult]:
    """Return the documents that can be named, fifty at a time."""
    wanted = (matching or "").casefold()
    listed = [
        each
        for each in desk.library.listed()
        if wanted in f"{each.collection or ''}/{each.name} {each.title or ''}".casefold()
    ]
    start = int(cursor) if cursor and cursor.isdecimal() else 0
    part = [desk.library.identified(each) for each in listed[start : start + _ROWS]]
    rows = [
        DocumentRow(
            name=each.name,
            id=each.id[:ID_DIGITS] or None,
            collection=each.collection,
            title=each.title,
            pages=each.pages,
            is_open=each.is_open,
            warnings=list(each.warnings[:3]),
        )
        for each in part
    ]
    following = start + _ROWS
    result = ListResult(
        documents=rows,
        collections=desk.service.collections(),
        total=len(listed),
        cursor=str(following) if following < len(listed) else None,
    )
    return ToolOutcome("\n".join(table(result)), result)


def page_picture(desk: Desk, turn: Turn, named: str, number: int) -> bytes:
    """Return a JPEG of a whole page."""
    document_id = desk.library.find(named, turn)
    page = desk.page(document_id, number)
    return _drawn(desk, document_id, number, (), Box(0, 0, page.width, page.height))[1]


def whole_text(desk: Desk, turn: Turn, named: str, *, most: int) -> str:
    """Return the text of a document of at most some characters."""
    text = desk.service.text(desk.library.find(named, turn))
    if len(text) > most:
        raise SettingError(
            f"the text has {len(text):,} characters; the tool read gives parts of it"
        )
    return text


def _drawn(
    desk: Desk, document_id: str, number: int, boxes: Sequence[Box], area: Box
) -> tuple[float, bytes]:
    """Return a picture within the bounds of clients, and its pixels a point."""
    scale = min(2.0, _SIDE / max(area.x1 - area.x0, area.bottom - area.top, 1.0))
    while True:
        jpeg = desk.service.page_image(
            document_id, number, scale=scale, marks=tuple(boxes), crop=area
        )
        if len(jpeg) <= _PICTURE_BYTES:
            return scale, jpeg
        scale *= 0.8


def _size(jpeg: bytes) -> tuple[int, int]:
    from PIL import Image

    with Image.open(BytesIO(jpeg)) as image:
        return image.size
