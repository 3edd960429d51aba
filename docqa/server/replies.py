"""The words of responses on the wire: models of JSON."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

__all__ = [
    "AnswerModel",
    "AskItem",
    "AskReply",
    "Rectangle",
    "CitedDocument",
    "CollectedList",
    "CollectedModel",
    "CollectionList",
    "CollectionModel",
    "ContractAnswer",
    "CoverageModel",
    "DocumentList",
    "DocumentModel",
    "FoundModel",
    "Health",
    "JobList",
    "JobModel",
    "LineModel",
    "LocateReply",
    "OccurrenceModel",
    "PageModel",
    "PagePlace",
    "PartPlace",
    "PassageModel",
    "ProblemDetails",
    "ProcessedMetadata",
    "ProcessedPage",
    "SearchReply",
    "SourcePlace",
    "Characters",
    "TextPlace",
    "VerifyOutcome",
    "VerifyReply",
    "DocumentWarning",
]


class _Reply(BaseModel):
    """A model of a response: every member is written."""

    model_config = ConfigDict(extra="forbid", json_schema_serialization_defaults_required=True)


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


class ContractAnswer(_Reply):
    """One answer of the contract: a score, and half-open characters of the context."""

    score: float
    start: int
    end: int
    answer: str


class Rectangle(_Reply):
    """A rectangle on the page as displayed, in points from its top left corner."""

    x0: float
    top: float
    x1: float
    bottom: float


class Characters(_Reply):
    """Half-open characters of a text."""

    start: int
    end: int


class PagePlace(_Reply):
    """A place on a page of a PDF, with the page's size."""

    kind: Literal["page"] = "page"
    page_number: int
    page_label: str | None
    label_origin: Literal["file", "printed"] | None
    boxes: list[Rectangle] | None
    ocr_confidence: float | None
    page_width: float | None
    page_height: float | None


class SourcePlace(_Reply):
    """A place in an HTML source."""

    kind: Literal["source"] = "source"
    span: Characters
    byte_span: Characters | None
    xpath: str
    css_path: str
    text_fragment: str | None
    dom_range: dict[str, Any] | None
    part: str | None


class TextPlace(_Reply):
    """A place in a plain text."""

    kind: Literal["text"] = "text"
    line: int
    column: int
    end_line: int
    span: Characters
    byte_span: Characters | None
    part: str | None


class PartPlace(_Reply):
    """A place in a part of an Office document."""

    kind: Literal["part"] = "part"
    part: str
    xpath: str
    paragraph: int
    span: Characters
    slide_number: int | None


Place = Annotated[PagePlace | SourcePlace | TextPlace | PartPlace, Field(discriminator="kind")]


class DocumentWarning(_Reply):
    """A fact about a document that its reader should know."""

    kind: str
    message: str
    page_number: int | None


class DocumentModel(_Reply):
    """A document that the server holds."""

    id: str
    name: str
    title: str | None
    media_type: str
    bytes: int
    pages: int
    characters: int
    warnings: list[DocumentWarning]
    added: float = Field(description="seconds since 1970")


class DocumentList(_Reply):
    """The documents that the server holds, the last used last."""

    documents: list[DocumentModel]


class CitedDocument(_Reply):
    """The document in which an answer stands."""

    id: str
    source: str = Field(description="the document's name, never a path of the server")
    title: str | None
    media_type: str
    extractor: str
    source_state: str | None


class OccurrenceModel(_Reply):
    """A further place where the same words were found."""

    start: int
    end: int
    score: float
    text: str
    cite: str
    locations: list[Place]
    target: dict[str, Any]


class AnswerModel(_Reply):
    """The exact words of a document that answer a question, with their exact place."""

    model_config = ConfigDict(extra="allow", json_schema_serialization_defaults_required=True)

    question: str
    answer: str
    score: float
    calibrated: bool
    start: int
    end: int
    cite: str = Field(description="a short name of the place: document id # start - end")
    page_number: int | None
    page_label: str | None
    line: int | None
    heading: str | None
    context: str
    context_start: int
    context_end: int
    document: CitedDocument
    locations: list[Place]
    occurrences: list[OccurrenceModel]
    target: dict[str, Any] = Field(description="a target of the W3C Web Annotation Data Model")


