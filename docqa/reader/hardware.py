"""The GPU and the cores of this machine, found out without importing torch."""

from __future__ import annotations

import os
import platform
import sys
from pathlib import Path

__all__ = ["cpu_bfloat16_unit", "cpu_threads", "has_nvidia_driver", "may_have_accelerator"]

# What the drivers put there: NVIDIA's, its bridge in WSL 2, AMD's.
_NVIDIA_DEVICES, _AMD_DEVICE = ("/dev/nvidiactl", "/dev/dxg"), "/dev/kfd"
_TOPOLOGY = Path("/sys/devices/system/cpu")
_QUOTA = Path("/sys/fs/cgroup/cpu.max")
_CPU_INFO = Path("/proc/cpuinfo")
# Flags of the Linux kernel, the faster unit first.
_BFLOAT16_UNITS = {"amx_bf16": "AMX", "avx512_bf16": "AVX-512 BF16"}


def may_have_accelerator() -> bool:
    """Say whether a GPU may be there; only torch can tell whether it can use it.

    False where there is surely none, so that a CPU need not wait for torch's import to learn that.
    """
    if sys.platform == "darwin":
        return platform.machine() == "arm64"
    if sys.platform == "win32":
        return has_nvidia_driver()
    return has_nvidia_driver() or Path(_AMD_DEVICE).exists()


def has_nvidia_driver() -> bool:
    """Say whether NVIDIA's driver is there, and its devices are not hidden from this process."""
    if os.environ.get("CUDA_VISIBLE_DEVICES") in {"", "-1"}:
        return False
    if sys.platform == "win32":
        return (Path(os.environ.get("SYSTEMROOT", r"C:\Windows")) / "System32/nvcuda.dll").exists()
    return any(Path(device).exists() for device in _NVIDIA_DEVICES)


def cpu_bfloat16_unit() -> str | None:
    """Return the name of the processor's unit that multiplies bfloat16: "AMX", "AVX-512 BF16".

    None where there is none, and where the system does not say: only Linux does.
    """
    try:
        lines = _CPU_INFO.read_text("utf-8", "replace").splitlines()
    except OSError:
        return None
    flags = next((line.split() for line in lines if line.startswith("flags")), [])
    return next((unit for flag, unit in _BFLOAT16_UNITS.items() if flag in flags), None)


def cpu_threads() -> int:
    """Return ``OMP_NUM_THREADS``, else the physical cores that this process may use.

    Two hardware threads of a core share its multipliers, so the second one adds nothing. A
    container's quota counts in whole cores, rounded up.
    """
    wanted = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0].strip()
    if wanted.isdecimal() and int(wanted) > 0:
        return int(wanted)
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
    """Return the cores of the control group's quota; 65,536 where there is none.

    The file holds ``max 100000`` or ``200000 100000``: microseconds in each period
    (https://docs.kernel.org/admin-guide/cgroup-v2.html).
    """
    try:
        quota, period = _QUOTA.read_text().split()
        return -(-int(quota) // int(period))
    except (OSError, ValueError):
        return 1 << 16
