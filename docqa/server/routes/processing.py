"""The external document loader of Open WebUI: a document in, its pages of text out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from pydantic import BaseModel
from starlette.responses import Response

from docqa.errors import LoadError
from docqa.server.endpoints import BINARY, JSON, Endpoint, Exchange, Reply, header
from docqa.server.lanes import Lane
from docqa.server.problems import MEDIA_TYPE, problem_of
from docqa.server.replies import ProblemDetails, ProcessedPage
from docqa.server.routes.documents import sent_type
from docqa.server.uploads import received
from docqa.service.documents import clean_name
from docqa.service.service import Service

__all__ = ["processing"]

_PAGES = {"type": "array", "items": {"$ref": f"#/components/schemas/{ProcessedPage.__name__}"}}

_FAULT: Mapping[str, type[BaseModel] | dict[str, Any]] = {
    "application/json": {
        "type": "object",
        "required": ["detail"],
        "properties": {"detail": {"type": "string"}},
    },
    MEDIA_TYPE: {"$ref": f"#/components/schemas/{ProblemDetails.__name__}"},
}


def processing(service: Service, loads: Lane) -> Endpoint:
    """Return the endpoint that Open WebUI sends documents to.

    Args:
        service: holds them.
        loads: threads that load files.
    """

    async def process(call: Exchange[Any, Any]) -> Response:
        headers = call.request.headers
        name = clean_name(unquote(headers.get("x-filename", "")))
        kind = sent_type(headers.get("content-type", ""))
        try:
            async with received(call.request, service.new_file()) as upload:
                pages = await loads.run(_loaded, service, upload.path, name, kind)
        except LoadError as error:
            problem = problem_of(error)
            return JSON({"detail": f"No extractable text: {problem.detail}"}, problem.status)
        return JSON(pages)

    return Endpoint(
        "PUT",
        "/process",
        "process",
        "Return the text of a document page by page, as Open WebUI asks external loaders",
        process,
        {
            200: Reply("The pages", {"application/json": _PAGES}),
            415: Reply("Open WebUI takes another loader then", _FAULT),
            422: Reply("Open WebUI takes another loader then", _FAULT),
        },
        body=BINARY,
        headers={"X-Filename": header("the document's name, percent-encoded")},
        shows=ProcessedPage,
    )


def _loaded(service: Service, path: Path, name: str, kind: str | None) -> list[dict[str, Any]]:
    record, _ = service.add_file(path, name, media_type=kind)
    text, pages = service.text(record.id), service.pages(record.id)
    if not pages:
        return [_page(text, name, 1, "1", record.id)]
    return [
        _page(words, name, page.number, page.label or str(page.number), record.id)
        for page in pages
        if (words := page.span.of(text)).strip()
    ]


def _page(words: str, name: str, page: int, label: str, document_id: str) -> dict[str, Any]:
    place = {"source": name, "page": page, "page_label": label, "document_id": document_id}
    return {"page_content": words, "metadata": place}
