"""The ASGI application: every endpoint behind the guard, with the page at its root."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from docqa.errors import DocqaError
from docqa.mcp_server.door import AgentsDoor
from docqa.reader.requirements import is_installed
from docqa.server.endpoints import (
    JSON,
    Endpoint,
    Exchange,
    Reply,
    not_served,
    problem_response,
    routes_of,
)
from docqa.server.guard import Guard
from docqa.server.lanes import Lane
from docqa.server.metrics import Counted, Metrics
from docqa.server.openapi import described
from docqa.server.problems import Problem, problem_of
from docqa.server.routes.asking import asking_endpoints
from docqa.server.routes.collections import collection_endpoints, job_endpoints
from docqa.server.routes.documents import document_endpoints
from docqa.server.routes.health import counts, health, session
from docqa.server.routes.processing import processing
from docqa.server.routes.scoring import scoring
from docqa.server.settings import ServerSettings
from docqa.service.service import Service

__all__ = ["State", "create_app"]

_STATIC = Path(str(files("docqa.server") / "static"))
_TYPES = {
    ".html": "text/html",
    ".js": "text/javascript",
    ".css": "text/css",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".ico": "image/x-icon",
    ".webmanifest": "application/manifest+json",
}


@dataclass
class State:
    """The state of a server.

    Attributes:
        is_ending: it was asked to end.
        is_interrupted: by Ctrl-C, which waits for no request.
    """

    is_ending: bool = False
    is_interrupted: bool = False


def create_app(settings: ServerSettings, service: Service, state: State | None = None) -> ASGIApp:
    """Return the application of a server.

    Args:
        settings: of the server.
        service: answers; closed by whoever made it.
        state: says that the server is about to end.
    """
    metrics, state = Metrics(service.status), state or State()
    most = service.settings.queue_requests
    asks = Lane(most, waiting=0, words="questions")
    loads = Lane(service.settings.workers, waiting=16, words="documents to load")
    looks = Lane(8, waiting=200, words="looks into documents")
    waits = Lane(64, waiting=0, words="waits for jobs")

    def not_ready() -> str:
        if state.is_ending:
            return "the server is about to end"
        return "" if service.is_ready else "the reader is being loaded"

    table = [
        *document_endpoints(service, loads, looks),
        *asking_endpoints(service, asks, looks),
        *collection_endpoints(service, looks),
        *job_endpoints(service, waits),
        *scoring(service, asks),
        processing(service, loads),
        *health(not_ready),
        session(settings),
    ]
    if settings.metrics:
        table.append(counts(metrics))
    table.append(_description(table, settings))
    page = _page()
    door = AgentsDoor(service) if is_installed("mcp_types") else None
    app = Starlette(
        routes=[*routes_of(table), *page, *([Route("/mcp", door)] if door else [])],
        lifespan=door.lifespan if door else None,
        exception_handlers={
            Problem: _answered,
            DocqaError: _answered,
            HTTPException: _unserved,
            Exception: _answered,
        },
    )
    app.router.redirect_slashes = False  # it would copy the header Host into an address
    open_paths = {endpoint.path for endpoint in table if endpoint.is_open}
    open_paths |= {route.path for route in page}  # it asks for the token itself

    guard = Guard(
        app,
        settings,
        upload_bytes=service.settings.upload_bytes,
        is_open=open_paths.__contains__,
    )
    return Counted(guard, metrics)


def _description(table: list[Endpoint], settings: ServerSettings) -> Endpoint:
    async def description(call: Exchange[Any, Any]) -> Response:
        return JSON(described(table, with_token=settings.token is not None))

    content = {"application/json": {"type": "object"}}
    return Endpoint(
        "GET",
        "/openapi.json",
        "description",
        "Return this description",
        description,
        {200: Reply("The description, in OpenAPI 3.1", content)},
        is_open=True,
    )


def _page() -> list[Route]:
    """Return a route for each file of the page; no name from outside reaches the file system."""
    found = {path.relative_to(_STATIC).as_posix(): path for path in _STATIC.rglob("*.*")}
    routes = [_file(f"/{name}", path) for name, path in found.items() if path.suffix in _TYPES]
    return [_file("/", _STATIC / "index.html"), *routes]


def _file(address: str, path: Path) -> Route:
    async def answer(request: Request) -> Response:
        request.scope["docqa.route"] = address
        headers = {"Cache-Control": "no-cache"}  # asked again each time: 304 where it is the same
        return FileResponse(path, media_type=_TYPES[path.suffix], headers=headers)

    return Route(address, answer)


async def _answered(request: Request, error: Exception) -> Response:
    return problem_response(problem_of(error))


async def _unserved(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return problem_response(not_served(error, request))
