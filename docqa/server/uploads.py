"""Documents on their way in: streamed to private files while their bytes are hashed."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from starlette.requests import ClientDisconnect, Request

from docqa.server.problems import Problem

__all__ = ["Upload", "received"]


@dataclass(frozen=True, slots=True)
class Upload:
    """A body that was received.

    Attributes:
        path: of a file that only this user can read; it goes when the request ends.
        sha256: of its bytes, in hexadecimal.
        size: in bytes.
    """

    path: Path
    sha256: str
    size: int

    def read(self) -> bytes:
        """Return the bytes."""
        return self.path.read_bytes()


@asynccontextmanager
async def received(request: Request) -> AsyncIterator[Upload]:
    """Receive the body of a request into a file with a random name.

    Raises:
        Problem: it is empty, or the client left; the guard counts it.
    """
    number, name = tempfile.mkstemp(prefix="docqa-")
    digest, size = hashlib.sha256(), 0
    try:
        with os.fdopen(number, "wb") as file:
            async for part in request.stream():
                digest.update(part)
                size += len(part)
                file.write(part)
        if not size:
            raise Problem(422, "empty", "the body is empty; send the bytes of a document")
        yield Upload(Path(name), digest.hexdigest(), size)
    except ClientDisconnect:
        raise Problem(400, "client-left", "the client left before its document was here") from None
    finally:
        Path(name).unlink(missing_ok=True)
