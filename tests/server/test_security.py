"""The matrix of attacks: every route refuses strangers, and nothing leads to the file system."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from served_documents import TEXT, sent
from starlette.testclient import TestClient

from docqa.server.app import create_app
from docqa.server.settings import ServerSettings

TOKEN = "0123456789abcdef"
RAW = {"Content-Type": "application/octet-stream"}
OPEN = {"/livez", "/readyz", "/openapi.json", "/", "/index.html"}
# A path of this machine or of its Python, in a body or a header.
MACHINE_PATH = re.compile(r"(?<![\w.:/])/(tmp|home|root|usr|var|work|opt|etc|proc)/\w|[A-Z]:\\\\")


def operations(client: Any) -> list[tuple[str, str]]:
    """Return every method and path of the description, with values in the path."""
    paths = client.get("/openapi.json").json()["paths"]
    values = {"document_id": "0" * 64, "job_id": "0" * 32, "number": "1", "name": "contracts"}
    return [
        (method.upper(), path.format(**values)) for path, each in paths.items() for method in each
    ]


@pytest.fixture
def guarded(service: Any) -> Any:
    """Return a client of a server with a token."""
    app = create_app(ServerSettings(token=TOKEN, metrics=True), service)
    return TestClient(app, base_url="http://localhost", raise_server_exceptions=False)


def test_every_route_asks_for_the_token(guarded: Any) -> None:
    """Apart from health, the description and the page, nothing answers without it."""
    for method, path in operations(guarded):
        guarded.cookies.clear()  # of /v1/session
        headers = {"X-Docqa": "1"}
        code = guarded.request(method, path, headers=headers).status_code
        assert (code == 401) == (path not in OPEN), (method, path)
        headers["Authorization"] = f"Bearer {TOKEN}"
        assert guarded.request(method, path, headers=headers).status_code != 401, (method, path)
    assert guarded.get("/").status_code == 200


@pytest.mark.parametrize(
    ("headers", "code"),
    [({"Host": "evil.example"}, 421), ({"Origin": "http://evil.example"}, 403)],
)
def test_every_route_refuses_other_sites(client: Any, headers: dict[str, str], code: int) -> None:
    """Whatever the route, a page of another site gets nothing."""
    for method, path in [*operations(client), ("GET", "/"), ("GET", "/none"), ("POST", "/none")]:
        sent_headers = {"X-Docqa": "1", **headers}
        assert client.request(method, path, headers=sent_headers).status_code == code, path


def test_forms_of_other_sites_change_nothing(client: Any) -> None:
    """A POST that a form could send is refused on every route that takes one."""
    posts = [path for method, path in operations(client) if method == "POST"]
    for path in posts:
        for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
            response = client.post(path, content=b"{}", headers={"Content-Type": kind})
            assert response.status_code == 403, (path, kind)


def test_cookie_opens_the_page_for_one_site(guarded: Any) -> None:
    """The cookie is not the token, no script reads it, and no other site makes it be sent."""
    headers = {"Authorization": f"Bearer {TOKEN}", "X-Docqa": "1"}
    response = guarded.post("/v1/session", headers=headers)
    assert response.status_code == 204
    cookie = response.headers["set-cookie"]
    assert TOKEN not in cookie
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert guarded.get("/v1/documents").status_code == 200  # the client keeps it


NAMES = [
    "../../etc/passwd",
    "..\\..\\windows\\win.ini",
    "/etc/passwd",
    "\\\\srv\\share\\x.txt",
    "C:\\x.txt",
    "a\0b.txt",
    "\0",
    "..",
    ".",
    "%2e%2e%2fx",
    "x" * 1000,
    "<script>alert(1)</script>.txt",
    "a\r\nSet-Cookie: x=1.txt",
    "\u202egnp.exe",
    "file:///etc/passwd",
    "CON",
    "~/x",
    "$(id)",
    'a";b.txt',
]


@pytest.mark.parametrize("name", NAMES)
def test_names_reach_no_file(client: Any, name: str, tmp_path: Path) -> None:
    """A name is shown, without folders and controls; it decides nothing else."""
    data = f"The name is {NAMES.index(name)} and a lamp burns.\n".encode()
    document_id = sent(client, data, name)
    record = client.get(f"/v1/documents/{document_id}").json()
    assert not re.search(r"[/\\\x00-\x1f\u202a-\u202e]", record["name"])
    assert 0 < len(record["name"]) <= 200
    assert record["name"] not in {".", ".."}
    original = client.get(f"/v1/documents/{document_id}/original")
    assert original.content == data
    assert "set-cookie" not in original.headers
    assert "\n" not in original.headers["content-disposition"]
    client.delete(f"/v1/documents/{document_id}")


def test_names_of_ten_kilobytes_are_refused(client: Any) -> None:
    """Too long a name is a problem, and no error of the server."""
    response = client.post(
        "/v1/documents", params={"name": "x" * 10_000}, content=TEXT, headers=RAW
    )
    assert response.status_code == 422


@pytest.mark.parametrize(
    "path",
    [
        "/../pyproject.toml",
        "/%2e%2e/%2e%2e/etc/passwd",
        "/..%2f..%2fetc%2fpasswd",
        "/static/../app.py",
        "/app.py",
        "//etc/passwd",
        "/\\etc\\passwd",
        "/index.html%00.js",
        "/v1/documents/..%2f..%2fetc%2fpasswd",
        "/v1/documents/%2fetc%2fpasswd/original",
        "/v1/documents/" + "0" * 10_000,
        "/v1/collections/..",
        "/v1/collections/%2e%2e%2fkb/documents",
        "/v1/jobs/../../x",
    ],
)
def test_paths_reach_no_file(client: Any, path: str) -> None:
    """No address leads out of the page's own files and the documents that were sent."""
    response = client.get(path)
    assert response.status_code in {404, 422}
    assert "root:" not in response.text


