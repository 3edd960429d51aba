"""Pools: one verb for work on many items, wherever it is done."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol, TypeVar

from docqa.errors import DocqaError

__all__ = ["Item", "LocalPool", "Lost", "Pool", "Result", "Work"]

Item = TypeVar("Item")
Result = TypeVar("Result")
Work = Callable[[Item], Result]
Lost = Callable[[Item, DocqaError], Result]


class Pool(Protocol):
    """A place where one piece of work is done for each of many items."""

    @property
    def shares_files(self) -> bool:
        """Say whether workers open the same file under the same path as this process."""
        ...

    def run(
        self,
        work: Work[Item, Result],
        items: Iterable[Item],
        *,
        on_lost: Lost[Item, Result],
        ordered: bool = True,
    ) -> Iterator[Result]:
        """Yield the result of `work` for each item, none twice.

        Items are taken one by one, as room becomes free: no more than a few for each worker are
        in memory at once, however many there are.

        Args:
            work: picklable, as its results are. Each worker gets a copy that lives as long as it
                does, so what `work` opens at its first call (a reader) is opened once a worker.
            items: picklable; a bad one is for `work` to report in its result.
            on_lost: called here for an item that ended its worker again and again, with the
                reason; its result is yielded instead.
            ordered: yield results in the order of the items; else each as soon as it is there.

        Raises:
            ClusterError: there are no workers.
            Exception: what `work` raised; the items after it are given up.
        """
        ...


class LocalPool:
    """A pool that does the work in this process, one item after another.

    >>> list(LocalPool().run(len, ["a", "bcd"], on_lost=lambda item, error: 0))
    [1, 3]
    """

    shares_files = True

    def run(
        self,
        work: Work[Item, Result],
        items: Iterable[Item],
        *,
        on_lost: Lost[Item, Result],
        ordered: bool = True,
    ) -> Iterator[Result]:
        """Yield the result of `work` for each item; see `Pool.run`."""
        for item in items:
            yield work(item)
