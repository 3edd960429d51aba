"""The changes of a collection, and the reports while they go on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from docqa.collection.records import FailedSource

__all__ = ["Changes", "IndexProgress", "Report"]


@dataclass(frozen=True, slots=True)
class IndexProgress:
    """The progress of a change: sources read and documents that last.

    Attributes:
        done, total: sources that were read or failed, and all.
        pages, passages: of sources that were read.
        failed: sources that could not be read.
        committed: sources that last, whatever happens next.
        source: the key of the last one.
    """

    done: int
    total: int
    pages: int
    passages: int
    failed: int
    committed: int
    source: str


Report = Callable[[IndexProgress], None]


@dataclass(frozen=True, slots=True)
class Changes:
    """The changes that one call made to a collection: keys of sources, in order.

    Attributes:
        added: sources that were not there before.
        replaced: sources whose content is new.
        moved: sources whose content was there under another key.
        removed: sources that are gone.
        unchanged: sources that were not read again.
        failed: sources that could not be read; their documents are gone.
        passed_over: how many files of other kinds the folders hold, by suffix.
    """

    added: Sequence[str] = field(default=())
    replaced: Sequence[str] = field(default=())
    moved: Sequence[str] = field(default=())
    removed: Sequence[str] = field(default=())
    unchanged: Sequence[str] = field(default=())
    failed: Sequence[FailedSource] = field(default=())
    passed_over: Counter[str] = field(default_factory=Counter)

    def __bool__(self) -> bool:
        """Say whether the collection was changed."""
        return bool(self.added or self.replaced or self.moved or self.removed)

    def __str__(self) -> str:
        counts = {
            name: len(getattr(self, name))
            for name in ("added", "replaced", "moved", "removed", "unchanged", "failed")
        }
        parts = [f"{count:,} {name}" for name, count in counts.items() if count]
        return ", ".join(parts) or "nothing to do"
