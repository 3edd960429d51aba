"""Calibration and risk: hand-worked cases and oracles that count one by one."""

from __future__ import annotations

import itertools
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docqa.evaluation.reliability import (
    ReliabilityBin,
    RiskPoint,
    area_under_risk_coverage,
    auc,
    brier,
    expected_calibration_error,
    reliability_table,
    risk_at,
    risk_coverage,
)
from docqa.evaluation.thresholds import share_stopped

PAIRS = st.lists(st.tuples(st.sampled_from([0.0, 0.2, 0.4, 0.5, 1.0]), st.booleans()), min_size=1)


def test_calibration_error_by_hand() -> None:
    """Two of four at 0.8 right, one of one at 0.4: (4 * 0.3 + 1 * 0.6) / 5."""
    scores, right = [0.8, 0.8, 0.8, 0.8, 0.4], [True, True, False, False, True]
    assert expected_calibration_error(scores, right, bins=5) == pytest.approx(0.36)


def test_perfect_scores_have_no_error() -> None:
    """Scores that say 0 for the wrong and 1 for the right cost nothing."""
    scores, right = [0.0, 1.0, 1.0, 0.0], [False, True, True, False]
    assert expected_calibration_error(scores, right) == 0.0
    assert brier(scores, right) == 0.0
    assert risk_at(scores, right, 0.5) == 0.0


def test_table_by_hand() -> None:
    """A bin holds its upper border; an empty bin is no row."""
    table = reliability_table([0.0, 0.25, 0.26, 0.9], [0, 1, 1, 0], bins=4)
    assert table == [
        ReliabilityBin(0.0, 0.25, 2, 0.125, 0.5),
        ReliabilityBin(0.25, 0.5, 1, 0.26, 1.0),
        ReliabilityBin(0.75, 1.0, 1, 0.9, 0.0),
    ]


def test_equal_mass_bins_hold_equally_many() -> None:
    """Scores that crowd together are told apart."""
    scores = [0.90 + 0.001 * n for n in range(60)]
    table = reliability_table(scores, [n % 2 for n in range(60)], bins=15, equal_mass=True)
    assert [each.count for each in table] == [4] * 15


def test_two_scores_are_two_bins_of_equal_mass() -> None:
    """Half the scores 0 and half 1, all of them wrong: no error could be larger."""
    scores, right = [0.0] * 50 + [1.0] * 50, [True] * 50 + [False] * 50
    assert expected_calibration_error(scores, right, equal_mass=True) == 1.0
    assert [each.count for each in reliability_table(scores, right, equal_mass=True)] == [50, 50]


@pytest.mark.parametrize("equal_mass", [False, True])
def test_equal_scores_share_one_bin(equal_mass: bool) -> None:
    """All scores equal: one bin, and the error is the distance to the share right."""
    scores, right = [0.7] * 10, [True] * 4 + [False] * 6
    assert len(reliability_table(scores, right, equal_mass=equal_mass)) == 1
    assert expected_calibration_error(scores, right, equal_mass=equal_mass) == pytest.approx(0.3)


def test_brier_by_hand() -> None:
    """(0.1² + 0.8² + 0.5²) / 3."""
    assert brier([0.9, 0.8, 0.5], [True, False, True]) == pytest.approx(0.9 / 3)


def test_risk_by_hand() -> None:
    """Equal scores are answered together."""
    assert risk_coverage([0.9, 0.5, 0.5, 0.1], [True, False, True, False]) == [
        RiskPoint(0.25, 0.0, 0.9),
        RiskPoint(0.75, pytest.approx(1 / 3), 0.5),
        RiskPoint(1.0, 0.5, 0.1),
    ]


def test_risk_between_equal_scores_is_the_mean_over_orders() -> None:
    """Three answers at one score, one wrong, two answered: each is wrong in one of three cases."""
    assert risk_at([0.5, 0.5, 0.5], [True, True, False], 2 / 3) == pytest.approx(1 / 3)


