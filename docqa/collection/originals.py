"""The places of a stored document's words: its source is read again for them.

Of the places only the pages are stored. The source's bytes are compared with those that were
indexed (SHA-256), and the words with those that stand there, so a place is right or is not given.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from docqa.collection.files import is_special
from docqa.collection.records import CollectedDocument
from docqa.datamodel import Document, Location, PageLocation, SourceState, Span
from docqa.errors import DocqaError
from docqa.limits import Limits
from docqa.load_settings import TEXT_CAPS, LoadSettings
from docqa.loaders.load import load_pages, load_with
from docqa.loaders.pdf.source_map import PagesSourceMap

__all__ = ["FoundOriginal", "StoredSourceMap", "find_original", "settings_of"]

_MOST_LOOKED_AT = 20_000  # files of a folder, when a source has moved


@dataclass(frozen=True, slots=True)
class FoundOriginal:
    """The source of a document, as it is now.

    Attributes:
        state: see `docqa.DocumentInfo`; None for a source that was no file.
        source: its path now, or the name it had.
        data: its bytes, as they were indexed; None where they are gone.
    """

    state: SourceState | None
    source: str
    data: bytes | None


def find_original(facts: CollectedDocument, kept: bytes | None) -> FoundOriginal:
    """Return the source of a stored document, where it was or where it has moved to.

    A moved one is found by its hash, in the folder that it was found in and in its own.

    Args:
        facts: of the document.
        kept: its bytes, where the collection has them.
    """
    if facts.stamp is None:
        return FoundOriginal(None, facts.source, kept)
    if is_special(facts.key):
        return FoundOriginal("unreadable", facts.source, None)
    try:
        data = Path(facts.key).read_bytes()
    except FileNotFoundError:
        moved = _moved(facts)
        return moved or FoundOriginal("missing", facts.source, None)
    except OSError:
        return FoundOriginal("unreadable", facts.source, None)
    if hashlib.sha256(data).hexdigest() == facts.id:
        return FoundOriginal("same", facts.source, data)
    return _moved(facts) or FoundOriginal("changed", facts.source, None)


def _moved(facts: CollectedDocument) -> FoundOriginal | None:
    for path in _same_size(facts):
        with suppress(OSError):
            data = path.read_bytes()
            if hashlib.sha256(data).hexdigest() == facts.id:
                return FoundOriginal("moved", str(path), data)
    return None


def _same_size(facts: CollectedDocument) -> Iterator[Path]:
    """Yield the files around a source that have its size."""
    own, looked_at = Path(facts.key), 0
    size = -1 if facts.stamp is None else facts.stamp.size
    for where, _, names in os.walk(facts.folder or own.parent):
        for name in names:
            looked_at += 1
            if looked_at > _MOST_LOOKED_AT:
                return
            path = Path(where) / name
            with suppress(OSError):
                if path != own and path.stat().st_size == size and path.is_file():
                    yield path


def settings_of(values: dict[str, Any] | None, own: LoadSettings) -> LoadSettings:
    """Return the settings that load a document as it was when it was indexed.

    Args:
        values: the stored part of the settings.
        own: the caller's: password, isolation and limits are not stored.
    """
    values = values or {}
    limits = own.limits
    caps = {name: values[name] for name in TEXT_CAPS if name in values}
    if caps:
        limits = replace(limits or own.effective_limits or Limits(), **caps)
    ocr = values.get("ocr", False)
    return replace(
        own,
        media_type=values.get("media_type"),
        encoding=values.get("encoding"),
        ocr=own.ocr if isinstance(ocr, str) else bool(ocr),
        ocr_language=values.get("ocr_language") or own.ocr_language,
        limits=limits,
    )


class StoredSourceMap:
    """The `SourceMap` of a stored document, which looks places up in its source.

    Where the source is gone or has changed, pages are given without rectangles; for formats
    without pages there is no place.

    Args:
        facts: of the document.
        pages, text: of the document.
        kept: its bytes, where the collection has them.
        settings: how it is loaded.
    """

    def __init__(self, facts: CollectedDocument, document: Document, kept: bytes | None) -> None:
        self._facts, self._kept = facts, kept
        self._text, self._pages = document.text, document.pages
        self._settings = document.settings or LoadSettings()
        self._loaded: dict[tuple[int, ...], Document | None] = {}

    @cached_property
    def original(self) -> FoundOriginal:
        """Return the source as it is now; looked at once."""
        return find_original(self._facts, self._kept)

    def locate(self, span: Span) -> tuple[Location, ...]:
        """Return the places of `span` in the source."""
        document, shift = self._part(span)
        if document is None or span.shift(shift).of(document.text) != span.of(self._text):
            return PagesSourceMap(self._pages).locate(span) if self._pages else ()
        return tuple(self._labelled(each) for each in document.locate(span.shift(shift)))

    def close(self) -> None:
        """Close the parts of the source that were loaded."""
        for document in self._loaded.values():
            if document is not None:
                document.close()
        self._loaded.clear()

    def _part(self, span: Span) -> tuple[Document | None, int]:
        """Return the part of the source that holds a span, and the shift of its text there."""
        if self._facts.media_type != "application/pdf":
            return self._load(()), 0
        parts = PagesSourceMap(self._pages).page_spans(span)
        indexes = tuple(dict.fromkeys(part.index for part in parts))
        document = self._load(indexes)
        if document is None or len(document.pages) != len(self._pages):
            return None, 0
        first = indexes[0]
        return document, document.pages[first].span.start - self._pages[first].span.start

    def _load(self, indexes: tuple[int, ...]) -> Document | None:
        if indexes not in self._loaded:
            self._loaded[indexes] = self._loaded_now(indexes)
        return self._loaded[indexes]

    def _loaded_now(self, indexes: tuple[int, ...]) -> Document | None:
        data, name = self.original.data, self.original.source
        if data is None:
            return None
        try:
            if not indexes:
                return load_with(self._settings, data, name=name)
            total = len(self._pages)
            return load_pages(self._settings, data, name=name, indexes=indexes, total=total)
        except DocqaError:  # it loaded once: a password is missing, or another version reads it
            return None

    def _labelled(self, place: Location) -> Location:
        if not isinstance(place, PageLocation):
            return place
        page = self._pages[place.page_number - 1]
        return replace(place, page_label=page.label, label_origin=page.label_origin)
