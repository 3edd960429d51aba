"""Documents: sent as raw bytes, listed, looked at and forgotten."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import quote, unquote

from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response

from docqa.errors import SettingError
from docqa.server.endpoints import BINARY, JSON, Endpoint, Exchange, Reply, header
from docqa.server.lanes import Lane
from docqa.server.payloads import Digits
from docqa.server.problems import Problem
from docqa.server.replies import DocumentList, DocumentModel, JobModel, PageModel
from docqa.server.uploads import received
from docqa.server.wire import job_record
from docqa.service.documents import clean_name
from docqa.service.jobs import ServiceJob
from docqa.service.service import Service

__all__ = ["ID", "accepted", "disposition", "document_endpoints", "job_links", "sent_type"]

ID: dict[str, dict[str, Any]] = {"document_id": {"type": "string", "pattern": "^[0-9a-f]{64}$"}}
_PAGE: dict[str, dict[str, Any]] = {
    **ID,
    "number": {"type": "integer", "minimum": 1, "maximum": 1_000_000},
}
_AT = "/v1/documents/{document_id}"
_PASSWORD = {"X-Docqa-Password": header("opens an encrypted PDF; percent-encoded")}
_SENT = {
    **_PASSWORD,
    "Prefer": header("respond-async answers at once with a job, which loads the document"),
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
    end: Annotated[Digits, Field(ge=0, le=10**12)] | None = None


class _Scaled(BaseModel):
    model_config = ConfigDict(extra="forbid")

    scale: Digits = Field(default=150, ge=25, le=400, description="pixels per 100 points")


def document_endpoints(service: Service, loads: Lane, looks: Lane) -> list[Endpoint]:
    """Return the endpoints of documents.

    Args:
        service: holds them.
        loads: threads that load files.
        looks: threads that look into them.
    """

    async def add(call: Exchange[_Named, Any]) -> Response:
        return await taken(call, None)

    async def put(call: Exchange[_Named, Any]) -> Response:
        return await taken(call, call.path["document_id"])

    async def taken(call: Exchange[_Named, Any], expected: str | None) -> Response:
        headers = call.request.headers
        name = clean_name(call.query.name)
        chosen = {
            "media_type": sent_type(headers.get("content-type", "")),
            "password": unquote(headers.get("x-docqa-password", "")) or None,
        }
        async with received(call.request, service.new_file()) as upload:
            if expected is not None and upload.sha256 != expected:
                raise Problem(
                    409,
                    "hash-differs",
                    f"the body has the SHA-256 {upload.sha256}, not that of its address",
                )
            if "respond-async" in headers.get("prefer", "").lower():
                job = service.add_file_later(upload.path, name, **chosen)
                upload.keep()  # the job deletes it
                return accepted(job, call.request)
            record, is_new = await loads.run(service.add_file, upload.path, name, **chosen)
        at = {} if expected else {"Location": f"documents/{record.id}"}
        return JSON(record.to_dict(), 201 if is_new else 200, headers=at)

    async def listed(call: Exchange[Any, Any]) -> Response:
        return JSON({"documents": [each.to_dict() for each in service.documents()]})

    async def one(call: Exchange[Any, Any]) -> Response:
        record = await looks.run(service.document, call.path["document_id"])
        return JSON(record.to_dict())

    async def drop(call: Exchange[Any, Any]) -> Response:
        service.remove(call.path["document_id"])
        return Response(status_code=204)

    async def text(call: Exchange[_Stretch, Any]) -> Response:
        query = call.query
        try:
            words = await looks.run(service.text, call.path["document_id"], query.start, query.end)
        except SettingError as error:
            raise Problem(416, "outside", str(error)) from error
        return Response(words.encode("utf-8", "replace"), media_type="text/plain; charset=utf-8")

    async def original(call: Exchange[Any, Any]) -> Response:
        record = await looks.run(service.document, call.path["document_id"])
        data = await looks.run(service.original, record.id)
        is_pdf = record.media_type == "application/pdf"
        headers = {
            "Content-Disposition": disposition(record.name, inline=is_pdf),
            "Content-Security-Policy": _VIEW_POLICY,
        }
        return Response(data, headers={**headers, "Content-Type": record.media_type})

    async def view(call: Exchange[Any, Any]) -> Response:
        page = await looks.run(service.view_html, call.path["document_id"])
        headers = {"Content-Security-Policy": _VIEW_POLICY}
        return Response(page, media_type="text/html", headers=headers)

    async def page(call: Exchange[Any, Any]) -> Response:
        number = call.path["number"]
        found = await looks.run(service.page, call.path["document_id"], number)
        return JSON({**found.to_dict(), "picture": f"{number}.jpg"})

    async def picture(call: Exchange[_Scaled, Any]) -> Response:
        document_id, number = call.path["document_id"], call.path["number"]
        tag = f'"{document_id[:16]}-{number}-{call.query.scale}"'
        headers = {"ETag": tag, "Cache-Control": "private, max-age=31536000, immutable"}
        await looks.run(service.document, document_id)
        if tag in call.request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        scale = call.query.scale / 100
        jpeg = await looks.run(service.page_image, document_id, number, scale=scale)
        return Response(jpeg, media_type="image/jpeg", headers=headers)

    json_of = "application/json"
    known = {
        200: Reply("The document", {json_of: DocumentModel}, links=_links("$response.body#/id"))
    }
    sent = {
        201: Reply(
            "It is loaded now", {json_of: DocumentModel}, links=_links("$response.body#/id")
        ),
        200: Reply(
            "The server had it", {json_of: DocumentModel}, links=_links("$response.body#/id")
        ),
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


def accepted(job: ServiceJob, request: Request) -> Response:
    """Return the response of a job that began, with its address relative to the request's."""
    depth = request.scope["path"].count("/") - 2  # below /v1/
    return JSON(job_record(job), 202, headers={"Location": f"{'../' * depth}jobs/{job.id}"})


def _links(value: str) -> dict[str, Any]:
    names = "get_document", "document_text", "document_view", "drop_document"
    return {name: {"operationId": name, "parameters": {"document_id": value}} for name in names} | {
        "get_page": {
            "operationId": "get_page",
            "parameters": {"document_id": value, "number": "1"},
        },
        "page_picture": {
            "operationId": "page_picture",
            "parameters": {"document_id": value, "number": "1"},
        },
    }


def job_links() -> dict[str, Any]:
    """Return the links from a job to looking at it and to its end."""
    parameters = {"job_id": "$response.body#/id"}
    return {
        name: {"operationId": name, "parameters": parameters} for name in ("get_job", "cancel_job")
    }
