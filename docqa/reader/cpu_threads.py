"""How many threads a matrix product should use here, containers included."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["cpu_threads"]

_TOPOLOGY = Path("/sys/devices/system/cpu")
_QUOTA = Path("/sys/fs/cgroup/cpu.max")


def cpu_threads() -> int:
    """Return ``OMP_NUM_THREADS``, else the physical cores that this process may use.

    Two hardware threads of a core share its multipliers, so the second one adds nothing. A
    container's quota counts as so many whole cores, rounded up.
    """
    told = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0].strip()
    if told.isdecimal() and int(told) > 0:
        return int(told)
    return max(1, min(_cores(), _quota()))


def _cores() -> int:
    """Return the physical cores of this process's affinity; logical ones where none can tell."""
    if not hasattr(os, "sched_getaffinity"):
        return os.cpu_count() or 1
    allowed = os.sched_getaffinity(0)
    try:
        siblings = {
            (_TOPOLOGY / f"cpu{number}/topology/thread_siblings_list").read_text()
            for number in allowed
        }
    except OSError:
        return len(allowed)
    return len(siblings)


def _quota() -> int:
    """Return the cores of the control group's quota; very many where there is none.

    The file holds ``max 100000`` or ``200000 100000``: microseconds in each period
    (https://docs.kernel.org/admin-guide/cgroup-v2.html).
    """
    try:
        quota, period = _QUOTA.read_text().split()
        return -(-int(quota) // int(period))
    except (OSError, ValueError):
        return 1 << 16
