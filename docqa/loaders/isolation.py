"""Load in a worker process, so that a hostile file hurts that process and no other.

The first isolated load starts the worker; it serves every later one, and starts anew after it
died. It is a fresh interpreter, not a fork, and holds no model.
"""

from __future__ import annotations

import atexit
import os
import threading
import time
import uuid
import weakref
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, TypeVar

from docqa.datamodel import Document, LoadWarning
from docqa.errors import (
    IsolationError,
    LoaderCrashedError,
    LoadError,
    LoadMemoryError,
    LoadTimeoutError,
    SettingError,
)
from docqa.loaders.isolation_process import Worker, WorkerDeath
from docqa.loaders.isolation_requests import Call, CallKept, Done, Failed, Keep, Load, Request
from docqa.loaders.limits import Limits
from docqa.loaders.settings import LoadSettings
from docqa.protocols import Progress

__all__ = ["call", "call_kept", "forget", "load_isolated", "start", "stop", "worker_pid"]

_Result = TypeVar("_Result")

_MOST_DEAD_PAGES = 20  # of one document; each costs a new worker, 0.2 s and what kills the page

_lock = threading.RLock()  # one request at a time
_worker: Worker | None = None
_is_busy = False
_forgotten: deque[str] = deque()


def load_isolated(
    settings: LoadSettings, data: bytes, *, name: str, progress: Progress | None = None
) -> Document:
    """Load a document from its bytes in the worker.

    Where a page of a PDF ends the worker, the document is read once more, page by page: pages
    that end it again are left empty, with a warning for each.

    Raises:
        LoadError: the content cannot become a document.
        IsolationError: it ended the worker; the subclass says of what.
        SettingError: a setting is unknown.
    """
    return _Load(settings, data, name, progress).run()


def call(
    function: Callable[..., _Result],
    *arguments: Any,
    source: str,
    limits: Limits | None = None,
    **settings: Any,
) -> _Result:
    """Return ``function(*arguments, **settings)`` as the worker computes it.

    Args:
        function: one that both processes can import by its name.
        arguments: what can be pickled.
        source: what messages call the file that the function works on.
        limits: on time and memory; None takes `Limits()`.
        settings: further arguments, by name.

    Raises:
        IsolationError: it ended the worker; the subclass says of what.
        DocqaError: what the function raises.
    """
    limits = Limits() if limits is None else limits
    request = Call(limits, function, arguments, settings)
    try:
        value: _Result = _value(_exchange(request, b"", seconds=limits.wall_seconds), source)
    except WorkerDeath as death:
        raise _error(death, source, limits) from death
    return value


def call_kept(
    key: str, state: bytes, data: bytes, limits: Limits, request: tuple[str, tuple[Any, ...]]
) -> Any:
    """Return what a method of a document's source map returns in the worker.

    Args:
        key: the document's.
        state: its source map, packed, for a worker that does not keep it.
        data: the document's bytes.
        limits: on time and memory.
        request: the method and its arguments.

    Raises:
        WorkerDeath: it ended the worker.
    """
    with _claimed() as worker:
        if key in worker.kept:
            reply = _send(worker, CallKept(limits, key, *request), b"", limits.wall_seconds)
            if isinstance(reply, (Done, Failed)):
                return _value(reply, "")
        keep = Keep(limits, key, state)
        _value(_send(worker, keep, data, limits.wall_seconds), "")
        worker.kept.add(key)
        return _value(_send(worker, CallKept(limits, key, *request), b"", limits.wall_seconds), "")


def forget(key: str) -> None:
    """Let the worker drop a source map, with its next request."""
    _forgotten.append(key)


def start() -> None:
    """Start the worker now, so that it is ready when it is needed; return at once."""
    with _lock:
        if not _is_busy:
            _running()


def stop() -> None:
    """End the worker; the next isolated load starts another."""
    global _worker
    with _lock:
        if _worker is not None:
            _worker.close()
            _worker = None


