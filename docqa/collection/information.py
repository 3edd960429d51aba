"""Where a collection is, how large and how old."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from typing import Any

from docqa.collection.followed import read_folders
from docqa.collection.records import CollectedDocument, FailedSource
from docqa.collection.settings import Made
from docqa.index.store import Store

__all__ = ["CollectionInfo", "information"]


@dataclass(frozen=True, slots=True)
class CollectionInfo:
    """Hold what there is to know of a collection.

    Attributes:
        address: where it is.
        n_documents, n_pages, n_passages, n_characters: what is in it.
        n_failed: sources that could not be loaded.
        size: bytes that it takes up; None where nobody knows.
        created: when it was made, in seconds since 1970.
        changed: when a document was last indexed; None where there is none.
        folders: that were added or synchronised.
        made: format, version, reader and sizes of passages.
        is_half_rebuilt: a rebuild was interrupted; some documents are as `made` says, others as the
            rebuild has it. Another rebuild ends it.
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
    made: Made
    is_half_rebuilt: bool = False

    @property
    def created_at(self) -> datetime:
        """Return when it was made."""
        return datetime.fromtimestamp(self.created, timezone.utc)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return asdict(self)


def information(
    store: Store,
    made: Made,
    documents: Sequence[CollectedDocument],
    failures: Sequence[FailedSource],
    *,
    is_half_rebuilt: bool,
) -> CollectionInfo:
    """Return what there is to know of a collection."""
    return CollectionInfo(
        address=store.address,
        n_documents=len(documents),
        n_pages=sum(each.n_pages for each in documents),
        n_passages=sum(each.n_passages for each in documents),
        n_characters=sum(each.n_characters for each in documents),
        n_failed=len(failures),
        size=store.size(),
        created=made.created,
        changed=max((each.indexed for each in documents), default=None),
        folders=read_folders(store, documents),
        made=made,
        is_half_rebuilt=is_half_rebuilt,
    )
