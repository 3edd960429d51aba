"""Questions to all documents of a collection at once: rank, read, order, locate."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from docqa.asking.answers import answers_from_spans, relevances
from docqa.asking.grid import SPANS_PER_PASSAGE, Reading, question_error, reader_info
from docqa.collection.facts import CollectedDocument
from docqa.collection.hits import Hits, find
from docqa.collection.originals import StoredSourceMap, settings_of
from docqa.collection.packing import NOWHERE, unpack_document
from docqa.datamodel import (
    Answer,
    Answers,
    AnswerSpans,
    Coverage,
    Document,
    GridItem,
    ReadSettings,
)
from docqa.errors import QuestionError
from docqa.index.store import Snapshot, Where
from docqa.loaders.settings import LoadSettings
from docqa.protocols import Reader
from docqa.recent import Recent

if TYPE_CHECKING:
    from docqa.collection.packing import PackedDocument

__all__ = ["Asked", "ask_batch"]

_Bodies = Recent["tuple[PackedDocument, Document]"]


@dataclass(frozen=True, slots=True)
class Asked:
    """Hold what questions are asked with.

    Attributes:
        snapshot: of the store; all questions of a batch see the same.
        where: which documents are asked.
        reader, reading: who reads, and how.
        loading: how sources are loaded, when places are looked up.
        settings: under which answers come out again.
        is_kept: whether the stored tokens are the reader's.
        bodies: documents unpacked lately, by generation.
        address: the collection's.
    """

    snapshot: Snapshot
    where: Where
    reader: Reader
    reading: Reading
    loading: LoadSettings
    settings: ReadSettings
    is_kept: bool
    bodies: _Bodies
    address: str


def ask_batch(asked: Asked, questions: Sequence[str]) -> list[GridItem]:
    """Return the outcome of every question, read together.

    Raises:
        CollectionError: a document was replaced, and cleaned up, since the snapshot.
    """
    total = _passages_asked(asked)
    errors = [question_error(asked.reader, question) for question in questions]
    most = asked.reading.top_passages or max(1, asked.snapshot.n_passages)
    hits = [
        None if error else find(asked.snapshot, question, top_k=most, where=asked.where)
        for question, error in zip(questions, errors, strict=True)
    ]
    spans = iter(_read(asked, questions, hits))
    items = []
    for question, found, error in zip(questions, hits, errors, strict=True):
        if found is None:
            items.append(_failed(asked, question, error, total))
            continue
        documents = _Documents(asked, found)
        answers = answers_from_spans(
            documents,
            next(spans),
            relevances(found.ranked),
            top_k=asked.reading.top_k,
            min_score=asked.reading.min_score,
            rank_weight=asked.reading.rank_weight,
            calibration=getattr(asked.reader, "calibration", None),
            reader=reader_info(asked.reader),
            settings=asked.settings,
        )
        coverage = Coverage(len(found.ranked), total)
        told = Answers([documents.told(answer) for answer in answers], coverage=coverage)
        documents.close()
        items.append(GridItem(question, asked.address, None, told))
    return items


def _read(asked: Asked, questions: Sequence[str], hits: Sequence[Hits | None]) -> list[AnswerSpans]:
    """Return what the reader proposes to each question that has hits, all read together."""
    readable = [(each, found) for each, found in zip(questions, hits, strict=True) if found]
    if not readable:
        return []
    if asked.is_kept:
        for _, found in readable:
            asked.reader.remember(found.tokens)  # type: ignore[attr-defined]  # is_kept says so
    requests = [(question, [one.passage for one in found.ranked]) for question, found in readable]
    most = max(len(passages) for _, passages in requests)
    return asked.reader.read_all(requests, top_k=max(1, most) * SPANS_PER_PASSAGE)


def _failed(asked: Asked, question: str, error: QuestionError | None, total: int) -> GridItem:
    return GridItem(question, asked.address, None, Answers(coverage=Coverage(0, total)), error)


def _passages_asked(asked: Asked) -> int:
    if not asked.where:
        return asked.snapshot.n_passages
    documents = asked.snapshot.documents(asked.where)
    return sum(CollectedDocument.from_json(each.facts).n_passages for each in documents)


class _Documents(Mapping[str, Document]):
    """Unpack the documents of one question's hits when they are looked at."""

    def __init__(self, asked: Asked, hits: Hits) -> None:
        self._asked, self._hits = asked, hits
        self._made: dict[str, Document] = {}

    def __getitem__(self, key: str) -> Document:
        if key not in self._made:
            facts, generation = self._hits.documents[key]
            packed, document = self._asked.bodies.made(
                generation, partial(self._unpacked, key, generation)
            )
            tables = (self._hits.tables[key],) if key in self._hits.tables else ()
            document = replace(document, source=facts.source, tables=tables)
            source_map = StoredSourceMap(facts, document, packed.original)
            self._made[key] = replace(document, source_map=source_map)
        return self._made[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._hits.documents)

    def __len__(self) -> int:
        return len(self._hits.documents)

    def told(self, answer: Answer) -> Answer:
        """Return an answer with its document's id, and what became of the source."""
        document = self[answer.passage.document_id]
        assert isinstance(document.source_map, StoredSourceMap)
        original = document.source_map.original
        info = replace(answer.document, source=original.source, source_state=original.state)
        passage = replace(answer.passage, document_id=document.id)
        return replace(answer, document=info, passage=passage)

    def close(self) -> None:
        """Close the sources that were opened for places."""
        for document in self._made.values():
            document.close()

    def _unpacked(self, key: str, generation: str) -> tuple[PackedDocument, Document]:
        packed = unpack_document(self._asked.snapshot.body(key, generation))
        settings = settings_of(packed.values["settings"], self._asked.loading)
        return packed, packed.document(NOWHERE, settings)
