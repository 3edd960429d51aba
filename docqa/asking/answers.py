"""From the reader's spans to answers: order, shift to the document, merge places, locate.

The contract: ``document.text[answer.start:answer.end] == answer.text``, and one answer per place.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from docqa.asking.built_answer import answer_at, occurrence_at
from docqa.asking.cell_relevance import HeadedSpan, headed_spans
from docqa.asking.clauses import with_clauses
from docqa.asking.evidence import AnswerFeatures, Rivals
from docqa.calibration import UNCALIBRATED, Calibration
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

_OUTER = " \t\r\n\f\v\u00a0\"'“”‘’«»"
_FINAL = _OUTER + ".,;:!?…"


@dataclass(slots=True)
class _Place:
    """A span of a document's text with the proposal that found it.

    Attributes:
        span: characters of the text of the proposal's document.
        headed: the proposal, with the relevance of its headers.
        strength: its log odds against "not here"; see `docqa.calibration.Calibration`.
        others: places of the document with the same words that come later in the order.
    """

    span: Span
    headed: HeadedSpan
    strength: float
    others: list[_Place] = field(default_factory=list)

    @property
    def document_id(self) -> str:
        """Return the id of the document in which the place is."""
        return self.headed.proposal.passage.document_id

    @property
    def wording(self) -> str:
        """Return the words of the place as they are compared."""
        proposal = self.headed.proposal
        return _wording(proposal.span.of(proposal.passage.text))

    @property
    def order(self) -> tuple[float, str, int, int]:
        """Return the key that sorts places strongest first, equal ones by where they are."""
        proposal = self.headed.proposal
        return -self.strength, *proposal.passage.place, proposal.span.start


class _Scores:
    """The scores and the evidence of places, made one by one: most places are never shown.

    Args:
        wordings: of all documents, each under its strongest place.
        features: of the question.
        judge: makes a score of features.
    """

    def __init__(
        self, wordings: Sequence[_Place], features: AnswerFeatures, judge: Calibration
    ) -> None:
        strengths: dict[str, list[float]] = {}
        for best in wordings:
            strengths.setdefault(best.document_id, []).append(best.strength)
        self._rivals = {document_id: Rivals(each) for document_id, each in strengths.items()}
        self._features, self._judge = features, judge

    def score(self, place: _Place, best: _Place) -> float:
        """Return the score of a place of a wording whose strongest place is `best`."""
        odds = self._odds(place, best)
        return self._judge.probability_of(self._features.of(place.headed, odds))

    def evidence(self, best: _Place) -> Evidence:
        """Return the evidence of the strongest place of a wording."""
        return self._features.evidence(best.headed, self._odds(best, best))

    def _odds(self, place: _Place, best: _Place) -> float:
        return self._rivals[best.document_id].odds(place.strength, of_wording=best.strength)


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
    calibration: Calibration | None = None,
    reader: ReaderInfo | None = None,
    settings: ReadSettings | None = None,
) -> list[Answer]:
    """Return at most `top_k` answers, best first, each place and each wording of a document once.

    Proposals are ordered by their strength, the log odds against "not here" that the calibration's
    ranking makes of their evidence: the reader alone is misled by passages and by cells of tables
    that have little to do with the question (see `docqa.asking.cell_relevance`). The strength of a
    wording against that of all others of its document makes its odds, and from these the score:
    a probability where there is a `calibration`, else the logistic function of the strength. Scores
    fall down the list. Places with a score below `min_score` are left out.

    A proposal that overlaps a stronger one is the same place and is dropped. The same words at
    another place of the document (white space, case, outer quotes and final punctuation aside)
    become an occurrence of the stronger answer; in another document they are an answer of their
    own. Answers of another document are no rivals: they leave a score as it is.

    Args:
        documents: the documents that were read, by the passages' `document_id`; only those with
            spans are looked up.
        proposals: the reader's spans, of passages of these documents.
        relevance: see `relevances`; passages that are not in it count as 0.
        top_k: the number of answers, at most.
        min_score: in 0 to 1.
        calibration: the reader's; None for the usual ranking, and scores by strength.
        reader: made the proposals; recorded by each answer.
        settings: of the reading; recorded by each answer.
    """
    judge = UNCALIBRATED if calibration is None else calibration
    features = AnswerFeatures(proposals.question, relevance)
    proposals = with_clauses(proposals)
    places = sorted(_places(documents, proposals, features, judge), key=lambda each: each.order)
    wordings = _one_per_wording(_one_per_place(places))
    scores = _Scores(wordings, features, judge)
    scored = [(scores.score(best, best), best) for best in wordings]
    passing = sorted((pair for pair in scored if pair[0] >= min_score), key=lambda pair: -pair[0])
    answers = []
    for score, best in passing[:top_k]:
        others = ((min(score, scores.score(other, best)), other) for other in best.others)
        document = documents[best.document_id]
        answers.append(
            answer_at(
                document,
                best.span,
                question=proposals.question,
                score=score,
                passage=best.headed.proposal.passage,
                occurrences=tuple(
                    occurrence_at(document, other.span, its_score)
                    for its_score, other in others
                    if its_score >= min_score
                ),
                evidence=scores.evidence(best),
                reader=reader,
                settings=settings,
            )
        )
    return answers


def _places(
    documents: Mapping[str, Document],
    proposals: AnswerSpans,
    features: AnswerFeatures,
    judge: Calibration,
) -> Iterator[_Place]:
    """Yield the places of the proposals with their strength, document by document."""
    of_document: dict[str, list[AnswerSpan]] = {}
    for proposal in proposals.spans:
        of_document.setdefault(proposal.passage.document_id, []).append(proposal)
    for document_id, proposed in of_document.items():
        for headed in headed_spans(documents[document_id], proposals.question, proposed):
            span = headed.proposal.span.shift(headed.proposal.passage.span.start)
            yield _Place(span, headed, judge.strength_of(features.of(headed)))


def _one_per_place(places: Iterable[_Place]) -> list[_Place]:
    """Return the places (strongest first) that overlap no stronger one of their document."""
    kept: list[_Place] = []
    taken: dict[str, list[Span]] = {}  # of each document, sorted, and apart from one another
    for place in places:
        others = taken.setdefault(place.document_id, [])
        at = bisect_left(others, place.span)
        if not any(place.span.overlaps(other) for other in others[max(at - 1, 0) : at + 1]):
            others.insert(at, place.span)
            kept.append(place)
    return kept


def _one_per_wording(places: Iterable[_Place]) -> list[_Place]:
    """Group the places (strongest first) of a document with the same words under the strongest."""
    groups: dict[tuple[str, str], _Place] = {}
    for place in places:
        group = place.document_id, place.wording
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
