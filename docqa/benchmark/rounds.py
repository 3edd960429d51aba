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
    rates: list[float | None] = field(default_factory=list)  # of a plain matrix product
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
    document does, and reads one of them. The order turns by one from round to round. Ratios, to
    the first reader and to a plain matrix product just before, are taken within a round, and their
    median is reported. Memory counts in the first round.

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
            times[index].rates.append(_plain_rate(contenders[index]))
            _read(contenders[index], requests, times[index], trim=not number)
    return [
        _speed(each, requests, taken, times[0].seconds)
        for each, taken in zip(contenders, times, strict=True)
    ]


def _read(contender: Contender, requests: Requests, times: _Times, *, trim: bool) -> None:
    with memory_growth(gpu=contender.gpu, trim=trim) as growth:
        started = time.perf_counter()
        contender.reader.read_all(requests, top_k=_TOP_K)
        times.seconds.append(time.perf_counter() - started)
    times.growths.append(growth)


def _plain_rate(contender: Contender) -> float | None:
    """Return the rate of a plain product where the reader computes; None where torch has none."""
    import torch

    dtype = getattr(torch, contender.dtype, None)
    if not (isinstance(dtype, torch.dtype) and dtype.is_floating_point):
        return None  # 8-bit numbers
    return matrix_product_rate(torch.device(contender.device), dtype)


def _speed(
    contender: Contender,
    requests: Requests,
    times: _Times,
    first: Sequence[float],
) -> ReadingSpeed:
    reader = contender.reader
    lengths = [window.length for window in reader.windows(requests)]
    arithmetic = pass_operations(contender.config, lengths)
    shares = [
        arithmetic / seconds / rate
        for seconds, rate in zip(times.seconds, times.rates, strict=True)
        if arithmetic is not None and rate is not None
    ]
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
        peak_share=statistics.median(shares) if shares else None,
    )


def _most(values: Iterator[int | None]) -> int | None:
    return max((value for value in values if value is not None), default=None)
