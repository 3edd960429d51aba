"""The features of the places where an answer may stand, from which their scores are made.

Nothing is read again: the reader, the ranking and the words around have said it already.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from docqa.calibration import FEATURES
from docqa.datamodel import AnswerSpan, Evidence
from docqa.index.analysis import terms

__all__ = ["AnswerFeatures"]

_FARTHEST = 12.0  # logits; who leads by more is no surer
_AROUND = 150  # characters on each side: about a sentence


class AnswerFeatures:
    """The features of each answer to one question.

    Margins are taken for log odds against "not here", so that the sum of their exponentials, and 1
    for "not here", is the rival of an answer: the softmax over the whole document instead
    of over a window, as Clark and Gardner 2018 (arXiv 1710.10723) train it.

    Args:
        question: as asked.
        relevance: each read passage's BM25 score as a share of the best one's, by its place.
        margins: the highest of each wording, less the loss of cells of tables for their headers.
    """

    def __init__(
        self, question: str, relevance: Mapping[tuple[str, int], float], margins: Sequence[float]
    ) -> None:
        self._asked = frozenset(terms(question))
        self._relevance = relevance
        self._highest = max((0.0, *margins))
        self._shares = [math.exp(margin - self._highest) for margin in margins]
        self._sum = math.fsum((math.exp(-self._highest), *self._shares))

    def evidence(self, proposal: AnswerSpan, *, margin: float, wording: int) -> Evidence:
        """Return all features of one place.

        Args:
            proposal: the reader's.
            margin: the reader's, less the loss of a cell for its headers.
            wording: which of `margins` is that of its words, from 0.
        """
        made = (self.feature(name, proposal, margin=margin, wording=wording) for name in FEATURES)
        return Evidence(*made)

    def feature(self, name: str, proposal: AnswerSpan, *, margin: float, wording: int) -> float:
        """Return one of `FEATURES` of a place, so that a score costs no more than its features."""
        if name == "margin":
            return proposal.margin
        if name == "odds":
            return self._odds(margin, wording)
        if name == "relevance":
            return self._relevance.get(proposal.passage.place, 0.0)
        return self._coverage(proposal)

    def _odds(self, margin: float, wording: int) -> float:
        rivals = max(self._sum - self._shares[wording], math.exp(-4 * _FARTHEST))
        odds = margin - self._highest - math.log(rivals)
        return max(-_FARTHEST, min(_FARTHEST, odds))

    def _coverage(self, proposal: AnswerSpan) -> float:
        """Return the share of the question's terms around a place; 1 where it has none."""
        if not self._asked:
            return 1.0
        start, end = max(0, proposal.span.start - _AROUND), proposal.span.end + _AROUND
        return len(self._asked.intersection(terms(proposal.passage.text[start:end]))) / len(
            self._asked
        )
