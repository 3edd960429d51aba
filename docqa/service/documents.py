"""Uploaded documents by the hash of their bytes: those used last in memory, originals on disk."""

from __future__ import annotations

import hashlib
import re
import shutil
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from docqa.datamodel import Document, LoadWarning
from docqa.errors import TooLargeError, UnknownItemError
from docqa.load_settings import LoadSettings
from docqa.loaders.isolation.shared_worker import with_worker
from docqa.loaders.load import load_with

if TYPE_CHECKING:
    from docqa.asking.prepared import PreparedDocument
    from docqa.protocols import Progress
    from docqa.service.settings import ServiceSettings
    from docqa.service.worker_pool import WorkerPool

__all__ = ["DocumentStore", "ServedDocument", "clean_name"]

# Of a document with its passages and their index beside its file, measured with tracemalloc: PDFs
# take 24 bytes a character; web pages, whose sources are kept as characters, 4 more a byte.
_BYTES_A_CHARACTER = 25
_SOURCE_BYTES = 5
_LONGEST_NAME = 200
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class ServedDocument:
    """The facts about a document that a service holds.

    Attributes:
        id: SHA-256 of its bytes, in hexadecimal.
        name: given by its uploader, without folders and control characters.
        title: its own, or None.
        media_type: such as ``"application/pdf"``.
        n_bytes, n_pages, n_characters: its size; no pages where the format has none.
        warnings: those of its loading.
        added: when, in seconds since 1970.
    """

    id: str
    name: str
    title: str | None
    media_type: str
    n_bytes: int
    n_pages: int
    n_characters: int
    warnings: tuple[LoadWarning, ...] = ()
    added: float = 0.0

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            "id": self.id,
            "name": self.name,
            "title": self.title,
            "media_type": self.media_type,
            "bytes": self.n_bytes,
            "pages": self.n_pages,
            "characters": self.n_characters,
            "warnings": [
                {"kind": each.kind, "message": each.message, "page_number": each.page_number}
                for each in self.warnings
            ],
            "added": self.added,
        }


@dataclass(slots=True)
class _Held:
    """A document of the store: its file, and its parts in memory."""

    record: ServedDocument
    path: Path
    settings: LoadSettings
    is_upload: bool
    document: Document | None = None
    prepared: PreparedDocument | None = None
    used: float = 0.0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def fits(self, settings: LoadSettings) -> bool:
        """Say whether it need not be loaded again for an upload with other settings."""
        return self.settings == settings or not (settings.password or settings.media_type)

    @property
    def memory(self) -> int:
        """Return the bytes that it takes up in memory, as estimated."""
        if self.document is None:
            return 0
        copies = 1 if self.record.n_pages else _SOURCE_BYTES
        return copies * self.record.n_bytes + _BYTES_A_CHARACTER * self.record.n_characters


