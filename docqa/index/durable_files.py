"""Write files that are whole or absent, also after a kill or a loss of power."""

from __future__ import annotations

import contextlib
import os
import uuid
from pathlib import Path

__all__ = ["is_part", "sync_folder", "write_durably"]

_PART = ".", ".part"


def write_durably(path: Path, data: bytes) -> None:
    """Write a file in the place of an older one: others see the old content or the new.

    The content is on the disk before the name is, and the name before this returns.

    Raises:
        OSError: it cannot be written; the older file stays.
    """
    if not path.parent.is_dir():
        path.parent.mkdir(parents=True, exist_ok=True)
        sync_folder(path.parent.parent)
    part = path.with_name(f"{_PART[0]}{uuid.uuid4().hex}{_PART[1]}")
    try:
        with part.open("xb") as file:  # for whom the umask lets; mkstemp is for its user alone
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            part.unlink()
        raise
    sync_folder(path.parent)


def is_part(name: str) -> bool:
    """Return whether a file's name is that of an unfinished one, left by a killed process.

    >>> is_part(".abcd.part"), is_part("current")
    (True, False)
    """
    return name.startswith(_PART[0]) and name.endswith(_PART[1])


def sync_folder(folder: Path) -> None:
    """Write the names in a folder to the disk, where the operating system can."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
