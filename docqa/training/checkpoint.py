"""Checkpoints of a run: all that a resumed run needs, in one file that is replaced as a whole."""

from __future__ import annotations

import os
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import torch

from docqa.errors import TrainingError

__all__ = [
    "STATE_FILE",
    "TrainingState",
    "device_random",
    "read_beginning",
    "read_state",
    "set_device_random",
    "write_state",
]

STATE_FILE = "state.pt"


@dataclass(frozen=True, slots=True)
class TrainingState:
    """State of a run between two steps.

    Attributes:
        fingerprint: of the settings and the data; only the same run may go on.
        dtype: number format of the run.
        step: steps taken.
        best: figures of the best version so far, ``{}`` before the first evaluation.
        weights, optimizer: state dictionaries, in float32 whatever the run computes in.
        random, device_random: states of torch's generators, which dropout draws from: the CPU's,
            and that of the device where it is another one.
    """

    fingerprint: str
    dtype: str
    step: int
    best: dict[str, float]
    weights: dict[str, torch.Tensor]
    optimizer: dict[str, Any]
    random: torch.Tensor
    device_random: torch.Tensor | None


def device_random(device: torch.device) -> torch.Tensor | None:
    """Return the state of a device's own generator; None on the CPU, which has torch's."""
    if device.type == "cuda":
        return torch.cuda.get_rng_state(device)
    return torch.mps.get_rng_state() if device.type == "mps" else None


def set_device_random(device: torch.device, state: torch.Tensor | None) -> None:
    """Set the state that `device_random` returned; that of another kind of device is ignored."""
    if state is None:
        return
    if device.type == "cuda":
        torch.cuda.set_rng_state(state, device)
    elif device.type == "mps":
        torch.mps.set_rng_state(state)


def write_state(folder: Path, state: TrainingState) -> None:
    """Write a checkpoint; a kill at any moment leaves the old one or the new one whole."""
    folder.mkdir(parents=True, exist_ok=True)
    new = folder / f"{STATE_FILE}.new"
    with new.open("wb") as file:
        torch.save({field.name: getattr(state, field.name) for field in fields(state)}, file)
        file.flush()
        os.fsync(file.fileno())
    new.replace(folder / STATE_FILE)


def read_state(folder: Path) -> TrainingState | None:
    """Return the checkpoint of a run's folder; None where there is none.

    Raises:
        TrainingError: the file is damaged.
    """
    return _read(folder, mapped=False)


def read_beginning(folder: Path) -> tuple[str, int] | None:
    """Return the number format and the steps of a folder's checkpoint, without its weights.

    Raises:
        TrainingError: the file is damaged.
    """
    state = _read(folder, mapped=True)
    return (state.dtype, state.step) if state else None


def _read(folder: Path, *, mapped: bool) -> TrainingState | None:
    path = folder / STATE_FILE
    if not path.is_file():
        return None
    try:
        kept = torch.load(path, map_location="cpu", weights_only=True, mmap=mapped)
        return TrainingState(**kept)
    except Exception as error:  # torch and pickle raise many kinds; all mean the same here
        reason = str(error).strip().partition("\n")[0] or type(error).__name__
        raise TrainingError(
            f"{path} cannot be read ({reason}); remove it to start afresh"
        ) from error
