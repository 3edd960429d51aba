"""Confidence intervals by resampling: the spread of a figure over other samples of such questions.

Questions about one article are alike (one topic, one writer of questions), so whole articles are
drawn, not questions: the cluster bootstrap (Davison and Hinkley 1997, "Bootstrap Methods and Their
Application", section 3.8). Where there are too few articles for that, paragraphs are drawn, and
where there are too few of them, questions; the result says which.

This module imports numpy: import it when it is first used.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

__all__ = ["Estimate", "bootstrap_means", "resampling_unit"]

_FEWEST_UNITS = 20  # below, intervals come out too short (Cameron et al. 2008, RES 90: 5 to 30)
_RESAMPLES = 2000
_LEVEL = 0.95


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean and its 95% interval, all in 0 to 1."""

    value: float
    low: float
    high: float


def resampling_unit(units: Mapping[str, Sequence[str]]) -> tuple[str, Sequence[str]]:
    """Return the name and the labels of the largest unit that occurs often enough.

    Args:
        units: for each name (largest unit first) the label of every question's unit.

    >>> resampling_unit({"articles": ["a"] * 40, "questions": [str(n) for n in range(40)]})[0]
    'questions'
    """
    for name, labels in units.items():
        if len(set(labels)) >= _FEWEST_UNITS:
            return name, labels
    return list(units.items())[-1]


def bootstrap_means(figures: Sequence[Sequence[float]], labels: Sequence[str]) -> list[Estimate]:
    """Return the mean of each figure with the 2.5th and 97.5th percentile of its resampled means.

    The same questions give the same interval: the draws have one seed.

    Args:
        figures: for each figure, its value for every question.
        labels: the unit of every question; units are drawn with replacement, as many as there are.

    Raises:
        ValueError: there is no question, or the lengths differ.

    >>> bootstrap_means([[1.0, 1.0, 1.0]], ["a", "b", "c"])
    [Estimate(value=1.0, low=1.0, high=1.0)]
    """
    values = np.asarray(figures, dtype=np.float64)
    if values.ndim != 2 or values.shape[1] != len(labels) or not len(labels):
        raise ValueError(f"figures of the shape {values.shape} for {len(labels)} questions")
    _, unit = np.unique(np.asarray(labels), return_inverse=True)
    n_units = int(unit.max()) + 1
    sums = np.stack([np.bincount(unit, weights=row, minlength=n_units) for row in values], axis=1)
    counts = np.bincount(unit, minlength=n_units)
    chance = np.random.default_rng(0)
    drawn = chance.multinomial(n_units, np.full(n_units, 1 / n_units), size=_RESAMPLES)
    means = (drawn @ sums) / (drawn @ counts)[:, None]
    tail = (1.0 - _LEVEL) / 2
    low, high = np.quantile(means, [tail, 1.0 - tail], axis=0)
    return [
        Estimate(float(mean), float(least), float(most))
        for mean, least, most in zip(values.mean(axis=1), low, high, strict=True)
    ]
