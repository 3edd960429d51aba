"""Limits that a worker sets on itself; where a platform lacks one, it is passed over.

========================  =======  =======  =========
limit                     Linux    macOS    Windows
========================  =======  =======  =========
address space (kernel)    yes      no       no
memory watched by thread  yes      yes      yes
processor time (kernel)   yes      yes      no
no core files             yes      yes      no
========================  =======  =======  =========

The clock is watched by the parent, on every platform.
"""

from __future__ import annotations

import math
import os
import sys
import threading
import time
from contextlib import suppress
from typing import Any, NoReturn

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]

__all__ = ["MEMORY_EXIT", "MemoryWatch", "forbid_core_files", "memory_in_use", "renew_cpu_limit"]

MEMORY_EXIT = 77
"""Exit code of a worker that the watch ended."""

GROWN = "docqa: memory in use grew by MiB:"
"""What the watch writes to standard error in front of a number, for whoever reads the remains."""

_INTERVAL = 0.05  # seconds; memory is filled at some 2 GB a second at most


def _open_statm() -> int | None:
    """Open Linux's file of this process's sizes, in pages; the first is the address space."""
    with suppress(OSError, AttributeError):
        return os.open("/proc/self/statm", os.O_RDONLY | os.O_CLOEXEC)
    return None


_statm = _open_statm()


def forbid_core_files() -> None:
    """Leave no memory image behind when the process is killed."""
    if resource is not None:
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def renew_cpu_limit(seconds: float | None) -> None:
    """Let the process use `seconds` of processor time from now on; None for any number."""
    if resource is None:
        return
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    soft = resource.RLIM_INFINITY
    if seconds is not None:
        soft = math.ceil(time.process_time() + seconds)
        soft = soft if hard == resource.RLIM_INFINITY else min(soft, hard)
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_CPU, (soft, hard))


def limit_address_space(more: int | None) -> None:
    """Let the process map `more` bytes than it does now; None for any number. Linux only."""
    if resource is None or _statm is None:
        return
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    soft = resource.RLIM_INFINITY
    if more is not None:
        soft = memory_in_use() + more
        soft = soft if hard == resource.RLIM_INFINITY else min(soft, hard)
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def memory_in_use() -> int:
    """Return the bytes of address space mapped; where that is unknown, of memory at its peak."""
    if _statm is not None:
        return int(os.pread(_statm, 32, 0).split()[0]) * os.sysconf("SC_PAGESIZE")
    if resource is not None:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else peak * 1024
    return _windows_memory()


def _windows_memory() -> int:
    """Return the bytes committed to this process (PROCESS_MEMORY_COUNTERS, PagefileUsage)."""
    import ctypes

    windll: Any = getattr(ctypes, "windll", None)
    if windll is None:
        return 0
    sizes = (ctypes.c_size_t * 8)()  # after two 4-byte integers: the last but one is the usage
    counters = (ctypes.c_byte * (8 + ctypes.sizeof(sizes)))()
    counters[0] = len(counters)
    handle = ctypes.c_void_p(windll.kernel32.GetCurrentProcess())
    if not windll.psapi.GetProcessMemoryInfo(handle, ctypes.byref(counters), len(counters)):
        return 0
    ctypes.memmove(sizes, ctypes.byref(counters, 8), ctypes.sizeof(sizes))
    return int(sizes[6])


class MemoryWatch(threading.Thread):
    """A watch that ends the process when it takes too much memory, and notes its growth.

    The kernel's limit makes an allocation fail, at which native code aborts without a word; the
    notes tell that death from others. Where the kernel has no such limit, the watch is the limit.
    It sees what grows over a twentieth of a second, while native code lets other threads run.
    """

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self._active = threading.Event()
        self._start, self._limit, self._noted = 0, 0, 0

    def begin(self, limit: int | None) -> None:
        """Watch from now on; `limit` bytes above the memory in use now end the process."""
        if limit is None:
            return
        self._start, self._limit, self._noted = memory_in_use(), limit, limit // 4
        self._active.set()

    def end(self) -> None:
        """Watch no longer."""
        self._active.clear()

    def run(self) -> None:
        """Look at the memory twenty times a second while active."""
        while True:
            self._active.wait()
            grown = memory_in_use() - self._start
            if grown > self._limit:
                _die(grown)
            if grown > self._noted:
                self._noted = grown + self._limit // 16
                _note(grown)
            time.sleep(_INTERVAL)


def _note(grown: int) -> None:
    with suppress(OSError):
        os.write(2, f"{GROWN} {grown >> 20}\n".encode())


def _die(grown: int) -> NoReturn:
    _note(grown)
    os._exit(MEMORY_EXIT)
