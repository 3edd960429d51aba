"""The ASGI application: every endpoint behind the guard, with the page at its root."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from docqa.errors import DocqaError
from docqa.server.endpoints import (
    JSON,
    Call,
    Endpoint,
    Reply,
    not_served,
    problem_response,
    routes_of,
)
from docqa.server.guard import Guard
from docqa.server.metrics import Counted, Metrics
from docqa.server.openapi import described
from docqa.server.problems import Problem, problem_of
from docqa.server.routes.health import counts, health, session
from docqa.server.routes.scoring import scoring
from docqa.server.settings import ServerSettings

if TYPE_CHECKING:
    pass

__all__ = ["create_app"]

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


def create_app(settings: ServerSettings, *, score: Any, not_ready: Any) -> ASGIApp:
    """Return the application of a server.

    Args:
        settings: of the server.
        score: runs a function of a pipeline of `docqa.compat`.
        not_ready: gives the reason why no request can be answered now.
    """
    metrics = Metrics()
    table = [*scoring(score), *health(not_ready), session(settings)]
    if settings.metrics:
        table.append(counts(metrics))
    table.append(_description(table, settings))
    page = _page()
    app = Starlette(
        routes=[*routes_of(table), *page],
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

    return Counted(Guard(app, settings, is_open=open_paths.__contains__), metrics)


def _description(table: list[Endpoint], settings: ServerSettings) -> Endpoint:
    async def description(call: Call[Any, Any]) -> Response:
        return JSON(described(table, with_token=settings.token is not None))

    content = {"application/json": {"type": "object"}}
    endpoint = Endpoint(
        "GET",
        "/openapi.json",
        "description",
        "Return this description",
        description,
        {200: Reply("The description, in OpenAPI 3.1", content)},
        is_open=True,
    )
    return endpoint


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
