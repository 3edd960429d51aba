"""Pipes, sockets and devices: what a folder may hold that is no file to load."""

from __future__ import annotations

import os
import stat

__all__ = ["SPECIAL", "is_special"]

SPECIAL = "pipes and devices"
"""What they are counted as among the files of a folder that are passed over."""


def is_special(path: str) -> bool:
    """Say whether a path, or what it links to, is a pipe, socket or device.

    To open a pipe waits for somebody who writes into it, perhaps for ever. What cannot be looked
    at is not special: loading says why.
    """
    try:
        mode = os.stat(path).st_mode  # noqa: PTH116 - a path as it came
    except (OSError, ValueError):
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))
