"""The kind of answer that a question asks for, from its words."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Literal

__all__ = ["QuestionKind", "full_question", "question_kind"]

QuestionKind = Literal[
    "label",
    "why",
    "how many",
    "how much",
    "how long",
    "what to do",
    "who",
    "when",
    "where",
    "yes or no",
    "other",
]

_PART = r"""(?:sections?|clauses?|articles?|chapters?|paragraphs?|subsections?|item|exhibits?
    |schedules?|appendix|appendices|annex(?:es)?|part|pages?|notes?|tables?|figures?)"""
_PATTERNS: dict[QuestionKind, str] = {
    "label": rf"""\b(?:which|what)\s(?:[\w']+\s)?{_PART}\b
        |\b(?:numbers?|titles?|headings?|headed|names?|called)\b.{{0,12}}\b{_PART}\b
        |\b{_PART}\s(?:numbers?|titles?|headings?)\b
        |\bwhat\s(?:is|are)\sthe\s(?:[\w']+\s){{0,2}}(?:titles?|headings?|units?|currency)\b
        |\b(?:which|what)\s(?:title|heading|units?|currency)\b""",
    "why": r"""^why\b|[,:]\swhy\b|\bfor\s(?:what|which)\s(?:reasons?|purposes?)\b
        |^what\s(?:is|are|was|were)\sthe\s(?:reasons?|purposes?|causes?)\b""",
    "how many": r"\bhow\smany\b|^what\s(?:is|was)\sthe\snumber\b|^what\snumber\b",
    "how long": r"""\bhow\s(?:long|soon|often)\b
        |\b(?:which|what)\s(?:period|duration|length|term)\b""",
    "how much": r"""\bhow\s(?:much|high|big|large|far|fast|old|tall|deep|heavy|wide)\b
        |\bwhat\s(?:percentage|percent|share|amount|price|sum|rate)\b
        |^what\s(?:is|are|was|were)\sthe\s(?:[\w'-]+\s){0,3}
            (?:percentage|amount|price|cost|fee|rate|sum|value)s?\b""",
    "what to do": r"""\bhow\s(?:can|do|does|should|must|may|could|to)\b
        |\b(?:what|which)\s(?:[\w']+\s)?(?:action|step|measure|precaution|procedure)s?\b
        |\bwhat\s(?:must|should|shall|can|could|may|might)\b.*\b(?:do|done)\b
        |\b(?:under|in)\s(?:what|which)\s(?:condition|circumstance|case|event|situation)s?\b
        |\bwhat\s(?:is|are)\sthe\s(?:[\w']+\s)?
            (?:conditions?|consequences?|obligations?|responsibilit\w+|requirements?|procedures?)\b""",
    "who": r"""\b(?:who|whom|whose)\b
        |\b(?:which|what)\s(?:person|company|party|firm)\b""",
    "when": r"""\bwhen\b|\b(?:which|what)\s(?:\w+\s)?(?:year|date|day|month|time)\b
        |\bwhat\s(?:is|was)\sthe\s(?:[\w']+\s){0,2}date\b""",
    "where": r"""\bwhere\b
        |\b(?:which|what)\s(?:\w+\s)?(?:country|state|city|place|town|region)\b""",
    "yes or no": r"""^(?:is|are|am|was|were|do|does|did|can|could|may|must|should|shall|will|would
        |has|have|had)\b""",
}  # the first that is found decides
_KINDS = {
    kind: re.compile(pattern, re.IGNORECASE | re.VERBOSE) for kind, pattern in _PATTERNS.items()
}


@lru_cache(maxsize=1024)  # asked for each window that is read
def question_kind(question: str) -> QuestionKind:
    """Return the kind of answer that a question asks for; ``"other"`` where its words do not say.

    ``"label"`` asks for the number or name of a section, a title, a page or a unit; ``"what to
    do"`` for a step, a duty or a condition, which takes a clause to say.

    >>> question_kind("Who audits it?"), question_kind("How do I reset the lamp?")
    ('who', 'what to do')
    """
    asked = question.strip()
    return next((kind for kind, pattern in _KINDS.items() if pattern.search(asked)), "other")


# Words that keywords do not hold: of questions, of requests, and before what is done to a thing.
_NO_KEYWORD = re.compile(
    r"""\b(?:who|whom|whose|what|which|when|where|why|how|is|are|was|were|do|does|did|can|could|may
    |must|should|shall|will|would|has|have|had|i|we|you|my|our|your|tell|give|show|find|list|name
    |explain|describe|define|on|off|up|down|out|in|into|to|from|with|without|by|at|not|no)\b
    |[?!.:;]""",
    re.IGNORECASE | re.VERBOSE,
)
_MOST_KEYWORDS = 4


def full_question(question: str) -> str:
    """Return a question in the form that readers know; keywords are asked for as a thing.

    >>> full_question("governing law"), full_question("who pays the fee")
    ('What is the governing law?', 'who pays the fee')
    """
    words = question.split()
    if not 1 <= len(words) <= _MOST_KEYWORDS or _NO_KEYWORD.search(question):
        return question
    article = "" if words[0].lower() in {"a", "an", "the"} else "the "
    return f"What is {article}{' '.join(words)}?"
