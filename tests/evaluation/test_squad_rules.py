"""EM, F1 and thresholds by the official rules: hand-worked cases, and thresholds one by one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docqa.evaluation.predictions import Prediction, odds_file, write_predictions
from docqa.evaluation.squad import exact_match, f1, gold_answers
from docqa.evaluation.summary import summarize
from docqa.evaluation.thresholds import BestThreshold, best_threshold
from docqa.question_sets import Article, Gold, Paragraph, Question, QuestionSet

CONTEXT = "Ada Lovelace was born in London on 10 December 1815. The a."


def asked(*rows: tuple[str, ...]) -> QuestionSet:
    """Return a set of one paragraph; each row is a question's gold answers, none for none."""
    questions = [
        Question(f"q{number}", "Who?", tuple(Gold(gold, CONTEXT.index(gold)) for gold in golds))
        for number, golds in enumerate(rows)
    ]
    return QuestionSet("made", (Article("Ada", (Paragraph(CONTEXT, tuple(questions)),)),))


def said(*rows: tuple[str, float]) -> list[Prediction]:
    """Return predictions for the questions in order: words and score."""
    return [
        Prediction(f"q{number}", text, CONTEXT.find(text), score)
        for number, (text, score) in enumerate(rows)
    ]


@pytest.mark.parametrize(
    ("prediction", "golds", "exact", "overlap"),
    [
        ("the London", ["London!"], 1.0, 1.0),
        ("in London on", ["London", "Paris"], 0.0, 2 * (1 / 3) / (1 / 3 + 1)),
        ("10 December", ["10 December 1815"], 0.0, 2 * 1 * (2 / 3) / (1 + 2 / 3)),
        ("London London", ["London"], 0.0, 2 * 0.5 / 1.5),
        ("", ["London"], 0.0, 0.0),
        ("", [""], 1.0, 1.0),
        ("the", [""], 1.0, 1.0),
        ("London", [""], 0.0, 0.0),
        ("a", ["the"], 1.0, 0.0),  # v1.1: equal once normalized, and no word shared
    ],
)
def test_official_rules(prediction: str, golds: list[str], exact: float, overlap: float) -> None:
    """Worked by hand from the official scripts."""
    assert exact_match(prediction, golds) == exact
    assert f1(prediction, golds) == pytest.approx(overlap)


def test_golds_of_nothing_are_passed_over() -> None:
    """Version 2.0 drops gold answers of which normalizing leaves nothing."""
    assert gold_answers(["The", "London"]) == ("London",)
    assert gold_answers(["The"]) == gold_answers([]) == ("",)


def test_version_1_takes_every_best_answer() -> None:
    """Without unanswerable questions no threshold applies."""
    summary = summarize(asked(("London",), ("1815",)), said(("London", 0.01), ("December 1815", 0)))
    assert (summary.exact_match, summary.f1) == (0.5, pytest.approx((1 + 2 / 3) / 2))
    assert summary.best_f1 is summary.has_answer is summary.no_answer is None


def test_version_2_decides_by_score() -> None:
    """By hand: right, wrongly silent, rightly silent, wrongly said."""
    questions = asked(("London",), ("1815",), (), ())
    predictions = said(("London", 0.9), ("1815", 0.4), ("Ada", 0.2), ("born", 0.6))
    summary = summarize(questions, predictions)
    assert summary.exact_match == 0.5
    assert summary.has_answer.exact_match == summary.no_answer.exact_match == 0.5
    # answering one gives London and both silences: 3 of 4; a lower threshold loses one at 0.6
    assert summary.best_exact_match == BestThreshold(0.75, 0.9)


def test_answering_nothing_may_be_best() -> None:
    """With every answer wrong, silence wins at no threshold."""
    summary = summarize(asked((), ("1815",)), said(("Ada", 0.9), ("born", 0.4)))
    assert summary.best_f1 == BestThreshold(0.5, None)


def test_a_prediction_without_words_loses_nothing() -> None:
    """A reader with nothing to say is right about a question without an answer."""
    summary = summarize(asked((), ("1815",)), said(("", 0.0), ("1815", 0.0)))
    assert summary.best_exact_match == BestThreshold(1.0, 0.0)


def test_a_missing_prediction_is_no_zero() -> None:
    """A question that nobody asked is an error, not a wrong answer."""
    with pytest.raises(ValueError, match="1 questions have no prediction, first 'q1'"):
        summarize(asked(("London",), ("1815",)), said(("London", 0.9)))


@given(
    st.lists(
        st.tuples(st.sampled_from([0.0, 0.3, 0.5, 0.9]), st.floats(0, 1), st.booleans()), min_size=1
    )
)
def test_no_threshold_is_better(rows: list[tuple[float, float, bool]]) -> None:
    """Against every threshold, tried one by one."""

    def mean_at(threshold: float) -> float:
        worth = [
            (value if has_answer else 1.0 - value) if score >= threshold else float(not has_answer)
            for score, value, has_answer in rows
        ]
        return sum(worth) / len(rows)

    best = best_threshold(*zip(*rows, strict=True))
    highest = max(map(mean_at, [0.0, 0.3, 0.5, 0.9, 2.0]))
    assert best.value == pytest.approx(highest, abs=1e-8)  # a gain of 1e-9 is none
    assert best.value == pytest.approx(mean_at(2.0 if best.min_score is None else best.min_score))


def test_predictions_are_written_for_the_official_scripts(tmp_path: Path) -> None:
    """Words in one file; in the other odds above 0 where "no answer" is likelier."""
    path = tmp_path / "said.json"
    write_predictions(said(("London", 0.9), ("born", 0.2), ("", 0.0)), path)
    assert json.loads(path.read_text("utf-8")) == {"q0": "London", "q1": "born", "q2": ""}
    odds = json.loads(odds_file(path).read_text("utf-8"))
    assert odds["q0"] < 0 < odds["q1"] < odds["q2"]
