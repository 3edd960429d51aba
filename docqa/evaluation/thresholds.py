"""Thresholds for "no answer": the best as SQuAD v2.0 finds it, and one at a bounded loss."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["BestThreshold", "best_threshold", "share_stopped"]


@dataclass(frozen=True, slots=True)
class BestThreshold:
    """The best mean over all thresholds.

    Attributes:
        value: the mean figure when scores of at least `min_score` are answered, in 0 to 1.
        min_score: the lowest score answered; None when answering nothing is best.
    """

    value: float
    min_score: float | None


def best_threshold(
    scores: Sequence[float], values: Sequence[float], answerable: Sequence[bool]
) -> BestThreshold:
    """Return the threshold at which most is right: answers above it, "no answer" below.

    ``find_best_thresh`` of evaluate-v2.0.py (Rajpurkar et al. 2018): from the surest answer down,
    each one adds its own figure; for a question without an answer it takes away the point of "no
    answer". Unlike there, questions of equal score are decided together, since no threshold divides
    them. Of equal figures the one with the fewest answers wins.

    Args:
        scores: of the best answers, one for each question.
        values: the figure of each answer if it is given, in 0 to 1 (EM or F1); for a question
            without an answer the loss: 1 if the reader has anything to say, else 0.
        answerable: whether the question has an answer.

    Raises:
        ValueError: nothing is given.

    >>> best_threshold([0.9, 0.8, 0.1], [1.0, 1.0, 1.0], [True, True, False])
    BestThreshold(value=1.0, min_score=0.8)
    """
    rows = sorted(zip(scores, values, answerable, strict=True), key=lambda row: -row[0])
    if not rows:
        raise ValueError("there is no question to find a threshold for")
    total = best = float(sum(not has_answer for _, _, has_answer in rows))
    min_score: float | None = None
    for number, (score, value, has_answer) in enumerate(rows, start=1):
        total += value if has_answer else -value
        ends_group = number == len(rows) or rows[number][0] != score
        if ends_group and total > best + 1e-9:
            best, min_score = total, score
    return BestThreshold(best / len(rows), min_score)


def share_stopped(
    scores: Sequence[float], answerable: Sequence[bool], *, lost: float
) -> float | None:
    """Return the share of unanswerable questions that a threshold stops at a bounded loss.

    The threshold is the highest under which at most the share `lost` of the answerable questions
    have their score; the figure is the share of the unanswerable ones that have theirs under it.

    Args:
        scores: of the best answers, one for each question.
        answerable: whether the question has an answer.
        lost: in 0 to 1, below 1.

    Returns:
        None where all questions are answerable, or none is.

    >>> share_stopped([0.9, 0.8, 0.3, 0.2], [True, True, False, True], lost=0.34)
    1.0
    """
    with_answer = sorted(s for s, has_answer in zip(scores, answerable, strict=True) if has_answer)
    without = [s for s, has_answer in zip(scores, answerable, strict=True) if not has_answer]
    if not with_answer or not without:
        return None
    threshold = with_answer[int(lost * len(with_answer) + 1e-9)]
    return sum(score < threshold for score in without) / len(without)
