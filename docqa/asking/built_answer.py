"""Answers from places: the one room in which an `Answer` is built."""

from __future__ import annotations

from bisect import bisect_left

from docqa.datamodel import (
    Answer,
    AnswerSettings,
    Document,
    Evidence,
    Occurrence,
    Passage,
    ReaderInfo,
    ReadSettings,
    Span,
)
from docqa.errors import SettingError
from docqa.passages.sentences import sentence_around

__all__ = ["answer_at", "cite", "occurrence_at"]

_MOST_BLOCKS = 2_000  # looked back at for a heading; a table may have as many rows


def cite(
    document: Document,
    span: Span,
    *,
    question: str = "",
    score: float = 1.0,
    passage: Passage | None = None,
) -> Answer:
    """Return the place of `span` as an answer that no reader was asked for.

    It can be written, checked and highlighted like any other answer.

    Args:
        document: the document to cite.
        span: characters of the document's text.
        question: the question that the words answer, if there is one.
        score: in 0 to 1.
        passage: the passage around the words; None for the sentence around them.

    Raises:
        SettingError: `span` is no `Span`.
        ValueError: the span is empty or does not lie inside the text.

    >>> import docqa
    >>> document = docqa.load(b"The lamp burns 40 litres of oil a week.")
    >>> answer = cite(document, Span(15, 24))
    >>> answer.text, answer.prefix, answer.suffix
    ('40 litres', 'The lamp burns ', ' of oil a week.')
    """
    if not isinstance(span, Span):
        raise SettingError(f"cite takes a docqa.datamodel.Span(start, end), not {span!r}")
    return answer_at(document, span, question=question, score=score, passage=passage)


def answer_at(
    document: Document,
    span: Span,
    *,
    question: str,
    score: float,
    passage: Passage | None,
    occurrences: tuple[Occurrence, ...] = (),
    evidence: Evidence | None = None,
    reader: ReaderInfo | None = None,
    settings: ReadSettings | None = None,
) -> Answer:
    """Return the answer at a place: its words, its locations and the text around it.

    Args:
        document: the document of the place.
        span: characters of the document's text.
        question: the question that the words answer.
        score: in 0 to 1.
        passage: the passage that was read; None for the sentence around the words.
        occurrences: further places of the words.
        evidence: the score rests on it.
        reader: found the place.
        settings: of the reading.

    Raises:
        ValueError: the span is empty or does not lie inside the text.
    """
    locations = document.locate(span)
    sentence = sentence_around(document.text, span, blocks=document.blocks)
    context = sentence.of(document.text)
    prefix, suffix = _surroundings(document.text, span)
    return Answer(
        question=question,
        text=span.of(document.text),
        score=score,
        start=span.start,
        end=span.end,
        document=document.info,
        passage=passage or Passage(document.id, 0, sentence, context),
        locations=locations,
        occurrences=occurrences,
        context=context,
        context_start=sentence.start,
        prefix=prefix,
        suffix=suffix,
        evidence=evidence,
        reader=reader,
        settings=AnswerSettings(document.settings, settings),
        heading=_heading(document, span),
    )


def occurrence_at(document: Document, span: Span, score: float) -> Occurrence:
    """Return a further place of an answer's words."""
    prefix, suffix = _surroundings(document.text, span)
    return Occurrence(
        start=span.start,
        end=span.end,
        score=score,
        locations=document.locate(span),
        text=span.of(document.text),
        prefix=prefix,
        suffix=suffix,
    )


def _heading(document: Document, span: Span) -> str | None:
    """Return the text of the nearest heading that starts before the end of a span."""
    last = bisect_left(document.blocks, span.end, key=lambda block: block.span.start)
    for at in range(last - 1, max(-1, last - _MOST_BLOCKS), -1):
        if document.blocks[at].kind == "heading":
            words = document.blocks[at].span.of(document.text).strip("# \n")  # Markdown's marks
            return " ".join(words.split()) or None
    return None


def _surroundings(text: str, span: Span) -> tuple[str, str]:
    """Return the characters in front of `span` and behind it, up to `Answer.CONTEXT` each."""
    before = text[max(0, span.start - Answer.CONTEXT) : span.start]
    return before, text[span.end : span.end + Answer.CONTEXT]
