"""Readers in the queue: what many threads get together is what each would get alone."""

from __future__ import annotations

import io
import random
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

import docqa
from docqa.datamodel import AnswerSpan, AnswerSpans, Passage, Span
from docqa.errors import DeadlineError
from docqa.protocols import BaseReader, Reader, StoringReader, Tokens
from docqa.reader.cascade_reader import CascadeReader
from docqa.service.queued_reader import TICKET, QueuedReader
from docqa.service.reading import ReadingQueue, Ticket
from docqa.service.requests import AskRequest
from docqa.service.service import Service
from docqa.service.settings import ServiceSettings
from docqa.testing import FakeReader, WhitespaceTokenizer


class DrawnReader(BaseReader):
    """A reader whose spans are drawn by question, passage and a seed of its own."""

    def __init__(self, seed: int, *, after: Callable[[int], None] = lambda n: None) -> None:
        self.seed, self.after, self.n_read = seed, after, 0
        self.name, self.revision, self.tokenizer = f"drawn-{seed}", "1", WhitespaceTokenizer()
        self.max_passage_tokens = 100

    def remember(self, tokens: dict[str, Tokens]) -> None:
        raise AssertionError("there are no tokens here")

    def read(self, question: str, passages: Sequence[Passage], *, top_k: int) -> AnswerSpans:
        found = [span for passage in passages for span in self.spans(question, passage)]
        found.sort(key=lambda span: span.order)
        self.n_read += len(passages)
        self.after(self.n_read)
        return AnswerSpans(question, tuple(found[:top_k]), len(passages))

    def spans(self, question: str, passage: Passage) -> list[AnswerSpan]:
        drawn = random.Random(f"{self.seed} {question} {passage.text}")
        starts = drawn.sample(range(len(passage.text)), drawn.randint(1, 3))
        return [AnswerSpan(passage, Span(at, at + 1), drawn.random(), 0, 0) for at in starts]


def passages(count: int) -> list[Passage]:
    """Return passages of different words."""
    texts = [f"passage number {number} of them" for number in range(count)]
    return [Passage("d", at, Span(0, len(text)), text) for at, text in enumerate(texts)]


def cascade(first: StoringReader, second: Reader) -> CascadeReader:
    """Return a cascade of two readers that reads three passages again."""
    return CascadeReader(first, second, passages_again=3, name="both")


@pytest.fixture
def queue() -> Iterator[ReadingQueue]:
    """Return a queue before a cascade of two drawn readers."""
    made = ReadingQueue(lambda: cascade(DrawnReader(1), DrawnReader(2)), ServiceSettings())
    yield made
    made.close()


def test_a_cascade_in_the_queue_is_one_alone(queue: ReadingQueue) -> None:
    """Requests of 1 to 300 passages in 16 threads: spans and order are those of one at a time."""
    reader, alone = QueuedReader(queue), cascade(DrawnReader(1), DrawnReader(2))
    asked = [
        [(f"Question {n}?", passages(size)), (f"Other {n}?", passages(2 + n))]
        for n, size in enumerate((1, 3, 4, 12, 31, 33, 64, 100, 300) * 4)
    ]
    with ThreadPoolExecutor(16) as threads:
        found = list(threads.map(lambda each: reader.read_all(each, top_k=50), asked))
    assert found == [alone.read_all(each, top_k=50) for each in asked]


def test_a_stopped_cascade_gives_the_best_so_far() -> None:
    """The first reader is stopped; the second still reads the best of what was read."""
    ticket = Ticket()

    def stop(n_read: int) -> None:
        if n_read >= 64:
            ticket.stop.set()

    first, second = DrawnReader(1, after=stop), DrawnReader(2)
    queue = ReadingQueue(lambda: cascade(first, second), ServiceSettings())
    token = TICKET.set(ticket)
    try:
        found = QueuedReader(queue).read("Which?", passages(5000), top_k=50)
        assert 64 <= found.passages_read < 5000
        assert found.passages_read == first.n_read
        assert second.n_read == 3
        want = cascade(DrawnReader(1), DrawnReader(2)).read(
            "Which?", passages(found.passages_read), top_k=50
        )
        assert found == want
        with pytest.raises(DeadlineError):
            QueuedReader(queue).read("Which?", passages(50), top_k=50)
    finally:
        TICKET.reset(token)
        queue.close()


def test_other_work_is_done_in_the_reading_thread(queue: ReadingQueue) -> None:
    """No two threads use a model; errors are those of the caller whose work it is."""
    names = [
        queue.run(lambda: threading.current_thread().name, 1, Ticket()),
        queue.run(lambda: threading.current_thread().name, 5000, Ticket()),
    ]
    assert names == ["docqa-reader"] * 2
    with pytest.raises(ZeroDivisionError):
        queue.run(lambda: 1 // 0, 1, Ticket())
    assert queue.n_waiting == 0


def test_a_service_opens_before_its_reader_is_loaded() -> None:
    """Documents can come while the reader loads, and questions wait for it."""
    gate, loaded = threading.Event(), FakeReader()

    class Slow(FakeReader):
        def load(self) -> None:
            assert gate.wait(20)

    with Service(ServiceSettings(min_score=0.0), reader=Slow()) as service:
        record, _ = service.add_file(b"Ada Quill audits the firm.", "firm.txt")
        assert not service.is_ready
        gate.set()
        outcome = service.ask(AskRequest(("Who audits the firm?",), (record.id,)))
        assert service.is_ready
    assert [answer.text for answer in outcome.items[0].item.answers] == ["Ada Quill"]
    assert loaded.name == service.reader_name


def test_the_shipped_reader_says_the_same_to_many_at_once() -> None:
    """Words, spans and scores of `mini` in 12 threads are those of a pipeline one by one."""
    text = "\n\n".join(
        f"Keeper {name} came in {1860 + n}. The lamp number {n} burned {oil} oil until {1900 + n}."
        for n, (name, oil) in enumerate(
            zip(["Ada Quill", "Ben Ash", "Cora Lind"] * 8, ["colza", "whale"] * 12, strict=True)
        )
    ).encode()
    questions = [f"Who came in {1860 + n}?" for n in range(6)]
    questions += [f"What did the lamp number {n} burn?" for n in range(6)]
    pipeline = docqa.Pipeline(reader="mini", min_score=0.0)
    with Service(ServiceSettings(reader="mini", min_score=0.0)) as service:
        record, _ = service.add_file(text, "log.txt")

        def ask(question: str) -> list[tuple[str, int, int, float]]:
            (item,) = service.ask(AskRequest((question,), (record.id,), top_k=3)).items
            return [(a.text, a.start, a.end, a.score) for a in item.item.answers]

        with ThreadPoolExecutor(12) as threads:
            found = list(threads.map(ask, questions))
    for question, answers in zip(questions, found, strict=True):
        alone = pipeline.ask(io.BytesIO(text), question, top_k=3)
        assert [each[:3] for each in answers] == [(a.text, a.start, a.end) for a in alone]
        assert [each[3] for each in answers] == pytest.approx([a.score for a in alone], abs=1e-6)
