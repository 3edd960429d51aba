"""Questions, searches, places, citations, and files of answers."""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import AsyncIterator, Coroutine
from contextlib import suppress
from typing import Any, TypeVar

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from docqa.outcome_records import CSV_COLUMNS, csv_line, csv_rows, json_line, outcome_records
from docqa.server.backend import Backend, Outcome
from docqa.server.endpoints import JSON, Call, Endpoint, Reply
from docqa.server.payloads import (
    AskRequest,
    ExportRequest,
    LocateRequest,
    SearchRequest,
    VerifyRequest,
)
from docqa.server.problems import Problem, problem_of
from docqa.server.replies import AskItem, AskReply, LocateReply, SearchReply, VerifyReply
from docqa.server.routes.documents import disposition
from docqa.server.wire import item_record

__all__ = ["asking_endpoints", "unless_gone"]

NDJSON = "application/x-ndjson"
_T = TypeVar("_T")
_TIMEOUT = {"X-Request-Timeout": "Seconds that the answer may take, below the server's own limit"}


def asking_endpoints(backend: Backend, *, deadline_seconds: float) -> list[Endpoint]:
    """Return the endpoints that read, search and check.

    Args:
        backend: does it.
        deadline_seconds: the longest time that a request may ask for.
    """

    async def ask(call: Call[Any, AskRequest]) -> Response:
        seconds = seconds_of(call.request, deadline_seconds)
        outcomes = backend.ask(call.body, seconds=seconds)
        if NDJSON in call.request.headers.get("accept", ""):
            first = await unless_gone(call.request, anext(outcomes))
            return StreamingResponse(_lines(first, outcomes), media_type=NDJSON)
        return JSON({"items": await unless_gone(call.request, _records(outcomes))})

    async def search(call: Call[Any, SearchRequest]) -> Response:
        return JSON({"passages": await unless_gone(call.request, backend.search(call.body))})

    async def locate(call: Call[Any, LocateRequest]) -> Response:
        return JSON(await backend.locate(call.body))

    async def verify(call: Call[Any, VerifyRequest]) -> Response:
        return JSON({"outcomes": await unless_gone(call.request, backend.verify(call.body))})

    async def export(call: Call[Any, ExportRequest]) -> Response:
        seconds = seconds_of(call.request, deadline_seconds)
        return await unless_gone(call.request, _exported(backend, call.body, seconds))

    json_of = "application/json"
    files = {
        kind: {"type": "string"}
        for kind in ("text/csv", NDJSON, "text/html", "application/pdf")
    }
    return [
        Endpoint(
            "POST",
            "/v1/ask",
            "ask",
            "Ask questions of documents or of a collection; as NDJSON each outcome comes when found",
            ask,
            {200: Reply("The outcomes", {json_of: AskReply, NDJSON: AskItem})},
            body=AskRequest,
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


async def _records(outcomes: AsyncIterator[Outcome]) -> list[dict[str, Any]]:
    return [_record(each) async for each in outcomes]


def _record(outcome: Outcome) -> dict[str, Any]:
    return item_record(outcome.item, complete=outcome.complete, pages=outcome.pages)


async def _lines(first: Outcome, rest: AsyncIterator[Outcome]) -> AsyncIterator[str]:
    yield json_line(_record(first))
    try:
        async for each in rest:
            yield json_line(_record(each))
    except Exception as error:  # the response has begun: its last line says why it ends
        yield json.dumps(problem_of(error).record()) + "\n"


async def _exported(backend: Backend, asked: ExportRequest, seconds: float) -> Response:
    outcomes = [each async for each in backend.ask(asked, seconds=seconds)]
    items = [each.shown for each in outcomes]
    match asked.format:
        case "csv":
            rows = [CSV_COLUMNS, *(row for item in items for row in csv_rows(item))]
            return _file("".join(map(csv_line, rows)), "text/csv; charset=utf-8", "answers.csv")
        case "jsonl":
            records = (record for item in items for record in outcome_records(item))
            return _file("".join(map(json_line, records)), NDJSON, "answers.jsonl")
        case "report":
            page = await backend.report(outcomes)
            return _file(page, "text/html; charset=utf-8", "answers.html")
    data, name = await backend.marked_pdf(outcomes)
    return _file(data, "application/pdf", name)


def _file(content: str | bytes, kind: str, name: str) -> Response:
    headers = {"Content-Disposition": disposition(name), "Content-Security-Policy": "sandbox"}
    body = content.encode("utf-8", "replace") if isinstance(content, str) else content
    return Response(body, media_type=kind, headers=headers)


def seconds_of(request: Request, most: float) -> float:
    """Return the seconds that a request may take.

    Raises:
        Problem: the header names none.
    """
    given = request.headers.get("x-request-timeout")
    if given is None:
        return most
    try:
        seconds = float(given)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds < math.inf:
        raise Problem(422, "request", "X-Request-Timeout is a number of seconds above 0")
    return min(seconds, most)


async def unless_gone(request: Request, work: Coroutine[Any, Any, _T]) -> _T:
    """Return the result of some work; it is stopped when the client leaves.

    Raises:
        Problem: the client left.
    """
    task = asyncio.ensure_future(work)
    gone = asyncio.ensure_future(_gone(request))
    try:
        await asyncio.wait({task, gone}, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            return task.result()
        raise Problem(400, "client-left", "the client left before its answer")
    finally:
        for each in (task, gone):
            each.cancel()
        with suppress(asyncio.CancelledError, Exception):
            await task


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
