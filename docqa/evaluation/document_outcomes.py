"""End to end: whole documents asked through the pipeline, so that every stage counts."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

from docqa.asking.grid import AskedSource, ask_sources
from docqa.asking.pipeline import Pipeline
from docqa.datamodel import Answer, Document, GridItem
from docqa.evaluation.asked_documents import AskedDocument, AskedQuestion
from docqa.evaluation.places import AnswerPlace, best_box_overlap, place_of
from docqa.evaluation.predictions import Prediction
from docqa.evaluation.squad import exact_match
from docqa.evaluation.watched_reader import ReadPassages, WatchedReader

__all__ = ["DocumentOutcome", "ask_document"]

_NO_PLACE = AnswerPlace()
_ANSWERS = 5  # looked at for the page


@dataclass(frozen=True, slots=True)
class DocumentOutcome:
    """The outcome of one question to one document.

    Attributes:
        asked: the question.
        document: the document's name.
        best: the first answer with no threshold.
        decided: the first answer with the pipeline's own threshold; without words where none is.
        place: where the best answer stands.
        pages: the pages of the first five answers with no threshold.
        gold_read: whether a passage that was read holds the gold answer (for PDFs: touches its
            page); None without a gold place.
        proposed: whether the reader proposed a right span, at any rank; None without a gold answer.
        seconds: of asking the question alone, where that was measured.
    """

    asked: AskedQuestion
    document: str
    best: Prediction
    decided: Prediction
    place: AnswerPlace = _NO_PLACE
    pages: tuple[int | None, ...] = ()
    gold_read: bool | None = None
    proposed: bool | None = None
    seconds: float | None = None


def ask_document(
    pipeline: Pipeline,
    reader: WatchedReader,
    asked: AskedDocument,
    *,
    timed: frozenset[str] = frozenset(),
) -> Iterator[DocumentOutcome]:
    """Yield the outcome of every question of a document, in order.

    A document that cannot be loaded, or a question that cannot be read, gives outcomes without
    words, with the reason.

    Args:
        pipeline: reads with `reader`.
        reader: keeps the passages that were read.
        asked: the document and its questions.
        timed: ids of questions to ask once more, alone and with the clock running.

    Raises:
        ModelError: the reader fails.
    """
    texts = [row.question.text for row in asked.questions]
    source = AskedSource(asked.name, asked.open, texts, closes=True)
    items = ask_sources([source], partial(pipeline.call, top_k=_ANSWERS, min_score=0.0))
    for row, (document, item) in zip(asked.questions, items, strict=True):
        if document is None:
            yield _lost(row, asked.name, item.error)
            continue
        # read a moment ago, so that the reader has it in memory
        (decided,) = pipeline.ask_all(document, row.question.text, top_k=_ANSWERS)
        read = reader.last(row.question.text)
        outcome = _outcome(document, row, item, decided, read)
        measured = row.question.id in timed and outcome.best.error is None
        took = _seconds(pipeline, reader, document, row) if measured else None
        yield replace(outcome, document=asked.name, seconds=took)
    reader.forget()


def _fault(document: Document, asked: AskedQuestion) -> str | None:
    """Return the fault of a question's page number, or None."""
    pages = len(document.pages)
    if asked.page_number is None or asked.page_number <= pages:
        return None
    name = asked.question.id
    return f"{document.source}: {name}: its page_number is {asked.page_number}, of {pages} pages"


def _lost(asked: AskedQuestion, document: str, error: object) -> DocumentOutcome:
    """Return the outcome of a question that could not be asked: every stage missed it."""
    failed = Prediction(asked.question.id, error=str(error))
    missed = False if asked.question.answerable else None
    return DocumentOutcome(asked, document, failed, failed, gold_read=missed, proposed=missed)


def _outcome(
    document: Document,
    asked: AskedQuestion,
    unbounded: GridItem,
    bounded: GridItem,
    read: ReadPassages | None,
) -> DocumentOutcome:
    if (fault := _fault(document, asked)) is not None:
        return _lost(asked, document.source, fault)
    golds = asked.gold_spans(document)
    best = _prediction(asked, unbounded)
    place = place_of(document.text, best.text, best.start, golds)
    answers = unbounded.answers
    if asked.page_number is not None and golds:
        found = answers[0].locations if answers else ()
        overlap = best_box_overlap(document, golds, asked.page_number, found)
        place = replace(place, box_overlap=overlap)
    return DocumentOutcome(
        asked,
        document.source,
        best,
        _prediction(asked, bounded),
        place,
        tuple(answer.page_number for answer in answers),
        _gold_read(document, asked, read),
        _proposed(asked, read),
    )


def _prediction(asked: AskedQuestion, item: GridItem) -> Prediction:
    answers: Sequence[Answer] = item.answers
    if item.error is not None or not answers:
        error = None if item.error is None else str(item.error)
        return Prediction(asked.question.id, error=error)
    return Prediction(asked.question.id, answers[0].text, answers[0].start, answers[0].score)


def _gold_read(document: Document, asked: AskedQuestion, read: ReadPassages | None) -> bool | None:
    if not asked.question.answerable:
        return None
    spans = [passage.span for passage in read.passages] if read is not None else []
    if asked.page_number is not None:
        page = asked.page_span(document)
        return any(span.overlaps(page) for span in spans)
    return any(span.covers(gold) for gold in asked.gold_spans(document) for span in spans)


def _proposed(asked: AskedQuestion, read: ReadPassages | None) -> bool | None:
    if not asked.question.answerable:
        return None
    golds = [gold.text for gold in asked.question.golds]
    proposals = read.proposals.spans if read is not None else ()
    return any(exact_match(each.span.of(each.passage.text), golds) for each in proposals)


def _seconds(
    pipeline: Pipeline, reader: WatchedReader, document: Document, asked: AskedQuestion
) -> float:
    with reader.aside():
        started = time.perf_counter()
        pipeline.ask(document, asked.question.text)
        return time.perf_counter() - started
