"""One thread reads for all requests: the same answers, bounds, deadlines and stops."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest

from docqa.datamodel import AnswerSpans, Passage, Span
from docqa.errors import BusyError, DeadlineError, ModelError
from docqa.protocols import Reader
from docqa.service.reading import QueuedReader, ReadingQueue, Ticket
from docqa.service.settings import ServiceSettings
from docqa.testing import FakeReader


def passages(n: int, words: str = "The firm is old. Ada Quill audits it.") -> list[Passage]:
    """Return passages of one document that all have the same words."""
    return [Passage("id", number, Span(0, len(words)), words) for number in range(n)]


@dataclass
class HeldReader(FakeReader):
    """A reader that waits until it is let go, and notes the size of each batch."""

    gate: threading.Event = field(default_factory=threading.Event)
    entered: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    batches: list[list[int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def read_all(
        self, requests: Sequence[tuple[str, Sequence[Passage]]], *, top_k: int
    ) -> list[AnswerSpans]:
        """Read when it is let go."""
        self.batches.append([len(each) for _, each in requests])
        self.entered.release()
        assert self.gate.wait(20)
        return super().read_all(requests, top_k=top_k)


@contextmanager
def queue_of(reader: Reader, **settings: int) -> Iterator[ReadingQueue]:
    """Give a queue before a reader, closed at the end."""
    queue = ReadingQueue(lambda: reader, ServiceSettings(**settings))
    try:
        yield queue
    finally:
        queue.close()


def in_thread(work: Callable[[], object]) -> tuple[threading.Thread, list[object]]:
    """Start work in a thread; its result or error is in the list."""
    outcome: list[object] = []

    def run() -> None:
        try:
            outcome.append(work())
        except Exception as error:
            outcome.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    return thread, outcome


def wait_for(condition: Callable[[], bool]) -> None:
    """Wait until something holds."""
    until = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.002)


def test_requests_that_wait_are_read_together() -> None:
    """While one batch is read others come; they are one batch, with answers as one by one."""
    reader = HeldReader()
    questions = [f"Who audits the firm {n}?" for n in range(12)]
    alone = [FakeReader().read(each, passages(3), top_k=60) for each in questions]
    with queue_of(reader) as queue:
        first, _ = in_thread(lambda: queue.read_all([("Who?", passages(1))], 20, Ticket()))
        assert reader.entered.acquire(timeout=20)
        started = [
            in_thread(lambda each=each: queue.read_all([(each, passages(3))], 60, Ticket()))
            for each in questions
        ]
        wait_for(lambda: queue.n_waiting == 36)
        reader.gate.set()
        for thread, _ in [(first, None), *started]:
            thread.join(20)
    assert [outcome[0] for _, outcome in started] == [[each] for each in alone]
    assert reader.batches[0] == [1]
    assert max(len(batch) for batch in reader.batches) > 6


def test_a_large_request_is_cut_and_small_ones_pass_it() -> None:
    """Ten passages do not wait for five hundred that came first."""
    reader = HeldReader()
    reader.gate.set()
    with queue_of(reader) as queue:
        reader.gate.clear()
        large, found = in_thread(
            lambda: queue.read_all([("Who audits?", passages(500))], 9, Ticket())
        )
        assert reader.entered.acquire(timeout=20)
        small, _ = in_thread(lambda: queue.read_all([("Who audits?", passages(10))], 9, Ticket()))
        wait_for(lambda: queue.n_waiting == 478)
        reader.gate.set()
        large.join(20)
        small.join(20)
    assert max(sum(batch) for batch in reader.batches) <= 256
    assert 10 in reader.batches[1]
    ((spans,),) = found
    assert spans.passages_read == 500
    assert len(spans.spans) == 9


def test_merged_spans_are_those_of_one_reading() -> None:
    """Chunks give the spans and the order that one reading of all gives."""
    kinds = ["Ada Quill audits it.", "The firm is audited by Ben Ash.", "Audits cost money."]
    mixed = [Passage("id", n, Span(0, len(kinds[n % 3])), kinds[n % 3]) for n in range(100)]
    with queue_of(FakeReader()) as queue:
        found = queue.read_all([("Who audits the firm?", mixed)], 70, Ticket())
    assert found == [FakeReader().read("Who audits the firm?", mixed, top_k=70)]


def test_too_much_is_refused_with_the_time_to_come_again() -> None:
    """Beyond the bound a request is refused at once, and none of those inside is lost."""
    reader = HeldReader()
    with queue_of(reader, queue_passages=40) as queue:
        first, one = in_thread(lambda: queue.read_all([("Who?", passages(32))], 20, Ticket()))
        assert reader.entered.acquire(timeout=20)
        second, two = in_thread(lambda: queue.read_all([("Who?", passages(30))], 20, Ticket()))
        wait_for(lambda: queue.n_waiting == 30)
        with pytest.raises(BusyError, match="30 passages wait to be read, of 40") as refused:
            queue.read_all([("Who?", passages(20))], 20, Ticket())
        reader.gate.set()
        first.join(20)
        second.join(20)
    assert 1 <= refused.value.retry_after <= 60
    assert [type(each[0]) for each in (one, two)] == [list, list]


def test_a_deadline_gives_the_best_so_far() -> None:
    """Chunks that were read in time are merged; with none there is an error that says so."""
    reader = HeldReader()
    with queue_of(reader) as queue:
        ticket = Ticket(time.monotonic() + 0.05)
        with pytest.raises(DeadlineError, match="nothing was read in time"):
            queue.read_all([("Who audits?", passages(8))], 20, ticket)
        assert ticket.is_cut
        reader.gate.set()
        stopped = Ticket()

        def stop_after_two() -> None:
            wait_for(lambda: stopped.read >= 32)
            stopped.stop.set()

        in_thread(stop_after_two)
        many = passages(4000)
        (spans,) = queue.read_all([("Who audits the firm?", many)], 20, stopped)
        assert 32 <= spans.passages_read <= 4000
        assert spans.spans


def test_stopped_requests_are_never_read() -> None:
    """Passages of a caller who is gone are dropped before they are read."""
    reader = HeldReader()
    with queue_of(reader) as queue:
        first, _ = in_thread(lambda: queue.read_all([("Who?", passages(1))], 20, Ticket()))
        assert reader.entered.acquire(timeout=20)
        gone = Ticket()
        second, outcome = in_thread(lambda: queue.read_all([("Who?", passages(7))], 20, gone))
        wait_for(lambda: queue.n_waiting == 7)
        gone.stop.set()
        second.join(20)
        assert isinstance(outcome[0], DeadlineError)
        assert queue.n_waiting == 0
        reader.gate.set()
        first.join(20)
    assert reader.batches == [[1]]


def test_an_error_is_its_own_requests_alone() -> None:
    """A request that the reader fails at spoils no other in its batch."""

    class Failing(FakeReader):
        def read(self, question: str, passages: Sequence[Passage], *, top_k: int) -> AnswerSpans:
            if question == "bad":
                raise ModelError("the reader failed")
            return super().read(question, passages, top_k=top_k)

    with queue_of(Failing()) as queue:
        started = [
            in_thread(lambda q=q: queue.read_all([(q, passages(2))], 20, Ticket()))
            for q in ("Who audits?", "bad") * 5
        ]
        for thread, _ in started:
            thread.join(20)
    kinds = [type(outcome[0]) for _, outcome in started]
    assert kinds == [list, ModelError] * 5


def test_a_reader_that_does_not_load_is_said_to_all() -> None:
    """Whoever asks gets the error with which loading failed."""

    def fail() -> Reader:
        raise ModelError("no such reader")

    queue = ReadingQueue(fail, ServiceSettings())
    with pytest.raises(ModelError, match="no such reader"):
        queue.reader()
    with pytest.raises(ModelError, match="no such reader"):
        QueuedReader(queue).read("Who?", passages(1), top_k=1)
    assert not queue.is_ready
    queue.close()
