"""Documents: sent as raw bytes, listed, looked at and forgotten."""

from __future__ import annotations

from functools import partial
from typing import Any
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response

from docqa.server.backend import Backend, Held
from docqa.server.endpoints import BINARY, JSON, Call, Endpoint, Reply
from docqa.server.jobs import Job, Jobs
from docqa.server.payloads import Digits
from docqa.server.problems import Problem
from docqa.server.replies import DocumentList, DocumentModel, JobModel, PageModel
from docqa.server.uploads import received
from docqa.server.wire import document_record, shown_name

__all__ = ["ID", "accepted", "disposition", "document_endpoints", "job_links", "sent_type"]

ID = {"document_id": {"type": "string", "pattern": "^[0-9a-f]{64}$"}}
_PAGE = {**ID, "number": {"type": "integer", "minimum": 1, "maximum": 1_000_000}}
_AT = "/v1/documents/{document_id}"
_PASSWORD = {"X-Docqa-Password": "Opens an encrypted PDF"}
_SENT = {
    **_PASSWORD,
    "Prefer": "respond-async answers at once with a job, which loads the document",
}
# A document is sent from a sandbox: no script, nothing fetched, no access to the server's pages.
_VIEW_POLICY = (
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:; "
    "frame-ancestors 'self'"
)


