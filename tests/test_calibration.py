"""Calibrations: the probability they give, their file, and what the pipeline makes of them."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import docqa
from docqa.asking.cell_relevance import HeadedSpan
from docqa.asking.evidence import AnswerFeatures, Rivals
from docqa.calibration import FEATURES, UNCALIBRATED, Calibration
from docqa.datamodel import AnswerSpan, Evidence, Passage, Span
from docqa.errors import ModelError, ModelNotFoundError
from docqa.testing import FakeReader

EVIDENCE = Evidence(
    margin=2.0, odds=3.0, relevance=0.5, coverage=0.5, span_logit=7.0, headings=0.75
)
FITTED = Calibration(
    -1.0,
    {"margin": 0.5, "odds": 0.1},
    "sha256:ab",
    {"questions": 90},
    {"margin": 0.25, "span_logit": 0.5},
    -2.0,
)
TEXT = "Ada Quill audits the firm. The firm pays Ada Quill. Brown audits a shop.\n"


class CalibratedReader(FakeReader):
    """Be a reader with a calibration."""

    calibration = Calibration(0.0, {"margin": 0.25, "odds": 0.1})


def test_probability_is_the_logistic_function_of_the_weighted_sum() -> None:
    """By hand: -1 + 0.5 * 2 + 0.1 * 3 is 0.3."""
    assert FITTED.probability(EVIDENCE) == pytest.approx(1 / (1 + math.exp(-0.3)))


def test_strength_is_the_weighted_sum_of_the_ranking() -> None:
    """By hand: -2 + 0.25 * 2 + 0.5 * 7 is 2."""
    assert FITTED.strength(EVIDENCE) == 2.0


def test_the_usual_strength_is_the_margin_less_what_is_lacking() -> None:
    """6 for the relevance that a passage lacks, 24 for the headings that a cell lacks."""
    calibration = Calibration(0.0, {})
    assert calibration.strength(replace(EVIDENCE, relevance=1.0, headings=1.0)) == 2.0
    assert calibration.strength(EVIDENCE) == 2.0 - 6 * 0.5 - 24 * 0.25
    assert UNCALIBRATED.strength(EVIDENCE) == calibration.strength(EVIDENCE)


@given(st.floats(-60, 60), st.floats(0, 60))
def test_more_margin_never_lowers_the_score(margin: float, more: float) -> None:
    """With a weight that is not negative the score rises with the margin."""
    low, high = (replace(EVIDENCE, margin=each) for each in (margin, margin + more))
    assert FITTED.probability(low) <= FITTED.probability(high) + 1e-12  # but for rounding


def test_a_calibration_comes_back_from_its_file(tmp_path: Path) -> None:
    """What is written is read, to the last digit."""
    FITTED.write(tmp_path / "calibration.json")
    assert Calibration.read(tmp_path / "calibration.json") == FITTED


def test_a_file_without_a_ranking_has_the_usual_one(tmp_path: Path) -> None:
    """Files of format 1 are read, and order answers as they did."""
    path = tmp_path / "calibration.json"
    path.write_text('{"format": 1, "bias": -1, "weights": {"odds": 0.5}, "revision": "r"}')
    assert Calibration.read(path) == Calibration(-1.0, {"odds": 0.5}, "r")


RANKED = '{{"format": 2, "bias": 0, "weights": {{}}, "ranking": {}, "ranking_bias": {}}}'


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        "{}",
        '{"format": 3, "bias": 0, "weights": {}}',
        '{"format": 2, "bias": 0, "weights": {}}',
        RANKED.format('{"margin": 1}', "null"),
        RANKED.format('{"margin": "1"}', "0"),
        RANKED.format('{"margin": 1}', "Infinity"),
        RANKED.format('{"colour": 1}', "0"),
        RANKED.format('{"odds": 1}', "0"),
        RANKED.format('["margin"]', "0"),
        '{"format": 1, "bias": "0", "weights": {}}',
        '{"format": 1, "bias": 0, "weights": {"margin": true}}',
        '{"format": 1, "bias": 0, "weights": {"colour": 1}}',
        '{"format": 1, "bias": NaN, "weights": {"margin": 1}}',
        '{"format": 1, "bias": 0, "weights": {}, "revision": 1}',
        "[" * 100_000,
        b"\xff",
    ],
)
def test_a_damaged_file_is_an_error_that_names_it(tmp_path: Path, content: str | bytes) -> None:
    """Whatever is wrong with the file, the message says which file."""
    path = tmp_path / "calibration.json"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(ModelError, match=r"calibration\.json"):
        Calibration.read(path)


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    """A file that was named and is not there is said so."""
    with pytest.raises(ModelNotFoundError, match="there is no calibration"):
        Calibration.read(tmp_path / "none.json")


def span(margin: float) -> AnswerSpan:
    passage = Passage("d", 3, Span(0, 24), "The firm pays Ada Quill.")
    return AnswerSpan(passage, Span(14, 23), margin, margin + 1.0, 1.0)


def odds_of(strengths: list[float]) -> list[float]:
    """Return the odds of wordings with these strengths."""
    rivals = Rivals(strengths)
    return [rivals.odds(each, of_wording=each) for each in strengths]


def test_odds_are_those_of_a_softmax_over_all_wordings() -> None:
    """The logistic function of the odds is the share of the sum of exponentials, by hand."""
    strengths = [1.0, 0.5, -2.0]
    total = 1.0 + sum(map(math.exp, strengths))
    assert [1 / (1 + math.exp(-each)) for each in odds_of(strengths)] == pytest.approx(
        [math.exp(strength) / total for strength in strengths]
    )


def test_a_further_place_is_no_rival_of_its_own_wording() -> None:
    """Its odds are against the other wordings and "not here" alone."""
    odds = Rivals([1.0, 0.5]).odds(0.25, of_wording=1.0)
    assert odds == pytest.approx(0.25 - math.log(1 + math.exp(0.5)))


@pytest.mark.parametrize("strengths", [[900.0], [900.0, -900.0]])
def test_odds_have_bounds(strengths: list[float]) -> None:
    """Strengths far beyond what an exponential holds are no trouble."""
    assert odds_of(strengths) == [12.0, -12.0][: len(strengths)]


def test_evidence_tells_of_reader_passage_headings_and_words_around() -> None:
    """Each feature has the value of its source."""
    proposal = span(5.0)
    features = AnswerFeatures("What does the firm cost?", {proposal.passage.place: 0.5})
    made = features.evidence(HeadedSpan(proposal, 0.25), 1.5)
    assert made == Evidence(
        margin=5.0, odds=1.5, relevance=0.5, coverage=0.5, span_logit=6.0, headings=0.25
    )


def test_answers_of_a_calibrated_reader_have_its_probabilities() -> None:
    """The score is what the calibration makes of the evidence, and the answer says so."""
    pipeline = docqa.Pipeline(reader=CalibratedReader(), min_score=0.0)
    (answer,) = pipeline.ask(TEXT.encode(), "Who audits the firm?")
    assert answer.reader is not None
    assert answer.reader.calibrated
    assert answer.evidence is not None
    assert answer.score == CalibratedReader.calibration.probability(answer.evidence)


def test_without_calibration_the_score_is_of_the_strength_alone() -> None:
    """A reader without one keeps the logistic function of the strength, and the answer says so."""
    pipeline = docqa.Pipeline(reader=FakeReader(), min_score=0.0)
    (answer,) = pipeline.ask(TEXT.encode(), "Who audits the firm?")
    assert answer.reader is not None
    assert not answer.reader.calibrated
    assert answer.evidence is not None
    assert answer.score == pytest.approx(
        1 / (1 + math.exp(-UNCALIBRATED.strength(answer.evidence)))
    )


def test_min_score_is_on_the_calibrated_scale() -> None:
    """What a calibration takes below the threshold is left out."""
    sure = docqa.Pipeline(reader=FakeReader(), min_score=0.5)
    doubtful = FakeReader()
    doubtful.calibration = Calibration(-9.0, {"margin": 0.1})  # type: ignore[attr-defined]
    unsure = docqa.Pipeline(reader=doubtful, min_score=0.5)
    question = "Who audits the firm?"
    assert len(sure.ask(TEXT.encode(), question)) == 1
    assert unsure.ask(TEXT.encode(), question) == []


def test_json_holds_the_evidence() -> None:
    """Every feature stands in the record, so that a score can be worked out again."""
    pipeline = docqa.Pipeline(reader=CalibratedReader(), min_score=0.0)
    (answer,) = pipeline.ask(TEXT.encode(), "Who audits the firm?")
    record = json.loads(json.dumps(answer.to_dict()))
    assert set(record["evidence"]) == set(FEATURES)
    assert CalibratedReader.calibration.probability(Evidence(**record["evidence"])) == answer.score
