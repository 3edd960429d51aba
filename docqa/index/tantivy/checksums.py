"""The checksums of an index: tantivy's own in each of its files, and docqa's of whole files.

tantivy ends a file of a segment with a footer: JSON with the CRC-32 of all before it, the length of
that JSON, and a magic number. It does not compare them when it reads. Its list of segments
(`meta.json`) has no checksum. The list that docqa keeps beside the index has the CRC-32 of every
file in it, also of that one and of the footers.

docqa's list is there while nothing changes the index: a change deletes it first and writes it last.
So it is never older than the index, and where it is missing (a writer is at work, or was killed)
tantivy's footers alone are compared.
"""

from __future__ import annotations

import json
import os
import struct
import zlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from docqa.index.durable_files import sync_folder, write_durably
from docqa.index.seals import sealed, unsealed
from docqa.index.tantivy.errors import DamageError

__all__ = ["LIST", "Checksums", "drop_checksums", "index_problems", "keep_checksums"]

LIST = "checksums"
"""The name of docqa's list in the folder of a collection."""

_META, _MANAGED = "meta.json", ".managed.json"
_LOCKS = ".tantivy-"
_PARTS = ("fast", "fieldnorm", "idx", "pos", "store", "term")
_STORE = ".store"  # the passages as they were written, which are sealed one by one
_LARGE = 32 << 20  # bytes; smaller files are read in a hundredth of a second
_TAIL = struct.Struct("<II")
_MAGIC = 1337
_LONGEST_FOOTER = 50_000  # bytes; tantivy refuses longer ones
_PIECE = 1 << 20  # bytes that are read at once


class Checksums:
    """The checksums of one index, compared when a file of it is first used.

    Args:
        folder: the index's.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._meta: bytes | None = None
        self._right: set[str] = set()

    def require(self) -> None:
        """Check the list of segments, and those of their files that were not checked before.

        Large files of stored passages are left out: each passage has a seal of its own.

        Raises:
            DamageError: a file is missing, or is not what was written.
            OSError: one cannot be read.
        """
        while (meta := self._segments()) != self._meta:
            problem = _problem_in_use(self._folder, meta, self._right)
            if problem is None:
                self._meta = meta
            elif meta == self._segments():
                raise DamageError(problem)
            # else a commit came in between, and its cleaning up

    def _segments(self) -> bytes:
        path = self._folder / _META
        try:
            return path.read_bytes()
        except FileNotFoundError as error:
            raise DamageError(f"{path}: it is missing") from error


def index_problems(folder: Path) -> Iterator[str]:
    """Yield the problems of all files of an index, one line each.

    Files that a failed commit left are not in use, and may be cut off.
    """
    try:
        kept = _list_of(folder)
    except DamageError as error:
        yield f"{error}; delete this file, which holds nothing else"
        kept = {}
    try:
        used = set(_names((folder / _META).read_bytes()))
    except (OSError, ValueError):
        used = set()
        yield f"{folder / _META}: it is missing, or no list of segments"
    for path in sorted(folder.iterdir()):
        if path.name.startswith(_LOCKS):
            continue
        with suppress(FileNotFoundError):  # a writer has just cleaned it up
            problem = _engine_problem(path) if path.name in used else None
            if problem is None and path.name in kept and _crc(path) != kept[path.name]:
                if _kept(folder) != kept:
                    return  # a writer has begun
                problem = "its checksum does not match"
            if problem is not None:
                yield f"{path}: {problem}"
    missing = sorted(name for name in kept if not (folder / name).exists())
    if _kept(folder) == kept:
        yield from (f"{folder / name}: it is missing" for name in missing)


def keep_checksums(folder: Path, before: dict[str, int]) -> None:
    """Write docqa's list for an index that no longer changes.

    Args:
        folder: the index's.
        before: the list before the change; files that it has are not read again, as tantivy
            writes each but its lists once.
    """
    found = {}
    for path in folder.iterdir():
        if path.name.startswith(_LOCKS):
            continue
        old = None if path.name in (_META, _MANAGED) else before.get(path.name)
        found[path.name] = _crc(path) if old is None else old
    values = {"index": folder.name, "crc32": found}
    write_durably(folder.parent / LIST, sealed(json.dumps(values, indent=1).encode("ascii")))


def drop_checksums(folder: Path) -> dict[str, int]:
    """Delete docqa's list before an index is changed, and return it; empty where there is none."""
    kept = _kept(folder)
    path = folder.parent / LIST
    if path.exists():
        path.unlink()
        sync_folder(path.parent)
    return kept


