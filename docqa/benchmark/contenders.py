"""The readers of a run: by name or path, or by a shape's name, on a runtime."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from docqa.benchmark.memory import Growth, memory_growth
from docqa.benchmark.shapes import SHAPES, load_shape
from docqa.errors import SettingError

if TYPE_CHECKING:
    from docqa.reader.checkpoints import Checkpoint
    from docqa.reader.span_reader import SpanReader

__all__ = ["Choice", "Contender", "open_contender"]

_FLOAT32 = 4  # bytes


@dataclass(frozen=True, slots=True)
class Choice:
    """Hold which reader is wanted; None leaves the choice to `docqa.load_reader`."""

    name: str
    runtime: str | None = None
    dtype: str | None = None
    device: str = "auto"

    def __str__(self) -> str:
        """Return the name with what was chosen beside it."""
        chosen = [part for part in (self.runtime, self.dtype) if part is not None]
        return f"{self.name} ({', '.join(chosen)})" if chosen else self.name


@dataclass(frozen=True, slots=True)
class Contender:
    """Hold a reader that is ready, and what is known of it; see `ReadingSpeed`.

    Attributes:
        config: its checkpoint's ``config.json``.
        gpu: the CUDA device that it runs on, or None.
    """

    choice: Choice
    reader: SpanReader
    config: dict[str, Any]
    parameters: int | None
    disk: int | None
    load_seconds: float
    load_growth: Growth

    @property
    def random_weights(self) -> bool:
        """Say whether the reader is a shape."""
        return self.choice.name in SHAPES

    @property
    def runtime(self) -> str:
        """Return which runtime reads."""
        module = type(self.reader.model).__module__
        return "torch" if module.endswith("torch_model") else "onnx"

    @property
    def dtype(self) -> str:
        """Return the number format that is computed in."""
        return str(getattr(self.reader.model, "dtype", "float32")).removeprefix("torch.")

    @property
    def device(self) -> str:
        """Return the device that is computed on."""
        return str(getattr(self.reader.model, "device", "cpu"))

    @property
    def gpu(self) -> str | None:
        """Return the CUDA device that is computed on, or None."""
        return self.device if self.device.startswith("cuda") else None


def open_contender(choice: Choice) -> Contender:
    """Load a reader.

    Raises:
        ModelError: it cannot be loaded.
        MissingDependencyError: its runtime is not installed.
        SettingError: there is no such device, dtype or runtime.
    """
    with memory_growth() as growth:
        started = time.perf_counter()
        reader = _load(choice)
        seconds = time.perf_counter() - started
    if choice.name in SHAPES:
        n_parameters = sum(each.numel() for each in _module(reader).parameters())
        config, disk = SHAPES[choice.name].config, n_parameters * _FLOAT32
        return Contender(choice, reader, config, n_parameters, disk, seconds, growth)
    from docqa.reader.checkpoints import find_checkpoint

    found = find_checkpoint(choice.name)
    files = list(_weights(found))
    n_parameters = sum(map(_count, files))
    disk = sum(path.stat().st_size for path in files)
    return Contender(choice, reader, found.config, n_parameters, disk, seconds, growth)


def _load(choice: Choice) -> SpanReader:
    from docqa.reader.models import load_reader

    if choice.name not in SHAPES:
        runtime: dict[str, Any] = {} if choice.runtime is None else {"runtime": choice.runtime}
        return load_reader(choice.name, device=choice.device, dtype=choice.dtype, **runtime)
    if choice.runtime not in {None, "torch"}:
        raise SettingError(
            f"{choice.name!r} is a shape with random weights, which runs on torch alone, not on "
            f"{choice.runtime!r}"
        )
    return load_shape(choice.name, device=choice.device, dtype=choice.dtype)


def _module(reader: SpanReader) -> Any:
    return reader.model.module  # type: ignore[attr-defined]


def _weights(checkpoint: Checkpoint) -> Iterator[Path]:
    if checkpoint.weights.is_file():
        yield checkpoint.weights
    else:
        yield from sorted(checkpoint.folder.glob("model-*-of-*.safetensors"))


def _count(weights: Path) -> int:
    """Return how many parameters a safetensors file holds; scales of 8-bit rows are none."""
    from math import prod

    from safetensors import safe_open

    with safe_open(weights, framework="numpy") as file:
        names = set(file.keys())
        return sum(
            prod(file.get_slice(name).get_shape())
            for name in names
            if name.removesuffix(".scale") not in names - {name}
        )
