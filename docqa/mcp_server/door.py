"""The server of agents as an address of an HTTP server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import anyio
from anyio.abc import TaskGroup, TaskStatus

from docqa.errors import ServiceError
from docqa.mcp_server.library import Library

if TYPE_CHECKING:
    from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
    from starlette.types import Receive, Scope, Send

    from docqa.service.service import Service

__all__ = ["AgentsDoor"]


class AgentsDoor:
    """An ASGI endpoint for agents; the SDK is imported with the first request.

    Whoever puts it into an application guards it: it checks neither token nor Host, and enters
    `lifespan` while the application runs.

    Args:
        service: answers; closed by whoever made it.
    """

    def __init__(self, service: Service) -> None:
        self._service = service
        self._group: TaskGroup | None = None
        self._manager: StreamableHTTPSessionManager | None = None

    @asynccontextmanager
    async def lifespan(self, app: Any) -> AsyncIterator[None]:
        """Let requests be answered inside."""
        self._opening = anyio.Lock()
        async with anyio.create_task_group() as group:
            self._group = group
            try:
                yield
            finally:
                self._group = self._manager = None
                group.cancel_scope.cancel()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request.

        Raises:
            ServiceError: the application does not run, or ends.
        """
        scope["docqa.route"] = "/mcp"
        if self._group is None:
            raise ServiceError("agents are answered while the server runs")
        async with self._opening:
            if self._manager is None:
                self._manager = await self._group.start(self._run)
        await self._manager.handle_request(scope, receive, send)

    async def _run(self, *, task_status: TaskStatus[StreamableHTTPSessionManager]) -> None:
        library = Library(self._service)
        try:
            manager = await anyio.to_thread.run_sync(_made, self._service, library)
            async with manager.run():
                task_status.started(manager)
                await anyio.sleep_forever()
        finally:
            library.close()


def _made(service: Service, library: Library) -> StreamableHTTPSessionManager:
    """Return the SDK's end of the door, without sessions: each request stands alone."""
    from mcp.server.transport_security import TransportSecuritySettings

    from docqa.mcp_server.server import create_server

    server = create_server(service, library)
    guarded = TransportSecuritySettings(enable_dns_rebinding_protection=False)
    server.streamable_http_app(stateless_http=True, transport_security=guarded)
    return server.session_manager
