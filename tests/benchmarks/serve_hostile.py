"""Send a server files made to hurt while another client asks, and look at its times.

    python tests/benchmarks/serve_hostile.py [NAME ...] [--reader mini] [--seconds 20]

The files are those of ``tests/helpers/hostile.py``. One client asks question after question, first
alone, then while two others send the files. The line for each file says what the server answered;
the last ones give the times of the client that asks, and how many of its answers were lost.
"""

from __future__ import annotations

import argparse
import http.client
import json
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "helpers"))

import hostile
from serve_throughput import HANDBOOK, QUESTIONS, percentile, started


def main() -> None:
    """Print the outcome of each file, and the times of the client before and meanwhile."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--reader", default="mini")
    parser.add_argument("--seconds", type=float, default=20.0, help="of asking alone")
    given = parser.parse_args()
    with started("--reader", given.reader, str(HANDBOOK)) as (address, _):
        handbook = documents(address)[0]["id"]
        alone = Asking(address, handbook)
        time.sleep(given.seconds)
        alone.end()
        meanwhile = Asking(address, handbook)
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda name: send(address, name), given.names or hostile.FILES))
        meanwhile.end()
        print(f"alone:     {alone}")
        print(f"meanwhile: {meanwhile}")


class Asking(threading.Thread):
    """A client that asks one question after another, from its making to its end."""

    def __init__(self, address: str, document: str) -> None:
        super().__init__()
        self._address, self._document = address, document
        self._over = threading.Event()
        self.times: list[float] = []
        self.codes: Counter[int] = Counter()
        self.start()

    def run(self) -> None:
        """Ask until it is over."""
        while not self._over.is_set():
            question = QUESTIONS[len(self.times) % len(QUESTIONS)]
            body = json.dumps({"questions": [question], "documents": [self._document]})
            connection = http.client.HTTPConnection(self._address, timeout=120)
            began = time.perf_counter()
            connection.request("POST", "/v1/ask", body, {"Content-Type": "application/json"})
            response = connection.getresponse()
            response.read()
            self.times.append(time.perf_counter() - began)
            self.codes[response.status] += 1
            connection.close()

    def end(self) -> None:
        """Let the last question be answered."""
        self._over.set()
        self.join()

    def __str__(self) -> str:
        lost = sum(self.codes.values()) - self.codes[200]
        return (
            f"{len(self.times)} questions, p50 {percentile(self.times, 50):.3f} s, "
            f"p99 {percentile(self.times, 99):.3f} s, {lost} lost"
        )


def documents(address: str) -> list[dict[str, str]]:
    """Return the documents that the server holds."""
    connection = http.client.HTTPConnection(address, timeout=60)
    connection.request("GET", "/v1/documents")
    found: list[dict[str, str]] = json.load(connection.getresponse())["documents"]
    connection.close()
    return found


def send(address: str, name: str) -> None:
    """Send a file and print what the server answers."""
    data = hostile.FILES[name]()
    connection = http.client.HTTPConnection(address, timeout=300)
    began = time.perf_counter()
    kind = {"Content-Type": "application/octet-stream"}
    try:
        connection.request("POST", f"/v1/documents?name={name}", data, kind)
        response = connection.getresponse()
        said = json.load(response)
        outcome = f"{response.status} {said.get('type', 'loaded').removeprefix('urn:docqa:')}"
    except OSError as error:
        outcome = f"no answer: {error}"
    finally:
        connection.close()
    print(f"{name:22} {time.perf_counter() - began:6.1f} s  {outcome}", flush=True)


if __name__ == "__main__":
    main()
