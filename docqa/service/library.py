"""All documents that callers can name: uploaded ones, and those of collections."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from docqa.datamodel import Document
from docqa.errors import SettingError, UnknownItemError

if TYPE_CHECKING:
    from docqa.asking.prepared import PreparedDocument
    from docqa.load_settings import LoadSettings
    from docqa.service.documents import DocumentStore, ServedDocument
    from docqa.service.requests import AskRequest
    from docqa.service.shelf import Shelf

__all__ = ["ServedLibrary"]


class ServedLibrary:
    """Documents by their id, wherever they are.

    A document of a collection is loaded from its own file when it is first looked at, and then
    lies beside the uploaded ones without being one.

    Args:
        store: has the uploaded documents.
        shelf: has the collections.
    """

    def __init__(self, store: DocumentStore, shelf: Shelf) -> None:
        self.store, self.shelf = store, shelf

    def record(self, document_id: str) -> ServedDocument:
        """Return the record of a document.

        Raises:
            UnknownItemError: there is none of this id, or its file has changed.
            LoadError: its file cannot be loaded any more.
        """
        try:
            return self.store.record(document_id)
        except UnknownItemError:
            shelved = self.shelf.find(document_id)
            if shelved is None:
                raise
        source = Path(shelved.record.source)
        try:
            data = source.read_bytes()
        except OSError:
            raise UnknownItemError(
                f"the file of {shelved.name} is no longer where it was indexed; update the "
                "collection"
            ) from None
        if hashlib.sha256(data).hexdigest() != document_id:
            raise UnknownItemError(
                f"{shelved.name} has changed since it was indexed; update the collection"
            )
        return self.store.add(data, shelved.name, is_upload=False)[0]

    def loaded(self, document_id: str) -> Document:
        """Return a document; see `record`."""
        self.record(document_id)
        return self.store.document(document_id)

    def prepared(self, document: Document) -> PreparedDocument:
        """Return the passages of a document with their index."""
        return self.store.prepared(document)

    def original(self, document_id: str) -> tuple[bytes, LoadSettings]:
        """Return the bytes of a document, and the settings with which it was loaded."""
        self.record(document_id)
        return self.store.data(document_id), self.store.settings(document_id)

    def asked(self, request: AskRequest) -> tuple[str, ...]:
        """Return the ids of the documents that a request asks; none for a collection.

        Raises:
            UnknownItemError: there is no such document or collection.
            SettingError: there is nothing to ask.
        """
        if request.collection is not None:
            self.shelf.get(request.collection)
            return ()
        for document_id in request.documents:
            self.record(document_id)
        ids = request.documents or tuple(each.id for each in self.store.records())
        if not ids:
            raise SettingError("there is nothing to ask: upload a document or name a collection")
        return ids
