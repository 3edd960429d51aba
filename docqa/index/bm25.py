"""Score passages by BM25 exactly as Lucene and tantivy do, in memory.

A term adds ``idf * tf * (k1 + 1) / (tf + k1 * (1 - b + b * length / avgdl))`` with
``idf = log(1 + (N - df + 0.5) / (df + 0.5))``, k1 = 1.2 and b = 0.75 (Robertson et al. 1994; the
BM25Similarity of Lucene). `length` is the passage's number of terms as Lucene keeps it in one byte,
`avgdl` the mean of the exact numbers. The factor k1 + 1 is there in tantivy; Lucene leaves it out
from 8.0 on, so its scores are these divided by 2.2 and its ranking is the same.

BM25Okapi's own IDF, ``log((N - df + 0.5) / (df + 0.5))``, is zero or negative for a term in half of
the passages, which on documents of two passages ranks worse than chance.

This module imports numpy: import it when it is first used.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from rank_bm25 import BM25Okapi

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["LuceneBM25", "byte_length"]


class LuceneBM25(BM25Okapi):  # type: ignore[misc]  # rank_bm25 has no types
    """BM25 scores of passages, given as lists of terms; an empty list or corpus is no error.

    The scores are upstream's (`BM25Okapi.get_scores` with this class's `idf` and `doc_len`), but
    looked up in an inverted index: the cost is linear in the passages that hold a term, not in
    all passages.

    Args:
        corpus: one list of terms for each passage.
        k1: saturation of the term frequency.
        b: weight of the passage's length, 0 to 1.
    """

    doc_len: list[int]
    avgdl: float

    def __init__(
        self, corpus: Sequence[Sequence[str]], *, k1: float = 1.2, b: float = 0.75
    ) -> None:
        super().__init__(corpus, k1=k1, b=b)
        self.doc_len = [byte_length(length) for length in self.doc_len]
        lengths = np.array(self.doc_len, dtype=np.float64)
        self._norms = self.k1 * (1 - self.b + self.b * lengths / (self.avgdl or 1.0))
        self._postings: dict[str, tuple[NDArray[np.int64], NDArray[np.float64]]] = {}

    def get_scores(self, query: Iterable[str]) -> NDArray[np.float64]:
        """Return the score of every passage, shape ``(n_passages,)``.

        A term that the query repeats counts again.
        """
        scores = np.zeros(self.corpus_size)
        for term in query:
            if term in self._holding:
                numbers, tf = self._posting(term)
                scores[numbers] += self.idf[term] * tf * (self.k1 + 1) / (tf + self._norms[numbers])
        return scores

    def _posting(self, term: str) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return the numbers of the passages that hold a term, and how often they do."""
        if term not in self._postings:
            numbers = self._holding[term]
            tf = [self.doc_freqs[number][term] for number in numbers]
            self._postings[term] = np.array(numbers, np.int64), np.array(tf, np.float64)
        return self._postings[term]

    def _initialize(self, corpus: Sequence[Sequence[str]]) -> dict[str, int]:
        self.corpus_size = len(corpus)
        self.doc_len = [len(terms) for terms in corpus]
        self.avgdl = sum(self.doc_len) / len(corpus) if corpus else 0.0
        self.doc_freqs = [Counter(terms) for terms in corpus]
        self._holding: defaultdict[str, list[int]] = defaultdict(list)
        for number, counts in enumerate(self.doc_freqs):
            for term in counts:
                self._holding[term].append(number)
        return {term: len(numbers) for term, numbers in self._holding.items()}

    def _calc_idf(self, nd: dict[str, int]) -> None:
        size = self.corpus_size
        self.idf = {term: math.log1p((size - n + 0.5) / (n + 0.5)) for term, n in nd.items()}


def byte_length(length: int) -> int:
    """Return a length as it comes back from Lucene's one byte.

    Exact up to 40, then the four highest bits of what exceeds 24: ``SmallFloat.intToByte4`` and
    ``byte4ToInt`` of Lucene, ``fieldnorm`` of tantivy.

    >>> [byte_length(length) for length in (0, 39, 40, 41, 42, 100, 1000)]
    [0, 39, 40, 40, 42, 96, 984]
    """
    if length < 24:
        return length
    excess = length - 24
    shift = max(0, excess.bit_length() - 4)
    return 24 + (excess >> shift << shift)
