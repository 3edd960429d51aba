"""A reader for pipelines and collections, whose passages wait with those of other requests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from typing import TYPE_CHECKING

from docqa.asking.pipeline import Pipeline
from docqa.datamodel import AnswerSpans, Passage
from docqa.protocols import StoringReader
from docqa.reader.cascade_reader import CascadeReader
from docqa.service.reading import ReadingQueue, Ticket

if TYPE_CHECKING:
    from docqa.calibration import Calibration
    from docqa.limits import Limits
    from docqa.protocols import Reader, Tokenizer, Tokens

    Requests = Sequence[tuple[str, Sequence[Passage]]]

__all__ = ["TICKET", "QueuedPipeline", "QueuedReader"]

TICKET: ContextVar[Ticket | None] = ContextVar("the request at work", default=None)


class QueuedReader:
    """A reader whose passages wait in a queue with those of other requests.

    It is a `docqa.protocols.Reader`, so that pipelines and collections take it as any other. The
    request at work is that of `TICKET`, in the context of the calling thread. The two readers of a
    cascade have places of their own in the queue: the second reads the best passages of all that
    the first has read, however they were cut.

    Args:
        queue: has the reader.
        part: reads instead of the queue's reader; a part of it.
        is_again: it reads passages that another part has chosen.
    """

    def __init__(
        self, queue: ReadingQueue, part: Reader | None = None, *, is_again: bool = False
    ) -> None:
        self._queue, self._part, self._is_again = queue, part, is_again

    @property
    def _reader(self) -> Reader:
        return self._queue.reader() if self._part is None else self._part

    @property
    def name(self) -> str:
        """Return the reader's name."""
        return self._reader.name

    @property
    def revision(self) -> str:
        """Return the reader's weights."""
        return self._reader.revision

    @property
    def runtime(self) -> str:
        """Return the library and the number format that the reader computes with."""
        return self._reader.runtime

    @property
    def calibration(self) -> Calibration | None:
        """Return the reader's calibration."""
        return self._reader.calibration

    @property
    def tokenizer(self) -> Tokenizer:
        """Return the reader's tokenizer, which threads may share."""
        return self._reader.tokenizer

    @property
    def max_passage_tokens(self) -> int:
        """Return the size of the largest passage that fits the reader."""
        return self._reader.max_passage_tokens

    def check_question(self, question: str) -> None:
        """Check that a question can be read.

        Raises:
            QuestionError: the question is blank, or too long.
        """
        self._reader.check_question(question)

    def remember(self, tokens: Mapping[str, Tokens]) -> None:
        """Take over the tokens of passages, where the reader can."""
        reader = self._reader
        if isinstance(reader, StoringReader):
            reader.remember(tokens)

    def read(self, question: str, passages: Sequence[Passage], *, top_k: int) -> AnswerSpans:
        """Return at most `top_k` spans, best first; see `ReadingQueue.read_all`."""
        return self.read_all([(question, passages)], top_k=top_k)[0]

    def read_all(self, requests: Requests, *, top_k: int) -> list[AnswerSpans]:
        """Return the spans of each (question, passages); see `ReadingQueue.read_all`."""
        reader, ticket = self._reader, TICKET.get() or Ticket()
        if isinstance(reader, CascadeReader):
            return self._in_turn(reader).read_all(requests, top_k=top_k)
        return self._queue.read_all(reader, requests, top_k, ticket, is_again=self._is_again)

    def _in_turn(self, reader: CascadeReader) -> CascadeReader:
        """Return a cascade whose readers wait in the queue, each for itself."""
        return CascadeReader(
            QueuedReader(self._queue, reader.first),
            QueuedReader(self._queue, reader.second, is_again=True),
            passages_again=reader.passages_again,
            name=reader.name,
        )


class QueuedPipeline(Pipeline):
    """A pipeline with a queued reader, which may still be loading.

    Args:
        reader: reads.
        min_score, limits: see `docqa.Pipeline`.
    """

    def __init__(self, reader: QueuedReader, *, min_score: float, limits: Limits) -> None:
        self._queued = reader
        super().__init__(min_score=min_score, isolate=True, limits=limits)

    @property
    def reader(self) -> Reader:
        """Return the reader without waiting for it."""
        return self._queued

    @property
    def chosen_reader(self) -> Reader | str:
        """Return the reader without waiting for it."""
        return self._queued
