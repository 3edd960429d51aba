"""The settings of a service, with their ranges."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields

from docqa.errors import SettingError
from docqa.limits import Limits

__all__ = ["ServiceSettings"]

_MIB = 1 << 20
_AT_LEAST_0 = {"min_score"}


@dataclass(frozen=True, slots=True)
class ServiceSettings:
    """Settings of a service for many callers.

    Attributes:
        reader: the name or path that `docqa.load_reader` takes.
        collections: addresses of collections, by the names that callers use.
        upload_bytes: the largest file that is taken.
        memory_bytes: documents in memory, with passages and index, as estimated; those used last
            stay. One that is in use is never dropped.
        disk_bytes: originals on disk; those used last stay, the others are forgotten.
        workers: processes that load files, and as many that look up places and draw pages.
        files_per_worker: files after which such a process is replaced.
        load_seconds: time on the clock that loading one file may take.
        load_memory_bytes: address space that loading one file may take.
        load_pages: later pages are left out, with a warning.
        load_characters: a document with more text is refused.
        deadline: seconds that a request may take from its arrival, unless it asks for less.
        queue_passages: passages that may wait to be read.
        queue_requests: requests that may be at work or wait.
        batch_passages: passages that are read together.
        ocr: read the scanned pages of PDFs with Tesseract.
        min_score: answers with a lower score are left out; None for the usual threshold.

    Raises:
        SettingError: a number is not above 0.
    """

    reader: str = "cascade"
    collections: Mapping[str, str] = field(default_factory=dict)
    upload_bytes: int = 100 * _MIB
    memory_bytes: int = 1024 * _MIB
    disk_bytes: int = 4096 * _MIB
    workers: int = 2
    files_per_worker: int = 50
    load_seconds: float = 60.0
    load_memory_bytes: int = 1024 * _MIB
    load_pages: int = 5000
    load_characters: int = 5_000_000
    deadline: float = 30.0
    queue_passages: int = 4096
    queue_requests: int = 64
    batch_passages: int = 256
    ocr: bool = False
    min_score: float | None = None

    def __post_init__(self) -> None:
        for each in fields(self):
            value = getattr(self, each.name)
            if isinstance(value, bool) or not isinstance(value, int | float):
                continue
            if each.name not in _AT_LEAST_0 and not value > 0:
                raise SettingError(f"{each.name} must be above 0, not {value}")

    @property
    def limits(self) -> Limits:
        """Return the limits under which files of strangers are loaded."""
        return Limits(
            memory_bytes=self.load_memory_bytes,
            cpu_seconds=self.load_seconds / 2,
            wall_seconds=self.load_seconds,
            file_bytes=self.upload_bytes,
            pages=self.load_pages,
            characters=self.load_characters,
        )
