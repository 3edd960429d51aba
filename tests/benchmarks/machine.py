"""What the figures were measured on."""

from __future__ import annotations

import os
import platform
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

__all__ = ["Machine", "describe_machine"]

_PACKAGES = ("torch", "transformers", "tokenizers", "onnxruntime", "numpy", "pypdfium2")


@dataclass(frozen=True, slots=True)
class Machine:
    """The things that a figure depends on beside the code.

    Attributes:
        processor: the CPU's name.
        cores: how many of them this process may use.
        threads: how many of them torch computes with.
        load: programs that wanted to run in the minute before (``os.getloadavg``); None where the
            system does not tell. Above about 0.5, other programs ran beside the measurement.
        devices: the accelerators' names.
        system: operating system and its version.
        versions: of Python, of docqa and of the libraries that figures depend on.
    """

    processor: str
    cores: int
    threads: int
    load: float | None
    devices: tuple[str, ...]
    system: str
    versions: dict[str, str]


def describe_machine() -> Machine:
    """Return what this process runs on; loads torch."""
    import torch

    from docqa._version import __version__

    n_devices = torch.cuda.device_count()
    return Machine(
        processor=_processor(),
        cores=_cores(),
        threads=torch.get_num_threads(),
        load=_load(),
        devices=tuple(torch.cuda.get_device_name(number) for number in range(n_devices)),
        system=platform.platform(terse=True),
        versions={"docqa": __version__, "python": platform.python_version(), **_versions()},
    )


def _versions() -> dict[str, str]:
    found = {}
    for name in _PACKAGES:
        with suppress(metadata.PackageNotFoundError):
            found[name] = metadata.version(name)
    return found


def _processor() -> str:
    """Return the CPU's name; `platform.processor` is empty or says little on most systems."""
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text("utf-8", "replace").splitlines():
            name, _, value = line.partition(":")
            if name.strip() in {"model name", "Hardware", "cpu model"} and value.strip():
                return value.strip()
    with suppress(OSError, subprocess.SubprocessError):
        command = ["/usr/sbin/sysctl", "-n", "machdep.cpu.brand_string"]
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=5)
        return done.stdout.strip()
    return platform.processor() or platform.machine()


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _load() -> float | None:
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else None
