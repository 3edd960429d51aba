"""Gather what a commit writes."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from docqa.index.contract import StoredDocument

__all__ = ["LanceWriter"]


class LanceWriter:
    """Gather the changes of one commit; a `StoreWriter`.

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
        """Make all changes since the last commit seen, together.

        Raises:
            CollectionError: they cannot be written, and nothing of them is seen.
        """
        if self._changes:
            self._commit(self._changes)
            self._changes = {}
