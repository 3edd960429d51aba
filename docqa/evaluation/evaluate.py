"""The quality of a reader, alone and end to end.

This module imports numpy: import it when it is first used.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

from docqa.asking.cells import reader_info
from docqa.asking.own_reader import completed
from docqa.asking.pipeline import Pipeline
from docqa.asking.settings import DEFAULT_MIN_SCORE
from docqa.datamodel import Span
from docqa.errors import QuestionSetError
from docqa.evaluation.asked_documents import AskedDocument, articles_as_documents
from docqa.evaluation.document_outcomes import DocumentOutcome, ask_document
from docqa.evaluation.groups import groups, lengths, means, types
from docqa.evaluation.page_questions import PageQuestions
from docqa.evaluation.places import AnswerPlace, Places, place_of
from docqa.evaluation.predictions import Prediction
from docqa.evaluation.reading import Progress, gold_passage, read_gold_paragraphs
from docqa.evaluation.report import CalibrationMeasure, EvaluationReport, Mode, Retrieval
from docqa.evaluation.speed import chosen_to_time, measured_speed
from docqa.evaluation.summary import Judged, Scores, judge, summarize_judged
from docqa.evaluation.watched_reader import WatchedReader
from docqa.protocols import Reader
from docqa.question_sets import Paragraph, Question, QuestionSet

__all__ = ["evaluate_documents", "evaluate_pages", "evaluate_reader"]

_TIMED = 30  # questions asked once more, one at a time
_EVEN = 0.5  # the reader alone has its own scores: span and "not here" are even there
_Rows = Sequence[tuple[Paragraph, Question]]


def evaluate_reader(
    reader: Reader,
    question_set: QuestionSet,
    *,
    min_score: float = _EVEN,
    timed_questions: int = _TIMED,
    progress: Progress | None = None,
) -> EvaluationReport:
    """Measure a reader alone: each question is asked of its own paragraph.

    Scores are the reader's own, whether it is calibrated or not: a calibration is for
    answers from whole documents.

    Args:
        reader: the one that is measured.
        question_set: the questions.
        min_score: answers below it count as "no answer", where the set has unanswerable questions.
        timed_questions: how many questions to ask once more, alone, for the latency.
        progress: called with (questions done, questions in all).

    Raises:
        ModelError: the reader fails.
        QuestionSetError: not one question could be asked.
        ValueError: the set has no question.
    """
    reader = completed(reader)
    watched = WatchedReader(reader)
    predictions = read_gold_paragraphs(watched, question_set, progress=progress)
    rows = list(question_set.rows())
    judged = judge((question for _, question in rows), predictions, min_score=min_score)
    return _report(
        judged,
        data=question_set.name,
        mode="paragraphs",
        reader=reader,
        min_score=min_score,
        units={
            "articles": [
                str(number)
                for number, article in enumerate(question_set.articles)
                for paragraph in article.paragraphs
                for _ in paragraph.questions
            ],
            "paragraphs": [str(id(paragraph)) for paragraph, _ in rows],
            "questions": [question.id for _, question in rows],
        },
        places=[_paragraph_place(*row, said) for row, said in zip(rows, predictions, strict=True)],
        speed=measured_speed(watched, _latencies(reader, rows, predictions, timed_questions)),
        bad_rows=question_set.bad_rows,
    )


def evaluate_documents(
    reader: Reader,
    question_set: QuestionSet,
    *,
    timed_questions: int = _TIMED,
    progress: Progress | None = None,
    **settings: Any,
) -> EvaluationReport:
    """Measure everything from the text to the answer: each article is one document.

    Args:
        reader: the one that is measured.
        question_set: the questions; the paragraphs of an article are joined by blank lines.
        timed_questions: how many questions to ask once more, alone, for the latency.
        progress: called with (questions done, questions in all).
        settings: of `docqa.Pipeline`.

    Raises:
        ModelError: the reader fails.
        QuestionSetError: not one question could be asked.
        SettingError: a setting is out of its range.
        ValueError: the set has no question.
    """
    return _evaluate(
        reader,
        lambda _: articles_as_documents(question_set),
        mode="documents",
        data=question_set.name,
        bad_rows=question_set.bad_rows,
        timed_questions=timed_questions,
        progress=progress,
        settings=settings,
    )


def evaluate_pages(
    reader: Reader,
    questions: PageQuestions,
    *,
    timed_questions: int = _TIMED,
    progress: Progress | None = None,
    **settings: Any,
) -> EvaluationReport:
    """Measure everything from the file to the answer, the page included.

    Args:
        reader: the one that is measured.
        questions: over PDFs or other files with pages.
        timed_questions: how many questions to ask once more, alone, for the latency.
        progress: called with (questions done, questions in all).
        settings: of `docqa.Pipeline`.

    Raises:
        ModelError: the reader fails.
        QuestionSetError: not one question could be asked.
        SettingError: a setting is out of its range.
        ValueError: there is no question.
    """
    return _evaluate(
        reader,
        lambda pipeline: questions.documents(pipeline.load),
        mode="pages",
        data=questions.name,
        bad_rows=questions.bad_rows,
        left_out=len(questions.not_verbatim),
        timed_questions=timed_questions,
        progress=progress,
        settings=settings,
    )


def _evaluate(
    reader: Reader,
    documents_for: Callable[[Pipeline], list[AskedDocument]],
    *,
    timed_questions: int,
    progress: Progress | None,
    settings: dict[str, Any],
    **known: Any,
) -> EvaluationReport:
    reader = completed(reader)
    watched = WatchedReader(reader)
    pipeline = Pipeline(reader=watched, **settings)
    documents = documents_for(pipeline)
    ids = [each.question.id for document in documents for each in document.questions]
    timed = chosen_to_time(ids, timed_questions, seed=0)
    outcomes: list[DocumentOutcome] = []
    for document in documents:
        for outcome in ask_document(pipeline, watched, document, timed=timed):
            outcomes.append(outcome)
            if progress is not None:
                progress(len(outcomes), len(ids))
    min_score = settings.get("min_score", DEFAULT_MIN_SCORE)
    judged = judge(
        [outcome.asked.question for outcome in outcomes],
        [outcome.best for outcome in outcomes],
        min_score=min_score,
        decided=[outcome.decided for outcome in outcomes],
    )
    unit = "files" if known["mode"] == "pages" else "articles"
    took = [outcome.seconds for outcome in outcomes if outcome.seconds is not None]
    return _report(
        judged,
        reader=reader,
        min_score=min_score,
        units={unit: [outcome.document for outcome in outcomes], "questions": ids},
        places=[outcome.place for outcome in outcomes],
        speed=measured_speed(watched, took),
        forms=[outcome.asked.form for outcome in outcomes],
        documents=len(documents),
        retrieval=_retrieval(outcomes, watched),
        **known,
    )


def _report(
    judged: Sequence[Judged],
    *,
    data: str,
    mode: Mode,
    reader: Reader,
    min_score: float,
    units: dict[str, Sequence[str]],
    places: Sequence[AnswerPlace],
    forms: Sequence[str] = (),
    left_out: int = 0,
    documents: int | None = None,
    retrieval: Retrieval | None = None,
    **found: Any,
) -> EvaluationReport:
    errors = Counter(row.prediction.error for row in judged if row.prediction.error is not None)
    asked = [row for row in judged if row.prediction.error is None]
    if errors and not asked:
        raise QuestionSetError(
            f"{data}: no question could be asked; the first reason: {next(iter(errors))}"
        )
    exact, overlap, resampled = means(judged, units)
    info = reader_info(reader)
    return EvaluationReport(
        data=data,
        mode=mode,
        reader=replace(info, calibrated=info.calibrated and mode != "paragraphs"),
        min_score=min_score,
        questions=len(judged),
        documents=documents,
        summary=summarize_judged(judged),
        exact_match=exact,
        f1=overlap,
        resampled=resampled,
        answered=sum(row.answered for row in judged) / len(judged),
        at_threshold=Scores.of([row.decided for row in judged]),
        by_type=groups(judged, types(judged), units),
        by_length=groups(judged, lengths(judged), units),
        by_form=groups(judged, forms, units) if any(forms) else (),
        places=Places.of(places),
        calibration=CalibrationMeasure.of(
            [row.prediction.score for row in asked],
            [row.best.exact_match for row in asked],
            [row.best.f1 >= 0.5 for row in asked],
        ),
        retrieval=retrieval,
        unread=dict(errors),
        left_out=left_out,
        predictions=tuple(row.prediction for row in judged),
        **found,
    )


def _paragraph_place(paragraph: Paragraph, question: Question, said: Prediction) -> AnswerPlace:
    golds = [Span(gold.start, gold.start + len(gold.text)) for gold in question.golds]
    return place_of(paragraph.context, said.text, said.start, golds)


def _latencies(
    reader: Reader, rows: _Rows, predictions: Iterable[Prediction], count: int
) -> list[float]:
    read = [prediction.question_id for prediction in predictions if prediction.error is None]
    chosen = chosen_to_time(read, count, seed=0)
    took: list[float] = []
    for paragraph, question in rows:
        if question.id in chosen:
            started = time.perf_counter()
            reader.read(question.text, [gold_passage(paragraph)], top_k=1)
            took.append(time.perf_counter() - started)
    return took


def _retrieval(outcomes: Sequence[DocumentOutcome], reader: WatchedReader) -> Retrieval:
    pages = [row for row in outcomes if row.asked.page_number is not None]
    return Retrieval(
        passages_read=reader.n_passages / len(outcomes) if outcomes else 0.0,
        gold_read=_share([row.gold_read for row in outcomes]),
        proposed=_share([row.proposed for row in outcomes]),
        page_at_1=_share([row.pages[:1] == (row.asked.page_number,) for row in pages]),
        page_at_5=_share([row.asked.page_number in row.pages for row in pages]),
    )


def _share(values: Sequence[bool | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None
