"""Read one version of a collection's table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from docqa.errors import CollectionError
from docqa.index.contract import DocumentFacts, Query, StoredDocument, StoredHit, Where
from docqa.index.lance.candidates import best_of, is_complete, lance_query, raw_hit
from docqa.index.lance.errors import translated_errors
from docqa.index.lance.rows import (
    EVERY,
    LABEL_COLUMNS,
    PASSAGES,
    condition,
    document_of,
    facts_of,
    key_of,
    quoted,
)
from docqa.index.lance.tables import INDEXED, index_name
from docqa.index.ranking import RawHit, settled

if TYPE_CHECKING:
    import pyarrow as pa
    from lancedb.table import LanceTable

    from docqa.index.lance.scores import FieldScorer, PassageScorer
    from docqa.index.lance.tail import Tail

__all__ = ["LanceSnapshot"]

_RANKED = ("terms", "names", "key", "generation", "number", "boilerplate")
_INDEXES_KEPT = 8
_CANDIDATES = 2_048  # at most so many are scored before the rest is taken to be worse


class LanceSnapshot:
    """Be one version of a collection; a `Snapshot`. Threads may share it.

    What ranking needs of the whole (numbers of passages and terms, document frequencies, what was
    written since the text index was brought up to date) is read once and kept.

    Args:
        table: checked out at that version.
        address: of the collection, for people.
        indexes: the ids of the rows that an index has, by its name; shared between versions.
    """

    def __init__(self, table: LanceTable, address: str, indexes: dict[str, pa.Array]) -> None:
        self._table, self._address, self._indexes = table, address, indexes
        self._frequencies: dict[tuple[str, str], int] = {}

    @property
    def n_passages(self) -> int:
        """Return how many passages there are."""
        return self._sizes[0]

    def search(self, query: Query) -> list[StoredHit]:
        """Return the best passages: scores above 0 and falling, ties by key and number.

        Raises:
            CollectionError: the version is gone: it was replaced, and the store compacted.
        """
        if not query.terms:
            return []
        with translated_errors(self._address, "cannot be read"):
            scorer = self._scorer(query)
            recent = self._recent(query, scorer)
            best = settled(
                lambda limit: best_of([*recent, *self._indexed(query, scorer, limit)], limit),
                top_k=query.top_k,
                boilerplate_weight=query.boilerplate_weight,
            )
            return self._hits(best)

    def documents(self, where: Where | None = None) -> Iterator[DocumentFacts]:
        """Yield what is known of the documents, ordered by key."""
        asked = f"first AND {condition(where or Where())}"
        found = self._rows(asked, ["key", "generation", "facts"])
        for row in sorted(found, key=key_of):
            yield DocumentFacts(key_of(row), row["generation"], facts_of(row))

    def body(self, key: str, generation: str) -> bytes:
        """Return a document's body.

        Raises:
            CollectionError: that generation is gone.
        """
        asked = f"first AND key = {quoted(key)} AND generation = {quoted(generation)}"
        for row in self._rows(asked, ["document_body"]):
            body: bytes = row["document_body"]
            return body
        raise CollectionError(
            f"{key}: what was stored of it is gone from {self._address}: it was replaced since; "
            "ask again"
        )

    def document(self, key: str) -> StoredDocument | None:
        """Return all that is kept of a document, passages in order; None where there is none."""
        return document_of(self._rows(f"{PASSAGES} AND key = {quoted(key)}"))

    def _rows(self, asked: str, columns: list[str] | None = None) -> list[dict[str, Any]]:
        with translated_errors(self._address, "cannot be read"):
            search = self._table.search().where(asked)
            rows: list[dict[str, Any]] = (
                (search.select(columns) if columns else search).to_arrow().to_pylist()
            )
            return rows

    @cached_property
    def _counts(self) -> pa.Table:
        """Return the row id, the number of terms and that of names of every passage."""
        with translated_errors(self._address, "cannot be read"):
            search = self._table.search().where(PASSAGES).with_row_id(True)
            return search.select(["n_terms", "n_names"]).to_arrow()

    @cached_property
    def _sizes(self) -> tuple[int, int, int]:
        """Return the numbers of passages, of their terms, and of the names on all of them."""
        import pyarrow.compute as pc

        totals = [pc.sum(self._counts[name]).as_py() or 0 for name in ("n_terms", "n_names")]
        return len(self._counts), totals[0], totals[1]

    @cached_property
    def _tail(self) -> Tail:
        """Return the passages that the text index does not have."""
        import pyarrow.compute as pc

        from docqa.index.lance.tail import Tail

        left = live = self._counts["_rowid"]
        if len(live):
            has = [pc.is_in(live, value_set=self._indexed_ids(field)) for field in INDEXED]
            left = live.filter(pc.invert(pc.and_(*has)))
        if not len(left):
            return Tail([])
        found = self._table.take_row_ids(left.to_pylist()).with_row_id()
        return Tail(found.select([*_RANKED, *LABEL_COLUMNS]).to_arrow().to_pylist())

    def _indexed_ids(self, field: str) -> pa.Array:
        """Return the ids of the rows that a field's index has, some of which may be deleted.

        Rows enter an index only when it is written anew, under another name.
        """
        found = self._table.list_indices()
        index = next((each for each in found if each.name == index_name(field)), None)
        name = "" if index is None else str(index.index_uuid)
        if name not in self._indexes:
            ids = self._matches(EVERY, field) if name else []
            if len(self._indexes) >= _INDEXES_KEPT:
                self._indexes.clear()
            self._indexes[name] = _as_array(ids)
        return self._indexes[name]

    def _matches(self, term: str, field: str) -> pa.ChunkedArray:
        """Return the ids of all indexed rows whose field has a term."""
        from lancedb.query import MatchQuery

        match = self._table.search(MatchQuery(term, field), query_type="fts").fast_search()
        match = match.with_row_id(True).select(["_rowid", "_score"]).limit(self.n_passages)
        return match.to_arrow()["_rowid"]

    def _scorer(self, query: Query) -> PassageScorer:
        from docqa.index.lance.scores import PassageScorer

        return PassageScorer(
            self._field_scorer("terms", query.terms, self._sizes[1]),
            self._field_scorer("names", query.terms if query.name_weight else (), self._sizes[2]),
            query.name_weight,
        )

    def _field_scorer(self, field: str, terms: Sequence[str], n_terms: int) -> FieldScorer:
        from docqa.index.lance.scores import FieldScorer

        return FieldScorer.of(
            terms, lambda term: self._frequency(field, term), (self.n_passages, n_terms)
        )

    def _frequency(self, field: str, term: str) -> int:
        """Return in how many passages a field has a term."""
        found = self._frequencies.get((field, term))
        if found is None:
            found = self._tail.frequency(field, term)
            if len(self._tail.rows) < self.n_passages:
                ids = self._matches(term, field)
                found += len(ids) - _n_shared(ids, self._tail.ids)
            self._frequencies[field, term] = found
        return found

    def _recent(self, query: Query, scorer: PassageScorer) -> list[RawHit]:
        """Return all hits among the passages that the index does not have."""
        fields = INDEXED if query.name_weight else INDEXED[:1]
        found = self._tail.found(list(dict.fromkeys(query.terms)), fields)
        return [raw_hit(row, scorer) for row in found if self._tail.holds(query.where, row)]

    def _indexed(self, query: Query, scorer: PassageScorer, limit: int) -> list[RawHit]:
        """Return hits among the indexed passages, the best `limit` of them included."""
        if len(self._tail.rows) >= self.n_passages:
            return []
        asked, n_fetched = lance_query(query, scorer), 2 * limit
        if asked is None:
            return []
        while True:
            search = self._table.search(asked, query_type="fts").fast_search().with_row_id(True)
            if query.where:
                search = search.where(condition(query.where))
            search = search.select([*_RANKED, "_rowid", "_score"]).limit(n_fetched)
            rows = search.to_arrow().to_pylist()
            hits = [raw_hit(row, scorer) for row in rows if row["_rowid"] not in self._tail.ids]
            if len(rows) < n_fetched or n_fetched >= max(_CANDIDATES, limit):
                return hits
            if is_complete(hits, rows, limit):
                return hits
            n_fetched *= 4

    def _hits(self, best: Sequence[RawHit]) -> list[StoredHit]:
        """Return hits with the bodies of their passages, which are read for these alone."""
        if not best:
            return []
        places = [hit.place for hit in best]
        found = self._table.take_row_ids([row["_rowid"] for row in places])  # type: ignore[index]
        rows = found.with_row_id().select(["passage_body"]).to_arrow().to_pylist()
        bodies = {row["_rowid"]: row["passage_body"] for row in rows}
        return [
            StoredHit(hit.key, row["generation"], hit.number, hit.score, bodies[row["_rowid"]])  # type: ignore[index]
            for hit, row in zip(best, places, strict=True)
        ]


def _n_shared(ids: Any, others: frozenset[int]) -> int:
    return sum(1 for each in ids.to_pylist() if each in others) if others else 0


def _as_array(ids: Any) -> pa.Array:
    import pyarrow as pa

    return pa.array(ids.to_pylist() if hasattr(ids, "to_pylist") else ids, pa.uint64())
