"""Decoding: the banded search against trying every span."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from docqa.reader.decoding import Whole, best_spans

Found = list[tuple[int, int, float]]
Floats, Numbers = NDArray[np.float32], NDArray[np.int64]
Drawn = tuple[Floats, Floats, NDArray[np.bool_], Whole]  # starts, ends, what may be answered


def brute_force(
    starts: Floats, ends: Floats, allowed: NDArray[np.bool_], whole: Whole, most: int
) -> Found:
    """Return the spans of one window, best first, none overlapping or touching a better one."""
    unit, before, after = whole.unit, whole.before, whole.after
    size = len(unit)

    def best(logits: Floats, token: int) -> float:
        same = [logits[n] for n in range(size) if unit[n] == unit[token] and allowed[n]]
        return float(max(same, default=-np.inf))

    spans = [
        (s, e, best(starts, s) + best(ends, e))
        for s in range(size)
        for e in range(s, min(s + most, size))
        if (s == 0 or unit[s - 1] != unit[s])
        and (e == size - 1 or unit[e + 1] != unit[e])
        and before[s] == after[e]
        and best(starts, s) + best(ends, e) > -np.inf
    ]
    kept: Found = []
    for s, e, logit in sorted(spans, key=lambda span: (-span[2], span[0], span[1])):
        apart = (
            e + 1 < first
            or s > last + 1
            # Neighbours of different blocks or pairs do not touch.
            or (e + 1 == first and after[e] != before[first])
            or (s == last + 1 and after[last] != before[s])
            for first, last, _ in kept
        )
        if all(apart):
            kept.append((s, e, logit))
    return kept


@st.composite
def windows(draw: st.DrawFn) -> Drawn:
    """Draw logits (whole numbers, so that ties occur), what may be answered, and what is whole."""
    shape = draw(st.integers(1, 3)), draw(st.integers(1, 12))
    size = shape[0] * shape[1]
    logits = st.lists(st.integers(-6, 6), min_size=size, max_size=size)
    flags = st.lists(st.booleans(), min_size=size, max_size=size)
    starts, ends = (np.array(draw(logits), np.float32).reshape(shape) for _ in range(2))
    allowed = np.array(draw(flags), np.bool_).reshape(shape)
    unit, blocks = (np.array(draw(flags), np.int64).reshape(shape).cumsum(axis=1) for _ in range(2))
    pairs = np.array(draw(st.lists(st.integers(0, 1), min_size=size, max_size=size)), np.int64)
    after = 2 * blocks + pairs.reshape(shape)
    before = np.roll(after, 1, axis=1) if draw(st.booleans()) else 2 * blocks
    return starts, ends, allowed, Whole(unit, before, after)


@given(windows(), st.integers(1, 14), st.integers(1, 4), st.booleans())
@settings(max_examples=300, deadline=None)
def test_equals_brute_force(drawn: Drawn, most: int, n_best: int, given_whole: bool) -> None:
    """The banded search finds what trying every span finds, ties and whole spans included."""
    starts, ends, allowed, whole = drawn
    if not given_whole:
        each, same = np.indices(starts.shape)[1], np.zeros(starts.shape, np.int64)
        whole = Whole(each, same, same)
    found = best_spans(
        starts,
        ends,
        allowed,
        max_answer_tokens=most,
        n_best=n_best,
        whole=whole if given_whole else None,
    )
    for row in range(len(starts)):
        of_row = Whole(whole.unit[row], whole.before[row], whole.after[row])
        expected = brute_force(starts[row], ends[row], allowed[row], of_row, most)[:n_best]
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
