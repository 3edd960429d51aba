"""The external document loader of Open WebUI: a document in, its pages of text out."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

from starlette.responses import Response

from docqa.errors import LoadError
from docqa.server.backend import Backend, Held
from docqa.server.endpoints import BINARY, JSON, Call, Endpoint, Reply
from docqa.server.problems import problem_of
from docqa.server.replies import ProcessedPage
from docqa.server.routes.documents import sent_type
from docqa.server.uploads import received
from docqa.server.wire import shown_name

__all__ = ["processing"]

_PAGES = {"type": "array", "items": {"$ref": f"#/components/schemas/{ProcessedPage.__name__}"}}


def processing(backend: Backend) -> Endpoint:
    """Return the endpoint that Open WebUI sends documents to."""

    async def process(call: Call[Any, Any]) -> Response:
        headers = call.request.headers
        name = shown_name(unquote(headers.get("x-filename", "")))
        async with received(call.request) as upload:
            data = upload.read()
        try:
            held = await backend.load(
                data, name, media_type=sent_type(headers.get("content-type", ""))
            )
        except LoadError as error:
            problem = problem_of(error)
            return JSON({"detail": f"No extractable text: {problem.detail}"}, problem.status)
        return JSON(_pages(held, name))

    return Endpoint(
        "PUT",
        "/process",
        "process",
        "Return the text of a document page by page, as Open WebUI asks external loaders",
        process,
        {200: Reply("The pages", {"application/json": _PAGES})},
        body=BINARY,
        headers={"X-Filename": "The document's name, percent-encoded"},
        problems=(415,),
        shows=ProcessedPage,
    )


def _pages(held: Held, name: str) -> list[dict[str, Any]]:
    document = held.document
    if not document.pages:
        return [_page(document.text, name, 1, "1", document.id)]
    return [
        _page(words, name, page.number, page.label or str(page.number), document.id)
        for page in document.pages
        if (words := page.span.of(document.text)).strip()
    ]


def _page(words: str, name: str, page: int, label: str, document_id: str) -> dict[str, Any]:
    place = {"source": name, "page": page, "page_label": label, "document_id": document_id}
    return {"page_content": words, "metadata": place}
