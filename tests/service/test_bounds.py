"""The bounds of a service: passages that wait, time, files at work, files kept."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hostile import FILES
from worker_jobs import pid_of, sleep_on

import docqa
from docqa.citations.quoting import quoted_spans
from docqa.datamodel import AnswerSpans, Passage
from docqa.errors import BusyError, DeadlineError, LoadError, SettingError, UnknownItemError
from docqa.limits import Limits
from docqa.loaders.isolation.calls import call
from docqa.loaders.isolation.shared_worker import with_worker
from docqa.service import documents as documents_room
from docqa.service.requests import AskRequest
from docqa.service.service import Service
from docqa.service.settings import ServiceSettings
from docqa.service.worker_pool import WorkerPool
from docqa.testing import FakeReader

LAMP = b"The lamp burns colza oil. Ada Quill audits the firm.\n"
WHO = "Who audits the firm?"


class HeldReader(FakeReader):
    """A reader that waits until it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.gate, self.entered = threading.Event(), threading.Event()

    def read_all(
        self, requests: Sequence[tuple[str, Sequence[Passage]]], *, top_k: int
    ) -> list[AnswerSpans]:
        """Read when it is let go."""
        self.entered.set()
        assert self.gate.wait(20)
        return super().read_all(requests, top_k=top_k)


@pytest.fixture
def service() -> Iterator[Service]:
    """Return a service with a reader that needs no weights."""
    with Service(ServiceSettings(min_score=0.0), reader=FakeReader()) as made:
        yield made


def wait_for(condition: Callable[[], bool]) -> None:
    """Wait until something holds."""
    until = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.002)


def test_too_many_passages_refuse_the_whole_request() -> None:
    """The caller gets one error, not an outcome with an error for each question."""
    reader = HeldReader()
    settings = ServiceSettings(queue_passages=20, min_score=0.0)
    with Service(settings, reader=reader) as service, ThreadPoolExecutor(3) as threads:
        text = "\n\n".join(f"Ada Quill audits the firm {n}. " * 40 for n in range(30))
        record, _ = service.add_file(text.encode(), "firm.txt")
        first = threads.submit(service.ask, AskRequest((WHO,), (record.id,)))
        assert reader.entered.wait(20)
        second = threads.submit(service.ask, AskRequest((WHO,), (record.id,)))
        wait_for(lambda: service.status()["passages_waiting"] > 0)
        with pytest.raises(BusyError, match="of 20 at most") as refused:
            service.ask(AskRequest((WHO, "Which firm?"), (record.id,)))
        assert refused.value.retry_after >= 1
        assert service.status()["requests_refused"] == 1
        reader.gate.set()
        for each in (first, second):
            assert each.result(20).items[0].item.answers[0].text == "Ada Quill"


