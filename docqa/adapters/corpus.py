"""The part that the adapters share: documents or a collection to search and ask, cut into parts."""

from __future__ import annotations

import os
import threading
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, Literal

from docqa.asking.pipeline import Pipeline
from docqa.asking.prepared import index_of
from docqa.asking.settings import at_least_1
from docqa.collection.collection import Collection
from docqa.collection.search import FoundPassage
from docqa.datamodel import (
    Answer,
    Answers,
    Coverage,
    Document,
    DocumentInfo,
    Passage,
    RankedPassage,
    Span,
)
from docqa.errors import SettingError
from docqa.index.contract import Where
from docqa.loaders.source_bytes import Source
from docqa.places import boxed_places
from docqa.protocols import Index
from docqa.recent import Recent

__all__ = [
    "Corpus",
    "Each",
    "Part",
    "boxes_by_page",
    "each_source",
    "parts_of",
    "plain_answers",
    "shared_pipeline",
    "where_of",
]

Each = Literal["page", "passage", "document"]
"""The stretch of a document that becomes a document of the framework."""

_PIPELINES: Recent[Pipeline] = Recent(4)


def shared_pipeline(reader: str = "cascade") -> Pipeline:
    """Return the pipeline that all adapters share for a reader, which is loaded once.

    Args:
        reader: the name or path that `docqa.load_reader` takes.
    """
    return _PIPELINES.get_or_make(reader, lambda: Pipeline(reader=reader))


@dataclass(frozen=True, slots=True)
class Part:
    """A page, a passage or the whole of a document, with its place.

    Attributes:
        document: id, source, title and media type.
        span: characters of the document's text.
        text: these characters.
        number: of the part among those of the document, from 0.
        n_parts: how many there are; 0 where that is unknown.
        page_number: the page or slide on which it begins, from 1; None without pages.
        page_label: the printed number there, or the page's number where none is known.
        n_pages: of the document.
        boxes: the rectangles of its lines, see `boxes_by_page`; None where they are not asked for.
        score: of the search, BM25; None without one.
    """

    document: DocumentInfo
    span: Span
    text: str
    number: int
    n_parts: int
    page_number: int | None = None
    page_label: str | None = None
    n_pages: int = 0
    boxes: list[dict[str, Any]] | None = None
    score: float | None = None

    @classmethod
    def read_for(cls, answer: Answer) -> Part:
        """Return the passage in which an answer was read, with the answer's page and score."""
        return cls(
            answer.document,
            answer.passage.span,
            answer.passage.text,
            answer.passage.number,
            n_parts=0,
            page_number=answer.page_number,
            page_label=_label(answer.page_number, answer.page_label),
            score=answer.score,
        )


def parts_of(
    document: Document, each: Each, *, pipeline: Pipeline, boxes: bool = False
) -> Iterator[Part]:
    """Yield the parts of a document, in order of its text; parts without text are left out.

    Args:
        document: without pages it is one page.
        each: the kind of parts.
        pipeline: splits into passages.
        boxes: give passages the rectangles of their lines.

    Raises:
        SettingError: `each` is another word.
    """
    if each not in {"page", "passage", "document"}:
        raise SettingError(f"each must be 'page', 'passage' or 'document', not {each!r}")
    if each == "passage":
        passages = pipeline.passages(document)
        for passage in passages:
            yield _passage_part(document, passage, n_parts=len(passages), boxes=boxes)
        return
    spans = [page.span for page in document.pages] if each == "page" else []
    for number, span in enumerate(spans or [Span(0, len(document.text))]):
        if span.of(document.text).strip():
            yield _part(document, span, number, max(1, len(spans)))


def _passage_part(
    document: Document, passage: Passage, *, n_parts: int, boxes: bool, score: float | None = None
) -> Part:
    part = _part(document, passage.span, passage.number, n_parts)
    found = boxes_by_page(document, passage.span) if boxes else None
    return replace(part, boxes=found, score=score)


