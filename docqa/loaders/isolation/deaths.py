"""How workers end, and the errors that report it to the caller."""

from __future__ import annotations

import re
import signal
from contextlib import suppress
from typing import Literal

from docqa.errors import (
    IsolationError,
    LoaderCrashedError,
    LoadMemoryError,
    LoadTimeoutError,
)
from docqa.limits import Limits
from docqa.loaders.isolation.process_limits import GROWN, MEMORY_EXIT

__all__ = ["Cause", "WorkerDeathError", "cause_of", "death_of", "error_of", "what_it_did"]

Cause = Literal["crashed", "timeout", "memory", "start"]

# What native code dies of when an allocation fails: abort() or a trap; on Windows the code with
# which PDFium and other parts of Chromium report it.
_ABORTS = {-getattr(signal, name, 0) for name in ("SIGABRT", "SIGTRAP", "SIGILL", "SIGSEGV")}
_WINDOWS_OUT_OF_MEMORY = 0xE0000008
_PROCESSOR_TIME = "processor time"


class WorkerDeathError(Exception):
    """The end of a worker during a request, and its cause.

    Attributes:
        cause: ``"crashed"``, ``"timeout"``, ``"memory"``, or ``"start"`` where it never started.
        detail: a few words, such as the signal's name.
        index: the page that was being read, from 0, or None where none was.
        stderr: the last lines that it wrote.
    """

    def __init__(
        self, cause: Cause, detail: str, *, index: int | None = None, stderr: str = ""
    ) -> None:
        super().__init__(f"{cause}: {detail}")
        self.cause: Cause = cause
        self.detail, self.index, self.stderr = detail, index, stderr


def cause_of(code: int, stderr: str) -> tuple[Cause, str]:
    """Return why a process ended by itself, from its exit code and its standard error.

    >>> cause_of(3, "")
    ('crashed', 'exit code 3')
    >>> cause_of(77, "docqa: memory in use grew by MiB: 900")
    ('memory', 'it took 900 MiB')
    """
    if code == -getattr(signal, "SIGXCPU", 0):
        return "timeout", _PROCESSOR_TIME
    if code == -getattr(signal, "SIGKILL", 0):
        return "memory", "ended by the system"  # Linux does so when all memory is taken
    grew = re.findall(rf"{re.escape(GROWN)} (\d+)", stderr)
    if code in (MEMORY_EXIT, _WINDOWS_OUT_OF_MEMORY) or (code in _ABORTS and grew):
        return "memory", f"it took {int(grew[-1]):,} MiB" if grew else "an allocation failed"
    with suppress(ValueError):
        if code < 0:
            return "crashed", signal.Signals(-code).name
    return "crashed", f"exit code {code}"


def death_of(error: IsolationError, index: int | None) -> WorkerDeathError:
    """Return the death that an error amounts to which the worker lived to tell."""
    cause: Cause = "memory" if isinstance(error, LoadMemoryError) else "crashed"
    return WorkerDeathError(cause, str(error), index=index, stderr=error.stderr)


def what_it_did(death: WorkerDeathError, limits: Limits) -> str:
    """Return the effect of a file or page on a worker, as the end of a sentence."""
    if death.cause == "timeout" and death.detail == _PROCESSOR_TIME:
        return f"takes over {limits.cpu_seconds:g} s of processor time"
    if death.cause == "timeout":
        return f"takes over {death.detail}"
    if death.cause == "memory":
        most = limits.memory_bytes
        limit = "" if most is None else f"; the limit is {most >> 20:,} MiB"
        return f"takes too much memory ({death.detail}{limit})"
    return f"crashes what reads it ({death.detail})"


def error_of(
    death: WorkerDeathError, source: str, limits: Limits, *, note: str = ""
) -> IsolationError:
    """Return the error to raise in the caller's process.

    Args:
        death: what happened.
        source: what the caller calls the file.
        limits: those that held.
        note: more to say in brackets.
    """
    if death.cause == "start":
        message = (
            f"{source}: the process that loads files does not start ({death.detail}); load with "
            "isolate=False (--no-isolate) if you trust the file"
        )
        return LoaderCrashedError(message, source=source, stderr=death.stderr)
    kind, advice = {
        "timeout": (LoadTimeoutError, "give more with --time-limit if you trust the file"),
        "memory": (LoadMemoryError, "give more with --memory-limit if you trust the file"),
        "crashed": (LoaderCrashedError, "it is broken or made to do harm: get it again"),
    }[death.cause]
    number = None if death.index is None else death.index + 1
    place = "" if number is None else f"page {number} "
    if death.cause == "timeout" and death.detail != _PROCESSOR_TIME:  # a limit of the whole file
        note, place = note or (f"it ended at page {number}" if number else ""), ""
    did = f"{what_it_did(death, limits)}{f' ({note})' if note else ''}"
    message = f"{source}: {place}{did}; {advice}"
    return kind(message, source=source, page_number=number, stderr=death.stderr)
