"""A server on the loopback that gets requests to OpenSearch, and answers as a test wants it."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol
from urllib.parse import parse_qsl, urlsplit

__all__ = ["Answer", "Asked", "serving"]

Answer = tuple[int, Any] | None
"""A status with JSON; None breaks the connection off."""


@dataclass
class Asked:
    """Hold one request as the server got it."""

    method: str
    path: str
    params: dict[str, str]
    body: Any
    headers: dict[str, str]


class Answering(Protocol):
    """Answer requests."""

    def answer(self, request: Asked) -> Answer: ...


@contextmanager
def serving(cluster: Answering) -> Iterator[int]:
    """Yield the port at which a cluster's answers are to be had."""

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Write nothing."""

        def handle_request(self) -> None:
            parts = urlsplit(self.path)
            raw = self.rfile.read(int(self.headers.get("content-length") or 0)).decode()
            lines = [json.loads(line) for line in raw.splitlines()]
            body = lines if parts.path == "/_bulk" else lines[0] if lines else None
            params = dict(parse_qsl(parts.query))
            asked = Asked(self.command, parts.path, params, body, dict(self.headers))
            answer = cluster.answer(asked)
            if answer is None:
                self.close_connection = True
                return
            status, found = answer
            data = json.dumps(found(asked) if callable(found) else found).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = handle_request  # noqa: N815

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
