"""Keep a collection in one folder, on tantivy.

::

    KB/
      current          names the index in use; replaced by a rename
      checksums        of the index in use; see `docqa.index.tantivy.checksums`
      index-1f2e.../   tantivy: passages with their terms, each document's facts on its first one
      documents/       the bodies of documents, a file for each generation
      notes/           texts beside the documents
      lock             held by the process that writes

A commit of tantivy is atomic and lasts: it writes new files, calls fsync and renames its list of
segments. Bodies are written before the commit that speaks of them, and deleted only by `compact`,
so what a snapshot shows is there. One process writes, compacts or cleans up at a time; the
operating system frees the lock of one that is killed. The lock is the folder's, not the index's:
what one process cleans up could be what the next has begun to write.

Beside each note lies its checksum, which is written first: it is that of the note before, or of the
new one. Bodies come with a seal of their own.
"""

from __future__ import annotations

import os
import re
import shutil
import uuid
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from docqa.errors import CollectionError
from docqa.index.contract import StoreWriter, missing_collection
from docqa.index.durable_files import is_part, sync_folder, write_durably
from docqa.index.seals import is_sealed, sealed, unsealed
from docqa.index.tantivy.checksums import (
    LIST,
    Checksums,
    drop_checksums,
    index_problems,
    keep_checksums,
)
from docqa.index.tantivy.errors import damaged, translated_errors
from docqa.index.tantivy.index_reader import IndexReader, open_index
from docqa.index.tantivy.schema import passage_record, schema
from docqa.index.tantivy.snapshot import TantivySnapshot, body_path
from docqa.index.tantivy.writer import TantivyWriter, native_writer, share

__all__ = ["TantivyStore"]

_CURRENT, _LOCK = "current", "lock"
_CRC = ".crc32"  # the suffix of a note's checksum
_NAME = re.compile(rb"index-[0-9a-f]{32}")


