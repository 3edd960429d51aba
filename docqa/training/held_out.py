"""How good the reader is in the course of a run."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from docqa.datamodel import Passage, Span
from docqa.evaluation.squad import exact_match, f1
from docqa.reader.span_reader import SpanReader

if TYPE_CHECKING:
    from docqa.protocols import SpanModel
    from docqa.question_sets import QuestionSet
    from docqa.reader.tokenizer import FastTokenizer
    from docqa.training.settings import TrainSettings

__all__ = ["evaluation"]


def evaluation(
    tokenizer: FastTokenizer, asked: QuestionSet, settings: TrainSettings
) -> Callable[[SpanModel], dict[str, float]]:
    """Return a function that measures a model on the answerable questions of a set.

    Each is asked of its own paragraph and gets the best span, whatever its score. The function
    returns ``exact_match`` and ``f1``, 0 to 100, by the official rules.
    """
    room = settings.window_tokens - tokenizer.template.n_special
    rows = [(paragraph.context, question) for paragraph, question in asked.rows()]
    rows = [row for row in rows if row[1].answerable]
    requests = [
        (question.text, [Passage("held-out", 0, Span(0, len(context)), context)])
        for context, question in rows
    ]

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
        exact = overlap = 0.0
        for (context, question), found in zip(
            rows, reader.read_all(requests, top_k=1), strict=True
        ):
            text = found.spans[0].span.of(context) if found.spans else ""
            golds = [gold.text for gold in question.golds]
            exact += exact_match(text, golds)
            overlap += f1(text, golds)
        return {"exact_match": 100 * exact / len(rows), "f1": 100 * overlap / len(rows)}

    return evaluate
