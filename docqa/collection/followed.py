"""Which folders a collection follows; also those that hold no document yet, or none any more."""

from __future__ import annotations

import json
from collections.abc import Iterable

from docqa.collection.records import CollectedDocument
from docqa.index.store import Store

__all__ = ["change_folders", "read_folders"]

_FOLDERS = "folders"


def read_folders(store: Store, documents: Iterable[CollectedDocument]) -> tuple[str, ...]:
    """Return the folders that were added or synchronised and not removed, sorted."""
    return tuple(sorted({*_noted(store), *(each.folder for each in documents if each.folder)}))


def change_folders(store: Store, *, followed: Iterable[str] = (), left: Iterable[str] = ()) -> None:
    """Write down which folders are followed from now on, and which no longer."""
    before = _noted(store)
    after = (before | set(followed)) - set(left)
    if after != before:
        store.write_note(_FOLDERS, json.dumps(sorted(after), indent=1))


def _noted(store: Store) -> set[str]:
    return set(json.loads(store.read_note(_FOLDERS) or "[]"))
