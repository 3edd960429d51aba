"""Fit a logistic regression: Newton's method, with weights that may not fall below zero.

These are forty lines of docqa's own. Where scikit-learn and scipy are installed, nltk imports them
too, which costs every command seconds.

This module imports numpy: import it when it is first used.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["fit_logistic", "gradient"]

_STEPS = 100
_CONVERGED = 1e-10


def fit_logistic(
    rows: Floats, right: Floats, *, rising: Sequence[bool], prior: float = 1.0
) -> tuple[float, Floats]:
    """Return the bias and the weights under which the outcomes are likeliest.

    Each weight has a normal prior of mean 0 and variance ``1 / prior``, in units of the standard
    deviation of its feature, so that little data gives small weights; the bias has none.

    Args:
        rows: shape ``(n_rows, n_features)``.
        right: shape ``(n_rows,)``, in 0 to 1; a value in between counts as that share of a right
            outcome.
        rising: for each feature, whether its weight must not be below 0.
        prior: strength of the prior; 0 for none.
    """
    centre, scale = rows.mean(axis=0), rows.std(axis=0)
    scale[scale == 0.0] = 1.0
    design = np.column_stack([np.ones(len(rows)), (rows - centre) / scale])
    solved = _bounded(design, right, np.array([False, *rising]), prior)
    weights = solved[1:] / scale
    return float(solved[0] - weights @ centre), weights


def _bounded(design: Floats, right: Floats, rising: NDArray[np.bool_], prior: float) -> Floats:
    """Minimise with bounds by an active set of weights that are held at 0.

    A weight that falls below 0 is held, and freed where it would rise. The loss is convex, so a
    point where nothing held would rise is the minimum (the conditions of Karush, Kuhn and Tucker).
    """
    held = np.zeros(design.shape[1], dtype=bool)
    for _ in range(4 * len(held)):
        solved = np.zeros(len(held))
        solved[~held] = _newton(design[:, ~held], right, prior)
        below = rising & (solved < 0.0)
        if below.any():
            held[int(np.argmin(np.where(below, solved, np.inf)))] = True
            continue
        slope = np.where(held, gradient(design, right, solved, prior), 0.0)
        if slope.min() >= -1e-9:
            break
        held[int(np.argmin(slope))] = False
    return solved


def _newton(design: Floats, right: Floats, prior: float) -> Floats:
    solved = np.zeros(design.shape[1])
    ridge = np.diag([1e-9, *[prior] * (design.shape[1] - 1)])
    for _ in range(_STEPS):
        shares = _logistic(design @ solved)
        curvature = (design * (shares * (1.0 - shares))[:, None]).T @ design + ridge
        slope = design.T @ (shares - right) + ridge @ solved
        step: Floats = np.asarray(np.linalg.solve(curvature, slope), dtype=np.float64)
        step *= min(1.0, 4.0 / max(float(np.abs(step).max()), 1e-300))
        solved = solved - step
        if np.abs(step).max() < _CONVERGED:
            break
    return solved


def gradient(design: Floats, right: Floats, solved: Floats, prior: float) -> Floats:
    """Return the slope of the loss: the log loss summed over rows, plus the prior's.

    Args:
        design: shape ``(n_rows, 1 + n_features)``; the first column holds ones.
        right: shape ``(n_rows,)``.
        solved: shape ``(1 + n_features,)``, bias first.
        prior: strength of the prior on the weights.
    """
    penalty = prior * solved
    penalty[0] = 0.0
    slope: Floats = design.T @ (_logistic(design @ solved) - right) + penalty
    return slope


def _logistic(logits: Floats) -> Floats:
    return 0.5 * (1.0 + np.tanh(0.5 * logits))
