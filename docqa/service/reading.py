"""One thread that owns the reader: passages of all requests that wait are read together.

A request puts its passages into a queue and waits. The thread takes a share of each request in
turn, up to a number of passages, reads them in one call, and takes the next; no timer waits for
company. Large requests are cut into chunks, so that small ones pass them, and so that they can end
early with the best of their passages so far.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from docqa.datamodel import AnswerSpans, Passage
from docqa.errors import BusyError, DeadlineError, ModelError
from docqa.protocols import LoadingReader

if TYPE_CHECKING:
    from docqa.protocols import Reader
    from docqa.service.settings import ServiceSettings

    Requests = Sequence[tuple[str, Sequence[Passage]]]

__all__ = ["ReadingQueue", "Ticket"]

_CHUNK = 32  # passages of one question that are read before others have their turn
_SECONDS = 1.0  # that a batch is to take, so that a caller who stops or joins waits no longer
_COUNTED = 1024  # passages of one call that count as waiting: it takes turns with the others
_KEPT = 0.8  # share of the past batches in the measured speed
_LONGEST_PAUSE = 60.0  # seconds; the most that a caller is asked to stay away
_TICK = 0.25  # seconds between two looks at a caller's stop
_FINISHING = 1.5  # seconds beyond the deadline, for the batch at work
_FINISHING_AGAIN = 5.0  # and for passages that were chosen to be read again


@dataclass(slots=True)
class Ticket:
    """The time of one request, its caller's stop, and the passages read for it.

    Attributes:
        deadline: on the clock of `time.monotonic`; None for none.
        stop: set by the caller who wants the best so far.
        is_abandoned: the caller is gone.
        is_admitted: some of its passages waited already; the others may wait too.
        is_refused: too much waited when it came.
        read: the passages that were read for it.
        is_cut: it ended before all was read.
    """

    deadline: float | None = None
    stop: threading.Event = field(default_factory=threading.Event)
    is_abandoned: bool = False
    is_admitted: bool = False
    is_refused: bool = False
    read: int = 0
    is_cut: bool = False

    @property
    def is_over(self) -> bool:
        """Say whether nothing more is to be begun for the request."""
        late = self.deadline is not None and time.monotonic() >= self.deadline
        return late or self.is_abandoned or self.stop.is_set()


@dataclass(frozen=True, slots=True)
class _Chunk:
    """Passages of one question that are read in one piece.

    Attributes:
        request: the number of its request in the call.
        size: its passages, counted.
    """

    request: int
    question: str
    passages: Sequence[Passage]
    size: int


@dataclass(slots=True, eq=False)
class _Call:
    """The passages that one caller waits for: chunks that wait, and spans that were found.

    Attributes:
        reader: reads them; calls of one reader are read together.
        is_again: a cascade reads some of its passages again, which is finished after the deadline.
    """

    reader: Any
    ticket: Ticket
    top_k: int
    waiting: deque[_Chunk]
    found: list[list[Any]]
    is_again: bool = False
    at_work: int = 0
    error: Exception | None = None
    left: int = 0

    def __post_init__(self) -> None:
        self.left = sum(chunk.size for chunk in self.waiting)

    @property
    def n_waiting(self) -> int:
        """Return the passages that count as waiting."""
        return min(_COUNTED, self.left)

    @property
    def is_dropped(self) -> bool:
        """Say whether its chunks are read in vain."""
        if self.is_again and self.ticket.read:
            return self.ticket.is_abandoned
        return self.ticket.is_over

    @property
    def is_done(self) -> bool:
        return self.error is not None or not (self.waiting or self.at_work)

    def take(self) -> _Chunk:
        """Return the next chunk, which is now at work."""
        chunk = self.waiting.popleft()
        self.left -= chunk.size
        self.at_work += 1
        return chunk

    def drop(self) -> None:
        """Forget the chunks that wait."""
        if self.waiting:
            self.ticket.is_cut = True
        self.waiting.clear()
        self.left = 0


_Batch = list[tuple[_Call, _Chunk]]


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
        self._speeds: dict[int, float] = {}  # passages a second, by the identity of the reader
        self._lately = 0.0, 0.0  # passages and seconds, older ones with less weight
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
            return self._waiting()

    @property
    def pause(self) -> float:
        """Return the seconds, 1 to 60, in which the passages that wait are likely to be read."""
        with self._changed:
            waiting, (n_passages, seconds) = self._waiting(), self._lately
        pause = waiting * seconds / n_passages if n_passages else 1.0
        return min(_LONGEST_PAUSE, max(1.0, pause))

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

    def read_all(
        self,
        reader: Reader,
        requests: Requests,
        top_k: int,
        ticket: Ticket,
        *,
        is_again: bool = False,
    ) -> list[AnswerSpans]:
        """Return the spans of each (question, passages), of the part that was read in time.

        Args:
            reader: the reader, or a part of it, whose spans of a passage depend on no other.
            requests: as in `docqa.protocols.Reader.read_all`.
            top_k: spans of each request, at most.
            ticket: of the caller's request.
            is_again: they were chosen among passages that were read, and are read soon, also where
                the time is over.

        Raises:
            BusyError: too many passages wait.
            DeadlineError: the time was over before anything was read.
            ModelError: the reader fails.
        """
        chunks = [
            _Chunk(number, question, part, len(part))
            for number, (question, passages) in enumerate(requests)
            for first in range(0, max(1, len(passages)), _CHUNK)
            for part in (passages[first : first + _CHUNK],)
        ]
        call = _Call(reader, ticket, top_k, deque(chunks), [[] for _ in requests], is_again)
        self._await(call)
        return [
            _merged(question, parts, top_k)
            for (question, _), parts in zip(requests, call.found, strict=True)
        ]

    def run(self, work: Callable[[], Any], n_passages: int, ticket: Ticket) -> Any:
        """Return the result of other work with the reader's model, done in the reading thread.

        Args:
            work: not read together with anything else.
            n_passages: the passages that it counts as.
            ticket: of the caller's request.

        Raises:
            BusyError: too many passages wait.
            DeadlineError: the time was over before its turn.
        """
        alone = deque([_Chunk(0, "", (), n_passages)])
        call = _Call(_Work(work), ticket, 1, alone, [[]])
        self._await(call)
        return call.found[0][0]

    def close(self) -> None:
        """End the thread after the batch that it reads; who waits gets the best so far."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
        self._thread.join(timeout=30)

    def _await(self, call: _Call) -> None:
        """Have a call read, until its end or that of its time."""
        with self._changed:
            self._admit(call)
            ends: float | None = None  # when even the batch at work is no longer waited for
            while not call.is_done and not self._is_closed and not call.ticket.is_abandoned:
                if call.ticket.is_over and ends is None:
                    grace = _FINISHING_AGAIN if call.is_again else _FINISHING
                    ends = time.monotonic() + grace
                if ends is not None and time.monotonic() >= ends:
                    break
                if call.is_dropped and call.waiting:
                    self._drop(call)
                else:
                    self._changed.wait(_pause(call.ticket, ends))
            if not call.is_done:
                self._drop(call)
                call.ticket.is_cut = True
            if call.error is not None:
                raise call.error
            if not any(call.found):
                raise DeadlineError(
                    "the service is closed"
                    if self._is_closed
                    else "nothing was read in time; ask again, or ask fewer questions or documents "
                    "at once"
                )

    def _admit(self, call: _Call) -> None:
        waiting, most, ticket = self._waiting(), self._settings.queue_passages, call.ticket
        if waiting and waiting + call.n_waiting > most and not ticket.is_admitted:
            ticket.is_refused = True
        if ticket.is_refused:
            pause = self.pause
            raise BusyError(
                f"{waiting:,} passages wait to be read, of {most:,} at most; ask again in "
                f"{pause:.0f} s",
                retry_after=pause,
            )
        ticket.is_admitted = True
        (self._calls.appendleft if call.is_again else self._calls.append)(call)
        self._changed.notify_all()

    def _waiting(self) -> int:
        return sum(call.n_waiting for call in self._calls)

    def _drop(self, call: _Call) -> None:
        call.drop()
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
            self._read(batch)

    def _next_batch(self) -> _Batch:
        """Return chunks to read together, one of each call in turn; none when it is closed."""
        with self._changed:
            while not self._is_closed:
                for call in [each for each in self._calls if each.is_dropped]:
                    self._drop(call)
                    self._changed.notify_all()
                if self._calls:
                    return self._batch()
                self._changed.wait()
            return []

    def _batch(self) -> _Batch:
        reader = self._calls[0].reader
        turns = deque(call for call in self._calls if call.reader is reader)
        others = [call for call in self._calls if call.reader is not reader]
        room, batch = self._room(reader), list[tuple[_Call, _Chunk]]()
        while turns and (not batch or turns[0].waiting[0].size <= room):
            call = turns.popleft()
            chunk = call.take()
            batch.append((call, chunk))
            room -= chunk.size
            if call.waiting:
                turns.append(call)
        self._calls = deque([*others, *turns])  # whoever waits for another reader is next
        return batch

    def _room(self, reader: Reader) -> int:
        """Return the number of passages of a batch: at most as many as are read in a second."""
        speed = self._speeds.get(id(reader))
        if speed is None:
            return _CHUNK
        return min(self._settings.batch_passages, max(_CHUNK, round(speed * _SECONDS)))

    def _read(self, batch: _Batch) -> None:
        reader, started = batch[0][0].reader, time.monotonic()
        outcomes = _read_or_fail(reader, batch)
        n_passages = sum(chunk.size for _, chunk in batch)
        seconds = max(1e-6, time.monotonic() - started)
        with self._changed:
            self.passages_read += n_passages
            self.batches_read += 1
            self._measured(reader, n_passages, seconds)
            for (call, chunk), outcome in zip(batch, outcomes, strict=True):
                call.at_work -= 1
                if isinstance(outcome, Exception):
                    call.error = outcome
                    self._drop(call)
                else:
                    call.found[chunk.request].append(outcome)
                    call.ticket.read += chunk.size
            self._changed.notify_all()

    def _measured(self, reader: Reader, n_passages: int, seconds: float) -> None:
        passages_before, seconds_before = self._lately
        self._lately = _KEPT * passages_before + n_passages, _KEPT * seconds_before + seconds
        if not isinstance(reader, _Work):
            before = self._speeds.get(id(reader), n_passages / seconds)
            self._speeds[id(reader)] = _KEPT * before + (1 - _KEPT) * n_passages / seconds


