"""The reader alone: every question asked of its own paragraph."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from docqa.asking.grid import question_error
from docqa.datamodel import AnswerSpans, Passage, Span
from docqa.evaluation.predictions import Prediction
from docqa.protocols import Reader
from docqa.question_sets import Paragraph, Question, QuestionSet

__all__ = ["Progress", "gold_passage", "read_gold_paragraphs"]

Progress = Callable[[int, int], None]
"""Called with (questions done, questions in all)."""

_QUESTIONS_PER_CALL = 256  # enough to batch windows by length; progress still shows


def read_gold_paragraphs(
    reader: Reader, question_set: QuestionSet, *, progress: Progress | None = None
) -> list[Prediction]:
    """Return the reader's best span for each question, read in its own paragraph.

    A paragraph is one passage, whatever its length; the reader cuts it into windows. A question
    that the reader cannot read has a prediction without words that says why.

    Args:
        reader: what is measured.
        question_set: in whose order the predictions come.
        progress: told how many questions are done.

    Raises:
        ModelError: the reader fails.
    """
    rows = list(question_set.rows())
    made: list[Prediction] = []
    for first in range(0, len(rows), _QUESTIONS_PER_CALL):
        made += _read(reader, rows[first : first + _QUESTIONS_PER_CALL], first)
        if progress is not None:
            progress(len(made), len(rows))
    return made


def gold_passage(paragraph: Paragraph, number: int = 0) -> Passage:
    """Return a whole paragraph as one passage."""
    return Passage("", number, Span(0, len(paragraph.context)), paragraph.context)


def _read(
    reader: Reader, rows: Sequence[tuple[Paragraph, Question]], first: int
) -> list[Prediction]:
    errors = [question_error(reader, question.text) for _, question in rows]
    requests = [
        (question.text, [gold_passage(paragraph, number)])
        for number, ((paragraph, question), error) in enumerate(
            zip(rows, errors, strict=True), start=first
        )
        if error is None
    ]
    found = iter(reader.read_all(requests, top_k=1) if requests else ())
    return [
        _best(question, next(found)) if error is None else Prediction(question.id, error=str(error))
        for (_, question), error in zip(rows, errors, strict=True)
    ]


def _best(question: Question, found: AnswerSpans) -> Prediction:
    if not found.spans:
        return Prediction(question.id)
    best = found.spans[0]
    words = best.span.of(best.passage.text)
    return Prediction(question.id, words, best.span.start, best.score)
