"""Messages between a process and its isolated worker: frames on a pipe.

A message is two lengths (8 bytes each, little-endian), a packed value, and raw bytes that are not
copied into it, such as a file's content.

Requests are pickles: the parent is trusted, and an OCR engine may be an object of the caller's own.
Replies are plain data, MessagePack that is decoded by type: a file that takes over the worker must
not take over its parent. So nothing is unpickled that a worker sends. `decode` builds the records
that its caller names from numbers, texts, bytes and lists, calls nothing else, and refuses what has
another shape.
"""

from __future__ import annotations

import io
import pickle
import struct
from array import array
from collections.abc import Callable
from typing import IO, Any

import msgspec

__all__ = ["MessageError", "decode", "encode", "pack_request", "receive", "send", "unpack_request"]

_LENGTHS = struct.Struct("<QQ")
_LONGEST = 1 << 32  # bytes; far over what the caps on content leave
_PIECE = 1 << 20  # bytes read at once; a pipe holds less
_PLAIN, _ESCAPED = b"\0", b"\1"  # first byte: are texts as they are, or with escaped surrogates?
_TYPE_CODES = frozenset("BIiQ")  # of arrays of numbers


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


def _plain_array(value: object) -> tuple[str, bytes]:
    if isinstance(value, array):
        return value.typecode, value.tobytes()
    raise TypeError(f"a {type(value).__name__} is no plain data")


def _array(kind: object, value: object) -> object:
    """Return the array that a pair of type code and bytes stands for.

    Raises:
        ValueError: it is no such pair.
    """
    if kind is not array or not isinstance(value, list) or len(value) != 2:
        raise ValueError(f"no {kind}")
    code, data = value
    if code not in _TYPE_CODES or not isinstance(data, bytes):
        raise ValueError("an array of something else than whole numbers")
    return array(code, data)


_ENCODER = msgspec.msgpack.Encoder(enc_hook=_plain_array)


def encode(value: object) -> bytes:
    """Return plain values, dataclasses and structs as bytes.

    Raises:
        TypeError: it holds something else.
    """
    try:
        return _PLAIN + _ENCODER.encode(value)
    except UnicodeEncodeError:  # half of a surrogate pair, as in names of files; it has no UTF-8
        tree = msgspec.to_builtins(value, enc_hook=_plain_array, builtin_types=(bytes,))
        return _ESCAPED + _ENCODER.encode(_with_texts(tree, _escaped))


def decode(data: bytes, kind: Any) -> Any:
    """Return the value of type `kind` that `encode` gave as bytes.

    Raises:
        MessageError: the bytes hold something else.

    >>> decode(encode((1, "two")), tuple[int, str])
    (1, 'two')
    """
    body = memoryview(data)[1:]
    try:
        if data[:1] == _PLAIN:
            return msgspec.msgpack.decode(body, type=kind, dec_hook=_array)
        tree = _with_texts(msgspec.msgpack.decode(body), _unescaped)
        return msgspec.convert(tree, kind, dec_hook=_array, builtin_types=(bytes,))
    except (msgspec.MsgspecError, ValueError, TypeError, RecursionError) as error:
        raise MessageError(f"not a message: {error}") from error


def _with_texts(tree: Any, change: Callable[[str], str]) -> Any:
    """Return a tree of plain values with every text changed."""
    if isinstance(tree, str):
        return change(tree)
    if isinstance(tree, dict):
        return {_with_texts(key, change): _with_texts(tree[key], change) for key in tree}
    if isinstance(tree, (list, tuple)):
        return [_with_texts(each, change) for each in tree]
    return tree


def _escaped(text: str) -> str:
    return text.encode("utf-8", "surrogatepass").decode("latin-1")


def _unescaped(text: str) -> str:
    return text.encode("latin-1").decode("utf-8", "surrogatepass")
