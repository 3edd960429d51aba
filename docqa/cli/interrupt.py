"""Ctrl-C ends the process at once, but never in the middle of a line of output."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import NoReturn, TextIO

__all__ = [
    "INTERRUPTED",
    "OutputError",
    "before_leaving",
    "emit",
    "install_interrupt",
    "leave_at_once",
    "raising_interrupt",
    "request_to_stop",
    "tell",
]

INTERRUPTED = 130  # 128 + SIGINT, what shells report for a command that Ctrl-C ended
_CLEAR_BAR = b"\r\x1b[K\x1b[?25h"  # ECMA-48: to column 1, erase the line; DEC: show the cursor


class OutputError(BrokenPipeError):
    """A failed write to standard output, such as on a full disk; asking on is in vain."""


class _Output:
    """The state of Ctrl-C: whether the process is ours to end, whether a line is being written."""

    installed = False
    writing = False
    interrupted = False
    last_act: Callable[[], None] | None = None


def install_interrupt() -> None:
    """Let Ctrl-C end the process, without waiting for threads or for code that swallows it.

    Left alone where the parent chose to ignore the signal (``nohup``, a job in the background).
    """
    ours = threading.current_thread() is threading.main_thread()
    if ours and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _on_interrupt)
        _Output.installed = True


def leave_at_once() -> None:
    """End the process now where `install_interrupt` made it ours; else do nothing.

    An orderly shutdown with torch loaded takes a second or more.
    """
    if _Output.installed:
        _leave()


def before_leaving(act: Callable[[], None]) -> None:
    """Let Ctrl-C do `act` before the process ends; a second Ctrl-C does not wait for it.

    It runs in the main thread between any two of its steps, so it must take no lock that those
    may hold, such as PDFium's.
    """
    _Output.last_act = act


@contextmanager
def raising_interrupt() -> Iterator[None]:
    """Let Ctrl-C raise `KeyboardInterrupt` inside, where something is to be put in order first."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def request_to_stop(act: Callable[[], None]) -> Iterator[Callable[[], bool]]:
    """Let Ctrl-C ask a long run to end in good order.

    Yields a function that says whether it was pressed. From the first call of that function on, a
    first Ctrl-C does `act` and nothing else; a second one, and one before that call, ends the
    process as ever. `act` runs in the main thread between any two of its steps.
    """
    before = signal.getsignal(signal.SIGINT)
    ours = threading.current_thread() is threading.main_thread() and callable(before)
    waiting, asked = ours, False

    def on_interrupt(signum: int, frame: FrameType | None) -> None:
        nonlocal asked
        asked = True
        signal.signal(signal.SIGINT, before)
        act()

    def stop() -> bool:
        nonlocal waiting
        if waiting:
            waiting = False
            signal.signal(signal.SIGINT, on_interrupt)
        return asked

    try:
        yield stop
    finally:
        if ours:
            signal.signal(signal.SIGINT, before)


def tell(text: str) -> None:
    """Write a line to standard error in one write, as is safe while Ctrl-C is handled."""
    with suppress(OSError, ValueError):  # a stream without a file, or a closed one
        clear = "\r\x1b[K" if sys.stderr.isatty() else ""
        os.write(sys.stderr.fileno(), f"{clear}docqa: {text}\n".encode())


def emit(stream: TextIO, text: str) -> None:
    """Write `text` and flush; Ctrl-C waits for the end of the write, a second one does not.

    What standard error does not take is lost: results and exit code stay what they are.

    Raises:
        BrokenPipeError: the reader of the pipe has left.
        OutputError: standard output takes no more.
    """
    _Output.writing = True
    try:
        stream.write(text)
        stream.flush()
    except OSError as error:
        if stream is sys.stderr:
            _drop(stream)
        elif isinstance(error, BrokenPipeError):
            raise
        else:
            raise OutputError(error.errno, error.strerror) from error
    finally:
        _Output.writing = False
    if _Output.interrupted:
        _leave()


def _drop(stream: TextIO) -> None:
    """Point a stream at nothing, so that neither later writes nor the flush at exit fail."""
    with suppress(OSError, ValueError):
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, stream.fileno())
        os.close(null)
        stream.flush()


def _on_interrupt(signum: int, frame: FrameType | None) -> None:
    # Said before it is asked whether a line is being written: the thread that writes it asks in
    # the other order, so one of the two leaves.
    again, _Output.interrupted = _Output.interrupted, True
    if again or not _Output.writing:
        _leave()


def _leave() -> NoReturn:
    act, _Output.last_act = _Output.last_act, None
    try:
        if act is not None:
            with suppress(Exception):  # the process ends; no message is read
                act()
        if sys.stderr.isatty():
            os.write(sys.stderr.fileno(), _CLEAR_BAR + b"\n")
    finally:
        os._exit(INTERRUPTED)
