"""The record of each source of a collection: of a document in it, or of a source that failed."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, ClassVar

from docqa.errors import CollectionError
from docqa.index.contract import Labels
from docqa.index.seals import sealed, unsealed

__all__ = ["CollectedDocument", "FailedSource", "FileStamp", "file_stamp", "labels_of"]


@dataclass(frozen=True, slots=True)
class FileStamp:
    """A file's size and time, by which it is probably the same without reading it.

    Attributes:
        size: in bytes.
        mtime_ns: time of the last change, in nanoseconds since 1970.
        taken: when it was looked at, in seconds since 1970.
    """

    size: int
    mtime_ns: int
    taken: float

    _CLOCK: ClassVar[float] = 2.0  # seconds; no file system in use keeps times more coarsely (FAT)

    @property
    def is_settled(self) -> bool:
        """Say whether a later change must have given another time.

        A file that is changed right after it was looked at may keep its time and size; Git calls
        such entries racy.
        """
        return self.taken - self.mtime_ns / 1e9 > self._CLOCK

    def same_file(self, other: FileStamp) -> bool:
        """Say whether size and time are the same."""
        return (self.size, self.mtime_ns) == (other.size, other.mtime_ns)


@dataclass(frozen=True, slots=True)
class CollectedDocument:
    """A document's record in a collection.

    Attributes:
        key: its name in the collection: the absolute path of its file, or the name it was given.
        id: SHA-256 of its bytes, in hexadecimal.
        source: the path or name.
        title: the document's own, or None.
        media_type: such as ``"application/pdf"``.
        extractor: name and version of the library that gave the text.
        indexed: when it was indexed, in seconds since 1970.
        n_pages, n_passages, n_characters: its size; no pages where the format has none.
        folder: the folder that it was found in when one was added or synchronised, or None.
        stamp: of its file; None where it came as bytes.
        metadata: the user's own.
        warnings: those of its loading.
    """

    key: str
    id: str
    source: str
    title: str | None
    media_type: str
    extractor: str
    indexed: float
    n_pages: int
    n_passages: int
    n_characters: int
    folder: str | None = None
    stamp: FileStamp | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return asdict(self)

    def to_json(self) -> str:
        """Return the record as it is stored, behind a seal."""
        return sealed(json.dumps(self.to_dict()).encode("ascii")).decode("ascii")

    @classmethod
    def from_json(cls, text: str) -> CollectedDocument:
        """Return a stored record.

        Raises:
            CollectionError: it is damaged.
        """
        try:
            values = json.loads(unsealed(text.encode("utf-8", "surrogatepass")))
            return cls(**_known(cls, values))
        except (ValueError, TypeError) as error:
            raise CollectionError(f"its stored record is damaged ({error})") from error


@dataclass(frozen=True, slots=True)
class FailedSource:
    """A source that is not in a collection, and why.

    Attributes:
        key: its name in the collection.
        kind: name of the error's class, such as ``"EncryptedError"``.
        message: of the error; it says what to do next.
        failed: when, in seconds since 1970.
        id: SHA-256 of its bytes, or None where they could not be read.
        folder: the folder that it was found in, or None.
        stamp: of its file, or None.
        metadata: the user's own.
    """

    key: str
    kind: str
    message: str
    failed: float
    id: str | None = None
    folder: str | None = None
    stamp: FileStamp | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> FailedSource:
        """Return a stored record."""
        return cls(**_known(cls, values))


def file_stamp(path: str) -> FileStamp | None:
    """Return the size and time of a file; None where there is no file."""
    now = time.time()
    try:
        found = Path(path).stat()
    except (OSError, ValueError):
        return None
    return FileStamp(found.st_size, found.st_mtime_ns, now)


def labels_of(document: CollectedDocument) -> Labels:
    """Return the labels by which filters choose documents."""
    stamp, parents = document.stamp, reversed(Path(document.key).parents)
    return Labels(
        document_id=document.id,
        folders=() if stamp is None else tuple(str(each) for each in parents),
        media_type=document.media_type,
        title=document.title or "",
        date=None if stamp is None else stamp.mtime_ns // 10**9,
        metadata=document.metadata,
    )


def _known(cls: type[Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of the fields of a class, as it has them."""
    known = {each.name: values[each.name] for each in fields(cls) if each.name in values}
    if known.get("stamp") is not None:
        known["stamp"] = FileStamp(**known["stamp"])
    if "warnings" in known:
        known["warnings"] = tuple(known["warnings"])
    return known
