"""What is known of the places where an answer may stand, for their scores.

Nothing here reads the document again: it is what the reader and the ranking have said already.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import cache

from docqa.datamodel import AnswerSpan, Evidence, Passage
from docqa.index.analysis import terms
from docqa.reading_form import ReadingForm

__all__ = ["Witness"]

_FARTHEST = 12.0  # logits; who leads by more is no surer


class Witness:
    """Say what is known of each answer to one question.

    Args:
        question: as asked.
        relevance: each read passage's BM25 score as a share of the best one's, by its number.
        worths: of the best place of each wording, falling: the margin less what its passage and
            its table cell lack.
    """

    def __init__(
        self, question: str, relevance: Mapping[int, float], worths: Sequence[float]
    ) -> None:
        self._asked = frozenset(terms(question))
        self._relevance = relevance
        self._best, self._second = (*worths, -math.inf, -math.inf)[:2]
        self._coverage = cache(self._share_of_terms)

    def evidence(self, proposal: AnswerSpan, *, worth: float, wording: int) -> Evidence:
        """Return what is known of one place.

        Args:
            proposal: what the reader says of it.
            worth: as in `worths`, of this place.
            wording: which of `worths` is that of its words, from 0.
        """
        rival = self._best if wording else self._second
        return Evidence(
            margin=proposal.margin,
            lead=max(-_FARTHEST, min(_FARTHEST, worth - rival)),
            relevance=self._relevance.get(proposal.passage.number, 0.0),
            coverage=self._coverage(proposal.passage),
            length=math.log1p(len(proposal.span.of(proposal.passage.text).split())),
        )

    def _share_of_terms(self, passage: Passage) -> float:
        """Return the share of the question's terms that a passage holds; 1 where it has none."""
        if not self._asked:
            return 1.0
        return len(self._asked.intersection(terms(ReadingForm.of(passage).text))) / len(self._asked)
