"""The same tools at /mcp of a server that listens, behind its guard."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
from agents import LAMP, Agent
from served_documents import listening

pytest.importorskip("prometheus_client")

from docqa.service.service import Service
from docqa.service.settings import ServiceSettings
from docqa.testing import FakeReader


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    """Return a service that holds one document."""
    with Service(ServiceSettings(min_score=0.0), reader=FakeReader()) as service:
        service.add_file(LAMP.encode(), "lamp.txt")
        yield service


@pytest.fixture(scope="module")
def address(service: Service) -> Iterator[str]:
    """Return the address of a server."""
    with listening(service) as address:
        yield address


def posted(address: str, message: dict[str, Any], **headers: str) -> tuple[int, str]:
    """Return the status and the body of a bare request."""
    request = urllib.request.Request(
        f"{address}/mcp",
        json.dumps(message).encode(),
        {
            "Content-Type": "application/json",
            "Accept": "application/json, text/event-stream",
            **{name.replace("_", "-"): value for name, value in headers.items()},
        },
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


LIST = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_the_official_client_asks(address: str, mode: str) -> None:
    """Documents that were sent to the server are asked; a cite leads back to the words."""
    agent = Agent(f"{address}/mcp", mode)
    best = agent.call("ask", question="Who audits the firm?")["answers"][0]
    assert (best["quote"], best["document"]) == ("Ada Quill", "lamp.txt")
    checked = agent.call("verify", citations=[{"cite": best["cite"], "quote": best["quote"]}])
    assert checked["outcomes"][0]["outcome"] == "exact"
    assert [each["name"] for each in agent.call("list_documents")["documents"]] == ["lamp.txt"]


def test_documents_come_and_go(service: Service, address: str) -> None:
    """The tools see the documents that the server holds at the time."""
    agent = Agent(f"{address}/mcp")
    record, _ = service.add_file(b"Ben Ash commands the ship.", "ship.txt")
    assert agent.call("ask", question="Who commands the ship?")["answers"][0]["quote"] == "Ben Ash"
    service.remove(record.id)
    assert agent.call("list_documents", matching="ship")["documents"] == []


def test_no_path_opens_a_file(address: str) -> None:
    """An agent far away names no file of the server's machine."""
    found = Agent(f"{address}/mcp").result("read", document="/etc/passwd")
    assert found.is_error
    assert "no document" in found.content[0].text


def test_requests_stand_alone(address: str) -> None:
    """A request without a session is answered, as several servers behind one address need it."""
    status, body = posted(address, LIST)
    assert status == 200
    assert '"ask"' in body


def test_the_guard_stands_before_it(service: Service) -> None:
    """Token, Host and Origin are asked of agents as of all others."""
    with listening(service, token="stairs-and-doors") as address:
        assert posted(address, LIST)[0] == 401
        assert posted(address, LIST, Authorization="Bearer stairs-or-doors")[0] == 401
        assert posted(address, LIST, Authorization="Bearer stairs-and-doors")[0] == 200
    with listening(service) as address:
        status, body = posted(address, LIST, Host="evil.example")
        assert status == 421
        assert "--allow-host" in body
        assert posted(address, LIST, Origin="https://evil.example")[0] == 403
        assert posted(address, LIST, Content_Type="text/plain")[0] == 403


def test_a_prefix_of_a_proxy_leads_there(service: Service) -> None:
    """Behind a prefix the address is below it, whether the proxy takes it off or not."""
    with listening(service, root_path="/kb") as address:
        assert posted(f"{address}/kb", LIST)[0] == 200
        assert posted(address, LIST)[0] == 200


def test_broken_messages_are_refused(address: str) -> None:
    """They get an error of the protocol, and the next request is answered."""
    for message in ([], {"jsonrpc": "2.0"}, {"jsonrpc": "2.0", "id": 1, "method": "none/such"}):
        status, body = posted(address, message)  # type: ignore[arg-type]
        assert status < 500
        assert "error" in body
    assert posted(address, LIST)[0] == 200


def test_clients_that_leave_free_the_server(service: Service, address: str) -> None:
    """Fifty cancelled calls leave nothing at work, and the next one is answered."""
    import time

    import anyio

    async def leave(client: Any) -> None:
        for _ in range(50):
            with anyio.move_on_after(0.005):
                await client.call_tool("ask", {"question": "Who audits the firm?"})

    agent = Agent(f"{address}/mcp")
    agent.run(leave)
    assert agent.call("ask", question="Who audits the firm?")["answers"]
    for _ in range(100):
        if service.status()["requests"] == 0:
            break
        time.sleep(0.05)
    assert service.status()["requests"] == 0


def test_a_server_without_the_sdk_serves_the_rest(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the extra mcp is missing, /mcp is no address, and all others are."""
    from docqa.server import app

    monkeypatch.setattr(app, "is_installed", lambda package: False)
    with listening(service) as address:
        assert posted(address, LIST)[0] == 404
        with urllib.request.urlopen(f"{address}/livez") as response:
            assert response.status == 200
