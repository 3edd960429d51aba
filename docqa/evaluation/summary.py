"""EM and F1 over the questions of a set, by the rules that fit it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

from docqa.evaluation.predictions import Prediction
from docqa.evaluation.squad import exact_match, f1, gold_answers
from docqa.evaluation.thresholds import BestThreshold, best_threshold
from docqa.question_sets import Question, QuestionSet

__all__ = ["Judged", "Scores", "Summary", "Worth", "judge", "summarize", "summarize_judged"]


class Worth(NamedTuple):
    """The scores of an answer, each in 0 to 1."""

    exact_match: float
    f1: float


@dataclass(frozen=True, slots=True)
class Judged:
    """A question with its prediction and the scores of that.

    Attributes:
        question, prediction: of one id.
        official: by the rules of the set: of `best` where every question has an answer, else of
            `decided`.
        best: of the best answer whatever its score; 0 where the question has no answer.
        decided: of its outcome under the threshold, "no answer" being right where there is none.
        answered: whether the threshold lets an answer through.
    """

    question: Question
    prediction: Prediction
    official: Worth
    best: Worth
    decided: Worth
    answered: bool


@dataclass(frozen=True, slots=True)
class Scores:
    """Means over some questions, in 0 to 1."""

    questions: int
    exact_match: float
    f1: float

    @classmethod
    def of(cls, worths: Sequence[Worth]) -> Scores | None:
        """Return the means of some questions; None of none."""
        if not worths:
            return None
        exact, overlap = (sum(figure) / len(worths) for figure in zip(*worths, strict=True))
        return cls(len(worths), exact, overlap)


@dataclass(frozen=True, slots=True)
class Summary:
    """EM and F1 of a set, as the official evaluation gives them (there in percent).

    Attributes:
        total: over all questions.
        has_answer, no_answer: over those that have an answer, and those that have none; None where
            the set has no unanswerable questions, whose rules are those of v1.1 then.
        best_exact_match, best_f1: at the best threshold; None likewise. It is a threshold for the
            first answer; end to end, answers are not in the order of their scores.
    """

    total: Scores
    has_answer: Scores | None
    no_answer: Scores | None
    best_exact_match: BestThreshold | None
    best_f1: BestThreshold | None

    @property
    def exact_match(self) -> float:
        """Return the mean exact match over all questions, in 0 to 1."""
        return self.total.exact_match

    @property
    def f1(self) -> float:
        """Return the mean F1 over all questions, in 0 to 1."""
        return self.total.f1

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return asdict(self)


def judge(
    questions: Iterable[Question],
    predictions: Iterable[Prediction],
    *,
    min_score: float,
    decided: Iterable[Prediction] | None = None,
) -> list[Judged]:
    """Return each prediction with its scores, in the order of the questions.

    A question of a set with unanswerable ones follows the rules of v2.0: below the threshold the
    prediction is "no answer". In a set without, every question gets its best answer (v1.1).

    Args:
        questions: with their gold answers.
        predictions: the best answer to each, in any order.
        min_score: the threshold.
        decided: the outcomes under the threshold, where these are other answers than `predictions`
            without the low scores; empty words mean "no answer".

    Raises:
        ValueError: a question has no prediction.
    """
    asked = list(questions)
    said = {prediction.question_id: prediction for prediction in predictions}
    missing = [question.id for question in asked if question.id not in said]
    if missing:
        raise ValueError(f"{len(missing)} questions have no prediction, first {missing[0]!r}")
    kept = {name: prediction.decided(min_score) for name, prediction in said.items()}
    kept |= {prediction.question_id: prediction.text for prediction in decided or ()}
    v2 = not all(question.answerable for question in asked)
    return [_judged(question, said[question.id], kept[question.id], v2=v2) for question in asked]


def _judged(question: Question, prediction: Prediction, kept: str, *, v2: bool) -> Judged:
    golds: tuple[str, ...] = tuple(gold.text for gold in question.golds)
    if v2:
        golds = gold_answers(golds)
    best = Worth(exact_match(prediction.text, golds), f1(prediction.text, golds))
    decided = best
    if kept != prediction.text:
        decided = Worth(exact_match(kept, golds), f1(kept, golds))
    return Judged(
        question,
        prediction,
        official=decided if v2 else best,
        best=best if question.answerable else Worth(0.0, 0.0),
        decided=decided,
        answered=bool(kept),
    )


def summarize(
    question_set: QuestionSet, predictions: Iterable[Prediction], *, min_score: float = 0.5
) -> Summary:
    """Return EM and F1 of predictions for all questions of a set.

    Args:
        question_set: the questions.
        predictions: one for each question, in any order.
        min_score: answers below it count as "no answer", where the set has unanswerable questions.

    Raises:
        ValueError: a question has no prediction, or the set has no question.
    """
    questions = (question for _, question in question_set.rows())
    return summarize_judged(judge(questions, predictions, min_score=min_score))


def summarize_judged(rows: Sequence[Judged]) -> Summary:
    """Return EM and F1 of judged predictions.

    Raises:
        ValueError: there is none.
    """
    total = Scores.of([row.official for row in rows])
    if total is None:
        raise ValueError("there is no question to summarize")
    without = [row.official for row in rows if not row.question.answerable]
    if not without:
        return Summary(total, None, None, None, None)
    return Summary(
        total,
        Scores.of([row.official for row in rows if row.question.answerable]),
        Scores.of(without),
        _best(rows, [row.best.exact_match for row in rows]),
        _best(rows, [row.best.f1 for row in rows]),
    )


def _best(rows: Sequence[Judged], values: Sequence[float]) -> BestThreshold:
    answerable = [row.question.answerable for row in rows]
    at_stake = [
        value if row.question.answerable else float(bool(row.prediction.text))
        for row, value in zip(rows, values, strict=True)
    ]
    return best_threshold([row.prediction.score for row in rows], at_stake, answerable)
