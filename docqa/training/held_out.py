"""How good the reader is in the course of a run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from docqa.errors import QuestionSetError
from docqa.evaluation.reading import read_gold_paragraphs
from docqa.evaluation.summary import summarize
from docqa.reader.span_reader import SpanReader

if TYPE_CHECKING:
    from docqa.protocols import SpanModel
    from docqa.question_sets import Article, QuestionSet
    from docqa.reader.tokenizer import FastTokenizer
    from docqa.training.settings import TrainSettings

__all__ = ["evaluation"]


def evaluation(
    tokenizer: FastTokenizer, asked: QuestionSet, settings: TrainSettings
) -> Callable[[SpanModel], dict[str, float]]:
    """Return a function that measures a model on the answerable questions of a set.

    Each is asked of its own paragraph and gets the best span, whatever its score; a question too
    long to be read counts as wrong. The function returns ``exact_match`` and ``f1``, 0 to 100, by
    the official rules.

    Raises:
        QuestionSetError: no question of the set has an answer.
    """
    answerable = replace(asked, articles=tuple(map(_answerable, asked.articles)))
    if not len(answerable):
        raise QuestionSetError(
            f"{asked.name}: no question has an answer, so it cannot choose the best version; give "
            "questions with answers"
        )
    room = settings.window_tokens - tokenizer.template.n_special

    def evaluate(model: SpanModel) -> dict[str, float]:
        reader = SpanReader(
            model,
            tokenizer,
            name="training",
            no_answer=True,
            window_tokens=settings.window_tokens,
            window_overlap=settings.overlap(room - settings.max_question_tokens),
            max_question_tokens=settings.max_question_tokens,
        )
        summary = summarize(answerable, read_gold_paragraphs(reader, answerable))
        return {"exact_match": 100 * summary.exact_match, "f1": 100 * summary.f1}

    return evaluate


def _answerable(article: Article) -> Article:
    """Return an article with those of its questions that have an answer."""
    paragraphs = (
        replace(each, questions=tuple(one for one in each.questions if one.answerable))
        for each in article.paragraphs
    )
    return replace(article, paragraphs=tuple(paragraphs))
