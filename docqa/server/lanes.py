"""Threads in which the service works, in lanes, so that slow work of one kind stops no other."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

import anyio

from docqa.errors import BusyError

__all__ = ["Lane"]

_Result = TypeVar("_Result")


class Lane:
    """A number of threads, and a bound on the work that waits for one.

    Args:
        threads: the number of threads.
        waiting: the pieces of work that may wait, at most.
        words: names the work in messages.
    """

    def __init__(self, threads: int, *, waiting: int, words: str) -> None:
        self._limiter = anyio.CapacityLimiter(threads)
        self._most = threads + waiting
        self._words = words
        self._here = 0

    async def run(self, work: Callable[..., _Result], *arguments: Any, **named: Any) -> _Result:
        """Return the result of some work, done in a thread.

        Whoever is cancelled waits no longer; the thread ends its work alone.

        Raises:
            BusyError: too much waits.
        """
        if self._here >= self._most:
            raise BusyError(
                f"{self._most} {self._words} are at work or wait; ask again soon", retry_after=1.0
            )
        self._here += 1
        try:
            return await anyio.to_thread.run_sync(
                partial(work, *arguments, **named), limiter=self._limiter, abandon_on_cancel=True
            )
        finally:
            self._here -= 1
