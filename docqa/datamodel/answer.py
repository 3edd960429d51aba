"""Answers with their exact places, and cells of the grid of questions and sources."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any, ClassVar

from docqa.datamodel.document import DocumentInfo
from docqa.datamodel.passages import Passage
from docqa.datamodel.places import Location, PageLocation, PartLocation, TextLocation
from docqa.datamodel.reading import AnswerSettings, Evidence, ReaderInfo
from docqa.datamodel.selectors import web_target

__all__ = ["Answer", "Answers", "Coverage", "GridItem", "Occurrence"]


@dataclass(frozen=True, slots=True)
class Occurrence:
    """A further place where the reader found the same words.

    Attributes:
        start, end: characters of the document's text, half-open.
        score: of the reader, for this place.
        locations: the place in the original.
        text: the words as they stand here; case and white space may differ from the answer's.
        prefix, suffix: the characters around them, up to `Answer.CONTEXT` on each side.
    """

    start: int
    end: int
    score: float
    locations: tuple[Location, ...]
    text: str = ""
    prefix: str = ""
    suffix: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """The exact words of a document that answer a question, with their exact place.

    Attributes:
        question: as asked.
        text: the answer; equals ``document.text[start:end]``.
        score: in 0 to 1; comparable across passages, files and questions of one reader. The
            probability that the answer is right where the reader is calibrated
            (`reader.calibrated`), else not a probability.
        start, end: characters of the document's text, half-open.
        document: id, source, title and media type.
        passage: where it was read.
        locations: places in the original, in reading order; several when the span crosses pages.
        occurrences: further places where the reader found the same words, best first.
        context: the sentence or the row of a table around the answer.
        context_start: where `context` starts in the document's text.
        heading: the nearest heading above the answer, or the one that it stands in; None without.
        prefix, suffix: the characters around the answer, up to `CONTEXT` on each side; they tell
            the place from others with the same words when the document changes.
        reader: the reader that found it; None for a place chosen by the caller (`docqa.cite`).
        settings: how the document was loaded and read.
        evidence: the features behind the score; None for a place chosen by the caller.
    """

    CONTEXT: ClassVar[int] = 32  # characters; what annotation tools on the web keep

    question: str
    text: str
    score: float
    start: int
    end: int
    document: DocumentInfo
    passage: Passage
    locations: tuple[Location, ...]
    occurrences: tuple[Occurrence, ...] = ()
    context: str = ""
    context_start: int = 0
    prefix: str = ""
    suffix: str = ""
    reader: ReaderInfo | None = None
    settings: AnswerSettings | None = None
    evidence: Evidence | None = None
    heading: str | None = None

    @property
    def context_end(self) -> int:
        """Return where `context` ends in the document's text."""
        return self.context_start + len(self.context)

    @property
    def page_number(self) -> int | None:
        """Return the page or slide (from 1) on which the answer starts, or None without either."""
        first = self.locations[0] if self.locations else None
        if isinstance(first, PartLocation):
            return first.slide_number
        return first.page_number if isinstance(first, PageLocation) else None

    @property
    def page_label(self) -> str | None:
        """Return the printed page number where the answer starts, or None."""
        first = self.locations[0] if self.locations else None
        return first.page_label if isinstance(first, PageLocation) else None

    @property
    def ocr_confidence(self) -> float | None:
        """Return the lowest confidence of the words read by OCR, in 0 to 1; None without any."""
        pages = (each for each in self.locations if isinstance(each, PageLocation))
        read = (page.ocr_confidence for page in pages)
        return min((each for each in read if each is not None), default=None)

    @property
    def line(self) -> int | None:
        """Return the line (from 1) of a plain text on which the answer starts, or None."""
        first = self.locations[0] if self.locations else None
        return first.line if isinstance(first, TextLocation) else None

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON; the text is under ``"answer"``, as everybody expects.

        ``"target"`` is the place as a target of the W3C Web Annotation Data Model, which holds
        the characters around the answer; each occurrence has one too.
        """
        record = asdict(replace(self, settings=None))
        record["settings"] = None if self.settings is None else self.settings.to_dict()
        record["answer"] = record.pop("text")
        record["passage"] = {"number": self.passage.number, **asdict(self.passage.span)}
        record["page_number"], record["page_label"] = self.page_number, self.page_label
        record["context_end"] = self.context_end
        record["line"], record["ocr_confidence"] = self.line, self.ocr_confidence
        record["target"] = web_target(self, self.document)
        for spot, place in zip(record["occurrences"], self.occurrences, strict=True):
            spot["target"] = web_target(place, self.document)
        for quoted in (record, *record["occurrences"]):
            del quoted["prefix"], quoted["suffix"]
        order = ("question", "answer", "score", "start", "end", "page_number", "page_label", "line")
        return {**{key: record[key] for key in order}, **record}


@dataclass(frozen=True, slots=True)
class Coverage:
    """Share of a document's passages that an outcome rests on.

    >>> print(Coverage(passages_read=40, passages_total=412))
    read 40 of 412 passages
    """

    passages_read: int
    passages_total: int

    def __str__(self) -> str:
        return f"read {self.passages_read} of {self.passages_total} passages"


class Answers(list[Answer]):
    """List of answers, best first, with the coverage that it rests on.

    Attributes:
        coverage: how many passages were read; also meaningful when the list is empty.
        warnings: a line for each document of a collection that was left out, as it is damaged.
    """

    def __init__(
        self,
        answers: tuple[Answer, ...] | list[Answer] = (),
        *,
        coverage: Coverage,
        warnings: tuple[str, ...] = (),
    ) -> None:
        super().__init__(answers)
        self.coverage = coverage
        self.warnings = warnings

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild_answers, (list(self), self.coverage, self.warnings))


def _rebuild_answers(
    answers: list[Answer], coverage: Coverage, warnings: tuple[str, ...] = ()
) -> Answers:
    return Answers(answers, coverage=coverage, warnings=warnings)


@dataclass(frozen=True, slots=True)
class GridItem:
    """One cell of the grid of all questions and all sources.

    Attributes:
        question: as asked.
        source: the source's path or name.
        document: its description, or None when it could not be loaded.
        answers: best first; empty when nothing passed the threshold or loading failed.
        error: why the source could not be asked, or None.
    """

    question: str
    source: str
    document: DocumentInfo | None
    answers: Answers
    error: Exception | None = None

    @classmethod
    def failed(
        cls,
        question: str,
        source: str,
        error: Exception,
        *,
        document: DocumentInfo | None = None,
        passages_total: int = 0,
    ) -> GridItem:
        """Return the cell of a question that could not be asked; no passage was read."""
        nothing = Answers(coverage=Coverage(0, passages_total))
        return cls(question, source, document, nothing, error)
