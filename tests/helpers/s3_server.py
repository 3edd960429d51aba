"""A real S3 API on loopback: moto's server as a process of its own."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import Request, urlopen

HERE = Path(__file__).parent


@contextmanager
def s3_environment(bucket: str = "bucket") -> Iterator[dict[str, str]]:
    """Yield the variables that lead to a server with one empty bucket; stop it at the end."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    variables = {
        "AWS_ENDPOINT_URL": address,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_REGION": "us-east-1",
        "AWS_ALLOW_HTTP": "true",
    }
    quiet = subprocess.DEVNULL
    with subprocess.Popen(command, stdout=quiet, stderr=quiet) as server:
        try:
            _await(Request(f"{address}/{bucket}", method="PUT"))
            yield variables
        finally:
            server.terminate()


def _await(request: Request, *, seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while True:
        try:
            urlopen(request, timeout=60).close()
        except OSError:  # not listening yet, or busy importing
            if time.monotonic() > end:
                raise
            time.sleep(0.2)
        else:
            return


def start(role: str, address: str, number: int, seconds: float) -> subprocess.Popen[str]:
    """Start one process of `s3_processes`."""
    arguments = [role, address, str(number), str(seconds)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.Popen(
        [sys.executable, str(HERE / "s3_processes.py"), *arguments],
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    )
