"""The guard: every route, whatever it is for, refuses strangers, other sites and large bodies."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

pytest.importorskip("starlette", reason="the extra server is not installed")

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

from docqa.errors import SettingError
from docqa.server.endpoints import problem_response
from docqa.server.guard import Guard, authority
from docqa.server.problems import Problem
from docqa.server.settings import JSON_BYTES, ServerSettings

TOKEN = "0123456789abcdef"
PATHS = ["/", "/livez", "/score", "/v1/documents", "/openapi.json", "/none/such"]


def client(*, upload_bytes: int = 1 << 20, **settings: object) -> TestClient:
    """Return a client of a guarded application that answers with the length of the body."""

    async def length(request: Request) -> Response:
        return PlainTextResponse(str(len(await request.body())))

    async def problem(request: Request, error: Exception) -> Response:
        assert isinstance(error, Problem)
        return problem_response(error)

    methods = ["GET", "POST", "PUT", "DELETE"]
    app = Starlette(
        routes=[Route("/{path:path}", length, methods=methods)],
        exception_handlers={Problem: problem},
    )
    is_open = ("/", "/livez").__contains__
    chosen = ServerSettings(**settings)  # type: ignore[arg-type]
    guard = Guard(app, chosen, upload_bytes=upload_bytes, is_open=is_open)
    return TestClient(guard, base_url="http://localhost:8080")


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8080", "localhost.evil.example", "", "a b", "127.0.0.1x"]
)
def test_strange_hosts_are_refused(path: str, host: str) -> None:
    """A name that was turned to this machine (DNS rebinding) reaches no route."""
    response = client().get(path, headers={"Host": host})
    assert response.status_code == 421
    assert response.json()["option"] == "--allow-host"
    assert response.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST.:8080", "127.0.0.1:1", "[::1]:8080"])
def test_own_names_are_known(host: str) -> None:
    """This machine's own names are taken with any port, since proxies and tunnels change it."""
    assert client().get("/", headers={"Host": host}).status_code == 200


def test_names_of_the_settings_are_known() -> None:
    """--allow-host with a port asks for that port."""
    called = client(allow_hosts=("kb.example", "wiki.example:444"))
    hosts = ["kb.example", "KB.example:8", "wiki.example:444", "wiki.example", "x.kb.example"]
    codes = [called.get("/", headers={"Host": host}).status_code for host in hosts]
    assert codes == [200, 200, 200, 421, 421]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "origin",
    ["http://evil.example", "null", "", "http://localhost:3000", "http://localhost", "file://"],
)
def test_other_sites_are_refused(path: str, origin: str) -> None:
    """A page of another site, or of another port, is refused on reading and writing alike."""
    for method in ("GET", "POST", "PUT", "DELETE"):
        response = client().request(method, path, headers={"Origin": origin})
        assert response.status_code == 403, method


def test_other_sites_embed_nothing() -> None:
    """Pictures and frames in a page of another site come without an origin; browsers say so."""
    elsewhere = {"Sec-Fetch-Site": "cross-site"}
    assert client().get("/v1/documents", headers=elsewhere).status_code == 403
    assert client().get("/", headers=elsewhere).status_code == 200  # a link to the page
    allowed = client(allow_origins=("https://notes.example",))
    called = {**elsewhere, "Origin": "https://notes.example"}
    assert allowed.get("/v1/documents", headers=called).status_code == 200
    for own in ("same-origin", "none"):
        headers = {"Sec-Fetch-Site": own}
        assert client().get("/v1/documents", headers=headers).status_code == 200


def test_own_origin_is_served() -> None:
    """The server's own page may call it, also behind a proxy that speaks TLS."""
    assert client().put("/x", headers={"Origin": "http://localhost:8080"}).status_code == 200
    called = client(allow_hosts=("kb.example",))
    headers = {"Origin": "https://kb.example", "Host": "127.0.0.1:8080"}
    assert called.get("/", headers=headers).status_code == 200


def test_nothing_is_shared_unless_asked() -> None:
    """Only an allowed origin gets the headers that let its pages read the answer."""
    plain = client().options("/score", headers={"Origin": "https://notes.example"})
    assert plain.status_code == 403
    called = client(allow_origins=("https://notes.example",))
    for origin, code in (("https://notes.example", 204), ("https://evil.example", 403)):
        response = called.options("/score", headers={"Origin": origin})
        assert response.status_code == code
        shared = response.headers.get("access-control-allow-origin")
        assert shared == (origin if code == 204 else None)


@pytest.mark.parametrize(
    "kind", [None, "text/plain", "TEXT/PLAIN; charset=x", "multipart/form-data; boundary=a"]
)
def test_forms_of_other_sites_are_refused(kind: str | None) -> None:
    """A POST that a form could send needs the header that no form can send."""
    headers = {} if kind is None else {"Content-Type": kind}
    assert client().post("/v1/documents", content=b"a", headers=headers).status_code == 403
    headers["X-Docqa"] = "1"
    assert client().post("/v1/documents", content=b"a", headers=headers).status_code == 200


