"""The format of a collection: its number, and what a collection must have been made with.

The number changes when an older docqa could not read what a newer one writes, or the other way
round. What is kept is a copy of the sources' words, so a collection of another format is made anew
from its sources, and never half understood.
"""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass
from typing import Any

from docqa.datamodel import Content
from docqa.errors import CollectionError
from docqa.index.analysis import ANALYSIS_VERSION

__all__ = ["FORMAT", "Made"]

FORMAT = 1


@dataclass(frozen=True, slots=True)
class Made:
    """Hold how a collection was made.

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

    def to_json(self) -> str:
        """Return the record as it is stored."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str | None, *, address: str) -> Made:
        """Return a stored record.

        Raises:
            CollectionError: this version cannot use the collection; the message says what can be
                done.
        """
        try:
            values: dict[str, Any] = json.loads(text or "")
            number = int(values["format"])
        except (ValueError, TypeError, KeyError) as error:
            raise CollectionError(
                f"{address}: its notes are missing or damaged; {_rebuild(address)}"
            ) from error
        if number != FORMAT:
            raise CollectionError(
                f"{address} has format {number} (docqa {values.get('docqa', '?')}), and this "
                f"version reads format {FORMAT}; {_rebuild(address)}"
            )
        made = cls(**{name: values[name] for name in cls.__dataclass_fields__})
        if made.analysis != ANALYSIS_VERSION:
            raise CollectionError(
                f"{address} was made with another way to find words (analysis {made.analysis}, "
                f"this version has {ANALYSIS_VERSION}); {_rebuild(address)}"
            )
        return made

    @classmethod
    def now(
        cls, *, reader: str, tokenizer: str, passage_tokens: int, overlap: int, content: Content
    ) -> Made:
        """Return the record of a collection that is made now, by this version."""
        from docqa import __version__

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


def _rebuild(address: str) -> str:
    return f"docqa kb rebuild {address} makes it again from its sources"
