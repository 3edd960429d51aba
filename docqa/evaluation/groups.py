"""EM and F1 of all questions and of parts of them, with intervals.

This module imports numpy: import it when it is first used.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from docqa.evaluation.bootstrap import Estimate, bootstrap_means, resampling_unit
from docqa.evaluation.question_types import LENGTHS, TYPES, answer_length, question_type
from docqa.evaluation.summary import Judged

__all__ = ["Group", "groups", "lengths", "means", "types"]


@dataclass(frozen=True, slots=True)
class Group:
    """EM and F1 of some of the questions.

    Attributes:
        name: of the trait that they share.
        questions: how many they are.
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
    """Return EM and F1 of the questions of each label, in the order of `TYPES` and `LENGTHS`.

    Each group has its own unit of resampling (see `resampling_unit`): a group that comes from a few
    articles, of many in the set, would have intervals of no width by articles.
    """
    members: dict[str, list[int]] = {}
    for at, label in enumerate(labels):
        members.setdefault(label, []).append(at)
    known = (*TYPES, *LENGTHS)
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
