"""The settings of a collection: its format, and how it was made.

The number changes when an older docqa could not read what a newer one writes, or the other way
round. A collection keeps a copy of the sources' words, so one of another format is made again from
its sources, and never half understood.
"""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass
from typing import Any

from docqa.asking.settings import Splitting
from docqa.datamodel import Content
from docqa.errors import CollectionError
from docqa.index.analysis import ANALYSIS_VERSION
from docqa.index.contract import Store, missing_collection

__all__ = [
    "FORMAT",
    "CollectionSettings",
    "has_settings",
    "is_half_rebuilt",
    "collection_settings",
    "require_collection",
    "write_rebuilding",
    "write_settings",
]

FORMAT = 1
_SETTINGS = "collection"  # the note that holds them
_REBUILDING = "rebuilding"  # those of a rebuild that goes on; empty where it has ended


@dataclass(frozen=True, slots=True)
class CollectionSettings:
    """The settings that a collection was made with.

    Attributes:
        format: see the module.
        docqa: the version that made it.
        analysis: the version of `docqa.index.analysis`; other terms would not be found.
        reader: whose tokens are kept, as `docqa.load_reader` calls it.
        tokenizer: fingerprint of the reader's tokenizer.
        passage_tokens, overlap: sizes of the passages.
        content: which blocks are in them.
        created: when, in seconds since 1970.
    """

    format: int
    docqa: str
    analysis: int
    reader: str
    tokenizer: str
    passage_tokens: int
    overlap: int
    content: Content
    created: float

    @property
    def splitting(self) -> Splitting:
        """Return the settings under which documents are split."""
        return Splitting(self.passage_tokens, self.overlap, self.content)

    def to_json(self) -> str:
        """Return the record as it is stored."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str | None, *, address: str) -> CollectionSettings:
        """Return a stored record.

        Raises:
            CollectionError: this version cannot use the collection; the message says what to do.
        """
        try:
            values: dict[str, Any] = json.loads(text or "")
            number = int(values["format"])
        except (ValueError, TypeError, KeyError) as error:
            raise _damaged(address) from error
        if number != FORMAT:
            raise CollectionError(
                f"{address} has format {number} (docqa {values.get('docqa', '?')}), and this "
                f"version reads format {FORMAT}; {_rebuild(address)}"
            )
        try:
            settings = cls(**{name: values[name] for name in cls.__dataclass_fields__})
        except KeyError as error:
            raise _damaged(address) from error
        if settings.analysis != ANALYSIS_VERSION:
            raise CollectionError(
                f"{address} was made with another way to find words (analysis {settings.analysis}, "
                f"this version has {ANALYSIS_VERSION}); {_rebuild(address)}"
            )
        return settings

    @classmethod
    def now(
        cls, *, reader: str, tokenizer: str, passage_tokens: int, overlap: int, content: Content
    ) -> CollectionSettings:
        """Return the settings of a collection that is made now, by this version."""
        from docqa._version import __version__

        return cls(
            FORMAT,
            __version__,
            ANALYSIS_VERSION,
            reader,
            tokenizer,
            passage_tokens,
            overlap,
            content,
            time.time(),
        )


def require_collection(store: Store) -> None:
    """Check that there is a collection.

    Raises:
        CollectionError: there is none.
    """
    if not store.exists():
        raise missing_collection(store.address)


def collection_settings(store: Store) -> CollectionSettings:
    """Return the settings of a collection.

    Raises:
        CollectionError: there is none, or this version cannot use it.
    """
    require_collection(store)
    try:
        text = store.read_note(_SETTINGS)
    except CollectionError as error:
        if not isinstance(error.__cause__, ValueError):
            raise
        text = None  # damaged
    return CollectionSettings.from_json(text, address=store.address)


def write_settings(store: Store, settings: CollectionSettings) -> None:
    """Store the settings of a collection."""
    store.write_note(_SETTINGS, settings.to_json())


def has_settings(store: Store) -> bool:
    """Say whether a collection's settings were stored."""
    return store.read_note(_SETTINGS) is not None


def write_rebuilding(store: Store, settings: CollectionSettings | None) -> None:
    """Note that a rebuild with these settings goes on; None where it has ended."""
    store.write_note(_REBUILDING, "" if settings is None else settings.to_json())


def is_half_rebuilt(store: Store) -> bool:
    """Say whether a rebuild was begun and not ended: documents are of two kinds then."""
    return bool(store.read_note(_REBUILDING))


def _damaged(address: str) -> CollectionError:
    return CollectionError(f"{address}: its notes are missing or damaged; {_rebuild(address)}")


def _rebuild(address: str) -> str:
    return f"docqa kb rebuild {address} makes it again from its sources"
