"""Change a collection with tantivy's writer."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from docqa.index.contract import StoredDocument
from docqa.index.durable_files import write_durably
from docqa.index.surrogates import escape_surrogates
from docqa.index.tantivy.errors import translated_errors
from docqa.index.tantivy.index_reader import open_index
from docqa.index.tantivy.schema import passage_record
from docqa.index.tantivy.snapshot import body_path

if TYPE_CHECKING:
    import tantivy

__all__ = ["TantivyWriter", "native_writer", "share"]

_LISTS = "meta.json", ".managed.json"
_HEAP = 64 << 20  # bytes of postings in memory before a segment is written


def native_writer(index: tantivy.Index) -> tantivy.IndexWriter:
    """Return tantivy's writer of an index."""
    native = index.writer(heap_size=_HEAP, num_threads=1)
    # A commit that failed or was killed leaves files, and the next one gives its own those names.
    native.garbage_collect_files()
    return native


def share(index: Path) -> None:
    """Give the lists of an index the permissions of its other files.

    tantivy makes them in files of its own user alone, and gives them their names.
    """
    with suppress(OSError):  # another user's, who may write it, and did
        mode = index.stat().st_mode & 0o666
        for name in _LISTS:
            (index / name).chmod(mode)


class TantivyWriter:
    """Changes to a collection through tantivy's writer; a `StoreWriter`.

    Args:
        folder: the collection's.
        name: of the index in use.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self._folder, self._index = folder, folder / name
        self._native = native_writer(open_index(self._index))
        self._is_changed = False

    def replace(self, document: StoredDocument) -> None:
        """Write a document in the place of all that its key had."""
        if not document.passages:
            raise ValueError(f"{document.key} has no passages")
        body = body_path(self._folder / "documents", document.key, document.generation)
        self._is_changed = True
        with translated_errors(str(self._folder), "cannot be written"):
            write_durably(body, document.body)
            self._native.delete_documents_by_term("key", escape_surrogates(document.key))
            for passage in document.passages:
                self._native.add_document(passage_record(document, passage))

    def remove(self, key: str) -> None:
        """Remove a document; an unknown key is no error."""
        self._is_changed = True
        with translated_errors(str(self._folder), "cannot be written"):
            self._native.delete_documents_by_term("key", escape_surrogates(key))

    def commit(self) -> None:
        """Make all changes since the last commit visible together."""
        with translated_errors(str(self._folder), "cannot be written"):
            self._native.commit()
            share(self._index)
        self._is_changed = False

    def close(self) -> None:
        """Drop uncommitted changes, and wait for merges of the committed ones.

        They are not waited for after a rollback, and would go on writing into the folder.
        """
        with suppress(Exception):  # it died of an error that was reported
            if self._is_changed:
                self._native.rollback()
        with suppress(Exception):
            self._native.wait_merging_threads()
            share(self._index)
