"""Questions, searches, places, citations, and files of answers."""

from __future__ import annotations

import json
import threading
from collections.abc import AsyncIterator, Iterator
from typing import Any

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from docqa.citations.records import handle
from docqa.datamodel import Page
from docqa.errors import DocqaError, SettingError
from docqa.index.contract import Where
from docqa.outcome_records import json_line
from docqa.server import wire
from docqa.server.endpoints import JSON, Endpoint, Exchange, Reply, header, unless_gone
from docqa.server.lanes import Lane
from docqa.server.payloads import (
    ExportRequest,
    LocateRequest,
    QuestionsRequest,
    SearchRequest,
    VerifyRequest,
)
from docqa.server.problems import Problem, problem_of
from docqa.server.replies import AskItem, AskReply, LocateReply, SearchReply, VerifyReply
from docqa.server.routes.documents import disposition
from docqa.service.requests import AskedItem, AskRequest
from docqa.service.service import Service

__all__ = ["asking_endpoints"]

NDJSON = "application/x-ndjson"
_SUFFIXES = {"csv": "csv", "jsonl": "jsonl", "report": "html", "pdf": "pdf"}
_TIMEOUT = {
    "X-Request-Timeout": header(
        "seconds that the answer may take, below the server's own limit",
        r"^[0-9]{1,6}(\.[0-9]{1,6})?$",
    )
}


def asking_endpoints(service: Service, asks: Lane, looks: Lane) -> list[Endpoint]:
    """Return the endpoints that read, search and check.

    Args:
        service: does it.
        asks: threads that wait for answers.
        looks: threads that look into documents.
    """

    async def ask(call: Exchange[Any, QuestionsRequest]) -> Response:
        asked = request_of(call)
        found = await asks.run(service.ask_items, asked)
        records = _records(service, asks, found, asked.stop)
        if NDJSON in call.request.headers.get("accept", ""):
            return StreamingResponse(_lines(records), media_type=NDJSON)
        return JSON({"items": await unless_gone(call.request, _all(records))})

    async def search(call: Exchange[Any, SearchRequest]) -> Response:
        return JSON({"passages": await looks.run(_searched, service, call.body)})

    async def locate(call: Exchange[Any, LocateRequest]) -> Response:
        return JSON(await looks.run(_located, service, call.body))

    async def verify(call: Exchange[Any, VerifyRequest]) -> Response:
        citations = [each.model_dump() for each in call.body.citations]
        checked = await looks.run(service.verify, citations)
        return JSON({"outcomes": [wire.verdict(each) for each in checked]})

    async def export(call: Exchange[Any, ExportRequest]) -> Response:
        kind, asked = call.body.format, request_of(call)
        try:
            made = asks.run(service.export, asked, kind)
            data, media_type = await unless_gone(call.request, made)
        finally:
            asked.stop.set()
        name = f"answers.{_SUFFIXES[kind]}"
        headers = {
            "Content-Disposition": disposition(name),
            "Content-Security-Policy": "sandbox; default-src 'none'; style-src 'unsafe-inline'; "
            "img-src data:",
            "Content-Type": media_type,
        }
        return Response(data, headers=headers)

    json_of = "application/json"
    files = {
        kind: {"type": "string"} for kind in ("text/csv", NDJSON, "text/html", "application/pdf")
    }
    return [
        Endpoint(
            "POST",
            "/v1/ask",
            "ask",
            "Ask documents or a collection; as NDJSON each outcome comes when it is found",
            ask,
            {200: Reply("The outcomes", {json_of: AskReply, NDJSON: AskItem})},
            body=QuestionsRequest,
            headers=_TIMEOUT,
            problems=(404, 409),
        ),
        Endpoint(
            "POST",
            "/v1/search",
            "search",
            "Rank the passages of documents or of a collection for words",
            search,
            {200: Reply("The passages", {json_of: SearchReply})},
            body=SearchRequest,
            problems=(404, 409),
        ),
        Endpoint(
            "POST",
            "/v1/locate",
            "locate",
            "Say where characters of a document's text stand in the original",
            locate,
            {200: Reply("The places", {json_of: LocateReply})},
            body=LocateRequest,
            problems=(404, 416),
        ),
        Endpoint(
            "POST",
            "/v1/verify",
            "verify",
            "Say of citations whether their words still stand at their places",
            verify,
            {200: Reply("The outcomes", {json_of: VerifyReply})},
            body=VerifyRequest,
            problems=(404,),
        ),
        Endpoint(
            "POST",
            "/v1/export",
            "export",
            "Ask, and return the answers as CSV, JSON lines, a report, or a marked PDF",
            export,
            {200: Reply("The file", files)},
            body=ExportRequest,
            headers=_TIMEOUT,
            problems=(404, 409),
        ),
    ]


