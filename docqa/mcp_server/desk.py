"""The service and the library under the tools, and the scope of a call."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from docqa.datamodel import Page
from docqa.errors import SettingError, UnknownItemError

if TYPE_CHECKING:
    from docqa.mcp_server.library import Library
    from docqa.mcp_server.turns import Turn
    from docqa.service.service import Service

__all__ = ["Desk", "Scope", "ToolOutcome"]

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class ToolOutcome(Generic[Result]):
    """The outcome of a tool: its text, and its structured result.

    The text alone suffices, since some clients show nothing else to the model.
    """

    text: str
    result: Result


@dataclass(frozen=True, slots=True)
class Scope:
    """The documents and collections that a call is about.

    Attributes:
        ids: of documents.
        collections: names.
        waiting: names of documents that are still being opened.
        failures: a line for each document that cannot be opened.
    """

    ids: tuple[str, ...] = ()
    collections: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()
    failures: tuple[str, ...] = ()

    @property
    def notes(self) -> list[str]:
        """Return a line for each document that is left out."""
        late = [f"{name}: still being opened; ask again in a moment" for name in self.waiting]
        return [*late, *self.failures]


@dataclass(frozen=True, slots=True)
class Desk:
    """The service and the library under the tools.

    Attributes:
        service: reads, searches and draws.
        library: names documents.
    """

    service: Service
    library: Library

    def scope(self, document: str | None, collection: str | None, turn: Turn) -> Scope:
        """Return the documents and collections of a call; all where none is named.

        Raises:
            SettingError: both are named, or nothing is here.
            UnknownItemError: there is no such document or collection.
            DeadlineError: the document is still being opened.
            LoadError: it cannot be opened.
        """
        if document and collection:
            raise SettingError("name a document or a collection, not both")
        if document:
            return Scope((self.library.find(document, turn),))
        if collection:
            self.service.require_collection(collection)
            return Scope(collections=(collection,))
        known = self.service.collections()
        opened = self.library.open_all(turn)
        if not (opened.ids or known or opened.waiting or opened.failures):
            raise SettingError("there is nothing to ask: no document and no collection is here")
        return Scope(opened.ids, tuple(known), opened.waiting, opened.failures)

    def required(self, document: str | None, turn: Turn) -> str:
        """Return the id of the document that a call has to name.

        Raises:
            SettingError: none is named.
            UnknownItemError: there is no such document.
            DeadlineError: it is still being opened.
            LoadError: it cannot be opened.
        """
        if document is None:
            raise SettingError("name a document, or give a cite")
        return self.library.find(document, turn)

    def page(self, document_id: str, number: int) -> Page:
        """Return a page of a document.

        Raises:
            SettingError: it has no pages.
            UnknownItemError: it has no such page.
        """
        record = self.service.document(document_id)
        pages = self.service.pages(document_id)
        if not pages:
            raise SettingError(
                f"{record.name} has no pages; read shows its text, from a cite or from the start"
            )
        if not 1 <= number <= len(pages):
            raise UnknownItemError(f"{record.name} has the pages 1 to {len(pages)}, no {number}")
        return pages[number - 1]

    def ranked(
        self, scope: Scope, query: str, top_k: int
    ) -> Iterator[tuple[str | None, list[Any]]]:
        """Yield the passages of the documents, and of each collection with its name."""
        if scope.ids:
            found = self.service.search(query, documents=scope.ids, top_k=top_k)
            yield None, [each for each in found if each[2].score > 0]
        for name in scope.collections:
            yield name, self.service.search(query, collection=name, top_k=top_k)
