"""Folders that a collection follows: which they are, and which of their files changed.

Files are compared by size and time, and where those differ by content.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from docqa.collection.commits import CollectionWriter, read_list
from docqa.collection.files import FolderFiles
from docqa.collection.records import CollectedDocument, FailedSource, FileStamp, file_stamp
from docqa.errors import StoredDocumentError
from docqa.index.contract import Snapshot, Store
from docqa.loaders.formats import TYPES_BY_SUFFIX

__all__ = ["SyncPlan", "change_folders", "plan_sync", "read_folders", "update_records"]

_FOLDERS = "folders"  # the note that lists those that are followed
_PIECE = 1 << 20  # bytes that are read at once
_OF_THE_PLACE = ("SourceUnreadableError", "SourceNotFoundError", "MissingDependencyError")


@dataclass(slots=True)
class SyncPlan:
    """The files of a folder by the step that each needs; absolute paths.

    Attributes:
        new, changed: to be read.
        moved: the key of the document that has the content, by the path where it is now.
        touched: new stamps of documents whose files have the old content and a new time.
        vanished: to be removed.
        unchanged: nothing to do.
        still_failed: they failed before for their content, and have it still.
    """

    new: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    moved: dict[str, str] = field(default_factory=dict)
    touched: dict[str, FileStamp] = field(default_factory=dict)
    vanished: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    still_failed: list[FailedSource] = field(default_factory=list)


def plan_sync(
    files: FolderFiles,
    known: Mapping[str, CollectedDocument],
    failed: Mapping[str, FailedSource],
    *,
    checksum: bool,
    retry_failed: bool,
) -> SyncPlan:
    """Return the plan of a folder: its files compared with the collection's documents of it.

    Args:
        files: of the folder.
        known: the collection's documents of the folder, by key.
        failed: sources that failed, by key.
        checksum: read every file and compare its content, whatever its size and time say.
        retry_failed: read failed sources again, also where their content failed and is the same.
    """
    plan = SyncPlan()
    found = set(files.paths)
    plan.vanished = [key for key in known if key not in found and not files.may_hold(key)]
    by_content = {known[key].id: key for key in reversed(plan.vanished)}
    for path in files.paths:
        stamp = file_stamp(path)
        if path in known:
            _compare(plan, known[path], stamp, checksum=checksum)
        elif path in failed and not retry_failed and _fails_again(failed[path], stamp, checksum):
            plan.still_failed.append(failed[path])
        else:
            origin = by_content.get(_hash(path) or "") if by_content else None
            if origin is None or _named_type(origin) != _named_type(path):
                plan.new.append(path)
            else:
                plan.moved[path] = origin
                plan.vanished.remove(origin)
                del by_content[known[origin].id]
    return plan


def _named_type(path: str) -> str | None:
    """Return the media type that a name stands for: the same bytes read otherwise under another."""
    return TYPES_BY_SUFFIX.get(Path(path).suffix.lower())


def _compare(
    plan: SyncPlan, document: CollectedDocument, stamp: FileStamp | None, *, checksum: bool
) -> None:
    old = document.stamp
    same = old is not None and stamp is not None and old.same_file(stamp)
    if same and old is not None and old.is_settled and not checksum:
        plan.unchanged.append(document.key)
    elif _hash(document.key) != document.id:
        plan.changed.append(document.key)
    elif same or stamp is None:
        plan.unchanged.append(document.key)
    else:
        plan.touched[document.key] = stamp
        plan.unchanged.append(document.key)


def _fails_again(failure: FailedSource, stamp: FileStamp | None, checksum: bool) -> bool:
    """Say whether a source failed for its content, and has that content still.

    A failure to read its bytes (rights, a lock, a lost share) or to find a library says nothing of
    its content.
    """
    if failure.kind in _OF_THE_PLACE:
        return False
    old = failure.stamp
    same = old is not None and stamp is not None and old.same_file(stamp)
    if same and old is not None and old.is_settled and not checksum:
        return True
    return failure.id is not None and _hash(failure.key) == failure.id


def _hash(path: str) -> str | None:
    """Return a file's SHA-256, None where it cannot be read."""
    digest = hashlib.sha256()
    try:
        with open(path, "rb") as file:  # noqa: PTH123 - a path as it came
            while piece := file.read(_PIECE):
                digest.update(piece)
    except (OSError, ValueError):
        return None
    return digest.hexdigest()


def update_records(
    writer: CollectionWriter,
    snapshot: Snapshot,
    plan: SyncPlan,
    known: Mapping[str, CollectedDocument],
    metadata: Mapping[str, str] | None,
) -> None:
    """Write the new records of documents whose content stays.

    These are new times of files, new paths, and new metadata. A document whose stored bytes are
    damaged is read again instead.

    Args:
        writer: of the collection.
        snapshot: the state before.
        plan: of its files.
        known: the records before, by key.
        metadata: of all of them; None keeps what they had.
    """
    for key in plan.unchanged:
        old = known[key]
        entries = old.metadata if metadata is None else metadata
        new = replace(old, stamp=plan.touched.get(key, old.stamp), metadata=entries)
        if new != old and not _refiled(writer, snapshot, key, new):
            plan.changed.append(key)
    for path, origin in list(plan.moved.items()):
        old = known[origin]
        entries = old.metadata if metadata is None else metadata
        new = replace(old, key=path, source=path, stamp=file_stamp(path), metadata=entries)
        if not _refiled(writer, snapshot, origin, new):
            del plan.moved[path]
            plan.vanished.append(origin)
            plan.new.append(path)
    plan.unchanged = [key for key in plan.unchanged if key not in plan.changed]


def _refiled(
    writer: CollectionWriter, snapshot: Snapshot, key: str, record: CollectedDocument
) -> bool:
    """Write a stored document with another record; return False where it is damaged."""
    try:
        writer.refile(snapshot, key, record)
    except StoredDocumentError:
        return False
    return True


def read_folders(store: Store, documents: Iterable[CollectedDocument]) -> tuple[str, ...]:
    """Return the folders that a collection follows, sorted, those without documents too."""
    return tuple(sorted({*_noted(store), *(each.folder for each in documents if each.folder)}))


def change_folders(store: Store, *, followed: Iterable[str] = (), left: Iterable[str] = ()) -> None:
    """Change the stored list of folders: `followed` from now on, `left` no longer."""
    before = _noted(store)
    after = (before | set(followed)) - set(left)
    if after != before:
        store.write_note(_FOLDERS, json.dumps(sorted(after), indent=1))


def _noted(store: Store) -> set[str]:
    return set(read_list(store, _FOLDERS))
