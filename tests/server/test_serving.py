"""A server that listens: real sockets, real clients, real ends of the process."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from served_documents import TEXT, listening

QUESTIONS = ["What is my name?", "Where do I live?"]
CONTEXTS = ["My name is John and I live in Seattle.", "My name is Ravi and I live in Hyderabad."]


@pytest.fixture(scope="module")
def mini_service() -> Iterator[Any]:
    """Return a service with the reader `mini`."""
    from docqa.service.service import Service
    from docqa.service.settings import ServiceSettings

    with Service(ServiceSettings(reader="mini")) as service:
        yield service


@pytest.fixture(scope="module")
def address(mini_service: Any) -> Iterator[str]:
    """Return the address of a server with the reader `mini`."""
    with listening(mini_service) as address:
        yield address


def posted(address: str, body: Any, **headers: str) -> Any:
    """Return the answer to a body of JSON."""
    request = urllib.request.Request(
        address, json.dumps(body).encode(), {"Content-Type": "application/json", **headers}
    )
    with urllib.request.urlopen(request, timeout=60) as response:
        return json.load(response)


def test_reference_pair_of_the_contract(address: str) -> None:
    """The example of hosted endpoints is answered at its places, in order."""
    body = {"inputs": {"question": QUESTIONS, "context": CONTEXTS}}
    for path in ("/score", "/invocations"):
        john, hyderabad = posted(f"{address}{path}", body)
        assert (john["answer"], john["start"], john["end"]) == ("John", 11, 15)
        assert (hyderabad["answer"], hyderabad["start"], hyderabad["end"]) == ("Hyderabad", 30, 39)


@pytest.mark.parametrize("settings", [{}, {"top_k": 3}, {"handle_impossible_answer": True}])
def test_contract_is_docqa_compat_to_the_float(address: str, settings: dict[str, Any]) -> None:
    """Every number is that of `docqa.compat` for the same pairs."""
    from docqa.compat import pipeline

    questions, contexts = [*QUESTIONS, "Who lives in Seattle?"], [*CONTEXTS, CONTEXTS[0]]
    expected = pipeline()(question=questions, context=contexts, **settings)
    body = {"inputs": {"question": questions, "context": contexts}, "params": settings}
    found = posted(f"{address}/score", body)
    if settings.get("top_k"):
        expected = [each if isinstance(each, list) else [each] for each in expected]
    assert found == expected


def test_hugging_face_client_works_unchanged(address: str) -> None:
    """`InferenceClient.question_answering` takes the address of the server for a model."""
    hub = pytest.importorskip("huggingface_hub")
    client = hub.InferenceClient(model=f"{address}/score")
    found = client.question_answering(question=QUESTIONS[1], context=CONTEXTS[1])
    one = found[0] if isinstance(found, list) else found
    assert (one.answer, one.start, one.end) == ("Hyderabad", 30, 39)
    several = client.question_answering(question=QUESTIONS[0], context=CONTEXTS[0], top_k=2)
    assert next(each.answer for each in several) == "John"


def received(address: str, sent: bytes, *, half_close: bool = False) -> bytes:
    """Return everything that the server answers to some bytes."""
    host, _, port = address.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        connection.sendall(sent)
        if half_close:
            connection.shutdown(socket.SHUT_WR)
        parts = []
        while part := connection.recv(65536):
            parts.append(part)
        return b"".join(parts)


def test_broken_requests_end(address: str) -> None:
    """Half-closed sockets, broken heads and bodies that end early free their connections."""
    head = b"POST /score HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    received(address, b"GET /livez HTTP/1.1\r\nHost: loc", half_close=True)
    received(address, head + b"Content-Length: 1000\r\n\r\n{", half_close=True)
    assert received(address, b"\0\1\2\3\r\n\r\n").startswith(b"HTTP/1.1 400")
    assert received(address, b"GET / HTTP/1.1\r\n\r\n").startswith(b"HTTP/1.1 400")  # no Host
    declared = head + b"Content-Length: 99999999\r\n\r\n{"
    assert received(address, declared).startswith(b"HTTP/1.1 413")
    endless = b"GET /livez HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 100_000
    assert b"400" in received(address, endless).partition(b"\r\n")[0]
    with urllib.request.urlopen(f"{address}/livez") as response:
        assert response.status == 200


def test_slow_heads_are_cut_off(mini_service: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection that sends no whole head is closed in time."""
    from docqa.server import serving

    monkeypatch.setattr(serving, "HEADER_SECONDS", 0.05)
    with listening(mini_service) as address:
        assert received(address, b"GET /livez HTTP/1.1\r\n") == b""


def proxy(address: str, prefix: str, *, keeps_prefix: bool) -> Any:
    """Return a small reverse proxy that offers a server below a prefix."""
    from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            assert self.path.startswith(prefix)
            path = self.path if keeps_prefix else self.path.removeprefix(prefix) or "/"
            request = urllib.request.Request(f"{address}{path}", headers={"Host": "kb.example"})
            opener = urllib.request.build_opener(NoRedirects)
            with opener.open(request) as response:
                self.send_response(response.status)
                for name, value in response.headers.items():
                    if name.lower() not in {"transfer-encoding", "connection"}:
                        self.send_header(name, value)
                self.end_headers()
                self.wfile.write(response.read())

        def log_message(self, *arguments: Any) -> None:
            """Write nothing."""

    return ThreadingHTTPServer(("127.0.0.1", 0), Handler)


class NoRedirects(urllib.request.HTTPRedirectHandler):
    """Answers that lead elsewhere are passed on."""

    def http_error_308(self, request, response, *rest):  # type: ignore[no-untyped-def]
        return response

    http_error_302 = http_error_307 = http_error_301 = http_error_308