@dataclass(slots=True)
class _Turn:
    """A lock for one document, and the number of threads that want it."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    n_waiting: int = 0


class DocumentStore:
    """The documents of a service, by the hash of their bytes; threads may share it.

    Originals lie in a private folder that is deleted when the store is closed. A document that
    falls out of memory is loaded again from there when it is needed.

    Args:
        settings: limits, and how files are loaded.
        loaders: processes that load them.
        reloaders: processes that load those again that fell out of memory, so that questions to
            them do not wait for uploads.
        prepare: splits a document and indexes its passages.
    """

    def __init__(
        self,
        settings: ServiceSettings,
        loaders: WorkerPool,
        reloaders: WorkerPool,
        prepare: Callable[[Document], PreparedDocument],
    ) -> None:
        self._settings, self._prepare = settings, prepare
        self._loaders, self._reloaders = loaders, reloaders
        self._folder = Path(tempfile.mkdtemp(prefix="docqa-"))
        self._lock = threading.Lock()
        self._held: dict[str, _Held] = {}
        self._turns: dict[str, _Turn] = {}

    def new_file(self) -> Path:
        """Return a path in the private folder at which an upload can be written."""
        return self._folder / f"{uuid.uuid4().hex}.new"

    def add(
        self,
        content: bytes | Path,
        name: str,
        *,
        media_type: str | None = None,
        password: str | None = None,
        progress: Progress | None = None,
        is_upload: bool = True,
    ) -> tuple[ServedDocument, bool]:
        """Return the record of a document, and whether it was not there before.

        The same bytes are loaded once, also when they come twice at the same time. They are loaded
        again where they come with a password, or are to be read as another type.

        Args:
            content: the bytes, or the path of a file; one in the private folder is taken over.
            name: shown to people; its suffix helps to recognise the format.
            media_type: overrules the detection.
            password: opens an encrypted PDF.
            progress: called with (pages done, pages in all).
            is_upload: `records` shows it.

        Raises:
            LoadError: it cannot be loaded; nothing is kept.
            BusyError: all processes that load are busy for too long.
        """
        name = clean_name(name)
        try:
            data = self._read(content, name)
            document_id = hashlib.sha256(data).hexdigest()
            settings = LoadSettings(
                isolate=True,
                limits=self._settings.limits,
                ocr=self._settings.ocr,
                media_type=media_type,
                password=password,
            )
            with self._turn(document_id):
                return self._added(
                    data, document_id, name, settings, progress=progress, is_upload=is_upload
                )
        finally:
            if isinstance(content, Path):
                self.discard(content)

    def discard(self, path: Path) -> None:
        """Delete an upload that lies in the private folder; other files stay."""
        if path.parent == self._folder:
            path.unlink(missing_ok=True)

    def records(self) -> list[ServedDocument]:
        """Return the records of the uploaded documents, in the order in which they came."""
        with self._lock:
            return [each.record for each in self._held.values() if each.is_upload]

    def record(self, document_id: str) -> ServedDocument:
        """Return the record of a document.

        Raises:
            UnknownItemError: there is none of this id.
        """
        return self._get(document_id).record

    def remove(self, document_id: str) -> None:
        """Forget a document.

        Raises:
            UnknownItemError: there is none of this id.
        """
        held = self._get(document_id)
        with self._lock:
            self._held.pop(document_id, None)
        held.path.unlink(missing_ok=True)

    def data(self, document_id: str) -> bytes:
        """Return the bytes of a document.

        Raises:
            UnknownItemError: there is none of this id.
        """
        return self._bytes(self._get(document_id))

    def settings(self, document_id: str) -> LoadSettings:
        """Return the settings with which a document was loaded, its password among them."""
        return self._get(document_id).settings

    def document(self, document_id: str) -> Document:
        """Return a document, loaded again where it fell out of memory.

        Raises:
            UnknownItemError: there is none of this id.
            LoadError: it cannot be loaded any more.
        """
        held = self._get(document_id)
        with held.lock:
            if (document := held.document) is not None:
                return document
            data = self._bytes(held)
            with with_worker(self._reloaders):
                document = load_with(held.settings, data, name=held.record.name)
            held.document = document
        self._trim(keep=document_id)
        return document

    def prepared(self, document: Document) -> PreparedDocument:
        """Return the passages of a document with their index; made once while it is in memory."""
        try:
            held = self._get(document.id)
        except UnknownItemError:  # removed meanwhile; who asks it has it still
            return self._prepare(document)
        with held.lock:
            if held.prepared is None:
                held.prepared = self._prepare(document)
            return held.prepared

    @property
    def memory(self) -> int:
        """Return the bytes that documents take up in memory, as estimated."""
        with self._lock:
            return sum(each.memory for each in self._held.values())

    @property
    def disk(self) -> int:
        """Return the bytes of the originals on disk."""
        with self._lock:
            return sum(each.record.n_bytes for each in self._held.values())

    def close(self) -> None:
        """Forget all documents and delete the private folder."""
        with self._lock:
            self._held.clear()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _read(self, content: bytes | Path, name: str) -> bytes:
        most = self._settings.upload_bytes
        size = len(content) if isinstance(content, bytes) else content.stat().st_size
        if size > most:
            raise TooLargeError(
                f"{name} has {size:,} bytes; at most {most:,} are taken (--max-mb)", source=name
            )
        return content if isinstance(content, bytes) else content.read_bytes()

    @contextmanager
    def _turn(self, document_id: str) -> Iterator[None]:
        """Hold the only turn at which a document is loaded."""
        with self._lock:
            turn = self._turns.setdefault(document_id, _Turn())
            turn.n_waiting += 1
        try:
            with turn.lock:
                yield
        finally:
            with self._lock:
                turn.n_waiting -= 1
                if not turn.n_waiting:
                    del self._turns[document_id]

    def _added(
        self,
        data: bytes,
        document_id: str,
        name: str,
        settings: LoadSettings,
        *,
        progress: Progress | None,
        is_upload: bool,
    ) -> tuple[ServedDocument, bool]:
        with self._lock:
            known = self._held.get(document_id)
            is_new = known is None or (is_upload and not known.is_upload)
            if known is not None and known.fits(settings):
                known.used = time.monotonic()
                if is_upload and not known.is_upload:
                    known.is_upload, known.record = True, replace(known.record, name=name)
                    self._held[document_id] = self._held.pop(document_id)  # it comes now
                return known.record, is_new
        with with_worker(self._loaders):
            document = load_with(settings, data, name=name, progress=progress)
        record = ServedDocument(
            document_id,
            name,
            document.title,
            document.media_type,
            len(data),
            len(document.pages),
            len(document.text),
            document.warnings,
            time.time(),
        )
        path = self._folder / document_id
        path.write_bytes(data)
        is_upload = is_upload or (known is not None and known.is_upload)
        held = _Held(record, path, settings, is_upload, document, used=time.monotonic())
        with self._lock:
            self._held[document_id] = held
        self._trim(keep=document_id)
        return record, is_new

    def _get(self, document_id: str) -> _Held:
        with self._lock:
            held = self._held.get(document_id)
            if held is None:
                raise UnknownItemError(
                    f"there is no document {document_id[:80]!r}; upload it first, or again if it "
                    "was here: those not used for long are forgotten"
                )
            held.used = time.monotonic()
            return held

    def _bytes(self, held: _Held) -> bytes:
        try:
            return held.path.read_bytes()
        except FileNotFoundError:
            raise UnknownItemError(
                f"the document {held.record.id!r} was forgotten; upload it again"
            ) from None

    def _trim(self, *, keep: str) -> None:
        """Take documents out of memory and off the disk, those not used for longest first."""
        with self._lock:
            by_age = sorted(self._held.values(), key=lambda each: each.used)
            memory = sum(each.memory for each in by_age)
            disk = sum(each.record.n_bytes for each in by_age)
            for held in by_age:
                if held.record.id == keep:
                    continue
                if memory > self._settings.memory_bytes:
                    memory -= held.memory
                    held.document = held.prepared = None
                if disk > self._settings.disk_bytes:
                    disk -= held.record.n_bytes
                    del self._held[held.record.id]
                    held.path.unlink(missing_ok=True)


def clean_name(name: str) -> str:
    r"""Return a name from outside as it is shown: no folders, no control characters, not long.

    >>> clean_name("../../etc/passwd"), clean_name("C:\\a\\b.pdf"), clean_name("\x00 ")
    ('passwd', 'b.pdf', 'document')
    """
    last = re.split(r"[/\\]", _CONTROLS.sub("", name).strip())[-1].strip()
    if last in {"", ".", ".."}:
        return "document"
    if len(last) <= _LONGEST_NAME:
        return last
    stem, dot, suffix = last.rpartition(".")
    if not dot or len(suffix) > 12:
        return last[:_LONGEST_NAME]
    return f"{stem[: _LONGEST_NAME - len(suffix) - 1]}.{suffix}"
