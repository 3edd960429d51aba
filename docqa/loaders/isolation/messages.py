"""Messages between a process and its isolated worker.

A message is two lengths (8 bytes each, little-endian), a pickle, and raw bytes that are not copied
into it, such as a file's content.

What the worker sends is not trusted with more than it needs: a file that takes over the worker
must not take over its parent by a pickle. So the parent rebuilds records of docqa, errors and
plain containers, and nothing else that a pickle can name.
"""

from __future__ import annotations

import importlib
import io
import pickle
import struct
from dataclasses import is_dataclass
from enum import Enum
from functools import cache
from typing import IO, Any

__all__ = ["MessageError", "pack", "receive", "send", "unpack_trusted", "unpack_untrusted"]

_LENGTHS = struct.Struct("<QQ")
_LONGEST = 1 << 32  # bytes; far over what the caps on content leave
_PIECE = 1 << 20  # bytes read at once; a pipe holds less
_CONTENT = "content"  # stands in a pickle for the bytes that both sides have
_PLAIN = {
    ("array", "_array_reconstructor"),
    ("array", "array"),
    ("builtins", "bytearray"),
    ("builtins", "frozenset"),
    ("builtins", "set"),
    ("collections", "Counter"),
    ("collections", "OrderedDict"),
    ("docqa.errors", "_rebuild_isolation_error"),
    ("docqa.errors", "_rebuild_load_error"),
    ("docqa.loaders.containers.xml_reading", "_rebuild_step"),
}

# Modules with classes that start processes or open files.
_ACTIVE = ("docqa.loaders.isolation", "docqa.loaders.pdf.fallback")


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
    return _ContentUnpickler(io.BytesIO(packed), content).load()


def unpack_untrusted(packed: bytes, content: bytes | None = None) -> Any:
    """Return what a worker packed.

    Raises:
        MessageError: it is no pickle, or names something other than the records of docqa.
    """
    try:
        return _Unpickler(io.BytesIO(packed), content).load()
    except MessageError:
        raise
    except Exception as error:
        raise MessageError(f"not a message: {error}") from error


class _Pickler(pickle.Pickler):
    def __init__(self, buffer: IO[bytes], content: bytes) -> None:
        super().__init__(buffer, protocol=5)
        self._content = content

    def persistent_id(self, obj: object) -> str | None:
        return _CONTENT if obj is self._content else None


class _ContentUnpickler(pickle.Unpickler):
    def __init__(self, buffer: IO[bytes], content: bytes | None) -> None:
        super().__init__(buffer)
        self._content = content

    def persistent_load(self, pid: object) -> bytes:
        if pid != _CONTENT or self._content is None:
            raise pickle.UnpicklingError(f"nothing is known as {pid!r}")
        return self._content


class _Unpickler(_ContentUnpickler):
    def find_class(self, module: str, name: str) -> Any:
        return _found(module, name)


@cache
def _found(module: str, name: str) -> Any:
    """Return what a message may name.

    Raises:
        MessageError: it may not.
    """
    if (module, name) in _PLAIN:
        return getattr(importlib.import_module(module), name)
    if module.startswith("docqa.") and "." not in name:
        found = getattr(importlib.import_module(module), name, None)
        if isinstance(found, type) and found.__module__ == module and _is_record(found):
            return found
    raise MessageError(f"a message may not hold {module}.{name}")


def _is_record(kind: type) -> bool:
    """Say whether objects of a class open and start nothing when they are made."""
    if is_dataclass(kind) or issubclass(kind, (Exception, Enum, tuple)):
        return True
    module = kind.__module__  # source maps have parts that are neither
    return module.startswith("docqa.loaders.") and not module.startswith(_ACTIVE)
