"""Readers side by side: each round reads with all of them, so that noise hits all alike."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from docqa.benchmark.arithmetic import matrix_product_rate, pass_operations
from docqa.benchmark.memory import Growth, memory_growth
from docqa.benchmark.records import ReadingSpeed, Work

if TYPE_CHECKING:
    from docqa.benchmark.contenders import Contender
    from docqa.benchmark.stages import Requests

__all__ = ["read_in_rounds"]

_TOP_K = 20  # spans of a passage, as many as asking wants of them


@dataclass(slots=True)
class _Times:
    """Hold what the rounds of one contender took."""

    seconds: list[float] = field(default_factory=list)
    growths: list[Growth] = field(default_factory=list)


def read_in_rounds(
    contenders: Sequence[Contender],
    requests: Requests,
    *,
    rounds: int,
    progress: Callable[[str], None],
) -> list[ReadingSpeed]:
    """Read the same passages with every contender in every round.

    Before the first round each makes the tokens of all passages, as the first question on a
    document does, and reads one of them. The order turns by one from round to round. Ratios are
    taken within a round, and their median is reported.

    Args:
        contenders: the first one is what the others are compared with.
        requests: what is read.
        rounds: how often.
        progress: told what is going on.

    Raises:
        ModelError: memory ran out, or a reader's weights are damaged.
        QuestionError: a question is too long for a reader.
    """
    for each in contenders:
        progress(f"warming up {each.choice}")
        question, passages = requests[0]
        each.reader.windows(requests)
        each.reader.read(question, passages[:1], top_k=_TOP_K)
    times = [_Times() for _ in contenders]
    for number in range(rounds):
        for turn in range(len(contenders)):
            index = (number + turn) % len(contenders)
            progress(f"round {number + 1} of {rounds}: {contenders[index].choice}")
            _read(contenders[index], requests, times[index])
    rates = dict(_peak_rates(contenders))
    return [
        _speed(each, requests, taken, times[0].seconds, rates)
        for each, taken in zip(contenders, times, strict=True)
    ]


def _read(contender: Contender, requests: Requests, times: _Times) -> None:
    with memory_growth(gpu=contender.gpu) as growth:
        started = time.perf_counter()
        contender.reader.read_all(requests, top_k=_TOP_K)
        times.seconds.append(time.perf_counter() - started)
    times.growths.append(growth)


def _peak_rates(contenders: Sequence[Contender]) -> Iterator[tuple[tuple[str, str], float]]:
    """Yield how fast each device multiplies matrices, for each number format that torch has."""
    import torch

    for device, dtype in dict.fromkeys((each.device, each.dtype) for each in contenders):
        known = getattr(torch, dtype, None)
        if isinstance(known, torch.dtype) and known.is_floating_point:
            yield (device, dtype), matrix_product_rate(torch.device(device), known)


def _speed(
    contender: Contender,
    requests: Requests,
    times: _Times,
    first: Sequence[float],
    rates: dict[tuple[str, str], float],
) -> ReadingSpeed:
    reader = contender.reader
    lengths = [window.length for window in reader.windows(requests)]
    arithmetic = pass_operations(contender.config, lengths)
    rate = rates.get((contender.device, contender.dtype))
    median = statistics.median(times.seconds)
    passages = [passage for _, passages in requests for passage in passages]
    return ReadingSpeed(
        reader=contender.choice.name,
        runtime=contender.runtime,
        dtype=contender.dtype,
        device=contender.device,
        random_weights=contender.random_weights,
        parameters=contender.parameters,
        disk=contender.disk,
        load_seconds=contender.load_seconds,
        load_memory=contender.load_growth.in_memory,
        memory=_most(growth.in_memory for growth in times.growths),
        gpu_memory=_most(growth.on_gpu for growth in times.growths),
        peak_memory=_most(growth.peak for growth in times.growths),
        seconds=tuple(times.seconds),
        work=Work(len(requests), len(passages), sum(len(each.text) for each in passages)),
        windows=len(lengths),
        tokens=sum(lengths),
        times_as_fast=statistics.median(
            one / other for one, other in zip(first, times.seconds, strict=True)
        ),
        arithmetic=arithmetic,
        peak_share=None if None in (arithmetic, rate) else arithmetic / median / rate,  # type: ignore[operator]
    )


def _most(values: Iterator[int | None]) -> int | None:
    return max((value for value in values if value is not None), default=None)
