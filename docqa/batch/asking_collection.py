"""The work for a collection: ask it some of the questions."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from docqa.asking.reading_settings import ReadingSettings, open_pipeline
from docqa.batch.asking import SourceJob, SourceOutcome, cell_outcome, require_reader
from docqa.index.contract import Where
from docqa.load_settings import LoadSettings

if TYPE_CHECKING:
    from docqa.collection.collection import Collection

__all__ = ["AskingCollection", "fingerprint"]


class AskingCollection:
    """A worker for a collection. The reader is loaded with the first job, in a pickled copy again.

    Args:
        reading: how documents are read.
        loading: how files are opened, where places are looked up in them.
        settings: those that decide the answers; they go into every line.
        where: which of the documents are asked.
        address: the collection's.
    """

    def __init__(
        self,
        reading: ReadingSettings,
        loading: LoadSettings,
        settings: dict[str, Any],
        where: Where,
        address: str,
    ) -> None:
        self._reading, self._loading, self._settings = reading, loading, settings
        self._where, self._address = where, address
        self._collection: Collection | None = None

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle its arguments, and nothing that is open."""
        made_with = self._reading, self._loading, self._settings, self._where, self._address
        return (AskingCollection, made_with)

    def __call__(self, job: SourceJob) -> SourceOutcome:
        """Return the outcomes of a job.

        The fingerprint is that of the moment before they are asked; where the collection changes
        meanwhile, a later run sees that and asks again.

        Raises:
            CollectionError: there is no collection, or it was made by another version.
            ModelError: the reader cannot be loaded, or is another one than on the caller's machine.
        """
        collection = self._opened()
        content = fingerprint(collection, self._where)
        texts = [question.text for question in job.questions]
        items = collection.ask_all(texts, top_k=self._reading.top_k, where=self._where)
        cells = tuple(
            cell_outcome(question, replace(item, source=job.source), content, self._settings)
            for question, item in zip(job.questions, items, strict=True)
        )
        return SourceOutcome(job.source, cells, (), job.is_last)

    def _opened(self) -> Collection:
        from docqa.collection.collection import Collection

        if self._collection is None:
            pipeline = open_pipeline(self._reading)
            require_reader(pipeline.reader, self._reading, self._settings)
            self._collection = Collection(
                self._address, pipeline=pipeline.with_loading(self._loading)
            )
        return self._collection


def fingerprint(collection: Collection, where: Where) -> str:
    """Return the SHA-256 of all that a collection's answers depend on.

    That is how and when it was made; the key, the content and the time of indexing of every
    document, as the same bytes have another text or other passages where they are indexed
    otherwise; and where some are chosen, which these are, as that depends on what is kept with
    them. Those that are not chosen count in the ranking.

    Args:
        collection: is asked.
        where: which of its documents are.

    Raises:
        CollectionError: there is no collection, or it was made by another version.
    """
    lines = [collection.settings().to_json()]
    lines += [f"{each.key}\0{each.id}\0{each.indexed!r}" for each in collection.documents()]
    if where:
        lines += [f"asked\0{each.key}" for each in collection.documents(where)]
    return hashlib.sha256("\n".join(lines).encode("utf-8", "surrogateescape")).hexdigest()
