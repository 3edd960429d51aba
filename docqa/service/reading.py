"""One thread that owns the reader: passages of all requests that wait are read together.

A request puts its passages into a queue and waits. The thread takes a share of each request in
turn, up to a number of passages, reads them in one call, and takes the next; no timer waits for
company. Large requests are cut into chunks, so that small ones pass them, and so that they can end
early with the best of what was read.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from operator import attrgetter
from typing import TYPE_CHECKING

from docqa.datamodel import AnswerSpan, AnswerSpans, Passage
from docqa.errors import BusyError, DeadlineError, ModelError
from docqa.protocols import LoadingReader, StoringReader

if TYPE_CHECKING:
    from docqa.calibration import Calibration
    from docqa.protocols import Reader, Tokenizer, Tokens
    from docqa.service.settings import ServiceSettings

    Requests = Sequence[tuple[str, Sequence[Passage]]]

__all__ = ["TICKET", "QueuedReader", "ReadingQueue", "Ticket"]

_CHUNK = 32  # passages of one question that are read before others have their turn
_SECONDS = 1.0  # that a batch is to take, so that a caller who stops or joins waits no longer
_COUNTED = 1024  # passages of one call that count as waiting: it takes turns with the others
_SMOOTH = 0.3  # share of the last batch in the measured speed
_LONGEST_PAUSE = 60.0  # seconds; the most that a caller is asked to stay away
_TICK = 0.25  # seconds between two looks at a caller's stop


@dataclass(slots=True)
class Ticket:
    """The time of one request, its caller's stop, and the passages read for it.

    Attributes:
        deadline: on the clock of `time.monotonic`; None for none.
        stop: set by the caller who wants the best so far.
        is_abandoned: the caller is gone.
        read, total: passages read for it, and those that it asked to have read.
        is_cut: it ended before all was read.
    """

    deadline: float | None = None
    stop: threading.Event = field(default_factory=threading.Event)
    is_abandoned: bool = False
    read: int = 0
    total: int = 0
    is_cut: bool = False

    @property
    def is_over(self) -> bool:
        """Say whether nothing more is to be done for the request."""
        late = self.deadline is not None and time.monotonic() >= self.deadline
        return late or self.is_abandoned or self.stop.is_set()


TICKET: ContextVar[Ticket | None] = ContextVar("the request at work", default=None)


@dataclass(slots=True)
class _Call:
    """The passages of one call of `read_all`: chunks that wait, and spans that were found."""

    ticket: Ticket
    top_k: int
    waiting: deque[tuple[int, str, Sequence[Passage]]]
    found: list[list[AnswerSpans]]
    at_work: int = 0
    error: Exception | None = None

    @property
    def n_waiting(self) -> int:
        return min(_COUNTED, sum(len(passages) for _, _, passages in self.waiting))

    @property
    def is_done(self) -> bool:
        return self.error is not None or not (self.waiting or self.at_work)


class ReadingQueue:
    """A bounded queue of passages before one reader, and the thread that reads them.

    Args:
        load: returns the reader; called in the thread, when it starts.
        settings: bounds and the size of a batch.
    """

    def __init__(self, load: Callable[[], Reader], settings: ServiceSettings) -> None:
        self._load, self._settings = load, settings
        self._changed = threading.Condition()
        self._calls: deque[_Call] = deque()
        self._reader: Reader | None = None
        self._failure: Exception | None = None
        self._is_closed = False
        self._speed = 0.0  # passages a second
        self.passages_read = 0
        self.batches_read = 0
        self._thread = threading.Thread(target=self._run, name="docqa-reader", daemon=True)
        self._thread.start()

    @property
    def is_ready(self) -> bool:
        """Say whether the reader is loaded."""
        return self._reader is not None

    @property
    def n_waiting(self) -> int:
        """Return the number of passages that wait to be read."""
        with self._changed:
            return sum(call.n_waiting for call in self._calls)

    def reader(self) -> Reader:
        """Return the reader, waiting until it is loaded.

        Raises:
            ModelError: it cannot be loaded.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._reader or self._failure or self._is_closed)
            if self._reader is None:
                raise self._failure or ModelError("the service is closed")
            return self._reader

    def read_all(self, requests: Requests, top_k: int, ticket: Ticket) -> list[AnswerSpans]:
        """Return the spans of each (question, passages), of the part that was read in time.

        Raises:
            BusyError: too many passages wait.
            DeadlineError: the time was over before anything was read.
            ModelError: the reader cannot be loaded, or fails.
        """
        self.reader()
        chunks = [
            (number, question, passages[first : first + _CHUNK])
            for number, (question, passages) in enumerate(requests)
            for first in range(0, max(1, len(passages)), _CHUNK)
        ]
        call = _Call(ticket, top_k, deque(chunks), [[] for _ in requests])
        ticket.total += sum(len(passages) for _, passages in requests)
        with self._changed:
            self._admit(call)
            while not call.is_done:
                if ticket.is_over or self._is_closed:
                    self._drop(call)
                    break
                self._changed.wait(_pause(ticket))
            if call.error is not None:
                raise call.error
            if not any(call.found):
                raise DeadlineError(
                    "nothing was read in time; ask again, or ask fewer questions or documents at "
                    "once"
                )
            return [
                _merged(question, parts, top_k)
                for (question, _), parts in zip(requests, call.found, strict=True)
            ]

    def close(self) -> None:
        """End the thread after the batch that it reads; who waits gets the best so far."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
        self._thread.join(timeout=30)

    def _admit(self, call: _Call) -> None:
        waiting, most = sum(each.n_waiting for each in self._calls), self._settings.queue_passages
        if waiting and waiting + call.n_waiting > most:
            pause = min(_LONGEST_PAUSE, max(1.0, waiting / self._speed if self._speed else 1.0))
            raise BusyError(
                f"{waiting:,} passages wait to be read, of {most:,} at most; ask again in "
                f"{pause:.0f} s",
                retry_after=pause,
            )
        self._calls.append(call)
        self._changed.notify_all()

    def _drop(self, call: _Call) -> None:
        call.waiting.clear()
        call.ticket.is_cut = True
        if call in self._calls:
            self._calls.remove(call)

    def _run(self) -> None:
        try:
            reader = self._load()
            if isinstance(reader, LoadingReader):
                reader.load()
        except Exception as error:  # whoever asks gets it
            with self._changed:
                self._failure = error
                self._changed.notify_all()
            return
        with self._changed:
            self._reader = reader
            self._changed.notify_all()
        while batch := self._next_batch():
            self._read(reader, batch)

    def _next_batch(self) -> list[tuple[_Call, tuple[int, str, Sequence[Passage]]]]:
        """Return chunks to read together, one of each call in turn; none when it is closed."""
        with self._changed:
            while True:
                self._changed.wait_for(lambda: self._calls or self._is_closed)
                if self._is_closed:
                    return []
                batch: list[tuple[_Call, tuple[int, str, Sequence[Passage]]]] = []
                room = self._room()
                while self._calls and (not batch or len(self._calls[0].waiting[0][2]) <= room):
                    call = self._calls.popleft()
                    if call.ticket.is_over:  # nobody waits for it any more
                        call.waiting.clear()
                        call.ticket.is_cut = True
                        self._changed.notify_all()
                        continue
                    chunk = call.waiting.popleft()
                    batch.append((call, chunk))
                    call.at_work += 1
                    room -= len(chunk[2])
                    if call.waiting:
                        self._calls.append(call)
                if batch:
                    return batch

    def _room(self) -> int:
        """Return the number of passages of a batch: at most as many as are read in a second."""
        if not self._speed:
            return _CHUNK
        return min(self._settings.batch_passages, max(_CHUNK, round(self._speed * _SECONDS)))

    def _read(
        self, reader: Reader, batch: list[tuple[_Call, tuple[int, str, Sequence[Passage]]]]
    ) -> None:
        started = time.monotonic()
        outcomes = _read_or_fail(reader, batch)
        n_passages = sum(len(passages) for _, (_, _, passages) in batch)
        speed = n_passages / max(1e-6, time.monotonic() - started)
        with self._changed:
            self.passages_read += n_passages
            self.batches_read += 1
            self._speed += (speed - self._speed) * (_SMOOTH if self._speed else 1.0)
            for (call, (number, _, passages)), outcome in zip(batch, outcomes, strict=True):
                call.at_work -= 1
                if isinstance(outcome, Exception):
                    call.error = outcome
                    call.waiting.clear()
                    if call in self._calls:
                        self._calls.remove(call)
                else:
                    call.found[number].append(outcome)
                    call.ticket.read += len(passages)
            self._changed.notify_all()


class QueuedReader:
    """A reader whose passages wait in a queue with those of other requests.

    It is a `docqa.protocols.Reader`, so that pipelines and collections take it as any other. The
    request at work is that of `TICKET`, in the context of the calling thread.

    Args:
        queue: has the reader.
    """

    def __init__(self, queue: ReadingQueue) -> None:
        self._queue = queue

    @property
    def name(self) -> str:
        """Return the reader's name."""
        return self._queue.reader().name

    @property
    def revision(self) -> str:
        """Return the reader's weights."""
        return self._queue.reader().revision

    @property
    def runtime(self) -> str:
        """Return the library and the number format that the reader computes with."""
        return self._queue.reader().runtime

    @property
    def calibration(self) -> Calibration | None:
        """Return the reader's calibration."""
        return self._queue.reader().calibration

    @property
    def tokenizer(self) -> Tokenizer:
        """Return the reader's tokenizer, which threads may share."""
        return self._queue.reader().tokenizer

    @property
    def max_passage_tokens(self) -> int:
        """Return the size of the largest passage that fits the reader."""
        return self._queue.reader().max_passage_tokens

    def check_question(self, question: str) -> None:
        """Check that a question can be read.

        Raises:
            QuestionError: the question is blank, or too long.
        """
        self._queue.reader().check_question(question)

    def remember(self, tokens: Mapping[str, Tokens]) -> None:
        """Take over the tokens of passages, where the reader can."""
        reader = self._queue.reader()
        if isinstance(reader, StoringReader):
            reader.remember(tokens)

    def read(self, question: str, passages: Sequence[Passage], *, top_k: int) -> AnswerSpans:
        """Return at most `top_k` spans, best first; see `ReadingQueue.read_all`."""
        return self.read_all([(question, passages)], top_k=top_k)[0]

    def read_all(self, requests: Requests, *, top_k: int) -> list[AnswerSpans]:
        """Return the spans of each (question, passages); see `ReadingQueue.read_all`."""
        return self._queue.read_all(requests, top_k, TICKET.get() or Ticket())


def _pause(ticket: Ticket) -> float:
    """Return the seconds to wait before looking at a ticket again."""
    if ticket.deadline is None:
        return _TICK
    return min(_TICK, max(0.0, ticket.deadline - time.monotonic()))


def _read_or_fail(
    reader: Reader, batch: Sequence[tuple[_Call, tuple[int, str, Sequence[Passage]]]]
) -> Sequence[AnswerSpans | Exception]:
    """Return the spans of each chunk; where reading fails, of each alone, or its error."""
    requests = [(question, passages) for _, (_, question, passages) in batch]
    try:
        return reader.read_all(requests, top_k=max(call.top_k for call, _ in batch))
    except Exception as error:  # it goes to the caller whose passages they are
        if len(batch) == 1:
            return [error]
        return [found for one in batch for found in _read_or_fail(reader, [one])]


def _merged(question: str, parts: Sequence[AnswerSpans], top_k: int) -> AnswerSpans:
    """Return the spans of a question's chunks as one."""
    spans: list[AnswerSpan] = [span for part in parts for span in part.spans]
    if len(parts) > 1:
        spans.sort(key=attrgetter("order"))
    kept = tuple(spans[:top_k])
    return AnswerSpans(question, kept, sum(part.passages_read for part in parts))
