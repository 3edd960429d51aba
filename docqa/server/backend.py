"""The service object as the routes see it: documents, questions and collections, without waiting.

What computes runs in threads of the service; the event loop only waits for it.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from docqa.asking.pipeline import Pipeline
from docqa.citations.anchoring import Quote, best_anchors, find_quote
from docqa.citations.records import citations_of
from docqa.collection.collection import Collection
from docqa.datamodel import Document, GridItem, Page, Span
from docqa.index.contract import Where
from docqa.loaders.load import load_with
from docqa.server import views, wire
from docqa.server.jobs import Job
from docqa.server.payloads import AskRequest, LocateRequest, Quoted, SearchRequest, VerifyRequest
from docqa.server.problems import Problem

__all__ = ["Backend", "Held", "Outcome"]

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Held:
    """A document that the server holds."""

    document: Document
    name: str
    data: bytes
    password: str | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of one question to one document or collection.

    Attributes:
        item: as docqa gives it.
        complete: whether all was read that was to be read.
        pages: of the document; none of a collection.
    """

    item: GridItem
    complete: bool = True
    pages: Sequence[Page] = ()

    @property
    def shown(self) -> GridItem:
        """Return the item with names for paths."""
        item = self.item
        answers = [replace(each, document=wire.named(each.document)) for each in item.answers]
        found = type(item.answers)(
            answers, coverage=item.answers.coverage, warnings=item.answers.warnings
        )
        return replace(item, source=wire.shown_name(item.source), answers=found)


