"""The structured results of the tools: models of JSON, small, as clients show them to models."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from docqa.datamodel import Location, PageLocation, PartLocation, SourceLocation, Span
from docqa.mcp_server.library import short_handle

__all__ = [
    "AskResult",
    "CheckedQuote",
    "DocumentRow",
    "CitedPlace",
    "ListResult",
    "PassageHit",
    "AnswerQuote",
    "QuoteHit",
    "QuoteResult",
    "ReadResult",
    "SearchResult",
    "ShowResult",
    "VerifyResult",
    "WordPlace",
    "cited_place",
    "word_places",
]

_CITE = "a handle of the place; read, show and verify take it"


class _Result(BaseModel):
    """A model of a result; members without a value are left out."""

    model_config = ConfigDict(extra="forbid")


class WordPlace(_Result):
    """A place in the original."""

    kind: Literal["page", "source", "text", "part"]
    page: int | None = Field(default=None, description="page or slide, from 1")
    page_label: str | None = Field(default=None, description="the number printed on the page")
    boxes: list[list[float]] | None = Field(
        default=None,
        description="x0, top, x1, bottom of each line, in points from the page's top left",
    )
    line: int | None = None
    column: int | None = None
    paragraph: int | None = None
    element: str | None = Field(default=None, description="path of the element in the HTML source")
    part: str | None = Field(default=None, description="the file inside the container")


class CitedPlace(_Result):
    """Some words of a document, by their handle."""

    cite: str = Field(description=_CITE)
    document: str = Field(description="its name")
    page: int | None = Field(default=None, description="page or slide, from 1")
    page_label: str | None = Field(default=None, description="the number printed on the page")
    line: int | None = Field(default=None, description="of a plain text, from 1")
    heading: str | None = None


class AnswerQuote(CitedPlace):
    """An answer: exact words of a document."""

    quote: str = Field(description="the exact words")
    score: float = Field(description="in 0 to 1")
    calibrated: bool = Field(description="whether the score is the probability of being right")
    collection: str | None = None
    context: str = Field(description="the sentence around them, with single spaces")
    locations: list[WordPlace] = []
    occurrences: list[CitedPlace] = Field(
        default=[], description="further places of the same words"
    )


class AskResult(_Result):
    """The answers to a question, best first, and the passages that were read for them."""

    answers: list[AnswerQuote]
    read: int = Field(description="passages read")
    of: int = Field(description="passages in all")
    complete: bool = Field(description="false where time ran out before all was read")
    notes: list[str] = Field(default=[], description="documents that were not asked, and why")


class PassageHit(CitedPlace):
    """A passage of a document."""

    text: str = Field(description="its words, at most 700 characters")
    is_cut: bool = Field(description="whether it has more; read it by its cite")
    score: float = Field(description="of the search, BM25")
    collection: str | None = None


class SearchResult(_Result):
    """The passages that rank best for words, best first."""

    passages: list[PassageHit]
    notes: list[str] = []


class QuoteHit(CitedPlace):
    """A place where words stand."""

    quote: str = Field(description="the words as they stand there")
    context: str = Field(description="what stands around them, with single spaces")
    locations: list[WordPlace] = []


class QuoteResult(_Result):
    """The places where words stand; without any, the text that is most like them."""

    places: list[QuoteHit]
    nearest: QuoteHit | None = None
    likeness: float | None = Field(default=None, description="of the nearest text, in 0 to 1")
    differences: list[str] = []
    complete: bool = Field(description="false where time ran out before all was looked at")
    notes: list[str] = []


class CheckedQuote(_Result):
    """The outcome of checking one quote."""

    outcome: Literal["exact", "elsewhere", "altered", "missing", "unknown"] = Field(
        description="exact: stands at the cite. elsewhere: stands at found. altered: found has "
        "other words that are like it. missing: nothing in the document is like it. unknown: the "
        "document is not here"
    )
    cite: str = Field(description="as given")
    quote: str = Field(description="as given; of a long one the beginning and the end")
    found: list[QuoteHit] = Field(
        default=[], description="where the words stand, or those like them"
    )
    differences: list[str] = []
    reason: str = ""


class VerifyResult(_Result):
    """The outcomes, in order of the citations."""

    outcomes: list[CheckedQuote]


class ReadResult(CitedPlace):
    """A stretch of a document's text."""

    text: str = Field(description="the exact text, at most 8,000 characters")
    start: int
    end: int
    characters: int = Field(description="of the whole text")
    more: str | None = Field(default=None, description="the cite by which reading goes on")


class ShowResult(_Result):
    """The picture of a page, which is in an image block."""

    document: str
    page: int
    page_label: str | None = None
    width: int = Field(description="pixels")
    height: int = Field(description="pixels")
    marks: list[list[float]] = Field(
        default=[], description="x0, top, x1, bottom of each marked line, in pixels of the picture"
    )
    cite: str | None = None


class DocumentRow(_Result):
    """A document that can be asked."""

    name: str
    id: str | None = Field(default=None, description="stays the same as long as the file does")
    collection: str | None = None
    title: str | None = None
    pages: int | None = None
    is_open: bool = True
    warnings: list[str] = []


class ListResult(_Result):
    """Documents and collections that can be named."""

    documents: list[DocumentRow]
    collections: list[str] = []
    total: int
    cursor: str | None = Field(default=None, description="gives the next documents")


def word_places(locations: Iterable[Location]) -> list[WordPlace]:
    """Return places as the results have them; rectangles to a hundredth of a point."""
    return [_place(each) for each in locations]


def _place(place: Location) -> WordPlace:
    if isinstance(place, PageLocation):
        boxes = None
        if place.boxes is not None:
            boxes = [
                [round(n, 2) for n in (box.x0, box.top, box.x1, box.bottom)] for box in place.boxes
            ]
        return WordPlace(
            kind="page", page=place.page_number, page_label=place.page_label, boxes=boxes
        )
    if isinstance(place, PartLocation):
        return WordPlace(
            kind="part", page=place.slide_number, paragraph=place.paragraph, part=place.part
        )
    if isinstance(place, SourceLocation):
        return WordPlace(kind="source", element=place.css_path, part=place.part)
    return WordPlace(kind="text", line=place.line, column=place.column, part=place.part)


def cited_place(
    document_id: str,
    name: str,
    span: Span,
    locations: Iterable[Location] = (),
    heading: str | None = None,
) -> dict[str, Any]:
    """Return the members of a `CitedPlace`."""
    first = next(iter(word_places(locations)), None)
    return {
        "cite": short_handle(document_id, span),
        "document": name,
        "page": first and first.page,
        "page_label": first and first.page_label,
        "line": first and first.line,
        "heading": heading,
    }