def test_token_is_asked_for() -> None:
    """Open routes need no token; the others take it as a header or as the cookie made of it."""
    called = client(token=TOKEN)
    assert called.get("/livez").status_code == 200
    assert called.get("/v1/documents").status_code == 401
    for given in ("Bearer", f"Basic {TOKEN}", f"Bearer {TOKEN[:-1]}", f"Bearer {TOKEN}é"):
        headers = {"Authorization": given.encode()}
        assert called.get("/v1/documents", headers=headers).status_code == 401, given
    for given in (f"Bearer {TOKEN}", f"bearer  {TOKEN}"):
        assert called.get("/v1/documents", headers={"Authorization": given}).status_code == 200
    assert called.get("/v1/documents", headers={"Cookie": f"docqa={TOKEN}"}).status_code == 401


def test_tokens_are_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every comparison goes through `hmac.compare_digest`, with whole values."""
    import hmac

    seen = []
    compare = hmac.compare_digest
    monkeypatch.setattr(hmac, "compare_digest", lambda a, b: seen.append((a, b)) or compare(a, b))
    client(token=TOKEN).get("/x", headers={"Authorization": "Bearer 0"})
    assert (b"0", TOKEN.encode()) in seen
    assert len(seen) == 2


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "::", "kb.example"])
def test_other_machines_need_a_token(host: str) -> None:
    """The refusal has the line that helps."""
    with pytest.raises(SettingError, match="DOCQA_TOKEN"):
        ServerSettings(host=host)
    assert ServerSettings(host=host, token=TOKEN).host == host


@pytest.mark.parametrize("sent", ["declared", "streamed"])
@pytest.mark.parametrize(
    ("path", "most", "option"),
    [
        ("/score", JSON_BYTES, None),
        ("/v1/documents", 5000, "--max-mb"),
        ("/process", 5000, "--max-mb"),
    ],
)
def test_bodies_are_counted(sent: str, path: str, most: int, option: str | None) -> None:
    """A limit counts the bytes that come, and names the option that raises it."""

    def send(n_bytes: int) -> object:
        body = b"x" * n_bytes if sent == "declared" else parts_of(n_bytes)
        return called.put(path, content=body)

    def parts_of(n_bytes: int) -> Iterator[bytes]:
        for _ in range(n_bytes // 1000):
            yield b"x" * 1000
        yield b"x" * (n_bytes % 1000)

    called = client(upload_bytes=5000)
    assert send(most).text == str(most)  # type: ignore[attr-defined]
    response = send(most + 1)
    assert response.status_code == 413  # type: ignore[attr-defined]
    problem = response.json()  # type: ignore[attr-defined]
    assert problem.get("option") == option
    assert f"{most:,}" in problem["detail"]


def test_slow_bodies_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A body that does not come in time holds nothing up."""
    import asyncio

    from docqa.server import guard

    monkeypatch.setattr(guard, "HEADER_SECONDS", 0.01)
    sent: list[dict[str, object]] = []

    async def never() -> dict[str, object]:
        await asyncio.sleep(60)
        raise AssertionError

    async def take(message: dict[str, object]) -> None:
        sent.append(message)

    async def call() -> None:
        scope = {
            "type": "http",
            "method": "PUT",
            "path": "/x",
            "query_string": b"",
            "headers": [(b"host", b"localhost")],
        }
        await client().app(scope, never, take)  # type: ignore[arg-type]

    with ThreadPoolExecutor(1) as thread:  # a loop may run in this one, that of a browser
        thread.submit(asyncio.run, call()).result()
    assert sent[0]["status"] == 408
    assert json.loads(sent[1]["body"])["type"] == "urn:docqa:body-too-slow"  # type: ignore[arg-type]


def test_every_response_is_strict() -> None:
    """Scripts of others, frames, guessed types and referrers are forbidden on every response."""
    for response in (client().get("/"), client().get("/", headers={"Host": "evil.example"})):
        policy = response.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert response.headers["x-content-type-options"] == "nosniff"
        assert response.headers["referrer-policy"] == "no-referrer"
        assert response.headers["cross-origin-resource-policy"] == "same-origin"


@pytest.mark.parametrize("path", ["/kb/a/b", "/a/b"])
def test_prefix_may_be_left_on_or_taken_off(path: str) -> None:
    """Behind a proxy the path is the same whether the proxy takes its prefix off."""
    seen = []

    async def app(scope, receive, send):  # type: ignore[no-untyped-def]
        seen.append(scope["path"])
        await PlainTextResponse("")(scope, receive, send)

    guard = Guard(app, ServerSettings(root_path="/kb"), upload_bytes=1, is_open=lambda path: True)
    TestClient(guard, base_url="http://localhost").get(path)
    assert seen == ["/a/b"]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("KB.example.:80", ("kb.example", 80)),
        ("[::1]:80", ("::1", 80)),
        ("[::1]", ("::1", None)),
        ("::1", ("", None)),
        ("a/b", ("", None)),
        ("user@localhost", ("", None)),
        ("localhost:٣", ("", None)),
        ("localhost:999999", ("", None)),
        ("", ("", None)),
    ],
)
def test_authorities_are_parsed_strictly(given: str, expected: tuple[str, int | None]) -> None:
    """Anything that is no plain name or address is no name at all."""
    assert authority(given) == expected
