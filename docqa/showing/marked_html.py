"""Answers marked in a copy of a web page."""

from __future__ import annotations

import codecs
from collections.abc import Iterator

from docqa.datamodel import Answer, Document, Span
from docqa.errors import HighlightError
from docqa.highlighting.colours import colour
from docqa.highlighting.html import HtmlMark, free_prefix, mark_html
from docqa.loaders.html.loader import HtmlLoader
from docqa.loaders.html.markable import Markable
from docqa.loaders.html.source_map import HtmlSourceMap
from docqa.places import one_spaced
from docqa.showing.original import AnsweredFile, MarkedFile, mark_title, require_same_text
from docqa.showing.safe_html import safe_page

__all__ = ["html_copy"]


def html_copy(original: AnsweredFile) -> MarkedFile:
    """Return the page with each answer in ``<mark>`` elements, the first with the id ``docqa-N``.

    Raises:
        HighlightError: no answer can be marked, or the page reads differently than when it was
            asked.
    """
    loader = HtmlLoader(original.encoding)
    document = loader.load(original.data, source=original.document.source)
    require_same_text(document, original.answers)
    prefix = free_prefix(original.data)
    found = [_markable(document, answer.start, answer.end) for answer in original.answers]
    marked = sum(bool(place.stretches) for place in found)
    notes = tuple(_notes(original.answers, found, prefix))
    if not marked:
        raise HighlightError(notes[0])
    marks = [
        mark
        for number, (answer, place) in enumerate(zip(original.answers, found, strict=True))
        for mark in _marks(document, answer, place, number, prefix)
    ]
    codec = _source_map(document).codec
    made = mark_html(original.data, marks, codec=codec)
    if original.safe:
        # A byte order mark overrules whatever encoding the page declares (Encoding Standard, 6).
        made = codecs.BOM_UTF8 + safe_page(made, codec)
    return MarkedFile(made, marked, notes=notes)


def _source_map(document: Document) -> HtmlSourceMap:
    assert isinstance(document.source_map, HtmlSourceMap)  # what HtmlLoader makes
    return document.source_map


def _markable(document: Document, start: int, end: int) -> Markable:
    return _source_map(document).markable(Span(start, end))


def _marks(
    document: Document, answer: Answer, place: Markable, number: int, prefix: str
) -> Iterator[HtmlMark]:
    """Yield the mark of an answer, then those of its occurrences, in a fainter shade."""
    name, shades = f"{prefix}-{number + 1}", colour(number)
    yield HtmlMark(name, place.stretches, shades.fill, mark_title(answer.question, answer.score))
    for count, occurrence in enumerate(answer.occurrences, start=1):
        stretches = _markable(document, occurrence.start, occurrence.end).stretches
        title = mark_title(answer.question, occurrence.score, again=True)
        yield HtmlMark(f"{name}-also-{count}", stretches, shades.faint, title)


def _notes(answers: tuple[Answer, ...], found: list[Markable], prefix: str) -> Iterator[str]:
    for answer, place in zip(answers, found, strict=True):
        if not place.is_whole:
            words = one_spaced(answer.text)
            yield (
                f"{words[:80]!r} is {'only partly' if place.stretches else 'not'} marked: a mark"
                " cannot stand inside SVG, MathML or raw text"
            )
    if prefix != "docqa":
        yield f"the page has ids that start with docqa-; those of the marks start with {prefix}-"