def request_of(call: Exchange[Any, Any]) -> AskRequest:
    """Return the questions of a call as the service takes them.

    Raises:
        SettingError: it names documents and a collection.
    """
    body: QuestionsRequest = call.body
    where = Where() if body.where is None else Where(**body.where.model_dump(exclude_none=True))
    return AskRequest(
        tuple(body.questions),
        documents=tuple(dict.fromkeys(body.documents or ())),
        collection=body.collection,
        where=where,
        top_k=body.top_k,
        min_score=body.min_score,
        top_passages=body.top_passages,
        exhaustive=body.exhaustive,
        deadline=seconds_of(call.request),
    )


def seconds_of(request: Request) -> float | None:
    """Return the seconds that a request may take; None leaves them to the server."""
    given = request.headers.get("x-request-timeout")
    return None if given is None else max(0.001, float(given))


async def _records(
    service: Service, asks: Lane, found: Iterator[AskedItem], stop: threading.Event
) -> AsyncIterator[dict[str, Any]]:
    """Yield outcomes as they are found; the work stops when whoever takes them does."""
    pages: dict[str, tuple[Page, ...]] = {}
    try:
        while (record := await asks.run(_next_record, service, found, pages)) is not None:
            yield record
    finally:
        stop.set()


def _next_record(
    service: Service, found: Iterator[AskedItem], pages: dict[str, tuple[Page, ...]]
) -> dict[str, Any] | None:
    """Return the next outcome, or None at the end; its document may have to be loaded again."""
    item = next(found, None)
    if item is None:
        return None
    document = item.item.document
    if document is None:
        return wire.item_record(item)
    if document.id not in pages:
        pages[document.id] = _pages(service, document.id)
    return wire.item_record(item, pages[document.id])


def _pages(service: Service, document_id: str) -> tuple[Page, ...]:
    try:
        return service.pages(document_id)
    except DocqaError:  # removed meanwhile
        return ()


async def _all(records: AsyncIterator[dict[str, Any]]) -> list[dict[str, Any]]:
    return [each async for each in records]


async def _lines(records: AsyncIterator[dict[str, Any]]) -> AsyncIterator[str]:
    try:
        async for each in records:
            yield json_line(each)
    except Exception as error:  # the response has begun: its last line says why it ends
        yield json.dumps(problem_of(error).record()) + "\n"


def _searched(service: Service, asked: SearchRequest) -> list[dict[str, Any]]:
    found = service.search(
        asked.query,
        documents=tuple(dict.fromkeys(asked.documents or ())),
        collection=asked.collection,
        top_k=asked.top_k,
    )
    records = []
    for document_id, name, ranked in found:
        start = ranked.passage.span.start
        # Of a collection's document the file would have to be opened first.
        is_open = asked.collection is None
        places = service.locate(document_id, start, start + 1) if is_open else ()
        records.append(wire.passage_record(document_id, name, ranked, places))
    return records


def _located(service: Service, asked: LocateRequest) -> dict[str, Any]:
    record = service.document(asked.document)
    try:
        places = service.locate(asked.document, asked.start, asked.end)
    except SettingError as error:
        raise Problem(416, "outside", str(error)) from error
    located = wire.place_records(places, service.pages(asked.document))
    page = located[0].get("page_number")
    return {
        "document_id": record.id,
        "name": record.name,
        "start": asked.start,
        "end": asked.end,
        "text": service.text(asked.document, asked.start, asked.end),
        "cite": handle(record.id, asked.start, asked.end),
        "locations": located,
        "picture": None if page is None else f"documents/{record.id}/pages/{page}.jpg",
    }
