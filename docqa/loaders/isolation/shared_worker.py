"""The workers of this process: each started when it is needed, again after it died.

One is enough for most programs. A server has several, and chooses one for a block of code.
"""

from __future__ import annotations

import atexit
import os
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from dataclasses import replace
from typing import Protocol

from docqa.errors import IsolationError, SettingError
from docqa.loaders.isolation.deaths import death_of
from docqa.loaders.isolation.process import WorkerProcess
from docqa.loaders.isolation.requests import Done, Failed, Request, Unknown

__all__ = ["SHARED", "SharedWorker", "WorkerLender", "chosen_worker", "with_worker"]


class WorkerLender(Protocol):
    """A lender of worker processes, as `SharedWorker` is one."""

    def claimed(self) -> AbstractContextManager[WorkerProcess]:
        """Hold a running worker for a `with` statement."""
        ...

    def send(
        self,
        worker: WorkerProcess,
        request: Request,
        content: bytes,
        seconds: float | None,
        **listeners: Callable[..., None],
    ) -> Done | Unknown:
        """Send a request to a claimed worker."""
        ...

    def forget(self, key: str) -> None:
        """Let workers drop a source map."""
        ...


class SharedWorker:
    """A worker of this process, lent to one request at a time."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._worker: WorkerProcess | None = None
        self._is_busy = False
        self._forgotten: deque[str] = deque()

    @property
    def pid(self) -> int | None:
        """Return the number of the worker's process, or None while there is none."""
        worker = self._worker
        return worker.pid if worker is not None and worker.is_alive else None

    @contextmanager
    def claimed(self) -> Iterator[WorkerProcess]:
        """Hold the running worker for a `with` statement, waiting for requests of other threads.

        Raises:
            SettingError: this very thread is in the middle of a request, or no worker can run.
        """
        with self._lock:
            if self._is_busy:
                raise SettingError(
                    "a progress callback cannot load or locate isolated documents: the worker is "
                    "busy with the load that it reports"
                )
            self._is_busy = True
            try:
                yield self._running()
            finally:
                self._is_busy = False

    def send(
        self,
        worker: WorkerProcess,
        request: Request,
        content: bytes,
        seconds: float | None,
        **listeners: Callable[..., None],
    ) -> Done | Unknown:
        """Send a request and the keys to forget to a claimed worker; see `WorkerProcess.exchange`.

        Raises:
            WorkerDeathError: the worker ended, or lived to tell what would have ended it.
            DocqaError: any other error that it reports.
        """
        forgotten = [self._forgotten.popleft() for _ in range(len(self._forgotten))]
        worker.kept.difference_update(forgotten)
        request = replace(request, forget=tuple(forgotten))
        reply = worker.exchange(request, content, seconds=seconds, **listeners)
        if not isinstance(reply, Failed):
            return reply
        with worker.checked():
            error = reply.error
        if isinstance(error, IsolationError):
            raise death_of(error, worker.page_index)
        raise error

    def forget(self, key: str) -> None:
        """Let the worker drop a source map, with its next request; any thread, at any time."""
        self._forgotten.append(key)

    def start(self) -> None:
        """Start the worker where none runs."""
        with self._lock:
            if not self._is_busy:
                self._running()

    def stop(self) -> None:
        """End the worker where one runs."""
        with self._lock:
            if self._worker is not None:
                self._worker.close()
                self._worker = None

    def kill(self) -> None:
        """End the worker where one runs, also in the middle of another thread's request."""
        worker = self._worker
        if worker is not None:
            worker.kill()

    def leave_to_parent(self) -> None:
        """Forget the worker in a forked child, which starts its own."""
        if self._worker is not None:
            self._worker.abandon()
        self.__init__()  # type: ignore[misc]  # the lock may be held by a thread that is not here

    def _running(self) -> WorkerProcess:
        if self._worker is not None and not self._worker.is_alive:
            self._worker.close()
            self._worker = None
        if self._worker is None:
            self._worker = WorkerProcess()
        return self._worker


SHARED = SharedWorker()
"""The worker of all code that chooses no other."""

_CHOSEN: ContextVar[WorkerLender] = ContextVar("the worker of this context", default=SHARED)


def chosen_worker() -> WorkerLender:
    """Return the lender of workers that the calling code is to use."""
    return _CHOSEN.get()


@contextmanager
def with_worker(lender: WorkerLender) -> Iterator[None]:
    """Let all code in a `with` statement use other workers than `SHARED`."""
    token = _CHOSEN.set(lender)
    try:
        yield
    finally:
        _CHOSEN.reset(token)


atexit.register(SHARED.stop)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=SHARED.leave_to_parent)
