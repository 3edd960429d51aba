"""A server in this process over a service with a stand-in for the reader."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from served_documents import TEXT, sent
from text_collections import collection_of

collect_ignore_glob = []
try:
    import prometheus_client  # noqa: F401
    import pydantic  # noqa: F401
    import starlette  # noqa: F401
    import uvicorn  # noqa: F401
except ImportError:
    collect_ignore_glob = ["test_*.py"]  # the extra server is not installed


@pytest.fixture(scope="session")
def collection_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a collection of two texts."""
    texts = {
        "quill.txt": "The agreement with Quill ends in May 1908.\n",
        "lamp.txt": "The lamp was first lit in October 1871.\n",
    }
    return collection_of(texts, tmp_path_factory)


@pytest.fixture(scope="session")
def service(collection_path: Path) -> Iterator[Any]:
    """Return a service with a stand-in for the reader and one collection."""
    from docqa.service.service import Service
    from docqa.service.settings import ServiceSettings
    from docqa.testing import FakeReader

    settings = ServiceSettings(
        collections={"contracts": str(collection_path)}, upload_bytes=1_000_000, min_score=0.0
    )
    with Service(settings, reader=FakeReader()) as service:
        yield service


@pytest.fixture(scope="session")
def client(service: Any) -> Iterator[Any]:
    """Return a client of the server."""
    from starlette.testclient import TestClient

    from docqa.server.app import create_app
    from docqa.server.settings import ServerSettings

    app = create_app(ServerSettings(metrics=True), service)
    with TestClient(app, base_url="http://localhost", raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def text_id(client: Any) -> str:
    """Return the id of a text that the server holds."""
    return sent(client, TEXT, "lamp.txt")


@pytest.fixture
def pdf_id(client: Any, pdf_bytes: bytes) -> str:
    """Return the id of a PDF that the server holds."""
    return sent(client, pdf_bytes, "lamp.pdf")


@pytest.fixture(scope="session")
def pdf_bytes() -> bytes:
    """Return a PDF of two pages."""
    from io import BytesIO

    from reportlab.pdfgen.canvas import Canvas

    out = BytesIO()
    canvas = Canvas(out, pagesize=(400, 300), invariant=True)
    for words in ("The lamp burns 40 litres of oil a week.", "Ada Quill audits the company."):
        canvas.drawString(50, 200, words)
        canvas.showPage()
    canvas.save()
    return out.getvalue()
