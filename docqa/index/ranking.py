"""From an engine's scores to docqa's ranking: flagged passages weighed, ties in one order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

__all__ = ["RawHit", "best_hits"]

_Row = TypeVar("_Row")

_MORE = 16  # fetched beyond what is asked for; flagged passages and ties seldom need more


@dataclass(frozen=True, slots=True)
class RawHit(Generic[_Row]):
    """A passage with its engine's score; `row` is the engine's own record of it."""

    key: str
    number: int
    score: float
    boilerplate: bool
    row: _Row


def best_hits(
    fetch: Callable[[int], Sequence[RawHit[_Row]]], *, top_k: int, boilerplate_weight: float
) -> list[RawHit[_Row]]:
    """Return the best passages: flagged ones weighed, those of score 0 left out, ties by place.

    An engine cuts its list by its own scores and breaks ties as it likes, so a passage that
    belongs to the best may lie beyond any cut: more is fetched until none can.

    Args:
        fetch: returns the engine's best `n` passages, scores falling; fewer only where there are
            no more.
        top_k: the largest number of passages to return.
        boilerplate_weight: 0 to 1; multiplies the scores of flagged passages.
    """
    limit = top_k + _MORE
    while True:
        raw = fetch(limit)
        weighed = [(_weighed(hit, boilerplate_weight), hit) for hit in raw]
        kept = [(score, hit) for score, hit in weighed if score > 0]
        kept.sort(key=lambda pair: (-pair[0], pair[1].key, pair[1].number))
        is_all = len(raw) < limit
        if is_all or (len(kept) >= top_k and kept[top_k - 1][0] > raw[-1].score):
            return [
                RawHit(hit.key, hit.number, score, hit.boilerplate, hit.row)
                for score, hit in kept[:top_k]
            ]
        limit *= 4


def _weighed(hit: RawHit[_Row], boilerplate_weight: float) -> float:
    return hit.score * boilerplate_weight if hit.boilerplate else hit.score
