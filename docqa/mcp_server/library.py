"""The documents that an agent can name: by id, by name, by path, or by a handle of a place."""

from __future__ import annotations

import difflib
import hashlib
import re
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from docqa.citations.records import handle
from docqa.datamodel import Span
from docqa.errors import (
    BusyError,
    CitationError,
    CollectionError,
    DeadlineError,
    DocqaError,
    SourceUnreadableError,
    UnknownItemError,
)

if TYPE_CHECKING:
    from docqa.mcp_server.turns import Turn
    from docqa.service.documents import ServedDocument
    from docqa.service.service import Service

__all__ = ["ID_DIGITS", "Library", "ListedDocument", "OpenedDocuments", "parsed", "short_handle"]

ID_DIGITS = 12  # of a document's hash in a handle: short enough for a model to repeat
_ID = re.compile(r"[0-9a-f]{6,64}")
_HANDLE = re.compile(r"([0-9a-f]{6,64})#(\d{1,12})-(\d{1,12})", re.ASCII)
_FOR_READING = 0.5  # share of a call's time that is kept for reading the documents that are open
_TICK = 0.2  # seconds between two looks at what is being opened


@dataclass(frozen=True, slots=True)
class ListedDocument:
    """A document that can be named.

    Attributes:
        name: unique among the files of the command.
        id: SHA-256 of its bytes; ``""`` for a file that cannot be read.
        collection: its name, or None.
        title, pages, warnings: as far as they are known.
        is_open: loaded, or in a collection.
    """

    name: str
    id: str
    collection: str | None = None
    title: str | None = None
    pages: int | None = None
    warnings: tuple[str, ...] = ()
    is_open: bool = True


@dataclass(frozen=True, slots=True)
class OpenedDocuments:
    """Documents that can be asked now.

    Attributes:
        ids: of those that are open.
        waiting: names of those that are still being opened.
        failures: a line for each that cannot be opened.
    """

    ids: tuple[str, ...]
    waiting: tuple[str, ...] = ()
    failures: tuple[str, ...] = ()


@dataclass(slots=True)
class _File:
    """A file of this machine, opened when it is first needed, and again when it has changed."""

    path: Path
    name: str
    stamp: tuple[int, int] | None = None
    id: str = ""
    opening: Future[ServedDocument] | None = None
    opened: str = ""
    done: int = 0
    total: int = 0

    def look(self) -> str:
        """Return its id, computed again where the file has changed; ``""`` where it is gone."""
        with suppress(OSError):
            facts = self.path.stat()
            stamp = (facts.st_mtime_ns, facts.st_size)
            if stamp != self.stamp:
                with self.path.open("rb") as file:
                    self.id = hashlib.file_digest(file, "sha256").hexdigest()
                self.stamp = stamp
            return self.id
        self.stamp, self.id = None, ""
        return ""


