"""Documents that tests send to a server, and a server that listens."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

TEXT = b"The lamp burns 40 litres of oil a week.\n\nAda Quill audits the company.\n"
PAGE = (
    b"<html><head><title>Lamps</title><script>alert(1)</script></head><body onload='x()'>"
    b"<h1>Lamps</h1><p>Ravi lives in Hyderabad.</p><img src='http://evil.example/a.png'></body>"
)


def sent(client: Any, data: bytes, name: str) -> str:
    """Return the id of a document that is sent."""
    headers = {"Content-Type": "application/octet-stream"}
    response = client.post("/v1/documents", params={"name": name}, content=data, headers=headers)
    assert response.status_code in {200, 201}, response.text
    return str(response.json()["id"])


@contextmanager
def listening(service: Any, **settings: Any) -> Iterator[str]:
    """Run a server in a thread; yield its address."""
    from docqa.server.serving import bound, serve_until_ended
    from docqa.server.settings import ServerSettings

    chosen = ServerSettings(port=0, **settings)
    stop = threading.Event()
    with bound(chosen) as listener:
        port = listener.getsockname()[1]
        thread = threading.Thread(
            target=serve_until_ended,
            args=(chosen, service, listener),
            kwargs={"drain_seconds": 1, "stop": stop},
        )
        thread.start()
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            stop.set()
            thread.join(30)
            assert not thread.is_alive(), "the server did not end"
