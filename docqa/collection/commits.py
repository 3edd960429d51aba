"""Write what is taken in, in few commits, and keep account of what failed."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from docqa.collection.changes import IndexProgress, Report
from docqa.collection.ingest import Ingested, labels_of
from docqa.collection.records import CollectedDocument, FailedSource
from docqa.index.names import name_terms
from docqa.index.store import Snapshot, Store, StoredDocument, StoreWriter

__all__ = ["TakingIn", "read_failures", "refiled"]

_DOCUMENTS_A_COMMIT, _SECONDS_A_COMMIT = 64, 20.0
_FAILURES = "failures"
_MAY_COME_BACK = ("SourceUnreadableError",)  # says nothing of the content: a lock, a lost share


@dataclass
class TakingIn:
    """Write documents into a store as they come.

    Attributes:
        store: where to.
        writer: of the store; it is committed from time to time, and by `finish`.
        report: is told after each source.
        keeps: a document stays where its source fails.
        total: how many sources are to be read, for reports.
        committed: keys of what lasts; `failed`: what could not be taken in.
    """

    store: Store
    writer: StoreWriter
    report: Report | None
    keeps: bool = False
    total: int = field(default=0, init=False)
    committed: list[str] = field(default_factory=list, init=False)
    failed: list[FailedSource] = field(default_factory=list, init=False)

    def __post_init__(self) -> None:
        self._failures: dict[str, FailedSource | None] = {}  # found now; None where it is no more
        self._waiting: list[str] = []
        self._in_hand: StoredDocument | None = None  # handed over to the writer in part
        self._pages = self._passages = self._done = 0
        self._since = time.monotonic()

    def write(self, results: Iterable[Ingested]) -> None:
        """Write what comes; what is waiting is committed also where Ctrl-C breaks it off.

        Ctrl-C may come while the passages of a document are handed over: it is then written again,
        whole, before the commit.

        Raises:
            CollectionError: it cannot be written.
        """
        try:
            for result in results:
                self._take(result)
        except KeyboardInterrupt:
            if self._in_hand is not None:
                self.put(self._in_hand)
            self.commit()
            raise

    def put(self, document: StoredDocument) -> None:
        """Write a document that was stored before, under another key or with other facts."""
        self._in_hand = document
        self.writer.replace(document)
        self._waiting.append(document.key)
        self._in_hand = None

    def remove(self, key: str) -> None:
        """Remove a document, and what is known of its failing."""
        self.writer.remove(key)
        self._failures[key] = None
        self._waiting.append(key)

    def fail(self, failure: FailedSource) -> None:
        """Keep account of what could not be looked at; what is there of it stays."""
        self.failed.append(failure)
        self._failures[failure.key] = failure

    def forget_failure(self, key: str) -> None:
        """Drop what is known of a source that is gone."""
        self._failures[key] = None

    def commit(self) -> None:
        """Make what was written last."""
        if self._waiting:
            self.writer.commit()
            self.committed += self._waiting
            self._waiting.clear()
        if self._failures:
            change_failures(self.store, self._failures)
            self._failures.clear()
        self._since = time.monotonic()

    def _take(self, result: Ingested) -> None:
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
        self._tell(result.key)

    def _tell(self, key: str) -> None:
        if self.report is not None:
            self.report(
                IndexProgress(
                    done=self._done,
                    total=self.total,
                    pages=self._pages,
                    passages=self._passages,
                    failed=len(self.failed),
                    committed=len(self.committed),
                    source=key,
                )
            )


def read_failures(store: Store) -> dict[str, FailedSource]:
    """Return the sources that are not in a collection, by key, with the reasons."""
    values = json.loads(store.read_note(_FAILURES) or "[]")
    return {each["key"]: FailedSource.from_dict(each) for each in values}


def change_failures(store: Store, found: Mapping[str, FailedSource | None]) -> None:
    """Write down which sources fail and which no longer do; what others wrote of others stays."""
    before = read_failures(store)
    after = {key: each for key, each in {**before, **found}.items() if each is not None}
    if after != before:
        values = [after[key].to_dict() for key in sorted(after)]
        store.write_note(_FAILURES, json.dumps(values, indent=1))


def refiled(snapshot: Snapshot, key: str, facts: CollectedDocument) -> StoredDocument | None:
    """Return a stored document with other facts, under their key; nothing of it is read again.

    Args:
        snapshot: has it.
        key: under which it is there.
        facts: the new ones.
    """
    import uuid

    document = snapshot.document(key)
    if document is None:
        return None
    return replace(
        document,
        key=facts.key,
        generation=uuid.uuid4().hex,
        labels=labels_of(facts),
        names=name_terms(facts.source, facts.title),
        facts=facts.to_json(),
    )