def worker_pid() -> int | None:
    """Return the number of the worker's process, or None while there is none."""
    return _worker.pid if _worker is not None and _worker.is_alive else None


class _Load:
    """Load one document, over several workers where it ends them."""

    def __init__(
        self, settings: LoadSettings, data: bytes, name: str, progress: Progress | None
    ) -> None:
        self._settings, self._data, self._name, self._progress = settings, data, name, progress
        self._limits = settings.effective_limits
        self._key = uuid.uuid4().hex
        self._pages: dict[int, bytes | LoadWarning] = {}
        self._deaths: list[WorkerDeath] = []
        wall = self._limits.wall_seconds
        self._deadline = None if wall is None else time.monotonic() + wall

    def run(self) -> Document:
        with _claimed() as worker:
            was_fresh = worker.is_fresh
            try:
                return self._attempt(worker, page_by_page=False)
            except WorkerDeath as death:
                first = death
        if first.index is None and not was_fresh and first.cause in ("crashed", "memory"):
            # What the worker loaded before may have damaged it: a fresh one tells.
            try:
                return self._retry(page_by_page=False)
            except WorkerDeath as death:
                first = death
        if first.index is None or self._is_late():
            raise self._error(first) from first
        if first.cause in ("timeout", "memory"):
            self._bury(first)  # trying that page again would cost as much again
        return self._page_by_page()

    def _page_by_page(self) -> Document:
        while True:
            try:
                return self._retry(page_by_page=True)
            except WorkerDeath as death:
                if death.index is None or self._is_late():
                    raise self._error(death) from death
                self._bury(death)
                if len(self._deaths) > _MOST_DEAD_PAGES:
                    raise self._error(death, "the last of too many such pages") from death

    def _retry(self, *, page_by_page: bool) -> Document:
        with _claimed() as worker:
            return self._attempt(worker, page_by_page=page_by_page)

    def _attempt(self, worker: Worker, *, page_by_page: bool) -> Document:
        """Return the document that a worker makes of the data.

        Raises:
            WorkerDeath: the worker ended, or is as good as ended.
        """
        n_pages = 0

        def on_progress(done: int, total: int) -> None:
            nonlocal n_pages
            n_pages = total
            if done and self._progress is not None:
                self._progress(done, total)

        settings = replace(self._settings, isolate=False, limits=self._limits)
        pages = self._pages if page_by_page else None
        reply = _send(
            worker,
            Load(self._limits, self._key, settings, self._name, pages),
            self._data,
            None if self._deadline is None else max(0.0, self._deadline - time.monotonic()),
            on_progress=on_progress,
            on_page=self._pages.__setitem__,
        )
        if isinstance(reply, Failed) and isinstance(reply.error, IsolationError):
            raise _as_death(reply.error, worker.page_index)
        if n_pages and len(self._deaths) >= n_pages:
            raise self._error(self._deaths[0])
        document = _value(reply, self._name)
        return self._located(document, reply, worker)

    def _located(self, document: Document, reply: object, worker: Worker) -> Document:
        """Return the document with a source map that asks the worker."""
        assert isinstance(reply, Done)
        if reply.state is None:
            return document
        from docqa.loaders.isolated_source_map import IsolatedSourceMap

        if not reply.leaves:
            worker.kept.add(self._key)
        source_map = IsolatedSourceMap(
            self._key, reply.state, self._data, self._limits, document.pages
        )
        weakref.finalize(source_map, forget, self._key).atexit = False
        return replace(document, source_map=source_map)

    def _bury(self, death: WorkerDeath) -> None:
        """Leave the page that ended a worker empty in what follows."""
        assert death.index is not None
        self._deaths.append(death)
        number = death.index + 1
        self._pages[death.index] = LoadWarning(
            "page-failed", f"page {number} {_what(death, self._limits)}; it is left empty", number
        )

    def _is_late(self) -> bool:
        return self._deadline is not None and time.monotonic() >= self._deadline

    def _error(self, death: WorkerDeath, note: str = "") -> LoadError:
        return _error(death, self._name, self._limits, note)