class Backend:
    """The documents, the reader and the collections of a server."""

    def __init__(
        self, pipeline: Pipeline, *, collections: Mapping[str, Collection] | None = None
    ) -> None:
        self._pipeline = pipeline
        self._collections = dict(collections or {})
        self._held: OrderedDict[str, Held] = OrderedDict()
        self._reading = ThreadPoolExecutor(1, "docqa-read")
        self._loading = ThreadPoolExecutor(2, "docqa-load")
        self._seeing = ThreadPoolExecutor(1, "docqa-see")

    def not_ready(self) -> str:
        """Return the reason why no request can be answered now; ``""`` for none."""
        return ""

    # Documents

    def documents(self) -> list[Held]:
        """Return the documents, the last used last."""
        return list(self._held.values())

    def known(self, document_id: str) -> Held | None:
        """Return a document if the server holds it."""
        return self._held.get(document_id)

    def held(self, document_id: str) -> Held:
        """Return a document.

        Raises:
            Problem: the server does not hold it.
        """
        if document_id not in self._held:
            raise Problem(
                404,
                "no-document",
                "the server does not hold this document, or no longer; send it again",
            )
        self._held.move_to_end(document_id)
        return self._held[document_id]

    def drop(self, document_id: str) -> None:
        """Forget a document.

        Raises:
            Problem: the server does not hold it.
        """
        self.held(document_id)
        self._held.pop(document_id).document.close()

    async def load(
        self,
        data: bytes,
        name: str,
        progress: Callable[[int, int], None] | None = None,
        *,
        media_type: str | None = None,
        password: str | None = None,
    ) -> Held:
        """Return a document of some bytes, loaded in a worker.

        Raises:
            LoadError: it cannot become a document.
        """
        settings = replace(
            self._pipeline.loading, media_type=media_type, password=password, isolate=True
        )
        document = await self._in(
            self._loading, lambda: load_with(settings, data, name=name, progress=progress)
        )
        self._held[document.id] = held = Held(document, name, data, password)
        return held

    async def original(self, held: Held) -> bytes:
        """Return the bytes that were sent."""
        return held.data

    async def view(self, held: Held) -> bytes:
        """Return a document as a page without script.

        Raises:
            Problem: it is a PDF, whose pages are drawn.
        """
        if held.document.media_type == "application/pdf":
            raise Problem(422, "is-pdf", f"{held.name} is a PDF; its pages are drawn at pages/N.jpg")
        return await self._in(
            self._seeing, lambda: views.text_of_document(held.document, held.data, held.name)
        )

    async def page(self, held: Held, number: int) -> dict[str, Any]:
        """Return a page's size and lines for the wire."""
        page = held.document.pages[number - 1]
        return await self._in(self._seeing, lambda: views.page_record(held.document, page))

    async def picture(self, held: Held, number: int, *, scale: float) -> bytes:
        """Return the picture of a page as a JPEG."""
        return await self._in(
            self._seeing,
            lambda: views.jpeg_of_page(held.data, number, password=held.password, scale=scale),
        )

    # Questions

    async def score(self, answer: Callable[[Callable[..., Any]], Any], n_passages: int) -> Any:
        """Return the result of a function of the pipeline of `docqa.compat`."""
        return await self._in(self._reading, lambda: answer(self._contract()))

    def _contract(self) -> Callable[..., Any]:
        from docqa.compat import pipeline

        if not hasattr(self, "_compat"):
            self._compat = pipeline(device="cpu")
        return self._compat

    async def ask(self, asked: AskRequest, *, seconds: float) -> AsyncIterator[Outcome]:
        """Yield the outcomes of questions, document by document.

        Raises:
            Problem: a document or the collection is not here.
        """
        settings = {
            "top_k": asked.top_k,
            "min_score": asked.min_score,
            "top_passages": asked.top_passages,
            "exhaustive": asked.exhaustive or None,
        }
        if asked.collection is not None:
            collection = self._collection(asked.collection)
            where = where_of(asked)
            for question in asked.questions:
                items = await self._in(
                    self._reading,
                    lambda question=question: list(
                        collection.ask_all([question], where=where, **settings)
                    ),
                )
                for item in items:
                    yield Outcome(item)
            return
        for held in self._chosen(asked.documents):
            for question in asked.questions:
                items = await self._in(
                    self._reading,
                    lambda held=held, question=question: list(
                        self._pipeline.ask_all([held.document], [question], **settings)
                    ),
                )
                for item in items:
                    yield Outcome(item, pages=held.document.pages)

    async def search(self, asked: SearchRequest) -> list[dict[str, Any]]:
        """Return the passages that rank best, for the wire."""
        if asked.collection is not None:
            collection = self._collection(asked.collection)
            found = await self._in(
                self._loading,
                lambda: collection.search(asked.query, top_k=asked.top_k, where=where_of(asked)),
            )
            return [wire.found_record(each) for each in found]
        held = self._chosen(asked.documents)
        return await self._in(self._reading, lambda: self._ranked(held, asked))

    def _ranked(self, held: Sequence[Held], asked: SearchRequest) -> list[dict[str, Any]]:
        found = [
            (ranked, each)
            for each in held
            for ranked in self._pipeline.ranked(each.document, asked.query)
            if ranked.score > 0
        ]
        found.sort(key=lambda pair: (-pair[0].score, pair[1].document.id, pair[0].rank))
        return [
            wire.ranked_record(replace(ranked, rank=rank), each.document, each.name)
            for rank, (ranked, each) in enumerate(found[: asked.top_k], start=1)
        ]

    async def locate(self, asked: LocateRequest) -> dict[str, Any]:
        """Return the places of some characters, for the wire.

        Raises:
            Problem: the document is not here, or has no such characters.
        """
        held = self.held(asked.document)
        document, n_characters = held.document, len(held.document.text)
        if not asked.start < asked.end <= n_characters:
            raise Problem(
                416,
                "outside",
                f"the text has {n_characters:,} characters; start and end lie in it, in this order",
            )
        span = Span(asked.start, asked.end)
        return await self._in(self._seeing, lambda: wire.located_record(document, span, held.name))

    async def verify(self, asked: VerifyRequest) -> list[dict[str, Any]]:
        """Return the outcome of each citation, for the wire.

        Raises:
            CitationError: a record holds no citation.
        """
        return await self._in(self._seeing, lambda: list(self._verified(asked)))

    def _verified(self, asked: VerifyRequest) -> Iterator[dict[str, Any]]:
        for given in asked.citations:
            if isinstance(given, Quoted):
                handle, _, place = given.cite.partition("#")
                start = int(place.partition("-")[0])
                yield self._checked(handle, start, Quote(given.quote, "", ""))
                continue
            for cited in citations_of(given):
                quote = Quote(cited.quote, cited.prefix, cited.suffix)
                yield self._checked(cited.document_id, cited.start, quote)

    def _checked(self, document_id: str, start: int, quote: Quote) -> dict[str, Any]:
        held = next((each for each in self._held.values() if each.document.id.startswith(document_id)), None)
        if not document_id or held is None:
            return wire.verdict("missing", "the server does not hold the document", quote.exact)
        document = held.document
        if document.text.startswith(quote.exact, start):
            place = Span(start, start + len(quote.exact))
            return wire.verdict("exact", "", quote.exact, document, [(place, 1.0)])
        anchors = best_anchors(find_quote(document.text, quote, near=start))[:5]
        if not anchors:
            reason = "other words stand at the place, and these stand nowhere in the document"
            return wire.verdict("changed", reason, quote.exact)
        found = [(anchor.span, round(anchor.likeness, 3)) for anchor in anchors]
        return wire.verdict("moved", "the words stand elsewhere", quote.exact, document, found)

    async def report(self, outcomes: Sequence[Outcome]) -> bytes:
        """Return the report of outcomes, as a page."""
        sources = {each.name: each.data for each in self._held.values()}
        items = [each.shown for each in outcomes]
        return await self._in(self._seeing, lambda: views.report_page(items, sources))

    async def marked_pdf(self, outcomes: Sequence[Outcome]) -> tuple[bytes, str]:
        """Return a copy of the PDF that was asked with the answers marked in it, and its name."""
        answers = [answer for each in outcomes for answer in each.item.answers]
        held = self.held(answers[0].document.id) if answers else None
        data, password = (held.data, held.password) if held else (b"", None)
        name = held.name if held else ""
        made = await self._in(
            self._seeing, lambda: views.marked_pdf(answers, data, password=password)
        )
        return made, f"{name.removesuffix('.pdf')}-marked.pdf"

    # Collections

    def _collection(self, name: str) -> Collection:
        if name not in self._collections:
            known = ", ".join(sorted(self._collections)) or "none"
            raise Problem(
                404,
                "no-collection",
                f"there is no collection of that name; the server was started with: {known}",
                option="--collection",
            )
        return self._collections[name]

    async def collections(self) -> list[dict[str, Any]]:
        """Return the collections for the wire."""
        return [await self.collection(name) for name in sorted(self._collections)]

    async def collection(self, name: str) -> dict[str, Any]:
        """Return a collection for the wire."""
        chosen = self._collection(name)
        info = await self._in(self._loading, chosen.info)
        return wire.collection_record(name, info)

    async def collected(self, name: str) -> list[dict[str, Any]]:
        """Return the documents of a collection for the wire, in order of their names."""
        chosen = self._collection(name)
        found = await self._in(self._loading, chosen.documents)
        return [wire.collected_record(each) for each in sorted(found, key=lambda each: each.key)]

    def require_writable(self, name: str) -> None:
        """Check that a collection can be brought up to date.

        Raises:
            Problem: there is no such collection.
        """
        self._collection(name)

    async def sync(self, name: str, job: Job) -> None:
        """Bring a collection up to date with its folders."""
        chosen = self._collection(name)
        stopped = threading.Event()

        def run() -> None:
            for folder in chosen.info().folders:
                changes = chosen.sync(folder)
                job.failures += [
                    f"{wire.shown_name(each.key)}: {each.kind}" for each in changes.failed
                ]

        await self._in(self._loading, run)

    def close(self) -> None:
        """Let the threads end."""
        for pool in (self._reading, self._loading, self._seeing):
            pool.shutdown(wait=False, cancel_futures=True)

    def _chosen(self, ids: Sequence[str] | None) -> list[Held]:
        """Return the documents that a request names; all that the server holds for none."""
        if ids is not None:
            return [self.held(each) for each in dict.fromkeys(ids)]
        if not self._held:
            raise Problem(422, "no-documents", "there is no document to ask: send one first")
        return self.documents()

    @staticmethod
    async def _in(pool: ThreadPoolExecutor, work: Callable[[], _T]) -> _T:
        return await asyncio.get_running_loop().run_in_executor(pool, work)


def where_of(asked: AskRequest | SearchRequest) -> Where | None:
    """Return the filter of a collection's documents that a request has."""
    if asked.where is None:
        return None
    given = asked.where.model_dump(exclude_none=True)
    return Where(**given)
