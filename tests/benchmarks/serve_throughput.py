"""Measure the server with more and more clients, against one by one and against a plain server.

    python tests/benchmarks/serve_throughput.py [--seconds 10] [--reader mini] [--clients 1,4,16,64]

The server and the plain one, which calls `docqa.ask` for each request, run in processes of their
own over the handbook of the examples. Each client asks one question after another from a list. One
that is sent away (503) waits a second, and its question does not count.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

HANDBOOK = Path(__file__).parents[2] / "examples" / "handbook.pdf"
QUESTIONS = [
    "When was the lamp first lit?",
    "How heavy is the lens?",
    "Who may open the gallery?",
    "What does a ticket cost?",
    "How long does the visit take?",
    "Which oil does the lamp burn?",
]
_PLAIN = """
import json, sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
import docqa

class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        found = docqa.ask(sys.argv[1], asked["questions"][0], reader=reader)
        body = json.dumps([answer.to_dict() for answer in found]).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass

reader = docqa.load_reader(sys.argv[2])
server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print("listening at http://127.0.0.1:%d/" % server.server_address[1], file=sys.stderr, flush=True)
server.serve_forever()
"""


def main() -> None:
    """Print questions a second and times for each number of clients, of both servers."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--reader", default="mini")
    parser.add_argument("--clients", default="1,4,16,64")
    given = parser.parse_args()
    clients = [int(each) for each in given.clients.split(",")]
    plain = [sys.executable, "-c", _PLAIN, str(HANDBOOK), given.reader]
    with started("--reader", given.reader, str(HANDBOOK)) as (address, _):
        measure("docqa serve", address, clients, given.seconds)
    with started(line=plain) as (address, _):
        measure("docqa.ask for each request", address, clients, given.seconds)


def measure(name: str, address: str, clients: Sequence[int], seconds: float) -> None:
    """Print one line for each number of clients."""
    for question in QUESTIONS:
        ask(address, question)
    for count in clients:
        began = time.monotonic()
        until = began + seconds

        def client(number: int, until: float = until) -> tuple[list[float], int]:
            times, away = list[float](), 0
            while time.monotonic() < until:
                status, taken = ask(address, QUESTIONS[(number + len(times)) % len(QUESTIONS)])
                if status == 200:
                    times.append(taken)
                else:
                    away += 1
                    time.sleep(1)
            return times, away

        with ThreadPoolExecutor(count) as pool:
            outcomes = list(pool.map(client, range(count)))
        times, took = [each for found, _ in outcomes for each in found], time.monotonic() - began
        away = sum(each for _, each in outcomes)
        print(
            f"{name}, {count:3} clients: {len(times) / took:6.1f} questions/s, "
            f"p50 {percentile(times, 50) * 1e3:6.0f} ms, "
            f"p99 {percentile(times, 99) * 1e3:6.0f} ms, "
            f"{away} sent away",
            flush=True,
        )


@contextmanager
def started(
    *arguments: str, line: Sequence[str] = ()
) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Start a server, and yield its address and process; it ends with the statement."""
    command = [sys.executable, "-m", "docqa", "serve", "--port", "0", *arguments]
    process = subprocess.Popen(
        list(line) or command, stderr=subprocess.PIPE, text=True, env=os.environ
    )
    assert process.stderr is not None
    try:
        said = ""
        while "listening at" not in said:
            said = process.stderr.readline()
            assert said, "the server did not start"
        address = said.split()[-1 if said.strip().endswith("/") else said.split().index("at") + 1]
        time.sleep(3)  # the document is loaded meanwhile
        yield address.removeprefix("http://").strip("/"), process
    finally:
        process.terminate()
        process.wait(30)


def ask(address: str, question: str) -> tuple[int, float]:
    """Return the status of one question, 0 for none, and its seconds."""
    connection = http.client.HTTPConnection(address, timeout=60)
    began = time.perf_counter()
    try:
        body = json.dumps({"questions": [question]})
        connection.request("POST", "/v1/ask", body, {"Content-Type": "application/json"})
        response = connection.getresponse()
        response.read()
        return response.status, time.perf_counter() - began
    except ConnectionError:  # sent away without a word
        return 0, time.perf_counter() - began
    finally:
        connection.close()


def percentile(times: Sequence[float], share: int) -> float:
    """Return the time that a share of all does not exceed, in percent; 0 for none."""
    ordered = sorted(times)
    return ordered[min(len(ordered) - 1, len(ordered) * share // 100)] if ordered else 0.0


if __name__ == "__main__":
    main()
