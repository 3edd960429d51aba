"""Documents that tests send to a server."""

from __future__ import annotations

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
