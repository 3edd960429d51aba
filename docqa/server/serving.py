"""A server that listens: uvicorn around the application."""

from __future__ import annotations

import asyncio
import signal
import socket
import threading
from types import FrameType

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from docqa.errors import SettingError
from docqa.server.app import State, create_app
from docqa.server.settings import HEADER_SECONDS, ServerSettings
from docqa.service.service import Service

__all__ = ["bound", "serve_until_ended"]


class _HurriedProtocol(H11Protocol):
    """A connection that is closed where the head of its first request does not come in time."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the clock."""
        super().connection_made(transport)
        self.loop.call_later(HEADER_SECONDS, self._close_idle)

    def _close_idle(self) -> None:
        if self.cycle is None and not self.transport.is_closing():
            self.transport.close()


def bound(settings: ServerSettings) -> socket.socket:
    """Return a socket that listens at the address of the settings.

    Raises:
        SettingError: the port is in use, or the address is none of this machine.
    """
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((settings.host, settings.port))
        listening.listen(1024)
    except (OSError, OverflowError) as error:
        listening.close()
        reason = getattr(error, "strerror", None) or str(error)
        raise SettingError(
            f"port {settings.port} of {settings.host} cannot be had: {reason}; choose another "
            "one with --port, or 0 for any that is free"
        ) from error
    return listening


def serve_until_ended(
    settings: ServerSettings,
    service: Service,
    listening: socket.socket,
    *,
    drain_seconds: float = 10.0,
    state: State | None = None,
    stop: threading.Event | None = None,
) -> None:
    """Answer requests until the process is asked to end.

    Args:
        settings: of the server.
        service: answers.
        listening: the socket.
        drain_seconds: how long running requests may go on after SIGTERM.
        state: says how it ends.
        stop: ends the server too, where it is set; for servers in other threads than the main one.
    """
    state = state or State()
    config = uvicorn.Config(
        create_app(settings, service, state),
        http=_HurriedProtocol,
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=max(1, round(drain_seconds)),
        h11_max_incomplete_event_size=32 << 10,
    )
    _Server(config, state, stop).run(sockets=[listening])


class _Server(uvicorn.Server):
    """A server that lets its application know when it is asked to end."""

    def __init__(self, config: uvicorn.Config, state: State, stop: threading.Event | None) -> None:
        super().__init__(config)
        self._state, self._stop = state, stop

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Let SIGTERM wait for running requests, and Ctrl-C or a second signal for none."""
        self.force_exit = self.should_exit or sig == signal.SIGINT
        self.should_exit = self._state.is_ending = True
        self._state.is_interrupted |= sig == signal.SIGINT

    async def on_tick(self, counter: int) -> bool:
        """Say, ten times a second, whether the server is to end."""
        if self._stop is not None and self._stop.is_set():
            self.should_exit = self._state.is_ending = True
        return await super().on_tick(counter)
