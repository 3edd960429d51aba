"""How much memory a step takes beyond what was in use before it."""

from __future__ import annotations

import ctypes
import gc
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Growth", "memory_growth"]

_STATUS, _CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")


@dataclass(slots=True)
class Growth:
    """Hold what a step took at most, once it has ended.

    Attributes:
        in_memory: bytes of resident memory above those before; None where the system does not
            tell (it takes Linux's high-water mark, which can be set back).
        on_gpu: bytes that torch had allocated on the CUDA device at most, weights included; None
            without one.
        peak: bytes of resident memory at most, in all.
    """

    in_memory: int | None = None
    on_gpu: int | None = None
    peak: int | None = None


@contextmanager
def memory_growth(*, gpu: str | None = None, trim: bool = True) -> Iterator[Growth]:
    """Watch what the body takes; the result is filled in at its end.

    Args:
        gpu: the CUDA device to watch as well, such as ``"cuda:0"``.
        trim: first give back to the system what the process holds unused, so that the body's use
            of it counts. The body is slower by the faults of the pages that it touches anew.
    """
    growth = Growth()
    if trim:
        _give_back()
    before = _set_back()
    if gpu is not None:
        import torch

        torch.cuda.reset_peak_memory_stats(gpu)
    yield growth
    if before is not None:
        growth.peak = _read("VmHWM")
        growth.in_memory = None if growth.peak is None else max(growth.peak - before, 0)
    if gpu is not None:
        growth.on_gpu = int(torch.cuda.max_memory_allocated(gpu))


def _give_back() -> None:
    """Let glibc return free memory (malloc_trim(3)); other systems keep it."""
    gc.collect()
    with suppress(AttributeError, OSError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)


def _set_back() -> int | None:
    """Set the high-water mark back to what is in use, and return that.

    See proc(5): 5 written to ``clear_refs`` resets the peak resident set size.
    """
    try:
        _CLEAR.write_text("5")
    except OSError:
        return None
    return _read("VmRSS")


def _read(name: str) -> int | None:
    """Return a line of ``/proc/self/status`` in bytes."""
    try:
        found = re.search(rf"^{name}:\s+(\d+) kB$", _STATUS.read_text("ascii"), re.MULTILINE)
    except OSError:
        return None
    return None if found is None else int(found[1]) * 1024