@contextmanager
def _claimed() -> Iterator[Worker]:
    """Hold the running worker for a `with` statement, waiting for requests of other threads.

    Raises:
        SettingError: this very thread is in the middle of a request.
    """
    global _is_busy
    with _lock:
        if _is_busy:
            raise SettingError(
                "a progress callback cannot load or locate isolated documents: the worker is busy"
            )
        _is_busy = True
        try:
            yield _running()
        finally:
            _is_busy = False


def _running() -> Worker:
    """Return the worker, started anew where it is dead."""
    global _worker
    if _worker is not None and not _worker.is_alive:
        _worker.close()
        _worker = None
    if _worker is None:
        _worker = Worker()
    return _worker


def _exchange(request: Request, content: bytes, *, seconds: float | None) -> object:
    with _claimed() as worker:
        return _send(worker, request, content, seconds)


def _send(
    worker: Worker,
    request: Request,
    content: bytes,
    seconds: float | None,
    **listeners: Callable[..., None],
) -> object:
    forgotten = []
    while _forgotten:
        forgotten.append(_forgotten.popleft())
    worker.kept.difference_update(forgotten)
    request = replace(request, forget=tuple(forgotten))
    return worker.exchange(request, content, seconds=seconds, **listeners)


def _value(reply: object, source: str) -> Any:
    if isinstance(reply, Failed):
        if isinstance(reply.error, IsolationError):
            raise _as_death(reply.error, None)
        raise reply.error
    assert isinstance(reply, Done)
    del source
    return reply.value


def _as_death(error: IsolationError, index: int | None) -> WorkerDeath:
    """Return the death that an error amounts to, which the worker lived to tell."""
    cause = "memory" if isinstance(error, LoadMemoryError) else "crashed"
    return WorkerDeath(cause, str(error), index=index, stderr=error.stderr)  # type: ignore[arg-type]


def _what(death: WorkerDeath, limits: Limits) -> str:
    """Return what a file or page did, as the rest of a sentence that starts with it."""
    if death.cause == "timeout":
        if death.detail == "processor time":
            return f"takes over {limits.cpu_seconds:g} s of processor time"
        return f"takes over {death.detail}"
    if death.cause == "memory":
        most = f"{(limits.memory_bytes or 0) >> 20:,} MiB" if limits.memory_bytes else "all"
        return f"takes too much memory ({death.detail}; the limit is {most})"
    return f"crashes what reads it ({death.detail})"


def _error(death: WorkerDeath, source: str, limits: Limits, note: str = "") -> IsolationError:
    """Return what to tell the caller of a death."""
    number = None if death.index is None else death.index + 1
    if death.cause == "start":
        return LoaderCrashedError(
            f"{source}: the process that loads files does not start ({death.detail}); load with "
            "isolate=False (--no-isolate) if you trust the file",
            source=source,
            stderr=death.stderr,
        )
    kind, advice = {
        "timeout": (LoadTimeoutError, "; give more with --time-limit if you trust the file"),
        "memory": (LoadMemoryError, "; give more with --memory-limit if you trust the file"),
        "crashed": (LoaderCrashedError, "; it is broken or made to do harm: get it anew"),
    }[death.cause]
    place = "" if number is None else f"page {number} "
    note = f" ({note})" if note else ""
    return kind(
        f"{source}: {place}{_what(death, limits)}{note}{advice}",
        source=source,
        page_number=number,
        stderr=death.stderr,
    )


def _after_fork() -> None:
    """Leave the worker to the parent; a forked child starts its own."""
    global _worker, _lock, _is_busy
    if _worker is not None:
        _worker.abandon()
    _worker, _lock, _is_busy = None, threading.RLock(), False
    _forgotten.clear()


atexit.register(stop)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