@dataclass(frozen=True, slots=True, eq=False)
class _Work:
    """Other work in the reading thread, with the face of a reader."""

    work: Callable[[], Any]

    def read_all(self, requests: Requests, *, top_k: int) -> list[Any]:
        """Return the result of the work, the one chunk's."""
        del requests, top_k
        return [self.work()]


def _pause(ticket: Ticket, ends: float | None) -> float:
    """Return the seconds to wait before looking at a ticket again."""
    until = ticket.deadline if ends is None else ends
    return _TICK if until is None else min(_TICK, max(0.001, until - time.monotonic()))


def _read_or_fail(reader: Reader, batch: _Batch) -> Sequence[AnswerSpans | Exception]:
    """Return the spans of each chunk; where reading fails, of each alone, or its error."""
    requests = [(chunk.question, chunk.passages) for _, chunk in batch]
    try:
        return reader.read_all(requests, top_k=max(call.top_k for call, _ in batch))
    except Exception as error:  # it goes to the caller whose passages they are
        if len(batch) == 1:
            return [error]
        return [found for one in batch for found in _read_or_fail(reader, [one])]


def _merged(question: str, parts: Sequence[AnswerSpans], top_k: int) -> AnswerSpans:
    """Return the spans of a question's chunks as one."""
    spans = [span for part in parts for span in part.spans]
    if len(parts) > 1:
        spans.sort(key=attrgetter("order"))
    return AnswerSpans(question, tuple(spans[:top_k]), sum(part.passages_read for part in parts))
