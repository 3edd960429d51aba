"""Answers that take a clause to say: a step, a duty, a condition.

A reader of short spans answers "How do I clean the lamp?" with a word of the step. The step itself
is the answer.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import replace

from docqa.datamodel import AnswerSpan, AnswerSpans, Span
from docqa.reader.question_kind import QuestionKind, question_kind
from docqa.reader.text_forms import text_form

__all__ = ["with_clauses"]

_TAKE_A_CLAUSE: frozenset[QuestionKind] = frozenset({"what to do"})
_LONGEST = 400  # characters of a sentence; a longer one is cut at its semicolons and colons
_PART = re.compile(r"[;:]\s")


def with_clauses(proposals: AnswerSpans) -> AnswerSpans:
    """Return the proposals, grown to their sentences where the question asks what is to be done."""
    if question_kind(proposals.question) not in _TAKE_A_CLAUSE:
        return proposals
    return replace(proposals, spans=tuple(map(_grown, proposals.spans)))


def _grown(proposal: AnswerSpan) -> AnswerSpan:
    """Return a proposal with the sentence or step around it, without its number or bullet.

    >>> from docqa.datamodel import Passage
    >>> text = "2. Empty the tank. 3. Rinse the tank with water."
    >>> passage = Passage("id", 0, Span(0, len(text)), text, borders=(19,))
    >>> _grown(AnswerSpan(passage, Span(22, 27), 0.0, 0.0, 0.0)).span.of(text)
    'Rinse the tank with water.'
    """
    passage, span = proposal.passage, proposal.span
    text, borders = passage.text, (0, *passage.borders, len(passage.text))
    at = bisect_right(borders, span.start)
    start, end = borders[at - 1], borders[at] if at < len(borders) else len(text)
    if end - start > _LONGEST:
        parts = [match.end() for match in _PART.finditer(text, start, end)]
        start = max((part for part in parts if part <= span.start), default=start)
        end = min((part for part in parts if part >= span.end), default=end)
    form = text_form(text, passage.borders)
    while start < span.start and (
        form.label[start] or form.no_words[start] or not text[start].isalnum()
    ):
        start += 1
    end = start + len(text[start:end].rstrip(" \t\r\n\f;:,"))
    if end - start > _LONGEST or end < span.end:
        return proposal
    return replace(proposal, span=Span(start, end))
