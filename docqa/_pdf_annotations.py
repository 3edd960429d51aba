"""Annotations of a loaded page, and the texts that their appearances draw.

PDFium counts no characters of annotations. They become page content by flattening a copy of the
page on which nothing else is left; each is a form XObject there, in their order.
"""

from __future__ import annotations

import ctypes
import html
import re
from collections.abc import Collection, Iterator
from typing import Any, NamedTuple

import pypdfium2.raw as pdfium

from docqa._pdfium import (
    LOCK,
    PageSource,
    PdfPage,
    UserBox,
    Widget,
    attachment_name,
    object_kind,
    utf16_string,
)

__all__ = ["Annotation", "drawn_texts", "shown_annotations"]

_CARRIAGE_RETURN, _HYPHEN, _MOST_SPACES = 0x0D, 0x2D, 0x3001
_DEEPEST_FORM = 8  # nested form XObjects looked into
_LINE_TAG, _TAG = re.compile(r"</p\s*>\s*(?=<p\b)|<br\b[^<>]*>"), re.compile(r"<[^<>]*>")
_KINDS = {
    pdfium.FPDF_ANNOT_FREETEXT: "FreeText",
    pdfium.FPDF_ANNOT_STAMP: "Stamp",
    pdfium.FPDF_ANNOT_FILEATTACHMENT: "FileAttachment",
}
# Links and pop-ups, and marks on the page's own text, whose words are comments.
_NO_WORDS = frozenset(
    {
        pdfium.FPDF_ANNOT_LINK,
        pdfium.FPDF_ANNOT_POPUP,
        pdfium.FPDF_ANNOT_TEXT,
        pdfium.FPDF_ANNOT_HIGHLIGHT,
        pdfium.FPDF_ANNOT_UNDERLINE,
        pdfium.FPDF_ANNOT_SQUIGGLY,
        pdfium.FPDF_ANNOT_STRIKEOUT,
        pdfium.FPDF_ANNOT_CARET,
        pdfium.FPDF_ANNOT_INK,
    }
)
_NO_TEXT = Widget("", UserBox(0, 0, 0, 0))


class Annotation(NamedTuple):
    """An annotation that a page shows.

    Attributes:
        number: its place in the page's list, from 0.
        kind: such as ``"FreeText"``; ``"Signature"`` for the field of one.
        box: its rectangle.
        contents: its words, or ``""``; of a FreeText those that it shows, of a stamp without any
            its name.
        file: name of the file attached to it, or ``""``.
        is_drawn: it brings an appearance with something in it.
        in_layer: it stands in a layer, which may be off.
    """

    number: int
    kind: str
    box: UserBox
    contents: str
    file: str
    is_drawn: bool
    in_layer: bool


def shown_annotations(page: PdfPage) -> list[Annotation]:
    """Return the annotations that may show words on a page, but for fields to fill.

    Links, pop-ups, comments, marks on the page's own text, and hidden ones are left out.
    """
    found = []
    for number in range(page.annotation_count()):
        handle = pdfium.FPDFPage_GetAnnot(page.handle, number)
        if not handle:
            continue
        try:
            one = _annotation(page.form, handle, number)
        finally:
            pdfium.FPDFPage_CloseAnnot(handle)
        if one is not None:
            found.append(one)
    return found


def drawn_texts(page: PdfPage, numbers: Collection[int]) -> list[Widget]:
    """Return the texts that annotations draw, in their order; ``""`` for one without text.

    Args:
        page: a loaded page.
        numbers: of annotations that are drawn.
    """
    data, index = page.source.data, page.source.index
    with LOCK:
        document = pdfium.FPDF_LoadMemDocument64(data, len(data), page.source.password)
        if not document:
            return [_NO_TEXT] * len(numbers)
        try:
            _strip(document, index, numbers)
            return _drawn_texts(document, page.source, len(numbers))
        finally:
            pdfium.FPDF_CloseDocument(document)


def _annotation(form: Any, handle: Any, number: int) -> Annotation | None:
    """Return an annotation, or None for one that shows nothing, or a value to fill in."""
    subtype = pdfium.FPDFAnnot_GetSubtype(handle)
    kind = _KINDS.get(subtype, "")
    if subtype == pdfium.FPDF_ANNOT_WIDGET:
        if not _is_signature(form, handle):
            return None
        kind = "Signature"
    unseen = (
        pdfium.FPDF_ANNOT_FLAG_HIDDEN
        | pdfium.FPDF_ANNOT_FLAG_NOVIEW
        | pdfium.FPDF_ANNOT_FLAG_INVISIBLE
    )
    rect = pdfium.FS_RECTF()
    if (
        subtype in _NO_WORDS
        or pdfium.FPDFAnnot_GetFlags(handle) & unseen
        or not pdfium.FPDFAnnot_GetRect(handle, ctypes.byref(rect))
    ):
        return None
    left, right = sorted((rect.left, rect.right))
    bottom, top = sorted((rect.bottom, rect.top))
    keys = [b"Contents", b"RC", *([b"Name"] if subtype == pdfium.FPDF_ANNOT_STAMP else [])]
    contents = next(filter(None, (_words(handle, key) for key in keys)), "")
    is_file = subtype == pdfium.FPDF_ANNOT_FILEATTACHMENT
    file = attachment_name(pdfium.FPDFAnnot_GetFileAttachment(handle)) if is_file else ""
    is_drawn = pdfium.FPDFAnnot_GetObjectCount(handle) > 0
    in_layer = bool(pdfium.FPDFAnnot_HasKey(handle, b"OC"))
    box = UserBox(left, bottom, right, top)
    return Annotation(number, kind, box, contents, file, is_drawn, in_layer)


