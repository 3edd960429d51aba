"""Fit and judge a calibration: ask questions whose answers are known, and see what was right.

A calibration must be fitted on questions that the reader was not trained on: on its training data
a reader is right, and sure of it, more often than it will ever be again.

This module imports numpy: import it when it is first used.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from docqa.calibration import FEATURES, Calibration
from docqa.datamodel import Document, Evidence, logistic
from docqa.errors import CalibrationError
from docqa.evaluation.asked_documents import AskedDocument, AskedQuestion
from docqa.evaluation.logistic_fit import fit_logistic
from docqa.evaluation.reliability import brier, expected_calibration_error, risk_at
from docqa.evaluation.squad import exact_match, f1
from docqa.pipeline import Pipeline

__all__ = [
    "Observation",
    "Trust",
    "cross_validated",
    "fit",
    "observe",
    "trust",
]

RIGHT_FROM = 0.5  # docs/how-it-works/scores.md says why
_RISING = frozenset({"margin", "lead", "relevance", "coverage"})
_OUTCOMES_PER_WEIGHT = 10  # of the rarer kind (Peduzzi et al. 1996, J. Clin. Epidemiol. 49)
_FOLDS = 5
_QUESTIONS_PER_CALL = 16  # so that progress shows and little is kept


@dataclass(frozen=True, slots=True)
class Observation:
    """Hold what came of a question: what is known of the best answer, and how good it is.

    Attributes:
        document: a name; questions with the same one never stand on both sides of a test.
        evidence: of the best answer, whatever its score.
        exact_match, f1: by the SQuAD rules; 0 where the document has no answer.
    """

    document: str
    evidence: Evidence
    exact_match: float
    f1: float

    @property
    def right(self) -> bool:
        """Say whether the answer counts as right: its F1 is at least 0.5."""
        return self.f1 >= RIGHT_FROM


@dataclass(frozen=True, slots=True)
class Trust:
    """Say how far scores can be trusted.

    Attributes:
        n_questions: how many answers were judged.
        share_right, share_exact: how many of them are right, and how many match exactly.
        ece: expected calibration error in 15 bins, by what counts as right.
        ece_exact: the same where only an exact match counts.
        brier: mean squared distance between score and outcome.
        risk_at_half: the share of wrong answers in the half with the highest scores.
    """

    n_questions: int
    share_right: float
    share_exact: float
    ece: float
    ece_exact: float
    brier: float
    risk_at_half: float

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return asdict(self)


def observe(
    pipeline: Pipeline,
    documents: Iterable[AskedDocument],
    *,
    on_question: Callable[[], None] | None = None,
) -> Iterator[Observation]:
    """Ask every question of its document; yield what came of it.

    Questions to which not even a guess is proposed yield nothing.

    Args:
        pipeline: how questions are asked; its `min_score` does not count here.
        documents: with their questions.
        on_question: called after each question.

    Raises:
        LoadError: a document cannot be loaded.
        QuestionError: a question is too long for the reader.
        ModelError: the reader fails.
    """
    for asked in documents:
        with asked.open() as document:
            for first in range(0, len(asked.questions), _QUESTIONS_PER_CALL):
                questions = asked.questions[first : first + _QUESTIONS_PER_CALL]
                yield from _observed(pipeline, document, asked.name, questions)
                for _ in questions:
                    if on_question is not None:
                        on_question()


def _observed(
    pipeline: Pipeline, document: Document, name: str, questions: Sequence[AskedQuestion]
) -> Iterator[Observation]:
    texts = [asked.question.text for asked in questions]
    items = pipeline.ask_all([document], texts, min_score=0.0)
    for asked, item in zip(questions, items, strict=True):
        if item.error is not None:
            raise item.error
        for answer in item.answers:
            golds = [gold.text for gold in asked.question.golds]
            good = (exact_match(answer.text, golds), f1(answer.text, golds)) if golds else (0.0, 0.0)
            assert answer.evidence is not None
            yield Observation(name, answer.evidence, *good)


def fit(
    observations: Sequence[Observation],
    *,
    features: Sequence[str] = FEATURES,
    revision: str = "",
) -> Calibration:
    """Return the calibration under which the outcomes are likeliest.

    A weight that must not be negative, since the score would fall with better evidence, is held
    at 0 at least.

    Args:
        observations: of questions that the reader was not trained on.
        features: those to weigh; ``("margin",)`` alone is a temperature and a bias.
        revision: of the reader's weights.

    Raises:
        CalibrationError: there are too few right or too few wrong answers.
    """
    _require_enough(observations, features)
    bias, weights = fit_logistic(
        _rows(observations, features),
        np.array([each.right for each in observations], dtype=np.float64),
        rising=[name in _RISING for name in features],
    )
    by_name = dict(zip(features, map(float, weights), strict=True))
    return Calibration(bias, by_name, revision)


def _rows(observations: Sequence[Observation], features: Sequence[str]) -> Any:
    return np.array(
        [[getattr(each.evidence, name) for name in features] for each in observations],
        dtype=np.float64,
    )


def _require_enough(observations: Sequence[Observation], features: Sequence[str]) -> None:
    n_right = sum(each.right for each in observations)
    fewest = min(n_right, len(observations) - n_right)
    needed = _OUTCOMES_PER_WEIGHT * len(features)
    if fewest < needed:
        kind = "right" if n_right == fewest else "wrong"
        raise CalibrationError(
            f"{len(observations)} questions gave {fewest} {kind} answers; a calibration with "
            f"{len(features)} weights needs at least {needed} right and {needed} wrong ones. Give "
            "more questions, also some that their document does not answer, or weigh the margin "
            f"alone (--margin-only needs {_OUTCOMES_PER_WEIGHT} of each)"
        )


def cross_validated(
    observations: Sequence[Observation], *, features: Sequence[str] = FEATURES
) -> list[float]:
    """Return a score for each observation, by a calibration that saw nothing of its document.

    Documents are dealt to five parts, the largest first and each to the part that is smallest so
    far; each part is scored by a calibration of the others.

    Raises:
        CalibrationError: there are fewer than two documents, or too few outcomes.
    """
    parts = _parts([each.document for each in observations])
    scores = [0.0] * len(observations)
    for part in sorted(set(parts)):
        others = [each for each, own in zip(observations, parts, strict=True) if own != part]
        made = fit(others, features=features)
        for number, own in enumerate(parts):
            if own == part:
                scores[number] = made.probability(observations[number].evidence)
    return scores


def _parts(documents: Sequence[str]) -> list[int]:
    """Return the number of each row's part; rows of one document share theirs."""
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
    right = [float(each.right) for each in observations]
    exact = [each.exact_match for each in observations]
    return Trust(
        n_questions=len(observations),
        share_right=sum(right) / len(right),
        share_exact=sum(exact) / len(exact),
        ece=expected_calibration_error(scores, right),
        ece_exact=expected_calibration_error(scores, exact),
        brier=brier(scores, right),
        risk_at_half=risk_at(scores, right, 0.5),
    )
