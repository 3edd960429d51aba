"""Fit a calibration to observations, and judge it on documents that it has not seen.

An answer is right when it matches a gold answer exactly, by the SQuAD rules; the page on scores in
the documentation says why. A calibration must be fitted on questions that the reader was not
trained on: on its training questions a reader is right, and sure of it, more often than on any
others.

This module imports numpy: import it when it is first used.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from docqa.calibration import Calibration
from docqa.datamodel import logistic
from docqa.errors import CalibrationError
from docqa.evaluation.logistic_fit import fit_logistic
from docqa.evaluation.observations import Observation
from docqa.evaluation.reliability import brier, expected_calibration_error, risk_at

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "USUAL_FEATURES",
    "CalibrationReport",
    "Trust",
    "calibrate",
    "cross_validated",
    "fit",
    "trust",
]

# The odds hold the margin, the best no-answer evidence and every rival. What else was tried
# promises too much on papers and PDFs, where many places compete
# (docs/measurements/calibration.md).
USUAL_FEATURES = ("odds",)

_OVERLAP = 0.5  # of an answer's F1 with a gold one
_OUTCOMES_PER_WEIGHT = 10  # of the rarer kind (Peduzzi et al. 1996, J. Clin. Epidemiol. 49)
_FOLDS = 5


@dataclass(frozen=True, slots=True)
class Trust:
    """The trust that scores deserve; shares in 0 to 1.

    Attributes:
        mean_score: of all answers.
        ece: expected calibration error in 15 bins; an exact match with a gold answer is right.
        ece_overlap: the same; an F1 of at least 0.5 is right.
        brier: mean squared distance between score and outcome.
        risk_at_half: the share of wrong answers in the half with the highest scores.
    """

    mean_score: float
    ece: float
    ece_overlap: float
    brier: float
    risk_at_half: float


@dataclass(frozen=True, slots=True)
class CalibrationReport:
    """A calibration, with the trust that scores deserve without and with it.

    Attributes:
        calibration: fitted to all observations.
        n_questions, n_documents: how many there were.
        share_right, share_overlap: of the best answers, by exact match and by F1 of at least 0.5.
        before: of the reader's own scores, the logistic function of the margin.
        after: of scores by calibrations that saw nothing of the document.
    """

    calibration: Calibration
    n_questions: int
    n_documents: int
    share_right: float
    share_overlap: float
    before: Trust
    after: Trust

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {**asdict(self), "calibration": self.calibration.to_dict()}


def calibrate(
    observations: Sequence[Observation],
    *,
    features: Sequence[str] = USUAL_FEATURES,
    revision: str = "",
) -> CalibrationReport:
    """Fit a calibration and say how far scores can be trusted without and with it.

    Args:
        observations: of questions that the reader was not trained on.
        features: those to weigh; ``("margin",)`` alone is a temperature and a bias.
        revision: of the reader's weights.

    Raises:
        CalibrationError: there are too few documents, or too few right or wrong answers.
    """
    made = fit(observations, features=features, revision=revision)
    after = trust(observations, cross_validated(observations, features=features))
    before = trust(observations)
    n_questions = len(observations)
    n_documents = len({each.document for each in observations})
    fitted = {
        "questions": n_questions,
        "documents": n_documents,
        "ece_before": round(before.ece, 4),
        "ece_after": round(after.ece, 4),
    }
    return CalibrationReport(
        replace(made, fitted=fitted),
        n_questions=n_questions,
        n_documents=n_documents,
        share_right=sum(each.exact_match for each in observations) / n_questions,
        share_overlap=sum(map(_overlaps, observations)) / n_questions,
        before=before,
        after=after,
    )


def fit(
    observations: Sequence[Observation],
    *,
    features: Sequence[str] = USUAL_FEATURES,
    revision: str = "",
) -> Calibration:
    """Return the calibration under which the outcomes are likeliest.

    No weight is below 0: a score never falls when the evidence gets better.

    Args:
        observations: of questions that the reader was not trained on.
        features: those to weigh.
        revision: of the reader's weights.

    Raises:
        CalibrationError: there are too few right or too few wrong answers.
    """
    _require_enough(observations, features)
    return _fitted(observations, features, revision)


def _fitted(
    observations: Sequence[Observation], features: Sequence[str], revision: str = ""
) -> Calibration:
    bias, weights = fit_logistic(
        _rows(observations, features),
        np.array([each.exact_match for each in observations]),
        rising=[True] * len(features),
    )
    return Calibration(bias, dict(zip(features, map(float, weights), strict=True)), revision)


def _rows(observations: Sequence[Observation], features: Sequence[str]) -> NDArray[np.float64]:
    rows = [[getattr(each.evidence, name) for name in features] for each in observations]
    return np.array(rows, dtype=np.float64)


def _require_enough(observations: Sequence[Observation], features: Sequence[str]) -> None:
    n_right = sum(each.exact_match for each in observations)
    n_wrong = len(observations) - n_right
    needed = _OUTCOMES_PER_WEIGHT * len(features)
    if min(n_right, n_wrong) < needed:
        weights = "1 weight" if len(features) == 1 else f"{len(features)} weights"
        raise CalibrationError(
            f"{len(observations):,} questions gave {n_right:.0f} right and {n_wrong:.0f} wrong "
            f"answers; a calibration with {weights} needs at least {needed} of each. Give more "
            "questions, and some that their document does not answer"
        )


def cross_validated(
    observations: Sequence[Observation], *, features: Sequence[str] = USUAL_FEATURES
) -> list[float]:
    """Return a score for each observation, by a calibration that saw nothing of its document.

    Documents are dealt to five parts, the largest first, each to the part that is smallest so far.
    Each part is scored by a calibration of the other four. All documents together must give enough
    outcomes for a fit; four parts need one of each kind.

    Raises:
        CalibrationError: there are fewer than two documents, or too few outcomes; or all right
            answers, or all wrong ones, are in one part.
    """
    _require_enough(observations, features)
    parts = _parts([each.document for each in observations])
    fitted = {part: _fitted(_without(part, observations, parts), features) for part in set(parts)}
    return [
        fitted[part].probability(each.evidence)
        for each, part in zip(observations, parts, strict=True)
    ]


def _without(
    part: int, observations: Sequence[Observation], parts: Sequence[int]
) -> list[Observation]:
    """Return the observations of all other parts.

    Raises:
        CalibrationError: their outcomes are all of one kind.
    """
    others = [each for each, own in zip(observations, parts, strict=True) if own != part]
    n_right = sum(each.exact_match for each in others)
    if not 0 < n_right < len(others):
        kind = "right" if not n_right else "wrong"
        raise CalibrationError(
            f"all {kind} answers are of too few documents to leave some of these out, so nothing "
            "can show how the calibration does on others; give questions over more documents"
        )
    return others


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


def trust(observations: Sequence[Observation], scores: Sequence[float] | None = None) -> Trust:
    """Return how far scores can be trusted.

    Args:
        observations: at least one.
        scores: one for each; None for the reader's own, the logistic function of the margin.
    """
    if scores is None:
        scores = [logistic(each.evidence.margin) for each in observations]
    right = [each.exact_match for each in observations]
    return Trust(
        mean_score=sum(scores) / len(scores),
        ece=expected_calibration_error(scores, right),
        ece_overlap=expected_calibration_error(scores, list(map(_overlaps, observations))),
        brier=brier(scores, right),
        risk_at_half=risk_at(scores, right, 0.5),
    )


def _overlaps(observation: Observation) -> bool:
    return observation.f1 >= _OVERLAP
