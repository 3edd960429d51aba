"""How long the first answer takes, from a process that holds nothing yet."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from docqa.errors import ModelError

if TYPE_CHECKING:
    from docqa.benchmark.contenders import Choice

__all__ = ["cold_seconds"]

_LONGEST = 600  # seconds


def cold_seconds(choice: Choice, path: Path, question: str) -> float:
    """Return the seconds of one ``docqa ask`` in a fresh process, from start to end.

    Args:
        choice: the reader; no shape, which the command does not know.
        path: the document.
        question: asked of it.

    Raises:
        ModelError: the command failed; the message holds what it said.
    """
    command = [sys.executable, "-m", "docqa", "ask", str(path), question, "--quiet"]
    command += ["--reader", choice.name, "--device", choice.device, "--runtime", choice.runtime]
    command += [] if choice.dtype is None else ["--dtype", choice.dtype]
    started = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_LONGEST)
    seconds = time.perf_counter() - started
    if done.returncode not in {0, 1}:  # answered, or nothing found
        said = done.stderr.strip() or f"exit code {done.returncode}"
        raise ModelError(f"a cold start with {choice} failed: {said}")
    return seconds