class Library:
    """The documents of a service, and files of this machine that are opened when they are needed.

    Threads may share it.

    Args:
        service: opens, reads and draws.
        files: paths of files that are listed.
        folders: a caller may name any file below them, by its path.
        password: opens encrypted PDFs among the files.
    """

    def __init__(
        self,
        service: Service,
        files: Sequence[Path] = (),
        *,
        folders: Sequence[Path] = (),
        password: str | None = None,
    ) -> None:
        self._service = service
        self._files = [_File(path, name) for path, name in shortest_names(files).items()]
        self._folders = [each.resolve() for each in folders]
        self._password = password
        self._threads = ThreadPoolExecutor(service.settings.workers, "docqa-open")
        self._lock = threading.Lock()
        self._former: dict[str, _File] = {}

    def close(self) -> None:
        """Let the threads that open files end."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def listed(self) -> list[ListedDocument]:
        """Return all documents: files of the command, others that are held, those of collections.

        Ids of files that were not opened are left out; see `identified`.
        """
        collected = list(self._collected())
        known = {each.id for each in collected}
        listed = []
        for file in self._files:
            record = _opened(file)
            known.add(file.id)
            listed.append(
                ListedDocument(file.name, "", is_open=False)
                if record is None
                else _listed(record, file.name)
            )
        held = (each for each in self._service.documents() if each.id not in known)
        return [*listed, *(_listed(each, each.name) for each in held), *collected]

    def identified(self, listed: ListedDocument) -> ListedDocument:
        """Return a listed document with its id, for which an unopened file is read once."""
        if listed.id:
            return listed
        found = [file for file in self._files if file.name == listed.name]
        return ListedDocument(listed.name, found[0].look(), is_open=False) if found else listed

    def name(self, document_id: str) -> str:
        """Return the name of a document, with folders where another file has it too."""
        named = (file.name for file in self._files if file.id == document_id)
        return next(named, "") or self._service.document(document_id).name

    def find(self, named: str, turn: Turn) -> str:
        """Return the id of an opened document.

        Args:
            named: its id or the beginning of it, its name, or the path of a file below the folders.
            turn: the call that needs it.

        Raises:
            UnknownItemError: there is none, or there are several.
            DeadlineError: it is still being opened.
            LoadError: it cannot be opened.
        """
        named = named.strip()
        found = self._by_id(named.lower()) if _ID.fullmatch(named.lower()) else {}
        found = found or self._by_name(named)
        if not found and (file := self._allowed(named)) is not None:
            found = {file.look(): file}
        if len(found) != 1:
            raise UnknownItemError(self._which(named, list(found)))
        ((document_id, file),) = found.items()
        return document_id if file is None else self._open(file, turn)

    def place(self, cite: str, turn: Turn) -> tuple[str, Span]:
        """Return the document's id and the span of a handle.

        Raises:
            CitationError: it is no handle, or its document has changed.
            UnknownItemError: there is no such document.
            DeadlineError: it is still being opened.
            LoadError: it cannot be opened.
        """
        digits, span = parsed(cite)
        document_id = self.find(digits, turn)
        if not document_id.startswith(digits):
            raise CitationError(
                f"{self.name(document_id)} has changed since {cite[:80]} was given; ask again"
            )
        n_characters = len(self._service.text(document_id))
        if span.end > n_characters:
            raise CitationError(f"{cite[:80]} lies outside a text of {n_characters} characters")
        return document_id, span

    def open_all(self, turn: Turn) -> OpenedDocuments:
        """Return all documents outside collections, opened as far as time allows."""
        for file in self._files:
            self._begin(file)
        self._wait(self._files, turn, keep=turn.seconds * _FOR_READING)
        ids, waiting, failures = [], [], []
        for file in self._files:
            opening = file.opening
            if opening is None or not opening.done():
                waiting.append(file.name)
            elif (error := opening.exception()) is not None:
                failures.append(f"{file.name}: {error}")
            else:
                ids.append(opening.result().id)
        collected = {each.id for each in self._collected()}
        held = [each.id for each in self._service.documents() if each.id not in collected]
        return OpenedDocuments(tuple(dict.fromkeys([*ids, *held])), tuple(waiting), tuple(failures))

    def _open(self, file: _File, turn: Turn) -> str:
        opening = self._begin(file)
        self._wait([file], turn)
        if not opening.done():
            pages = f" (page {file.done} of {file.total})" if file.total else ""
            raise DeadlineError(f"{file.name} is still being opened{pages}; ask again in a moment")
        return opening.result().id

    def _begin(self, file: _File) -> Future[ServedDocument]:
        """Return the opening of a file, begun where it is not open, or has changed."""
        with self._lock:
            before, opening = file.id, file.opening
            now = file.look()
            if before and now and before != now:
                self._former[before] = file
                with suppress(DocqaError):
                    self._service.remove(before)
            changed = now not in ("", file.opened)
            if opening is None or (opening.done() and (changed or self._is_lost(opening))):
                file.opened = now
                file.opening = opening = self._threads.submit(self._load, file)
            return opening

    def _is_lost(self, opening: Future[ServedDocument]) -> bool:
        """Say whether a file is to be opened again: it could not be read, or was forgotten."""
        error = opening.exception()
        if error is not None:
            return isinstance(error, BusyError | SourceUnreadableError)
        try:
            self._service.document(opening.result().id)
        except DocqaError:
            return True
        return False

    def _load(self, file: _File) -> ServedDocument:
        def note(done: int, total: int) -> None:
            file.done, file.total = done, total

        try:
            record, _ = self._service.add_file(
                file.path, file.path.name, password=self._password, progress=note
            )
        except OSError as error:
            raise SourceUnreadableError(
                f"{file.name} cannot be read: {error.strerror or error}", source=file.name
            ) from None
        return record

    def _wait(self, files: Sequence[_File], turn: Turn, *, keep: float = 0.0) -> None:
        """Wait for files to be opened, but for the last seconds, and note the pages."""
        openings = [each.opening for each in files if each.opening is not None]
        while (left := turn.left - keep) > 0 and wait(openings, min(left, _TICK)).not_done:
            done, total = sum(each.done for each in files), sum(each.total for each in files)
            names = [each.name for each in files if each.opening and not each.opening.done()]
            turn.note(done, total, f"opening {', '.join(names[:3])}")

    def _by_id(self, digits: str) -> dict[str, _File | None]:
        """Return the documents whose id begins with some digits, with their files."""
        ids = [each.id for each in self._service.documents()]
        ids += [each.id for each in self._collected()]
        found: dict[str, _File | None] = {each: None for each in ids if each.startswith(digits)}
        if not found:
            found |= {file.look(): file for file in self._files if file.look().startswith(digits)}
        if not found:
            former = (file for key, file in self._former.items() if key.startswith(digits))
            found |= {file.look(): file for file in former}
        return found

    def _by_name(self, named: str) -> dict[str, _File | None]:
        files = {each.name: each for each in self._files}
        for same in (str, str.casefold, lambda name: name.casefold().rpartition("/")[2]):
            found: dict[str, _File | None] = {}
            for each in self.listed():
                if same(each.name) == same(named):
                    file = None if each.collection else files.get(each.name)
                    found[each.id if file is None else file.look()] = file
            if found:
                return found
        return {}

    def _allowed(self, named: str) -> _File | None:
        """Return the file below the folders that a path names, links followed; or None."""
        for folder in self._folders:
            with suppress(OSError, ValueError, RuntimeError):
                path = (folder / named).resolve()
                if path.is_relative_to(folder) and path.is_file():
                    with self._lock:
                        known = [each for each in self._files if each.path.resolve() == path]
                        if not known:
                            name = path.relative_to(folder).as_posix()
                            known = [_File(path, name)]
                            self._files = [*self._files, *known]
                    return known[0]
        return None

    def _collected(self) -> Iterator[ListedDocument]:
        for collection in self._service.collections():
            with suppress(CollectionError):  # asking it says what is wrong
                for each in self._service.collection_documents(collection):
                    record = each.record
                    yield ListedDocument(
                        each.name,
                        record.id,
                        collection,
                        record.title,
                        record.n_pages or None,
                        tuple(record.warnings),
                    )

    def _which(self, named: str, found: Sequence[str]) -> str:
        shown = named[:80]
        if found:
            ids = ", ".join(each[:ID_DIGITS] for each in found[:5])
            return f"{len(found)} documents go by {shown!r}; name one by its id: {ids}"
        near = difflib.get_close_matches(named, [each.name for each in self.listed()], n=1)
        guess = f"did you mean {near[0]!r}? " if near else ""
        return f"there is no document {shown!r}; {guess}list_documents shows those that are here"


def short_handle(document_id: str, span: Span) -> str:
    """Return the handle of a place, with the first digits of the document's id.

    >>> short_handle("d3f1" * 16, Span(831, 846))
    'd3f1d3f1d3f1#831-846'
    """
    return handle(document_id[:ID_DIGITS], span.start, span.end)


def parsed(cite: str) -> tuple[str, Span]:
    """Return the first digits of a document's id, and the span, of a handle.

    Raises:
        CitationError: it is no handle.

    >>> parsed("[cite: d3f1d3f1d3f1#831-846]")
    ('d3f1d3f1d3f1', Span(start=831, end=846))
    """
    match = _HANDLE.search(cite)
    if match is None or not int(match[2]) < int(match[3]):
        raise CitationError(
            f"{cite[:80]!r} is no cite; it has the form {'0' * ID_DIGITS}#120-135, as ask, search "
            "and quote give it"
        )
    return match[1], Span(int(match[2]), int(match[3]))


def shortest_names(paths: Sequence[Path]) -> dict[Path, str]:
    """Return the names of files, with as many folders as tell them apart.

    >>> list(shortest_names([Path("a/x.pdf"), Path("b/x.pdf"), Path("b/y.pdf")]).values())
    ['a/x.pdf', 'b/x.pdf', 'y.pdf']
    """
    names = {path: path.name for path in paths}
    for depth in range(2, 1 + max((len(path.parts) for path in paths), default=0)):
        times = Counter(names.values())
        names = {
            path: "/".join(path.parts[-depth:]) if times[name] > 1 else name
            for path, name in names.items()
        }
    return names


def _opened(file: _File) -> ServedDocument | None:
    opening = file.opening
    if opening is None or not opening.done() or opening.exception() is not None:
        return None
    return opening.result()


def _listed(record: ServedDocument, name: str) -> ListedDocument:
    warnings = tuple(each.message for each in record.warnings)
    return ListedDocument(name, record.id, None, record.title, record.n_pages or None, warnings)
