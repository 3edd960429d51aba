"""Load in a worker process, so that a hostile file hurts that process and no other.

The first isolated load starts the worker; it serves every later one, and is started again
after it died. It is a fresh interpreter, not a fork, and holds no model. A server has several
(`docqa.loaders.isolation.shared_worker.with_worker`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar, get_type_hints

from docqa.datamodel import Document, LoadWarning
from docqa.limits import Limits
from docqa.load_settings import LoadSettings
from docqa.loaders.isolation.deaths import WorkerDeathError, error_of
from docqa.loaders.isolation.isolated_load import IsolatedLoad
from docqa.loaders.isolation.messages import decode
from docqa.loaders.isolation.requests import Call, Done
from docqa.loaders.isolation.shared_worker import SHARED, chosen_worker
from docqa.protocols import Progress

__all__ = ["call", "load_isolated", "start", "stop", "worker_pid"]

_Result = TypeVar("_Result")


def load_isolated(
    settings: LoadSettings,
    data: bytes,
    *,
    name: str,
    progress: Progress | None = None,
    left_out: Mapping[int, LoadWarning] | None = None,
) -> Document:
    """Load a document from its bytes in the worker.

    Where a page of a PDF ends the worker, the document is read once more, page by page: pages
    that end it again are left empty, with a warning for each.

    Raises:
        LoadError: the content cannot become a document.
        IsolationError: it ended the worker; the subclass says of what.
        SettingError: a setting is unknown.
    """
    return IsolatedLoad(settings, data, name, progress, pages=left_out).run()


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

    Returns:
        Plain values and records: the worker sends data, which become a value of the type that the
        function's annotation says it returns. Without one, tuples become lists, and records
        dictionaries.

    Raises:
        IsolationError: it ended the worker; the subclass says of what.
        DocqaError: what the function raises.
    """
    limits = Limits() if limits is None else limits
    try:
        chosen = chosen_worker()
        with chosen.claimed() as worker:
            request = Call(limits, function, arguments, settings)
            reply = chosen.send(worker, request, b"", limits.wall_seconds)
            assert isinstance(reply, Done)
            with worker.checked():
                value: _Result = decode(reply.value, _returned_type(function))
    except WorkerDeathError as death:
        raise error_of(death, source, limits) from death
    return value


def _returned_type(function: Callable[..., Any]) -> Any:
    """Return the type that a function's annotation says it returns, else any plain value."""
    if isinstance(function, type):
        return function
    return get_type_hints(function).get("return", Any)


def start() -> None:
    """Start the worker now, so that it is ready when it is needed; return at once."""
    SHARED.start()


def stop() -> None:
    """End the worker; the next isolated load starts another."""
    SHARED.stop()


def worker_pid() -> int | None:
    """Return the number of the worker's process, or None while there is none."""
    return SHARED.pid