SCRIPT = "<script>alert(1)</script><img src=x onerror=alert(2)>"


def test_scripts_stay_text(client: Any) -> None:
    """Script in a text, a name and a question is text in views, reports and files."""
    data = f"The lamp {SCRIPT} burns oil. Ada Quill audits.\n".encode()
    document_id = sent(client, data, f"{SCRIPT}.txt".replace("/", ""))
    view = client.get(f"/v1/documents/{document_id}/view")
    body = {"questions": [f"Who audits {SCRIPT}?"], "documents": [document_id]}
    report = client.post("/v1/export", json={**body, "format": "report"})
    for response in (view, report):
        assert response.status_code == 200
        assert "<script" not in response.text
        assert "<img src=x" not in response.text
        assert response.headers["content-security-policy"].startswith("sandbox")
    answered = client.post("/v1/ask", json=body)
    assert answered.headers["content-type"] == "application/json"
    client.delete(f"/v1/documents/{document_id}")


def test_no_response_names_a_path_of_the_machine(client: Any, collection_path: Path) -> None:
    """Neither bodies nor headers of any response, right or wrong, say where anything lies."""
    broken = client.post("/v1/documents?name=a.pdf", content=b"%PDF-1.4 broken", headers=RAW)
    document_id = sent(client, TEXT, "lamp.txt")
    body = {"questions": ["Who audits?", "When does the agreement with Quill end?"]}
    responses = [
        broken,
        client.get("/v1/documents"),
        client.get(f"/v1/documents/{document_id}"),
        client.get("/v1/collections"),
        client.get("/v1/collections/contracts/documents"),
        client.post("/v1/ask", json=body),
        client.post("/v1/ask", json={**body, "collection": "contracts"}),
        client.post("/v1/search", json={"query": "agreement", "collection": "contracts"}),
        client.post("/v1/export", json={**body, "collection": "contracts", "format": "jsonl"}),
        client.post("/v1/export", json={**body, "collection": "contracts", "format": "csv"}),
        client.post("/v1/export", json={**body, "collection": "contracts", "format": "report"}),
        client.post("/v1/collections/contracts/sync", headers={"X-Docqa": "1"}),
        client.get("/metrics"),
        client.get("/openapi.json"),
        *(client.request(method, path) for method, path in operations(client)),
    ]
    folders = [str(collection_path), str(collection_path.parent.parent)]
    for response in responses:
        said = response.content.decode("latin-1") + json.dumps(dict(response.headers))
        found = MACHINE_PATH.search(said)
        assert found is None, (response.url, said[max(0, found.start() - 80) : found.end() + 80])
        assert not any(folder in said for folder in folders), response.url


def test_errors_of_the_server_say_nothing(service: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A defect is a problem of status 500 without a traceback."""

    def broken(*arguments: object) -> None:
        raise RuntimeError("/home/keeper/secret")

    monkeypatch.setattr(type(service), "documents", broken)
    app = create_app(ServerSettings(), service)
    client = TestClient(app, base_url="http://localhost", raise_server_exceptions=False)
    response = client.get("/v1/documents")
    assert response.status_code == 500
    assert "secret" not in response.text
    assert response.json()["type"] == "urn:docqa:internal"
