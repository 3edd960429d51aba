"""Counts and times of the server in the form of Prometheus, with a fixed set of labels."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping

from prometheus_client import CollectorRegistry, Counter, Histogram, Metric, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["CONTENT_TYPE", "Metrics"]

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4


class Metrics:
    """The counts of one server; labels are routes and statuses, never paths or names.

    Args:
        status: gives the numbers of the service.
    """

    def __init__(self, status: Callable[[], Mapping[str, float]]) -> None:
        self.registry = CollectorRegistry()
        self.registry.register(_Numbers(status))
        self._requests = Counter(
            "docqa_http_requests",
            "Requests by route and status",
            ("route", "status"),
            registry=self.registry,
        )
        self._seconds = Histogram(
            "docqa_http_seconds",
            "Seconds from the head of a request to the end of its response",
            ("route",),
            registry=self.registry,
        )

    def count(self, route: str, status: int, seconds: float) -> None:
        """Count one request."""
        self._requests.labels(route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def text(self) -> bytes:
        """Return everything counted, as Prometheus reads it."""
        return generate_latest(self.registry)


class _Numbers(Collector):
    """The numbers of a service at the time at which they are asked for."""

    def __init__(self, status: Callable[[], Mapping[str, float]]) -> None:
        self._status = status

    def collect(self) -> Iterator[Metric]:
        """Yield each number."""
        for name, value in self._status().items():
            yield GaugeMetricFamily(f"docqa_{name}", name.replace("_", " ").capitalize(), value)


class Counted:
    """An ASGI application whose requests are counted."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self.app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request and count it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began, status = time.perf_counter(), 499  # the client left before an answer

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, noting)
        finally:
            route = scope.get("docqa.route", "other")
            self._metrics.count(route, status, time.perf_counter() - began)
