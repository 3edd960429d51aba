"""The trust that scores deserve: calibration error, Brier score, risk at coverage, AUC.

`scores` are a reader's, in 0 to 1, one for each question; `right` says whether the answer
was right, as a boolean or as a share (an F1, say). Results depend on the pairs only, not on their
order: questions with equal scores cannot be distinguished, so each counts as the mean of them all.

This module imports numpy: import it when it is first used.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = [
    "ReliabilityBin",
    "RiskPoint",
    "area_under_risk_coverage",
    "auc",
    "brier",
    "expected_calibration_error",
    "reliability_table",
    "risk_at",
    "risk_coverage",
]


@dataclass(frozen=True, slots=True)
class ReliabilityBin:
    """The promise of scores beside the outcome, over the scores of one range.

    Attributes:
        low: scores in this bin are above it (the first bin holds its own border too).
        high: and at most this.
        count: how many questions fall in it, at least one.
        mean_score: the promise.
        share_right: the outcome.
    """

    low: float
    high: float
    count: int
    mean_score: float
    share_right: float


@dataclass(frozen=True, slots=True)
class RiskPoint:
    """The share of wrong answers among the answers with a score of at least `threshold`.

    Attributes:
        coverage: the share of questions that get an answer then, above 0 and at most 1.
        risk: the share of these answers that are wrong, 0 to 1.
        threshold: the lowest score that is answered.
    """

    coverage: float
    risk: float
    threshold: float


def expected_calibration_error(
    scores: Sequence[float],
    right: Sequence[float],
    *,
    bins: int = 15,
    equal_mass: bool = False,
) -> float:
    """Return the mean distance between score and share right over bins, weighted by their counts.

    Naeini et al. 2015 (AAAI, "Obtaining Well Calibrated Probabilities Using Bayesian Binning");
    15 bins as in Guo et al. 2017 (arXiv 1706.04599).

    Args:
        scores: in 0 to 1.
        right: as long as `scores`.
        bins: how many.
        equal_mass: cut at quantiles, so that bins hold about as many questions each (Nguyen and
            O'Connor 2015, arXiv 1508.05154), instead of cutting 0 to 1 evenly. Equal scores share
            a bin.

    Raises:
        ValueError: nothing is given, the lengths differ, or a value is outside 0 to 1.

    >>> expected_calibration_error([0.9, 0.9, 0.1, 0.1], [True, False, False, False])
    0.25
    """
    table = reliability_table(scores, right, bins=bins, equal_mass=equal_mass)
    gaps = (each.count * abs(each.mean_score - each.share_right) for each in table)
    return round(math.fsum(gaps) / len(scores), 12)


def brier(scores: Sequence[float], right: Sequence[float]) -> float:
    """Return the mean squared distance between score and outcome (Brier 1950).

    Raises:
        ValueError: as for `expected_calibration_error`.

    >>> brier([1.0, 0.5], [True, False])
    0.125
    """
    given, outcomes = _checked(scores, right)
    return float(np.mean((given - outcomes) ** 2))


def reliability_table(
    scores: Sequence[float],
    right: Sequence[float],
    *,
    bins: int = 15,
    equal_mass: bool = False,
) -> list[ReliabilityBin]:
    """Return the bins that hold any question, from the lowest scores up.

    Args and errors are those of `expected_calibration_error`.

    >>> [(each.count, each.share_right) for each in reliability_table([0.05, 0.95], [0, 1], bins=2)]
    [(1, 0.0), (1, 1.0)]
    """
    given, outcomes = _checked(scores, right)
    if bins < 1:
        raise ValueError(f"bins must be at least 1, not {bins}")
    edges = np.linspace(0.0, 1.0, bins + 1)
    if equal_mass:
        quantiles = np.quantile(given, edges)
        edges = np.unique(quantiles)
        if quantiles[0] == quantiles[1]:  # the lowest score fills a bin alone
            edges = np.concatenate([edges[:1], edges])
    numbers = np.searchsorted(edges[1:-1], given, side="left")
    return [
        ReliabilityBin(
            low=float(edges[number]),
            high=float(edges[number + 1]),
            count=int(np.sum(numbers == number)),
            mean_score=float(np.mean(given[numbers == number])),
            share_right=float(np.mean(outcomes[numbers == number])),
        )
        for number in np.unique(numbers)
    ]


def risk_coverage(scores: Sequence[float], right: Sequence[float]) -> list[RiskPoint]:
    """Return the risk at every threshold that the scores allow, from the highest down.

    El-Yaniv and Wiener 2010 (JMLR 11, "On the Foundations of Noise-free Selective
    Classification"). The last point answers everything.

    Raises:
        ValueError: nothing is given, or the lengths differ.

    >>> [(point.coverage, point.risk) for point in risk_coverage([0.9, 0.4], [True, False])]
    [(0.5, 0.0), (1.0, 0.5)]
    """
    given, outcomes = _paired(scores, right)
    thresholds, group, counts = np.unique(-given, return_inverse=True, return_counts=True)
    answered = np.cumsum(counts)
    wrong = np.cumsum(np.bincount(group, weights=1.0 - outcomes))
    return [
        RiskPoint(float(n / len(given)), float(errors / n), float(-threshold))
        for n, errors, threshold in zip(answered, wrong, thresholds, strict=True)
    ]


def risk_at(scores: Sequence[float], right: Sequence[float], coverage: float) -> float:
    """Return the risk when the surest share `coverage` of the questions is answered.

    Rounded up to whole questions. Where equal scores lie on both sides of the cut, it is the mean
    over every order of them.

    Raises:
        ValueError: nothing is given, the lengths differ, or `coverage` is not above 0 and at
            most 1.

    >>> risk_at([0.9, 0.8, 0.3, 0.2], [True, True, False, True], 0.5)
    0.0
    """
    if not 0.0 < coverage <= 1.0:
        raise ValueError(f"a coverage is above 0 and at most 1, not {coverage}")
    risks = _risks(*_paired(scores, right))
    return float(risks[math.ceil(round(coverage * len(risks), 9)) - 1])


def area_under_risk_coverage(scores: Sequence[float], right: Sequence[float]) -> float:
    """Return the mean risk over all coverages (AURC; Geifman et al. 2019, arXiv 1805.08206).

    Raises:
        ValueError: nothing is given, or the lengths differ.

    >>> area_under_risk_coverage([0.9, 0.4], [True, False])
    0.25
    """
    return float(np.mean(_risks(*_paired(scores, right))))


def auc(scores: Sequence[float], right: Sequence[float]) -> float:
    """Return the area under the ROC curve: the chance that a right answer has the higher score.

    Of a right answer and a wrong one, drawn at random; equal scores count half (Mann and Whitney
    1947; Hanley and McNeil 1982). 0.5 where all are right, or all wrong: there is no pair.

    Args:
        scores: any numbers.
        right: as long as `scores`; each is 1 or 0.

    Raises:
        ValueError: nothing is given, or the lengths differ.

    >>> auc([0.9, 0.4, 0.4, 0.1], [True, True, False, False])
    0.875
    """
    given, outcomes = _paired(scores, right)
    n_right = float(outcomes.sum())
    pairs = n_right * (len(outcomes) - n_right)
    if not pairs:
        return 0.5
    _, group, counts = np.unique(given, return_inverse=True, return_counts=True)
    middles = np.cumsum(counts) - 0.5 * (counts - 1)  # the mean rank of equal scores, from 1
    return float((middles[group] @ outcomes - 0.5 * n_right * (n_right + 1)) / pairs)


def _risks(given: Floats, outcomes: Floats) -> Floats:
    """Return the risk with the surest 1, 2, … n questions answered, shape ``(n_questions,)``."""
    _, group, counts = np.unique(-given, return_inverse=True, return_counts=True)
    means = np.bincount(group, weights=1.0 - outcomes) / counts
    wrong: Floats = np.cumsum(np.repeat(means, counts))
    return wrong / np.arange(1, len(given) + 1)


def _paired(scores: Sequence[float], right: Sequence[float]) -> tuple[Floats, Floats]:
    given, outcomes = np.asarray(scores, dtype=np.float64), np.asarray(right, dtype=np.float64)
    if given.ndim != 1 or given.shape != outcomes.shape or not given.size:
        raise ValueError(
            "scores and outcomes are two sequences of one length, at least 1; "
            f"these have the shapes {given.shape} and {outcomes.shape}"
        )
    if not np.isfinite(given).all():
        raise ValueError("a score is not finite")
    return given, outcomes


def _checked(scores: Sequence[float], right: Sequence[float]) -> tuple[Floats, Floats]:
    given, outcomes = _paired(scores, right)
    for name, values in (("score", given), ("outcome", outcomes)):
        if values.min() < 0.0 or values.max() > 1.0:
            raise ValueError(f"a {name} is outside 0 to 1")
    return given, outcomes
