"""The contract of stored indexes: the records that an engine keeps, and how it ranks them.

An engine (tantivy in a folder, LanceDB on shared storage) keeps documents with their passages,
replaces a document in one step, and ranks passages by BM25. It knows nothing of readers, places and
files: `body` and `facts` are packed elsewhere.

Every engine ranks by BM25 with k1 = 1.2, b = 0.75 and Lucene's IDF (see `docqa.index.bm25`). The
score of a passage is that of its terms, plus `name_weight` times that of its document's names
(title, file name) as a field of its own, which every passage of the document has. Engines may keep
lengths and counts in their own way: tantivy keeps a length in one byte, Lance keeps it exactly, and
both count removed passages until they compact. So the scores of two engines differ by a few
hundredths. Terms come analysed (`docqa.index.analysis.terms`); an engine splits and folds nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, field, replace
from typing import Protocol, runtime_checkable

from docqa.errors import CollectionError

__all__ = [
    "DocumentFacts",
    "Labels",
    "Query",
    "Snapshot",
    "Store",
    "StoreWriter",
    "StoredDocument",
    "StoredHit",
    "StoredPassage",
    "Where",
    "missing_collection",
]


@dataclass(frozen=True, slots=True)
class Labels:
    """The properties of a document that filters test; see `Where`.

    Attributes:
        document_id: SHA-256 of the source's bytes, in hexadecimal.
        folders: every folder above the source, as absolute paths, the outermost first.
        media_type: such as ``"application/pdf"``.
        title: the document's own; ``""`` where it has none.
        date: of the file's last change, in seconds since 1970 (UTC); None where it is unknown.
        metadata: the user's own, by name.
    """

    document_id: str
    folders: tuple[str, ...] = ()
    media_type: str = ""
    title: str = ""
    date: int | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)

    def to_json(self) -> str:
        """Return the labels as JSON in ASCII."""
        return json.dumps(asdict(replace(self, metadata=dict(self.metadata))))

    @classmethod
    def from_json(cls, text: str) -> Labels:
        """Return the labels that `to_json` wrote."""
        fields = json.loads(text)
        return cls(**{**fields, "folders": tuple(fields["folders"])})


@dataclass(frozen=True, slots=True)
class StoredPassage:
    """A passage as an engine keeps it.

    Attributes:
        number: from 0, in the order of the document's text.
        terms: those that find it, in order, with repetitions.
        body: the passage itself, packed.
        boilerplate: navigation, a footer or the like; its score counts less.
    """

    number: int
    terms: tuple[str, ...]
    body: bytes
    boilerplate: bool = False


@dataclass(frozen=True, slots=True)
class StoredDocument:
    """A document with all of its passages, which are written, replaced and removed as one.

    Attributes:
        key: where the document comes from, such as its absolute path; one document has it.
        generation: 32 hexadecimal digits, new whenever the document is written.
        labels: for filters.
        names: terms of its title and file name.
        facts: the entry in lists of documents, as JSON; about a kilobyte.
        body: the document itself, packed.
        passages: at least one.
    """

    key: str
    generation: str
    labels: Labels
    names: tuple[str, ...]
    facts: str
    body: bytes
    passages: tuple[StoredPassage, ...]


@dataclass(frozen=True, slots=True)
class DocumentFacts:
    """The entry of a document in lists."""

    key: str
    generation: str
    facts: str


@dataclass(frozen=True, slots=True)
class StoredHit:
    """A passage that an engine found.

    Attributes:
        key, generation: of its document.
        number: of the passage in its document.
        score: above 0; already weighed where the passage is `boilerplate`.
        body: the passage, packed.
    """

    key: str
    generation: str
    number: int
    score: float
    body: bytes


@dataclass(frozen=True, slots=True)
class Where:
    """A filter of documents; every condition that is given must hold.

    Attributes:
        keys: one of these.
        folder: they lie in this folder or below it; an absolute path.
        media_type: they are of this type.
        title: their title, letter for letter.
        since, until: their file was last changed in ``[since, until)``, in seconds since 1970.
        metadata: the user's own entries, letter for letter.
    """

    keys: tuple[str, ...] = ()
    folder: str | None = None
    media_type: str | None = None
    title: str | None = None
    since: int | None = None
    until: int | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return self != Where()

    def holds(self, key: str, labels: Labels) -> bool:
        """Return whether a document passes the filter.

        >>> Where(media_type="text/html").holds("/a", Labels("id", media_type="text/html"))
        True
        """
        date = labels.date
        return (
            (not self.keys or key in self.keys)
            and (self.folder is None or self.folder in labels.folders)
            and (self.media_type is None or self.media_type == labels.media_type)
            and (self.title is None or self.title == labels.title)
            and (self.since is None or (date is not None and date >= self.since))
            and (self.until is None or (date is not None and date < self.until))
            and all(labels.metadata.get(name) == value for name, value in self.metadata.items())
        )


@dataclass(frozen=True, slots=True)
class Query:
    """A query with its filter and its weights.

    Attributes:
        terms: analysed; a term that is repeated counts again.
        top_k: the largest number of passages to return, at least 1.
        where: which documents; all by default.
        name_weight: how much the names of a document count beside a passage's own terms.
        boilerplate_weight: 0 to 1; multiplies the scores of flagged passages.
    """

    terms: Sequence[str]
    top_k: int
    where: Where = Where()
    name_weight: float = 0.0
    boilerplate_weight: float = 0.5


@runtime_checkable
class Snapshot(Protocol):
    """One state of a store: all commits until it was taken, and nothing later.

    A document is there whole, of one generation, or not at all.
    """

    @property
    def n_passages(self) -> int:
        """Return the number of passages."""
        ...

    def search(self, query: Query) -> list[StoredHit]:
        """Return the best passages: scores above 0 and falling, ties by key and number."""
        ...

    def documents(self, where: Where = ...) -> Iterator[DocumentFacts]:
        """Yield the entries of the documents, ordered by key."""
        ...

    def body(self, key: str, generation: str) -> bytes:
        """Return a document's body.

        Raises:
            StoredDocumentError: that generation is gone: it was replaced, and the store compacted.
        """
        ...

    def document(self, key: str) -> StoredDocument | None:
        """Return a document as it was written, passages in order; None where there is none."""
        ...


@runtime_checkable
class StoreWriter(Protocol):
    """Changes to a store, which no reader sees before `commit`."""

    def replace(self, document: StoredDocument) -> None:
        """Write a document in the place of all that its key had."""
        ...

    def remove(self, key: str) -> None:
        """Remove a document; an unknown key is no error."""
        ...

    def commit(self) -> None:
        """Make all changes since the last commit visible together; they last from here on.

        Raises:
            CollectionError: the changes cannot be written, and none of them is seen; the disk is
                full, or the storage cannot be reached.
        """
        ...


@runtime_checkable
class Store(Protocol):
    """The documents of one collection; see the module.

    Attributes:
        address: where it is; it opens the store again, in another process too.
    """

    @property
    def address(self) -> str: ...  # noqa: D102 - described above

    def exists(self) -> bool:
        """Return whether there is a collection."""
        ...

    def create(self) -> None:
        """Begin an empty collection where there is none; one that is there stays as it is.

        That holds too for one that another process makes at the same moment.

        Raises:
            CollectionError: nothing can be written there; or another process is writing, where the
                engine has one writer.
        """
        ...

    def read_note(self, name: str) -> str | None:
        """Return a text that is kept beside the documents, or None."""
        ...

    def write_note(self, name: str, text: str) -> None:
        """Keep a text beside the documents in the place of an older one; it is there at once."""
        ...

    def snapshot(self) -> Snapshot:
        """Return the state as it is now.

        Raises:
            CollectionError: it cannot be read.
        """
        ...

    def writer(self) -> AbstractContextManager[StoreWriter]:
        """Return a writer for a `with` block; leaving it without a commit drops the changes.

        Raises:
            CollectionError: another process is writing, where the engine has one writer.
        """
        ...

    def compact(self) -> None:
        """Free the room of replaced and removed documents; reading an older state may fail then."""
        ...

    def problems(self, body_problem: Callable[[bytes], str | None]) -> Iterator[str]:
        """Yield a line for each damaged file, where the engine keeps checksums.

        Args:
            body_problem: returns the fault of a document's body, or None.

        Raises:
            CollectionError: there is no collection, or it cannot be read.
        """
        ...

    def size(self) -> int | None:
        """Return the number of bytes on the storage, None where it is unknown."""
        ...

    def close(self) -> None:
        """Close open files and connections."""
        ...


def missing_collection(address: str) -> CollectionError:
    """Return the error for an address without a collection."""
    return CollectionError(
        f"{address}: there is no collection here; docqa index DIR --to {address} makes one"
    )
