"""The collections of a service, by the names that callers use; no path of the machine goes out."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from docqa.asking.pipeline import Pipeline
from docqa.collection.changes import IndexProgress
from docqa.collection.collection import Collection
from docqa.collection.records import CollectedDocument
from docqa.datamodel import Answers, GridItem
from docqa.errors import CollectionError, DocqaError, UnknownItemError
from docqa.service.jobs import Progressing, ServiceJob

__all__ = ["Shelf", "ShelvedDocument"]

_LOOKED_AGAIN = 10.0  # seconds after which the list of documents is read again


@dataclass(frozen=True, slots=True)
class ShelvedDocument:
    """A document of a collection, with a name in place of its path.

    Attributes:
        name: its path below the folder that was indexed, or its own name.
        record: of the collection; its paths stay inside.
    """

    name: str
    record: CollectedDocument

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        record = self.record
        return {
            "id": record.id,
            "name": self.name,
            "title": record.title,
            "media_type": record.media_type,
            "pages": record.n_pages,
            "passages": record.n_passages,
            "characters": record.n_characters,
            "indexed": record.indexed,
            "metadata": dict(record.metadata),
            "warnings": list(record.warnings),
        }


class _Listing:
    """The documents of a collection at a moment, and the names and folders that follow from them.

    Args:
        documents: in order of the collection.
    """

    def __init__(self, documents: list[ShelvedDocument]) -> None:
        self.documents, self.read = documents, time.monotonic()
        self.names = {each.record.source: each.name for each in documents}
        self.folders = list(dict.fromkeys(each.record.folder for each in documents))

    @property
    def is_fresh(self) -> bool:
        """Say whether it need not be read again."""
        return time.monotonic() - self.read < _LOOKED_AGAIN


class Shelf:
    """Collections by name, opened once and asked with one pipeline.

    Args:
        addresses: of the collections, by name.
        pipeline: its reader and settings are used.
    """

    def __init__(self, addresses: Mapping[str, str], pipeline: Pipeline) -> None:
        self._collections = {
            name: Collection(address, pipeline=pipeline) for name, address in addresses.items()
        }
        self._listings: dict[str, _Listing] = {}
        self._lock = threading.Lock()

    def collections(self) -> list[str]:
        """Return the names of all collections."""
        return list(self._collections)

    def get(self, name: str) -> Collection:
        """Return a collection.

        Raises:
            UnknownItemError: there is none of this name.
        """
        if name not in self._collections:
            known = ", ".join(self._collections) or "none"
            raise UnknownItemError(f"there is no collection {name[:80]!r}; there are: {known}")
        return self._collections[name]

    def info(self, name: str) -> dict[str, Any]:
        """Return the size and age of a collection as plain values, without paths.

        Raises:
            UnknownItemError: there is none of this name.
            CollectionError: it cannot be read.
        """
        info = self.get(name).info().to_dict()
        kept = {key: value for key, value in info.items() if key not in ("address", "folders")}
        return {"name": name, **kept, "folders": len(info["folders"])}

    def documents(self, name: str) -> list[ShelvedDocument]:
        """Return the documents of a collection; a list of up to ten seconds ago.

        Raises:
            UnknownItemError: there is none of this name.
            CollectionError: it cannot be read.
        """
        return self._listing(name).documents

    def names(self, name: str, sources: Iterable[str]) -> dict[str, str]:
        """Return the names of documents of a collection, by their sources.

        Those moved, or new since the list of documents was read, have the name of their file.

        Raises:
            UnknownItemError: there is no collection of this name.
            CollectionError: it cannot be read.
        """
        known = self._listing(name).names
        return {each: known.get(each) or Path(each).name for each in sources}

    def find(self, document_id: str) -> ShelvedDocument | None:
        """Return the first document of any collection that has an id."""
        for name in self._collections:
            try:
                documents = self.documents(name)
            except CollectionError:
                continue
            for each in documents:
                if each.record.id == document_id:
                    return each
        return None

    def public(self, item: GridItem, name: str) -> GridItem:
        """Return an outcome of a collection with names in place of paths."""
        names = self.names(name, [each.document.source for each in item.answers])
        answers = Answers(
            [
                replace(each, document=replace(each.document, source=names[each.document.source]))
                for each in item.answers
            ],
            coverage=item.answers.coverage,
            warnings=tuple(self.scrubbed(each) for each in item.answers.warnings),
        )
        error = None if item.error is None else self.scrubbed_error(item.error)
        return replace(item, source=name, answers=answers, error=error)

    def scrubbed(self, message: str) -> str:
        """Return a message with the names of collections and documents in place of paths."""
        for name, collection in self._collections.items():
            message = message.replace(collection.address, name)
            listing = self._listings.get(name)
            for folder in listing.folders if listing is not None else ():
                if folder:
                    message = message.replace(folder + os.sep, "")
        return message

    def scrubbed_error(self, error: Exception) -> Exception:
        """Return an error of the same class whose message has no path of the machine."""
        message = self.scrubbed(str(error))
        if message == str(error) or not isinstance(error, DocqaError):
            return error
        error.args = (message, *error.args[1:])
        return error

    def sync(self, name: str, job: ServiceJob) -> dict[str, Any]:
        """Bring a collection up to date with its folders; return the changes, counted.

        Raises:
            CollectionError: another process is writing, or it cannot be read.
            SettingError: it follows no folder.
        """
        collection, counted = self.get(name), dict[str, int]()
        progressing = Progressing(job)

        def report(progress: IndexProgress) -> None:
            progressing(progress.done, progress.total)

        folders = collection.info().folders
        if not folders:
            raise CollectionError(f"{name}: it follows no folder; add one with docqa kb add")
        for folder in folders:
            changes = collection.sync(folder, progress=report)
            for kind in ("added", "replaced", "moved", "removed", "unchanged", "failed"):
                counted[kind] = counted.get(kind, 0) + len(getattr(changes, kind))
            job.failures += [self.scrubbed(str(each.message)) for each in changes.failed]
        with self._lock:
            self._listings.pop(name, None)
        return counted

    def _listing(self, name: str) -> _Listing:
        collection = self.get(name)
        with self._lock:
            known = self._listings.get(name)
        if known is not None and known.is_fresh:
            return known
        found = _Listing([ShelvedDocument(_name(each), each) for each in collection.documents()])
        with self._lock:
            self._listings[name] = found
        return found

    def close(self) -> None:
        """Close all collections."""
        for collection in self._collections.values():
            collection.close()


def _name(document: CollectedDocument) -> str:
    if document.folder and document.source.startswith(document.folder):
        return os.path.relpath(document.source, document.folder).replace(os.sep, "/")
    return Path(document.source).name or document.source
