"""From the reader's spans to answers: order, shift to the document, merge places, locate.

The contract: ``document.text[answer.start:answer.end] == answer.text``, and one answer per place.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import chain, islice

from docqa.asking.built_answer import answer_at, occurrence_at
from docqa.asking.cell_relevance import HeadedSpan, headed_spans
from docqa.asking.clauses import with_clauses
from docqa.asking.evidence import AnswerFeatures
from docqa.calibration import Calibration
from docqa.datamodel import (
    Answer,
    AnswerSpan,
    AnswerSpans,
    Document,
    Evidence,
    RankedPassage,
    ReaderInfo,
    ReadSettings,
    Span,
)

__all__ = ["answers_from_spans", "relevances"]

# Chosen on the finance part of the PDF questions: docs/measurements/tables.md.
_CELL_WEIGHT = 24.0

_OUTER = " \t\r\n\f\v\u00a0\"'“”‘’«»"
_FINAL = _OUTER + ".,;:!?…"


@dataclass(slots=True)
class _Place:
    """A span of a document's text with the proposal that found it.

    Attributes:
        span: characters of the text of the document that `proposal` is of.
        margin: the reader's, less the loss of a cell for its headers.
        wording: its words as they are compared.
        others: places of the document with the same words that come later in the order.
    """

    span: Span
    proposal: AnswerSpan
    margin: float
    wording: str
    others: list[_Place] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Judged:
    """A place with its score and its evidence.

    The evidence is gathered for answers alone: most places are never shown, and a score needs less.
    """

    place: _Place
    score: float
    evidence: Callable[[], Evidence]


def relevances(ranked: Sequence[RankedPassage]) -> dict[tuple[str, int], float]:
    """Return each passage's BM25 score as a share (0 to 1) of the best one's, by its place.

    Where no passage shares a term with the question, all are equally relevant.
    """
    best = max((one.score for one in ranked), default=0.0)
    return {one.passage.place: one.score / best if best else 1.0 for one in ranked}


def answers_from_spans(
    documents: Mapping[str, Document],
    proposals: AnswerSpans,
    relevance: Mapping[tuple[str, int], float],
    *,
    top_k: int,
    min_score: float,
    rank_weight: float,
    calibration: Calibration | None = None,
    reader: ReaderInfo | None = None,
    settings: ReadSettings | None = None,
) -> list[Answer]:
    """Return at most `top_k` answers, best first, each place and each wording of a document once.

    Proposals are ordered by the reader's margin, less `rank_weight` times the relevance that their
    passage lacks: the reader alone is misled by passages that have little to do with the question.
    In the same way a span in a table's row loses for the terms of the question that its headers
    lack (see `docqa.asking.cell_relevance`). Scores are probabilities where there is a
    `calibration`, else the reader's own, and need not fall down the list. Places with a score
    below `min_score` are left out.

    A proposal that overlaps a better one is the same place and is dropped. The same words at
    another place of the document (white space, case, outer quotes and final punctuation aside)
    become an occurrence of the better answer; in another document they are an answer of their own,
    and no rival to this one.

    Args:
        documents: the documents that were read, by the passages' `document_id`; only those with
            spans are looked up.
        proposals: the reader's spans, of passages of these documents.
        relevance: see `relevances`; passages that are not in it count as 0.
        top_k: the number of answers, at most.
        min_score: in 0 to 1.
        rank_weight: in units of the margin; 0 leaves the order to the reader.
        calibration: the reader's; None leaves the scores to the reader.
        reader: made the proposals; recorded by each answer.
        settings: of the reading; recorded by each answer.
    """

    def order(headed: HeadedSpan) -> tuple[float, str, int, int]:
        span = headed.proposal
        lost = rank_weight * (1.0 - relevance.get(span.passage.place, 0.0))
        lost += _lost(headed)
        return lost - span.margin, *span.passage.place, span.span.start

    headed = sorted(_headed(documents, with_clauses(proposals)), key=order)
    wordings = _one_per_wording(_one_per_place(headed))
    judged = _judged(proposals.question, wordings, relevance, calibration)
    passing = ([each for each in places if each.score >= min_score] for places in judged)
    return [
        _answer_of(documents, proposals.question, places, reader=reader, settings=settings)
        for places in islice(filter(None, passing), top_k)
    ]


def _headed(documents: Mapping[str, Document], proposals: AnswerSpans) -> Iterator[HeadedSpan]:
    """Yield the proposals with the relevance of their headers, document by document."""
    of_document: dict[str, list[AnswerSpan]] = {}
    for span in proposals.spans:
        of_document.setdefault(span.passage.document_id, []).append(span)
    for document_id, spans in of_document.items():
        yield from headed_spans(documents[document_id], proposals.question, spans)


def _lost(headed: HeadedSpan) -> float:
    """Return the margin that a cell loses for the terms of the question that its headers lack."""
    return _CELL_WEIGHT * (1.0 - headed.relevance)


def _judged(
    question: str,
    wordings: Sequence[_Place],
    relevance: Mapping[tuple[str, int], float],
    calibration: Calibration | None,
) -> Iterator[list[_Judged]]:
    """Yield the places of each wording, best first, with their scores."""
    places = [(best, *best.others) for best in wordings]
    margins: dict[str, float] = {}
    for place in chain.from_iterable(places):
        margins[place.wording] = max(place.margin, margins.get(place.wording, place.margin))
    numbers = {wording: number for number, wording in enumerate(margins)}
    features = AnswerFeatures(question, relevance, list(margins.values()))
    for same in places:
        number = numbers[same[0].wording]
        judged = []
        for place in same:
            score = place.proposal.score
            if calibration is not None:
                feature = partial(
                    features.feature, proposal=place.proposal, margin=place.margin, wording=number
                )
                score = calibration.probability_of(feature)
            evidence = partial(
                features.evidence, place.proposal, margin=place.margin, wording=number
            )
            judged.append(_Judged(place, score, evidence))
        yield judged


def _one_per_place(headed: Iterable[HeadedSpan]) -> list[_Place]:
    """Return the places of proposals (best first) in their documents, one per place."""
    kept: list[_Place] = []
    taken: dict[str, list[Span]] = {}  # of each document, sorted, and apart from one another
    for each in headed:
        proposal, passage = each.proposal, each.proposal.passage
        span = proposal.span.shift(passage.span.start)
        others = taken.setdefault(passage.document_id, [])
        at = bisect_left(others, span)
        if not any(span.overlaps(other) for other in others[max(at - 1, 0) : at + 1]):
            others.insert(at, span)
            wording = _wording(proposal.span.of(passage.text))
            kept.append(_Place(span, proposal, proposal.margin - _lost(each), wording))
    return kept


def _one_per_wording(places: Iterable[_Place]) -> list[_Place]:
    """Group the places (best first) of a document with the same words under the best of them."""
    groups: dict[tuple[str, str], _Place] = {}
    for place in places:
        group = place.proposal.passage.document_id, place.wording
        if group in groups:
            groups[group].others.append(place)
        else:
            groups[group] = place
    return list(groups.values())


def _wording(text: str) -> str:
    """Return `text` as it is compared: folded white space and case, bare of quotes at its ends.

    Signs, currencies and brackets stay: -5% is not 5%, and C++ is not C.

    >>> _wording("“The  Hague”."), _wording("-5%"), _wording("C++")
    ('the hague', '-5%', 'c++')
    """
    folded = " ".join(text.split()).casefold()
    return folded.lstrip(_OUTER).rstrip(_FINAL) or folded


def _answer_of(
    documents: Mapping[str, Document],
    question: str,
    judged: Sequence[_Judged],
    *,
    reader: ReaderInfo | None,
    settings: ReadSettings | None,
) -> Answer:
    best, *others = judged
    passage = best.place.proposal.passage
    document = documents[passage.document_id]
    return answer_at(
        document,
        best.place.span,
        question=question,
        score=best.score,
        passage=passage,
        occurrences=tuple(occurrence_at(document, each.place.span, each.score) for each in others),
        evidence=best.evidence(),
        reader=reader,
        settings=settings,
    )
