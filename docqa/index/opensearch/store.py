"""Keep a collection in an OpenSearch cluster (2.4 or later).

Three kinds of records, in two indexes, whose names begin with the collection's:

* ``NAME-state`` holds the notes and the head, the one record that says what is seen;
* ``NAME-XXXXXXXX`` holds documents and passages, unseen until the head makes them seen.

What is promised, and on what it rests:

* A commit is one conditional write of the head, so readers see all of it or nothing, whatever the
  number of documents, and wherever the writer dies. The records are there before: they are
  refreshed on every copy of every shard, and the refresh is checked.
* A snapshot is a head and a point in time. The head is read before and after the point is made;
  if a commit came between, both are made again. So the point holds all that the head says is seen,
  and later deletions do not touch it.
* Any number of readers and writers. Of two commits the second is made again on top of the first.
* A write that was acknowledged was synced to disk by the primary and its copies in sync (the
  cluster's ``index.translog.durability: request``).

What is not promised: a copy that lost touch with the cluster may answer from an older state for
the seconds until the cluster takes it out; that state is a whole one unless what it saw was
deleted since. Where the connection breaks after a commit was sent, and the head cannot be read,
nobody knows whether it was done. Scores count what was deleted until segments merge, as Lucene
does; `compact` merges them, up to what the cluster retains for its copies. A passage or a name
without terms counts as one term long, which moves the mean length a little.
"""

from __future__ import annotations

import hashlib
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cached_property
from typing import TYPE_CHECKING

from docqa.errors import CollectionError
from docqa.index.opensearch.address import parse_address
from docqa.index.opensearch.client import (
    LONG_S,
    answered_whole,
    connect,
    reported,
    score_factor,
)
from docqa.index.opensearch.head import Head, HeadRecord
from docqa.index.opensearch.records import index_body
from docqa.index.opensearch.snapshot import KEEP_ALIVE, OpenSearchSnapshot
from docqa.index.opensearch.writer import OpenSearchWriter, bury, refresh

if TYPE_CHECKING:
    from opensearchpy import OpenSearch

__all__ = ["GIVEN_UP_AFTER_S", "OpenSearchStore"]

GIVEN_UP_AFTER_S = 24 * 3600
"""Seconds after which `compact` gives up a commit that began and never came."""
_TRIES = 10


