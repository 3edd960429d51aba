"""The features of the places where an answer may stand, from which strengths and scores are made.

Nothing is read again: the reader, the ranking and the words around have said it already.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

from docqa.asking.cell_relevance import HeadedSpan
from docqa.calibration import FEATURES
from docqa.datamodel import AnswerSpan, Evidence
from docqa.index.analysis import terms

__all__ = ["AnswerFeatures", "Rivals"]

_FARTHEST = 12.0  # logits; who leads by more is no surer
_AROUND = 150  # characters on each side: about a sentence


class Rivals:
    """The wordings of one document, against which the odds of each are taken.

    Strengths are log odds against "not here", so that the sum of their exponentials, and 1 for
    "not here", is the rival of an answer: the softmax over the whole document instead of over a
    window, as Clark and Gardner 2018 (arXiv 1710.10723) train it.

    Args:
        strengths: the highest of each wording.

    >>> round(Rivals([1.0, 0.5]).odds(1.0, of_wording=1.0), 3)  # 1 - log(1 + exp(0.5))
    0.026
    """

    def __init__(self, strengths: Sequence[float]) -> None:
        self._highest = max((0.0, *strengths))
        shares = (math.exp(strength - self._highest) for strength in strengths)
        self._sum = math.fsum((math.exp(-self._highest), *shares))

    def odds(self, strength: float, *, of_wording: float) -> float:
        """Return the log odds of a place against all other wordings and "not here", in -12 to 12.

        Args:
            strength: of the place.
            of_wording: the highest strength of its wording, which is no rival of its own.
        """
        rivals = self._sum - math.exp(of_wording - self._highest)
        odds = strength - self._highest - math.log(max(rivals, math.exp(-4 * _FARTHEST)))
        return max(-_FARTHEST, min(_FARTHEST, odds))


class AnswerFeatures:
    """The features of each place where the answer to one question may stand.

    Args:
        question: as asked.
        relevance: each read passage's BM25 score as a share of the best one's, by its place.
    """

    def __init__(self, question: str, relevance: Mapping[tuple[str, int], float]) -> None:
        self._asked = frozenset(terms(question))
        self._relevance = relevance

    def of(self, headed: HeadedSpan, odds: float | None = None) -> Callable[[str], float]:
        """Return a function from the name of a feature to its value at a place.

        So that a score costs no more than the features that it weighs.

        Args:
            headed: the place.
            odds: its own, once all strengths are known.
        """

        def feature(name: str) -> float:
            if name == "odds":
                assert odds is not None  # no ranking weighs the odds
                return odds
            if name == "relevance":
                return self._relevance.get(headed.proposal.passage.place, 0.0)
            if name == "headings":
                return headed.relevance
            if name == "coverage":
                return self._coverage(headed.proposal)
            return headed.proposal.margin if name == "margin" else headed.proposal.span_logit

        return feature

    def evidence(self, headed: HeadedSpan, odds: float) -> Evidence:
        """Return all features of a place."""
        return Evidence(*map(self.of(headed, odds), FEATURES))

    def _coverage(self, proposal: AnswerSpan) -> float:
        """Return the share of the question's terms around a place; 1 where it has none."""
        if not self._asked:
            return 1.0
        start, end = max(0, proposal.span.start - _AROUND), proposal.span.end + _AROUND
        return len(self._asked.intersection(terms(proposal.passage.text[start:end]))) / len(
            self._asked
        )
