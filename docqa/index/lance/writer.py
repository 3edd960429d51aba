"""Write documents into a collection's table: one version of it for each commit."""

from __future__ import annotations

import random
import time
import uuid
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING

from docqa.index.contract import StoredDocument
from docqa.index.lance.errors import retried, translated_errors
from docqa.index.lance.rows import one_of, table_of

if TYPE_CHECKING:
    import pyarrow as pa
    from lancedb.table import LanceTable

__all__ = ["Commits", "LanceWriter"]

_LONGEST_WAIT = 2.0  # seconds

# Lance waits longer each time that another commit comes first. After this time, doubled with each
# attempt, it is better to begin again. Large commits are given the time that they need.
_PATIENCE = 3.0  # seconds
_SLOWEST = 1e6  # bytes a second


class Commits:
    """The commits of one process to a collection, with a pause between them for other writers.

    Args:
        address: of the collection, for messages.
        table: returns the table of passages as it is now.
    """

    def __init__(self, address: str, table: Callable[[], LanceTable]) -> None:
        self._address, self._table = address, table
        self._ended = self._took = 0.0  # the last commit, in seconds of the monotonic clock

    def write(self, changes: Mapping[str, StoredDocument | None]) -> None:
        """Write documents by key, and remove the keys of None, in one version of the table.

        Raises:
            CollectionError: the changes cannot be written, and none of them is seen.
        """
        documents = [document for document in changes.values() if document is not None]
        with translated_errors(self._address, "cannot be written"):
            rows = table_of(documents, uuid.uuid4().hex, self._table().schema)
        self._give_way()
        began = time.monotonic()
        with translated_errors(self._address, "cannot be written"):
            self._merge(rows, f"number < 0 OR {one_of('key', changes)}")
        self._ended = time.monotonic()
        self._took = self._ended - began

    def _merge(self, rows: pa.Table, replaced: str) -> None:
        patience = _PATIENCE + rows.nbytes / _SLOWEST
        retried(
            self._address,
            lambda attempt: (
                self._table()
                .merge_insert(["key", "generation", "number"])
                .when_matched_update_all()  # a commit whose success was lost on the way
                .when_not_matched_insert_all()
                .when_not_matched_by_source_delete(replaced)
                .execute(rows, timeout=timedelta(seconds=patience * 2**attempt))
            ),
        )

    def _give_way(self) -> None:
        """Wait after the last commit for up to twice as long as it took.

        Of two commits at the same time the one that began first wins. A writer without a pause
        always did, and another one waited for a minute. The wait is seldom felt, as reading files
        takes longer.
        """
        wait = self._ended + self._took * 2 * random.random() - time.monotonic()
        if wait > 0:
            time.sleep(min(wait, _LONGEST_WAIT))


class LanceWriter:
    """The changes of one commit; a `StoreWriter`.

    Args:
        commit: writes documents by key, and removes those that are None.
    """

    def __init__(self, commit: Callable[[Mapping[str, StoredDocument | None]], None]) -> None:
        self._commit = commit
        self._changes: dict[str, StoredDocument | None] = {}

    def replace(self, document: StoredDocument) -> None:
        """Write a document in the place of all that its key had."""
        self._changes[document.key] = document

    def remove(self, key: str) -> None:
        """Remove a document; an unknown key is no error."""
        self._changes[key] = None

    def commit(self) -> None:
        """Make all changes since the last commit visible together.

        Raises:
            CollectionError: the changes cannot be written, and none of them is seen.
        """
        if self._changes:
            self._commit(self._changes)
            self._changes = {}
