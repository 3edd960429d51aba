"""The part of a service that takes documents, shows them, and finds words in them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from docqa.asking.prepared import PreparedDocument, prepare
from docqa.asking.settings import Splitting
from docqa.citations.quoting import NearestText, nearest_text, quoted_spans
from docqa.datamodel import Box, Document, Location, Page, Span
from docqa.errors import SettingError
from docqa.loaders.isolation.shared_worker import with_worker
from docqa.protocols import Progress, Reader
from docqa.recent import Recent
from docqa.service.documents import DocumentStore, ServedDocument
from docqa.service.jobs import Jobs, Progressing, ServiceJob
from docqa.service.library import ServedLibrary
from docqa.service.pages import ShownPage, page_text, picture, view
from docqa.service.settings import ServiceSettings
from docqa.service.shelf import Shelf
from docqa.service.worker_pool import WorkerPool

__all__ = ["DocumentDesk"]

_PICTURES = 64 << 20  # bytes of pages drawn lately
_LOOKING = 30.0  # seconds that looking up places, or drawing a page, may take


class DocumentDesk:
    """The documents of a service: taken in, looked at page by page, searched for words.

    Args:
        settings: limits and sizes.
        shelf: the collections, whose documents can be looked at too.
        reader: cuts documents into passages.
    """

    def __init__(self, settings: ServiceSettings, shelf: Shelf, reader: Reader) -> None:
        self.settings, self._shelf, self._reader = settings, shelf, reader
        self._loaders = WorkerPool(settings.workers, settings.files_per_worker)
        self._reloaders = WorkerPool(1, settings.files_per_worker)
        self._lookers = WorkerPool(
            settings.workers, settings.files_per_worker * 200, seconds=_LOOKING
        )
        self._documents = DocumentStore(settings, self._loaders, self._reloaders, self._prepare)
        self._library = ServedLibrary(self._documents, shelf)
        self._jobs = Jobs()
        self._pictures: Recent[bytes] = Recent(_PICTURES, weigh=len)

    def close(self) -> None:
        """End all processes; delete the originals of uploads."""
        for pool in (self._loaders, self._reloaders, self._lookers):
            pool.close()
        self._shelf.close()
        self._documents.close()

    def new_file(self) -> Path:
        """Return a path at which an upload can be written, to be given to `add_file`."""
        return self._documents.new_file()

    def add_file(
        self,
        content: bytes | Path,
        name: str,
        *,
        media_type: str | None = None,
        password: str | None = None,
        progress: Progress | None = None,
    ) -> tuple[ServedDocument, bool]:
        """Return the record of a document, and whether it is new; see `DocumentStore.add`.

        Raises:
            LoadError: it cannot be loaded; nothing is kept.
        """
        return self._documents.add(
            content, name, media_type=media_type, password=password, progress=progress
        )

    def add_file_later(
        self,
        content: bytes | Path,
        name: str,
        *,
        media_type: str | None = None,
        password: str | None = None,
    ) -> ServiceJob:
        """Return a job that loads a document; its result is the record."""

        def work(job: ServiceJob) -> dict[str, Any]:
            record, _ = self.add_file(
                content, name, media_type=media_type, password=password, progress=Progressing(job)
            )
            return record.to_dict()

        def forget() -> None:
            if isinstance(content, Path):
                self._documents.discard(content)

        return self._jobs.start("document", name, work, unused=forget)

    def documents(self) -> list[ServedDocument]:
        """Return the records of the uploaded documents, in the order in which they came."""
        return self._documents.records()

    def document(self, document_id: str) -> ServedDocument:
        """Return the record of a document, uploaded or in a collection.

        Raises:
            UnknownItemError: there is none of this id.
        """
        return self._library.record(document_id)

    def remove(self, document_id: str) -> None:
        """Forget an uploaded document.

        Raises:
            UnknownItemError: there is none of this id.
        """
        self._documents.remove(document_id)

    def text(self, document_id: str, start: int = 0, end: int | None = None) -> str:
        """Return characters of a document's text; `end` None is its end.

        Raises:
            UnknownItemError: there is no document of this id.
            SettingError: the span does not lie inside the text.
        """
        text = self._loaded(document_id).text
        last = len(text) if end is None else end
        if not 0 <= start <= last <= len(text):
            raise SettingError(f"{start} to {last} is no part of a text of {len(text)} characters")
        return text[start:last]

    def original(self, document_id: str) -> bytes:
        """Return the bytes of a document.

        Raises:
            UnknownItemError: there is no document of this id.
        """
        return self._library.original(document_id)[0]

    def view_html(self, document_id: str) -> bytes:
        """Return a document as HTML that runs and fetches nothing; see `docqa.service.pages`.

        Raises:
            UnknownItemError: there is no document of this id.
        """
        document = self._loaded(document_id)
        with with_worker(self._lookers):
            return view(document, *self._library.original(document_id))

    def pages(self, document_id: str) -> tuple[Page, ...]:
        """Return the sizes and numbers of an uploaded document's pages; none of other formats.

        Raises:
            UnknownItemError: there is no document of this id.
        """
        return self._documents.document(document_id).pages

    def page(self, document_id: str, number: int) -> ShownPage:
        """Return the size and the lines of a page.

        Raises:
            UnknownItemError: there is no such document or page.
        """
        document = self._loaded(document_id)
        with with_worker(self._lookers):
            return page_text(document, number)

    def page_image(
        self,
        document_id: str,
        number: int,
        *,
        scale: float = 2.0,
        marks: Sequence[Box] = (),
        crop: Box | None = None,
    ) -> bytes:
        """Return a JPEG of a page of a PDF; those drawn lately are kept.

        Args:
            document_id: of the PDF.
            number: of the page, from 1.
            scale: pixels a point.
            marks: rectangles that are marked, in points from the page's top left corner.
            crop: the part of the page to draw; None for all of it.

        Raises:
            UnknownItemError: there is no such document or page.
            SettingError: it is no PDF, or the scale is out of its range.
            HighlightError: the page cannot be drawn.
        """
        document = self._loaded(document_id)

        def draw() -> bytes:
            data, settings = self._library.original(document_id)
            with with_worker(self._lookers):
                return picture(
                    document,
                    data,
                    number,
                    scale=scale,
                    settings=settings,
                    marks=marks,
                    crop=crop,
                )

        key = (document_id, number, scale, tuple(marks), crop)
        return self._pictures.get_or_make(key, draw)

    def heading(self, document_id: str, start: int, end: int) -> str | None:
        """Return the nearest heading above a span, or None without one.

        Raises:
            UnknownItemError: there is no document of this id.
        """
        return self._loaded(document_id).heading_above(Span(start, end))

    def around(
        self, document_id: str, start: int, end: int, *, before: int = 0, after: int = 0
    ) -> Span:
        """Return a span widened to its passages, and to some before and after them.

        Raises:
            UnknownItemError: there is no document of this id.
        """
        passages = self._documents.prepared(self._loaded(document_id)).passages
        inside = [
            number
            for number, each in enumerate(passages)
            if each.span.start < end and start < each.span.end
        ]
        if not inside:
            return Span(start, end)
        first, last = max(0, inside[0] - before), min(len(passages) - 1, inside[-1] + after)
        return Span(min(start, passages[first].span.start), max(end, passages[last].span.end))

    def locate(self, document_id: str, start: int, end: int) -> tuple[Location, ...]:
        """Return the places of a span in the original.

        Raises:
            UnknownItemError: there is no document of this id.
            SettingError: the span is empty or does not lie inside the text.
        """
        document = self._loaded(document_id)
        if not 0 <= start < end <= len(document.text):
            raise SettingError(
                f"{start} to {end} is no part of a text of {len(document.text)} characters"
            )
        with with_worker(self._lookers):
            return document.locate(Span(start, end))

    def quote(
        self, words: str, *, documents: Sequence[str] = (), limit: int = 5
    ) -> list[tuple[str, Span, tuple[Location, ...]]]:
        """Return (document id, span, places) of each place where words stand; see `quoted_spans`.

        Raises:
            UnknownItemError: there is no such document.
        """
        found: list[tuple[str, Span, tuple[Location, ...]]] = []
        for document_id in documents or [each.id for each in self.documents()]:
            document = self._loaded(document_id)
            for span in quoted_spans(document.text, words, limit=limit - len(found)):
                with with_worker(self._lookers):
                    found.append((document_id, span, document.locate(span)))
            if len(found) >= limit:
                break
        return found

    def nearest(self, words: str, document_id: str) -> NearestText | None:
        """Return the place of a document that is most like some words, or None.

        Raises:
            UnknownItemError: there is no such document.
        """
        return nearest_text(self._loaded(document_id).text, words)

    def _prepare(self, document: Document) -> PreparedDocument:
        return prepare(document, self._reader, Splitting())

    def _loaded(self, document_id: str) -> Document:
        return self._library.loaded(document_id)