class TantivyStore:
    """A collection in a folder; a `Store`.

    Readers, any number and in any process, see the last commit. Threads may share it.

    Args:
        folder: the collection's; made by `create`.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self._folder = Path(folder).absolute()
        self._opened: tuple[str, IndexReader] | None = None

    @property
    def address(self) -> str:
        """Return the folder's path."""
        return str(self._folder)

    def exists(self) -> bool:
        """Return whether the folder holds a collection."""
        with translated_errors(self.address, "cannot be read"):
            return (self._folder / _CURRENT).is_file()

    def create(self) -> None:
        """Begin an empty collection where there is none; other files may not be in the folder.

        Raises:
            CollectionError: the folder cannot be made, is another program's, or is being written.
        """
        if self.exists():
            return
        with translated_errors(self.address, "cannot be made"):
            self._require_own_folder()
            for name in ("documents", "notes"):
                (self._folder / name).mkdir(parents=True, exist_ok=True)
        with self._alone():
            if not self.exists():
                self._switch(self._new_index())
                self._keep_checksums({})
            self._sweep()

    def read_note(self, name: str) -> str | None:
        """Return a text that is kept beside the documents, or None."""
        with translated_errors(self.address, "cannot be read"):
            path = self._folder / "notes" / f"{name}.json"
            return path.read_text("utf-8") if path.is_file() else None

    def write_note(self, name: str, text: str) -> None:
        """Keep a text beside the documents; it lasts from here on."""
        with translated_errors(self.address, "cannot be written"):
            path, data = self._folder / "notes" / f"{name}.json", text.encode("utf-8")
            either = [path.read_bytes(), data] if path.is_file() else [data]
            crcs = " ".join(f"{zlib.crc32(each):08x}" for each in either)
            write_durably(path.with_suffix(_CRC), sealed(crcs.encode("ascii")))
            write_durably(path, data)

    def snapshot(self) -> TantivySnapshot:
        """Return the state as it is now.

        Raises:
            CollectionError: there is no collection, or its files are damaged.
        """
        with translated_errors(self.address, "cannot be read"):
            while True:
                name = self._name()
                try:
                    return self._snapshot(name)
                except (OSError, ValueError):
                    if self._name() == name:
                        raise
                    # compacted in between: the folder that was named is gone, and another is

    @contextmanager
    def writer(self) -> Iterator[StoreWriter]:
        """Yield a writer; leaving the block without a commit drops the changes.

        Raises:
            CollectionError: another process is writing, or the folder cannot be written.
        """
        with self._alone(), self._changing():
            with translated_errors(self.address, "cannot be written"):
                writer = TantivyWriter(self._folder, self._name())
            try:
                yield writer
            finally:
                writer.close()

    def compact(self) -> None:
        """Write the index again, without replaced and removed passages.

        Scores are then those of the documents alone: until then BM25 counts replaced passages too.

        Raises:
            CollectionError: another process is writing, or the disk is full; nothing is changed.
        """
        with self._alone(), self._changing():
            kept = self.snapshot()
            name = self._new_index()
            try:
                self._copy(kept, self._folder / name)
                self._switch(name)
            except BaseException:
                shutil.rmtree(self._folder / name, ignore_errors=True)
                raise
            self._sweep()

    def problems(self, body_problem: Callable[[bytes], str | None]) -> Iterator[str]:
        """Yield a line for each damaged file; see `Store.problems`."""
        for path in sorted((self._folder / "notes").glob(f"*{_CRC}")):
            if not _has_its_note(path):
                yield f"{path.with_suffix('.json')}: it, or its checksum, is not what was written"
        with translated_errors(self.address, "cannot be read"):
            yield from index_problems(self._folder / self._name())
            live = self._live_bodies()
            for path in sorted((self._folder / "documents").glob("*/*")):
                if path in live or is_part(path.name):
                    continue  # those of documents are checked with them
                with suppress(FileNotFoundError):  # a writer has just cleaned it up
                    if problem := body_problem(path.read_bytes()):
                        yield (
                            f"{path}: {problem}; no document uses it any more, and docqa kb "
                            f"compact {self.address} deletes it"
                        )

    def size(self) -> int:
        """Return the bytes of all files in the folder."""
        files = (Path(where) / name for where, _, names in os.walk(self._folder) for name in names)
        total = 0
        for file in files:
            with suppress(OSError):  # a merge has just replaced it
                total += file.stat().st_size
        return total

    def close(self) -> None:
        """Close the index."""
        self._opened = None

    def _name(self) -> str:
        """Return the name of the index in use.

        Raises:
            CollectionError: there is no collection, or the file that names it is damaged.
        """
        path = self._folder / _CURRENT
        try:
            name = path.read_bytes()
        except FileNotFoundError as error:
            raise missing_collection(self.address) from error
        if not _NAME.fullmatch(name):
            raise damaged(self.address, f"{path} no longer names an index")
        return name.decode("ascii")

    @contextmanager
    def _changing(self) -> Iterator[None]:
        """Delete the list of checksums while the index is changed, if it is right before.

        Raises:
            CollectionError: the index is damaged, or the folder cannot be written.
        """
        with translated_errors(self.address, "cannot be read"):
            folder = self._folder / self._name()
            Checksums(folder).require()
        with translated_errors(self.address, "cannot be written"):
            before = drop_checksums(folder)
        try:
            yield
        finally:
            self._keep_checksums(before)

    def _keep_checksums(self, before: dict[str, int]) -> None:
        with suppress(OSError, CollectionError):  # a full disk: the next change writes them
            keep_checksums(self._folder / self._name(), before)

    def _snapshot(self, name: str) -> TantivySnapshot:
        """Return the state of an index, kept open until another is in use."""
        if self._opened is None or self._opened[0] != name:
            self._opened = name, IndexReader(self._folder / name)
        index, searcher = self._opened[1].searcher()
        return TantivySnapshot(index.schema, searcher, self._folder)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep other processes, and other threads of this one, from writing.

        Raises:
            CollectionError: one is writing, or the folder cannot be written.
        """
        from filelock import FileLock, Timeout

        with translated_errors(self.address, "cannot be written"):
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
        with translated_errors(self.address, "cannot be written"):
            (self._folder / name).mkdir()
            tantivy.Index(schema(), path=str(self._folder / name))
            share(self._folder / name)
        return name

    def _switch(self, name: str) -> None:
        with translated_errors(self.address, "cannot be written"):
            sync_folder(self._folder)
            write_durably(self._folder / _CURRENT, name.encode("ascii"))

    def _copy(self, kept: TantivySnapshot, folder: Path) -> None:
        with translated_errors(self.address, "cannot be compacted"):
            native = native_writer(open_index(folder))
            for facts in kept.documents():
                document = kept.without_body(facts.key)
                if document is not None:
                    for passage in document.passages:
                        native.add_document(passage_record(document, passage))
            native.commit()
            native.wait_merging_threads()
            share(folder)

    def _require_own_folder(self) -> None:
        """Check that a folder without a collection holds nothing else that could be lost in it.

        Raises:
            CollectionError: it does.
        """
        if self.exists() or not self._folder.exists():
            return
        if not self._folder.is_dir():
            raise CollectionError(f"{self.address} is a file; name a folder for the collection")
        ours = {"documents", "notes", "lost+found", _LOCK, LIST}
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
        """Delete indexes and bodies that are no longer named, and files that a kill left."""
        with translated_errors(self.address, "cannot be cleaned up"):
            current = self._name()
            for path in self._folder.iterdir():
                if path.name.startswith("index-") and path.name != current:
                    shutil.rmtree(path, ignore_errors=True)
                elif is_part(path.name):
                    path.unlink(missing_ok=True)
            live = self._live_bodies()
            for body in (self._folder / "documents").glob("*/*"):
                if body not in live:
                    body.unlink(missing_ok=True)

    def _live_bodies(self) -> set[Path]:
        """Return the files of the documents' bodies."""
        bodies = self._folder / "documents"
        documents = self.snapshot().documents()
        return {body_path(bodies, each.key, each.generation) for each in documents}


def _has_its_note(path: Path) -> bool:
    """Say whether a checksum is that of the note beside it."""
    try:
        note, kept = path.with_suffix(".json").read_bytes(), path.read_bytes()
        crcs = unsealed(kept).decode("ascii").split() if is_sealed(kept) else []
    except FileNotFoundError:
        return True  # a kill kept the note from being written
    except ValueError:
        return False
    return f"{zlib.crc32(note):08x}" in crcs
