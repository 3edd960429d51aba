"""Questions of callers at work: admitted, each request in a thread, ended in time."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from docqa.asking.grid import AskCall, AskedSource, ask_sources
from docqa.compat import QuestionAnsweringPipeline, pipeline
from docqa.compat.inputs import Settings
from docqa.datamodel import Document, GridItem
from docqa.errors import BusyError, DeadlineError, DocqaError, SettingError
from docqa.loaders.isolation.shared_worker import with_worker
from docqa.reader.cascade_reader import CascadeReader
from docqa.service.queued_reader import TICKET
from docqa.service.reading import Ticket
from docqa.service.requests import AskedItem

if TYPE_CHECKING:
    from docqa.service.library import ServedLibrary
    from docqa.service.queued_reader import QueuedPipeline
    from docqa.service.reading import ReadingQueue
    from docqa.service.requests import AskRequest
    from docqa.service.settings import ServiceSettings
    from docqa.service.worker_pool import WorkerPool

__all__ = ["RequestsAtWork"]

_LATE = 5.0  # seconds beyond the deadline, in which what was read becomes answers
_PAIRS = 32  # passages of pairs that are read before others have their turn
_CHARACTERS = 1200  # of a passage, about

_Found = queue.SimpleQueue["AskedItem | BaseException | None"]


class RequestsAtWork:
    """The requests of callers that are at work, a bounded number.

    Args:
        settings: bounds and deadline.
        reading: reads for all of them.
        pipeline: has the settings of asking.
        library: has the documents and collections.
        lookers: look up places.
    """

    def __init__(
        self,
        settings: ServiceSettings,
        reading: ReadingQueue,
        pipeline: QueuedPipeline,
        library: ServedLibrary,
        lookers: WorkerPool,
    ) -> None:
        self._settings, self._queue, self._pipeline = settings, reading, pipeline
        self._library, self._lookers = library, lookers
        self._lock = threading.Lock()
        self.n_requests = self.n_refused = 0
        self._scoring: QuestionAnsweringPipeline | None = None
        self._threads = ThreadPoolExecutor(settings.queue_requests, thread_name_prefix="docqa-ask")

    def items(self, request: AskRequest) -> Iterator[AskedItem]:
        """Return an iterator over the outcomes; see `docqa.service.service.Service.ask_items`."""
        own = self._settings.deadline
        seconds = own if request.deadline is None else min(own, request.deadline)
        ticket = Ticket(time.monotonic() + seconds, request.stop)
        ids = self._library.asked(request)
        names = [self._library.record(each).name for each in ids] or [str(request.collection)]
        pairs = [(name, question) for name in names for question in request.questions]
        found: _Found = queue.SimpleQueue()
        self._enter()
        try:
            self._threads.submit(self._work, request, ids, ticket, found)
        except RuntimeError:
            self._leave()
            raise DeadlineError("the service is closed") from None
        return _Outcomes(found, ticket, pairs, request.collection)

    def pairs(
        self, questions: Sequence[str], contexts: Sequence[str], settings: dict[str, Any]
    ) -> list[Any]:
        """Return the answers of pairs; see `docqa.service.service.Service.answer_pairs`."""
        if len(questions) != len(contexts):
            raise SettingError(f"{len(questions)} questions and {len(contexts)} contexts")
        ticket, answers = Ticket(time.monotonic() + self._settings.deadline), list[Any]()
        with self._admitted():
            for part in _parts(contexts):
                asked, about = questions[part], contexts[part]
                work = partial(self._scored, list(asked), list(about), settings)
                answers += self._queue.run(work, _size(about), ticket)
        return answers

    def close(self) -> None:
        """Begin no more work."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    @contextmanager
    def _admitted(self) -> Iterator[None]:
        self._enter()
        try:
            yield
        finally:
            self._leave()

    def _enter(self) -> None:
        """Count a request that is at work or waits.

        Raises:
            BusyError: there are too many.
        """
        most = self._settings.queue_requests
        with self._lock:
            if self.n_requests >= most:
                self.n_refused += 1
                pause = self._queue.pause
                raise BusyError(
                    f"{most} requests are at work or wait; ask again in {pause:.0f} s",
                    retry_after=pause,
                )
            self.n_requests += 1

    def _leave(self) -> None:
        with self._lock:
            self.n_requests -= 1

    def _work(self, request: AskRequest, ids: Sequence[str], ticket: Ticket, found: _Found) -> None:
        """Find the outcomes of a request; in a thread of its own."""
        token = TICKET.set(ticket)
        try:
            with with_worker(self._lookers):
                for item in self._asked(request, ids, ticket):
                    found.put(item)
            found.put(None)
        except BaseException as error:  # raised where the caller waits
            found.put(error)
        finally:
            TICKET.reset(token)
            self._leave()

    def _asked(
        self, request: AskRequest, ids: Sequence[str], ticket: Ticket
    ) -> Iterator[AskedItem]:
        asked = (
            self._asked_documents(request, ids, ticket)
            if request.collection is None
            else self._asked_collection(request, request.collection)
        )
        for item, top_passages in asked:
            if isinstance(item.error, BusyError) and not ticket.is_admitted:
                with self._lock:
                    self.n_refused += 1
                raise item.error  # nothing was begun
            yield _outcome(item, request.collection, ticket, top_passages)

    def _asked_documents(
        self, request: AskRequest, ids: Sequence[str], ticket: Ticket
    ) -> Iterator[tuple[GridItem, int | None]]:
        """Yield each outcome with the number of passages that was to be read; None is all."""
        settings = self._pipeline.ask_settings(
            top_k=request.top_k,
            min_score=request.min_score,
            top_passages=request.top_passages,
            exhaustive=request.exhaustive,
        )
        call = AskCall(self._pipeline.reader, settings, self._library.prepared)
        sources = [
            AskedSource(
                self._library.record(each).name,
                partial(self._in_time, each, ticket),
                request.questions,
            )
            for each in ids
        ]
        for _, item in ask_sources(sources, lambda: call, failing=(DocqaError,)):
            yield item, settings.top_passages

    def _in_time(self, document_id: str, ticket: Ticket) -> Document:
        if ticket.is_over:
            ticket.is_cut = True
            raise DeadlineError("the time of the request was over before this document's turn")
        return self._library.loaded(document_id)

    def _asked_collection(
        self, request: AskRequest, name: str
    ) -> Iterator[tuple[GridItem, int | None]]:
        shelf = self._library.shelf
        collection, top_passages = shelf.get(name), request.top_passages
        try:
            if request.exhaustive:
                top_passages = max(1, collection.info().n_passages)
            outcomes = collection.ask_all(
                request.questions,
                top_k=request.top_k,
                where=request.where,
                min_score=request.min_score,
                top_passages=top_passages,
            )
            for item in outcomes:
                yield shelf.public(item, name), top_passages
        except DocqaError as error:
            raise shelf.scrubbed_error(error) from error

    def _scored(
        self, questions: list[str], contexts: list[str], settings: dict[str, Any]
    ) -> list[Any]:
        """Return the answers of some pairs; in the reading thread."""
        found: Any = self._scorer()(question=questions, context=contexts, **settings)
        return found if len(questions) > 1 else [found]

    def _scorer(self) -> QuestionAnsweringPipeline:
        """Return `docqa.compat` over the reader's own model, or over that of ``"mini"``."""
        if self._scoring is None:
            from docqa.reader.span_reader import SpanReader

            reader = self._queue.reader()
            quick = reader.first if isinstance(reader, CascadeReader) else reader
            if isinstance(quick, SpanReader):
                self._scoring = QuestionAnsweringPipeline(quick, Settings())
            else:
                self._scoring = pipeline("question-answering", model="mini")
        return self._scoring