class _Named(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str = Field(default="", max_length=1000, description="shown; its ending tells the format")


class _Stretch(BaseModel):
    model_config = ConfigDict(extra="forbid")

    start: Digits = Field(default=0, ge=0, le=10**12)
    end: Digits | None = Field(default=None, ge=0, le=10**12)


class _Scaled(BaseModel):
    model_config = ConfigDict(extra="forbid")

    scale: Digits = Field(default=150, ge=25, le=400, description="pixels per 100 points")


def document_endpoints(backend: Backend, jobs: Jobs) -> list[Endpoint]:
    """Return the endpoints of documents."""

    async def add(call: Call[_Named, Any]) -> Response:
        return await taken(call, None)

    async def put(call: Call[_Named, Any]) -> Response:
        return await taken(call, call.path["document_id"])

    async def taken(call: Call[_Named, Any], expected: str | None) -> Response:
        headers = call.request.headers
        name = shown_name(call.query.name)
        media_type = sent_type(headers.get("content-type", ""))
        async with received(call.request) as upload:
            if expected is not None and upload.sha256 != expected:
                raise Problem(
                    409,
                    "hash-differs",
                    f"the body has the SHA-256 {upload.sha256}, not that of its address",
                )
            known = backend.known(upload.sha256)
            if known is not None:
                return JSON(document_record(known.document, known.name), 200)
            data = upload.read()
        load = partial(
            backend.load, data, name, media_type=media_type, password=headers.get("x-docqa-password")
        )
        if "respond-async" in headers.get("prefer", "").lower():

            async def work(job: Job) -> str:
                return f"documents/{(await load(job.report)).document.id}"

            return accepted(jobs.start("load", name, work), call.request)
        held = await load()
        record = document_record(held.document, held.name)
        at = {} if expected else {"Location": f"documents/{held.document.id}"}
        return JSON(record, 201, headers=at)

    async def listed(call: Call[Any, Any]) -> Response:
        records = [document_record(each.document, each.name) for each in backend.documents()]
        return JSON({"documents": records})

    async def one(call: Call[Any, Any]) -> Response:
        held = backend.held(call.path["document_id"])
        return JSON(document_record(held.document, held.name))

    async def drop(call: Call[Any, Any]) -> Response:
        backend.drop(call.path["document_id"])
        return Response(status_code=204)

    async def text(call: Call[_Stretch, Any]) -> Response:
        held = backend.held(call.path["document_id"])
        whole, query = held.document.text, call.query
        end = len(whole) if query.end is None else query.end
        if not query.start <= end <= len(whole):
            raise Problem(
                416,
                "outside",
                f"the text has {len(whole):,} characters; start and end lie in it, in this order",
            )
        return Response(
            whole[query.start : end].encode("utf-8", "replace"),
            media_type="text/plain; charset=utf-8",
        )

    async def original(call: Call[Any, Any]) -> Response:
        held = backend.held(call.path["document_id"])
        kind = held.document.media_type
        headers = {
            "Content-Disposition": disposition(held.name, inline=kind == "application/pdf"),
            "Content-Security-Policy": _VIEW_POLICY,
        }
        return Response(await backend.original(held), media_type=kind, headers=headers)

    async def view(call: Call[Any, Any]) -> Response:
        held = backend.held(call.path["document_id"])
        headers = {"Content-Security-Policy": _VIEW_POLICY}
        return Response(await backend.view(held), media_type="text/html", headers=headers)

    async def page(call: Call[Any, Any]) -> Response:
        held, number = _page_of(backend, call)
        return JSON(await backend.page(held, number))

    async def picture(call: Call[_Scaled, Any]) -> Response:
        held, number = _page_of(backend, call)
        tag = f'"{held.document.id[:16]}-{number}-{call.query.scale}"'
        headers = {"ETag": tag, "Cache-Control": "private, max-age=31536000, immutable"}
        if tag in call.request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        jpeg = await backend.picture(held, number, scale=call.query.scale / 100)
        return Response(jpeg, media_type="image/jpeg", headers=headers)

    json_of = "application/json"
    known = {200: Reply("The document", {json_of: DocumentModel}, links=_links("$response.body#/id"))}
    sent = {
        201: Reply("It is loaded now", {json_of: DocumentModel}, links=_links("$response.body#/id")),
        200: Reply("The server had it", {json_of: DocumentModel}, links=_links("$response.body#/id")),
        202: Reply("A job loads it", {json_of: JobModel}, links=job_links()),
    }
    return [
        Endpoint(
            "POST",
            "/v1/documents",
            "add_document",
            "Send a document as raw bytes",
            add,
            sent,
            query=_Named,
            body=BINARY,
            headers=_SENT,
            problems=(415,),
        ),
        Endpoint(
            "GET",
            "/v1/documents",
            "list_documents",
            "List the documents that the server holds",
            listed,
            {200: Reply("The documents", {json_of: DocumentList})},
        ),
        Endpoint(
            "PUT",
            _AT,
            "put_document",
            "Send a document under the SHA-256 of its bytes; sending it again changes nothing",
            put,
            sent,
            path_schemas=ID,
            query=_Named,
            body=BINARY,
            headers=_SENT,
            problems=(409, 415),
        ),
        Endpoint(
            "GET", _AT, "get_document", "Describe a document", one, known, ID, problems=(404,)
        ),
        Endpoint(
            "DELETE",
            _AT,
            "drop_document",
            "Forget a document",
            drop,
            {204: Reply("It is forgotten")},
            ID,
            problems=(404,),
        ),
        Endpoint(
            "GET",
            f"{_AT}/text",
            "document_text",
            "Return the text that is read, or half-open characters of it",
            text,
            {200: Reply("The text", {"text/plain": {"type": "string"}})},
            ID,
            _Stretch,
            problems=(404, 416),
        ),
        Endpoint(
            "GET",
            f"{_AT}/original",
            "document_original",
            "Return the bytes that were sent",
            original,
            {200: Reply("The bytes", {"*/*": {"type": "string"}})},
            ID,
            problems=(404,),
        ),
        Endpoint(
            "GET",
            f"{_AT}/view",
            "document_view",
            "Return a document that is no PDF as a page, without script, for a sandboxed frame",
            view,
            {200: Reply("The page", {"text/html": {"type": "string"}})},
            ID,
            problems=(404,),
        ),
        Endpoint(
            "GET",
            f"{_AT}/pages/{{number:int}}",
            "get_page",
            "Describe a page of a PDF: its size, and its lines with their rectangles",
            page,
            {200: Reply("The page", {json_of: PageModel})},
            _PAGE,
            problems=(404,),
        ),
        Endpoint(
            "GET",
            f"{_AT}/pages/{{number:int}}.jpg",
            "page_picture",
            "Draw a page of a PDF",
            picture,
            {
                200: Reply("The picture", {"image/jpeg": {"type": "string"}}),
                304: Reply("The client has it"),
            },
            _PAGE,
            _Scaled,
            problems=(404,),
        ),
    ]


def _page_of(backend: Backend, call: Call[Any, Any]) -> tuple[Held, int]:
    held, number = backend.held(call.path["document_id"]), call.path["number"]
    document = held.document
    if document.media_type != "application/pdf":
        raise Problem(422, "no-pages", f"{held.name} is no PDF, and only pages of PDFs are drawn")
    if not 1 <= number <= len(document.pages):
        last = len(document.pages)
        raise Problem(404, "no-page", f"{held.name} has no page {number}: pages are 1 to {last}")
    return held, number


def sent_type(header: str) -> str | None:
    """Return the media type that a client states on purpose; None leaves it to the bytes.

    What programs send for any file says nothing.
    """
    kind = header.partition(";")[0].strip().lower()
    vague = {"", BINARY, "application/x-www-form-urlencoded", "multipart/form-data"}
    return None if kind in vague or kind.endswith("/*") else kind


def disposition(name: str, *, inline: bool = False) -> str:
    """Return the header Content-Disposition of a file (RFC 6266)."""
    how = "inline" if inline else "attachment"
    plain = "".join(c if c.isascii() and c.isprintable() and c not in '"\\%' else "_" for c in name)
    return f"{how}; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def accepted(job: Job, request: Request) -> Response:
    """Return the response of a job that began, with its address relative to the request's."""
    depth = request.scope["path"].count("/") - 2  # below /v1/
    return JSON(job.record(), 202, headers={"Location": f"{'../' * depth}jobs/{job.id}"})


def _links(value: str) -> dict[str, Any]:
    names = "get_document", "document_text", "document_view", "drop_document"
    return {
        name: {"operationId": name, "parameters": {"document_id": value}} for name in names
    } | {
        "get_page": {"operationId": "get_page", "parameters": {"document_id": value, "number": 1}},
        "page_picture": {
            "operationId": "page_picture",
            "parameters": {"document_id": value, "number": 1},
        },
    }


def job_links() -> dict[str, Any]:
    """Return the links from a job to looking at it and to its end."""
    parameters = {"job_id": "$response.body#/id"}
    return {
        name: {"operationId": name, "parameters": parameters} for name in ("get_job", "cancel_job")
    }
