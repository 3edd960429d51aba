"""Read one version of a collection's table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from docqa.errors import CollectionError
from docqa.index.lance_errors import told
from docqa.index.lance_rows import LABEL_COLUMNS, PASSAGES, condition, document_of, quoted
from docqa.index.settling import RawHit, settled
from docqa.index.store import DocumentFacts, Query, StoredDocument, StoredHit, Where

if TYPE_CHECKING:
    from lancedb.table import LanceTable

    from docqa.index.lance_scores import FieldScorer, PassageScorer
    from docqa.index.lance_tail import Tail

__all__ = ["LanceSnapshot"]

_RANKED = ("terms", "names", "key", "generation", "number", "boilerplate")
_FIELDS = ("terms", "names")

# A byte keeps a length to within an eighth, so no passage scores more than this times Lance's score
# where Lance's statistics are up to date; where they are not, what the candidates show is taken.
_BYTE_GAIN = 9 / 8
_CANDIDATES = 2_048  # at most so many are scored before the rest is taken to be worse


class LanceSnapshot:
    """Be one version of a collection; a `Snapshot`. Threads may share it.

    What ranking needs of the whole (numbers of passages and terms, document frequencies, what was
    written since the text index was brought up to date) is read once and kept.

    Args:
        table: checked out at that version.
        address: of the collection, for people.
    """

    def __init__(self, table: LanceTable, address: str) -> None:
        self._table, self._address = table, address
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
        with told(self._address, "cannot be read"):
            scorer = self._scorer(query)
            recent = self._recent(query, scorer)
            best = settled(
                lambda limit: _best([*recent, *self._indexed(query, scorer, limit)], limit),
                top_k=query.top_k,
                boilerplate_weight=query.boilerplate_weight,
            )
            return self._hits(best)

    def documents(self, where: Where | None = None) -> Iterator[DocumentFacts]:
        """Yield what is known of the documents, ordered by key."""
        asked = f"first AND {condition(where or Where())}"
        found = self._rows(asked, ["key", "generation", "facts"])
        for row in sorted(found, key=lambda row: str(row["key"])):
            yield DocumentFacts(row["key"], row["generation"], row["facts"])

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
        with told(self._address, "cannot be read"):
            search = self._table.search().where(asked)
            rows: list[dict[str, Any]] = (
                (search.select(columns) if columns else search).to_arrow().to_pylist()
            )
            return rows

    @cached_property
    def _sizes(self) -> tuple[int, int, int]:
        """Return the numbers of passages, of their terms, and of the names on all of them."""
        import pyarrow.compute as pc

        with told(self._address, "cannot be read"):
            found = self._table.search().where(PASSAGES).select(["n_terms", "n_names"]).to_arrow()
        totals = (pc.sum(found[name]).as_py() or 0 for name in ("n_terms", "n_names"))
        return (len(found), *totals)  # type: ignore[return-value]

    @cached_property
    def _tail(self) -> Tail:
        """Return what the text index does not have yet; it stands at the table's end."""
        from docqa.index.lance_tail import Tail

        n_rows = self._table.count_rows()
        n_left = max(self._n_unindexed(f"{field}_idx", n_rows) for field in _FIELDS)
        if not n_left:
            return Tail([])
        last = self._table.search().select([*_RANKED, *LABEL_COLUMNS]).with_row_id(True)
        rows = last.offset(n_rows - n_left).limit(n_left).to_arrow().to_pylist()
        return Tail([row for row in rows if row["number"] >= 0])

    def _n_unindexed(self, index: str, n_rows: int) -> int:
        found = self._table.index_stats(index)
        return n_rows if found is None else min(found.num_unindexed_rows, n_rows)

    def _scorer(self, query: Query) -> PassageScorer:
        from docqa.index.lance_scores import PassageScorer

        return PassageScorer(
            self._field_scorer("terms", query.terms, self._sizes[1]),
            self._field_scorer("names", query.terms if query.name_weight else (), self._sizes[2]),
            query.name_weight,
        )

    def _field_scorer(self, field: str, terms: Sequence[str], n_terms: int) -> FieldScorer:
        from docqa.index.lance_scores import FieldScorer

        return FieldScorer.of(
            terms, lambda term: self._frequency(field, term), (self.n_passages, n_terms)
        )

    def _frequency(self, field: str, term: str) -> int:
        """Return in how many passages a field has a term."""
        found = self._frequencies.get((field, term))
        if found is None:
            found = self._tail.frequency(field, term)
            if len(self._tail.rows) < self.n_passages:
                from lancedb.query import MatchQuery

                match = self._table.search(MatchQuery(term, field), query_type="fts")
                match = match.fast_search().with_row_id(True).select(["_rowid", "_score"])
                ids = match.limit(self.n_passages).to_arrow()["_rowid"]
                found += len(ids) - _n_shared(ids, self._tail.ids)
            self._frequencies[field, term] = found
        return found

    def _recent(self, query: Query, scorer: PassageScorer) -> list[RawHit]:
        """Return all hits among the passages that the index does not have."""
        fields = _FIELDS if query.name_weight else _FIELDS[:1]
        found = self._tail.found(list(dict.fromkeys(query.terms)), fields)
        return [_raw(row, scorer) for row in found if self._tail.holds(query.where, row)]

    def _indexed(self, query: Query, scorer: PassageScorer, limit: int) -> list[RawHit]:
        """Return hits among the indexed passages, the best `limit` of them included."""
        if len(self._tail.rows) >= self.n_passages:
            return []
        asked, n_fetched = _lance_query(query, scorer), 2 * limit
        if asked is None:
            return []
        while True:
            search = self._table.search(asked, query_type="fts").fast_search().with_row_id(True)
            if query.where:
                search = search.where(condition(query.where))
            search = search.select([*_RANKED, "_rowid", "_score"]).limit(n_fetched)
            rows = search.to_arrow().to_pylist()
            hits = [_raw(row, scorer) for row in rows if row["_rowid"] not in self._tail.ids]
            if len(rows) < n_fetched or n_fetched >= max(_CANDIDATES, limit):
                return hits
            if _is_complete(hits, rows, limit):
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


