"""Questions to all documents of a collection at once: rank, read, order, locate."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from docqa.answers import answers_from_spans, relevances
from docqa.collection.facts import CollectedDocument
from docqa.collection.originals import StoredSourceMap, settings_of
from docqa.collection.packing import unpack_document, unpack_passage
from docqa.datamodel import (
    Answer,
    Answers,
    AnswerSpans,
    Coverage,
    Document,
    GridItem,
    Passage,
    RankedPassage,
    ReadSettings,
    Table,
    TableRow,
)
from docqa.errors import QuestionError
from docqa.grid import SPANS_PER_PASSAGE, Reading, question_error, reader_info
from docqa.index.analysis import terms
from docqa.index.memory import DEFAULT_BOILERPLATE_WEIGHT
from docqa.index.names import NAME_WEIGHT
from docqa.index.store import Query, Snapshot, Where
from docqa.loaders.settings import LoadSettings
from docqa.protocols import Reader
from docqa.reading_form import ReadingForm
from docqa.recent import Recent

if TYPE_CHECKING:
    from docqa.collection.packing import PackedDocument
    from docqa.reader.tokenizer import Tokens

__all__ = ["Asked", "FoundPassage", "ask_batch", "search"]

_Bodies = Recent["tuple[PackedDocument, Document]"]


@dataclass(frozen=True, slots=True)
class FoundPassage:
    """Hold a passage that was found for a query, with its document.

    Attributes:
        document: what the collection knows of it.
        passage: `document_id` is the document's id.
        rank: from 1.
        score: BM25; see `docqa.index.store`.
    """

    document: CollectedDocument
    passage: Passage
    rank: int
    score: float


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


@dataclass(frozen=True, slots=True)
class _Hits:
    """Hold what was found for one question.

    Attributes:
        ranked: passages; they have their document's key for its id.
        documents: what is known of each, and its generation, by key.
        tokens: of the passages, by the text of their reading form.
        tables: the rows that touch the passages, by key.
    """

    ranked: tuple[RankedPassage, ...]
    documents: Mapping[str, tuple[CollectedDocument, str]]
    tokens: Mapping[str, Tokens]
    tables: Mapping[str, Table]


def search(snapshot: Snapshot, query: str, *, top_k: int, where: Where) -> list[FoundPassage]:
    """Return the passages that rank best for a query, copies of one file once."""
    hits = _hits(snapshot, query, top_k=top_k, where=where)
    found = []
    for one in hits.ranked:
        facts, _ = hits.documents[one.passage.document_id]
        passage = replace(one.passage, document_id=facts.id)
        found.append(FoundPassage(facts, passage, one.rank, one.score))
    return found


def ask_batch(asked: Asked, questions: Sequence[str]) -> list[GridItem]:
    """Return the outcome of every question, read together.

    Raises:
        CollectionError: a document was replaced, and cleaned up, since the snapshot.
    """
    total = _passages_asked(asked)
    errors = [question_error(asked.reader, question) for question in questions]
    most = asked.reading.top_passages or max(1, asked.snapshot.n_passages)
    hits = [
        None if error else _hits(asked.snapshot, question, top_k=most, where=asked.where)
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


def _read(
    asked: Asked, questions: Sequence[str], hits: Sequence[_Hits | None]
) -> list[AnswerSpans]:
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


def _hits(snapshot: Snapshot, query: str, *, top_k: int, where: Where) -> _Hits:
    """Return what is found; passages have their document's key for its id."""
    asked = Query(
        terms(query),
        top_k,
        where,
        name_weight=NAME_WEIGHT,
        boilerplate_weight=DEFAULT_BOILERPLATE_WEIGHT,
    )
    found = snapshot.search(asked)
    keys = tuple(dict.fromkeys(hit.key for hit in found))
    documents = {
        each.key: (CollectedDocument.from_json(each.facts), each.generation)
        for each in (snapshot.documents(Where(keys=keys)) if keys else ())
    }
    ranked: list[RankedPassage] = []
    tokens: dict[str, Tokens] = {}
    rows: dict[str, list[TableRow]] = {}
    seen: set[tuple[str, int]] = set()
    for hit in found:
        content = documents[hit.key][0].id, hit.number
        if content in seen:
            continue  # a copy of the same file
        seen.add(content)
        packed = unpack_passage(hit.body, hit.key)
        if packed.tokens is not None:
            tokens[ReadingForm.of(packed.passage).text] = packed.tokens
        rows.setdefault(hit.key, []).extend(packed.rows)
        ranked.append(RankedPassage(packed.passage, len(ranked) + 1, hit.score))
    tables = {key: _table(found) for key, found in rows.items() if found}
    return _Hits(tuple(ranked), documents, tokens, tables)


def _table(rows: Iterable[TableRow]) -> Table:
    """Return rows of several passages as one table, each once and in order."""
    by_place = {row.cells[0].span: row for row in rows}
    return Table(tuple(by_place[span] for span in sorted(by_place)))


class _Documents(Mapping[str, Document]):
    """Unpack the documents of one question's hits when they are looked at."""

    def __init__(self, asked: Asked, hits: _Hits) -> None:
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
        return packed, packed.document(_NOWHERE, settings)


class _Nowhere:
    """Be the source map of a document that waits for its own."""

    def locate(self, span: object) -> tuple[()]:
        del span
        return ()

    def close(self) -> None:
        """Do nothing."""


_NOWHERE = _Nowhere()
