"""The speed of reading: questions in batches, and one at a time."""

from __future__ import annotations

import random
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from docqa.evaluation.watched_reader import WatchedReader

__all__ = ["Speed", "chosen_to_time", "measured_speed", "percentile"]


@dataclass(frozen=True, slots=True)
class Speed:
    """Times of one run on one machine.

    Attributes:
        seconds: spent reading in batches, without loading, splitting and ranking.
        passages, tokens: the amounts read, without padding and without the overlap of windows.
        latency_questions: how many questions were asked again, one at a time.
        latency_p50, latency_p95: seconds from asking such a question to its answer, of a document
            (or paragraph) that is open and was read before; None where none was asked.
    """

    seconds: float
    passages: int
    tokens: int
    latency_questions: int
    latency_p50: float | None
    latency_p95: float | None

    @property
    def passages_per_second(self) -> float:
        """Return how many passages were read in a second."""
        return self.passages / self.seconds if self.seconds else 0.0

    @property
    def tokens_per_second(self) -> float:
        """Return how many tokens were read in a second."""
        return self.tokens / self.seconds if self.seconds else 0.0


def measured_speed(reader: WatchedReader, latencies: Sequence[float]) -> Speed:
    """Return the speed of a watched reader, with the seconds of single questions."""
    return Speed(
        reader.seconds,
        reader.n_passages,
        reader.n_tokens,
        len(latencies),
        percentile(latencies, 0.50) if latencies else None,
        percentile(latencies, 0.95) if latencies else None,
    )


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value below which a share of the values lies, between neighbours by proportion.

    >>> percentile([4.0, 1.0, 2.0, 3.0], 0.5), percentile([7.0], 0.95)
    (2.5, 7.0)
    """
    if len(values) == 1:
        return values[0]
    return statistics.quantiles(values, n=100, method="inclusive")[round(share * 100) - 1]


def chosen_to_time(ids: Sequence[str], count: int, seed: int) -> frozenset[str]:
    """Return at most `count` of the ids, drawn at random."""
    return frozenset(random.Random(seed).sample(list(ids), min(count, len(ids))))
