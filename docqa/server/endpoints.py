"""Endpoints in one table, from which the routes and the description in OpenAPI are both made."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar, cast

from pydantic import BaseModel, ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from docqa.server.problems import MEDIA_TYPE, Problem

__all__ = ["BINARY", "header", "Exchange", "Endpoint", "Reply", "problem_response", "routes_of"]

BINARY = "application/octet-stream"
_Result = TypeVar("_Result")
Query = TypeVar("Query", bound=BaseModel)
Body = TypeVar("Body", bound=BaseModel)


def header(words: str, pattern: str = "^[ -~]*$") -> dict[str, Any]:
    """Return the schema of a header."""
    return {"type": "string", "maxLength": 1024, "pattern": pattern, "description": words}


@dataclass(frozen=True, slots=True)
class Exchange(Generic[Query, Body]):
    """One request with its checked parameters.

    Attributes:
        request: of Starlette.
        path: the parameters in the path.
        query: the parameters behind the path.
        body: of JSON, checked.
    """

    request: Request
    path: Mapping[str, Any]
    query: Query
    body: Body


Handler = Callable[[Exchange[Any, Any]], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Reply:
    """One response that an endpoint gives.

    Attributes:
        words: a sentence for the description.
        content: by media type, the model or the JSON schema; empty for no body.
        links: by name, links of OpenAPI to endpoints that take a value of this response.
    """

    words: str
    content: Mapping[str, type[BaseModel] | dict[str, Any]] = field(default_factory=dict)
    links: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One method of one path.

    Attributes:
        method, path: such as ``"GET"`` and ``"/v1/documents/{document_id}"``.
        name: its unique name, which generated clients use.
        summary: a sentence for the description.
        handler: answers the call.
        replies: the responses by status, other than problems.
        path_schemas: the schema of each parameter in the path.
        query: the parameters behind the path.
        body: a model of JSON; ``BINARY`` for raw bytes; None for no body.
        raw: a model of JSON that the handler checks itself.
        headers: the schemas of further headers of the request, each with a pattern.
        problems: statuses of problems besides those that any request may meet.
        shows: a model that schemas of the replies name.
        is_open: for callers without a token too.
    """

    method: str
    path: str
    name: str
    summary: str
    handler: Handler
    replies: Mapping[int, Reply]
    path_schemas: Mapping[str, dict[str, Any]] = field(default_factory=dict)
    query: type[BaseModel] | None = None
    body: type[BaseModel] | str | None = None
    raw: type[BaseModel] | None = None
    headers: Mapping[str, dict[str, Any]] = field(default_factory=dict)
    problems: tuple[int, ...] = ()
    shows: type[BaseModel] | None = None
    is_open: bool = False

    async def __call__(self, request: Request) -> Response:
        """Check a request and answer it.

        Raises:
            Problem: a parameter or the body is not as the description says.
        """
        query = body = None
        for name, schema in self.headers.items():
            value = request.headers.get(name)
            if value is not None and not re.search(schema["pattern"], value, re.ASCII):
                detail = f"the header {name} is not as described: {schema['description']}"
                raise Problem(422, "request", detail)
        if self.query is not None:
            query = _checked(self.query, _query_values(request), "the parameters")
        elif request.query_params:
            raise Problem(422, "request", "the endpoint takes no parameters behind a question mark")
        if isinstance(self.body, type):
            body = _checked(self.body, await json_body(request), "the body")
        return await self.handler(
            Exchange(request, request.path_params, cast(Any, query), cast(Any, body))
        )


def routes_of(endpoints: Iterable[Endpoint]) -> list[Route]:
    """Return one route for each path, which says of a wrong method the right ones."""
    by_path: dict[str, dict[str, Endpoint]] = {}
    for endpoint in endpoints:
        by_path.setdefault(endpoint.path, {})[endpoint.method] = endpoint
    return [_route(path, methods) for path, methods in by_path.items()]


def _route(path: str, methods: dict[str, Endpoint]) -> Route:
    async def dispatch(request: Request) -> Response:
        method = "GET" if request.method == "HEAD" else request.method
        request.scope["docqa.route"] = path
        return await methods[method](request)

    return Route(path, dispatch, methods=list(methods))


async def json_body(request: Request) -> Any:
    """Return the body of a request as plain values.

    Raises:
        Problem: it is no JSON.
    """
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json" and not media_type.endswith("+json"):
        raise Problem(415, "media-type", "the body is JSON; send Content-Type: application/json")
    body = await request.body()
    try:
        value = json.loads(body, parse_constant=_refuse)
        if b"\\u" in body:  # half a character, which no tokenizer takes
            json.dumps(value, ensure_ascii=False).encode()
        return value
    except (ValueError, RecursionError) as error:
        raise Problem(422, "request", f"the body is no JSON: {_first_line(error)}") from None


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no number of JSON")


def _first_line(error: Exception) -> str:
    return "it is nested too deeply" if isinstance(error, RecursionError) else str(error)


def _query_values(request: Request) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, value in request.query_params.multi_items():
        if name in values:
            raise Problem(422, "request", f"the parameter {name[:40]!r} is given twice")
        values[name] = value
    return values


def _checked(model: type[BaseModel], values: Any, where: str) -> BaseModel:
    try:
        return model.model_validate(values)
    except ValidationError as error:
        faults = [
            {"at": ".".join(map(str, fault["loc"])), "message": fault["msg"]}
            for fault in error.errors(include_url=False, include_context=False, include_input=False)
        ][:20]
        first = faults[0]
        at = f" at {first['at'][:80]}" if first["at"] else ""
        message = f"{where}{at}: {first['message']}"
        raise Problem(422, "request", message, errors=faults) from None


def problem_response(problem: Problem) -> Response:
    """Return the response of a problem."""
    return Response(problem.body(), problem.status, headers=problem.headers, media_type=MEDIA_TYPE)


def not_served(error: HTTPException, request: Request) -> Problem:
    """Return the problem of a path or a method that is not served."""
    if error.status_code == 405:
        allowed = (error.headers or {}).get("Allow", "")
        detail = f"the endpoint takes {allowed}, not {request.method[:20]}"
        return Problem(405, "method", detail, headers=error.headers)
    if error.status_code == 404:
        return Problem(404, "not-found", "there is no such address; /openapi.json lists them")
    return Problem(error.status_code, "http", str(error.detail), headers=error.headers)


class JSON(JSONResponse):
    """A response of JSON with every character that is no control as itself."""

    def render(self, content: Any) -> bytes:
        """Return the bytes of the response."""
        return json.dumps(content, ensure_ascii=False, allow_nan=False).encode(
            "utf-8", "backslashreplace"
        )


async def unless_gone(request: Request, work: Awaitable[_Result]) -> _Result:
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
