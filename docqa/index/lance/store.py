"""Keep a collection on storage that machines share, on LanceDB.

::

    s3://bucket/kb/
      passages.lance/   a row for each passage; each commit is a version of this table
      notes.lance/      texts beside the documents

There is no server: readers, any number, and writers, several, meet in the storage alone. A commit
is one `merge_insert`: it adds the rows of new generations and deletes all others of their keys, in
one version of one table. Of two commits at the same time one is done again on top of the other.
Readers keep the version that they began with.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from docqa.index.contract import StoreWriter, missing_collection
from docqa.index.lance.errors import retried, translated_errors
from docqa.index.lance.rows import quoted, schema, table_of
from docqa.index.lance.snapshot import LanceSnapshot
from docqa.index.lance.tables import INDEXED, connect, find_table, make_index, make_table
from docqa.index.lance.writer import Commits, LanceWriter

if TYPE_CHECKING:
    from lancedb.db import DBConnection
    from lancedb.table import LanceTable

__all__ = ["LanceStore"]

_PASSAGES, _NOTES = "passages", "notes"
_KEPT_FOR = timedelta(minutes=10)  # how long compaction leaves an older version to its readers
_LOCAL = "lance://"


class LanceStore:
    """A collection on shared storage; a `Store`. Threads may share it.

    How the storage is reached (keys, region, endpoint, plain http) comes from the environment
    variables of AWS: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION, AWS_ENDPOINT_URL,
    AWS_ALLOW_HTTP and the like.

    Args:
        address: ``s3://bucket/prefix`` or ``lance:///folder``.
    """

    def __init__(self, address: str) -> None:
        self._address = address
        self._uri = address.removeprefix(_LOCAL)
        self._opened: DBConnection | None = None
        self._last: tuple[int, LanceSnapshot] | None = None
        self._commits = Commits(address, lambda: self._table(_PASSAGES))

    @property
    def address(self) -> str:
        """Return the address as it was given."""
        return self._address

    def exists(self) -> bool:
        """Return whether there is a collection."""
        with translated_errors(self._address, "cannot be read"):
            return self._passages() is not None

    def create(self) -> None:
        """Begin an empty collection where there is none; one that is there stays as it is.

        Raises:
            CollectionError: nothing can be written there.
        """
        with translated_errors(self._address, "cannot be made"):
            make_table(self._connection(), _PASSAGES, schema())
            if not self.exists():
                self._table(_PASSAGES).add(table_of([], uuid.uuid4().hex, schema()))
            self._make_indexes()

    def read_note(self, name: str) -> str | None:
        """Return a text that is kept beside the documents, or None."""
        with translated_errors(self._address, "cannot be read"):
            notes = self._found(_NOTES)
            if notes is None:
                return None
            search = notes.search().where(f"name = {quoted(name)}")
            found = search.select(["text"]).to_arrow()["text"].to_pylist()
            return str(found[-1]) if found else None

    def write_note(self, name: str, text: str) -> None:
        """Keep a text beside the documents in the place of an older one; it is there at once."""
        connection = self._connection()
        import pyarrow as pa

        row = pa.table({"name": [name], "text": [text]})
        with translated_errors(self._address, "cannot be written"):
            make_table(connection, _NOTES, row.schema)
            retried(
                self._address,
                lambda _: (
                    self._table(_NOTES)
                    .merge_insert("name")
                    .when_matched_update_all()
                    .when_not_matched_insert_all()
                    .execute(row)
                ),
            )

    def snapshot(self) -> LanceSnapshot:
        """Return the state as it is now.

        Raises:
            CollectionError: there is no collection, or the storage cannot be reached.
        """
        with translated_errors(self._address, "cannot be read"):
            table = self._passages()
            if table is None:
                raise missing_collection(self._address)
            version = table.version
            if self._last is None or self._last[0] != version:
                table.checkout(version)
                self._last = version, LanceSnapshot(table, self._address)
            return self._last[1]

    @contextmanager
    def writer(self) -> Iterator[StoreWriter]:
        """Yield a writer; leaving the block without a commit drops the changes."""
        yield LanceWriter(self._commits.write)

    def compact(self) -> None:
        """Bring the text index up to date, join small files, and delete old versions.

        Versions of the last ten minutes stay for their readers. Writers and readers may go on.

        Raises:
            CollectionError: the storage cannot be reached, or other processes never let go.
        """
        with translated_errors(self._address, "cannot be compacted"):
            if self.exists():
                self._make_indexes()
                self._optimize(_PASSAGES)
            if self._found(_NOTES) is not None:
                self._optimize(_NOTES)

    def problems(self, body_problem: Callable[[bytes], str | None]) -> Iterator[str]:
        """Yield nothing: Lance keeps no checksums, and its rows are checked one by one."""
        return iter(())

    def size(self) -> int | None:
        """Return the bytes of all files in a folder; None for storage elsewhere."""
        if "://" in self._uri:
            return None
        return sum(file.stat().st_size for file in Path(self._uri).rglob("*") if file.is_file())

    def close(self) -> None:
        """Close the connection."""
        self._opened = self._last = None

    def _make_indexes(self) -> None:
        """Make the text indexes that are missing; another process may be making them, too."""
        for field in INDEXED:
            retried(self._address, lambda _, field=field: make_index(self._table(_PASSAGES), field))  # type: ignore[misc]

    def _optimize(self, name: str) -> None:
        retried(self._address, lambda _: self._table(name).optimize(cleanup_older_than=_KEPT_FOR))

    def _table(self, name: str) -> LanceTable:
        """Return a table as it is now."""
        return self._connection().open_table(name)

    def _passages(self) -> LanceTable | None:
        """Return the table of passages as it is now; None where there is no collection.

        Its first version has no rows, not even the turn, without which commits would not notice
        each other. No commit is allowed until that row is there.
        """
        table = self._found(_PASSAGES)
        return None if table is None or table.version == 1 else table

    def _found(self, name: str) -> LanceTable | None:
        """Return a table as it is now, None where there is none; looking makes no folder."""
        if "://" not in self._uri and not Path(self._uri).is_dir():
            return None
        return find_table(self._connection(), name)

    def _connection(self) -> Any:
        if self._opened is None:
            self._opened = connect(self._uri)
        return self._opened
