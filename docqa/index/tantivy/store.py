"""Keep a collection in one folder, on tantivy.

::

    KB/
      current          names the index in use; replaced by a rename
      index-1f2e.../   tantivy: passages with their terms, each document's facts on its first one
      documents/       the bodies of documents, a file for each generation
      notes/           texts beside the documents
      lock             held by the process that writes

A commit of tantivy is atomic and lasts: it writes new files, calls fsync and renames its list of
segments. Bodies are written before the commit that speaks of them, and deleted only by `compact`,
so what a snapshot shows is there. One process writes, compacts or cleans up at a time; the
operating system frees the lock of one that is killed. The lock is the folder's, not the index's:
what one process cleans up could be what the next has begun to write.
"""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from docqa.errors import CollectionError
from docqa.index.durable_files import is_part, sync_folder, write_durably
from docqa.index.encodable import encodable
from docqa.index.store import StoredDocument, StoreWriter
from docqa.index.tantivy.schema import open_index, passage_record, schema
from docqa.index.tantivy.snapshot import TantivySnapshot, body_path

if TYPE_CHECKING:
    import tantivy

__all__ = ["TantivyStore"]

_CURRENT, _LOCK = "current", "lock"
_HEAP = 64 << 20  # bytes of postings in memory before a segment is written
_LITTLE = 1 << 20  # bytes of room, in which a segment does not fit


