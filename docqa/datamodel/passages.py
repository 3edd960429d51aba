"""Passages, and passages that were found for a query."""

from __future__ import annotations

from dataclasses import dataclass

from docqa.datamodel.spans import Span

__all__ = ["Insertion", "Passage", "RankedPassage"]


@dataclass(frozen=True, slots=True)
class Insertion:
    """Characters that a passage is read with but does not have: a table cell's headers.

    Attributes:
        position: offset in the passage's text before which they go.
        text: the characters.
    """

    position: int
    text: str


@dataclass(frozen=True, slots=True)
class Passage:
    """A stretch of a document that is ranked and read as one.

    Attributes:
        document_id: the document's id.
        number: from 0, in the order of the text.
        span: characters of the document's text; ``text == document.text[start:end]``.
        text: the passage's characters.
        boilerplate: every block in it was flagged as navigation, footer and the like.
        borders: rising offsets of the passage's text at which a new sentence, block (heading,
            table row, list item, paragraph) or table cell begins; no answer crosses one.
        insertions: characters put between the passage's characters for ranking and reading, at
            rising positions; never part of an answer. See `docqa.reading_form`.
    """

    document_id: str
    number: int
    span: Span
    text: str
    boilerplate: bool = False
    borders: tuple[int, ...] = ()
    insertions: tuple[Insertion, ...] = ()

    @property
    def place(self) -> tuple[str, int]:
        """Return its unique key: its document's id and its number."""
        return self.document_id, self.number


@dataclass(frozen=True, slots=True)
class RankedPassage:
    """A passage found for a query, with its rank from 1 and its BM25 score."""

    passage: Passage
    rank: int
    score: float
