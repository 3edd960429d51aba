"""The settings that a batch's answers depend on, as a record."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from docqa._version import __version__
from docqa.asking.reading_settings import ReadingSettings
from docqa.calibration import CALIBRATION_FILE
from docqa.errors import ModelNotFoundError
from docqa.load_settings import LoadSettings

__all__ = ["differences", "settings_record"]

_DIGITS = 16  # hexadecimal ones of a file's SHA-256; a calibration is not forged


def settings_record(reading: ReadingSettings, loading: LoadSettings) -> dict[str, Any]:
    """Return the settings of a batch as plain values; the same values, the same answers.

    The runtime and number format are those asked for: ``"auto"`` may become another one on
    another machine, as the answers' own ``reader.runtime`` says.

    Raises:
        ModelError: there is no such reader.
    """
    from docqa.asking.settings import DEFAULT_MIN_SCORE, DEFAULT_TOP_PASSAGES
    from docqa.reader.checkpoints import find_checkpoint

    checkpoint = find_checkpoint(reading.reader)
    beside = checkpoint.folder / CALIBRATION_FILE
    calibration = beside if reading.calibration is None else Path(reading.calibration).expanduser()
    passages = reading.top_passages
    return {
        "docqa": __version__,
        "reader": {
            "name": reading.reader,
            "revision": checkpoint.revision,
            "calibration": _fingerprint(calibration, required=reading.calibration is not None),
            "runtime": reading.runtime,
            "dtype": reading.dtype,
        },
        "read": {
            "top_k": reading.top_k,
            "min_score": DEFAULT_MIN_SCORE if reading.min_score is None else reading.min_score,
            "top_passages": None
            if reading.exhaustive
            else DEFAULT_TOP_PASSAGES
            if passages is None
            else passages,
            "content": reading.content,
        },
        "load": loading.to_dict(),
    }


def _fingerprint(path: Path, *, required: bool) -> str | None:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()[:_DIGITS]
    except OSError as error:
        if required:
            raise ModelNotFoundError(f"there is no calibration {path}") from error
        return None


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """Return the differences of two records of settings, in words.

    >>> differences({"read": {"top_k": 1, "content": "all"}}, {"read": {"top_k": 3}})
    ['read.top_k was 1, now 3', 'read.content was "all", now null']
    """
    before, after = dict(_leaves(old)), dict(_leaves(new))
    return [
        f"{name} was {json.dumps(before.get(name))}, now {json.dumps(after.get(name))}"
        for name in before | after
        if before.get(name) != after.get(name)
    ]


def _leaves(record: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in record.items():
        if isinstance(value, dict):
            yield from _leaves(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value
