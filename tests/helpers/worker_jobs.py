"""Work for pools, in a module that worker processes can import."""

from __future__ import annotations

import os
import time
from pathlib import Path


class Squares:
    """Work that squares numbers, and counts its copies in a folder."""

    def __init__(self, folder: Path, seconds: float = 0.0) -> None:
        self.folder, self.seconds, self.is_open = folder, seconds, False

    def __call__(self, number: int) -> int:
        if not self.is_open:
            (self.folder / f"worker-{os.getpid()}").touch()
            self.is_open = True
        time.sleep(self.seconds)
        with (self.folder / "done").open("a") as file:
            file.write(f"{number}\n")
        return number * number


class Meeting:
    """Work that waits until `workers` have begun, then squares numbers."""

    def __init__(self, folder: Path, workers: int) -> None:
        self.folder, self.workers = folder, workers

    def __call__(self, number: int) -> int:
        (self.folder / f"worker-{os.getpid()}").touch()
        until = time.monotonic() + 60
        while len(list(self.folder.glob("worker-*"))) < self.workers and time.monotonic() < until:
            time.sleep(0.02)
        return number * number


def die_at_3(number: int) -> int:
    """Square a number, unless it is 3, which ends the process."""
    if number == 3:
        os._exit(1)
    return number * number


def fail_at_3(number: int) -> int:
    """Square a number, unless it is 3, which is refused."""
    if number == 3:
        raise ValueError("3 is refused")
    return number * number


def wait_at_0(number: int) -> int:
    """Square a number; 0 takes a second."""
    time.sleep(1.0 if number == 0 else 0.0)
    return number * number


def pid_of(data: bytes) -> int:
    """Return the number of the process."""
    return os.getpid()


def sleep_on(data: bytes) -> int:
    """Take a long time."""
    time.sleep(30)
    return 0
