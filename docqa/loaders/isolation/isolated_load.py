"""One isolated load, over several workers where the file ends them."""

from __future__ import annotations

import time
import uuid
import weakref
from collections.abc import Mapping
from dataclasses import replace

from docqa.datamodel import Document, LoadWarning
from docqa.datamodel.places import SourceMap
from docqa.errors import IsolationError
from docqa.load_settings import LoadSettings
from docqa.loaders.isolation.deaths import WorkerDeathError, error_of, what_it_did
from docqa.loaders.isolation.documents import LoadedDocument, document_of, source_map_of
from docqa.loaders.isolation.messages import decode
from docqa.loaders.isolation.process import WorkerProcess
from docqa.loaders.isolation.requests import Done, Load
from docqa.loaders.isolation.shared_worker import chosen_worker
from docqa.loaders.isolation.source_map import IsolatedSourceMap
from docqa.protocols import Progress

__all__ = ["IsolatedLoad"]

_MOST_DEAD_PAGES = 20  # of one document; each costs a new worker, and what kills the page


class IsolatedLoad:
    """A load of one document in the worker.

    Args:
        settings: how, with the limits.
        data: the content.
        name: path or name of the source.
        progress: called with (pages done, pages in all); a second attempt starts over.
        pages: those of a PDF that need not be read, by their index from 0, with the warning that
            says why they are empty; None reads all.
    """

    def __init__(
        self,
        settings: LoadSettings,
        data: bytes,
        name: str,
        progress: Progress | None,
        *,
        pages: Mapping[int, LoadWarning] | None = None,
    ) -> None:
        self._limits = settings.effective_limits
        self._settings = replace(settings, isolate=False, limits=self._limits)
        self._data, self._name, self._progress = data, name, progress
        self._key = uuid.uuid4().hex
        self._worker = chosen_worker()
        self._pages: dict[int, bytes | LoadWarning] = dict(pages or {})
        self._by_page = pages is not None
        self._deaths: list[WorkerDeathError] = []
        wall = self._limits.wall_seconds
        self._deadline = None if wall is None else time.monotonic() + wall

    def run(self) -> Document:
        """Return the document.

        Raises:
            LoadError: the content cannot become one, or ended the worker.
        """
        try:
            return self._page_by_page() if self._by_page else self._whole()
        except WorkerDeathError as death:
            if death.index is None or self._is_late():
                raise self._error(death) from death
            if death.cause in ("timeout", "memory"):
                self._bury(death)  # trying that page again would cost as much again
        return self._page_by_page()

    def _whole(self) -> Document:
        with self._worker.claimed() as worker:
            was_fresh = worker.is_fresh
            try:
                return self._attempt(worker)
            except WorkerDeathError as death:
                excused = death.index is None and death.cause in ("crashed", "memory")
                if was_fresh or not excused:
                    raise
        with self._worker.claimed() as worker:  # files loaded before may have damaged that one
            return self._attempt(worker)

    def _page_by_page(self) -> Document:
        while True:
            try:
                with self._worker.claimed() as worker:
                    return self._attempt(worker, page_by_page=True)
            except WorkerDeathError as death:
                if death.index is None or self._is_late():
                    raise self._error(death) from death
                self._bury(death)
                if len(self._deaths) > _MOST_DEAD_PAGES:
                    note = f"after {_MOST_DEAD_PAGES} other pages"
                    raise self._error(death, note) from death

    def _attempt(self, worker: WorkerProcess, *, page_by_page: bool = False) -> Document:
        """Return the document that a worker makes of the data.

        Raises:
            WorkerDeathError: the worker ended, or lived to tell what would have ended it.
        """
        n_pages = 0

        def on_progress(done: int, total: int) -> None:
            nonlocal n_pages
            n_pages = total
            if done and self._progress is not None:
                self._progress(done, total)

        pages = self._pages if page_by_page else None
        left = None if self._deadline is None else max(0.0, self._deadline - time.monotonic())
        reply = self._worker.send(
            worker,
            Load(self._limits, self._key, self._settings, self._name, pages),
            self._data,
            left,
            on_progress=on_progress,
            on_page=self._pages.__setitem__,
        )
        if n_pages and len(self._deaths) >= n_pages:
            raise self._error(self._deaths[0])
        assert isinstance(reply, Done)
        return self._document(reply, worker)

    def _document(self, reply: Done, worker: WorkerProcess) -> Document:
        """Return the document, with a source map that asks the worker where it must."""
        with worker.checked("no document came of it: "):
            loaded: LoadedDocument = decode(reply.value, LoadedDocument)
            source_map = self._source_map(loaded)
            document = document_of(loaded, source_map, data=self._data, name=self._name)
        if loaded.opens_source and not reply.leaves:
            worker.kept.add(self._key)
        return document

    def _source_map(self, loaded: LoadedDocument) -> SourceMap:
        if not loaded.opens_source:
            return source_map_of(
                loaded.source_map,
                loaded.state,
                text=loaded.text,
                pages=loaded.pages,
                data=self._data,
            )
        source_map = IsolatedSourceMap(self._key, loaded, self._data, self._limits)
        weakref.finalize(source_map, self._worker.forget, self._key).atexit = False
        return source_map

    def _bury(self, death: WorkerDeathError) -> None:
        """Leave the page that ended a worker empty in later attempts."""
        assert death.index is not None
        self._deaths.append(death)
        number = death.index + 1
        message = f"page {number} {what_it_did(death, self._limits)}; it is left empty"
        self._pages[death.index] = LoadWarning("page-failed", message, number)

    def _is_late(self) -> bool:
        return self._deadline is not None and time.monotonic() >= self._deadline

    def _error(self, death: WorkerDeathError, note: str = "") -> IsolationError:
        return error_of(death, self._name, self._limits, note=note)