def _part(document: Document, span: Span, number: int, n_parts: int) -> Part:
    pages = document.pages
    at = bisect_right(pages, span.start, key=lambda page: page.span.end)
    page = pages[at] if at < len(pages) else None
    text = span.of(document.text)
    part = Part(document.info, span, text, number, n_parts, n_pages=len(pages))
    if page is None:
        return part
    return replace(part, page_number=page.number, page_label=_label(page.number, page.label))


def _label(page_number: int | None, page_label: str | None) -> str | None:
    return page_label if page_number is None else page_label or str(page_number)


def boxes_by_page(document: Document, span: Span) -> list[dict[str, Any]]:
    """Return the rectangles of a span's lines, an entry for each page.

    An entry has ``page_number`` (from 1), the page's ``width`` and ``height``, and ``boxes``, each
    ``[x0, top, x1, bottom]``: points from the page's top left, to a thousandth.
    """
    sizes = {page.number: (page.width, page.height) for page in document.pages}
    return [
        {
            "page_number": place.page_number,
            **dict(zip(("width", "height"), sizes[place.page_number], strict=True)),
            "boxes": [[round(edge, 3) for edge in box.edges] for box in place.boxes or ()],
        }
        for place in boxed_places(document.locate(span))
    ]


def plain_answers(answers: Answers) -> dict[str, Any]:
    """Return answers as plain values, with the passages that they rest on, counted."""
    return {
        "answers": [answer.to_dict() for answer in answers],
        "passages_read": answers.coverage.passages_read,
        "passages_total": answers.coverage.passages_total,
        "warnings": list(answers.warnings),
    }


def each_source(sources: Iterable[Source] | Source) -> tuple[Source, ...]:
    """Return sources one by one; a path, bytes or an open file is one."""
    if isinstance(sources, (str, os.PathLike, bytes, bytearray, memoryview, Document)):
        return (sources,)
    if hasattr(sources, "read"):
        return (sources,)  # type: ignore[return-value]  # an open file
    return tuple(sources)


def where_of(where: Where | Mapping[str, Any] | None) -> Where:
    """Return a filter of documents, also of one that is written as a mapping of its fields.

    Raises:
        SettingError: a name in it is no field of `Where`.
    """
    if where is None or isinstance(where, Where):
        return where or Where()
    unknown = sorted(set(where) - set(Where.__dataclass_fields__))
    if unknown:
        raise SettingError(
            f"where has no {unknown[0]!r}; it takes {', '.join(Where.__dataclass_fields__)}"
        )
    given = dict(where)
    return Where(**{**given, "keys": tuple(given.get("keys", ()))})


