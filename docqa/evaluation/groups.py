"""EM and F1 of all questions and of parts of them, with intervals.

This module imports numpy: import it when it is first used.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from docqa.evaluation.bootstrap import Estimate, bootstrap_means, resampling_unit
from docqa.evaluation.summary import Judged

__all__ = ["Group", "answer_length", "groups", "lengths", "means", "question_type", "types"]

_TYPES = ("what", "who", "when", "where", "why", "which", "how many", "how", "other")
_NO_ANSWER = "no answer"
_LENGTHS = ("1 word", "2 words", "3-4 words", "5-8 words", "9+ words", _NO_ANSWER)

_ASKING = re.compile(
    r"\b(?:(?P<many>how\s+(?:many|much))|(?P<word>what|who|when|where|why|which|how|whom|whose))"
    r"(?:'s|’s)?\b",
    re.IGNORECASE,
)
_OF_WHO = {"whom": "who", "whose": "who"}
_LONGEST = ((1, "1 word"), (2, "2 words"), (4, "3-4 words"), (8, "5-8 words"))


@dataclass(frozen=True, slots=True)
class Group:
    """EM and F1 of some of the questions.

    Attributes:
        name: of the trait that they share.
        questions: their number.
    """

    name: str
    questions: int
    exact_match: Estimate
    f1: Estimate


def means(
    rows: Sequence[Judged], units: Mapping[str, Sequence[str]]
) -> tuple[Estimate, Estimate, str]:
    """Return EM, F1 and the name of the unit that was resampled for their intervals.

    Args:
        rows: the judged predictions.
        units: see `resampling_unit`; labels in the order of the rows.
    """
    name, labels = resampling_unit(units)
    exact, overlap = bootstrap_means(
        [[row.official.exact_match for row in rows], [row.official.f1 for row in rows]], labels
    )
    return exact, overlap, name


def groups(
    rows: Sequence[Judged], labels: Sequence[str], units: Mapping[str, Sequence[str]]
) -> tuple[Group, ...]:
    """Return EM and F1 of the questions of each label, in the order of types and lengths.

    Each group has its own unit of resampling (see `resampling_unit`): by articles, a group from few
    of them would have intervals of no width.
    """
    members: dict[str, list[int]] = {}
    for at, label in enumerate(labels):
        members.setdefault(label, []).append(at)
    known = (*_TYPES, *_LENGTHS)
    order = sorted(members, key=lambda name: (known.index(name) if name in known else -1, name))
    return tuple(_group(name, members[name], rows, units) for name in order)


def _group(
    name: str, chosen: Sequence[int], rows: Sequence[Judged], units: Mapping[str, Sequence[str]]
) -> Group:
    own = {unit: [labels[at] for at in chosen] for unit, labels in units.items()}
    exact, overlap, _ = means([rows[at] for at in chosen], own)
    return Group(name, len(chosen), exact, overlap)


def types(rows: Sequence[Judged]) -> list[str]:
    """Return the type of each question."""
    return [question_type(row.question.text) for row in rows]


def lengths(rows: Sequence[Judged]) -> list[str]:
    """Return the length of each question's answer."""
    return [answer_length(gold.text for gold in row.question.golds) for row in rows]


def question_type(text: str) -> str:
    """Return one of the types: the first question word, wherever it stands.

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
    """Return one of the lengths, by the words (split at white space) of the shortest gold answer.

    >>> answer_length(["in the year 1911", "1911"]), answer_length(["Ada Lovelace"])
    ('1 word', '2 words')
    """
    n_words = min((len(gold.split()) for gold in golds), default=0)
    if not n_words:
        return _NO_ANSWER
    return next((name for longest, name in _LONGEST if n_words <= longest), _LENGTHS[-2])