def test_the_deadline_holds_while_a_file_is_opened(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who waits for a document that takes long to open is answered all the same."""
    monkeypatch.setattr("docqa.service.asking._LATE", 0.2)
    gate = threading.Event()
    records = [service.add_file(LAMP + b"%d" % n, f"{n}.txt")[0] for n in range(2)]
    loads = service._documents.document
    monkeypatch.setattr(
        service._documents,
        "document",
        lambda key: (key == records[1].id and gate.wait(20), loads(key))[1],
    )
    request = AskRequest((WHO,), tuple(each.id for each in records), deadline=0.5)
    found = service.ask(request).items
    gate.set()
    assert [each.item.source for each in found] == ["0.txt", "1.txt"]
    assert isinstance(found[1].item.error, DeadlineError)
    assert not found[1].complete
    wait_for(lambda: service.status()["requests"] == 0)


def test_who_is_gone_is_not_read_for() -> None:
    """A request whose outcomes nobody looks at any more is dropped before it is read."""
    reader = HeldReader()
    with Service(ServiceSettings(min_score=0.0), reader=reader) as service:
        record, _ = service.add_file(LAMP, "lamp.txt")
        first = service.ask_items(AskRequest((WHO,), (record.id,)))
        assert reader.entered.wait(20)
        second = service.ask_items(AskRequest((WHO,), (record.id,)))
        wait_for(lambda: service.status()["passages_waiting"] > 0)
        del second
        wait_for(lambda: service.status()["requests"] == 1)
        assert service.status()["passages_waiting"] == 0
        reader.gate.set()
        assert next(first).item.answers[0].text == "Ada Quill"
        assert list(first) == []
        assert service.status()["passages_read"] == 1


def test_an_exhaustive_request_stops_with_the_best_so_far() -> None:
    """Set the stop while it reads: answers, less than all, and not complete."""
    stop = threading.Event()

    class Stopping(FakeReader):
        def read_all(
            self, requests: Sequence[tuple[str, Sequence[Passage]]], *, top_k: int
        ) -> list[AnswerSpans]:
            stop.set()
            return super().read_all(requests, top_k=top_k)

    text = "\n\n".join(f"Ada Quill audits the firm {n}. " * 40 for n in range(200))
    with Service(ServiceSettings(min_score=0.0), reader=Stopping()) as service:
        record, _ = service.add_file(text.encode(), "firm.txt")
        request = AskRequest((WHO,), (record.id,), exhaustive=True, stop=stop)
        (found,) = service.ask(request).items
    coverage = found.item.answers.coverage
    assert not found.complete
    assert 0 < coverage.passages_read < coverage.passages_total
    assert found.item.answers[0].text == "Ada Quill"


@pytest.mark.parametrize("name", ["flate_bomb.pdf", "huge_table.pdf", "garbage.pdf", "tables.html"])
def test_hostile_files_cost_nobody_an_answer(name: str) -> None:
    """Two at a time are uploaded while another client asks; all its answers come."""
    settings = ServiceSettings(
        load_seconds=4.0, load_memory_bytes=300 << 20, workers=2, min_score=0.0
    )
    data, ended = FILES[name](), list[object]()
    with Service(settings, reader=FakeReader()) as service:
        record, _ = service.add_file(LAMP, "lamp.txt")

        def upload(number: int) -> None:
            try:
                ended.append(service.add_file(data + b"%d" % number, name))
            except LoadError as error:
                ended.append(error)

        threads = [threading.Thread(target=upload, args=(n,)) for n in range(2)]
        for each in threads:
            each.start()
        answers = []
        while any(each.is_alive() for each in threads) or not answers:
            (item,) = service.ask(AskRequest((WHO,), (record.id,), deadline=10)).items
            answers += [answer.text for answer in item.item.answers] or [str(item.item.error)]
        for each in threads:
            each.join()
    assert len(ended) == 2
    assert all(name in str(each) for each in ended)
    assert set(answers) == {"Ada Quill"}


def test_documents_out_of_memory_do_not_wait_for_uploads(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """All processes for uploads are busy; a document that fell out of memory is still asked."""
    settings = ServiceSettings(memory_bytes=1, workers=1, min_score=0.0)
    with Service(settings, reader=FakeReader()) as service:
        first, _ = service.add_file(LAMP, "lamp.txt")
        service.add_file(LAMP + b"More.", "more.txt")
        with service._loaders.claimed():
            (found,) = service.ask(AskRequest((WHO,), (first.id,), deadline=20)).items
    assert found.item.answers[0].text == "Ada Quill"


def test_equal_uploads_at_once_are_loaded_once(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Eight clients send the same bytes; one load, one document, and no lock is left."""
    loads, load = list[str](), documents_room.load_with

    def counted(*arguments: object, **named: object) -> object:
        loads.append(str(named["name"]))
        time.sleep(0.05)
        return load(*arguments, **named)

    monkeypatch.setattr(documents_room, "load_with", counted)
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda n: service.add_file(LAMP, f"{n}.txt"), range(8)))
    assert len(loads) == 1
    assert sorted(is_new for _, is_new in found) == [False] * 7 + [True]
    assert len({record.name for record, _ in found}) == 1
    assert not service._documents._turns


