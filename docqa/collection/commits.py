"""Writing documents into a collection in few commits, and its list of failures."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from docqa.collection.changes import IndexProgress, Report
from docqa.collection.ingest import Ingested
from docqa.collection.records import CollectedDocument, FailedSource, labels_of
from docqa.errors import CollectionError
from docqa.index.contract import Snapshot, Store, StoredDocument, StoreWriter
from docqa.index.name_terms import name_terms

__all__ = ["CollectionWriter", "read_failures", "read_list"]

_DOCUMENTS_A_COMMIT, _SECONDS_A_COMMIT = 64, 20.0
_FAILURES = "failures"
_MAY_COME_BACK = ("SourceUnreadableError",)  # says nothing of the content: a lock, a lost share


@dataclass
class CollectionWriter:
    """A store's writer that commits every few documents and keeps account of failures.

    Attributes:
        store: where documents are written.
        writer: of the store.
        report: called after each source.
        keeps: a document stays where its source fails.
        committed: keys of changes that last.
        failed: sources that could not be read.
    """

    store: Store
    writer: StoreWriter
    report: Report | None
    keeps: bool = False
    committed: list[str] = field(default_factory=list, init=False)
    failed: list[FailedSource] = field(default_factory=list, init=False)

    def __post_init__(self) -> None:
        self._failures: dict[str, FailedSource | None] = {}  # found now; None where it is no more
        self._waiting: list[str] = []
        self._in_hand: StoredDocument | None = None  # handed over to the writer in part
        self._total = self._pages = self._passages = self._done = 0
        self._since = time.monotonic()

    def write(self, results: Iterable[Ingested], *, total: int) -> None:
        """Write results as they come, and commit them also where Ctrl-C breaks that off.

        Ctrl-C may come while the passages of a document are handed over: it is then written again,
        whole, before the commit.

        Args:
            results: documents and failures.
            total: how many sources are to be read, for reports.

        Raises:
            CollectionError: it cannot be written.
        """
        self._total = total
        try:
            for result in results:
                self._write(result)
        except KeyboardInterrupt:
            if self._in_hand is not None:
                self.put(self._in_hand)
            self.commit()
            raise

    def put(self, document: StoredDocument) -> None:
        """Write a document."""
        self._in_hand = document
        self.writer.replace(document)
        self._waiting.append(document.key)
        self._in_hand = None

    def refile(self, snapshot: Snapshot, key: str, record: CollectedDocument) -> None:
        """Write a stored document with another record, under its key; no source is read.

        Args:
            snapshot: of the store.
            key: of the document there; where the record has another one, it is removed.
            record: the new one.
        """
        document = snapshot.document(key)
        if document is None:
            return
        if record.key != key:
            self.remove(key)
        self.put(
            replace(
                document,
                key=record.key,
                generation=uuid.uuid4().hex,
                labels=labels_of(record),
                names=name_terms(record.source, record.title),
                facts=record.to_json(),
            )
        )

    def remove(self, key: str) -> None:
        """Remove a document, and the record of its failing."""
        self.writer.remove(key)
        self._failures[key] = None
        self._waiting.append(key)

    def fail(self, failure: FailedSource) -> None:
        """Keep account of a source that could not be read; its document stays."""
        self.failed.append(failure)
        self._failures[failure.key] = failure

    def forget_failure(self, key: str) -> None:
        """Drop the record of a failed source that is gone."""
        self._failures[key] = None

    def commit(self) -> None:
        """Make all changes so far last."""
        if self._waiting:
            self.writer.commit()
            self.committed += self._waiting
            self._waiting.clear()
        if self._failures:
            change_failures(self.store, self._failures)
            self._failures.clear()
        self._since = time.monotonic()

    def _write(self, result: Ingested) -> None:
        self._done += 1
        if isinstance(result, FailedSource):
            self.failed.append(result)
            self._failures[result.key] = result
            if result.kind not in _MAY_COME_BACK and not self.keeps:
                self.writer.remove(result.key)
                self._waiting.append(result.key)
        else:
            facts = CollectedDocument.from_json(result.facts)
            self._pages += facts.n_pages
            self._passages += facts.n_passages
            self._failures[result.key] = None
            self.put(result)
        late = time.monotonic() - self._since > _SECONDS_A_COMMIT
        if late or len(self._waiting) >= _DOCUMENTS_A_COMMIT:
            self.commit()
        self._report(result.key)

    def _report(self, key: str) -> None:
        if self.report is not None:
            self.report(
                IndexProgress(
                    done=self._done,
                    total=self._total,
                    pages=self._pages,
                    passages=self._passages,
                    failed=len(self.failed),
                    committed=len(self.committed),
                    source=key,
                )
            )


def read_failures(store: Store) -> dict[str, FailedSource]:
    """Return the failed sources of a collection, by key.

    Raises:
        CollectionError: their list is damaged.
    """
    found = (FailedSource.from_dict(each) for each in read_list(store, _FAILURES))
    return {each.key: each for each in found}


def read_list(store: Store, name: str) -> list[Any]:
    """Return a note that is a list; empty where there is none.

    Raises:
        CollectionError: it is damaged.
    """
    try:
        return list(json.loads(store.read_note(name) or "[]"))
    except (ValueError, TypeError) as error:
        raise CollectionError(
            f"{store.address}: its note {name!r} is damaged; delete it, and docqa index SOURCE... "
            f"--to {store.address} makes it again"
        ) from error


def change_failures(store: Store, found: Mapping[str, FailedSource | None]) -> None:
    """Change the stored list of failures: by key, None where a source fails no longer.

    Records of other sources, of other writers too, stay.
    """
    before = read_failures(store)
    after = {key: each for key, each in {**before, **found}.items() if each is not None}
    if after != before:
        values = [after[key].to_dict() for key in sorted(after)]
        store.write_note(_FAILURES, json.dumps(values, indent=1))