class _Outcomes(Iterator[AskedItem]):
    """The outcomes of one request, one after another, until the end of its time.

    Args:
        found: outcomes as they are found, then None or an error.
        ticket: of the request.
        pairs: (name, question) of all outcomes, in order.
        collection: its name, or None for documents.
    """

    def __init__(
        self,
        found: _Found,
        ticket: Ticket,
        pairs: Sequence[tuple[str, str]],
        collection: str | None,
    ) -> None:
        self._found, self._ticket, self._collection = found, ticket, collection
        self._left = iter(pairs)
        self._late: DocqaError | None = None

    def __next__(self) -> AskedItem:
        pair = next(self._left, None)
        if pair is None:
            raise StopIteration
        if self._late is None:
            found = self._next_found()
            if isinstance(found, AskedItem):
                return found
            if found is None:
                self._left = iter(())
                raise StopIteration
            if not isinstance(found, DeadlineError):
                self._left = iter(())
                raise found
            self._late = found
        name, question = pair
        failed = GridItem.failed(question, name, self._late)
        return AskedItem(failed, self._collection, complete=False)

    def close(self) -> None:
        """End the work; no more is taken."""
        self._ticket.is_abandoned = True
        self._left = iter(())

    def __del__(self) -> None:
        self._ticket.is_abandoned = True

    def _next_found(self) -> AskedItem | BaseException | None:
        deadline = self._ticket.deadline
        wait = None if deadline is None else max(0.0, deadline + _LATE - time.monotonic())
        try:
            return self._found.get(timeout=wait)
        except queue.Empty:
            self._ticket.is_abandoned = True
            return DeadlineError("the time of the request was over before this was answered")


def _outcome(
    item: GridItem, collection: str | None, ticket: Ticket, top_passages: int | None
) -> AskedItem:
    """Return an outcome, and whether all passages were read that were to be read."""
    read, total = item.answers.coverage.passages_read, item.answers.coverage.passages_total
    if item.error is not None or not ticket.is_cut:
        return AskedItem(item, collection, not isinstance(item.error, DeadlineError))
    wanted = total if top_passages is None else min(total, top_passages)
    if wanted and not read:
        error = DeadlineError("nothing was read for it in time; ask it again, or less at once")
        failed = GridItem.failed(
            item.question, item.source, error, document=item.document, passages_total=total
        )
        return AskedItem(failed, collection, complete=False)
    return AskedItem(item, collection, read >= wanted)


def _size(contexts: Sequence[str]) -> int:
    """Return about how many passages some texts make."""
    return sum(1 + len(each) // _CHARACTERS for each in contexts)


def _parts(contexts: Sequence[str]) -> Iterator[slice]:
    """Yield slices of texts that are read in one piece."""
    first = 0
    for last in range(1, len(contexts) + 1):
        if last == len(contexts) or _size(contexts[first : last + 1]) > _PAIRS:
            yield slice(first, last)
            first = last