@pytest.mark.parametrize("keeps_prefix", [True, False])
def test_prefix_behind_a_proxy(service: Any, keeps_prefix: bool) -> None:
    """The page and the API work below a prefix, whether the proxy takes it off or not."""
    with listening(service, root_path="/kb", allow_hosts=("kb.example",)) as address:
        server = proxy(address, "/kb", keeps_prefix=keeps_prefix)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            at = f"http://127.0.0.1:{server.server_address[1]}/kb"
            with urllib.request.urlopen(f"{at}/") as page:
                assert b"docqa" in page.read()
            with urllib.request.urlopen(f"{at}/openapi.json") as description:
                assert json.load(description)["servers"] == [{"url": "."}]
            with urllib.request.urlopen(f"{at}/v1/documents") as documents:
                assert "documents" in json.load(documents)
            if keeps_prefix:  # without the slash, relative addresses would lead elsewhere
                with urllib.request.urlopen(at) as page:
                    assert page.url == f"{at}/"
        finally:
            server.shutdown()
            thread.join()
            server.server_close()


def command(*arguments: str, **settings: Any) -> subprocess.Popen[str]:
    """Start `docqa serve`."""
    line = [sys.executable, "-m", "docqa", "serve", "--reader", "mini", *arguments]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    environment.pop("DOCQA_TOKEN", None)
    return subprocess.Popen(
        line, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment, **settings
    )


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
@pytest.mark.parametrize(("ask_to_end", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 0)])
def test_command_serves_and_ends(ask_to_end: signal.Signals, code: int, tmp_path: Path) -> None:
    """The files it names are there to be asked; it ends when asked to, and leaves nothing."""
    (tmp_path / "lamp.txt").write_bytes(TEXT)
    folder = tmp_path / "temporary"
    folder.mkdir()
    os.environ["TMPDIR"] = str(folder)
    try:
        running = command("--port", "0", "lamp.txt", cwd=tmp_path)
    finally:
        del os.environ["TMPDIR"]
    try:
        lines = [running.stderr.readline(), running.stderr.readline()]  # type: ignore[union-attr]
        address = next(line for line in lines if "listening at" in line).split()[-1].strip("/")
        assert "docqa: loaded 1 file\n" in lines
        (item,) = posted(f"{address}/v1/ask", {"questions": ["Who audits the company?"]})["items"]
        assert item["answers"][0]["answer"] == "Ada Quill"
        assert item["document"]["source"] == "lamp.txt"
    finally:
        running.send_signal(ask_to_end)
        out, rest = running.communicate(timeout=30)
    assert (running.returncode, out, rest) == (code, "", "")
    assert not list(folder.glob("docqa-*"))


@pytest.mark.slow
def test_port_in_use_is_an_error(tmp_path: Path) -> None:
    """The message names the port and the option, and the exit code is 2."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        running = command("--port", str(port))
        _, said = running.communicate(timeout=30)
    assert running.returncode == 2
    assert f"port {port}" in said
    assert "--port" in said
    assert "Traceback" not in said


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--host", "0.0.0.0"], "DOCQA_TOKEN"),
        (["--token", "short"], "at least 8"),
        (["--root-path", "kb/"], "prefix"),
        (["--allow-origin", "notes.example"], "https://notes.example"),
        (["--collection", "kb"], "NAME=VALUE"),
        (["--collection", "../x=kb"], "letters"),
        (["--collection", "kb=no-such-kb"], "docqa index DIR --to no-such-kb"),
        (["no-such-file.pdf"], "no-such-file.pdf"),
    ],
)
def test_wrong_options_are_named(arguments: list[str], words: str) -> None:
    """Each is one line that says which option helps; nothing listens."""
    from click.testing import CliRunner

    from docqa.cli import main

    result = CliRunner().invoke(main, ["serve", "--port", "0", *arguments])
    assert result.exit_code == 2
    assert words in result.output
    assert "Traceback" not in result.output


def test_missing_extra_names_the_pip_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the extra the message has the line that installs it."""
    from click.testing import CliRunner

    from docqa.cli import main
    from docqa.reader import requirements

    monkeypatch.setattr(requirements, "is_installed", lambda package: package != "uvicorn")
    result = CliRunner().invoke(main, ["serve"])
    assert result.exit_code == 2
    assert "pip install 'docqa-exact[server]'" in result.output


def test_help_stays_light(tmp_path: Path) -> None:
    """`docqa serve --help` imports neither the server's libraries nor a reader's."""
    from fresh_process import loaded_by

    code = (
        "import runpy\nsys.argv = ['docqa', 'serve', '--help']\n"
        "try: runpy.run_module('docqa', run_name='__main__')\n"
        "except SystemExit as stop: assert not stop.code, stop.code"
    )
    heavy = {"starlette", "pydantic", "uvicorn", "torch", "mcp", "prometheus_client", "numpy"}
    assert not heavy & loaded_by(code, tmp_path)


def test_defects_are_written_where_the_server_runs(
    service: Any, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """The caller gets status 500 alone; the traceback goes to standard error."""
    import logging

    from docqa.cli.serve import _write_defects
    from docqa.server.app import State

    def broken(*arguments: object) -> None:
        raise ZeroDivisionError("of the keeper")

    monkeypatch.setattr(type(service), "documents", broken)
    log = logging.getLogger("uvicorn.error")
    before = log.handlers[:], log.level, log.propagate
    try:
        _write_defects(State())
        with listening(service) as address, pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(f"{address}/v1/documents")
    finally:
        log.handlers, log.level, log.propagate = before
    assert caught.value.code == 500
    assert b"keeper" not in caught.value.read()
    assert "ZeroDivisionError: of the keeper" in capfd.readouterr().err
