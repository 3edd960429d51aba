"""Evaluation: the quality of a reader, alone and end to end, and the trust in its scores."""

from __future__ import annotations

from typing import TYPE_CHECKING

from docqa._lazy_exports import lazily

if TYPE_CHECKING:
    from docqa.evaluation.evaluate import evaluate_documents, evaluate_pages, evaluate_reader
    from docqa.evaluation.page_questions import read_page_questions
    from docqa.evaluation.plot import plot_calibration
    from docqa.evaluation.predictions import Prediction, write_predictions
    from docqa.evaluation.reading import read_gold_paragraphs
    from docqa.evaluation.report import EvaluationReport
    from docqa.evaluation.sampling import draw, draw_page_questions
    from docqa.evaluation.summary import Summary, summarize
    from docqa.question_sets import QuestionSet, read_question_set

_LAZY = {
    "EvaluationReport": "docqa.evaluation.report",
    "Prediction": "docqa.evaluation.predictions",
    "QuestionSet": "docqa.question_sets",
    "Summary": "docqa.evaluation.summary",
    "draw": "docqa.evaluation.sampling",
    "draw_page_questions": "docqa.evaluation.sampling",
    "evaluate_documents": "docqa.evaluation.evaluate",
    "evaluate_pages": "docqa.evaluation.evaluate",
    "evaluate_reader": "docqa.evaluation.evaluate",
    "plot_calibration": "docqa.evaluation.plot",
    "read_gold_paragraphs": "docqa.evaluation.reading",
    "read_page_questions": "docqa.evaluation.page_questions",
    "read_question_set": "docqa.question_sets",
    "summarize": "docqa.evaluation.summary",
    "write_predictions": "docqa.evaluation.predictions",
}

__all__ = [
    "EvaluationReport",
    "Prediction",
    "QuestionSet",
    "Summary",
    "draw",
    "draw_page_questions",
    "evaluate_documents",
    "evaluate_pages",
    "evaluate_reader",
    "plot_calibration",
    "read_gold_paragraphs",
    "read_page_questions",
    "read_question_set",
    "summarize",
    "write_predictions",
]


# A name is imported when it is first used: some modules need numpy.
__getattr__ = lazily(__name__, _LAZY)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
