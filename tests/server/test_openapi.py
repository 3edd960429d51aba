"""The description of the server: valid, complete, and true of every response."""

from __future__ import annotations

from typing import Any

import pytest

from docqa.server.app import create_app
from docqa.server.settings import ServerSettings

METHODS = {"get", "put", "post", "delete"}


def test_description_is_valid_openapi(client: Any) -> None:
    """The checker of the OpenAPI Initiative's schema accepts it."""
    checker = pytest.importorskip("openapi_spec_validator")
    description = client.get("/openapi.json").json()
    assert description["openapi"].startswith("3.1")
    checker.validate(description)


def test_description_has_every_route(client: Any, service: Any) -> None:
    """Routes and description have the same paths and methods, apart from the page's files."""
    described = {
        (path, method.upper())
        for path, methods in client.get("/openapi.json").json()["paths"].items()
        for method in methods
    }
    served = set()
    for route in create_app(ServerSettings(metrics=True), service).app.app.routes:
        path = str(route.path_format)
        if getattr(route, "name", "") == "dispatch":
            served |= {(path, method) for method in route.methods - {"HEAD"}}
    assert described == served


def test_operations_have_unique_names(client: Any) -> None:
    """Generated clients name their functions after them."""
    names = [
        operation["operationId"]
        for methods in client.get("/openapi.json").json()["paths"].values()
        for operation in methods.values()
    ]
    assert len(names) == len(set(names))


def test_token_is_described(service: Any) -> None:
    """With a token each operation that asks for it says so, and no other."""
    from starlette.testclient import TestClient

    app = create_app(ServerSettings(token="0123456789abcdef"), service)
    paths = TestClient(app, base_url="http://localhost").get("/openapi.json").json()["paths"]
    assert paths["/v1/ask"]["post"]["security"] == [{"token": []}]
    assert paths["/livez"]["get"]["security"] == []
