"""The type of a question and the length of its answer: the rows of a break-down."""

from __future__ import annotations

import re
from collections.abc import Iterable

__all__ = ["LENGTHS", "NO_ANSWER", "TYPES", "answer_length", "question_type"]

TYPES = ("what", "who", "when", "where", "why", "which", "how many", "how", "other")
NO_ANSWER = "no answer"
LENGTHS = ("1 word", "2 words", "3-4 words", "5-8 words", "9+ words", NO_ANSWER)

_ASKING = re.compile(
    r"\b(?:(?P<many>how\s+(?:many|much))|(?P<word>what|who|when|where|why|which|how|whom|whose))"
    r"(?:'s|’s)?\b",
    re.IGNORECASE,
)
_OF_WHO = {"whom": "who", "whose": "who"}
_LONGEST = ((1, "1 word"), (2, "2 words"), (4, "3-4 words"), (8, "5-8 words"))


def question_type(text: str) -> str:
    """Return one of `TYPES`: the first question word, wherever it stands.

    "how many" includes "how much", "who" includes "whom" and "whose", and "how" is every other how.

    >>> question_type("In what year did she die?"), question_type("How much is it?")
    ('what', 'how many')
    >>> question_type("To whom was it sold?"), question_type("Name the capital.")
    ('who', 'other')
    """
    found = _ASKING.search(text)
    if found is None:
        return "other"
    if found["many"]:
        return "how many"
    word = found["word"].lower()
    return _OF_WHO.get(word, word)


def answer_length(golds: Iterable[str]) -> str:
    """Return one of `LENGTHS`, by the words (split at white space) of the shortest gold answer.

    >>> answer_length(["in the year 1911", "1911"]), answer_length(["Ada Lovelace"])
    ('1 word', '2 words')
    """
    n_words = min((len(gold.split()) for gold in golds), default=0)
    if not n_words:
        return NO_ANSWER
    return next((name for longest, name in _LONGEST if n_words <= longest), LENGTHS[-2])
