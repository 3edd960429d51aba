"""The cells of a grid of questions and sources: batched, read together, answered one by one."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from docqa.asking.answers import answers_from_spans, relevances
from docqa.asking.settings import AskSettings
from docqa.datamodel import (
    Answers,
    AnswerSpans,
    Coverage,
    Document,
    DocumentInfo,
    GridItem,
    RankedPassage,
    ReaderInfo,
    ReadSettings,
)
from docqa.errors import LoadError, MissingDependencyError, ModelError, QuestionError, SettingError
from docqa.limits import SourceTime, at_work
from docqa.protocols import Reader, StoringReader, Tokens
from docqa.reader.question_kind import full_question

__all__ = [
    "CONCERN_ALL",
    "LOADING_ERRORS",
    "Cell",
    "Failing",
    "answer_cells",
    "batches",
    "question_error",
    "read_cells",
    "reader_info",
]

Failing = tuple[type[Exception], ...]
"""The errors that fail the cells they concern; others end the grid."""

LOADING_ERRORS: Failing = (LoadError, MissingDependencyError)

CONCERN_ALL: Failing = (ModelError, SettingError, BrokenPipeError)
"""The errors that end the grid: no other source would fare better."""

_SPANS_PER_PASSAGE = 20  # asked of the reader, so that merging and occurrences have enough
_PASSAGES_PER_BATCH = 256  # enough to fill a GPU
_PASSAGES_AT_FIRST = 64  # so that the first outcomes come soon
_SOURCES_PER_BATCH = 8  # documents held open at once
_SECONDS_PER_BATCH = 1.0  # then no further source is waited for


@dataclass(frozen=True, slots=True)
class Cell:
    """A question to a source, with the passages to read for it or the error that keeps it unread.

    Attributes:
        source: the name of the source.
        ranked: the passages to read.
        n_passages: the number of passages that the source has.
        documents: the documents of the passages, by their `document_id`.
        settings: of the call; None with an error.
        read_settings: recorded by the answers.
        document: the one document that is asked, open; None where there is none.
        info: described by the outcome; None where the document could not be asked at all.
        tokens: stored ones of the passages; see `docqa.protocols.StoringReader`.
        time: of the source, for this question; None for no limit.
        error: the reason why nothing is read.
        ends_source: it is the last cell of its source.
    """

    question: str
    source: str
    ranked: tuple[RankedPassage, ...] = ()
    n_passages: int = 0
    documents: Mapping[str, Document] = field(default_factory=dict)
    settings: AskSettings | None = None
    read_settings: ReadSettings | None = None
    document: Document | None = None
    info: DocumentInfo | None = None
    tokens: Mapping[str, Tokens] | None = None
    time: SourceTime | None = None
    error: Exception | None = None
    ends_source: bool = False

    def failed(self, error: Exception) -> GridItem:
        """Return the outcome of a cell that cannot be answered."""
        return GridItem.failed(
            self.question, self.source, error, document=self.info, passages_total=self.n_passages
        )


def batches(
    cells: Iterable[Cell | None], *, clock: Callable[[], float] = time.monotonic
) -> Iterator[list[Cell]]:
    """Group cells, in order, into batches of bounded size that wait for no more than they must.

    A batch ends with an error, which is reported at once, with a source that was slow to load, and
    before one that may be.

    Args:
        cells: made one by one, as they are taken; None where the next may take long.
        clock: in seconds.
    """
    batch: list[Cell] = []
    n_passages = n_sources = 0
    most, started = _PASSAGES_AT_FIRST, clock()
    for cell in cells:
        ends = cell is None
        if cell is not None:
            batch.append(cell)
            n_passages += len(cell.ranked)
            n_sources += cell.ends_source
            full = n_passages >= most or n_sources >= _SOURCES_PER_BATCH
            late = cell.ends_source and clock() - started >= _SECONDS_PER_BATCH
            ends = full or late or cell.error is not None
        if ends and batch:
            yield batch
            batch, n_passages, n_sources = [], 0, 0
            most, started = _PASSAGES_PER_BATCH, clock()
    if batch:
        yield batch


def answer_cells(
    cells: Sequence[Cell], reader: Callable[[], Reader], *, failing: Failing = LOADING_ERRORS
) -> Iterator[GridItem]:
    """Read the passages of all cells together; yield their outcomes in order.

    Args:
        cells: a batch of them.
        reader: gives the reader; called where there is something to read.
        failing: errors that fail the cell they come from.

    Raises:
        ModelError: the reader fails.
        SettingError: a setting is out of its range.
    """
    readable = [cell for cell in cells if cell.error is None]
    found = iter(_read_or_fail(readable, reader(), failing) if readable else ())
    for cell in cells:
        spans = next(found) if cell.error is None else cell.error
        if isinstance(spans, Exception):
            yield cell.failed(spans)
        else:
            yield _item(cell, spans, reader(), failing)


def read_cells(
    cells: Sequence[Cell], reader: Reader, *, top_k: int | None = None
) -> list[AnswerSpans]:
    """Return the spans that the reader proposes to each cell, all read together.

    Keywords are read as questions, "What is the governing law?"; the ranking gets them as asked.

    Args:
        cells: without an error.
        reader: reads.
        top_k: spans of each cell, at most; None for 20 a passage.

    Raises:
        ModelError: the reader fails.
    """
    if isinstance(reader, StoringReader):
        for cell in cells:
            if cell.tokens:
                reader.remember(cell.tokens)
    requests = [
        (full_question(cell.question), [one.passage for one in cell.ranked]) for cell in cells
    ]
    most = max((len(passages) for _, passages in requests), default=0)
    found = reader.read_all(requests, top_k=top_k or max(1, most) * _SPANS_PER_PASSAGE)
    return [
        replace(spans, question=cell.question) for cell, spans in zip(cells, found, strict=True)
    ]


def _read_or_fail(
    cells: Sequence[Cell], reader: Reader, failing: Failing
) -> Sequence[AnswerSpans | Exception]:
    """Return the spans of each cell; where reading fails, of each alone, or its error."""
    try:
        with at_work(*(cell.time for cell in cells if cell.time is not None)):
            return read_cells(cells, reader)
    except CONCERN_ALL:
        raise
    except failing as error:
        if len(cells) == 1:
            return [error]
        return [found for cell in cells for found in _read_or_fail([cell], reader, failing)]


def _item(cell: Cell, spans: AnswerSpans, reader: Reader, failing: Failing) -> GridItem:
    assert cell.settings is not None  # a cell without an error has them
    try:
        answers = answers_from_spans(
            cell.documents,
            spans,
            relevances(cell.ranked),
            top_k=cell.settings.top_k,
            min_score=cell.settings.min_score,
            calibration=reader.calibration,
            reader=reader_info(reader),
            settings=cell.read_settings,
        )
    except CONCERN_ALL:
        raise
    except failing as error:
        return cell.failed(error)
    coverage = Coverage(spans.passages_read, cell.n_passages)
    return GridItem(cell.question, cell.source, cell.info, Answers(answers, coverage=coverage))


def reader_info(reader: Reader) -> ReaderInfo:
    """Return the description of a reader that its answers record."""
    return ReaderInfo(
        reader.name,
        reader.revision,
        runtime=reader.runtime,
        calibrated=reader.calibration is not None,
    )


def question_error(reader: Reader, question: str) -> QuestionError | None:
    """Return the error with which a reader refuses a question, or None."""
    try:
        reader.check_question(full_question(question))
    except QuestionError as error:
        return error
    return None
