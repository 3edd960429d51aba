"""The record types: spans, scores and how answers read."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docqa.datamodel import AnswerSpan, GridItem, Passage, Span, Table, TableCell, TableRow

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


@given(st.lists(st.integers(0, 40), unique=True, max_size=9), OFFSETS)
def test_rows_are_found_by_their_place(starts: list[int], span: Span):
    """Of all tables together, against a look at every row."""
    rows = [TableRow((TableCell(Span(4 * start, 4 * start + 3), ()),)) for start in starts]
    whole = Table.joined([Table((row,)) for row in rows])
    rows.sort(key=lambda row: row.start)
    span = span.shift(20)
    assert whole.rows == tuple(rows)
    if len(span):
        touching = [row for row in rows if row.cells[0].span.overlaps(span)]
        assert list(whole.rows_touching(span)) == touching
    before = [row for row in rows if row.start <= span.start]
    assert whole.row_at(span) == (before[-1] if before else None)


def test_a_failed_cell_has_read_nothing():
    """It names the question, the source and the reason."""
    item = GridItem.failed("Who?", "a.pdf", ValueError("odd"), passages_total=4)
    assert (item.question, item.source, str(item.error)) == ("Who?", "a.pdf", "odd")
    assert (item.answers, item.answers.coverage.passages_read) == ([], 0)
    assert item.answers.coverage.passages_total == 4
