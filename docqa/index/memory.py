"""Rank passages held in memory."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from docqa.datamodel import Passage, RankedPassage
from docqa.errors import SettingError
from docqa.index.analysis import terms
from docqa.limits import check_time

if TYPE_CHECKING:
    from docqa.index.bm25 import LuceneBM25

__all__ = ["DEFAULT_BOILERPLATE_WEIGHT", "MemoryIndex", "ranked_text"]

DEFAULT_BOILERPLATE_WEIGHT = 0.5


@dataclass(frozen=True, slots=True)
class _Ranking:
    """The passages in the order of ties, and the BM25 that scores them."""

    passages: tuple[Passage, ...]
    bm25: LuceneBM25


class MemoryIndex:
    """A BM25 index of passages in memory; an `Index`.

    Passages are analysed once, when they are added. The statistics of the whole are made again at
    the first search after a change. Threads may share it.

    Args:
        boilerplate_weight: 0 to 1; multiplies the scores of flagged passages (navigation, footers
            and the like), so that they rank below others. 0 leaves them out.

    Raises:
        SettingError: the weight is out of its range.
    """

    def __init__(self, *, boilerplate_weight: float = DEFAULT_BOILERPLATE_WEIGHT) -> None:
        if not 0 <= boilerplate_weight <= 1:
            raise SettingError(f"boilerplate_weight must be in 0 to 1, not {boilerplate_weight}")
        self._boilerplate_weight = boilerplate_weight
        self._lock = threading.Lock()
        self._entries: dict[str, dict[int, tuple[Passage, list[str]]]] = {}
        self._ranking: _Ranking | None = None

    def __len__(self) -> int:
        """Return the number of passages."""
        with self._lock:
            return sum(len(entries) for entries in self._entries.values())

    def add(self, passages: Iterable[Passage]) -> None:
        """Add passages; a passage of the same document and number is replaced."""
        analysed = []
        for passage in passages:
            check_time()
            analysed.append((passage, terms(ranked_text(passage))))
        with self._lock:
            for passage, found in analysed:
                entries = self._entries.setdefault(passage.document_id, {})
                entries[passage.number] = passage, found
            self._ranking = None

    def remove(self, document_id: str) -> None:
        """Remove all passages of a document; an unknown id is no error."""
        with self._lock:
            if self._entries.pop(document_id, None) is not None:
                self._ranking = None

    def search(self, query: str, *, top_k: int) -> list[RankedPassage]:
        """Return at most `top_k` passages: ranks 1..k, scores above 0 and falling.

        Ties are ordered by document id, then passage number.

        Raises:
            SettingError: `top_k` is below 1.
        """
        if top_k < 1:
            raise SettingError(f"top_k must be at least 1, not {top_k}")
        import numpy as np

        ranking = self._current()
        scores = ranking.bm25.get_scores(terms(query))
        if self._boilerplate_weight != 1:
            flagged = np.array([passage.boilerplate for passage in ranking.passages], dtype=bool)
            scores[flagged] *= self._boilerplate_weight
        found = np.flatnonzero(scores > 0)
        best = found[np.argsort(-scores[found], kind="stable")[:top_k]]
        return [
            RankedPassage(ranking.passages[number], rank, float(scores[number]))
            for rank, number in enumerate(best.tolist(), start=1)
        ]

    def _current(self) -> _Ranking:
        """Return the ranking of the passages as they are now."""
        with self._lock:
            if self._ranking is None:
                from docqa.index.bm25 import LuceneBM25

                entries = [
                    entry
                    for _, document in sorted(self._entries.items())
                    for _, entry in sorted(document.items())
                ]
                passages = tuple(passage for passage, _ in entries)
                self._ranking = _Ranking(passages, LuceneBM25([found for _, found in entries]))
            return self._ranking


def ranked_text(passage: Passage) -> str:
    """Return the text by which a passage is ranked: its own, and each inserted header once.

    As often as it is read, a header would outweigh the words of the row.
    """
    if not passage.insertions:
        return passage.text
    headers = dict.fromkeys(insertion.text for insertion in passage.insertions)
    return "\n".join((passage.text, *headers))
