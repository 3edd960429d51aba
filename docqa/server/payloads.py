"""The words on the wire: models of JSON for requests and responses."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["ContractAnswer", "ContractRequest", "Health", "ProblemDetails"]


class _Reply(BaseModel):
    """A model of a response: every member is written."""

    model_config = ConfigDict(extra="forbid", json_schema_serialization_defaults_required=True)


class _Request(BaseModel):
    """A model of a request: members that it does not name are refused, and kinds not guessed."""

    model_config = ConfigDict(extra="forbid", strict=True)


class ProblemDetails(BaseModel):
    """A problem of RFC 9457: the reason why a request was not answered."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(description="urn:docqa: and the kind of the problem")
    title: str
    status: int
    detail: str = Field(description="one sentence: what, where, what to do next")
    limit: int | None = Field(default=None, description="the limit that was hit")
    option: str | None = Field(default=None, description="the option of docqa serve that helps")


class Health(_Reply):
    """The state of the server."""

    status: str


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


class ContractAnswer(_Reply):
    """One answer of the contract: a score, and half-open characters of the context."""

    score: float
    start: int
    end: int
    answer: str
