"""A reader's proposals, and the settings under which it read."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from docqa.datamodel.document import Content
from docqa.datamodel.passages import Passage
from docqa.datamodel.spans import Span

if TYPE_CHECKING:
    from docqa.load_settings import LoadSettings

__all__ = [
    "AnswerSettings",
    "AnswerSpan",
    "AnswerSpans",
    "Evidence",
    "ReadSettings",
    "ReaderInfo",
    "logistic",
]


@dataclass(frozen=True, slots=True)
class AnswerSpan:
    """A span that the reader proposes inside a passage.

    Attributes:
        passage: where it was read.
        span: characters of the passage's text (not of the document's).
        margin: how far the evidence for the span stands above that for "not here"; any number.
        span_logit: start logit plus end logit of the span.
        no_answer_logit: start plus end logit of the no-answer position in the same window.
    """

    passage: Passage
    span: Span
    margin: float
    span_logit: float
    no_answer_logit: float

    @property
    def score(self) -> float:
        """Return the logistic function of the margin: in 0 to 1, higher is better.

        It compares across passages, files and questions of one reader, and is 0.5 where span and
        "not here" are even. It is not a probability; a `docqa.calibration.Calibration` of the
        reader makes one.
        """
        return logistic(self.margin)

    @property
    def order(self) -> tuple[float, str, int, int]:
        """Return the key that sorts spans best first, equal margins by place."""
        return -self.margin, self.passage.document_id, self.passage.number, self.span.start


def logistic(logit: float) -> float:
    """Return ``1 / (1 + exp(-logit))`` without overflow.

    >>> logistic(0.0), logistic(-1000.0), logistic(1000.0)
    (0.5, 0.0, 1.0)
    """
    if logit >= 0:
        return 1.0 / (1.0 + math.exp(-logit))
    power = math.exp(logit)
    return power / (1.0 + power)


@dataclass(frozen=True, slots=True)
class AnswerSpans:
    """The reader's proposals for one question, best first, at most one per place.

    Attributes:
        question: as asked.
        spans: best first.
        passages_read: how many passages the reader saw.
    """

    question: str
    spans: tuple[AnswerSpan, ...]
    passages_read: int


@dataclass(frozen=True, slots=True)
class Evidence:
    """Facts about one answer beside its words: the features of a calibration.

    Attributes:
        margin: how far the reader's logit for the span stands above that for "not here".
        odds: the answer's strength (see `docqa.calibration.Calibration`) against "not here" and
            all other wordings of its document taken together: how far it stands above the
            logarithm of the sum of their exponentials, in -12 to 12. Above 0 the answer outweighs
            all others; below 0 they do.
        relevance: BM25 score of its passage as a share of the best passage's, in 0 to 1.
        coverage: the share of the question's terms that stand in the answer or within 150
            characters of it, in 0 to 1.
        span_logit: the reader's start logit plus end logit of the span.
        headings: the share of the question's terms that head the answer's cell of a table, as a
            share of the best such cell's; 1 outside the rows of tables.
    """

    margin: float
    odds: float
    relevance: float
    coverage: float
    span_logit: float
    headings: float


@dataclass(frozen=True, slots=True)
class ReaderInfo:
    """Name, weights and runtime of the reader that found an answer.

    Attributes:
        name: what `docqa.load_reader` calls it.
        revision: the commit of a hub's repository, ``"sha256:…"`` of packed weights, or ``""``.
        runtime: the library and the number format that it computed with, such as ``"onnx int8"``
            or ``"torch float32"``; ``""`` where it is unknown.
        calibrated: whether its scores are probabilities; see `docqa.calibration`.
    """

    name: str
    revision: str
    runtime: str = ""
    calibrated: bool = False


@dataclass(frozen=True, slots=True)
class ReadSettings:
    """Settings of splitting and reading a document; see `docqa.Pipeline` for each.

    Attributes:
        passage_tokens, overlap: of the passages, in the reader's tokens.
        content: which blocks were read.
        top_passages: how many passages were read at most; None for all.
        min_score: answers with a lower score were left out.
    """

    passage_tokens: int
    overlap: int
    content: Content
    top_passages: int | None
    min_score: float


@dataclass(frozen=True, slots=True)
class AnswerSettings:
    """Settings that give an answer again.

    Attributes:
        load: how the document was loaded, without the password; None where no loader says.
        read: how it was read; None where no reader was asked.
    """

    load: LoadSettings | None
    read: ReadSettings | None

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            "load": None if self.load is None else self.load.to_dict(),
            "read": None if self.read is None else asdict(self.read),
        }