class CoverageModel(_Reply):
    """The number of passages that an outcome rests on."""

    passages_read: int
    passages_total: int


class AskItem(_Reply):
    """The outcome of one question to one document or to a collection."""

    question: str
    collection: str | None
    document: CitedDocument | None
    answers: list[AnswerModel]
    coverage: CoverageModel
    complete: bool = Field(description="false where time ran out before all was read")
    warnings: list[str]
    error: ProblemDetails | None


class AskReply(_Reply):
    """The outcomes, document by document and question by question."""

    items: list[AskItem]


class PassageModel(_Reply):
    """A passage with its rank, its place and its BM25 score."""

    document_id: str
    name: str
    number: int
    start: int
    end: int
    text: str
    rank: int
    score: float
    cite: str
    page_number: int | None = Field(description="null of a collection's passages")
    page_label: str | None


class SearchReply(_Reply):
    """The passages, best first."""

    passages: list[PassageModel]


class LocateReply(_Reply):
    """The places of some characters in the original."""

    document_id: str
    name: str
    start: int
    end: int
    text: str
    cite: str
    locations: list[Place]
    picture: str | None = Field(description="the address of the first page's picture, relative")


class FoundModel(_Reply):
    """A place where the words of a citation stand."""

    start: int
    end: int
    cite: str
    likeness: float = Field(description="how much the surroundings are alike, in 0 to 1")
    heading: str | None
    locations: list[Place]


class VerifyOutcome(_Reply):
    """The outcome of one citation."""

    status: Literal["exact", "moved", "ambiguous", "gone", "failed"]
    reason: str
    quote: str
    occurrence: int
    places: list[FoundModel]


class VerifyReply(_Reply):
    """The outcomes, in order of the citations; a record has one more for each occurrence."""

    outcomes: list[VerifyOutcome]


class LineModel(_Reply):
    """A line of a page: its characters, and its rectangles."""

    start: int
    end: int
    text: str
    boxes: list[Rectangle]


class PageModel(_Reply):
    """A page of a PDF: its size in points and its lines, the layer of text over its picture."""

    number: int
    label: str | None
    width: float
    height: float
    start: int
    end: int
    needs_ocr: bool
    picture: str
    lines: list[LineModel]


class CollectionModel(_Reply):
    """A collection of documents."""

    name: str
    documents: int
    pages: int
    passages: int
    characters: int
    failed: int
    folders: int
    changed: float | None = Field(description="seconds since 1970")
    reader: str


class CollectionList(_Reply):
    """The collections that the server was started with."""

    collections: list[CollectionModel]


class CollectedModel(_Reply):
    """A document of a collection."""

    id: str
    name: str
    title: str | None
    media_type: str
    pages: int
    passages: int
    characters: int
    indexed: float
    metadata: dict[str, str]
    warnings: list[str]


class CollectedList(_Reply):
    """The documents of a collection, in order of their names."""

    documents: list[CollectedModel]
    total: int


class JobModel(_Reply):
    """A piece of work that outlasts its request."""

    id: str
    kind: Literal["document", "sync", "export"]
    state: Literal["waiting", "running", "done", "failed", "cancelled"]
    done: int = Field(description="pages or files that are done")
    total: int | None = Field(description="pages or files in all; null while unknown")
    name: str = Field(description="the document or the collection that it is about")
    failures: list[str]
    problem: ProblemDetails | None
    result: str | None = Field(description="the address of the result, relative")


class JobList(_Reply):
    """The jobs, the oldest first."""

    jobs: list[JobModel]


class ProcessedMetadata(_Reply):
    """The place of a page of text, for Open WebUI."""

    source: str
    page: int
    page_label: str
    document_id: str


class ProcessedPage(_Reply):
    """A page of text, as Open WebUI takes it from external loaders."""

    page_content: str
    metadata: ProcessedMetadata
