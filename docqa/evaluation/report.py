"""The records of an evaluation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

from docqa.datamodel import ReaderInfo
from docqa.evaluation.bootstrap import Estimate
from docqa.evaluation.groups import Group
from docqa.evaluation.places import Places
from docqa.evaluation.predictions import Prediction
from docqa.evaluation.reliability import (
    ReliabilityBin,
    RiskPoint,
    area_under_risk_coverage,
    brier,
    expected_calibration_error,
    reliability_table,
    risk_at,
    risk_coverage,
)
from docqa.evaluation.speed import Speed
from docqa.evaluation.summary import Scores, Summary
from docqa.question_sets import BadRow

__all__ = [
    "CalibrationMeasure",
    "EvaluationReport",
    "Mode",
    "Retrieval",
]

Mode = Literal["paragraphs", "documents", "pages"]

_CURVE_POINTS = 100


@dataclass(frozen=True, slots=True)
class CalibrationMeasure:
    """A measure of how well the scores of the best answers predict that these are right.

    An answer is right when it matches a gold answer exactly (EM); one to a question without an
    answer is wrong. A question without any span counts as an answer of score 0; one that could not
    be asked does not count, since nothing was promised.

    Attributes:
        right: the share of best answers that are right.
        mean_score: their mean score.
        ece, ece_equal_mass: expected calibration error, over 15 bins of equal width and over 15 of
            equally many questions.
        ece_overlap: over 15 bins of equal width, where an F1 of at least 0.5 is right.
        brier: the Brier score.
        aurc: area under the risk-coverage curve.
        risk_at_50, risk_at_80, risk_at_100: the share of wrong answers among the surest half of the
            questions, the surest 80% and all.
        table: the bins of equal width.
        curve: risk at thresholds, thinned to about a hundred coverages.
    """

    right: float
    mean_score: float
    ece: float
    ece_equal_mass: float
    ece_overlap: float
    brier: float
    aurc: float
    risk_at_50: float
    risk_at_80: float
    risk_at_100: float
    table: tuple[ReliabilityBin, ...]
    curve: tuple[RiskPoint, ...]

    @classmethod
    def of(
        cls, scores: Sequence[float], right: Sequence[float], overlaps: Sequence[bool]
    ) -> CalibrationMeasure:
        """Return the figures of scores and outcomes, one of each for a question.

        Raises:
            ValueError: there is none.
        """
        return cls(
            right=sum(right) / len(right),
            mean_score=sum(scores) / len(scores),
            ece=expected_calibration_error(scores, right),
            ece_equal_mass=expected_calibration_error(scores, right, equal_mass=True),
            ece_overlap=expected_calibration_error(scores, overlaps),
            brier=brier(scores, right),
            aurc=area_under_risk_coverage(scores, right),
            risk_at_50=risk_at(scores, right, 0.5),
            risk_at_80=risk_at(scores, right, 0.8),
            risk_at_100=risk_at(scores, right, 1.0),
            table=tuple(reliability_table(scores, right)),
            curve=_thinned(risk_coverage(scores, right)),
        )


@dataclass(frozen=True, slots=True)
class Retrieval:
    """The reach of the stages around the reader; shares in 0 to 1.

    Attributes:
        passages_read: the mean number for a question.
        gold_read: the share of answerable questions for which a passage was read that holds the
            gold answer (for PDFs: that touches the gold page).
        proposed: the share for which the reader proposed the right words somewhere.
        page_at_1, page_at_5: the share for which the first answer, or one of the first five, starts
            on the gold page; None where no pages are known.
    """

    passages_read: float
    gold_read: float | None
    proposed: float | None
    page_at_1: float | None
    page_at_5: float | None


@dataclass(frozen=True, slots=True)
class EvaluationReport:
    """The figures of one reader on one set of questions; all shares are in 0 to 1.

    Attributes:
        data: the name of the set.
        mode: ``"paragraphs"``: the reader alone, each question asked of its own paragraph;
            ``"documents"``: end to end, each article one document; ``"pages"``: end to end, files
            with pages.
        reader: its name and its weights.
        min_score: the threshold for "no answer".
        questions, documents: how many were asked; documents is None for paragraphs.
        summary: EM and F1 by the official rules.
        exact_match, f1: the same totals with 95% intervals.
        resampled: the unit drawn for these: articles, paragraphs, files or questions.
        answered: the share of questions whose answer passes the threshold.
        at_threshold: EM and F1 where an answer below the threshold counts as none, which lowers
            them for questions with an answer; the same as the totals where the set has unanswerable
            questions.
        by_type, by_length, by_form: parts of the questions; `by_form` is empty unless the set
            names forms of answers.
        places: offsets and rectangles of the best answers.
        calibration: whether the scores can be trusted.
        retrieval: the reach of the stages around the reader; None for paragraphs.
        speed: times on this machine.
        unread: reasons why questions could not be asked, with the number of questions.
        left_out: how many questions of the set were left out, since their answer is not on its page
            word for word.
        bad_rows: rows of the set that are broken.
        predictions: the best answer to each question, in order; not in `to_dict`.
    """

    data: str
    mode: Mode
    reader: ReaderInfo
    min_score: float
    questions: int
    documents: int | None
    summary: Summary
    exact_match: Estimate
    f1: Estimate
    resampled: str
    answered: float
    at_threshold: Scores | None
    by_type: tuple[Group, ...]
    by_length: tuple[Group, ...]
    by_form: tuple[Group, ...]
    places: Places
    calibration: CalibrationMeasure
    retrieval: Retrieval | None
    speed: Speed
    unread: dict[str, int]
    left_out: int
    bad_rows: tuple[BadRow, ...]
    predictions: tuple[Prediction, ...] = field(repr=False)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        speed = {
            "passages_per_second": self.speed.passages_per_second,
            "tokens_per_second": self.speed.tokens_per_second,
        }
        record = asdict(replace(self, predictions=()))
        del record["predictions"]
        record["speed"] |= speed
        return record


def _thinned(curve: Sequence[RiskPoint]) -> tuple[RiskPoint, ...]:
    """Return the last point at or below each hundredth of coverage, and the last of all."""
    kept: dict[int, RiskPoint] = {}
    for point in curve:
        kept[int(point.coverage * _CURVE_POINTS)] = point
    return tuple(kept.values())
