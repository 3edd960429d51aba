"""From the reader's spans to answers: weigh, shift to the document, merge places, locate.

The contract: ``document.text[answer.start:answer.end] == answer.text``, and one answer per place.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from operator import attrgetter

from docqa.datamodel import (
    Answer,
    AnswerSpan,
    AnswerSpans,
    Document,
    Occurrence,
    RankedPassage,
    Span,
)
from docqa.passages.sentences import sentence_around

__all__ = ["answers_from_spans", "weigh_by_rank"]

_OUTER = re.compile(r"^\W+|\W+$")


@dataclass(slots=True)
class _Place:
    """Hold a span of the document's text with the proposal that found it."""

    span: Span
    proposal: AnswerSpan
    others: list[_Place] = field(default_factory=list)


def answers_from_spans(
    document: Document, proposals: AnswerSpans, *, top_k: int, min_score: float
) -> list[Answer]:
    """Return at most `top_k` answers, best first, each place and each wording once.

    A proposal that overlaps a better one is the same place and is dropped. The same words at
    another place (white space, case and outer punctuation aside) become an occurrence of the
    better answer. Proposals with a score below `min_score` are left out.
    """
    passing = (span for span in proposals.spans if span.score >= min_score)
    kept = _one_per_wording(document, _one_per_place(passing))
    return [_answer(document, proposals.question, place) for place in kept[:top_k]]


def weigh_by_rank(
    proposals: AnswerSpans, ranked: Sequence[RankedPassage], *, weight: float
) -> AnswerSpans:
    """Take from each span's margin what its passage lacks in relevance, and sort again.

    Relevance is the passage's BM25 score as a share of the best passage's, so a span of the best
    ranked passage keeps its margin and one of a passage that shares no term with the question
    loses `weight`. Where no passage shares a term, nothing changes.

    Args:
        proposals: the reader's spans.
        ranked: the passages that were read.
        weight: in units of the margin; 0 leaves the reader's own order.
    """
    best = max((one.score for one in ranked), default=0.0)
    if not best or not weight:
        return proposals
    lost = {
        (one.passage.document_id, one.passage.number): weight * (1.0 - one.score / best)
        for one in ranked
    }
    weighed = [
        replace(span, margin=span.margin - lost[span.passage.document_id, span.passage.number])
        for span in proposals.spans
    ]
    return replace(proposals, spans=tuple(sorted(weighed, key=attrgetter("order"))))


def _one_per_place(proposals: Iterable[AnswerSpan]) -> list[_Place]:
    """Shift proposals (best first) to the document and drop those that overlap a better one."""
    kept: list[_Place] = []
    for proposal in proposals:
        span = proposal.span.shift(proposal.passage.span.start)
        if not any(span.overlaps(place.span) for place in kept):
            kept.append(_Place(span, proposal))
    return kept


def _one_per_wording(document: Document, places: Iterable[_Place]) -> list[_Place]:
    """Group places (best first) with the same words under the best of them."""
    groups: dict[str, _Place] = {}
    for place in places:
        wording = _wording(place.span.of(document.text))
        if wording in groups:
            groups[wording].others.append(place)
        else:
            groups[wording] = place
    return list(groups.values())


def _wording(text: str) -> str:
    """Return `text` as it is compared: folded white space and case, bare at its ends.

    >>> _wording("“The  Hague”.")
    'the hague'
    """
    folded = " ".join(text.split()).casefold()
    return _OUTER.sub("", folded) or folded


def _answer(document: Document, question: str, place: _Place) -> Answer:
    context = sentence_around(document.text, place.span, blocks=document.blocks)
    return Answer(
        question=question,
        text=place.span.of(document.text),
        score=place.proposal.score,
        start=place.span.start,
        end=place.span.end,
        document=document.info,
        passage=place.proposal.passage,
        locations=document.locate(place.span),
        occurrences=tuple(
            Occurrence(
                start=other.span.start,
                end=other.span.end,
                score=other.proposal.score,
                locations=document.locate(other.span),
            )
            for other in place.others
        ),
        context=context.of(document.text),
        context_start=context.start,
    )
