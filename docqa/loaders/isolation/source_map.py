"""Lead from spans to places through the worker, for files that must not be opened here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from docqa.datamodel import Location, Page, Span
from docqa.errors import IsolationError
from docqa.limits import Limits
from docqa.loaders.isolation.deaths import WorkerDeathError, death_of, error_of
from docqa.loaders.isolation.process import Worker
from docqa.loaders.isolation.requests import CallKept, Done, Failed, Keep, Request
from docqa.loaders.isolation.shared_worker import SHARED

__all__ = ["IsolatedSourceMap"]


class IsolatedSourceMap:
    """Map spans of a PDF's text to places, with the file open in the worker only.

    The worker keeps the map of each document it loaded lately; another worker, in this process or
    in one that a document was pickled to, is sent it once. Where the worker dies of a page's
    boxes, the span is located without rectangles from then on.

    Args:
        key: names the map in the worker.
        state: the map, packed; never opened here.
        data: the file's bytes.
        limits: on the time and memory of each request.
        pages: of the document.
    """

    def __init__(
        self, key: str, state: bytes, data: bytes, limits: Limits, pages: Sequence[Page]
    ) -> None:
        self._key, self._state, self._data = key, state, data
        self._limits, self._pages = limits, pages
        self._is_given_up = False

    def locate(self, span: Span) -> tuple[Location, ...]:
        """Return one location per page that `span` touches."""
        if not self._is_given_up:
            try:
                locations: tuple[Location, ...] = self._ask("locate", span)
                return locations
            except IsolationError:
                self._is_given_up = True
        from docqa.loaders.pdf.source_map import PagesSourceMap

        return PagesSourceMap(self._pages).locate(span)

    def user_boxes(self, span: Span) -> dict[int, list[Any]]:
        """Return the rectangles of `span` in PDF user space, by page index from 0.

        Raises:
            IsolationError: the file ends the worker.
        """
        boxes: dict[int, list[Any]] = self._ask("user_boxes", span)
        return boxes

    def close(self) -> None:
        """Let the worker free the open file; a later `locate` opens it again."""
        SHARED.forget(self._key)

    def _ask(self, method: str, *arguments: Any) -> Any:
        try:
            with SHARED.claimed() as worker:
                request = CallKept(self._limits, self._key, method, arguments)
                if self._key in worker.kept:
                    reply = self._send(worker, request)
                    if isinstance(reply, Done):
                        return reply.value
                keep = Keep(self._limits, self._key, self._state)
                self._send(worker, keep, self._data)
                worker.kept.add(self._key)
                reply = self._send(worker, request)
                assert isinstance(reply, Done)
                return reply.value
        except WorkerDeathError as death:
            raise error_of(death, "the document", self._limits) from death

    def _send(self, worker: Worker, request: Request, content: bytes = b"") -> object:
        """Return the reply where it is no error; one of those is raised."""
        reply = SHARED.send(worker, request, content, self._limits.wall_seconds)
        if isinstance(reply, Failed):
            if isinstance(reply.error, IsolationError):
                raise death_of(reply.error, None)
            raise reply.error
        return reply
