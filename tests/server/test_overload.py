"""More than the server can do: only 200 and 503, and after it all is as before."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from served_documents import TEXT, listening

BODY = json.dumps({"questions": ["Who audits the company?"]}).encode()
HEADERS = {"Content-Type": "application/json"}


class Slow:
    """A stand-in for the reader that takes a moment for each batch, and counts them."""

    def __new__(cls, seconds: float) -> Any:
        """Return the reader."""
        from docqa.testing import FakeReader

        class SlowReader(FakeReader):
            batches = 0

            def read(self, *arguments: Any, **settings: Any) -> Any:
                type(self).batches += 1
                time.sleep(seconds)
                return super().read(*arguments, **settings)

        return SlowReader()


@pytest.fixture
def slow() -> Iterator[tuple[str, Any, Any]]:
    """Return the address of a server with little room, its service and its reader."""
    from docqa.service.service import Service
    from docqa.service.settings import ServiceSettings

    reader = Slow(0.02)
    settings = ServiceSettings(queue_requests=4, min_score=0.0, deadline=5.0)
    with Service(settings, reader=reader) as service:
        service.add_file(TEXT, "lamp.txt")
        with listening(service) as address:
            yield address.removeprefix("http://"), service, reader


def ask(address: str) -> tuple[int, str | None]:
    """Return the status of one question, and when to come again."""
    connection = http.client.HTTPConnection(address, timeout=20)
    try:
        connection.request("POST", "/v1/ask", BODY, HEADERS)
        response = connection.getresponse()
        response.read()
        return response.status, response.headers.get("Retry-After")
    finally:
        connection.close()


def settled(service: Any) -> dict[str, float]:
    """Return the numbers of the service once no request is at work, or after ten seconds."""
    for _ in range(1000):
        numbers = service.status()
        if not numbers["requests"] and not numbers["passages_waiting"]:
            break
        time.sleep(0.01)
    return dict(numbers)


def test_overload_answers_200_or_503(slow: tuple[str, Any, Any]) -> None:
    """Whoever finds no room is asked to come again, and nobody waits for ever."""
    address, service, _ = slow
    with ThreadPoolExecutor(24) as pool:
        found = list(pool.map(lambda _: ask(address), range(120)))
    codes = Counter(status for status, _ in found)
    assert codes.keys() == {200, 503}
    assert all(int(again or 0) >= 1 for status, again in found if status == 503)
    assert settled(service)["requests"] == 0
    assert ask(address)[0] == 200


def test_aborted_questions_leave_nothing(slow: tuple[str, Any, Any]) -> None:
    """Clients that leave before their answer take no place and are soon forgotten."""
    address, service, _ = slow
    host, _, port = address.partition(":")
    head = b"POST /v1/ask HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    for _ in range(60):
        with socket.create_connection((host, int(port))) as connection:
            connection.sendall(head + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY)
    codes = []
    while not codes or codes[-1] != 200:  # the last ones may still be on their way
        codes.append(ask(address)[0])
        assert len(codes) < 500
    assert set(codes) <= {200, 503}
    numbers = settled(service)
    assert (numbers["requests"], numbers["passages_waiting"]) == (0, 0)
    assert ask(address)[0] == 200


@pytest.mark.parametrize("accepted", ["application/json", "application/x-ndjson"])
def test_clients_that_leave_are_not_read_for(slow: tuple[str, Any, Any], accepted: str) -> None:
    """An exhaustive question stops when its client leaves."""
    address, service, reader = slow
    service.add_file("\n\n".join(f"Line {n} of the lamp." for n in range(40_000)).encode(), "l.txt")
    body = json.dumps({"questions": ["What lamp?"], "exhaustive": True}).encode()
    connection = http.client.HTTPConnection(address, timeout=20)
    connection.request("POST", "/v1/ask", body, {**HEADERS, "Accept": accepted})
    for _ in range(1000):
        if type(reader).batches:
            break
        time.sleep(0.01)
    connection.close()
    assert settled(service)["requests"] == 0
    assert type(reader).batches < 400  # of more than a thousand passages


def test_slow_bodies_hold_nothing_up(slow: tuple[str, Any, Any]) -> None:
    """Many clients that send their bodies slowly leave room for others."""
    address, _, _ = slow
    host, _, port = address.partition(":")
    head = b"POST /v1/ask HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    slow_ones = [socket.create_connection((host, int(port))) for _ in range(50)]
    try:
        for each in slow_ones:
            each.sendall(head + b"Content-Length: 1000\r\n\r\n{")
        assert ask(address)[0] == 200
    finally:
        for each in slow_ones:
            each.close()


def test_uploads_do_not_hold_answers_up(slow: tuple[str, Any, Any]) -> None:
    """Questions are answered while documents are loaded, and neither gets an error."""
    address, _, _ = slow

    def upload(number: int) -> int:
        connection = http.client.HTTPConnection(address, timeout=60)
        data = b"%%PDF-1.4 broken %d" % number if number % 2 else b"Text %d of a lamp." % number
        kind = {"Content-Type": "application/octet-stream"}
        connection.request("POST", f"/v1/documents?name={number}.x", data, kind)
        status = connection.getresponse().status
        connection.close()
        return status

    with ThreadPoolExecutor(8) as pool:
        uploads = [pool.submit(upload, number) for number in range(16)]
        codes = {ask(address)[0] for _ in range(10)}
        assert codes == {200}
        assert {each.result() for each in uploads} == {201, 422}


def test_batches_change_no_answer(slow: tuple[str, Any, Any]) -> None:
    """Questions that are asked at once have the answers of one by one."""
    address, _, _ = slow
    questions = ["Who audits the company?", "What does the lamp burn a week?"] * 2

    def answers(question: str) -> Any:
        connection = http.client.HTTPConnection(address, timeout=20)
        body = json.dumps({"questions": [question], "top_k": 3}).encode()
        connection.request("POST", "/v1/ask", body, HEADERS)
        found = json.load(connection.getresponse())["items"][0]["answers"]
        connection.close()
        return [(each["answer"], each["start"], each["score"]) for each in found]

    one_by_one = [answers(question) for question in questions]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(answers, questions)) == one_by_one
    assert threading.active_count() < 200
