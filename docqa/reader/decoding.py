"""From logits to spans: the best answers of each window."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    FloatArray = NDArray[np.float32]
    BoolArray = NDArray[np.bool_]

__all__ = ["BestSpans", "best_spans"]


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
    blocks: NDArray[np.int64] | None = None,
) -> BestSpans:
    """Find the best spans of each window, one per place.

    A span's logit is the sum of its start and its end logit (Devlin et al. 2019, section 4.2). All
    spans of at most `max_answer_tokens` tokens are compared in one banded array
    ``(n_windows, n_tokens, max_answer_tokens)``. A chosen span takes out those that overlap or
    touch it: what touches is mostly the rest of a longer version ("in" beside "Hyderabad"). Equal
    logits go to the earlier, then to the shorter span.

    Args:
        start_logits: shape ``(n_windows, n_tokens)``.
        end_logits: same shape.
        answerable: same shape, True where an answer may start or end.
        max_answer_tokens: longest answer.
        n_best: spans per window at most.
        blocks: same shape, the number of each token's block; a span lies in one block. None for
            no blocks.

    >>> starts, ends = np.array([[[9, 3, 1, 0, 2]], [[9, 0, 4, 0, 1]]], dtype=np.float32)
    >>> passage = np.array([[False, True, True, True, True]])
    >>> found = best_spans(starts, ends, passage, max_answer_tokens=3, n_best=3)
    >>> found.first.tolist(), found.last.tolist(), found.logit.tolist()
    ([[1, 4, 0]], [[2, 4, 0]], [[7.0, 3.0, -inf]])
    """
    n_windows, n_tokens = start_logits.shape
    band = _band(start_logits, end_logits, answerable, min(max_answer_tokens, n_tokens))
    if blocks is not None:
        ends = np.pad(blocks, ((0, 0), (0, band.shape[2] - 1)), constant_values=-1)
        reached = np.lib.stride_tricks.sliding_window_view(ends, band.shape[2], axis=1)
        band[blocks[:, :, None] != reached] = -np.inf
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
        _take_out(band, first[:, rank], last[:, rank])
    return BestSpans(first, last, logit)


def _band(
    start_logits: FloatArray, end_logits: FloatArray, answerable: BoolArray, width: int
) -> FloatArray:
    """Return ``band[w, s, d] = start[w, s] + end[w, s + d]``, ``-inf`` where that is no answer."""
    starts = np.where(answerable, start_logits, np.float32(-np.inf))
    ends = np.full((len(starts), starts.shape[1] + width - 1), -np.inf, dtype=np.float32)
    np.copyto(ends[:, : starts.shape[1]], end_logits, where=answerable)
    windows = np.lib.stride_tricks.sliding_window_view(ends, width, axis=1)
    band: FloatArray = starts[:, :, None] + windows
    return band


def _take_out(band: FloatArray, first: NDArray[np.int64], last: NDArray[np.int64]) -> None:
    """Set every span that overlaps or touches ``[first, last]`` of its window to ``-inf``."""
    n_tokens, width = band.shape[1:]
    # Row r of `reaches` is the start width - r before a token; it reaches it from d = width - r on.
    reaches = np.arange(width)[None, :] >= np.arange(width, 0, -1)[:, None]
    begins, ends = np.maximum(first - 1, 0), np.minimum(last + 2, n_tokens)
    for row, (begin, end) in enumerate(zip(begins.tolist(), ends.tolist(), strict=True)):
        band[row, begin:end] = -np.inf
        low = max(begin - width, 0)
        band[row, low:begin][reaches[width - (begin - low) :]] = -np.inf
