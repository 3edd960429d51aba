"""Several isolation workers, each lent to one request at a time and replaced after some files."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from docqa.errors import BusyError
from docqa.loaders.isolation.shared_worker import SharedWorker

if TYPE_CHECKING:
    from docqa.loaders.isolation.process import WorkerProcess
    from docqa.loaders.isolation.requests import Done, Request, Unknown

__all__ = ["WorkerPool"]

_PATIENCE = 30.0  # seconds that a request waits for a free process


class WorkerPool:
    """Isolation workers behind the face of one: `with_worker(pool)` lets code use any free one.

    Args:
        size: the number of processes, at most; they start when they are needed.
        files_per_worker: requests after which a process is replaced.
        patience: seconds that a request waits for a free process.
        seconds: time on the clock of one request, at most; None for the limits of the file.
    """

    def __init__(
        self,
        size: int,
        files_per_worker: int,
        *,
        patience: float = _PATIENCE,
        seconds: float | None = None,
    ) -> None:
        self._workers = [SharedWorker() for _ in range(size)]
        self._free = list(self._workers)
        self._uses = [0] * size
        self._most_uses, self._patience, self._seconds = files_per_worker, patience, seconds
        self._changed = threading.Condition()
        self._mine = threading.local()
        self.n_waiting = 0

    @contextmanager
    def claimed(self) -> Iterator[WorkerProcess]:
        """Hold a free process for a `with` statement; it is this thread's.

        Raises:
            BusyError: all are busy for too long.
            SettingError: no process can run.
        """
        worker = self._taken()
        try:
            with worker.claimed() as process:
                self._mine.worker = worker
                yield process
        finally:
            self._give_back(worker)

    def send(
        self,
        worker: WorkerProcess,
        request: Request,
        content: bytes,
        seconds: float | None,
        **listeners: Callable[..., None],
    ) -> Done | Unknown:
        """Send a request to the process that this thread holds; see `SharedWorker.send`."""
        mine: SharedWorker = self._mine.worker
        if self._seconds is not None:
            seconds = self._seconds if seconds is None else min(seconds, self._seconds)
        return mine.send(worker, request, content, seconds, **listeners)

    def forget(self, key: str) -> None:
        """Let all processes drop a source map; any thread, at any time."""
        for worker in self._workers:
            worker.forget(key)

    def close(self) -> None:
        """End all processes, also those at work."""
        for worker in self._workers:
            worker.kill()
            worker.stop()

    def _taken(self) -> SharedWorker:
        until = time.monotonic() + self._patience
        with self._changed:
            self.n_waiting += 1
            try:
                while not self._free:
                    if (left := until - time.monotonic()) <= 0:
                        raise BusyError(
                            f"all {len(self._workers)} processes that open files are busy for over "
                            f"{self._patience:g} s; try again later",
                            retry_after=max(1.0, self._patience / 2),
                        )
                    self._changed.wait(left)
                return self._free.pop()
            finally:
                self.n_waiting -= 1

    def _give_back(self, worker: SharedWorker) -> None:
        number = self._workers.index(worker)
        self._uses[number] += 1
        if self._uses[number] >= self._most_uses:
            worker.stop()
            self._uses[number] = 0
        with self._changed:
            self._free.append(worker)  # the last one used is warm, and used next
            self._changed.notify()
