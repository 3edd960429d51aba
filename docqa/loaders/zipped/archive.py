"""Open zip containers that strangers made: every part is read in pieces, inside stated limits.

Nothing is unpacked to disk, so that names such as ``../../x`` are harmless, and a zip file inside
the container stays the bytes it is.
"""

from __future__ import annotations

import io
import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise

from docqa.errors import EncryptedError, MalformedError, TooLargeError

__all__ = ["DEFAULT_LIMITS", "ZipArchive", "ZipLimits"]

_MIB = 1 << 20
_CHUNK = _MIB
"""Bytes read at once; also what the XML parser is fed with."""

_CENTRAL_HEADER = b"PK\x01\x02"  # APPNOTE.TXT 4.3.12: one for each entry
_LOCAL_HEADER = 30  # bytes before an entry's name and data, APPNOTE.TXT 4.3.7
_ENCRYPTED, _IS_UTF8 = 0x1, 0x800  # general purpose flags, APPNOTE.TXT 4.4.4
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""ECMA-376 part 2 (annex C) and EPUB 3.3 (OCF, 4.3) allow no others."""


@dataclass(frozen=True, slots=True)
class ZipLimits:
    """The limits of a container; sizes in bytes after decompression.

    Attributes:
        entries: how many it may list.
        part: of one part.
        total: of all parts that are read.
        ratio: of decompressed to compressed bytes of a part over `ratio_from` bytes. Deflate
            reaches 1,032; repetitive tables in XML stay below 100.
        ratio_from: smaller parts may be as repetitive as they like.
    """

    entries: int = 20_000
    part: int = 256 * _MIB
    total: int = 512 * _MIB
    ratio: int = 200
    ratio_from: int = 8 * _MIB


DEFAULT_LIMITS = ZipLimits()


class ZipArchive:
    """A zip container in memory whose parts are read by name.

    Names are compared without regard to case, as ECMA-376 part 2 (6.2.2.3) asks, and with ``/``
    for the backslashes of some writers.

    Args:
        data: the whole file.
        source: its path or name, for messages.
        limits: what it may cost.

    Raises:
        MalformedError: it is no zip container, is cut off, or its parts share bytes.
        TooLargeError: it lists too many parts.
    """

    def __init__(self, data: bytes, *, source: str, limits: ZipLimits = DEFAULT_LIMITS) -> None:
        self.source, self._limits = source, limits
        if data.count(_CENTRAL_HEADER) > limits.entries:
            raise TooLargeError(
                f"{source}: the container lists more than {limits.entries:,} parts; no document "
                "that docqa reads has as many",
                source=source,
            )
        with self._translated("the container cannot be opened"):
            self._file = zipfile.ZipFile(io.BytesIO(data))
        self._entries: dict[str, list[zipfile.ZipInfo]] = {}
        for entry in self._file.infolist():
            if not entry.filename.endswith("/"):  # a folder; is_dir() fails on an empty name
                for key in {_key(entry.filename), _key(_meant_name(entry))}:
                    self._entries.setdefault(key, []).append(entry)
        self._refuse_overlaps()
        self._bytes_read = 0

    @property
    def names(self) -> list[str]:
        """Return the names of the parts as the container writes them, in its order."""
        names = (entries[0].filename.replace("\\", "/") for entries in self._entries.values())
        return list(dict.fromkeys(names))

    def __contains__(self, name: str) -> bool:
        return _key(name) in self._entries

    def member(self, name: str) -> str | None:
        """Return the name that the container itself has for a part, or None without such a part."""
        entries = self._entries.get(_key(name))
        return entries[0].filename if entries else None

    def read(self, name: str) -> bytes:
        """Return the bytes of a part; it raises as `chunks` does."""
        return b"".join(self.chunks(name))

    def chunks(self, name: str) -> Iterator[bytes]:
        """Yield the bytes of a part in pieces.

        Raises:
            MalformedError: there is no such part or several, or its data are broken.
            EncryptedError: it is encrypted.
            TooLargeError: it exceeds a limit, by what it declares or by what comes out.
        """
        entry = self._entry(name)
        self._refuse_large(entry, entry.file_size, self._bytes_read + entry.file_size)
        with self._translated(f"the part {name} cannot be read"), self._file.open(entry) as part:
            size = 0
            while chunk := part.read(_CHUNK):
                size += len(chunk)
                self._bytes_read += len(chunk)
                self._refuse_large(entry, size, self._bytes_read)
                yield chunk

    def _entry(self, name: str) -> zipfile.ZipInfo:
        entries = self._entries.get(_key(name), [])
        if not entries:
            raise self._malformed(f"the part {name} is missing")
        if len(entries) > 1:
            raise self._malformed(f"the container holds {len(entries)} parts called {name}")
        entry = entries[0]
        if entry.flag_bits & _ENCRYPTED:
            raise EncryptedError(
                f"{self.source}: the parts of this container are encrypted with a zip password, "
                "which docqa cannot use; unpack it and pack it again without",
                source=self.source,
            )
        if entry.compress_type not in _METHODS:
            raise self._malformed(
                f"the part {name} is compressed by method {entry.compress_type}; such files use "
                "deflate or none"
            )
        return entry

    def _refuse_large(self, entry: zipfile.ZipInfo, size: int, total: int) -> None:
        limits, name = self._limits, entry.filename
        if size > limits.part:
            self._too_large(f"the part {name} holds more than {limits.part / _MIB:,.0f} MiB")
        if total > limits.total:
            self._too_large(f"its parts hold more than {limits.total / _MIB:,.0f} MiB together")
        if size > limits.ratio_from and size > limits.ratio * max(1, entry.compress_size):
            self._too_large(
                f"the part {name} unpacks to more than {limits.ratio} times its size, as the parts "
                "of decompression bombs do"
            )

    def _too_large(self, what: str) -> None:
        raise TooLargeError(f"{self.source}: {what}; split the document", source=self.source)

    def _refuse_overlaps(self) -> None:
        """Refuse parts that share bytes: how small files hold endless data (Fifield 2019)."""
        entries = sorted(self._file.infolist(), key=lambda entry: entry.header_offset)
        for entry, following in pairwise(entries):
            end = entry.header_offset + _LOCAL_HEADER + entry.compress_size
            if end > following.header_offset:
                raise self._malformed(
                    f"the parts {entry.filename} and {following.filename} share bytes, as those "
                    "of decompression bombs do"
                )

    @contextmanager
    def _translated(self, what: str) -> Iterator[None]:
        """Turn the exceptions of zipfile on broken data into errors of docqa."""
        try:
            yield
        except _BROKEN as error:
            raise self._malformed(f"{what}: {_reason(error)}") from error

    def _malformed(self, what: str) -> MalformedError:
        return MalformedError(
            f"{self.source}: {what}; the file is damaged, get a fresh copy", source=self.source
        )


_BROKEN: tuple[type[Exception], ...] = (
    *(zipfile.BadZipFile, zlib.error, struct.error, EOFError, NotImplementedError, RuntimeError),
    *(OSError, ValueError, OverflowError, IndexError),
)
"""What zipfile of the Python versions so far raises on broken data."""

_REASONS = {"": "the data end too early", "File is not a zip file": "it is cut off, or no zip file"}


def _key(name: str) -> str:
    return unicodedata.normalize("NFC", name.replace("\\", "/").lstrip("/")).casefold()


def _meant_name(entry: zipfile.ZipInfo) -> str:
    """Return a part's name; some writers use UTF-8 without the flag that says so."""
    if entry.flag_bits & _IS_UTF8 or entry.filename.isascii():
        return entry.filename
    try:
        return entry.filename.encode("cp437").decode("utf-8")
    except UnicodeError:
        return entry.filename


def _reason(error: Exception) -> str:
    text = str(error)
    return _REASONS.get(text, text[:1].lower() + text[1:])