class OpenSearchStore:
    """Keep the documents of one collection in a cluster; a `Store`. Threads may share it.

    Args:
        address: ``opensearch://host:9200/name`` or ``opensearch+https://user@host:9200/name``; see
            `docqa.index.opensearch.address.parse_address`.
        client: what talks to the cluster, where it needs more than an address says (several hosts,
            signed requests); None for one made from the address.

    Raises:
        CollectionError: it is no such address.
        MissingDependencyError: opensearch-py is not installed.
    """

    def __init__(self, address: str, *, client: OpenSearch | None = None) -> None:
        self._where, self._full_address = parse_address(address), address
        self._client = connect(self._where) if client is None else client
        self._state_index = f"{self._where.index}-state"
        self._head = HeadRecord(self._client, self._state_index, self.address)
        self._snapshot: OpenSearchSnapshot | None = None

    @property
    def address(self) -> str:
        """Return where it is, for people: without user and password."""
        return str(self._where)

    @property
    def full_address(self) -> str:
        """Return the address as it was given, with user, password and settings.

        It opens the collection again where the environment says the same; a client of one's own is
        no part of it.
        """
        return self._full_address

    def exists(self) -> bool:
        """Say whether there is a collection."""
        return self._head.read() is not None

    def create(self) -> None:
        """Begin an empty collection where there is none; one that is there stays as it is.

        Raises:
            CollectionError: the cluster cannot be reached, or refuses.
        """
        self._head.make_index(self._where.replicas)
        if self.exists():
            return
        index = f"{self._where.index}-{uuid.uuid4().hex[:8]}"
        body = index_body(self._where.shards, self._where.replicas)
        with reported(self.address, "making"):
            self._client.indices.create(index=index, body=body)
        is_ours = self._head.put(Head(index)) or self._head.read_existing().index == index
        if not is_ours:  # somebody else made one at the same moment
            with reported(self.address, "deleting an index of"):
                self._client.indices.delete(index=index, params={"ignore": 404})

    def read_note(self, name: str) -> str | None:
        """Return a text that is kept beside the documents, or None."""
        with reported(self.address, "reading"):
            answer = self._client.get(index=self._state_index, id=_note_id(name), ignore=404)
        return str(answer["_source"]["text"]) if answer.get("found") else None

    def write_note(self, name: str, text: str) -> None:
        """Keep a text beside the documents in the place of an older one; it is there at once."""
        self._head.make_index(self._where.replicas)
        body = {"name": name, "text": text}
        with reported(self.address, "writing"):
            self._client.index(index=self._state_index, id=_note_id(name), body=body)

    def snapshot(self) -> OpenSearchSnapshot:
        """Return the state as it is now.

        Raises:
            CollectionError: there is no collection, or it cannot be read.
        """
        for _ in range(_TRIES):
            head = self._head.read_existing()
            held = self._snapshot
            if held is not None and held.head.state == head.state:
                return held
            point = self._point(head)
            if point is not None:
                self._snapshot = OpenSearchSnapshot(
                    self._client,
                    self.address,
                    head,
                    point=point,
                    factor=self._factor,
                    reopen=self._reopened,
                )
                return self._snapshot
        raise CollectionError(f"{self.address} changes too often to be read; try again later")

    @contextmanager
    def writer(self) -> Iterator[OpenSearchWriter]:
        """Return what changes the store; leaving it without a commit drops the changes.

        Raises:
            CollectionError: there is no collection, or it cannot be read.
        """
        writer = OpenSearchWriter(self._client, self._head, self.address)
        try:
            yield writer
        finally:
            writer.close()

    def compact(self) -> None:
        """Free the room of what was replaced and removed, and merge what that leaves.

        Commits that began more than a day ago and never came are given up.
        """
        head = self._head.change(_abandoned)
        refresh(self._client, head.index, self.address)
        bury(self._client, self._head, head, self.address)
        with reported(self.address, "compacting"):
            answer = self._client.indices.forcemerge(
                index=head.index,
                params={"only_expunge_deletes": "true", "request_timeout": LONG_S},
            )
        answered_whole(answer, self.address, "compacting")

    def size(self) -> int | None:
        """Return the bytes that documents and passages take up, all copies together."""
        head = self._head.read_existing()
        with reported(self.address, "measuring"):
            answer = self._client.indices.stats(index=head.index, metric="store")
        return int(answer["_all"]["total"]["store"]["size_in_bytes"])

    def close(self) -> None:
        """Free what is held open here and in the cluster."""
        held, self._snapshot = self._snapshot, None
        if held is not None:
            with suppress(CollectionError):
                self._free(held.point)
        self._client.close()

    @cached_property
    def _factor(self) -> float:
        with reported(self.address, "reading"):
            return score_factor(self._client)

    def _point(self, head: Head) -> str | None:
        """Return a point in time that has all that a head says is seen; None if it came too late.

        Records are deleted only after a commit, so none that the head needs was missing from the
        point if the same state is there afterwards.
        """
        from opensearchpy.exceptions import NotFoundError

        params = {"keep_alive": KEEP_ALIVE, "allow_partial_pit_creation": "false"}
        with reported(self.address, "reading"):
            try:
                answer = self._client.create_pit(index=head.index, params=params)
            except NotFoundError:  # begun anew meanwhile
                return None
        point = str(answer["pit_id"])
        if self._head.read_existing().state == head.state:
            return point
        with suppress(CollectionError):
            self._free(point)
        return None

    def _reopened(self, head: Head) -> str:
        """Return a new point in time for a state.

        Raises:
            CollectionError: the collection was changed since.
        """
        point = self._point(head) if self._head.read_existing().state == head.state else None
        if point is None:
            raise CollectionError(
                f"{self.address} was changed, and the state that was read has ended after "
                f"{KEEP_ALIVE} without use; read it anew"
            )
        return point

    def _free(self, point: str) -> None:
        with reported(self.address, "closing"):
            self._client.delete_pit(body={"pit_id": [point]})


def _abandoned(head: Head) -> Head:
    oldest = time.time() - GIVEN_UP_AFTER_S
    late = [number for number, since in head.open.items() if since < oldest]
    return head.without(*late) if late else head


def _note_id(name: str) -> str:
    return "note-" + hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()
