"""How long the first answer takes, from a process that holds nothing yet."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from docqa.errors import ModelError
from docqa.limits import Limits
from docqa.load_settings import LoadSettings

if TYPE_CHECKING:
    from docqa.benchmark.contenders import Choice

__all__ = ["cold_seconds"]

_LONGEST = 600  # seconds


def cold_seconds(
    choice: Choice, path: Path, question: str, loading: LoadSettings | None = None
) -> float:
    """Return the seconds of one ``docqa ask`` in a fresh process, from start to end.

    Args:
        choice: the reader; no shape, which the command does not know.
        path: the document.
        question: asked of it.
        loading: how the document is loaded; None as the command does by itself.

    Raises:
        ModelError: the command failed, or took ten minutes; the message holds what it said.
    """
    given = LoadSettings(isolate=True) if loading is None else loading
    command = [sys.executable, "-m", "docqa", "ask", str(path), question, "--quiet"]
    command += ["--reader", choice.name, "--device", choice.device, "--runtime", choice.runtime]
    command += [] if choice.dtype is None else ["--dtype", choice.dtype]
    command += _options(given)
    # Other users see a command's words in the list of processes, so the password is none of them.
    secret = {} if given.password is None else {"DOCQA_PASSWORD": given.password}
    started = time.perf_counter()
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            check=False,
            timeout=_LONGEST,
            env={**os.environ, **secret},
        )
    except subprocess.TimeoutExpired as error:
        raise ModelError(
            f"a cold start with {choice} took more than {_LONGEST} seconds; leave out --cold"
        ) from error
    seconds = time.perf_counter() - started
    if done.returncode not in {0, 1}:  # answered, or nothing found
        said = done.stderr.strip() or f"exit code {done.returncode}"
        raise ModelError(f"a cold start with {choice} failed: {said}")
    return seconds


def _options(loading: LoadSettings) -> list[str]:
    """Return the options of ``docqa ask`` that load a document in the same way."""
    options = ["--isolate" if loading.isolate else "--no-isolate"]
    options += [] if loading.encoding is None else ["--encoding", loading.encoding]
    options += [] if loading.media_type is None else ["--media-type", loading.media_type]
    options += ["--ocr", "--ocr-language", loading.ocr_language] if loading.ocr else []
    limits, usual = loading.limits, Limits()
    if limits is None:
        return options
    if limits.wall_seconds not in {usual.wall_seconds, None}:
        options += ["--time-limit", str(limits.wall_seconds)]
    if limits.memory_bytes not in {usual.memory_bytes, None}:
        options += ["--memory-limit", str((limits.memory_bytes or 0) >> 20)]
    return options
