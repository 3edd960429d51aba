"""Ask a server for more than it can do, and look at codes, times and memory.

    python tests/benchmarks/serve_overload.py [--minutes 60] [--aborted 10000] [--reader mini]

A server of its own is started, in a process of its own, over the handbook of the examples. Its
capacity is measured with sixteen clients; then questions come at twice that rate, as long as was
asked for. Beside them fifty clients send their bodies slowly, and some close half of their socket.
After that come questions whose clients leave at once. At the end one question is asked as at the
beginning.
"""

from __future__ import annotations

import argparse
import json
import random
import socket
import subprocess
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from http.client import HTTPException
from pathlib import Path

from serve_throughput import HANDBOOK, QUESTIONS, ask, percentile, started

_SLOW = 50
_HEAD = b"POST /v1/ask HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"


def main() -> None:
    """Print codes, times of those accepted, and memory at the start, on the way and at the end."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--aborted", type=int, default=10_000)
    parser.add_argument("--reader", default="mini")
    given = parser.parse_args()
    with started("--reader", given.reader, str(HANDBOOK)) as (address, process):
        rate = capacity(address)
        print(f"capacity: {rate:.1f} questions a second; memory {memory(process)} MiB")
        stop = threading.Event()
        troubles = threading.Thread(target=trouble, args=(address, stop))
        troubles.start()
        overload(address, process, 2 * rate, given.minutes * 60)
        stop.set()
        troubles.join()
        abort(address, given.aborted)
        time.sleep(5)
        status, seconds = ask(address, QUESTIONS[0])
        print(f"after {given.aborted:,} aborted questions: status {status} in {seconds:.3f} s")
        print(f"memory at the end: {memory(process)} MiB")


def capacity(address: str) -> float:
    """Return the questions a second that sixteen clients get answered in ten seconds."""
    until, done = time.monotonic() + 10, 0

    def client(number: int) -> int:
        count = 0
        while time.monotonic() < until:
            count += ask(address, QUESTIONS[(number + count) % len(QUESTIONS)])[0] == 200
        return count

    with ThreadPoolExecutor(16) as pool:
        done = sum(pool.map(client, range(16)))
    return done / 10


def overload(address: str, process: subprocess.Popen[str], rate: float, seconds: float) -> None:
    """Ask at a rate for some seconds, and print the outcome ten times on the way."""
    codes: Counter[int] = Counter()
    times: list[float] = []
    lock = threading.Lock()

    def one(question: str) -> None:
        try:
            status, taken = ask(address, question)
        except (OSError, HTTPException):
            status, taken = 0, 0.0
        with lock:
            codes[status] += 1
            if status == 200:
                times.append(taken)

    began, sent, draw = time.monotonic(), 0, random.Random(0)
    shown = 1
    with ThreadPoolExecutor(400) as pool:
        while (now := time.monotonic() - began) < seconds:
            if sent < now * rate:
                pool.submit(one, draw.choice(QUESTIONS))
                sent += 1
            else:
                time.sleep(0.001)
            if now >= seconds * shown / 10:
                shown += 1
                with lock:
                    ends = f"p50 {percentile(times, 50):.3f} s, p99 {percentile(times, 99):.3f} s"
                    print(f"{now:6.0f} s: {dict(codes)}, {ends}, memory {memory(process)} MiB")
    ends = f"p50 {percentile(times, 50):.3f} s, p99 {percentile(times, 99):.3f} s"
    print(f"twice the capacity for {seconds:.0f} s: {dict(codes)}, {ends}")


def trouble(address: str, stop: threading.Event) -> None:
    """Keep slow bodies and half-closed sockets coming until it is stopped."""
    host, _, port = address.partition(":")
    while not stop.is_set():
        slow = [socket.create_connection((host, int(port))) for _ in range(_SLOW)]
        for number, each in enumerate(slow):
            each.sendall(_HEAD + b"Content-Length: 1000\r\n\r\n{")
            if number % 5 == 0:
                each.shutdown(socket.SHUT_WR)
        for _ in range(20):
            if stop.wait(1):
                break
            for each in slow:
                with suppress(OSError):
                    each.sendall(b" ")
        for each in slow:
            each.close()


def abort(address: str, count: int) -> None:
    """Send questions and leave before their answers."""
    host, _, port = address.partition(":")
    body = json.dumps({"questions": [QUESTIONS[0]]}).encode()
    for _ in range(count):
        with suppress(OSError), socket.create_connection((host, int(port)), timeout=10) as one:
            one.sendall(_HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body)


def memory(process: subprocess.Popen[str]) -> int:
    """Return the resident memory of a process in MiB; -1 where the system does not say."""
    with suppress(OSError):
        for line in Path(f"/proc/{process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS"):
                return int(line.split()[1]) >> 10
    return -1


if __name__ == "__main__":
    main()
