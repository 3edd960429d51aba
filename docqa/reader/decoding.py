"""From logits to spans: the best answers of each window."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    FloatArray = NDArray[np.float32]
    BoolArray = NDArray[np.bool_]

__all__ = ["BestSpans", "Whole", "best_spans"]


@dataclass(frozen=True, slots=True)
class Whole:
    """The spans of windows that are whole; all arrays ``(n_windows, n_tokens)``.

    Attributes:
        unit: the number of the word, number or other stretch that each token belongs to and that
            is never cut; rising along a row.
        before, after: numbers of what the place before a token, and that behind it, lies in, such
            as a block or a pair of brackets. A span from `first` to `last` is whole where
            ``before[first] == after[last]``.
    """

    unit: NDArray[np.int64]
    before: NDArray[np.int64]
    after: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class BestSpans:
    """The best spans of every window, best first; all arrays ``(n_windows, n_best)``.

    Attributes:
        first, last: columns of the span's first and last token, both inside it.
        logit: start logit plus end logit; ``-inf`` where a window has no further span.
    """

    first: NDArray[np.int64]
    last: NDArray[np.int64]
    logit: NDArray[np.float64]


def best_spans(
    start_logits: FloatArray,
    end_logits: FloatArray,
    answerable: BoolArray,
    *,
    max_answer_tokens: int,
    n_best: int = 1,
    whole: Whole | None = None,
) -> BestSpans:
    """Find the best spans of each window, one per place.

    A span's logit is the sum of its start and its end logit (Devlin et al. 2019, section 4.2). All
    spans of at most `max_answer_tokens` tokens are compared in one banded array
    ``(n_windows, n_tokens, max_answer_tokens)``. A chosen span takes out those that overlap or
    touch it: what touches in the same block is mostly the rest of a longer version ("in" beside
    "Hyderabad"). Equal logits go to the earlier, then to the shorter span.

    Args:
        start_logits: shape ``(n_windows, n_tokens)``.
        end_logits: same shape.
        answerable: same shape, True where an answer may start or end.
        max_answer_tokens: longest answer.
        n_best: spans per window at most.
        whole: the spans that are whole; None where all are. A unit has the best start and the best
            end logit of its tokens.

    >>> starts, ends = np.array([[[9, 3, 1, 0, 2]], [[9, 0, 4, 0, 1]]], dtype=np.float32)
    >>> passage = np.array([[False, True, True, True, True]])
    >>> found = best_spans(starts, ends, passage, max_answer_tokens=3, n_best=3)
    >>> found.first.tolist(), found.last.tolist(), found.logit.tolist()
    ([[1, 4, 0]], [[2, 4, 0]], [[7.0, 3.0, -inf]])
    """
    n_windows, n_tokens = start_logits.shape
    starts = np.where(answerable, start_logits, np.float32(-np.inf))
    ends = np.where(answerable, end_logits, np.float32(-np.inf))
    if whole is not None:
        starts, ends = _of_units(starts, ends, whole.unit)
    band = _band(starts, ends, min(max_answer_tokens, n_tokens))
    touching = np.ones((n_windows, n_tokens + 1), dtype=np.bool_)  # each token the one before it
    if whole is not None:
        touching[:, 1:-1] = whole.after[:, :-1] == whole.before[:, 1:]
        after = np.pad(whole.after, ((0, 0), (0, band.shape[2] - 1)), constant_values=-1)
        reached = np.lib.stride_tricks.sliding_window_view(after, band.shape[2], axis=1)
        band[whole.before[:, :, None] != reached] = -np.inf
    flat, width, rows = band.reshape(n_windows, -1), band.shape[2], np.arange(n_windows)
    first, last = np.zeros((2, n_windows, n_best), dtype=np.int64)
    logit = np.full((n_windows, n_best), -np.inf)
    for rank in range(n_best):
        chosen = flat.argmax(axis=1)
        logit[:, rank] = flat[rows, chosen]
        first[:, rank] = chosen // width
        last[:, rank] = chosen // width + chosen % width
        if rank + 1 == n_best or np.isneginf(logit[:, rank]).all():
            break
        begins = first[:, rank] - touching[rows, first[:, rank]]
        ends = last[:, rank] + 1 + touching[rows, last[:, rank] + 1]
        _take_out(band, np.maximum(begins, 0), np.minimum(ends, n_tokens))
    return BestSpans(first, last, logit)


def _of_units(
    starts: FloatArray, ends: FloatArray, unit: NDArray[np.int64]
) -> tuple[FloatArray, FloatArray]:
    """Give the best start logit of each unit to its first token, the best end logit to its last."""
    begins = np.ones(unit.shape, dtype=np.bool_)
    begins[:, 1:] = unit[:, 1:] != unit[:, :-1]
    first = np.flatnonzero(begins)
    last = np.append(first[1:], unit.size) - 1
    best_starts, best_ends = np.full((2, unit.size), -np.inf, dtype=np.float32)
    best_starts[first] = np.maximum.reduceat(starts.ravel(), first)
    best_ends[last] = np.maximum.reduceat(ends.ravel(), first)
    return best_starts.reshape(unit.shape), best_ends.reshape(unit.shape)


def _band(starts: FloatArray, ends: FloatArray, width: int) -> FloatArray:
    """Return ``band[w, s, d] = start[w, s] + end[w, s + d]``, ``-inf`` beyond the last token."""
    padded = np.pad(ends, ((0, 0), (0, width - 1)), constant_values=-np.inf)
    windows = np.lib.stride_tricks.sliding_window_view(padded, width, axis=1)
    band: FloatArray = starts[:, :, None] + windows
    return band


def _take_out(band: FloatArray, begins: NDArray[np.int64], ends: NDArray[np.int64]) -> None:
    """Set every span that has a token of ``[begin, end)`` of its window to ``-inf``."""
    width = band.shape[2]
    # Row r of `reaches` is the start width - r before a token; it reaches it from d = width - r on.
    reaches = np.arange(width)[None, :] >= np.arange(width, 0, -1)[:, None]
    for row, (begin, end) in enumerate(zip(begins.tolist(), ends.tolist(), strict=True)):
        band[row, begin:end] = -np.inf
        low = max(begin - width, 0)
        band[row, low:begin][reaches[width - (begin - low) :]] = -np.inf
