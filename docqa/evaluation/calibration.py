"""Fit a calibration to observations, and judge it on documents that it has not seen.

Two fits, one after the other. The ranking is fitted to the choice among all candidates of a
question and "not here"; the probability to the odds that the ranking gives its first answers. An
answer is right when it matches a gold answer exactly, by the SQuAD rules; the page on scores in the
documentation says why. A calibration must be fitted on questions that the reader was not trained
on: on its training questions a reader is right, and sure of it, more often than on any others.

This module imports numpy: import it when it is first used.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from docqa.asking.evidence import Rivals
from docqa.calibration import UNCALIBRATED, USUAL_RANKING, Calibration
from docqa.errors import CalibrationError
from docqa.evaluation.logistic_fit import fit_logistic, fit_ranking
from docqa.evaluation.observations import Observation, ObservedAnswer
from docqa.evaluation.reliability import auc, brier, expected_calibration_error, risk_at
from docqa.evaluation.thresholds import share_stopped

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = [
    "RANKING_FEATURES",
    "CalibrationReport",
    "Trust",
    "calibrate",
    "cross_validated",
    "first_answer",
    "fit",
    "trust",
]

RANKING_FEATURES = ("margin", "span_logit", "relevance", "headings")
"""The features that a fitted ranking weighs (docs/measurements/calibration.md)."""

_OVERLAP = 0.5  # of an answer's F1 with a gold one
_NEEDED = 10  # outcomes of the rarer kind (Peduzzi et al. 1996, J. Clin. Epidemiol. 49)
_FOLDS = 5
_LOST = 0.15  # of the answerable questions, where a threshold is judged by what it stops


@dataclass(frozen=True, slots=True)
class Trust:
    """The trust that scores deserve; shares in 0 to 1.

    Attributes:
        share_right, share_overlap: of the first answers, by exact match and by F1 of at least 0.5.
        mean_score: of the first answers.
        ece: expected calibration error in 15 bins; an exact match with a gold answer is right.
        ece_overlap: the same; an F1 of at least 0.5 is right.
        brier: mean squared distance between score and outcome.
        risk_at_half: the share of wrong answers in the half with the highest scores.
        auc: the chance that a right answer has a higher score than a wrong one, by exact match.
        auc_overlap: the same; an F1 of at least 0.5 is right.
        stopped: the share of unanswerable questions under the highest threshold that loses at
            most 15% of the answerable ones; None without questions of both kinds.
    """

    share_right: float
    share_overlap: float
    mean_score: float
    ece: float
    ece_overlap: float
    brier: float
    risk_at_half: float
    auc: float
    auc_overlap: float
    stopped: float | None


@dataclass(frozen=True, slots=True)
class CalibrationReport:
    """A calibration, with the trust that scores deserve without and with it.

    Attributes:
        calibration: fitted to all observations.
        n_questions, n_documents: how many there were.
        before: of answers and scores without a calibration.
        after: of answers and scores by calibrations that saw nothing of the document.
    """

    calibration: Calibration
    n_questions: int
    n_documents: int
    before: Trust
    after: Trust

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {**asdict(self), "calibration": self.calibration.to_dict()}


def calibrate(
    observations: Sequence[Observation], *, margin_only: bool = False, revision: str = ""
) -> CalibrationReport:
    """Fit a calibration and say how far scores can be trusted without and with it.

    Args:
        observations: of questions that the reader was not trained on.
        margin_only: see `fit`.
        revision: of the reader's weights.

    Raises:
        CalibrationError: there are too few documents, or too few right or wrong answers.
    """
    made = fit(observations, margin_only=margin_only, revision=revision)
    after = trust(observations, cross_validated(observations, margin_only=margin_only))
    before = trust(observations, [UNCALIBRATED] * len(observations))
    n_questions = len(observations)
    n_documents = len({each.document for each in observations})
    fitted = {
        "questions": n_questions,
        "documents": n_documents,
        "ece_before": round(before.ece, 4),
        "ece_after": round(after.ece, 4),
        "auc_before": round(before.auc, 4),
        "auc_after": round(after.auc, 4),
    }
    return CalibrationReport(replace(made, fitted=fitted), n_questions, n_documents, before, after)


def fit(
    observations: Sequence[Observation], *, margin_only: bool = False, revision: str = ""
) -> Calibration:
    """Return the calibration under which the outcomes are likeliest.

    Within a document, scores never contradict the ranking: the weight of what they rest on is not
    below 0.

    Args:
        observations: of questions that the reader was not trained on.
        margin_only: keep the usual ranking, and weigh the strength of an answer, in units of the
            margin, without what else its document holds: a temperature and a bias.
        revision: of the reader's weights.

    Raises:
        CalibrationError: there are too few right or too few wrong answers.
    """
    _require_enough(observations)
    return replace(_fitted(observations, margin_only), revision=revision)


def _fitted(observations: Sequence[Observation], margin_only: bool) -> Calibration:
    """Return the calibration of the observations of all parts, or of all but one.

    Raises:
        CalibrationError: their first answers are all right, or all wrong.
    """
    usual = Calibration(0.0, {"odds": 1.0})
    ranked = usual if margin_only else replace(usual, **_ranking(observations))
    firsts = [first_answer(each, ranked) for each in observations]
    right = np.array([each.exact_match for each in firsts])
    if right.min() == right.max():
        kind = "wrong" if right.max() else "right"
        raise CalibrationError(
            f"all {kind} answers are of too few documents to leave some of these out, so nothing "
            "can show how the calibration does on others; give questions over more documents"
        )
    known = [
        ranked.strength(each.evidence) if margin_only else each.evidence.odds for each in firsts
    ]
    bias, (weight,) = fit_logistic(np.array(known)[:, None], right, rising=[True])
    if not margin_only:
        return replace(ranked, bias=bias, weights={"odds": float(weight)})
    weights = {name: float(weight) * each for name, each in ranked.ranking.items()}
    return replace(ranked, bias=bias + float(weight) * ranked.ranking_bias, weights=weights)


def _ranking(observations: Sequence[Observation]) -> dict[str, Any]:
    """Return the ranking, and its bias, under which the right choices are likeliest.

    A feature that never varies here, such as the headings without tables, keeps its usual weight
    beside that of a logit of the reader's.
    """
    candidates = [each for observation in observations for each in observation.candidates]
    rows = np.array(
        [[getattr(each.evidence, name) for name in RANKING_FEATURES] for each in candidates]
    )
    right = np.concatenate([_right_choice(each) for each in observations])
    sizes = [len(each.candidates) for each in observations]
    bias, fitted = fit_ranking(rows, right, np.repeat(np.arange(len(sizes)), sizes))
    weights = dict(zip(RANKING_FEATURES, map(float, fitted), strict=True))
    logit = max(0.0, weights["margin"] + weights["span_logit"])
    for name, column in zip(RANKING_FEATURES, rows.T, strict=True):
        if np.ptp(column) == 0.0:
            weights[name] = USUAL_RANKING.get(name, 0.0) * logit
            bias -= weights[name] * float(column[0])
    return {"ranking": weights, "ranking_bias": bias}


def _right_choice(observation: Observation) -> Floats:
    """Return the share in which each candidate is right, shape ``(n_candidates,)``.

    The best ones share their F1 where that is at least 0.5; the rest is for "not here".
    """
    overlaps = np.array([each.f1 for each in observation.candidates])
    best = overlaps.max()
    if best < _OVERLAP:
        return np.zeros(len(overlaps))
    shares: Floats = np.where(overlaps == best, best / np.sum(overlaps == best), 0.0)
    return shares


def first_answer(observation: Observation, calibration: Calibration) -> ObservedAnswer:
    """Return the candidate that comes first under a ranking, with its odds under it."""
    strengths = [calibration.strength(each.evidence) for each in observation.candidates]
    highest = max(strengths)
    best = observation.candidates[strengths.index(highest)]
    odds = Rivals(strengths).odds(highest, of_wording=highest)
    return replace(best, evidence=replace(best.evidence, odds=odds))


def _require_enough(observations: Sequence[Observation]) -> None:
    firsts = [first_answer(each, UNCALIBRATED) for each in observations]
    n_right = sum(each.exact_match for each in firsts)
    n_wrong = len(firsts) - n_right
    if min(n_right, n_wrong) < _NEEDED:
        raise CalibrationError(
            f"{len(firsts):,} questions gave {n_right:.0f} right and {n_wrong:.0f} wrong answers; "
            f"a calibration needs at least {_NEEDED} of each. Give more questions, and some that "
            "their document does not answer"
        )


def cross_validated(
    observations: Sequence[Observation], *, margin_only: bool = False
) -> list[Calibration]:
    """Return for each observation a calibration that saw nothing of its document.

    Documents are dealt to five parts, the largest first, each to the part that is smallest so far.
    The calibration of each part is fitted to the other four, ranking and probability. All documents
    together must give enough outcomes for a fit; four parts need one of each kind.

    Raises:
        CalibrationError: there are fewer than two documents, or too few outcomes; or all right
            answers, or all wrong ones, are in one part.
    """
    _require_enough(observations)
    parts = _parts([each.document for each in observations])
    fitted = {
        part: _fitted(
            [each for each, own in zip(observations, parts, strict=True) if own != part],
            margin_only,
        )
        for part in sorted(set(parts))
    }
    return [fitted[part] for part in parts]


def _parts(documents: Sequence[str]) -> list[int]:
    """Return the number of each row's part; rows of one document share theirs.

    >>> _parts(["a", "a", "b", "a", "c", "b"])
    [0, 0, 1, 0, 2, 1]
    """
    counts = Counter(documents)
    if len(counts) < 2:
        raise CalibrationError(
            "all questions are of one document, so nothing can show how the calibration does on "
            "another; give questions over at least two"
        )
    sizes = [0] * min(_FOLDS, len(counts))
    part_of: dict[str, int] = {}
    for name, count in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])):
        part_of[name] = sizes.index(min(sizes))
        sizes[part_of[name]] += count
    return [part_of[name] for name in documents]


def trust(observations: Sequence[Observation], calibrations: Sequence[Calibration]) -> Trust:
    """Return how far the scores of the first answers can be trusted.

    Args:
        observations: at least one.
        calibrations: one for each; `docqa.calibration.UNCALIBRATED` for a reader without one.
    """
    firsts = list(map(first_answer, observations, calibrations))
    scores = [
        calibration.probability(first.evidence)
        for first, calibration in zip(firsts, calibrations, strict=True)
    ]
    right = [each.exact_match for each in firsts]
    overlap = [float(each.f1 >= _OVERLAP) for each in firsts]
    return Trust(
        share_right=sum(right) / len(right),
        share_overlap=sum(overlap) / len(overlap),
        mean_score=sum(scores) / len(scores),
        ece=expected_calibration_error(scores, right),
        ece_overlap=expected_calibration_error(scores, overlap),
        brier=brier(scores, right),
        risk_at_half=risk_at(scores, right, 0.5),
        auc=auc(scores, right),
        auc_overlap=auc(scores, overlap),
        stopped=share_stopped(scores, [each.answerable for each in observations], lost=_LOST),
    )