class TantivyStore:
    """Keep a collection in a folder; a `Store`.

    Readers, any number and in any process, see the last commit. Threads may share it.

    Args:
        folder: the collection's; made by `create`.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self._folder = Path(folder).absolute()
        self._opened: tuple[str, tantivy.Index] | None = None

    @property
    def address(self) -> str:
        """Return the folder's path."""
        return str(self._folder)

    @property
    def full_address(self) -> str:
        """Return the folder's path, which opens it again."""
        return self.address

    def exists(self) -> bool:
        """Say whether the folder holds a collection."""
        return (self._folder / _CURRENT).is_file()

    def create(self) -> None:
        """Begin an empty collection where there is none; other files may not be in the folder.

        Raises:
            CollectionError: the folder cannot be made, is another program's, or is being written.
        """
        if self.exists():
            return
        with _told(self.address, "cannot be made"):
            self._require_own_folder()
            for name in ("documents", "notes"):
                (self._folder / name).mkdir(parents=True, exist_ok=True)
        with self._alone():
            if not self.exists():
                self._switch(self._new_index())
            self._sweep()

    def read_note(self, name: str) -> str | None:
        """Return a text that is kept beside the documents, or None."""
        with _told(self.address, "cannot be read"):
            path = self._folder / "notes" / f"{name}.json"
            return path.read_text("utf-8") if path.is_file() else None

    def write_note(self, name: str, text: str) -> None:
        """Keep a text beside the documents; it lasts from here on."""
        with _told(self.address, "cannot be written"):
            write_durably(self._folder / "notes" / f"{name}.json", text.encode("utf-8"))

    def snapshot(self) -> TantivySnapshot:
        """Return the state as it is now.

        Raises:
            CollectionError: there is no collection, or its files are damaged.
        """
        with _told(self.address, "cannot be read"):
            while True:
                name = self._name()
                try:
                    return self._snapshot(self._index(name))
                except (OSError, ValueError):
                    if self._name() == name:
                        raise
                    # compacted in between: the folder that was named is gone, and another is

    @contextmanager
    def writer(self) -> Iterator[StoreWriter]:
        """Yield what changes the collection; leaving it without a commit drops the changes.

        Raises:
            CollectionError: another process is writing, or the folder cannot be written.
        """
        with self._alone():
            with _told(self.address, "cannot be written"):
                native = _writer_of(self._index(self._name()))
            writer = _Writer(self._folder, native)
            try:
                yield writer
            finally:
                writer.close()

    def compact(self) -> None:
        """Write the index anew, without what was replaced and removed.

        Scores are then those of the documents alone: until then BM25 counts replaced passages too.

        Raises:
            CollectionError: another process is writing, or the disk is full; nothing is changed.
        """
        with self._alone():
            kept = self.snapshot()
            name = self._new_index()
            try:
                self._copy(kept, self._folder / name)
                self._switch(name)
            except BaseException:
                shutil.rmtree(self._folder / name, ignore_errors=True)
                raise
            self._sweep()

    def size(self) -> int:
        """Return the bytes of all files in the folder."""
        files = (Path(where) / name for where, _, names in os.walk(self._folder) for name in names)
        total = 0
        for file in files:
            with suppress(OSError):  # a merge has just replaced it
                total += file.stat().st_size
        return total

    def close(self) -> None:
        """Let go of the index."""
        self._opened = None

    def _name(self) -> str:
        """Return the name of the index in use."""
        try:
            return (self._folder / _CURRENT).read_text("ascii").strip()
        except FileNotFoundError as error:
            raise CollectionError(
                f"{self.address}: there is no collection here; docqa index DIR --to "
                f"{self.address} makes one"
            ) from error

    def _index(self, name: str) -> tantivy.Index:
        """Return an index, kept open until another is in use."""
        opened = self._opened
        if opened is None or opened[0] != name:
            opened = self._opened = name, open_index(self._folder / name)
        return opened[1]

    def _snapshot(self, index: tantivy.Index) -> TantivySnapshot:
        index.reload()
        return TantivySnapshot(index.schema, index.searcher(), self._folder / "documents")

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep other processes, and other threads of this one, from writing.

        Raises:
            CollectionError: one is writing, or the folder cannot be written.
        """
        from filelock import FileLock, Timeout

        with _told(self.address, "cannot be written"):
            lock = FileLock(self._folder / _LOCK)
            try:
                lock.acquire(timeout=0)
            except Timeout as error:
                raise CollectionError(
                    f"{self.address}: another process is writing to this collection; one can at a "
                    "time. Try again when it is done; asking works meanwhile"
                ) from error
        try:
            yield
        finally:
            lock.release()

    def _new_index(self) -> str:
        import tantivy

        name = f"index-{uuid.uuid4().hex}"
        with _told(self.address, "cannot be written"):
            (self._folder / name).mkdir()
            tantivy.Index(schema(), path=str(self._folder / name))
        return name

    def _switch(self, name: str) -> None:
        with _told(self.address, "cannot be written"):
            sync_folder(self._folder)
            write_durably(self._folder / _CURRENT, name.encode("ascii"))

    def _copy(self, kept: TantivySnapshot, folder: Path) -> None:
        with _told(self.address, "cannot be compacted"):
            native = _writer_of(open_index(folder))
            for facts in kept.documents():
                document = kept.without_body(facts.key)
                if document is not None:
                    for passage in document.passages:
                        native.add_document(passage_record(document, passage))
            native.commit()
            native.wait_merging_threads()

    def _require_own_folder(self) -> None:
        """Check that a folder without a collection holds nothing else that could be lost in it.

        Raises:
            CollectionError: it does.
        """
        if self.exists() or not self._folder.exists():
            return
        if not self._folder.is_dir():
            raise CollectionError(f"{self.address} is a file; name a folder for the collection")
        ours = {"documents", "notes", "lost+found", _LOCK}
        names = sorted(path.name for path in self._folder.iterdir())
        others = [
            name
            for name in names
            if not (name in ours or name.startswith("index-") or is_part(name))
        ]
        if others:
            raise CollectionError(
                f"{self.address} holds other files ({others[0]}); name a new or empty folder for "
                "the collection"
            )

    def _sweep(self) -> None:
        """Delete the indexes and bodies that nothing names, and what a kill left half written."""
        with _told(self.address, "cannot be cleaned up"):
            current = self._name()
            for path in self._folder.iterdir():
                if path.name.startswith("index-") and path.name != current:
                    shutil.rmtree(path, ignore_errors=True)
                elif is_part(path.name):
                    path.unlink(missing_ok=True)
            bodies = self._folder / "documents"
            live = {
                body_path(bodies, facts.key, facts.generation)
                for facts in self.snapshot().documents()
            }
            for body in bodies.glob("*/*"):
                if body not in live:
                    body.unlink(missing_ok=True)


class _Writer:
    """Change the collection with tantivy's writer; see `StoreWriter`."""

    def __init__(self, folder: Path, native: tantivy.IndexWriter) -> None:
        self._folder, self._native = folder, native
        self._is_changed = False

    def replace(self, document: StoredDocument) -> None:
        """Write a document in the place of all that its key had."""
        if not document.passages:
            raise ValueError(f"{document.key} has no passages")
        body = body_path(self._folder / "documents", document.key, document.generation)
        self._is_changed = True
        with _told(str(self._folder), "cannot be written"):
            write_durably(body, document.body)
            self._native.delete_documents_by_term("key", encodable(document.key))
            for passage in document.passages:
                self._native.add_document(passage_record(document, passage))

    def remove(self, key: str) -> None:
        """Remove a document; an unknown key is no error."""
        self._is_changed = True
        with _told(str(self._folder), "cannot be written"):
            self._native.delete_documents_by_term("key", encodable(key))

    def commit(self) -> None:
        """Make all changes since the last commit seen, together."""
        with _told(str(self._folder), "cannot be written"):
            self._native.commit()
        self._is_changed = False

    def close(self) -> None:
        """Drop what was not committed, and wait for merges of what was.

        They are not waited for after a rollback, and would go on writing into the folder.
        """
        with suppress(Exception):  # it died of what was told already
            if self._is_changed:
                self._native.rollback()
        with suppress(Exception):
            self._native.wait_merging_threads()


def _writer_of(index: tantivy.Index) -> tantivy.IndexWriter:
    native = index.writer(heap_size=_HEAP, num_threads=1)
    # A commit that failed or was killed leaves files, and the next one gives its own those names.
    native.garbage_collect_files()
    return native


@contextmanager
def _told(address: str, what: str) -> Iterator[None]:
    """Turn what tantivy and the file system raise into an error that says where."""
    try:
        yield
    except CollectionError:
        raise
    except OSError as error:
        raise CollectionError(_message(address, what, error.strerror or str(error))) from error
    except (ValueError, SystemError) as error:  # tantivy raises the first for everything
        raise CollectionError(_message(address, what, str(error))) from error


def _message(address: str, what: str, reason: str) -> str:
    if _is_full(address, reason.lower()):
        return (
            f"{address} {what}: the disk is full. What was committed before is intact; free some "
            "room and go on"
        )
    return f"{address} {what}: {reason}"


def _is_full(address: str, reason: str) -> bool:
    if "no space left" in reason or "os error 28" in reason or "quota" in reason:
        return True
    if "killed" not in reason:
        return False
    with suppress(OSError):  # tantivy's thread died, and the reason with it
        return shutil.disk_usage(address).free < _LITTLE
    return False
