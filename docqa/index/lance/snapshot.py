"""Read one version of a collection's table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from docqa.errors import StoredDocumentError
from docqa.index.contract import DocumentFacts, Query, StoredDocument, StoredHit, Where
from docqa.index.lance.errors import translated_errors
from docqa.index.lance.rows import (
    PASSAGES,
    condition,
    document_of,
    facts_of,
    key_of,
    quoted,
)
from docqa.index.ranking import RawHit, best_hits

if TYPE_CHECKING:
    from lancedb.table import LanceTable

__all__ = ["LanceSnapshot"]

_Hit = RawHit[dict[str, Any]]
_RANKED = ("key", "generation", "number", "boilerplate")


class LanceSnapshot:
    """One version of a collection; a `Snapshot`. Threads may share it.

    Lance ranks by its own BM25, with exact lengths. Passages that were written after the last
    compaction are found too. The statistics of the others are those of that compaction: passages
    that were removed since still count in them, and newer ones do not.

    Args:
        table: checked out at that version.
        address: of the collection, for messages.
    """

    def __init__(self, table: LanceTable, address: str) -> None:
        self._table, self._address = table, address

    @cached_property
    def n_passages(self) -> int:
        """Return the number of passages."""
        with translated_errors(self._address, "cannot be read"):
            return int(self._table.count_rows(PASSAGES))

    def search(self, query: Query) -> list[StoredHit]:
        """Return the best passages: scores above 0 and falling, ties by key and number.

        Raises:
            CollectionError: the version is gone: it was replaced, and the store compacted.
        """
        if not query.terms:
            return []
        asked = _lance_query(query)
        with translated_errors(self._address, "cannot be read"):
            best = best_hits(
                lambda limit: self._fetch(asked, query.where, limit),
                top_k=query.top_k,
                boilerplate_weight=query.boilerplate_weight,
            )
            return self._hits(best)

    def documents(self, where: Where | None = None) -> Iterator[DocumentFacts]:
        """Yield the entries of the documents, ordered by key."""
        asked = f"first AND {condition(where or Where())}"
        found = self._rows(asked, ["key", "generation", "facts"])
        for row in sorted(found, key=key_of):
            yield DocumentFacts(key_of(row), row["generation"], facts_of(row))

    def body(self, key: str, generation: str) -> bytes:
        """Return a document's body.

        Raises:
            StoredDocumentError: that generation is gone.
        """
        asked = f"first AND key = {quoted(key)} AND generation = {quoted(generation)}"
        for row in self._rows(asked, ["document_body"]):
            body: bytes = row["document_body"]
            return body
        raise StoredDocumentError(
            f"{key} is no longer stored in {self._address} as it was found: it was replaced since; "
            "ask again",
            key=key,
        )

    def document(self, key: str) -> StoredDocument | None:
        """Return a document as it was written, passages in order; None where there is none."""
        return document_of(self._rows(f"{PASSAGES} AND key = {quoted(key)}"))

    def _rows(self, asked: str, columns: list[str] | None = None) -> list[dict[str, Any]]:
        with translated_errors(self._address, "cannot be read"):
            search = self._table.search().where(asked)
            rows: list[dict[str, Any]] = (
                (search.select(columns) if columns else search).to_arrow().to_pylist()
            )
            return rows

    def _fetch(self, asked: Any, where: Where, limit: int) -> list[_Hit]:
        """Return the best `limit` passages by Lance's scores."""
        search = self._table.search(asked, query_type="fts").with_row_id(True)
        if where:
            search = search.where(condition(where))
        rows = search.select([*_RANKED, "_rowid", "_score"]).limit(limit).to_arrow().to_pylist()
        return [
            RawHit(key_of(row), row["number"], row["_score"], row["boilerplate"], row)
            for row in rows
        ]

    def _hits(self, best: Sequence[_Hit]) -> list[StoredHit]:
        """Return hits with the bodies of their passages, which are read for these alone."""
        if not best:
            return []
        found = self._table.take_row_ids([hit.row["_rowid"] for hit in best])
        rows = found.with_row_id().select(["passage_body"]).to_arrow().to_pylist()
        bodies = {row["_rowid"]: row["passage_body"] for row in rows}
        return [
            StoredHit(
                hit.key, hit.row["generation"], hit.number, hit.score, bodies[hit.row["_rowid"]]
            )
            for hit in best
        ]


def _lance_query(query: Query) -> Any:
    """Return a query as Lance has it: its terms in the passages and, weighed, in the names."""
    from lancedb.query import BooleanQuery, MatchQuery, Occur

    terms = " ".join(query.terms)
    own = MatchQuery(terms, "terms")
    if not query.name_weight:
        return own
    names = MatchQuery(terms, "names", boost=query.name_weight)
    return BooleanQuery([(Occur.SHOULD, own), (Occur.SHOULD, names)])
