"""Questions to all documents of a collection at once: rank, read, order, locate."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from docqa.asking.cells import Cell, answer_cells, batches, question_error
from docqa.asking.settings import AskSettings
from docqa.collection.originals import StoredSourceMap
from docqa.collection.records import CollectedDocument
from docqa.collection.search import Hits, find
from docqa.collection.stored_document import Bodies, stored_document
from docqa.datamodel import (
    Answer,
    Answers,
    Document,
    GridItem,
    ReadSettings,
)
from docqa.errors import CollectionError, StoredDocumentError
from docqa.index.contract import Snapshot, Where
from docqa.load_settings import LoadSettings
from docqa.protocols import Reader

__all__ = ["CollectionCall", "ask_collection"]


@dataclass(frozen=True, slots=True)
class CollectionCall:
    """The collection, the reader and the settings with which questions are asked.

    Attributes:
        snapshot: of the store; all questions see it while it can be read.
        where: the documents that are asked.
        reader: finds the answers.
        settings: of the call.
        read_settings: recorded by the answers.
        loading: the settings under which sources are opened, when places are looked up.
        is_kept: whether the stored tokens are the reader's.
        bodies: documents unpacked lately, by generation.
        address: the collection's.
        left_out: documents that cannot be read, with the reason, by key.
    """

    snapshot: Snapshot
    where: Where
    reader: Reader
    settings: AskSettings
    read_settings: ReadSettings
    loading: LoadSettings
    is_kept: bool
    bodies: Bodies
    address: str
    left_out: Mapping[str, str] = field(default_factory=dict)


def ask_collection(
    call: CollectionCall, questions: Sequence[str], latest: Callable[[], Snapshot]
) -> Iterator[GridItem]:
    """Yield the outcome of every question, in order; several are read together.

    Where a document was replaced, and cleaned up, since the snapshot, the questions left are asked
    of the latest one. A document that cannot be read there either is left out, and named in the
    warnings of the answers to each question that finds it.

    Args:
        call: how they are asked.
        questions: in words.
        latest: returns a new snapshot.

    Raises:
        CollectionError: the collection cannot be read, or changes faster than it is asked.
    """
    n_asked, n_before = 0, -1
    while n_asked < len(questions):
        try:
            for item in _items(call, questions[n_asked:]):
                yield item
                n_asked += 1
        except CollectionError as error:
            if n_asked != n_before:
                n_before, call = n_asked, replace(call, snapshot=latest())
            elif isinstance(error, StoredDocumentError) and error.key not in call.left_out:
                call = replace(call, left_out={**call.left_out, error.key: str(error)})
            else:
                raise


def _items(call: CollectionCall, questions: Sequence[str]) -> Iterator[GridItem]:
    total = _passages_asked(call)
    for batch in batches(_cell(call, question, total) for question in questions):
        items = answer_cells(batch, lambda: call.reader, failing=())
        for cell, item in zip(batch, items, strict=True):
            if not isinstance(documents := cell.documents, _Documents):
                yield item  # with the error that kept it from being asked
                continue
            answers = [documents.with_original(answer) for answer in item.answers]
            documents.close()
            yield replace(
                item,
                answers=Answers(
                    answers, coverage=item.answers.coverage, warnings=documents.warnings
                ),
            )


def _cell(call: CollectionCall, question: str, total: int) -> Cell:
    """Return a question with its best passages, or with the error that keeps it unread."""
    cell = Cell(question, call.address, n_passages=total)
    if (error := question_error(call.reader, question)) is not None:
        return replace(cell, error=error)
    most = call.settings.top_passages or max(1, call.snapshot.n_passages)
    hits = find(call.snapshot, question, top_k=most, where=call.where, without=call.left_out.keys())
    return replace(
        cell,
        ranked=hits.ranked,
        documents=_Documents(call, hits),
        settings=call.settings,
        read_settings=call.read_settings,
        tokens=hits.tokens if call.is_kept else None,
    )


def _passages_asked(call: CollectionCall) -> int:
    if not call.where:
        return call.snapshot.n_passages
    documents = call.snapshot.documents(call.where)
    return sum(CollectedDocument.from_json(each.facts).n_passages for each in documents)


class _Documents(Mapping[str, Document]):
    """The documents of one question's hits, unpacked when they are looked at."""

    def __init__(self, call: CollectionCall, hits: Hits) -> None:
        self._call, self._hits = call, hits
        self._made: dict[str, Document] = {}

    def __getitem__(self, key: str) -> Document:
        if key not in self._made:
            facts, generation = self._hits.documents[key]
            self._made[key] = stored_document(
                self._call.snapshot,
                (facts, generation),
                loading=self._call.loading,
                bodies=self._call.bodies,
                tables=(self._hits.tables[key],) if key in self._hits.tables else (),
            )
        return self._made[key]

    @property
    def warnings(self) -> tuple[str, ...]:
        """Return a line for each document that was found and left out."""
        reasons = self._call.left_out
        return tuple(f"an answer may be missing: {reasons[key]}" for key in self._hits.left_out)

    def __iter__(self) -> Iterator[str]:
        return iter(self._hits.documents)

    def __len__(self) -> int:
        return len(self._hits.documents)

    def with_original(self, answer: Answer) -> Answer:
        """Return an answer with its document's id, and the state of the source."""
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
