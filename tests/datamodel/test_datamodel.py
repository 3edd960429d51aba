"""The record types: spans, scores and how answers read."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docqa.datamodel import AnswerSpan, Passage, Span

OFFSETS = st.tuples(st.integers(0, 9), st.integers(0, 9)).map(lambda p: Span(min(p), max(p)))


def proposal(margin: float, number: int = 0, start: int = 0) -> AnswerSpan:
    passage = Passage("id", number, Span(0, 9), "some text")
    return AnswerSpan(passage, Span(start, start + 1), margin, margin, 0.0)


@given(OFFSETS, OFFSETS)
def test_spans_behave_as_sets_of_offsets(one: Span, other: Span):
    """Overlap and cover mean what they mean for sets of characters."""
    left, right = set(range(one.start, one.end)), set(range(other.start, other.end))
    assert one.overlaps(other) == bool(left & right)
    assert len(one) == len(left)
    if right:
        assert one.covers(other) == (right <= left)


@pytest.mark.parametrize("ends", [(-1, 2), (3, 2)])
def test_a_span_that_is_none_is_refused(ends: tuple[int, int]):
    """Offsets are not negative and do not run backwards."""
    with pytest.raises(ValueError, match="0 <= start <= end"):
        Span(*ends)


@given(st.floats(-800, 800), st.floats(-800, 800))
def test_the_score_rises_with_the_margin(low: float, high: float):
    """Scores lie in 0 to 1 and keep the order of margins."""
    low, high = sorted((low, high))
    assert 0 <= proposal(low).score <= proposal(high).score <= 1


def test_the_score_is_the_logistic_function():
    """Even odds at 0, and the textbook value elsewhere."""
    assert proposal(0).score == 0.5
    assert math.isclose(proposal(2).score, 1 / (1 + math.exp(-2)))


def test_equal_margins_are_ordered_by_place():
    """Best first, then passage number, then start: never by chance."""
    found = [proposal(1, 2), proposal(1, 1, 3), proposal(1, 1), proposal(2, 9)]
    ordered = sorted(found, key=lambda one: one.order)
    assert [(one.passage.number, one.span.start) for one in ordered] == [
        (9, 0), (1, 0), (1, 3), (2, 0),
    ]  # fmt: skip
