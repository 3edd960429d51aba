"""The passages of a collection that rank best for a question, with their documents' records."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from docqa.collection.packing import table_of, unpack_passage
from docqa.collection.records import CollectedDocument
from docqa.datamodel import Passage, RankedPassage, Table, TableRow
from docqa.errors import CollectionError, StoredDocumentError
from docqa.index.analysis import terms
from docqa.index.contract import Query, Snapshot, StoredHit, Where
from docqa.index.memory import DEFAULT_BOILERPLATE_WEIGHT
from docqa.index.name_terms import NAME_WEIGHT
from docqa.reading_form import ReadingForm

if TYPE_CHECKING:
    from docqa.protocols import Tokens

__all__ = ["FoundPassage", "Hits", "find", "one_document", "search"]

_MORE = 4  # times as many hits, where copies of files filled the list

_Facts = Mapping[str, tuple[CollectedDocument, str]]  # and the generation, by key


@dataclass(frozen=True, slots=True)
class FoundPassage:
    """A passage with its rank and BM25 score, and its document's record.

    Attributes:
        document: its record in the collection.
        passage: `document_id` is the document's id.
        rank: from 1.
        score: BM25; see `docqa.index.contract`.
    """

    document: CollectedDocument
    passage: Passage
    rank: int
    score: float


@dataclass(frozen=True, slots=True)
class Hits:
    """The passages for one question.

    Attributes:
        ranked: passages; they have their document's key for its id.
        documents: the record of each, and its generation, by key.
        tokens: of the passages, by the text of their reading form.
        tables: the rows that touch the passages, by key.
        left_out: keys of documents that were found, and are not to be read.
    """

    ranked: tuple[RankedPassage, ...]
    documents: _Facts
    tokens: Mapping[str, Tokens]
    tables: Mapping[str, Table]
    left_out: tuple[str, ...] = ()


def search(snapshot: Snapshot, query: str, *, top_k: int, where: Where) -> list[FoundPassage]:
    """Return the passages that rank best for a query, copies of one file once."""
    hits = find(snapshot, query, top_k=top_k, where=where)
    found = []
    for one in hits.ranked:
        facts, _ = hits.documents[one.passage.document_id]
        passage = replace(one.passage, document_id=facts.id)
        found.append(FoundPassage(facts, passage, one.rank, one.score))
    return found


def find(
    snapshot: Snapshot,
    query: str,
    *,
    top_k: int,
    where: Where,
    without: Set[str] = frozenset(),
) -> Hits:
    """Return the passages for one question; they have their document's key for its id.

    Copies of a file take no room: while they leave fewer than `top_k`, the search goes on. It
    goes on once more where the file of a copy is gone: that of another copy may be there.

    Args:
        snapshot: of the store.
        query: the question.
        top_k: the most passages.
        where: the filter of documents.
        without: keys of documents that are left out, since they are damaged.

    Raises:
        StoredDocumentError: what is stored of a document is damaged.
        CollectionError: the index cannot be read.
    """
    asked = Query(
        terms(query),
        top_k,
        where,
        name_weight=NAME_WEIGHT,
        boilerplate_weight=DEFAULT_BOILERPLATE_WEIGHT,
    )
    has_looked_on = False
    while True:
        all_found = snapshot.search(asked)
        found = [hit for hit in all_found if hit.key not in without]
        documents = _facts_of(snapshot, found)
        gone = {key for key, (facts, _) in documents.items() if not _is_there(facts)}
        distinct = _without_copies(found, documents, gone)[:top_k]
        is_full = len(distinct) == top_k
        is_settled = has_looked_on or not any(hit.key in gone for hit in distinct)
        if len(all_found) < asked.top_k or (is_full and is_settled):
            left_out = dict.fromkeys(hit.key for hit in all_found if hit.key in without)
            return replace(_unpacked(distinct, documents), left_out=tuple(left_out))
        has_looked_on = is_full
        asked = replace(asked, top_k=asked.top_k * _MORE)


def _facts_of(snapshot: Snapshot, found: Sequence[StoredHit]) -> _Facts:
    keys = tuple(dict.fromkeys(hit.key for hit in found))
    facts = {}
    for each in snapshot.documents(Where(keys=keys)) if keys else ():
        with one_document(each.key):
            facts[each.key] = CollectedDocument.from_json(each.facts), each.generation
    for key in keys:
        if key not in facts:
            raise CollectionError(
                f"{key}: the index is damaged, as this document is found and not listed; docqa kb "
                "check KB names every damaged file"
            )
    return facts


@contextmanager
def one_document(key: str) -> Iterator[None]:
    """Name the document whose stored bytes are damaged.

    Raises:
        StoredDocumentError: they are.
    """
    try:
        yield
    except StoredDocumentError:
        raise
    except CollectionError as error:
        raise StoredDocumentError(
            f"{key}: {error}; docqa kb rebuild KB makes the collection again from its sources",
            key=key,
        ) from error


def _without_copies(
    found: Sequence[StoredHit], documents: _Facts, gone: Set[str]
) -> list[StoredHit]:
    """Return one hit for each passage of each content, where the best of its copies ranks.

    It is that of the first copy found whose file is there, since that is where people will look,
    with the score of the best.
    """
    copies: dict[tuple[str, int], list[StoredHit]] = {}
    for hit in found:
        copies.setdefault((documents[hit.key][0].id, hit.number), []).append(hit)
    return [
        replace(next((hit for hit in hits if hit.key not in gone), hits[0]), score=hits[0].score)
        for hits in copies.values()
    ]


def _is_there(facts: CollectedDocument) -> bool:
    return facts.stamp is None or os.path.exists(facts.key)  # noqa: PTH110 - a path as it came


def _unpacked(found: Sequence[StoredHit], documents: _Facts) -> Hits:
    ranked: list[RankedPassage] = []
    tokens: dict[str, Tokens] = {}
    rows: dict[str, list[TableRow]] = {}
    for hit in found:
        with one_document(hit.key):
            packed = unpack_passage(hit.body, hit.key)
        if packed.tokens is not None:
            tokens[ReadingForm.of(packed.passage).text] = packed.tokens
        rows.setdefault(hit.key, []).extend(packed.rows)
        ranked.append(RankedPassage(packed.passage, len(ranked) + 1, hit.score))
    tables = {key: table_of(touched) for key, touched in rows.items() if touched}
    return Hits(tuple(ranked), documents, tokens, tables)
