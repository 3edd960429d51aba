"""A document of a collection as it was indexed, whose places are looked up in its source."""

from __future__ import annotations

from dataclasses import replace

from docqa.collection.originals import StoredSourceMap, settings_of
from docqa.collection.packing import NOWHERE, PackedDocument, unpack_document
from docqa.collection.records import CollectedDocument
from docqa.collection.search import one_document
from docqa.datamodel import Document, Table
from docqa.index.contract import Snapshot
from docqa.load_settings import LoadSettings
from docqa.recent import Recent

__all__ = ["Bodies", "stored_document"]

Bodies = Recent[tuple[PackedDocument, Document]]
"""Documents unpacked lately, by generation."""


def stored_document(
    snapshot: Snapshot,
    found: tuple[CollectedDocument, str],
    *,
    loading: LoadSettings,
    bodies: Bodies,
    tables: tuple[Table, ...] = (),
) -> Document:
    """Return a document of a collection; the caller closes it.

    Args:
        snapshot: of the store.
        found: the document's record, and its generation.
        loading: the settings under which its source is opened, when places are looked up.
        bodies: keeps it unpacked.
        tables: of the document, as they are stored with its passages.

    Raises:
        StoredDocumentError: it is damaged, or that generation is gone.
    """
    facts, generation = found

    def unpacked() -> tuple[PackedDocument, Document]:
        with one_document(facts.key):
            packed = unpack_document(snapshot.body(facts.key, generation))
        settings = settings_of(packed.values["settings"], loading)
        return packed, packed.document(NOWHERE, settings)

    packed, document = bodies.get_or_make(generation, unpacked)
    document = replace(document, source=facts.source, tables=tables)
    source_map = StoredSourceMap(facts, document, packed.original)
    return replace(document, source_map=source_map)
