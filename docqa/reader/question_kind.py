"""The kind of answer that a question asks for, from its words."""

from __future__ import annotations

import re
from typing import Literal

__all__ = ["QuestionKind", "question_kind"]

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

_PART = (
    r"(?:sections?|clauses?|articles?|chapters?|paragraphs?|subsections?|items?|exhibits?|schedules?"
    r"|appendix|appendices|annex(?:es)?|parts?|pages?|notes?|tables?|figures?)"
)
# The first pattern that is found decides; a question's own words come before its nouns.
_KINDS: tuple[tuple[QuestionKind, re.Pattern[str]], ...] = tuple(
    (kind, re.compile(pattern, re.IGNORECASE))  # type: ignore[misc]
    for kind, pattern in (
        (
            "label",
            rf"\b(?:which|what)\s(?:[\w']+\s)?{_PART}\b(?!\s(?:must|should|can|may)\b)"
            rf"|\b(?:numbers?|titles?|headings?|headed|names?|called)\b.{{0,12}}\b{_PART}\b"
            rf"|\b{_PART}\s(?:numbers?|titles?|headings?)\b"
            r"|\bwhat (?:is|are) the (?:[\w']+ ){0,2}(?:titles?|headings?|units?|currency)\b"
            r"|\b(?:which|what) (?:title|heading|units?|currency)\b",
        ),
        ("why", r"^why\b|[,:] why\b|\bfor (?:what|which) (?:reasons?|purposes?)\b"
                r"|^what (?:is|are|was|were) the (?:reasons?|purposes?|causes?)\b"),
        ("how many", r"\bhow many\b|^what (?:is|was) the number\b|^what number\b"),
        ("how long", r"\bhow (?:long|soon|often)\b|\b(?:which|what) (?:period|duration|length|term)\b"),
        (
            "how much",
            r"\bhow (?:much|high|big|large|far|fast|old|tall|deep|heavy|wide)\b"
            r"|\bwhat (?:percentage|percent|share|amount|price|sum|rate)\b"
            r"|^what (?:is|are|was|were) the (?:[\w'-]+ ){0,3}"
            r"(?:percentage|amount|price|cost|fee|rate|sum|value)s?\b",
        ),
        (
            "what to do",
            r"\bhow (?:can|do|does|should|must|may|could|to)\b"
            r"|\b(?:what|which) (?:[\w']+ )?(?:actions?|steps?|measures?|precautions?|procedures?)\b"
            r"|\bwhat (?:must|should|shall|can|could|may|might)\b"
            r"|\bwhat (?:happens|will happen|would happen)\b"
            r"|\b(?:under|in) (?:what|which) (?:conditions?|circumstances?|cases?|events?|situations?)\b"
            r"|\bwhat (?:is|are) the (?:[\w']+ )?"
            r"(?:conditions?|consequences?|obligations?|responsibilit\w+|requirements?|procedures?)\b",
        ),
        ("who", r"\b(?:who|whom|whose)\b|\b(?:which|what) (?:person|company|party|firm)\b"),
        ("when", r"\bwhen\b|\b(?:which|what) (?:\w+ )?(?:year|date|day|month|time)\b"
                 r"|\bwhat (?:is|was) the (?:[\w']+ ){0,2}date\b"),
        ("where", r"\bwhere\b|\b(?:which|what) (?:\w+ )?(?:country|state|city|place|town|region)\b"),
        (
            "yes or no",
            r"^(?:is|are|was|were|do|does|did|can|could|may|must|should|shall|will|would|has|have|had"
            r"|am)\b",
        ),
    )
)


def question_kind(question: str) -> QuestionKind:
    """Return the kind of answer that a question asks for; ``"other"`` where its words do not say.

    ``"label"`` asks for the number or name of a section, a title, a page or a unit; ``"what to
    do"`` for a step, a duty or a condition, which takes a clause to say.

    >>> question_kind("Who audits it?"), question_kind("How do I reset the lamp?")
    ('who', 'what to do')
    """
    asked = question.strip()
    return next((kind for kind, pattern in _KINDS if pattern.search(asked)), "other")
