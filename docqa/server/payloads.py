"""The words of requests on the wire: models of JSON, and of parameters behind a question mark."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

__all__ = [
    "QuestionsRequest",
    "ContractRequest",
    "DocumentId",
    "Digits",
    "ExportRequest",
    "LocateRequest",
    "Name",
    "QuotedPlace",
    "SearchRequest",
    "VerifyRequest",
    "WhereModel",
]

MOST_QUESTIONS = 100  # of one request
MOST_DOCUMENTS = 1000


class _Request(BaseModel):
    """A model of a request: members that it does not name are refused, and kinds not guessed."""

    model_config = ConfigDict(extra="forbid", strict=True)


class QuestionAndContext(_Request):
    """A question and its context, or as many questions as contexts."""

    question: str | list[str]
    context: str | list[str]


class ContractRequest(_Request):
    """The request of hosted question-answering endpoints."""

    inputs: QuestionAndContext | None = None
    input_data: QuestionAndContext | None = None
    params: dict[str, Any] | None = None
    parameters: dict[str, Any] | None = None


DocumentId = Annotated[
    str, Field(pattern="^[0-9a-f]{64}$", description="SHA-256 of the document's bytes")
]
Question = Annotated[str, Field(min_length=1, max_length=2000)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]


def _digits(value: object) -> object:
    """Return a number behind a question mark; only digits are one."""
    if isinstance(value, str):
        if not re.fullmatch(r"[0-9]{1,12}", value, re.ASCII):
            raise ValueError("a whole number in digits is needed")
        return int(value)
    return value


def _whole(value: object) -> object:
    """Return a number as JSON Schema counts it: 3.0 is whole."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


Whole = Annotated[int, BeforeValidator(_whole)]
Digits = Annotated[int, BeforeValidator(_digits)]


class _Chosen(_Request):
    """The documents that a request is about: some by their ids, or a collection."""

    documents: list[DocumentId] | None = Field(
        default=None, min_length=1, max_length=MOST_DOCUMENTS
    )
    collection: Name | None = None


class WhereModel(_Request):
    """A filter of a collection's documents; every condition that is given must hold."""

    media_type: str | None = None
    title: str | None = None
    since: Whole | None = Field(default=None, description="seconds since 1970")
    until: Whole | None = Field(default=None, description="seconds since 1970")
    metadata: dict[str, str] | None = None


class QuestionsRequest(_Chosen):
    """Questions to documents or to a collection."""

    questions: list[Question] = Field(min_length=1, max_length=MOST_QUESTIONS)
    where: WhereModel | None = None
    top_k: Whole = Field(default=1, ge=1, le=100)
    min_score: float | None = Field(default=None, ge=0, le=1)
    top_passages: Annotated[Whole, Field(ge=1, le=100_000)] | None = None
    exhaustive: bool = False


class ExportRequest(QuestionsRequest):
    """Questions whose answers become a file."""

    format: Literal["csv", "jsonl", "report", "pdf"] = "csv"


class SearchRequest(_Chosen):
    """Words for which passages are ranked."""

    query: Question
    top_k: Whole = Field(default=10, ge=1, le=100)


class LocateRequest(_Request):
    """Half-open characters of a document's text."""

    document: DocumentId
    start: Whole = Field(ge=0, le=10**12)
    end: Whole = Field(ge=1, le=10**12)


class QuotedPlace(_Request):
    """A quotation with the short name of its place, as an answer's `cite` has it."""

    cite: Annotated[str, Field(pattern=r"^[0-9a-f]{12,64}#[0-9]{1,12}-[0-9]{1,12}$")]
    quote: str = Field(min_length=1, max_length=20_000)


class CitedText(BaseModel):
    """The document of a record."""

    model_config = ConfigDict(extra="allow", strict=True)

    id: DocumentId
    source: str


class AnswerRecord(BaseModel):
    """A record of an answer, as asking gave it."""

    model_config = ConfigDict(extra="allow", strict=True)

    answer: str = Field(min_length=1)
    start: Whole = Field(ge=0, le=10**12)
    end: Whole = Field(ge=1, le=10**12)
    document: CitedText


class VerifyRequest(_Request):
    """Citations: quotations with their places, or whole records of answers."""

    citations: list[QuotedPlace | AnswerRecord] = Field(min_length=1, max_length=1000)
