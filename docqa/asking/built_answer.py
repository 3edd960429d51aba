"""Answers from places: the one room in which an `Answer` is built."""

from __future__ import annotations

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
        heading=document.heading_above(span),
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


def _surroundings(text: str, span: Span) -> tuple[str, str]:
    """Return the characters in front of `span` and behind it, up to `Answer.CONTEXT` each."""
    before = text[max(0, span.start - Answer.CONTEXT) : span.start]
    return before, text[span.end : span.end + Answer.CONTEXT]
