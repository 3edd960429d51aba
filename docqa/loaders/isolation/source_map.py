"""Source maps that ask the worker, for files that must not be opened here."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from typing import Any

from docqa._pdfium import UserBox
from docqa.datamodel import Location, PageLocation, Span
from docqa.errors import IsolationError
from docqa.limits import Limits
from docqa.loaders.isolation.deaths import WorkerDeathError, error_of
from docqa.loaders.isolation.documents import LoadedDocument
from docqa.loaders.isolation.messages import decode
from docqa.loaders.isolation.process import WorkerProcess
from docqa.loaders.isolation.requests import CallKept, Done, Keep, Request, Unknown
from docqa.loaders.isolation.shared_worker import WorkerLender, chosen_worker

__all__ = ["IsolatedSourceMap"]


class IsolatedSourceMap:
    """A source map from a PDF's text to places, with the file open in the worker only.

    The worker keeps the map of each document it loaded lately; another worker, in this process or
    in one that a document was pickled to, is sent it once. Where the worker dies of a page's
    boxes, the span is located without rectangles from then on.

    Args:
        key: names the map in the worker.
        loaded: the document, with the state of its map; the state is never decoded here.
        data: the file's bytes.
        limits: on the time and memory of each request.
    """

    def __init__(self, key: str, loaded: LoadedDocument, data: bytes, limits: Limits) -> None:
        self._key, self._data, self._limits = key, data, limits
        self._class, self._state, self._pages = loaded.source_map, loaded.state, loaded.pages
        self._is_given_up = False

    def locate(self, span: Span) -> tuple[Location, ...]:
        """Return one location per page that `span` touches."""
        from docqa.loaders.pdf.source_map import PagesSourceMap

        pages = PagesSourceMap(self._pages).locate(span)
        if not self._is_given_up:
            try:
                places = self._ask("locate", tuple[PageLocation, ...], span)
                if _without_boxes(places) == pages:
                    return tuple(places)
            except IsolationError:
                pass
            self._is_given_up = True
        return pages

    def user_boxes(self, span: Span) -> dict[int, list[UserBox]]:
        """Return the rectangles of `span` in PDF user space, by page index from 0.

        Raises:
            IsolationError: the file ends the worker.
        """
        boxes: dict[int, list[UserBox]] = self._ask("user_boxes", dict[int, list[UserBox]], span)
        return boxes

    def close(self) -> None:
        """Let the worker free the open file; a later `locate` opens it again."""
        chosen_worker().forget(self._key)

    def _ask(self, method: str, kind: Any, *arguments: Any) -> Any:
        """Return the answer of a method of the worker's map, of the type `kind`."""
        try:
            chosen = chosen_worker()
            send = partial(self._send, chosen)
            with chosen.claimed() as worker:
                request = CallKept(self._limits, self._key, method, arguments)
                reply = send(worker, request) if self._key in worker.kept else None
                if not isinstance(reply, Done):
                    keep = Keep(self._limits, self._key, self._class, self._state, self._pages)
                    send(worker, keep, self._data)
                    worker.kept.add(self._key)
                    reply = send(worker, request)
                assert isinstance(reply, Done)
                with worker.checked():
                    return decode(reply.value, kind)
        except WorkerDeathError as death:
            raise error_of(death, "the document", self._limits) from death

    def _send(
        self, chosen: WorkerLender, worker: WorkerProcess, request: Request, content: bytes = b""
    ) -> Done | Unknown:
        return chosen.send(worker, request, content, self._limits.wall_seconds)


def _without_boxes(places: Iterable[PageLocation]) -> tuple[PageLocation, ...]:
    return tuple(replace(place, boxes=None, ocr_confidence=None) for place in places)
