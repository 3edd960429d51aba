"""The outcome of changes to a collection whose disk is full."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from generations import collection_in, write_source

from docqa.collection.collection import Collection
from docqa.errors import CollectionError

__all__ = ["NAMES", "Outcome", "filled", "outcome", "tell_with_small_files", "write_all"]

NAMES = ["one", "two", "three"]


@dataclass(frozen=True)
class Outcome:
    """The outcome of a change.

    Attributes:
        error: what was raised; None where it worked.
        is_clear: there was no error, or one `CollectionError` that says that the disk is full.
        is_intact: `check()` finds nothing afterwards, and what was committed before is there.
    """

    error: BaseException | None
    is_clear: bool
    is_intact: bool

    @property
    def is_wrong(self) -> bool:
        """Return whether a promise is broken."""
        return not (self.is_clear and self.is_intact)

    def __str__(self) -> str:
        told = "worked" if self.error is None else f"{type(self.error).__name__}: {self.error}"
        return f"{told} [{'intact' if self.is_intact else 'DAMAGED'}]" + (
            "" if self.is_clear else " [NOT CLEAR]"
        )


def outcome(collection: Collection, act: Callable[[], object]) -> Outcome:
    """Return the outcome of a change, seen by another opening of the collection."""
    before = _contents(collection)
    error: BaseException | None = None
    try:
        act()
    except BaseException as raised:  # a panic of tantivy is no Exception
        error = raised
    is_clear = error is None or (isinstance(error, CollectionError) and "is full" in str(error))
    return Outcome(error, is_clear, _is_intact(Path(collection.address), before, error))


@contextmanager
def filled(disk: Path, *, leaving: int) -> Iterator[None]:
    """Fill a disk with a file, but for `leaving` bytes."""
    path = disk / "filling"
    try:
        with path.open("wb", buffering=0) as file:
            while (room := shutil.disk_usage(disk).free - leaving) >= 4096:
                try:
                    os.posix_fallocate(file.fileno(), file.tell(), room // 4096 * 4096)
                    file.seek(0, os.SEEK_END)
                except OSError:
                    break
            os.fsync(file.fileno())
        yield
    finally:
        path.unlink()


def write_all(folder: Path, generation: int) -> None:
    """Write a generation of all sources."""
    for name in NAMES:
        write_source(folder, name, generation)


def tell_with_small_files(folder: Path) -> tuple[str, bool]:
    """Return the error of replacing where no file may exceed a few kilobytes, and what is left."""
    import resource

    collection = collection_in(folder / "kb")
    write_all(folder, 1)
    collection.add([folder / f"{name}.txt" for name in NAMES])
    write_all(folder, 2)
    unlimited = resource.RLIM_INFINITY

    def act() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (700, unlimited))
        try:
            collection.add([folder / f"{name}.txt" for name in NAMES])
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (unlimited, unlimited))

    found = outcome(collection, act)
    return type(found.error).__name__, found.is_intact


def _contents(collection: Collection) -> dict[str, str]:
    if not collection.exists():
        return {}
    return {each.key: each.id for each in collection.documents()}


def _is_intact(address: Path, before: dict[str, str], error: BaseException | None) -> bool:
    collection = collection_in(address)
    if not collection.exists():
        return not before
    try:
        sound = bool(collection.check())
        return sound and (error is None or _contents(collection) == before)
    except CollectionError:
        return False
