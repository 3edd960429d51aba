"""Read the bytes of a source: a path, standard input, bytes or an open file."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import IO

from docqa.datamodel import Document
from docqa.errors import SettingError, SourceNotFoundError, SourceUnreadableError, TooLargeError

__all__ = ["Source", "read_source", "source_name"]

Source = str | os.PathLike[str] | bytes | bytearray | memoryview | IO[bytes] | IO[str] | Document


def source_name(source: Source) -> str:
    """Return the name of a source in messages and answers, without reading it.

    >>> source_name("report.pdf"), source_name(b"%PDF-1.7")
    ('report.pdf', '<bytes>')
    """
    if isinstance(source, Document):
        return source.source
    if isinstance(source, (bytes, bytearray, memoryview)):
        return "<bytes>"
    if isinstance(source, (str, os.PathLike)):
        return os.fsdecode(source)
    name = getattr(source, "name", None)
    return name if isinstance(name, str) else "<file>"


def read_source(source: Source, *, most_bytes: int | None = None) -> tuple[bytes, str]:
    """Return the bytes of a source and the name that messages and answers give it.

    Args:
        source: as `docqa.load` takes it.
        most_bytes: no more is read; None for no limit.

    Raises:
        TooLargeError: it has more bytes.
        SourceNotFoundError: there is no file at the path.
        SourceUnreadableError: it is a folder, or its bytes cannot be read.
    """
    name = source_name(source)
    size = -1 if most_bytes is None else most_bytes + 1  # one more tells that there are more
    if isinstance(source, (bytes, bytearray, memoryview)):
        data = bytes(source)
    elif isinstance(source, (str, os.PathLike)):
        data = _read_stdin(size) if name == "-" else _read_path(name, size)
    else:
        data = _read_open(source, name, size)
    if most_bytes is not None and len(data) > most_bytes:
        raise TooLargeError(
            f"{name}: the file has more than the limit of {most_bytes:,} bytes; split it, or raise "
            "the limit with Limits(file_bytes=...)",
            source=name,
        )
    return data, name


def _read_open(source: object, name: str, size: int) -> bytes:
    if not hasattr(source, "read"):
        raise SettingError(
            f"cannot load a {type(source).__name__}; pass a path, '-', bytes, an open file or a "
            "Document"
        )
    return _read_file(source, name, size)  # type: ignore[arg-type]  # it has read()


def _read_path(name: str, size: int) -> bytes:
    if not name:
        raise SourceNotFoundError(
            "empty path; name a file (to load a text itself, pass it as bytes)", source=name
        )
    try:
        with Path(name).open("rb") as file:
            return file.read(size)
    except FileNotFoundError as error:
        raise SourceNotFoundError(
            f"{name}: no such file; check the path (to load a text itself, pass it as bytes)",
            source=name,
        ) from error
    except IsADirectoryError as error:
        raise SourceUnreadableError(
            f"{name}: this is a folder; pass the files in it", source=name
        ) from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise SourceUnreadableError(f"{name}: cannot be read: {reason}", source=name) from error


def _read_stdin(size: int) -> bytes:
    try:
        return sys.stdin.buffer.read(size)
    except (OSError, AttributeError) as error:
        raise SourceUnreadableError(
            "-: standard input cannot be read; pipe the document into the command", source="-"
        ) from error


def _read_file(file: IO[bytes] | IO[str], name: str, size: int) -> bytes:
    readable = _bytes_file(file) or file
    try:
        content: object = readable.read() if size < 0 else readable.read(size)
        if isinstance(content, str):
            return _as_bytes(content)
    except UnicodeEncodeError as error:
        raise SourceUnreadableError(
            f"{name}: the text holds half of a surrogate pair; open the file in binary mode",
            source=name,
        ) from error
    except (OSError, ValueError) as error:
        raise SourceUnreadableError(f"{name}: cannot be read: {error}", source=name) from error
    if isinstance(content, (bytes, bytearray, memoryview)):
        return bytes(content)
    raise SourceUnreadableError(
        f"{name}: read() gave {type(content).__name__}, neither bytes nor text; pass a file that "
        "is open for reading and blocks until there is something to read",
        source=name,
    )


def _bytes_file(file: IO[bytes] | IO[str]) -> IO[bytes] | None:
    """Return the binary file under a text file of which nothing was read yet, or None.

    The bytes decide better than the encoding that the file was opened with, often by default; and
    only they can be a PDF.
    """
    buffer: IO[bytes] | None = getattr(file, "buffer", None)
    if not hasattr(buffer, "read"):
        return None
    try:
        return buffer if file.tell() == 0 else None
    except (OSError, AttributeError):  # a pipe does not say what was read
        return None


def _as_bytes(text: str) -> bytes:
    """Return a text that has no bytes of its own; a byte order mark overrules its declarations."""
    return text.encode("utf-8" if text.isascii() or text[0] == "\ufeff" else "utf-8-sig")
