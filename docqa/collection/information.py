"""The address, size and age of a collection."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from docqa.collection.records import CollectedDocument, FailedSource
from docqa.collection.settings import CollectionSettings, is_half_rebuilt
from docqa.collection.sync import read_folders
from docqa.index.contract import Store

__all__ = ["CollectionInfo", "information"]


@dataclass(frozen=True, slots=True)
class CollectionInfo:
    """The address, size and age of a collection, and its settings.

    Attributes:
        address: where it is.
        n_documents, n_pages, n_passages, n_characters: its contents, counted.
        n_failed: sources that could not be loaded.
        size: bytes that it takes up; None where its engine does not say.
        created: when it was made, in seconds since 1970.
        changed: when a document was last indexed; None where there is none.
        folders: the folders that were added or synchronised.
        settings: format, version, reader and sizes of passages.
        is_half_rebuilt: a rebuild was interrupted; some documents are as `settings` says, others
            as the rebuild has it. Another rebuild ends it.
    """

    address: str
    n_documents: int
    n_pages: int
    n_passages: int
    n_characters: int
    n_failed: int
    size: int | None
    created: float
    changed: float | None
    folders: tuple[str, ...]
    settings: CollectionSettings
    is_half_rebuilt: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON; the settings are called "made"."""
        return {"made" if name == "settings" else name: each for name, each in asdict(self).items()}


def information(
    store: Store,
    settings: CollectionSettings,
    documents: Sequence[CollectedDocument],
    failures: Sequence[FailedSource],
) -> CollectionInfo:
    """Return the address, size and age of a collection."""
    return CollectionInfo(
        address=store.address,
        n_documents=len(documents),
        n_pages=sum(each.n_pages for each in documents),
        n_passages=sum(each.n_passages for each in documents),
        n_characters=sum(each.n_characters for each in documents),
        n_failed=len(failures),
        size=store.size(),
        created=settings.created,
        changed=max((each.indexed for each in documents), default=None),
        folders=read_folders(store, documents),
        settings=settings,
        is_half_rebuilt=is_half_rebuilt(store),
    )
