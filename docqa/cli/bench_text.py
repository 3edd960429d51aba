"""A benchmark as people read it: what it ran on, and three tables."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, TextIO

from docqa.benchmark.records import Benchmark, ReadingSpeed, StageSpeed
from docqa.cli.terminal import console_for, one_line

if TYPE_CHECKING:
    from rich.table import Table

__all__ = ["benchmark_text"]

_WIDTH = 130  # columns that a table may take: narrower terminals fold it, files hold it whole
_BUSY = 0.5  # programs that run beside


def benchmark_text(result: Benchmark, stream: TextIO) -> str:
    """Return the tables, with what they were measured on above them, styled for `stream`."""
    console = console_for(stream)
    console.width = max(console.width, _WIDTH)
    work, readings = result.readings[0].work, result.readings
    counted = f"{work.passages:,} passages ({work.characters:,} characters)"
    with console.capture() as written:
        for name, value in _facts(result):
            console.print(f"{name:<10}{one_line(value)}", soft_wrap=True)
        console.print()
        console.print(_table("stage", ["seconds", "a second", "memory"], _stages(result.stages)))
        console.print(f"\nreading {counted} for {work.questions:,} questions", soft_wrap=True)
        console.print(_table("reader", _SPEED, map(_speed_row, readings)))
        console.print()
        console.print(_table("reader", _SIZE, (_size_row(each, readings[0]) for each in readings)))
        console.print()
        for note in _notes(result):
            console.print(note, soft_wrap=True)
    return written.get()


_SPEED = ["runtime", "seconds", "passages/s", "tokens/s", "of peak", "speed"]
_SIZE = ["runtime", "parameters", "of first", "on disk", "loading", "memory", "cold start"]


def _facts(result: Benchmark) -> Iterator[tuple[str, str]]:
    machine = result.machine
    names = ", ".join([machine.processor, *machine.devices])
    yield "machine", f"{names}; {machine.cores} cores, {machine.threads} threads; {machine.system}"
    yield "versions", ", ".join(f"{name} {number}" for name, number in machine.versions.items())
    amounts = {name: n for stage in result.stages[:2] for name, n in stage.amounts.items()}
    counted = ", ".join(f"{n:,} {name}" for name, n in amounts.items())
    yield "document", f"{'a PDF made for it' if result.made else result.source}: {counted}"
    if machine.load is not None and machine.load > _BUSY:
        yield "load", f"{machine.load:.1f} at the start: other programs run beside this one"


def _notes(result: Benchmark) -> Iterator[str]:
    n_rounds = len(result.readings[0].seconds)
    interleaved = f"medians of {n_rounds} interleaved rounds" if n_rounds > 1 else "one round"
    yield f"Seconds are {interleaved}, the shortest and the longest in brackets."
    yield "Speed: how many times as fast as the first reader, the median of the rounds."
    yield "Of peak: operations a second, as a share of a plain matrix product's on the device."
    yield "Memory: what it took at most beyond what was in use; of readers, loading + reading."
    if any(reading.random_weights for reading in result.readings):
        yield "* random weights in this shape: a yardstick for time, its answers mean nothing."


def _table(first: str, others: Sequence[str], rows: Iterator[Sequence[str]]) -> Table:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column(first, no_wrap=True)
    for name in others:
        table.add_column(name, justify="right", no_wrap=True)
    for row in rows:
        table.add_row(*row)
    return table


def _stages(stages: Sequence[StageSpeed]) -> Iterator[Sequence[str]]:
    for stage in stages:
        seconds = stage.median_seconds
        rates = ", ".join(f"{n / seconds:,.0f} {name}" for name, n in stage.amounts.items())
        yield stage.name, _spread(stage.seconds), rates, _bytes(stage.memory)


def _speed_row(reading: ReadingSpeed) -> Sequence[str]:
    seconds = reading.median_seconds
    return (
        _name(reading),
        _runtime(reading),
        _spread(reading.seconds),
        f"{reading.work.passages / seconds:,.1f}",
        f"{reading.tokens / seconds:,.0f}",
        "" if reading.peak_share is None else f"{reading.peak_share:.0%}",
        f"{reading.times_as_fast:.2f}x",
    )


def _size_row(reading: ReadingSpeed, first: ReadingSpeed) -> Sequence[str]:
    n_parameters, n_first = reading.parameters, first.parameters
    memory = f"{_bytes(reading.load_memory)} + {_bytes(reading.memory)}"
    if reading.gpu_memory is not None:
        memory = f"{memory}, GPU {_bytes(reading.gpu_memory)}"
    cold = reading.cold_seconds
    return (
        _name(reading),
        _runtime(reading),
        "" if n_parameters is None else f"{n_parameters / 1e6:.1f} M",
        "" if not (n_parameters and n_first) else f"{n_parameters / n_first:.0%}",
        _bytes(reading.disk),
        f"{reading.load_seconds:.2f} s",
        memory,
        f"{statistics.median(cold):.2f} s" if cold else "",
    )


def _name(reading: ReadingSpeed) -> str:
    return one_line(reading.reader) + ("*" if reading.random_weights else "")


def _runtime(reading: ReadingSpeed) -> str:
    device = "" if reading.device == "cpu" else f" {reading.device}"
    return f"{reading.runtime} {reading.dtype}{device}"


def _spread(seconds: Sequence[float]) -> str:
    """Return the median with the shortest and the longest.

    >>> _spread([0.5, 0.25, 0.26]), _spread([12.0])
    ('0.260 (0.250-0.500)', '12.0')
    """
    median = _seconds(statistics.median(seconds))
    if len(seconds) == 1:
        return median
    return f"{median} ({_seconds(min(seconds))}-{_seconds(max(seconds))})"


def _seconds(seconds: float) -> str:
    """Return seconds with three digits that count."""
    decimals = 1 if seconds >= 10 else 2 if seconds >= 1 else 3 if seconds >= 0.1 else 4
    return f"{seconds:.{decimals}f}"


def _bytes(count: int | None) -> str:
    """Return a size in megabytes of a million bytes.

    >>> _bytes(23_456_789), _bytes(None)
    ('23.5 MB', '?')
    """
    return "?" if count is None else f"{count / 1e6:,.1f} MB"
