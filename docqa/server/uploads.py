"""Documents on their way in: streamed to private files while their bytes are hashed."""

from __future__ import annotations

import hashlib
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from starlette.requests import ClientDisconnect, Request

from docqa.server.problems import Problem

__all__ = ["Upload", "received"]


@dataclass
class Upload:
    """A body that was received.

    Attributes:
        path: of a file that only this user can read; it goes when the request ends, unless kept.
        sha256: of its bytes, in hexadecimal.
        is_kept: whoever has the path deletes the file.
    """

    path: Path
    sha256: str = ""
    is_kept: bool = False

    def keep(self) -> None:
        """Leave the file to another owner."""
        self.is_kept = True


@asynccontextmanager
async def received(request: Request, path: Path) -> AsyncIterator[Upload]:
    """Receive the body of a request into a new file.

    Args:
        request: its body is counted by the guard.
        path: where nothing is yet, in a private folder.

    Raises:
        Problem: the body is empty, or the client left.
    """
    digest, size, upload = hashlib.sha256(), 0, Upload(path)
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            async for part in request.stream():
                digest.update(part)
                size += len(part)
                file.write(part)
        if not size:
            raise Problem(422, "empty", "the body is empty; send the bytes of a document")
        upload.sha256 = digest.hexdigest()
        yield upload
    except ClientDisconnect:
        raise Problem(400, "client-left", "the client left before its document was here") from None
    finally:
        if not upload.is_kept:
            path.unlink(missing_ok=True)
