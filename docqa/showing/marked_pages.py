"""Answers marked on the pages of a PDF: highlight annotations, or a picture of a page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from docqa.datamodel import Answer, Box, Occurrence
from docqa.errors import HighlightError
from docqa.highlighting.colours import colour
from docqa.highlighting.page_image import Mark, draw_page
from docqa.highlighting.pdf import PdfMark, mark_pdf
from docqa.places import boxed_places, score_in_words
from docqa.showing.original import AnsweredFile, MarkedFile

__all__ = ["page_image", "pdf_copy"]


class _PagePlace(NamedTuple):
    """The rectangles of one place of one answer on one page."""

    answer_number: int
    page_number: int
    boxes: tuple[Box, ...]
    shade: str
    comment: str


def pdf_copy(original: AnsweredFile) -> MarkedFile:
    """Return the PDF with one highlight for each answer, or occurrence, and page.

    Raises:
        HighlightError: no answer has rectangles, or the file cannot be marked.
    """
    places, unmarked = _places(original)
    marks = [PdfMark(each.page_number, each.boxes, each.shade, each.comment) for each in places]
    copy = mark_pdf(original.data, marks, password=original.password)
    return MarkedFile(
        copy.data,
        marked=len({each.answer_number for each in places}),
        page_numbers=tuple(sorted({each.page_number for each in places})),
        keeps_original=copy.keeps_original,
        notes=(*unmarked, *copy.notes),
    )


def page_image(original: AnsweredFile) -> MarkedFile:
    """Return the picture of the chosen page, or of that of the first answer, with its marks.

    Raises:
        HighlightError: no answer has rectangles, or the page cannot be drawn.
    """
    places, unmarked = _places(original)
    first = places[0].page_number
    page_number = original.page_number or first
    here = [each for each in places if each.page_number == page_number]
    marks = [Mark(box, each.shade) for each in here for box in each.boxes]
    png = draw_page(original.data, page_number, password=original.password, marks=marks)
    if not here:
        note = f"no answer is on page {page_number}; the first one is on page {first}"
        return MarkedFile(png, 0, notes=(*unmarked, note))
    marked = len({each.answer_number for each in here})
    return MarkedFile(png, marked, page_numbers=(page_number,), notes=unmarked)


def _places(original: AnsweredFile) -> tuple[list[_PagePlace], tuple[str, ...]]:
    """Return every place of every answer, and a sentence on each answer that has none.

    Raises:
        HighlightError: none has any.
    """
    places: list[_PagePlace] = []
    unmarked = []
    for number, answer in enumerate(original.answers):
        shades = colour(number)
        found = list(_on_pages(number, answer, answer, shades.fill))
        for occurrence in answer.occurrences:
            found += _on_pages(number, answer, occurrence, shades.faint)
        if not found:
            unmarked.append(_without_boxes(answer))
        places += found
    if not places:
        raise HighlightError(unmarked[0])
    return places, tuple(unmarked)


def _on_pages(
    number: int, answer: Answer, place: Answer | Occurrence, shade: str
) -> Iterator[_PagePlace]:
    comment = f"{answer.question}\nscore {score_in_words(place.score)}"
    if place is not answer:
        comment += "\nthe same words at a further place"
    for location in boxed_places(place.locations):
        assert location.boxes is not None
        yield _PagePlace(number, location.page_number, location.boxes, shade, comment)


def _without_boxes(answer: Answer) -> str:
    return (
        f"{answer.document.source}: page {answer.page_number} has no rectangles to mark "
        f"{answer.text!r} with, because its text is not from PDFium; docqa info says why"
    )
