"""What a benchmark measured."""

from __future__ import annotations

import statistics
from dataclasses import asdict, dataclass, field
from typing import Any

from docqa.benchmark.machine import Machine

__all__ = ["Benchmark", "ReadingSpeed", "StageSpeed", "Work"]


@dataclass(frozen=True, slots=True)
class StageSpeed:
    """Hold what one stage took.

    Attributes:
        name: ``"load"``, ``"split"``, ``"index"`` or ``"rank"``.
        seconds: of each round.
        amounts: what a round works through, such as ``{"pages": 100}``.
        memory: bytes of memory it took at most beyond what was in use; None where the system
            does not tell.
    """

    name: str
    seconds: tuple[float, ...]
    amounts: dict[str, int]
    memory: int | None

    @property
    def median_seconds(self) -> float:
        """Return the median over the rounds."""
        return statistics.median(self.seconds)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, with what it works through a second."""
        seconds = self.median_seconds
        rates = {f"{name}_per_second": n / seconds for name, n in self.amounts.items()}
        return {**asdict(self), "median_seconds": seconds, **rates}


@dataclass(frozen=True, slots=True)
class Work:
    """Hold what every reader reads in a round.

    Attributes:
        questions, passages: how many; passages are counted for each question.
        characters: of the passages.
    """

    questions: int
    passages: int
    characters: int


@dataclass(frozen=True, slots=True)
class ReadingSpeed:
    """Hold what one reader on one runtime took.

    Attributes:
        reader: its name.
        runtime: ``"torch"`` or ``"onnx"``.
        dtype, device: what it computes in, and where.
        random_weights: it is a shape: its speed counts, its answers do not.
        parameters: how many weights it has; None where nobody knows.
        disk: bytes of its weights' files; of a shape, in float32.
        load_seconds: from nothing to ready, libraries already imported by a reader before it
            aside.
        load_memory, memory: bytes of memory that loading, and reading, took at most beyond what
            was in use; None where the system does not tell.
        gpu_memory: bytes on the CUDA device at most, weights included; None without one.
        peak_memory: bytes that the process, with all readers loaded, held while this one read.
        seconds: of each round.
        windows, tokens: what the model reads in a round, special tokens included, padding not.
        times_as_fast: the median over the rounds of the first reader's seconds by this one's.
        arithmetic: floating-point operations of a round; None for architectures whose count is
            not known.
        peak_share: operations a second, as a share of what a plain matrix product reaches on the
            same device in the same number format; None where either is unknown.
        cold_seconds: of `docqa ask` in fresh processes; empty unless asked for.
    """

    reader: str
    runtime: str
    dtype: str
    device: str
    random_weights: bool
    parameters: int | None
    disk: int | None
    load_seconds: float
    load_memory: int | None
    memory: int | None
    gpu_memory: int | None
    peak_memory: int | None
    seconds: tuple[float, ...]
    work: Work
    windows: int
    tokens: int
    times_as_fast: float
    arithmetic: int | None
    peak_share: float | None
    cold_seconds: tuple[float, ...] = ()

    @property
    def median_seconds(self) -> float:
        """Return the median over the rounds."""
        return statistics.median(self.seconds)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, with what it reads a second."""
        seconds = self.median_seconds
        return {
            **asdict(self),
            "median_seconds": seconds,
            "seconds_per_question": seconds / self.work.questions,
            "passages_per_second": self.work.passages / seconds,
            "tokens_per_second": self.tokens / seconds,
        }


@dataclass(frozen=True, slots=True)
class Benchmark:
    """Hold all of one run.

    Attributes:
        source: the document's name.
        made: it was made for the run.
        peak_memory: bytes that the process held at most; None where the system does not tell.
        failed: readers that could not be loaded, and cold starts that failed, with the reason.
    """

    machine: Machine
    source: str
    made: bool
    stages: tuple[StageSpeed, ...]
    readings: tuple[ReadingSpeed, ...]
    peak_memory: int | None
    failed: dict[str, str] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "machine": asdict(self.machine),
            "source": self.source,
            "made": self.made,
            "peak_memory": self.peak_memory,
            "stages": [stage.to_dict() for stage in self.stages],
            "readings": [reading.to_dict() for reading in self.readings],
            "failed": dict(self.failed),
        }
