"""Whether torch may find something faster than the CPU, told without importing torch."""

from __future__ import annotations

import os
import platform
import sys
from pathlib import Path

__all__ = ["may_have_accelerator"]

# What the drivers put there: NVIDIA's, its bridge in WSL 2, AMD's.
_LINUX_DEVICES = "/dev/nvidiactl", "/dev/dxg", "/dev/kfd"


def may_have_accelerator() -> bool:
    """Say whether a GPU may be there; only torch can tell whether it can use it.

    False where there is surely none, so that a CPU need not wait for torch's import to learn that.
    """
    if sys.platform == "darwin":
        return platform.machine() == "arm64"
    if os.environ.get("CUDA_VISIBLE_DEVICES") in {"", "-1"}:
        return Path("/dev/kfd").exists()
    if sys.platform == "win32":
        return (Path(os.environ.get("SYSTEMROOT", r"C:\Windows")) / "System32/nvcuda.dll").exists()
    return any(Path(device).exists() for device in _LINUX_DEVICES)
