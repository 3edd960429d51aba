"""Messages between a process and its isolated worker.

A message is two lengths (8 bytes each, little-endian), a pickle, and raw bytes that are not copied
into it, such as a file's content. `untrusted` unpacks what comes from the worker.
"""

from __future__ import annotations

import io
import pickle
import struct
from typing import IO, Any

__all__ = ["MessageError", "content_of", "pack", "receive", "send", "unpack_trusted"]

_LENGTHS = struct.Struct("<QQ")
_LONGEST = 1 << 32  # bytes; far over what the caps on content leave
_PIECE = 1 << 20  # bytes read at once; a pipe holds less
_CONTENT = "content"  # stands in a pickle for the bytes that both sides have


class MessageError(Exception):
    """Say that what came is no message, or holds what no message may."""


def send(stream: IO[bytes], packed: bytes, content: bytes = b"") -> None:
    """Write a message and flush it; the stream may be one without a buffer."""
    for part in (_LENGTHS.pack(len(packed), len(content)), packed, content):
        left = memoryview(part)
        while left:
            left = left[stream.write(left) :]
    stream.flush()


def receive(stream: IO[bytes]) -> tuple[bytes, bytes]:
    """Return the pickle and the raw bytes of the next message.

    Raises:
        EOFError: the stream ends.
        MessageError: the lengths are impossible.
    """
    n_packed, n_content = _LENGTHS.unpack(_exactly(stream, _LENGTHS.size))
    if max(n_packed, n_content) > _LONGEST:
        raise MessageError(f"a message of {n_packed:,} and {n_content:,} bytes")
    return _exactly(stream, n_packed), _exactly(stream, n_content)


def _exactly(stream: IO[bytes], length: int) -> bytes:
    """Return so many bytes, piece by piece: a stream without a buffer gives what is there."""
    data = io.BytesIO()
    while left := length - data.tell():
        piece = stream.read(min(left, _PIECE))
        if not piece:
            raise EOFError
        data.write(piece)
    return data.getvalue()


def pack(value: object, content: bytes | None = None) -> bytes:
    """Return `value` pickled; where it holds `content` itself, a mark stands for it."""
    if content is None:
        return pickle.dumps(value, protocol=5)
    buffer = io.BytesIO()
    _Pickler(buffer, content).dump(value)
    return buffer.getvalue()


def unpack_trusted(packed: bytes, content: bytes | None = None) -> Any:
    """Return what a process packed for its worker; never call it on what a worker sends."""
    return _Unpickler(io.BytesIO(packed), content).load()


def content_of(mark: object, content: bytes | None) -> bytes:
    """Return the bytes that a mark in a pickle stands for.

    Raises:
        pickle.UnpicklingError: nothing is known under it.
    """
    if mark != _CONTENT or content is None:
        raise pickle.UnpicklingError(f"a {type(mark).__name__} stands for nothing")
    return content


class _Pickler(pickle.Pickler):
    def __init__(self, buffer: IO[bytes], content: bytes) -> None:
        super().__init__(buffer, protocol=5)
        self._content = content

    def persistent_id(self, obj: object) -> str | None:
        return _CONTENT if obj is self._content else None


class _Unpickler(pickle.Unpickler):
    def __init__(self, buffer: IO[bytes], content: bytes | None) -> None:
        super().__init__(buffer)
        self._content = content

    def persistent_load(self, pid: object) -> bytes:
        return content_of(pid, self._content)
