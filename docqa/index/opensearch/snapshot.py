"""One state of a collection in a cluster: a head, and a point in time that holds its records."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property
from heapq import merge
from itertools import chain
from typing import TYPE_CHECKING, Any

from docqa.errors import CollectionError
from docqa.index.encodable import encodable
from docqa.index.opensearch.client import reported
from docqa.index.opensearch.head import Head
from docqa.index.opensearch.queries import filtered, ranked
from docqa.index.opensearch.records import (
    LARGEST_PAGE,
    key_of,
    stored_document,
    stored_facts,
    stored_passage,
    unpacked,
)
from docqa.index.settling import RawHit, settled
from docqa.index.store import DocumentFacts, Query, StoredDocument, StoredHit, StoredPassage, Where

if TYPE_CHECKING:
    from opensearchpy import OpenSearch

__all__ = ["KEEP_ALIVE", "OpenSearchSnapshot"]

KEEP_ALIVE = "5m"
"""How long the cluster holds a point in time after it was last used."""
_PAGE = 500

Hit = dict[str, Any]


class OpenSearchSnapshot:
    """Be one state of a collection; a `Snapshot`. Threads may share it.

    Args:
        client: of the cluster.
        address: for messages.
        head: says what is seen.
        point: the id of a point in time that has all of it.
        factor: multiplies the cluster's scores.
        reopen: returns a new point in time for `head`, where the state is still that.
    """

    def __init__(
        self,
        client: OpenSearch,
        address: object,
        head: Head,
        *,
        point: str,
        factor: float,
        reopen: Callable[[Head], str],
    ) -> None:
        self._client, self._address, self._factor = client, address, factor
        self._reopen = reopen
        self.head, self.point = head, point

    @cached_property
    def n_passages(self) -> int:
        """Return how many passages there are."""
        body = {"query": filtered(self.head, "passage"), "size": 0, "track_total_hits": True}
        return int(self._asked(body)["hits"]["total"]["value"])

    def search(self, query: Query) -> list[StoredHit]:
        """Return the best passages: scores above 0 and falling, ties by key and number.

        Raises:
            CollectionError: the cluster cannot answer, or the state has ended.
        """
        if not query.terms:
            return []
        asked = ranked(self.head, query, self._factor)

        def fetch(limit: int) -> list[RawHit]:
            body = {
                "query": asked,
                "size": min(limit, LARGEST_PAGE),
                "track_total_hits": False,
                "_source": ["key", "generation", "number", "kept"],
            }
            return [_raw(hit) for hit in self._asked(body, scored=True)["hits"]["hits"]]

        best = settled(fetch, top_k=query.top_k, boilerplate_weight=query.boilerplate_weight)
        return [_stored(hit) for hit in best]

    def documents(self, where: Where = Where()) -> Iterator[DocumentFacts]:  # noqa: B008 - frozen
        """Yield what is known of the documents, ordered by key."""
        query = filtered(self.head, "document", where=where)
        hits = self._all(query, "key", ["key", "generation", "kept.facts"])
        yield from _in_order(stored_facts(hit["_source"]) for hit in hits)

    def body(self, key: str, generation: str) -> bytes:
        """Return a document's body.

        Raises:
            CollectionError: this state has no such generation of it.
        """
        wanted = {"term": {"generation": generation}}
        query = filtered(self.head, "body", wanted, where=Where(keys=(key,)))
        for hit in self._all(query, "key", ["key", "kept.body"]):
            return unpacked(hit["_source"]["kept"]["body"])
        raise CollectionError(
            f"{key} is no longer in {self._address} as it was found; search again"
        )

    def document(self, key: str) -> StoredDocument | None:
        """Return all that is kept of a document, passages in order; None where there is none."""
        query = filtered(self.head, "document", where=Where(keys=(key,)))
        for hit in self._all(query, "key", ["key", "generation", "edition", "kept"]):
            source = hit["_source"]
            body = self.body(key, source["generation"])
            return stored_document(source, body, list(self._passages(source["edition"])))
        return None

    def _passages(self, edition: str) -> Iterator[StoredPassage]:
        query = filtered(self.head, "passage", {"term": {"edition": edition}})
        for hit in self._all(query, "number", ["number", "text", "kept"]):
            yield stored_passage(hit["_source"])

    def _all(self, query: dict[str, Any], order: str, fields: list[str]) -> Iterator[Hit]:
        """Yield all records of a query, page by page, ordered by a field without repetitions."""
        body = {"query": query, "size": _PAGE, "sort": [{order: "asc"}], "_source": fields}
        while True:
            hits = self._asked({**body, "track_total_hits": False})["hits"]["hits"]
            yield from hits
            if len(hits) < _PAGE:
                return
            body["search_after"] = hits[-1]["sort"]

    def _asked(self, body: dict[str, Any], *, scored: bool = False) -> dict[str, Any]:
        """Return the answer to a search in this state; all parts of the cluster take part in it.

        Raises:
            CollectionError: the cluster cannot answer, or the state has ended.
        """
        from opensearchpy.exceptions import NotFoundError

        # Statistics of the whole collection, not of each shard: one ranking, however it is cut.
        way = {"search_type": "dfs_query_then_fetch"} if scored else {}
        params = {**way, "allow_partial_search_results": "false"}
        with reported(self._address, "searching"):
            try:
                return self._answer(body, params)
            except NotFoundError:  # it was not used for too long
                self.point = self._reopen(self.head)
                return self._answer(body, params)

    def _answer(self, body: dict[str, Any], params: dict[str, str]) -> dict[str, Any]:
        point = {"id": self.point, "keep_alive": KEEP_ALIVE}
        answer: dict[str, Any] = self._client.search(body={**body, "pit": point}, params=params)
        self.point = answer.get("pit_id", self.point)
        return answer


def _in_order(found: Iterator[DocumentFacts]) -> Iterator[DocumentFacts]:
    """Yield by key what comes in the order of the cluster: keys without an encoding come first."""
    odd: list[DocumentFacts] = []
    others: list[DocumentFacts] = []
    for facts in found:
        if encodable(facts.key) == facts.key:
            others = [facts]
            break
        odd.append(facts)
    yield from merge(sorted(odd, key=_key), chain(others, found), key=_key)


def _key(facts: DocumentFacts) -> str:
    return facts.key


def _raw(hit: Hit) -> RawHit:
    source = hit["_source"]
    boilerplate = source["kept"]["boilerplate"]
    return RawHit(key_of(source), source["number"], hit["_score"], boilerplate, source)


def _stored(hit: RawHit) -> StoredHit:
    source: Any = hit.place
    body = unpacked(source["kept"]["body"])
    return StoredHit(hit.key, source["generation"], hit.number, hit.score, body)
