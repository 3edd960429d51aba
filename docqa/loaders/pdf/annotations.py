"""Read the words that annotations draw on a page: typed notes, stamps, signatures.

PDFium counts no characters of theirs. Their appearances are drawn on an empty copy of the page, so
that each character has its own rectangle. Comments in pop-ups and marks on the page's own text are
not on the page, and are not read.
"""

from __future__ import annotations

from docqa._pdf_annotations import Annotation, drawn_texts, shown_annotations
from docqa._pdfium import PdfPage, Widget
from docqa.loaders.attachments import attached_files, short_name
from docqa.loaders.pdf.hidden import Layers
from docqa.loaders.pdf.text import REPLACEMENT, printable

__all__ = ["annotation_texts"]

_PICTURES = {"FreeText": "note", "Stamp": "stamp", "Signature": "signature"}
_MOST_GARBLED = 0.1  # share of characters without a meaning, from which the note's own words count


def annotation_texts(page: PdfPage, layers: Layers) -> tuple[list[Widget], tuple[str, ...]]:
    """Return the texts that annotations show, and a sentence for each thing that is not read.

    Args:
        page: the loaded page.
        layers: of the file; annotations in one that is off do not show.
    """
    index = page.source.index
    annotations = [
        one
        for one in shown_annotations(page)
        if not (one.in_layer and layers.hides_annotation(index, one.number))
    ]
    drawn = [one.number for one in annotations if one.is_drawn]
    texts = dict(zip(drawn, drawn_texts(page, drawn) if drawn else (), strict=True))
    found: list[Widget] = []
    unread: list[str] = []
    for one in annotations:
        text = texts.get(one.number)
        if text is not None and _is_readable(text.value):
            found.append(text._replace(value=printable(text.value)))
        elif one.kind == "FreeText" and one.contents:
            found.append(Widget(one.contents, one.box))
        elif one.kind in _PICTURES and (one.is_drawn or one.kind == "Stamp") and _has_area(one):
            unread.append(_picture(page, one))
    files = [one.file for one in annotations if one.kind == "FileAttachment"]
    return found, (*unread, *attached_files(files, "a PDF program"))


def _is_readable(text: str) -> bool:
    if not any(map(str.isalnum, text)):
        return False
    return printable(text).count(REPLACEMENT) <= _MOST_GARBLED * len(text)


def _has_area(one: Annotation) -> bool:
    return one.box.right > one.box.left and one.box.top > one.box.bottom


def _picture(page: PdfPage, one: Annotation) -> str:
    box = page.frame.display(one.box)
    words = f" ({short_name(one.contents)})" if one.contents else ""
    return (
        f"a {_PICTURES[one.kind]}{words} has no text that can be read; look {box.x0:.0f} to "
        f"{box.x1:.0f} points from the left, {box.top:.0f} to {box.bottom:.0f} from the top"
    )
