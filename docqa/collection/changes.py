"""What a change to a collection did, and what is told while it goes on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from docqa.collection.records import FailedSource

__all__ = ["Changes", "IndexProgress", "Report"]


@dataclass(frozen=True, slots=True)
class IndexProgress:
    """Hold how far taking in sources has come.

    Attributes:
        done, total: sources taken in or failed, and in all.
        pages, passages: of those that were taken in.
        failed: sources that could not be.
        committed: sources that last, whatever happens next.
        source: the one that was done last.
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
    """Hold what a change to a collection did; keys of the sources, in order.

    Attributes:
        added: they were not there before.
        replaced: their content is new.
        moved: their content was there under another key.
        removed: they are gone.
        unchanged: they were not read again.
        failed: they could not be taken in; what was there of them before is gone.
    """

    added: Sequence[str] = field(default=())
    replaced: Sequence[str] = field(default=())
    moved: Sequence[str] = field(default=())
    removed: Sequence[str] = field(default=())
    unchanged: Sequence[str] = field(default=())
    failed: Sequence[FailedSource] = field(default=())

    def __bool__(self) -> bool:
        """Say whether the collection is another one than before."""
        return bool(self.added or self.replaced or self.moved or self.removed)

    def __str__(self) -> str:
        counts = {
            name: len(getattr(self, name))
            for name in ("added", "replaced", "moved", "removed", "unchanged", "failed")
        }
        told = [f"{count:,} {name}" for name, count in counts.items() if count]
        return ", ".join(told) or "nothing to do"