def _lance_query(query: Query, scorer: PassageScorer) -> Any:
    """Return the query by which Lance finds candidates; None where no term is anywhere."""
    from lancedb.query import BooleanQuery, MatchQuery, Occur

    own = [term for term in query.terms if term in scorer.own.weights]
    names = [term for term in query.terms if term in scorer.names.weights]
    parts = [MatchQuery(" ".join(own), "terms")] if own else []
    if names:
        parts.append(MatchQuery(" ".join(names), "names", boost=query.name_weight))
    if len(parts) < 2:
        return parts[0] if parts else None
    return BooleanQuery([(Occur.SHOULD, part) for part in parts])


def _is_complete(hits: Sequence[RawHit], rows: Sequence[dict[str, Any]], limit: int) -> bool:
    """Say whether no passage that was not fetched can be among the best `limit`."""
    if len(hits) < limit:
        return False
    gains = (hit.score / hit.place["_score"] for hit in hits)  # type: ignore[index]
    reach = max(_BYTE_GAIN, *gains) * float(rows[-1]["_score"])
    return _best(hits, limit)[-1].score > reach


def _best(hits: Sequence[RawHit], limit: int) -> list[RawHit]:
    return sorted(hits, key=lambda hit: (-hit.score, hit.key, hit.number))[:limit]


def _raw(row: dict[str, Any], scorer: PassageScorer) -> RawHit:
    score = scorer.score(row["terms"], row["names"])
    return RawHit(row["key"], row["number"], score, row["boilerplate"], row)


def _n_shared(ids: Any, others: frozenset[int]) -> int:
    return sum(1 for each in ids.to_pylist() if each in others) if others else 0
