"""Decoding: the banded search against trying every span."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from docqa.reader.decoding import best_spans

Found = list[tuple[int, int, float]]
Drawn = tuple[
    NDArray[np.float32], NDArray[np.float32], NDArray[np.bool_], NDArray[np.int64]
]  # logits of starts and ends, what may be answered, blocks


def brute_force(
    starts: NDArray[np.float32],
    ends: NDArray[np.float32],
    allowed: NDArray[np.bool_],
    blocks: NDArray[np.int64],
    most: int,
) -> Found:
    """Return the spans of one window, best first, none overlapping or touching a better one."""
    spans = [
        (s, e, float(starts[s] + ends[e]))
        for s in range(len(starts))
        for e in range(s, min(s + most, len(starts)))
        if allowed[s] and allowed[e] and blocks[s] == blocks[e]
    ]
    kept: Found = []
    for s, e, logit in sorted(spans, key=lambda span: (-span[2], span[0], span[1])):
        if all(e + 1 < first or s > last + 1 for first, last, _ in kept):
            kept.append((s, e, logit))
    return kept


@st.composite
def windows(draw: st.DrawFn) -> Drawn:
    """Draw logits (whole numbers, so that ties occur), what may be answered, and blocks."""
    shape = draw(st.integers(1, 3)), draw(st.integers(1, 12))
    size = shape[0] * shape[1]
    logits = st.lists(st.integers(-6, 6), min_size=size, max_size=size)
    starts, ends = (np.array(draw(logits), np.float32).reshape(shape) for _ in range(2))
    allowed = draw(st.lists(st.booleans(), min_size=size, max_size=size))
    begins = np.array(draw(st.lists(st.booleans(), min_size=size, max_size=size)), np.int64)
    blocks = begins.reshape(shape).cumsum(axis=1)
    return starts, ends, np.array(allowed, np.bool_).reshape(shape), blocks


@given(windows(), st.integers(1, 14), st.integers(1, 4), st.booleans())
@settings(max_examples=200, deadline=None)
def test_equals_brute_force(drawn: Drawn, most: int, n_best: int, blocked: bool) -> None:
    """The banded search finds what trying every span finds, ties and blocks included."""
    starts, ends, allowed, blocks = drawn
    blocks = blocks if blocked else np.zeros_like(blocks)
    found = best_spans(
        starts,
        ends,
        allowed,
        max_answer_tokens=most,
        n_best=n_best,
        blocks=blocks if blocked else None,
    )
    for row in range(len(starts)):
        expected = brute_force(starts[row], ends[row], allowed[row], blocks[row], most)[:n_best]
        columns = zip(found.first[row], found.last[row], found.logit[row], strict=True)
        assert [span for span in columns if span[2] > -np.inf] == expected


def test_masks_before_choosing() -> None:
    """A question token with the highest logits is never chosen."""
    logits = np.array([[50, 60, 1, 0]], dtype=np.float32)
    passage = np.array([[False, False, True, True]])
    found = best_spans(logits, logits, passage, max_answer_tokens=4)
    assert (found.first[0, 0], found.last[0, 0]) == (2, 2)


def test_no_passage_no_span() -> None:
    """A window without a token to answer with proposes nothing."""
    logits = np.zeros((1, 5), dtype=np.float32)
    found = best_spans(logits, logits, np.zeros((1, 5), np.bool_), max_answer_tokens=3)
    assert np.isneginf(found.logit).all()
