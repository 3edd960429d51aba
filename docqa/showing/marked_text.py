"""A text document with its answers marked, as a page of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePath

from docqa.datamodel import Answer, Document, Span
from docqa.highlighting.colours import PALETTE
from docqa.highlighting.text_view import LegendEntry, TextMark, text_view
from docqa.load_settings import LoadSettings
from docqa.loaders.formats import SUPPORTED_TYPES
from docqa.loaders.load import load_with
from docqa.places import in_words, one_spaced, score_in_words
from docqa.showing.original import (
    AnsweredFile,
    MarkedFile,
    mark_title,
    require_same_text,
)

__all__ = ["text_page"]


def text_page(original: AnsweredFile) -> MarkedFile:
    """Return an HTML page that shows the document's text with each answer marked.

    Raises:
        HighlightError: the document reads differently than when it was asked.
        LoadError: it cannot be loaded again.
    """
    info = original.document
    settings = LoadSettings(original.password, info.media_type, original.encoding)
    with load_with(settings, original.data, name=info.source) as document:
        require_same_text(document, original.answers)
        view = text_view(
            document.text,
            [mark for number, one in enumerate(original.answers) for mark in _marks(number, one)],
            [_entry(number, one) for number, one in enumerate(original.answers)],
            title=PurePath(info.source).name,
            subtitle=_subtitle(document),
            numbered=info.media_type == "text/plain",  # its lines are those of the file
        )
    notes = ("the text is long: only what stands around the answers is shown",)
    return MarkedFile(view.page, len(original.answers), notes=notes if view.is_excerpt else ())


def _marks(number: int, answer: Answer) -> Iterator[TextMark]:
    name, shade = _id(number), number % len(PALETTE)
    for count, occurrence in enumerate(answer.occurrences, start=1):
        title = mark_title(answer.question, occurrence.score, again=True)
        span = Span(occurrence.start, occurrence.end)
        yield TextMark(f"{name}-also-{count}", span, shade, title, is_again=True)
    title = mark_title(answer.question, answer.score)
    yield TextMark(name, Span(answer.start, answer.end), shade, title)


def _entry(number: int, answer: Answer) -> LegendEntry:
    details = [f"score {score_in_words(answer.score)}", in_words(answer.locations, in_full=True)]
    more = len(answer.occurrences)
    if more:
        details.append(f"the same words at {more} more place{'s' * (more > 1)}")
    return LegendEntry(
        _id(number),
        number % len(PALETTE),
        answer.question,
        one_spaced(answer.text),
        ", ".join(filter(None, details)),
    )


def _id(number: int) -> str:
    return f"docqa-{number + 1}"


def _subtitle(document: Document) -> str:
    kind = SUPPORTED_TYPES.get(document.media_type, document.media_type)
    size = f"{len(document.text):,} characters"
    return ", ".join(filter(None, (document.title, kind, size)))
