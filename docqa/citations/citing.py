"""Cite a place of a document: its exact words, where they stand, and what stands around them."""

from __future__ import annotations

from docqa.datamodel import Answer, AnswerSettings, Document, Occurrence, Passage, Span
from docqa.passages.sentences import sentence_around

__all__ = ["cite", "cite_again", "surroundings"]


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
        document: what is cited.
        span: characters of the document's text.
        question: what the words answer, if anything.
        score: in 0 to 1.
        passage: what was read; None for the sentence around the words.

    Raises:
        ValueError: the span is empty or does not lie inside the text.

    >>> import docqa
    >>> document = docqa.load(b"The lamp burns 40 litres of oil a week.")
    >>> answer = cite(document, Span(15, 24))
    >>> answer.text, answer.prefix, answer.suffix
    ('40 litres', 'The lamp burns ', ' of oil a week.')
    """
    locations = document.locate(span)
    sentence = sentence_around(document.text, span, blocks=document.blocks)
    context = sentence.of(document.text)
    prefix, suffix = surroundings(document.text, span)
    return Answer(
        question=question,
        text=span.of(document.text),
        score=score,
        start=span.start,
        end=span.end,
        document=document.info,
        passage=passage or Passage(document.id, 0, sentence, context),
        locations=locations,
        context=context,
        context_start=sentence.start,
        prefix=prefix,
        suffix=suffix,
        settings=AnswerSettings(document.settings, None),
    )


def cite_again(document: Document, span: Span, score: float) -> Occurrence:
    """Return the place of `span` as a further place of an answer's words."""
    prefix, suffix = surroundings(document.text, span)
    return Occurrence(
        start=span.start,
        end=span.end,
        score=score,
        locations=document.locate(span),
        text=span.of(document.text),
        prefix=prefix,
        suffix=suffix,
    )


def surroundings(text: str, span: Span) -> tuple[str, str]:
    """Return the characters in front of `span` and behind it, up to `Answer.CONTEXT` each."""
    before = text[max(0, span.start - Answer.CONTEXT) : span.start]
    return before, text[span.end : span.end + Answer.CONTEXT]
