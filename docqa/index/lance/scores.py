"""Score passages that Lance found as docqa scores them.

Lance ranks by BM25 with exact lengths, and with the statistics of its index alone: rows that were
deleted still count, rows written since do not (and those rows get statistics of their own). So its
list serves to find candidates; their scores are computed here, from the terms, lengths and document
frequencies of the rows that are there. They are those of `docqa.index.bm25.LuceneBM25`.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from docqa.index.bm25 import byte_length

__all__ = ["FieldScorer", "PassageScorer"]

_K1, _B = 1.2, 0.75  # those of Lucene and of Lance


@dataclass(frozen=True, slots=True)
class FieldScorer:
    """Score one field of a passage, its own terms or the names of its document.

    Attributes:
        weights: of each term of the query, its IDF times how often the query has it.
        mean_length: of the field, in terms, over all passages.
    """

    weights: Mapping[str, float]
    mean_length: float

    @classmethod
    def of(
        cls, query: Sequence[str], frequency: Callable[[str], int], sizes: tuple[int, int]
    ) -> FieldScorer:
        """Return what scores a field for a query.

        Args:
            query: terms, with repetitions.
            frequency: returns in how many passages the field has a term.
            sizes: how many passages there are, and how many terms the field has in all of them.
        """
        n_passages, n_terms = sizes
        weights = {}
        for term, times in Counter(query).items():
            df = frequency(term)
            if df:
                weights[term] = times * math.log1p((n_passages - df + 0.5) / (df + 0.5))
        return cls(weights, n_terms / n_passages if n_terms else 1.0)

    def score(self, terms: Sequence[str]) -> float:
        """Return the score of a passage whose field has these terms."""
        norm = _K1 * (1 - _B + _B * byte_length(len(terms)) / self.mean_length)
        found = Counter(term for term in terms if term in self.weights)
        return sum(self.weights[term] * tf * (_K1 + 1) / (tf + norm) for term, tf in found.items())


@dataclass(frozen=True, slots=True)
class PassageScorer:
    """Score passages for one query.

    Attributes:
        own: scores a passage's own terms.
        names: scores the names of its document.
        name_weight: multiplies the latter.
    """

    own: FieldScorer
    names: FieldScorer
    name_weight: float

    def score(self, terms: Sequence[str], names: Sequence[str]) -> float:
        """Return the score of a passage with these terms, of a document with these names."""
        score = self.own.score(terms)
        if self.name_weight and self.names.weights:
            score += self.name_weight * self.names.score(names)
        return score
