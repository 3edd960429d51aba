"""The service under the HTTP server, its page and the tools of agents."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

from docqa.asking.prepared import index_of
from docqa.asking.settings import DEFAULT_MIN_SCORE, at_least_1
from docqa.citations.outcomes import Verification
from docqa.citations.records import Citation, citation_of_handle, citations_of
from docqa.citations.verification import check_citation
from docqa.datamodel import RankedPassage
from docqa.errors import DocqaError, UnknownItemError
from docqa.loaders.isolation.shared_worker import with_worker
from docqa.protocols import Index, Reader
from docqa.recent import Recent
from docqa.service.asking import RequestsAtWork
from docqa.service.document_desk import DocumentDesk
from docqa.service.exporting import exported, require_format
from docqa.service.jobs import ServiceJob
from docqa.service.queued_reader import QueuedPipeline, QueuedReader
from docqa.service.reading import ReadingQueue
from docqa.service.requests import AskedItem, AskOutcome, AskRequest
from docqa.service.settings import ServiceSettings
from docqa.service.shelf import Shelf, ShelvedDocument

__all__ = ["Service"]

_INDEXES = 4  # of several documents together, for searches

_Result = TypeVar("_Result")


class Service(DocumentDesk):
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
        own = settings or ServiceSettings()
        self._queue = ReadingQueue(partial(_loaded, own.reader, reader), own)
        self._reader = QueuedReader(self._queue)
        pipeline = QueuedPipeline(
            self._reader,
            min_score=DEFAULT_MIN_SCORE if own.min_score is None else own.min_score,
            limits=own.limits,
        )
        super().__init__(own, Shelf(own.collections, pipeline), self._reader)
        self._asking = RequestsAtWork(own, self._queue, pipeline, self._library, self._lookers)
        self._indexes: Recent[Index] = Recent(_INDEXES)

    def close(self) -> None:
        """End all work, processes and threads; delete the originals of uploads."""
        self._jobs.close()
        self._queue.close()
        self._asking.close()
        super().close()

    def __enter__(self) -> Service:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

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
        return self._asking.items(request)

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
        return self._asking.pairs(questions, contexts, settings)

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
            found = self._shelf.get(collection).search(query, top_k=top_k)
            names = self._shelf.names(collection, [one.document.source for one in found])
            return [
                (
                    one.document.id,
                    names[one.document.source],
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
            cited = citations_of(record) if "answer" in record else (citation_of_handle(record),)
            outcomes += [self._verified(each) for each in cited]
        return outcomes

    def export(self, request: AskRequest, kind: str) -> tuple[bytes, str]:
        """Return the outcomes of a request as a file, and its media type; see `exported`.

        Raises:
            SettingError: there is no such kind, or it cannot be made of these answers.
        """
        require_format(kind)
        items = [each.item for each in self.ask_items(request)]
        with with_worker(self._lookers):
            return exported(items, kind, self._original, self.settings.limits)

    # Collections and jobs

    def collections(self) -> list[str]:
        """Return the names of the collections."""
        return self._shelf.collections()

    def require_collection(self, name: str) -> None:
        """Check that there is a collection of a name; it is not opened.

        Raises:
            UnknownItemError: there is none.
        """
        self._shelf.get(name)

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
        self.require_collection(name)
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
            "requests": self._asking.n_requests,
            "requests_refused": self._asking.n_refused,
            "passages_waiting": self._queue.n_waiting,
            "passages_read": self._queue.passages_read,
            "batches_read": self._queue.batches_read,
            "loads_waiting": self._loaders.n_waiting,
            "jobs": sum(not job.ended.is_set() for job in self._jobs.all()),
        }

    # Inside

    def _original(self, document_id: str) -> tuple[bytes, str | None]:
        data, settings = self._library.original(document_id)
        return data, settings.password

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