class Corpus:
    """Documents, or a collection, that an adapter searches and asks; threads may share it.

    Documents are loaded by the first call, once. More than a few of them belong in a collection.

    Args:
        documents: sources as `docqa.load` takes them, or one.
        collection: a `docqa.Collection`, or its address.
        where: the documents of the collection that are searched and asked, a `docqa.Where` or a
            mapping of its fields.
        pipeline: loads, splits and reads; None for the one that all adapters share. A
            `docqa.Collection` has its own.

    Raises:
        SettingError: there are documents and a collection, or neither; or `where` is unknown, or
            there is no collection to filter.
    """

    def __init__(
        self,
        documents: Iterable[Source] | Source | None = None,
        *,
        collection: Collection | str | os.PathLike[str] | None = None,
        where: Where | Mapping[str, Any] | None = None,
        pipeline: Pipeline | None = None,
    ) -> None:
        if (documents is None) == (collection is None):
            raise SettingError("pass documents=[...] or collection=..., one of the two")
        self._where = where_of(where)
        if collection is None and self._where:
            raise SettingError("where filters a collection; leave it out beside documents")
        self._sources = () if documents is None else each_source(documents)
        self._pipeline = shared_pipeline() if pipeline is None else pipeline
        self._lock = threading.Lock()
        self._documents: tuple[Document, ...] | None = None
        self._indexed: tuple[Index, tuple[Passage, ...]] | None = None
        if isinstance(collection, (str, os.PathLike)):
            collection = Collection(collection, pipeline=self._pipeline)
        self._collection = collection

    def search(self, query: str, *, top_k: int, boxes: bool = False) -> list[Part]:
        """Return the passages that rank best for a query, best first; no model reads them.

        Where fewer passages of documents share a term with the query than asked for, others follow
        in order of the text. A collection gives the passages that share one.

        Args:
            query: in words.
            top_k: the number of passages, at most.
            boxes: give each the rectangles of its lines; a collection opens its sources for them.

        Raises:
            LoadError: a document cannot be loaded.
            CollectionError: there is no collection, or it cannot be read.
            SettingError: `top_k` is below 1.
        """
        at_least_1("top_k", top_k)
        if self._collection is not None:
            found = self._collection.search(query, top_k=top_k, where=self._where)
            return [self._stored_part(each, boxes=boxes) for each in found]
        documents = {document.id: document for document in self.documents}
        index, passages = self._index
        ranked = index.search(query, top_k=top_k) if passages else []
        kept = {one.passage.place for one in ranked}
        others = (RankedPassage(each, 0, 0.0) for each in passages if each.place not in kept)
        n_parts = Counter(each.document_id for each in passages)
        return [
            _passage_part(
                documents[one.passage.document_id],
                one.passage,
                n_parts=n_parts[one.passage.document_id],
                boxes=boxes,
                score=one.score,
            )
            for one in (*ranked, *islice(others, top_k - len(kept)))
        ]

    def ask(
        self,
        question: str,
        *,
        top_k: int,
        min_score: float | None = None,
        top_passages: int | None = None,
    ) -> Answers:
        """Return the best answers of all documents, best first; empty when none passes.

        Args:
            question: one question, in words.
            top_k: the number of answers, at most.
            min_score: the lowest score; None for the pipeline's.
            top_passages: the number of passages of a document that are read; likewise.

        Raises:
            LoadError: a document cannot be loaded, or holds no text.
            CollectionError: there is no collection, or it cannot be read.
            QuestionError: the question is blank or too long for the reader.
            ModelError: the reader cannot be loaded.
        """
        settings: dict[str, Any] = {
            "top_k": top_k,
            "min_score": min_score,
            "top_passages": top_passages,
        }
        if self._collection is not None:
            return self._collection.ask(question, where=self._where, **settings)
        found: list[Answer] = []
        read = total = 0
        for item in self._pipeline.ask_all(self.documents, question, **settings):
            if item.error is not None:
                raise item.error
            found += item.answers
            read += item.answers.coverage.passages_read
            total += item.answers.coverage.passages_total
        best = sorted(found, key=lambda answer: -answer.score)[:top_k]
        return Answers(best, coverage=Coverage(read, total))

    @property
    def documents(self) -> tuple[Document, ...]:
        """Return the documents, each content once; of a collection none.

        Raises:
            LoadError: one cannot be loaded.
        """
        with self._lock:
            if self._documents is None:
                loaded = [self._pipeline.load(source) for source in self._sources]
                self._documents = tuple({each.id: each for each in loaded}.values())
            return self._documents

    @property
    def _index(self) -> tuple[Index, tuple[Passage, ...]]:
        documents = self.documents
        with self._lock:
            if self._indexed is None:
                split = self._pipeline.passages
                passages = tuple(passage for each in documents for passage in split(each))
                self._indexed = index_of(passages), passages
            return self._indexed

    def _stored_part(self, found: FoundPassage, *, boxes: bool) -> Part:
        assert self._collection is not None
        facts, passage = found.document, found.passage
        info = DocumentInfo(facts.id, facts.source, facts.title, facts.media_type, facts.extractor)
        part = Part(
            info,
            passage.span,
            passage.text,
            passage.number,
            facts.n_passages,
            n_pages=facts.n_pages,
            score=found.score,
        )
        if not facts.n_pages:
            return part
        with self._collection.document(facts.key) as document:
            if document.id != facts.id or passage.span.of(document.text) != passage.text:
                return part  # it was replaced since the search
            place = _passage_part(
                document, passage, n_parts=facts.n_passages, boxes=boxes, score=found.score
            )
        return replace(place, document=info)
