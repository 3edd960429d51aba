"""The service under the HTTP server, its page and the tools of agents."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from docqa.asking.grid import AskCall, AskedSource, ask_sources
from docqa.asking.pipeline import Pipeline
from docqa.asking.prepared import index_of, prepare
from docqa.asking.settings import DEFAULT_MIN_SCORE, Splitting, at_least_1
from docqa.citations.outcomes import Verification
from docqa.citations.quoting import NearestText, nearest_text, quoted_spans
from docqa.citations.records import Citation, citations_of
from docqa.citations.verification import check_citation
from docqa.compat import QuestionAnsweringPipeline, pipeline
from docqa.datamodel import Document, GridItem, Location, Page, RankedPassage, Span
from docqa.errors import (
    BusyError,
    CitationError,
    DeadlineError,
    DocqaError,
    SettingError,
    UnknownItemError,
)
from docqa.load_settings import LoadSettings
from docqa.loaders.isolation.shared_worker import with_worker
from docqa.protocols import Index, Progress, Reader
from docqa.recent import Recent
from docqa.service.documents import DocumentStore, ServedDocument
from docqa.service.exporting import exported
from docqa.service.jobs import Jobs, Progressing, ServiceJob
from docqa.service.pages import ShownPage, page_text, picture, view
from docqa.service.reading import TICKET, QueuedReader, ReadingQueue, Ticket
from docqa.service.requests import AskedItem, AskOutcome, AskRequest
from docqa.service.settings import ServiceSettings
from docqa.service.shelf import Shelf, ShelvedDocument
from docqa.service.worker_pool import WorkerPool

__all__ = ["Service"]

_PICTURES = 64  # pages drawn lately
_INDEXES = 4  # of several documents together, for searches
_SCORING_READERS = ("mini", "base")  # others have no logits of their own to show

_Result = TypeVar("_Result")


class Service:
    """Documents, collections and a reader for many callers at once; threads share it.

    Files are opened in processes of their own. One thread reads for all requests together. Nothing
    that a caller gets names a path of the machine. Every method may raise `BusyError` where too
    much waits.

    Args:
        settings: limits and sizes; None for the usual ones.
        reader: a reader in place of the one that the settings name.

    Raises:
        SettingError: there is no engine for the address of a collection.
    """

    def __init__(
        self, settings: ServiceSettings | None = None, *, reader: Reader | None = None
    ) -> None:
        self.settings = settings or ServiceSettings()
        own = self.settings
        self._queue = ReadingQueue(partial(_loaded, own.reader, reader), own)
        self._reader = QueuedReader(self._queue)
        self._loaders = WorkerPool(own.workers, own.files_per_worker)
        self._lookers = WorkerPool(own.workers, own.files_per_worker * 20)
        self._documents = DocumentStore(own, self._loaders, self._prepare)
        self._pipeline = Pipeline(
            reader=self._reader,
            min_score=DEFAULT_MIN_SCORE if own.min_score is None else own.min_score,
            isolate=True,
            limits=own.limits,
        )
        self._shelf = Shelf(own.collections, self._pipeline)
        self._jobs = Jobs()
        self._requests = threading.Semaphore(own.queue_requests)
        self._n_requests = 0
        self._threads = ThreadPoolExecutor(own.queue_requests, thread_name_prefix="docqa-ask")
        self._pictures: Recent[bytes] = Recent(_PICTURES)
        self._indexes: Recent[Index] = Recent(_INDEXES)
        self._scoring: QuestionAnsweringPipeline | None = None
        self._scores = threading.Lock()

    def close(self) -> None:
        """End all work, processes and threads; delete the originals of uploads."""
        self._jobs.close()
        self._queue.close()
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._loaders.close()
        self._lookers.close()
        self._shelf.close()
        self._documents.close()

    def __enter__(self) -> Service:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    # Documents

    def new_file(self) -> Path:
        """Return a path at which an upload can be written, to be given to `add_file`."""
        return self._documents.new_file()

    def add_file(
        self,
        content: bytes | Path,
        name: str,
        *,
        media_type: str | None = None,
        password: str | None = None,
        progress: Progress | None = None,
    ) -> tuple[ServedDocument, bool]:
        """Return the record of a document, and whether it is new; see `DocumentStore.add`.

        Raises:
            LoadError: it cannot be loaded; nothing is kept.
        """
        return self._documents.add(
            content, name, media_type=media_type, password=password, progress=progress
        )

    def add_file_later(
        self,
        content: bytes | Path,
        name: str,
        *,
        media_type: str | None = None,
        password: str | None = None,
    ) -> ServiceJob:
        """Return a job that loads a document; its result is the record."""

        def work(job: ServiceJob) -> dict[str, Any]:
            record, _ = self.add_file(
                content, name, media_type=media_type, password=password, progress=Progressing(job)
            )
            return record.to_dict()

        return self._jobs.start("document", name, work)

    def documents(self) -> list[ServedDocument]:
        """Return the records of the uploaded documents, in the order in which they came."""
        return self._documents.records()

    def document(self, document_id: str) -> ServedDocument:
        """Return the record of a document, uploaded or in a collection.

        Raises:
            UnknownItemError: there is none of this id.
        """
        self._require(document_id)
        return self._documents.record(document_id)

    def remove(self, document_id: str) -> None:
        """Forget an uploaded document.

        Raises:
            UnknownItemError: there is none of this id.
        """
        self._documents.remove(document_id)

    def text(self, document_id: str, start: int = 0, end: int | None = None) -> str:
        """Return characters of a document's text; `end` None is its end.

        Raises:
            UnknownItemError: there is no document of this id.
            SettingError: the span does not lie inside the text.
        """
        text = self._loaded(document_id).text
        last = len(text) if end is None else end
        if not 0 <= start <= last <= len(text):
            raise SettingError(f"{start} to {last} is no part of a text of {len(text)} characters")
        return text[start:last]

    def original(self, document_id: str) -> bytes:
        """Return the bytes of a document.

        Raises:
            UnknownItemError: there is no document of this id.
        """
        self._require(document_id)
        return self._documents.data(document_id)

    def view_html(self, document_id: str) -> bytes:
        """Return a document as HTML that runs and fetches nothing; see `docqa.service.pages`.

        Raises:
            UnknownItemError: there is no document of this id.
        """
        return view(self._loaded(document_id), self._documents.data(document_id))

    def pages(self, document_id: str) -> tuple[Page, ...]:
        """Return the sizes and numbers of an uploaded document's pages; none of other formats.

        Raises:
            UnknownItemError: there is no document of this id.
        """
        return self._documents.document(document_id).pages

    def page(self, document_id: str, number: int) -> ShownPage:
        """Return the size and the lines of a page.

        Raises:
            UnknownItemError: there is no such document or page.
        """
        document = self._loaded(document_id)
        with with_worker(self._lookers):
            return page_text(document, number)

    def page_image(self, document_id: str, number: int, *, scale: float = 2.0) -> bytes:
        """Return a JPEG of a page of a PDF; those drawn lately are kept.

        Raises:
            UnknownItemError: there is no such document or page.
            SettingError: it is no PDF, or the scale is out of its range.
            HighlightError: the page cannot be drawn.
        """
        document = self._loaded(document_id)

        def draw() -> bytes:
            data, settings = self._documents.data(document_id), self._load_settings(document_id)
            with with_worker(self._lookers):
                return picture(document, data, number, scale=scale, settings=settings)

        return self._pictures.get_or_make((document_id, number, scale), draw)

    def locate(self, document_id: str, start: int, end: int) -> tuple[Location, ...]:
        """Return the places of a span in the original.

        Raises:
            UnknownItemError: there is no document of this id.
            SettingError: the span is empty or does not lie inside the text.
        """
        document = self._loaded(document_id)
        if not 0 <= start < end <= len(document.text):
            raise SettingError(
                f"{start} to {end} is no part of a text of {len(document.text)} characters"
            )
        with with_worker(self._lookers):
            return document.locate(Span(start, end))

    # Questions

    def ask(self, request: AskRequest) -> AskOutcome:
        """Return the outcomes of all questions, in order; see `ask_items`."""
        return AskOutcome(tuple(self.ask_items(request)))

    def ask_items(self, request: AskRequest) -> Iterator[AskedItem]:
        """Yield the outcome of each question to each document, or to the collection, as found.

        Documents that cannot be asked and questions that cannot be read give items with an error.
        When the deadline passes, or `request.stop` is set, what was not read whole comes with the
        best answers so far and `complete` False; what was not read at all with a `DeadlineError`.
        Closing the iterator ends the work.

        Raises:
            BusyError: too many requests or passages wait.
            UnknownItemError: there is no such document or collection.
            ModelError: the reader cannot be loaded, or fails.
        """
        own = self.settings.deadline
        seconds = own if request.deadline is None else min(own, request.deadline)
        ticket = Ticket(time.monotonic() + seconds, request.stop)
        ids = self._asked_documents(request)
        found: queue.SimpleQueue[AskedItem | BaseException | None] = queue.SimpleQueue()
        self._admit()

        def work() -> None:
            try:
                TICKET.set(ticket)
                with with_worker(self._lookers):
                    for item in self._asked(request, ids, ticket):
                        found.put(item)
                found.put(None)
            except BaseException as error:  # raised where the caller waits
                found.put(error)
            finally:
                self._n_requests -= 1
                self._requests.release()

        try:
            self._threads.submit(copy_context().run, work)
        except RuntimeError:
            self._n_requests -= 1
            self._requests.release()
            raise DeadlineError("the service is closed") from None
        return self._yielded(found, ticket)

    def answer_pairs(
        self, questions: Sequence[str], contexts: Sequence[str], **settings: Any
    ) -> list[Any]:
        """Return the answers to questions over texts, one a pair, as `docqa.compat` gives them.

        Args:
            questions: in words.
            contexts: the text of each question.
            settings: of a call of `docqa.compat`, such as ``top_k``.

        Raises:
            BusyError: too many requests are at work or wait.
            DeadlineError: others were read for too long.
            QuestionError: a question is empty or too long.
            SettingError: a setting is out of its range.
        """
        if not questions:
            return []
        with self._admitted():
            if not self._scores.acquire(timeout=self.settings.deadline):
                raise DeadlineError("nothing was read in time; ask again, or less at once")
            try:
                if self._scoring is None:
                    own = self.settings.reader
                    name = own if own not in ("cascade",) else _SCORING_READERS[0]
                    self._scoring = pipeline("question-answering", model=name)
                found: Any = self._scoring(
                    question=list(questions), context=list(contexts), **settings
                )
            finally:
                self._scores.release()
        return found if len(questions) > 1 else [found]

    @contextmanager
    def _admitted(self) -> Iterator[None]:
        """Count a request that is at work or waits.

        Raises:
            BusyError: there are too many.
        """
        self._admit()
        try:
            yield
        finally:
            self._n_requests -= 1
            self._requests.release()

    def _admit(self) -> None:
        if not self._requests.acquire(blocking=False):
            most = self.settings.queue_requests
            raise BusyError(f"{most} requests are at work or wait; ask again soon", retry_after=1.0)
        self._n_requests += 1

    def search(
        self,
        query: str,
        *,
        documents: Sequence[str] = (),
        collection: str | None = None,
        top_k: int = 10,
    ) -> list[tuple[str, str, RankedPassage]]:
        """Return (document id, name, passage) of the passages that rank best for a query.

        Args:
            query: in words; nothing is read by a model.
            documents: ids; empty for all uploaded ones, where no collection is named.
            collection: its name.
            top_k: the number of passages, at most.

        Raises:
            UnknownItemError: there is no such document or collection.
            SettingError: `top_k` is out of its range.
        """
        at_least_1("top_k", top_k)
        if collection is not None:
            names = {each.record.key: each.name for each in self._shelf.documents(collection)}
            found = self._shelf.get(collection).search(query, top_k=top_k)
            return [
                (
                    one.document.id,
                    names.get(one.document.key, Path(one.document.source).name),
                    RankedPassage(one.passage, one.rank, one.score),
                )
                for one in found
            ]
        ids = tuple(documents) or tuple(each.id for each in self.documents())
        loaded = [self._loaded(each) for each in ids]
        prepared = [self._documents.prepared(each) for each in loaded]
        if len(prepared) == 1:
            index = prepared[0].index
        else:
            index = self._indexes.get_or_make(
                ids, lambda: index_of(one for each in prepared for one in each.passages)
            )
        return [
            (one.passage.document_id, self._documents.record(one.passage.document_id).name, one)
            for one in index.search(query, top_k=top_k)
        ]

    # Quotes and citations

    def quote(
        self, words: str, *, documents: Sequence[str] = (), limit: int = 5
    ) -> list[tuple[str, Span, tuple[Location, ...]]]:
        """Return (document id, span, places) of each place where words stand; see `quoted_spans`.

        Raises:
            UnknownItemError: there is no such document.
        """
        found: list[tuple[str, Span, tuple[Location, ...]]] = []
        for document_id in documents or [each.id for each in self.documents()]:
            document = self._loaded(document_id)
            for span in quoted_spans(document.text, words, limit=limit - len(found)):
                with with_worker(self._lookers):
                    found.append((document_id, span, document.locate(span)))
            if len(found) >= limit:
                break
        return found

    def nearest(self, words: str, document_id: str) -> NearestText | None:
        """Return the place of a document that is most like some words, or None.

        Raises:
            UnknownItemError: there is no such document.
        """
        return nearest_text(self._loaded(document_id).text, words)

    def verify(self, records: Sequence[Mapping[str, Any]]) -> list[Verification]:
        """Return for each place that records cite whether its words still stand there.

        Args:
            records: answers as `Answer.to_dict` writes them, whose documents are here; or handles
                ``{"cite": "<id>#<start>-<end>", "quote": words}``.

        Raises:
            CitationError: a record is neither.
        """
        outcomes = []
        for record in records:
            cited = citations_of(record) if "answer" in record else (_handle(record),)
            outcomes += [self._verified(each) for each in cited]
        return outcomes

    def export(self, request: AskRequest, kind: str) -> tuple[bytes, str]:
        """Return the outcomes of a request as a file, and its media type; see `exported`.

        Raises:
            SettingError: there is no such kind, or it cannot be made of these answers.
        """
        if kind not in ("csv", "jsonl", "report", "pdf"):
            exported((), kind, self._original, self.settings.limits)
        items = [each.item for each in self.ask_items(request)]
        with with_worker(self._lookers):
            return exported(items, kind, self._original, self.settings.limits)

    # Collections and jobs

    def collections(self) -> list[str]:
        """Return the names of the collections."""
        return self._shelf.names()

    def collection(self, name: str) -> dict[str, Any]:
        """Return the size and age of a collection as plain values, without paths.

        Raises:
            UnknownItemError: there is none of this name.
            CollectionError: it cannot be read.
        """
        return self._without_paths(lambda: self._shelf.info(name))

    def collection_documents(self, name: str) -> list[ShelvedDocument]:
        """Return the documents of a collection.

        Raises:
            UnknownItemError: there is none of this name.
            CollectionError: it cannot be read.
        """
        return self._without_paths(lambda: self._shelf.documents(name))

    def sync(self, name: str) -> ServiceJob:
        """Return a job that brings a collection up to date with its folders.

        Raises:
            UnknownItemError: there is none of this name.
        """
        self._shelf.get(name)
        return self._jobs.start(
            "sync", name, lambda job: self._without_paths(lambda: self._shelf.sync(name, job))
        )

    def jobs(self) -> list[ServiceJob]:
        """Return all jobs, the oldest first."""
        return self._jobs.all()

    def job(self, job_id: str) -> ServiceJob:
        """Return a job.

        Raises:
            UnknownItemError: there is none of this id.
        """
        return self._jobs.get(job_id)

    def wait(self, job_id: str, seconds: float) -> ServiceJob:
        """Return a job when it has ended, or after some seconds.

        Raises:
            UnknownItemError: there is none of this id.
        """
        job = self._jobs.get(job_id)
        job.ended.wait(seconds)
        return job

    def cancel(self, job_id: str) -> ServiceJob:
        """Stop a job at its next step, and return it.

        Raises:
            UnknownItemError: there is none of this id.
        """
        return self._jobs.cancel(job_id)

    # State

    @property
    def is_ready(self) -> bool:
        """Say whether the reader is loaded."""
        return self._queue.is_ready

    @property
    def reader_name(self) -> str:
        """Return the name of the reader."""
        return self._reader.name if self.is_ready else self.settings.reader

    def status(self) -> dict[str, float]:
        """Return numbers for metrics."""
        return {
            "documents": len(self._documents.records()),
            "document_memory_bytes": self._documents.memory,
            "document_disk_bytes": self._documents.disk,
            "requests": self._n_requests,
            "passages_waiting": self._queue.n_waiting,
            "passages_read": self._queue.passages_read,
            "batches_read": self._queue.batches_read,
            "loads_waiting": self._loaders.n_waiting,
            "jobs": sum(not job.ended.is_set() for job in self._jobs.all()),
        }

    # Inside

    def _prepare(self, document: Document) -> Any:
        return prepare(document, self._reader, Splitting())

    def _require(self, document_id: str) -> None:
        """Take a document of a collection over, where it is not among the uploaded ones.

        Raises:
            UnknownItemError: there is none of this id.
        """
        try:
            self._documents.record(document_id)
        except UnknownItemError:
            shelved = self._shelf.find(document_id)
            if shelved is None:
                raise
            source = Path(shelved.record.source)
            if not source.is_file():
                raise UnknownItemError(
                    f"the file of {shelved.name} is no longer where it was indexed; update the "
                    "collection"
                ) from None
            record, _ = self._documents.add(source, shelved.name)
            if record.id != document_id:
                raise UnknownItemError(
                    f"{shelved.name} has changed since it was indexed; update the collection"
                ) from None

    def _loaded(self, document_id: str) -> Document:
        self._require(document_id)
        return self._documents.document(document_id)

    def _load_settings(self, document_id: str) -> LoadSettings:
        return self._documents.settings(document_id)

    def _original(self, document_id: str) -> tuple[bytes, str | None]:
        data = self.original(document_id)
        return data, self._load_settings(document_id).password

    def _asked_documents(self, request: AskRequest) -> tuple[str, ...]:
        """Return the ids of the documents that a request asks; none for a collection.

        Raises:
            UnknownItemError: there is no such document or collection.
            SettingError: there is nothing to ask.
        """
        if request.collection is not None:
            self._shelf.get(request.collection)
            return ()
        for document_id in request.documents:
            self._require(document_id)
        ids = request.documents or tuple(each.id for each in self.documents())
        if not ids:
            raise SettingError("there is nothing to ask: upload a document or name a collection")
        return ids

    def _asked(
        self, request: AskRequest, ids: Sequence[str], ticket: Ticket
    ) -> Iterator[AskedItem]:
        if request.collection is not None:
            yield from self._asked_collection(request, request.collection, ticket)
            return
        settings = self._pipeline.ask_settings(
            top_k=request.top_k,
            min_score=request.min_score,
            top_passages=request.top_passages,
            exhaustive=request.exhaustive,
        )
        call = AskCall(self._reader, settings, self._documents.prepared)
        names = {each: self._documents.record(each).name for each in ids}
        sources = [
            AskedSource(names[each], partial(self._in_time, each, ticket), request.questions)
            for each in ids
        ]
        outcomes = ask_sources(sources, lambda: call, failing=(DocqaError,))
        n_asked = 0
        try:
            while True:
                _, item = next(outcomes, (None, None))
                if item is None:
                    return
                n_asked += 1
                yield AskedItem(item, complete=_is_complete(item, ticket, settings.top_passages))
        except DeadlineError as error:
            pairs = [(each, question) for each in ids for question in request.questions]
            for document_id, question in pairs[n_asked:]:
                failed = GridItem.failed(question, names[document_id], error)
                yield AskedItem(failed, complete=False)

    def _in_time(self, document_id: str, ticket: Ticket) -> Document:
        if ticket.is_over:
            ticket.is_cut = True
            raise DeadlineError("the time of the request was over before this document's turn")
        return self._loaded(document_id)

    def _asked_collection(
        self, request: AskRequest, name: str, ticket: Ticket
    ) -> Iterator[AskedItem]:
        collection = self._shelf.get(name)
        top_passages = request.top_passages
        if request.exhaustive:
            top_passages = max(1, collection.info().n_passages)
        n_asked = 0
        try:
            outcomes = collection.ask_all(
                request.questions,
                top_k=request.top_k,
                where=request.where,
                min_score=request.min_score,
                top_passages=top_passages,
            )
            while True:
                item = next(outcomes, None)
                if item is None:
                    return
                n_asked += 1
                complete = _is_complete(item, ticket, top_passages)
                yield AskedItem(self._shelf.public(item, name), name, complete)
        except DeadlineError as error:
            for question in request.questions[n_asked:]:
                yield AskedItem(GridItem.failed(question, name, error), name, complete=False)
        except DocqaError as error:
            raise self._shelf.scrubbed_error(error) from error

    def _yielded(
        self, found: queue.SimpleQueue[AskedItem | BaseException | None], ticket: Ticket
    ) -> Iterator[AskedItem]:
        try:
            while True:
                item = found.get()
                if item is None:
                    return
                if isinstance(item, BaseException):
                    raise item
                yield item
        finally:
            ticket.is_abandoned = True

    def _verified(self, citation: Citation) -> Verification:
        try:
            document = self._loaded(citation.document_id)
        except UnknownItemError as error:
            return Verification(citation, "failed", str(error), error=error)
        if not citation.extractor:  # a handle says where in the text, and nothing else
            citation = replace(citation, source=document.source, extractor=document.extractor)
        with with_worker(self._lookers):
            return check_citation(citation, document)

    def _without_paths(self, work: Callable[[], _Result]) -> _Result:
        try:
            return work()
        except DocqaError as error:
            raise self._shelf.scrubbed_error(error) from error


def _loaded(name: str, reader: Reader | None) -> Reader:
    if reader is not None:
        return reader
    from docqa.reader.models import load_reader

    return load_reader(name)


def _is_complete(item: GridItem, ticket: Ticket, top_passages: int | None) -> bool:
    """Say whether all passages were read that were to be read."""
    if not ticket.is_cut or item.error is not None:
        return item.error is None or not isinstance(item.error, DeadlineError)
    read, total = item.answers.coverage.passages_read, item.answers.coverage.passages_total
    return read >= (total if top_passages is None else min(total, top_passages))


def _handle(record: Mapping[str, Any]) -> Citation:
    """Return the citation of a handle and the words that it is to have.

    Raises:
        CitationError: it is no handle.
    """
    cite, words = record.get("cite"), record.get("quote")
    document_id, _, place = str(cite).partition("#")
    start, dash, end = place.partition("-")
    if not (dash and start.isdecimal() and end.isdecimal() and isinstance(words, str) and words):
        raise CitationError(
            'a citation is an answer\'s record, or {"cite": "<document>#<start>-<end>", '
            '"quote": "<words>"}'
        )
    return Citation(
        quote=words,
        start=int(start),
        end=int(end),
        prefix="",
        suffix="",
        source="",
        document_id=document_id,
        extractor="",
        loading=LoadSettings(),
        locations=(),
    )
