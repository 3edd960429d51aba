"""Fit logistic regressions by Newton's method: of single outcomes, and of choices among candidates.

These are a few dozen lines of docqa's own. Where scikit-learn and scipy are installed, nltk imports
them too, which costs every command seconds.

This module imports numpy: import it when it is first used.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]

__all__ = ["fit_logistic", "fit_ranking", "gradient"]

_STEPS = 100
_HALVINGS = 30
_ROUNDING = 1e-12  # of the loss, relative
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
    design, centre, scale = _standardised(rows)
    solved = _bounded(design, right, np.array([False, *rising]), prior)
    return _in_units(solved, centre, scale)


def fit_ranking(
    rows: Floats, right: Floats, choices: Integers, *, prior: float = 0.02
) -> tuple[float, Floats]:
    """Return the bias and the weights of strengths under which the right choices are likeliest.

    A question is a choice among its candidates and "not here". A candidate is chosen with a
    probability proportional to the exponential of its strength, its weighted features and the bias;
    the strength of "not here" is 0. This is the conditional logit of McFadden 1974 ("Conditional
    logit analysis of qualitative choice behavior"), over a whole document as Clark and Gardner 2018
    (arXiv 1710.10723) normalise. The mean log loss of the choices is made least, and with it
    `prior` times the square of each weight, in units of the standard deviation of its feature. The
    weight of a feature that never varies is 0.

    Args:
        rows: shape ``(n_candidates, n_features)``.
        right: shape ``(n_candidates,)``, the share in which each is the right choice. The shares of
            one question add up to at most 1; the rest is for "not here".
        choices: shape ``(n_candidates,)``, the number of each candidate's question: from 0, none
            left out.
        prior: strength of the prior; 0 for none.
    """
    design, centre, scale = _standardised(rows)
    n_choices = int(choices.max()) + 1
    return _in_units(_newton(design, right, 2.0 * prior * n_choices, choices), centre, scale)


def _standardised(rows: Floats) -> tuple[Floats, Floats, Floats]:
    """Return a design with a column of ones, and the centres and scales of the others."""
    centre, scale = rows.mean(axis=0), rows.std(axis=0)
    constant = np.ptp(rows, axis=0) == 0.0
    centre, scale = np.where(constant, rows[0], centre), np.where(constant, 1.0, scale)
    return np.column_stack([np.ones(len(rows)), (rows - centre) / scale]), centre, scale


def _in_units(solved: Floats, centre: Floats, scale: Floats) -> tuple[float, Floats]:
    """Return bias and weights of the features themselves."""
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


def _newton(design: Floats, right: Floats, prior: float, choices: Integers | None = None) -> Floats:
    """Minimise the loss of `gradient`, which is convex: steps that do not help are halved."""
    choices = np.arange(len(design)) if choices is None else choices
    solved = np.zeros(design.shape[1])
    ridge = np.diag([1e-9, *[prior + 1e-9] * (design.shape[1] - 1)])
    loss = _loss(design, right, solved, prior, choices)
    for _ in range(_STEPS):
        shares = _shares(design @ solved, choices)
        weighted = design * shares[:, None]
        means = np.zeros((int(choices.max()) + 1, design.shape[1]))
        np.add.at(means, choices, weighted)
        curvature = weighted.T @ design - means.T @ means + ridge
        slope = gradient(design, right, solved, prior, choices)
        step: Floats = np.asarray(np.linalg.solve(curvature, slope), dtype=np.float64)
        for _ in range(_HALVINGS):
            after = _loss(design, right, solved - step, prior, choices)
            if after <= loss + _ROUNDING * abs(loss):
                break
            step = 0.5 * step
        solved, loss = solved - step, after
        if np.abs(step).max() < _CONVERGED:
            break
    return solved


def gradient(
    design: Floats, right: Floats, solved: Floats, prior: float, choices: Integers | None = None
) -> Floats:
    """Return the slope of the loss: the log loss summed over choices, plus the prior's.

    Args:
        design: shape ``(n_rows, 1 + n_features)``; the first column holds ones.
        right: shape ``(n_rows,)``.
        solved: shape ``(1 + n_features,)``, bias first.
        prior: strength of the prior on the weights.
        choices: shape ``(n_rows,)``, as in `fit_ranking`; None where each row is a choice of its
            own against "not here", an outcome of a logistic regression.
    """
    choices = np.arange(len(design)) if choices is None else choices
    penalty = prior * solved
    penalty[0] = 0.0
    slope: Floats = design.T @ (_shares(design @ solved, choices) - right) + penalty
    return slope


def _loss(design: Floats, right: Floats, solved: Floats, prior: float, choices: Integers) -> float:
    """Return the log loss summed over choices, plus the prior's."""
    strengths = design @ solved
    sums = _log_sums(strengths, choices)
    return float(sums.sum() - right @ strengths + 0.5 * prior * solved[1:] @ solved[1:])


def _shares(strengths: Floats, choices: Integers) -> Floats:
    """Return the probability of each candidate among those of its choice and "not here"."""
    sums = _log_sums(strengths, choices)
    return np.exp(strengths - sums[choices])


def _log_sums(strengths: Floats, choices: Integers) -> Floats:
    """Return ``log(1 + sum(exp(strengths)))`` of each choice."""
    highest = np.zeros(int(choices.max()) + 1)
    np.maximum.at(highest, choices, strengths)
    shares = np.bincount(choices, weights=np.exp(strengths - highest[choices]))
    sums: Floats = highest + np.log(np.exp(-highest) + shares)
    return sums
