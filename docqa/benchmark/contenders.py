"""The readers of a run: by name or path, or by a shape's name, on a runtime."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

from docqa.benchmark.memory import Growth, memory_growth
from docqa.benchmark.shapes import SHAPES, load_shape
from docqa.errors import SettingError

if TYPE_CHECKING:
    from docqa.reader.checkpoints import Checkpoint
    from docqa.reader.runtimes import LoadedModel
    from docqa.reader.span_reader import SpanReader

__all__ = ["Choice", "Contender", "open_contender"]

_FLOAT32 = 4  # bytes


@dataclass(frozen=True, slots=True)
class Choice:
    """Hold which reader is wanted, as `docqa.load_reader` is told; or the name of a shape."""

    name: str
    runtime: Literal["auto", "onnx", "torch"] = "auto"
    dtype: str | None = None
    device: str = "auto"

    def __str__(self) -> str:
        """Return the name with what was chosen beside it."""
        chosen = [part for part in (self.runtime, self.dtype) if part not in {"auto", None}]
        return f"{self.name} ({', '.join(map(str, chosen))})" if chosen else self.name


@dataclass(frozen=True, slots=True)
class Contender:
    """Hold a reader that is ready, and what is known of it; see `ReadingSpeed`.

    Attributes:
        config: its checkpoint's ``config.json``.
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
        return self._model.runtime

    @property
    def dtype(self) -> str:
        """Return the number format that is computed in."""
        return self._model.number_format

    @property
    def device(self) -> str:
        """Return the device that is computed on, such as ``"cuda:1"``."""
        return str(getattr(self._model, "device", self._model.device_type))

    @property
    def _model(self) -> LoadedModel:
        return cast("LoadedModel", self.reader.model)

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
        return load_reader(
            choice.name, runtime=choice.runtime, device=choice.device, dtype=choice.dtype
        )
    if choice.runtime == "onnx":
        raise SettingError(
            f"{choice.name!r} is a shape with random weights, which runs on torch alone; leave its "
            "runtime to 'auto'"
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