def _words(handle: Any, key: bytes) -> str:
    """Return the words of an annotation under a key; those of rich text (RC) without its tags."""
    words = utf16_string(lambda *buffer: pdfium.FPDFAnnot_GetStringValue(handle, key, *buffer))
    if key != b"RC":
        return words
    return html.unescape(_TAG.sub("", _LINE_TAG.sub("\n", words))).strip()


def _is_signature(form: Any, handle: Any) -> bool:
    if form is not None:
        kind = pdfium.FPDFAnnot_GetFormFieldType(form, handle)
        return bool(kind == pdfium.FPDF_FORMFIELD_SIGNATURE)
    return (
        utf16_string(lambda *buffer: pdfium.FPDFAnnot_GetStringValue(handle, b"FT", *buffer))
        == "Sig"
    )


def _strip(document: Any, index: int, numbers: Collection[int]) -> None:
    """Leave nothing on a page but the appearances of some of its annotations."""
    page = pdfium.FPDF_LoadPage(document, index)
    if not page:
        return
    try:
        for number in reversed(range(pdfium.FPDFPage_CountObjects(page))):
            item = pdfium.FPDFPage_GetObject(page, number)
            if item and pdfium.FPDFPage_RemoveObject(page, item):
                pdfium.FPDFPageObj_Destroy(item)
        for number in reversed(range(pdfium.FPDFPage_GetAnnotCount(page))):
            if number not in numbers:
                pdfium.FPDFPage_RemoveAnnot(page, number)
        pdfium.FPDFPage_GenerateContent(page)
        pdfium.FPDFPage_Flatten(page, pdfium.FLAT_NORMALDISPLAY)
    finally:
        pdfium.FPDF_ClosePage(page)


def _drawn_texts(document: Any, source: PageSource, count: int) -> list[Widget]:
    """Return the text of each object of a page, a form XObject that draws one annotation."""
    page = pdfium.FPDF_LoadPage(document, source.index)
    text = pdfium.FPDFText_LoadPage(page) if page else None
    try:
        if not text or pdfium.FPDFPage_CountObjects(page) != count:
            return [_NO_TEXT] * count
        owners = {
            address: number
            for number in range(count)
            for address in _addresses(pdfium.FPDFPage_GetObject(page, number))
        }
        return _texts_by_owner(PdfPage(page, text, None, source), owners, count)
    finally:
        if text:
            pdfium.FPDFText_ClosePage(text)
        if page:
            pdfium.FPDF_ClosePage(page)


def _addresses(item: Any, depth: int = 0) -> Iterator[int]:
    """Yield where an object, and those in it if it is a form XObject, lie in memory."""
    yield ctypes.cast(item, ctypes.c_void_p).value or 0
    if object_kind(item) == pdfium.FPDF_PAGEOBJ_FORM and depth <= _DEEPEST_FORM:
        for number in range(pdfium.FPDFFormObj_CountObjects(item)):
            yield from _addresses(pdfium.FPDFFormObj_GetObject(item, number), depth + 1)


def _texts_by_owner(page: PdfPage, owners: dict[int, int], count: int) -> list[Widget]:
    """Return the characters of each owner of text objects; those added by PDFium go with others."""
    codes: list[list[int]] = [[] for _ in range(count)]
    boxes: list[list[UserBox | None]] = [[] for _ in range(count)]
    owner, keys = -1, page.text_object_keys(page.character_count)
    for index, code in enumerate(page.codes(page.character_count)):
        if keys[index]:
            owner = owners.get(keys[index], owner)
        if owner >= 0 and code != _CARRIAGE_RETURN:  # a line feed follows
            codes[owner].append(_HYPHEN if page.is_hyphen(index) else code)
            boxes[owner].append(page.loose_box(index))
    return [_drawn_text(*each) for each in zip(codes, boxes, strict=True)]


def _drawn_text(codes: list[int], boxes: list[UserBox | None]) -> Widget:
    """Return a text with the box around it, one character for each code, white space trimmed."""
    while codes and codes[-1] < _MOST_SPACES and chr(codes[-1]).isspace():
        codes.pop(), boxes.pop()
    drawn = [box for box in boxes if box is not None]
    if not drawn:
        return _NO_TEXT
    around = UserBox(
        min(box.left for box in drawn),
        min(box.bottom for box in drawn),
        max(box.right for box in drawn),
        max(box.top for box in drawn),
    )
    known = (chr(code) if code <= 0x10FFFF else "\N{REPLACEMENT CHARACTER}" for code in codes)
    return Widget("".join(known), around, tuple(boxes))
