"""The reader alone: every question asked of its own paragraph."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from docqa.asking.cells import Cell, batches, question_error, read_cells
from docqa.datamodel import AnswerSpans, Passage, RankedPassage, Span
from docqa.evaluation.predictions import Prediction
from docqa.protocols import Reader
from docqa.question_sets import Paragraph, Question, QuestionSet

__all__ = ["Progress", "gold_passage", "read_gold_paragraphs"]

Progress = Callable[[int, int], None]
"""Called with (questions done, questions in all)."""


def read_gold_paragraphs(
    reader: Reader, question_set: QuestionSet, *, progress: Progress | None = None
) -> list[Prediction]:
    """Return the reader's best span for each question, read in its own paragraph.

    A paragraph is one passage, whatever its length; the reader cuts it into windows. A question
    that the reader cannot read has a prediction without words, with the reason.

    Args:
        reader: the one that is measured.
        question_set: gives the order of the predictions.
        progress: called with (questions done, questions in all).

    Raises:
        ModelError: the reader fails.
    """
    rows = list(question_set.rows())
    cells = (_cell(reader, *row, number) for number, row in enumerate(rows))
    made: list[Prediction] = []
    for batch in batches(cells):
        questions = (question for _, question in rows[len(made) :])
        made += _predictions(reader, batch, questions)
        if progress is not None:
            progress(len(made), len(rows))
    return made


def gold_passage(paragraph: Paragraph, number: int = 0) -> Passage:
    """Return a whole paragraph as one passage."""
    return Passage("", number, Span(0, len(paragraph.context)), paragraph.context)


def _cell(reader: Reader, paragraph: Paragraph, question: Question, number: int) -> Cell:
    error = question_error(reader, question.text)
    ranked = (RankedPassage(gold_passage(paragraph, number), 1, 0.0),)
    return Cell(question.text, "", ranked if error is None else (), error=error)


def _predictions(
    reader: Reader, cells: Sequence[Cell], questions: Iterable[Question]
) -> Iterator[Prediction]:
    """Yield the prediction of each cell; `questions` are theirs, and perhaps more."""
    found = iter(read_cells([cell for cell in cells if cell.error is None], reader, top_k=1))
    for cell, question in zip(cells, questions, strict=False):
        if cell.error is not None:
            yield Prediction(question.id, error=str(cell.error))
        else:
            yield _best(question, next(found))


def _best(question: Question, found: AnswerSpans) -> Prediction:
    if not found.spans:
        return Prediction(question.id)
    best = found.spans[0]
    words = best.span.of(best.passage.text)
    return Prediction(question.id, words, best.span.start, best.score)