def test_coverage_counts_whole_questions() -> None:
    """80% of five are four, not five for the rounding of 0.8 * 5 in binary."""
    scores, right = [0.9, 0.8, 0.7, 0.6, 0.5], [True, True, True, True, False]
    assert risk_at(scores, right, 0.8) == 0.0
    assert risk_at(scores, right, 0.81) == pytest.approx(0.2)


@given(PAIRS.filter(lambda pairs: len(pairs) <= 6))
def test_area_is_the_mean_over_orders(pairs: list[tuple[float, bool]]) -> None:
    """Against every order of the questions that the scores allow, one by one."""
    areas = []
    for order in itertools.permutations(pairs):
        if list(order) != sorted(order, key=lambda pair: -pair[0]):
            continue
        wrong = list(itertools.accumulate(not right for _, right in order))
        areas.append(statistics.mean(n / k for k, n in enumerate(wrong, start=1)))
    assert area_under_risk_coverage(*zip(*pairs, strict=True)) == pytest.approx(
        statistics.mean(areas)
    )


@given(PAIRS)
def test_auc_counts_pairs(pairs: list[tuple[float, bool]]) -> None:
    """Against every pair of a right and a wrong answer; without one nothing can be told apart."""
    right, wrong = ([score for score, said in pairs if said is each] for each in (True, False))
    won = [(one > other) + 0.5 * (one == other) for one in right for other in wrong]
    expected = statistics.mean(won) if won else 0.5
    assert auc(*zip(*pairs, strict=True)) == pytest.approx(expected)


@given(PAIRS, st.sampled_from([0.0, 0.15, 0.5, 0.9]))
def test_the_highest_threshold_that_loses_little(
    pairs: list[tuple[float, bool]], lost: float
) -> None:
    """Against every threshold that the scores allow, by the answerable ones that each loses."""
    scores, answerable = zip(*pairs, strict=True)
    kept = [score for score, said in pairs if said]
    gone = [score for score, said in pairs if not said]
    found = share_stopped(scores, answerable, lost=lost)
    if not kept or not gone:
        assert found is None
        return
    allowed = [t for t in scores if sum(score < t for score in kept) <= lost * len(kept) + 1e-9]
    assert found == max(sum(score < t for score in gone) / len(gone) for t in [0.0, *allowed])


@given(PAIRS, st.integers(1, 20), st.booleans())
def test_the_table_holds_every_question_once(
    pairs: list[tuple[float, bool]], bins: int, equal_mass: bool
) -> None:
    """Counts add up, means lie within the borders, and the whole error is at most 1."""
    scores, right = zip(*pairs, strict=True)
    table = reliability_table(scores, right, bins=bins, equal_mass=equal_mass)
    assert sum(each.count for each in table) == len(pairs)
    assert all(each.low - 1e-9 <= each.mean_score <= each.high + 1e-9 for each in table)
    assert sum(each.count * each.share_right for each in table) == pytest.approx(sum(right))


@given(PAIRS, st.randoms())
def test_the_order_of_questions_does_not_matter(pairs: list[tuple[float, bool]], chance) -> None:
    """Shuffled questions give the same figures."""
    mixed = chance.sample(pairs, len(pairs))
    for figure in (expected_calibration_error, brier, area_under_risk_coverage):
        assert figure(*zip(*pairs, strict=True)) == pytest.approx(figure(*zip(*mixed, strict=True)))


@pytest.mark.parametrize(
    ("scores", "right"), [([], []), ([0.5], [True, False]), ([1.2], [True]), ([0.5], [2.0])]
)
def test_what_is_no_probability_is_refused(scores: list[float], right: list[float]) -> None:
    """Empty, uneven or out of range."""
    with pytest.raises(ValueError, match=r"scores|outside 0 to 1"):
        expected_calibration_error(scores, right)


@pytest.mark.parametrize("coverage", [0.0, -0.1, 1.1])
def test_a_coverage_is_a_share(coverage: float) -> None:
    """Nothing answered has no risk."""
    with pytest.raises(ValueError, match="coverage"):
        risk_at([0.5], [True], coverage)
