"""Health, counts, and the cookie of the page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from starlette.responses import Response

from docqa.server.endpoints import JSON, Endpoint, Exchange, Reply
from docqa.server.guard import cookie_name, cookie_value
from docqa.server.metrics import CONTENT_TYPE, Metrics
from docqa.server.problems import Problem
from docqa.server.replies import Health
from docqa.server.settings import ServerSettings

__all__ = ["counts", "health", "session"]


def health(not_ready: Callable[[], str]) -> list[Endpoint]:
    """Return the endpoints of health.

    Args:
        not_ready: gives the reason for which no request is answered now; ``""`` for none.
    """

    async def live(call: Exchange[Any, Any]) -> Response:
        return JSON({"status": "alive"})

    async def ready(call: Exchange[Any, Any]) -> Response:
        if reason := not_ready():
            raise Problem(503, "not-ready", reason, headers={"Retry-After": "1"})
        return JSON({"status": "ready"})

    said = {200: Reply("It is", {"application/json": Health})}
    return [
        Endpoint("GET", "/livez", "live", "Say that the process runs", live, said, is_open=True),
        Endpoint(
            "GET",
            "/readyz",
            "ready",
            "Say whether requests are answered",
            ready,
            said,
            is_open=True,
        ),
    ]


def counts(metrics: Metrics) -> Endpoint:
    """Return the endpoint of the counts."""

    async def text(call: Exchange[Any, Any]) -> Response:
        return Response(metrics.text(), headers={"content-type": CONTENT_TYPE})

    content = {"text/plain": {"type": "string"}}
    said = {200: Reply("The counts, as Prometheus reads them", content)}
    return Endpoint("GET", "/metrics", "metrics", "Return counts and times", text, said)


def session(settings: ServerSettings) -> Endpoint:
    """Return the endpoint that gives a browser the cookie, for the token that it sends."""

    async def open_session(call: Exchange[Any, Any]) -> Response:
        response = Response(status_code=204)
        if settings.token is not None:
            response.set_cookie(
                cookie_name(settings.token),
                cookie_value(settings.token),
                httponly=True,
                samesite="strict",
                secure=call.request.url.scheme == "https",
                path=f"{settings.root_path}/",
            )
        return response

    return Endpoint(
        "POST",
        "/v1/session",
        "open_session",
        "Give a browser that sends the token a cookie in its place",
        open_session,
        {204: Reply("The cookie is set, where the server asks for a token")},
    )
