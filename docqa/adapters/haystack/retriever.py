"""The passages of a collection as documents of Haystack."""

from __future__ import annotations

import os
from typing import Any

from haystack import Document, component, default_from_dict

from docqa.adapters.corpus import Corpus, shared_pipeline, where_of
from docqa.adapters.haystack.documents import document_of, plain_values
from docqa.asking.settings import at_least_1
from docqa.collection.collection import Collection

__all__ = ["DocqaRetriever"]


@component
class DocqaRetriever:
    """A retriever of the passages of a collection that rank best by BM25.

    Args:
        collection: the address of the collection.
        top_k: the number of passages, at most; those that share no term are left out.
        where: the documents that are searched, a mapping of the fields of `docqa.Where`.
        boxes: add the rectangles of their lines as ``boxes``; the sources are opened for them.
    """

    __module__ = "docqa.adapters.haystack"  # the path that saved pipelines name

    def __init__(
        self,
        collection: str,
        *,
        top_k: int = 10,
        where: dict[str, Any] | None = None,
        boxes: bool = False,
    ) -> None:
        self.collection = os.fspath(collection)
        self.top_k = at_least_1("top_k", top_k)
        self.where = where
        self.boxes = boxes
        where_of(where)
        self._collection: Collection | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the component as plain values."""
        return plain_values(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> DocqaRetriever:
        """Return the component of plain values."""
        return default_from_dict(cls, data)

    def warm_up(self) -> None:
        """Open the collection.

        Raises:
            SettingError: there is no engine for the address.
            MissingDependencyError: the engine's library is not installed.
        """
        if self._collection is None:  # two threads may both open it
            self._collection = Collection(self.collection, pipeline=shared_pipeline())

    @component.output_types(documents=list[Document])
    def run(
        self, query: str, top_k: int | None = None, where: dict[str, Any] | None = None
    ) -> dict[str, list[Document]]:
        """Return the passages for a query, best first.

        Args:
            query: in words.
            top_k: overrules the component's.
            where: takes the place of the component's.

        Raises:
            CollectionError: there is no collection, or it cannot be read.
            SettingError: a setting is out of its range.
        """
        self.warm_up()
        corpus = Corpus(collection=self._collection, where=self.where if where is None else where)
        most = self.top_k if top_k is None else top_k
        found = corpus.search(query, top_k=most, boxes=self.boxes)
        return {"documents": [document_of(part, {}, full_path=True) for part in found]}
