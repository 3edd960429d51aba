"""The head of a collection in a cluster: the one record that says what is seen.

A cluster changes no two records together, but it can refuse to overwrite a record that somebody
else has changed (``if_seq_no``, ``if_primary_term``). So all that decides what readers see stands
in one record, and a commit is one write of it:

* every commit has a number, taken from the head when it begins, and what it writes carries it;
* what carries a number that is `open` or `given_up`, or that was not taken yet, is not seen;
* editions that are `dead` (replaced or removed) are not seen; later they are deleted.

A commit takes its number out of `open` and adds what it replaces to `dead`, in one write.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from docqa.errors import CollectionError
from docqa.index.opensearch.client import reported

if TYPE_CHECKING:
    from opensearchpy import OpenSearch

__all__ = ["Head", "HeadRecord"]

FORMAT = 1
_ID = "head"
_TRIES = 20


@dataclass(frozen=True, slots=True)
class Head:
    """Hold what is seen of a collection.

    Attributes:
        index: the index that holds documents and passages.
        n_commits: how many commits there were; with `index`, it names a state.
        next_number: the number of the next commit that begins.
        open: numbers of commits under way, with the second (since 1970) each began at.
        given_up: numbers of commits that never come; kept for good, since the process that has
            such a number may still be writing.
        dead: editions that were replaced or removed and not deleted yet.
        version: sequence number and primary term of the record; None before it is written.
    """

    index: str
    n_commits: int = 0
    next_number: int = 1
    open: Mapping[int, int] = field(default_factory=dict)
    given_up: tuple[int, ...] = ()
    dead: tuple[str, ...] = ()
    version: tuple[int, int] | None = None

    @property
    def state(self) -> tuple[str, int]:
        """Return what changes whenever readers see something else."""
        return self.index, self.n_commits

    def begun(self, now: int) -> Head:
        """Return the head with one more commit under way; its number is `next_number`."""
        opened = {**self.open, self.next_number: now}
        return replace(self, next_number=self.next_number + 1, open=opened)

    def committed(self, number: int | None, dead: tuple[str, ...]) -> Head:
        """Return the head with a commit done; None for one that only removes.

        >>> Head("kb-1").begun(0).committed(1, ("ab",)).dead
        ('ab',)
        """
        opened = {each: since for each, since in self.open.items() if each != number}
        all_dead = tuple(dict.fromkeys((*self.dead, *dead)))
        return replace(self, n_commits=self.n_commits + 1, open=opened, dead=all_dead)

    def without(self, *numbers: int) -> Head:
        """Return the head with commits given up."""
        opened = {each: since for each, since in self.open.items() if each not in numbers}
        return replace(self, open=opened, given_up=tuple(sorted({*self.given_up, *numbers})))

    def buried(self, editions: tuple[str, ...]) -> Head:
        """Return the head after dead editions were deleted."""
        left = tuple(edition for edition in self.dead if edition not in set(editions))
        return replace(self, dead=left)

    def to_source(self) -> dict[str, Any]:
        """Return the record."""
        return {
            "format": FORMAT,
            "index": self.index,
            "n_commits": self.n_commits,
            "next_number": self.next_number,
            "open": {str(number): since for number, since in self.open.items()},
            "given_up": list(self.given_up),
            "dead": list(self.dead),
        }


def _head(answer: dict[str, Any], address: object) -> Head:
    source = answer["_source"]
    if source.get("format") != FORMAT:
        raise CollectionError(
            f"{address} was made by another version of docqa (format {source.get('format')}, "
            f"this one has {FORMAT}); use that version, or index its sources anew"
        )
    return Head(
        source["index"],
        source["n_commits"],
        source["next_number"],
        {int(number): since for number, since in source["open"].items()},
        tuple(source["given_up"]),
        tuple(source["dead"]),
        (answer["_seq_no"], answer["_primary_term"]),
    )


class HeadRecord:
    """Read and change the head where it is kept.

    Args:
        client: of the cluster.
        index: the index that holds it.
        address: for messages.
    """

    def __init__(self, client: OpenSearch, index: str, address: object) -> None:
        self._client, self._index, self._address = client, index, address

    def make_index(self, replicas: int | None) -> None:
        """Make the index that holds it, where there is none; see `ClusterAddress.replicas`.

        Raises:
            CollectionError: the cluster cannot be reached, or refuses.
        """
        from opensearchpy.exceptions import RequestError

        settings: dict[str, object] = {"number_of_shards": 1, "replication.type": "DOCUMENT"}
        if replicas is not None:
            settings["number_of_replicas"] = replicas
        body = {"settings": {"index": settings}, "mappings": {"enabled": False}}
        with reported(self._address, "making"):
            if not self._client.indices.exists(index=self._index):
                try:
                    self._client.indices.create(index=self._index, body=body)
                except RequestError as error:
                    if error.error != "resource_already_exists_exception":  # somebody was faster
                        raise

    def read(self) -> Head | None:
        """Return the head as it is now, None where there is no collection.

        Raises:
            CollectionError: it cannot be read, or another version wrote it.
        """
        with reported(self._address, "reading"):
            answer = self._client.get(index=self._index, id=_ID, ignore=404)
        return _head(answer, self._address) if answer.get("found") else None

    def read_existing(self) -> Head:
        """Return the head as it is now.

        Raises:
            CollectionError: there is no collection.
        """
        head = self.read()
        if head is None:
            raise CollectionError(
                f"there is no collection at {self._address}; make one with docqa index, or check "
                "the name"
            )
        return head

    def change(self, changed: Callable[[Head], Head]) -> Head:
        """Change the head as if nobody else did; return what was written.

        Args:
            changed: returns the new head for the one that is there. It is called again where
                somebody else was faster, or where it is unknown whether a write arrived; so it
                returns a head that already has the change as it is.

        Raises:
            CollectionError: it cannot be written; `changed` raised it, or the cluster did.
        """
        for number in range(_TRIES):
            try:
                head = self.read_existing()
            except CollectionError as error:
                if number:
                    raise CollectionError(
                        f"{error}. A change was sent before; it is not known whether it was made"
                    ) from error
                raise
            new = changed(head)
            if new == head or self.put(new):
                return new
        raise CollectionError(
            f"{self._address} is being changed by too many at once; try again later"
        )

    def put(self, head: Head) -> bool:
        """Write a head over the one it was made from; say whether that was still there.

        Raises:
            CollectionError: the cluster refuses. Where the connection broke, False is returned:
                whether the write arrived is for the next reading to say.
        """
        from opensearchpy import exceptions

        if head.version is None:
            condition: dict[str, Any] = {"op_type": "create"}
        else:
            condition = {"if_seq_no": head.version[0], "if_primary_term": head.version[1]}
        with reported(self._address, "writing"):
            try:
                self._client.index(
                    index=self._index, id=_ID, body=head.to_source(), params=condition
                )
            except (exceptions.ConflictError, exceptions.ConnectionError):
                return False
        return True