def test_processes_are_replaced_after_some_files() -> None:
    """A process serves a number of requests, then another one does."""
    pool = WorkerPool(1, 3)
    try:
        with with_worker(pool):
            pids = [call(pid_of, b"", source="x", limits=Limits()) for _ in range(7)]
    finally:
        pool.close()
    assert [len(set(pids[:3])), len(set(pids[3:6])), len(set(pids))] == [1, 1, 3]


def test_looking_has_less_time_than_loading() -> None:
    """A place whose lookup takes long ends with an error, before the limit of the file."""
    pool = WorkerPool(1, 100, seconds=1.0)
    try:
        with with_worker(pool), pytest.raises(docqa.LoadTimeoutError, match="takes over 1 s"):
            call(sleep_on, b"", source="slow.pdf", limits=Limits(wall_seconds=60))
    finally:
        pool.close()


def test_jobs_that_never_began_leave_no_file(service: Service) -> None:
    """A job that is stopped while others are at work ends at once, and its upload is deleted."""
    gate = threading.Event()
    busy = [
        service._jobs.start("document", "busy", lambda job: {"done": gate.wait(20)})
        for _ in range(2)
    ]
    wait_for(lambda: all(each.state == "running" for each in busy))
    upload = service.new_file()
    upload.write_bytes(LAMP)
    job = service.add_file_later(upload, "lamp.txt")
    assert upload.exists()
    assert service.cancel(job.id).state == "cancelled"
    assert service.wait(job.id, 0).ended.is_set()
    assert not upload.exists()
    gate.set()
    assert [service.wait(each.id, 20).state for each in busy] == ["done"] * 2


def test_documents_of_collections_are_no_uploads(tmp_path: Path) -> None:
    """Looking at one adds nothing to the uploads; a changed file is refused and not kept."""
    files = tmp_path / "files"
    files.mkdir()
    (files / "lamp.txt").write_bytes(LAMP)
    with docqa.Collection(tmp_path / "kb", pipeline=docqa.Pipeline(reader=FakeReader())) as kb:
        kb.sync(files)
    key, settings = (
        hashlib.sha256(LAMP).hexdigest(),
        ServiceSettings(collections={"kb": str(tmp_path / "kb")}),
    )
    with Service(settings, reader=FakeReader()) as service:
        assert service.text(key, 0, 8) == "The lamp"
        assert service.documents() == []
        with pytest.raises(SettingError, match="nothing to ask"):
            service.ask(AskRequest((WHO,)))
        record, is_new = service.add_file(LAMP, "mine.txt")
        assert (is_new, record.name) == (True, "mine.txt")
        assert service.documents() == [record]
    with Service(settings, reader=FakeReader()) as service:
        (files / "lamp.txt").write_bytes(b"Other words.")
        with pytest.raises(UnknownItemError, match=r"lamp\.txt has changed"):
            service.text(key)
        assert service.status()["document_disk_bytes"] == 0


def test_pairs_come_in_order_however_they_are_cut() -> None:
    """A hundred pairs, with a long text among them, are those of one call of `docqa.compat`."""
    from docqa.compat import pipeline

    questions = [f"Who came in {1900 + n}?" for n in range(100)]
    contexts = [f"Ada Quill came in {1900 + n}, Ben Ash in {1990 - n}." for n in range(100)]
    contexts[50] = "The lamp burned. " * 900 + contexts[50]
    with Service(ServiceSettings(reader="mini")) as service:
        found = service.answer_pairs(questions, contexts, top_k=2)
        with pytest.raises(SettingError, match="2 questions and 1 contexts"):
            service.answer_pairs(["Who?", "Where?"], ["Here."])
        assert service.status()["requests"] == 0
    assert found == pipeline("question-answering")(question=questions, context=contexts, top_k=2)


def test_quotes_are_looked_for_in_linear_time() -> None:
    """Lines after a hyphen are gone through once, not once for each of them."""
    text = "a-" + "\n" * 100_000 + "c"
    assert quoted_spans(text, "ab", limit=1) == []
    assert len(quoted_spans(text, "ac", limit=1)) == 1
