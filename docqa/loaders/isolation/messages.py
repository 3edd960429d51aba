"""Messages between a process and its isolated worker: frames on a pipe.

A message is two lengths (8 bytes each, little-endian), a packed value, and raw bytes that are not
copied into it, such as a file's content. Requests are packed by `pack_request`, as pickles: the
parent is trusted, and an OCR engine may be an object of the caller's own. Replies are plain data;
see `docqa.loaders.isolation.plain`.
"""

from __future__ import annotations

import io
import pickle
import struct
from typing import IO, Any

__all__ = ["MessageError", "pack_request", "receive", "send", "unpack_request"]

_LENGTHS = struct.Struct("<QQ")
_LONGEST = 1 << 32  # bytes; far over what the caps on content leave
_PIECE = 1 << 20  # bytes read at once; a pipe holds less


class MessageError(Exception):
    """A message that is none, or holds something that no message may."""


def send(stream: IO[bytes], packed: bytes, content: bytes = b"") -> None:
    """Write a message and flush it; the stream may be one without a buffer."""
    for part in (_LENGTHS.pack(len(packed), len(content)), packed, content):
        left = memoryview(part)
        while left:
            left = left[stream.write(left) :]
    stream.flush()


def receive(stream: IO[bytes]) -> tuple[bytes, bytes]:
    """Return the packed value and the raw bytes of the next message.

    Raises:
        EOFError: the stream ends.
        MessageError: the lengths are impossible.
    """
    n_packed, n_content = _LENGTHS.unpack(_exactly(stream, _LENGTHS.size))
    if max(n_packed, n_content) > _LONGEST:
        raise MessageError(f"a message of {n_packed:,} and {n_content:,} bytes")
    return _exactly(stream, n_packed), _exactly(stream, n_content)


def _exactly(stream: IO[bytes], length: int) -> bytes:
    """Return `length` bytes, piece by piece: a stream without a buffer gives fewer at once."""
    data = io.BytesIO()
    while left := length - data.tell():
        piece = stream.read(min(left, _PIECE))
        if not piece:
            raise EOFError
        data.write(piece)
    return data.getvalue()


def pack_request(value: object) -> bytes:
    """Return a request as a pickle."""
    return pickle.dumps(value, protocol=5)


def unpack_request(packed: bytes) -> Any:
    """Return the request of a process to its worker; never call it on a worker's bytes."""
    return pickle.loads(packed)
