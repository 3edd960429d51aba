"""Processes that are killed at a random moment or at a given step, and fresh ones that look after.

They come from a server that has loaded docqa and nothing else, so each starts in a few
milliseconds, and none knows what another did.
"""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from multiprocessing import forkserver
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

__all__ = ["in_fresh_process", "killed_at_random", "killed_at_step", "started"]

_LOADED_BEFORE = [
    *("docqa.collection.collection", "docqa.testing", "docqa.index.tantivy.store"),
    *("docqa.passages.splitter", "docqa.loaders.text", "docqa.loaders.ocr.tesseract"),
    *("nltk.tokenize.punkt", "nltk.stem.snowball", "filelock", "tantivy", "numpy"),
]
_STEPS = frozenset(
    {"os.rename", "os.remove", "os.rmdir", "os.mkdir", "shutil.rmtree", "tempfile.mkstemp"}
)


def in_fresh_process(work: Callable[..., Any], *arguments: Any, seconds: float = 120.0) -> Any:
    """Return the result of a call in a process of its own.

    It must be of a module that can be imported, which test files cannot everywhere: pytest may give
    them names in a package `tests`.
    """
    ours, theirs = _server().Pipe(duplex=False)
    process = _server().Process(target=_send, args=(theirs, work, arguments))
    process.start()
    theirs.close()
    try:
        if not ours.poll(seconds):
            raise TimeoutError(f"{work.__name__} has not ended after {seconds} s")
        value, error = ours.recv()
    except EOFError:
        process.join(5.0)  # it writes why
        raise
    finally:
        process.kill()
        process.join()
    if error is not None:
        raise RuntimeError(f"{work.__name__} failed in its process:\n{error}")
    return value


def killed_at_random(
    work: Callable[..., None],
    *arguments: Any,
    chance: random.Random,
    after: Path,
    within: float,
    **settings: Any,
) -> None:
    """Start a call that does not end, and kill its process.

    Args:
        work: the call, with `arguments` and `settings`.
        arguments: for it.
        chance: chooses the moment.
        after: a file that the work writes lines into; it is killed when it has written one to six.
        within: at most this many seconds from then on.
        settings: for it.
    """
    wanted = _lines(after) + chance.randint(1, 6)
    process = _server().Process(target=work, args=arguments, kwargs=settings)
    process.start()
    while process.is_alive() and _lines(after) < wanted:
        time.sleep(0.002)
    process.join(chance.uniform(0.0, within))
    if process.exitcode is not None:
        raise RuntimeError(f"{work.__name__} ended by itself: {process.exitcode}")
    process.kill()
    process.join()


@contextmanager
def started(work: Callable[..., None], *arguments: Any, **settings: Any) -> Iterator[Any]:
    """Yield the process of a call that does not end; it is killed in the end."""
    process = _server().Process(target=work, args=arguments, kwargs=settings)
    process.start()
    try:
        yield process
    finally:
        process.kill()
        process.join()


def killed_at_step(step: int, work: Callable[..., None], *arguments: Any) -> bool:
    """Kill a call when it opens for writing, makes, renames or deletes its n-th file.

    Python's own file operations are steps; those of tantivy are not.

    Returns:
        Whether it was killed; False where it had ended before.
    """
    process = _server().Process(target=_dying, args=(step, work, arguments))
    process.start()
    process.join()
    if process.exitcode not in (0, -signal.SIGKILL):
        raise RuntimeError(f"{work.__name__} failed at step {step}: {process.exitcode}")
    return process.exitcode != 0


def _lines(path: Path) -> int:
    return path.read_bytes().count(b"\n") if path.exists() else 0


@lru_cache(maxsize=1)
def _server() -> Any:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_LOADED_BEFORE)
    here = Path.cwd()
    os.chdir(Path(__file__).parent)  # it imports from where it starts: the installed docqa is meant
    try:
        forkserver.ensure_running()
    finally:
        os.chdir(here)
    return context


def _send(connection: Connection, work: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    try:
        sent: tuple[Any, str | None] = work(*arguments), None
    except BaseException:
        sent = None, traceback.format_exc()
    connection.send(sent)


def _dying(step: int, work: Callable[..., None], arguments: tuple[Any, ...]) -> None:
    left = step

    def hook(event: str, details: tuple[Any, ...]) -> None:
        nonlocal left
        if event in _STEPS or (event == "open" and _writes(*details)):
            left -= 1
            if left < 0:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)
    work(*arguments)


def _writes(path: object, mode: str | None, flags: int) -> bool:
    del path, mode
    return bool(flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))
