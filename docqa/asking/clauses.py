"""Answers that take a clause to say: a step, a duty, a condition.

A reader of short spans answers "How do I clean the lamp?" with a word of the step. The step itself
is the answer.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import replace

from docqa.datamodel import AnswerSpan, AnswerSpans, Passage, Span
from docqa.reader.question_kind import question_kind
from docqa.reader.text_forms import text_form

__all__ = ["with_clauses"]

_LONGEST = 400  # characters of a sentence; a longer one is cut at its semicolons and colons
_PART = re.compile(r"[;:]\s")
_INSTRUCTS = re.compile(r"\b(?:shall|must|should|your?)\b", re.IGNORECASE)
_BULLETS = " \t\r\n>*–—-\ufffd"
_STEP = re.compile(r"\d{1,2}\s+(?=[A-Z][a-z]+\s)")  # "2 Swipe down"


def with_clauses(proposals: AnswerSpans) -> AnswerSpans:
    """Return the proposals, grown in instructions where the question asks for a step or a duty."""
    if question_kind(proposals.question) != "what to do":
        return proposals
    return replace(proposals, spans=tuple(map(_grown, proposals.spans)))


def _grown(proposal: AnswerSpan) -> AnswerSpan:
    """Return a proposal with the sentence or item around it that instructs, without its number.

    A sentence that says neither shall, must, should nor you, and is no item of a list, reports
    facts: the words in it that were asked for stay as they are.

    >>> from docqa.datamodel import Passage
    >>> text = "2. Empty the tank. 3. Rinse the tank with water."
    >>> passage = Passage("id", 0, Span(0, len(text)), text, borders=(19,))
    >>> _grown(AnswerSpan(passage, Span(22, 27), 0.0, 0.0, 0.0)).span.of(text)
    'Rinse the tank with water.'
    """
    passage, span = proposal.passage, proposal.span
    whole = _sentence(passage, span)
    bare = _without_number(passage, whole)
    if not (bare.covers(span) and len(bare) <= _LONGEST):
        return proposal
    if bare.start == whole.start and not _INSTRUCTS.search(bare.of(passage.text)):
        return proposal
    return replace(proposal, span=bare)


def _sentence(passage: Passage, span: Span) -> Span:
    """Return the sentence around a span, or its part where it is long; without outer space."""
    text, borders = passage.text, (0, *passage.borders, len(passage.text))
    after = min(bisect_right(borders, span.start), len(borders) - 1)
    start, end = borders[after - 1], borders[after]
    if end - start > _LONGEST:
        parts = [match.end() for match in _PART.finditer(text, start, end)]
        start = max((part for part in parts if part <= span.start), default=start)
        end = min((part for part in parts if part >= span.end), default=end)
    content = text[start:end]
    return Span(end - len(content.lstrip()), start + len(content.rstrip(" \t\r\n\f;:,")))


def _without_number(passage: Passage, sentence: Span) -> Span:
    """Return a sentence without the number, the letter or the bullet before it."""
    form, start = text_form(passage.text, passage.borders), sentence.start
    while start < sentence.end and (
        form.label[start] or form.no_words[start] or passage.text[start] in _BULLETS
    ):
        start += 1
    step = _STEP.match(passage.text, start, sentence.end)
    return Span(step.end() if step else start, sentence.end)