def _kept(folder: Path) -> dict[str, int]:
    """Return docqa's list of an index; empty where there is none to go by."""
    try:
        return _list_of(folder)
    except DamageError:
        return {}


def _list_of(folder: Path) -> dict[str, int]:
    """Return docqa's list of an index; empty where there is none, or it is another index's.

    Raises:
        DamageError: it is damaged.
    """
    path = folder.parent / LIST
    try:
        values = json.loads(unsealed(path.read_bytes()))
        found: dict[str, int] = values["crc32"]
        return found if values["index"] == folder.name else {}
    except FileNotFoundError:
        return {}
    except (ValueError, TypeError, KeyError) as error:
        raise DamageError(f"{path}: it is not what was written") from error


def _problem_in_use(folder: Path, meta: bytes, right: set[str]) -> str | None:
    """Return the first problem of the files that a list of segments names; add others to `right`.

    Args:
        folder: the index's.
        meta: the list of segments, as it was read.
        right: names of files that were checked before.
    """
    kept = _kept(folder).get(_META)
    if kept is not None and kept != zlib.crc32(meta) and _kept(folder).get(_META) == kept:
        return f"{folder / _META}: its checksum does not match"
    try:
        names = set(_names(meta))
    except ValueError:
        return f"{folder / _META}: it is no list of segments"
    for name in sorted(names - right):
        try:
            path = folder / name
            is_left_out = name.endswith(_STORE) and path.stat().st_size > _LARGE
            problem = None if is_left_out else _engine_problem(path)
        except FileNotFoundError:
            problem = "it is missing"
        if problem is not None:
            return f"{folder / name}: {problem}"
        right.add(name)
    return None


def _names(meta: bytes) -> Iterator[str]:
    """Yield the names of the files of all segments.

    Raises:
        ValueError: `meta` is no list of segments.
    """
    try:
        for segment in json.loads(meta)["segments"]:
            name = segment["segment_id"].replace("-", "")
            yield from (f"{name}.{part}" for part in _PARTS)
            if segment["deletes"] is not None:
                yield f"{name}.{segment['deletes']['opstamp']}.del"
    except (TypeError, KeyError, AttributeError) as error:
        raise ValueError("no list of segments") from error


def _engine_problem(path: Path) -> str | None:
    """Return the problem of a file by tantivy's own checksum, or None."""
    size = path.stat().st_size
    with path.open("rb") as file:
        if size < _TAIL.size:
            return "it is cut off"
        file.seek(size - _TAIL.size)
        length, magic = _TAIL.unpack(file.read(_TAIL.size))
        end = size - _TAIL.size - length
        if magic != _MAGIC or length > _LONGEST_FOOTER or end < 0:
            return "its end is missing or damaged"
        file.seek(end)
        try:
            crc = json.loads(file.read(length))["crc"]
        except (ValueError, TypeError, KeyError):
            return "its end is damaged"
        file.seek(0)
        return None if _crc_of(file, end) == crc else "its checksum does not match"


def _crc(path: Path) -> int:
    with path.open("rb") as file:
        return _crc_of(file, os.fstat(file.fileno()).st_size)


def _crc_of(file: Any, size: int) -> int:
    """Return the CRC-32 of the next `size` bytes of a file."""
    crc, left = 0, size
    while left and (piece := file.read(min(left, _PIECE))):
        crc = zlib.crc32(piece, crc)
        left -= len(piece)
    return crc
