"""Write to a collection in a cluster: records first, then the head that makes them seen."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from docqa.errors import CollectionError
from docqa.index.opensearch.client import LONG_S, answered_whole, reported
from docqa.index.opensearch.head import Head, HeadRecord
from docqa.index.opensearch.queries import filtered, leftovers
from docqa.index.opensearch.records import records
from docqa.index.store import StoredDocument, Where

if TYPE_CHECKING:
    from opensearchpy import OpenSearch

__all__ = ["OpenSearchWriter", "bury", "refresh"]

_BULK_BYTES = 10_000_000
_RETRIES = 5  # of records that the cluster has no room for just now; after 1, 2, 4 ... seconds
_KEYS_AT_ONCE = 5_000
# A query names all dead editions, and takes 65,536 terms (index.max_terms_count).
_MOST_DEAD = 60_000


class OpenSearchWriter:
    """Change a collection; a `StoreWriter`.

    Records go to the cluster as they come, unseen; any number of writers may be at work. Where two
    replace the same document, the one that commits last has it.

    Args:
        client: of the cluster.
        head: the record of the head.
        address: for messages.
    """

    def __init__(self, client: OpenSearch, head: HeadRecord, address: object) -> None:
        self._client, self._head, self._address = client, head, address
        self._index = head.read_existing().index
        self._number: int | None = None
        self._keys: set[str] = set()
        self._editions: dict[str, str] = {}
        self._dropped: list[str] = []
        self._is_broken = False

    def replace(self, document: StoredDocument) -> None:
        """Write a document in the place of all that its key had.

        Raises:
            CollectionError: the cluster does not take it.
        """
        number = self._begun()
        edition = uuid.uuid4().hex
        self._drop(document.key)
        self._dropped.append(edition)  # until all of it is there
        self._send(document, edition, number)
        self._dropped.remove(edition)
        self._editions[document.key] = edition

    def remove(self, key: str) -> None:
        """Remove a document; an unknown key is no error."""
        self._drop(key)

    def commit(self) -> None:
        """Make all changes since the last commit seen, together.

        Raises:
            CollectionError: nothing of them is seen. Where the connection breaks for good between
                sending the commit and its answer, that is not known; the message says so.
        """
        if not self._keys:
            return
        if self._is_broken:
            raise CollectionError(
                f"the connection to {self._address} broke while documents were written; write "
                "them again with a new writer"
            )
        refresh(self._client, self._index, self._address)
        head = self._head.change(self._committed)
        self._number = None
        self._keys, self._editions, self._dropped = set(), {}, []
        # What is committed is committed; what cannot be deleted now is deleted later.
        with suppress(CollectionError):
            bury(self._client, self._head, head, self._address)

    def close(self) -> None:
        """Give up what was not committed, as far as the cluster can be reached."""
        number = self._number
        if number is not None:
            self._number = None
            with suppress(CollectionError):
                self._head.change(lambda head: _given_up(head, number))

    def _begun(self) -> int:
        """Return the number of the commit under way."""
        if self._number is None:
            head = self._head.change(lambda head: self._same(head).begun(int(time.time())))
            self._number = head.next_number - 1
        return self._number

    def _drop(self, key: str) -> None:
        """Note that nothing stays of what a key had, in this commit neither."""
        self._keys.add(key)
        if key in self._editions:
            self._dropped.append(self._editions.pop(key))

    def _send(self, document: StoredDocument, edition: str, number: int) -> None:
        from opensearchpy.helpers import streaming_bulk

        sent = streaming_bulk(
            self._client,
            ({"_index": self._index, **each} for each in records(document, edition, number)),
            max_chunk_bytes=_BULK_BYTES,
            max_retries=_RETRIES,
            initial_backoff=1,
            raise_on_error=False,  # else records that there is no room for are not sent again
        )
        with reported(self._address, f"writing {document.key} to"), self._watched():
            for is_there, item in sent:
                if not is_there:
                    raise CollectionError(
                        f"writing {document.key} to {self._address} failed: {_fault(item)}"
                    )

    @contextmanager
    def _watched(self) -> Iterator[None]:
        """Note where the connection breaks: the cluster may carry out late what was sent."""
        from opensearchpy import exceptions

        try:
            yield
        except exceptions.ConnectionError:
            self._is_broken = True
            raise

    def _committed(self, head: Head) -> Head:
        """Return the head with this commit done; as it is where it is done already."""
        number = self._number
        if number is not None and number not in self._same(head).open:
            if number in head.given_up:
                raise CollectionError(
                    f"what was written to {self._address} waited too long for its commit and was "
                    "given up by compaction; write it again"
                )
            return head
        self._same(head)
        dead = (*self._dropped, *self._replaced(head))
        if len(head.dead) + len(dead) > _MOST_DEAD:
            raise CollectionError(
                f"{len(dead)} documents of {self._address} are replaced or removed at once; "
                f"commit after {_MOST_DEAD // 2} at most, and compact the collection"
            )
        return head.committed(number, dead)

    def _same(self, head: Head) -> Head:
        if head.index != self._index:
            raise CollectionError(
                f"{self._address} was begun anew by somebody else while it was written to; "
                "write again"
            )
        return head

    def _replaced(self, head: Head) -> list[str]:
        """Return the editions that the keys of this commit have until now."""
        keys = sorted(self._keys)
        found = []
        for first in range(0, len(keys), _KEYS_AT_ONCE):
            where = Where(keys=tuple(keys[first : first + _KEYS_AT_ONCE]))
            body = {
                "query": filtered(head, "document", where=where),
                "size": 2 * _KEYS_AT_ONCE,
                "_source": ["edition"],
            }
            with reported(self._address, "reading"):
                answer = self._client.search(
                    index=self._index, body=body, params={"allow_partial_search_results": "false"}
                )
            found += [hit["_source"]["edition"] for hit in answer["hits"]["hits"]]
        return found


def refresh(client: OpenSearch, index: str, address: object) -> None:
    """Make what was written so far open to searches, on every copy.

    Raises:
        CollectionError: a part of the cluster could not.
    """
    with reported(address, "refreshing"):
        answer = client.indices.refresh(index=index)
    answered_whole(answer, address, "refreshing")


def bury(client: OpenSearch, record: HeadRecord, head: Head, address: object) -> None:
    """Delete the records that nobody will see.

    Dead editions leave the head only when no search can find a record of theirs.

    Raises:
        CollectionError: the cluster cannot; nothing that is seen changed.
    """
    if not head.dead and not head.given_up:
        return
    with reported(address, "deleting what was replaced in"):
        answer: dict[str, Any] = client.delete_by_query(
            index=head.index,
            body={"query": leftovers(head)},
            params={"conflicts": "proceed", "refresh": "true", "request_timeout": LONG_S},
        )
    is_whole = not (answer["failures"] or answer["timed_out"] or answer["version_conflicts"])
    if is_whole and head.dead:
        record.change(lambda now: now.buried(head.dead))


def _given_up(head: Head, number: int) -> Head:
    return head.without(number) if number in head.open else head


def _fault(item: dict[str, Any]) -> str:
    """Return why a record was not taken, from an item of a bulk answer."""
    (answer,) = item.values()
    error = answer.get("error")
    reason = error.get("reason") if isinstance(error, dict) else error
    return f"status {answer.get('status')}, {reason}"
