"""The original of a document: its bytes, read again and checked against the answers."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from docqa.datamodel import Answer, Document, DocumentInfo, is_nameless
from docqa.errors import HighlightError
from docqa.limits import Limits
from docqa.loaders.source_bytes import Source, read_source
from docqa.places import score_in_words
from docqa.showing.new_file import require_new_file

__all__ = [
    "MarkedFile",
    "AnsweredFile",
    "mark_title",
    "read_original",
    "require_same_text",
    "work_on",
]

_Result = TypeVar("_Result")


@dataclass(frozen=True, slots=True)
class AnsweredFile:
    """A file with the answers that were found in it.

    Attributes:
        data: the original's bytes; their SHA-256 is the document's id.
        document: what the answers say of it.
        answers: all of this document; never none. Their colours go by their order.
        page_number: the page that the caller chose, or None.
        password: opens an encrypted PDF.
        encoding: overrules the declared encoding of text and HTML, as when it was asked.
        safe: leave out all that a web page runs or fetches.
    """

    data: bytes
    document: DocumentInfo
    answers: tuple[Answer, ...]
    page_number: int | None = None
    password: str | None = None
    encoding: str | None = None
    safe: bool = False


@dataclass(frozen=True, slots=True)
class MarkedFile:
    """A marked copy before it is written.

    Attributes:
        data: its bytes.
        marked: how many of the answers are marked in it.
        page_numbers: the pages with marks, from 1, rising; empty for formats without pages.
        keeps_original: it begins with all bytes of the original.
        notes: one sentence for each thing that a user should know of it.
    """

    data: bytes
    marked: int
    page_numbers: tuple[int, ...] = ()
    keeps_original: bool = False
    notes: tuple[str, ...] = ()


def work_on(
    source: str,
    function: Callable[..., _Result],
    *arguments: Any,
    isolate: bool,
    limits: Limits | None = None,
    **settings: Any,
) -> _Result:
    """Return ``function(*arguments, **settings)``, computed here or in the worker process.

    Args:
        source: what messages call the file that the function works on.
        function: one that both processes can import by its name.
        arguments: what can be pickled.
        isolate: in the worker process, so that a file from a stranger cannot hurt this one.
        limits: on time and memory there; None takes `Limits()`.
        settings: further arguments, by name.

    Raises:
        IsolationError: it ended the worker process.
        DocqaError: what the function raises.
    """
    if not isolate:
        return function(*arguments, **settings)
    from docqa.loaders.isolation.calls import call

    return call(function, *arguments, source=source, limits=limits, **settings)


def read_original(
    document: DocumentInfo, source: Source | None, *, out: Path, most_bytes: int | None
) -> bytes:
    """Return the bytes in which answers were found, to be marked in a copy at `out`.

    Args:
        document: what the answers say of it.
        source: where it is now; None for the path at which it was.
        out: the new file.
        most_bytes: no more is read; None for no limit.

    Raises:
        HighlightError: the bytes are others now, or their place is unknown.
        LoadError: they cannot be read.
        SettingError: `out` is the original.
    """
    if source is None and is_nameless(document.source):
        raise HighlightError(
            f"{document.source} is at no path that could be read again; give the original's bytes "
            "as source="
        )
    place = document.source if source is None else source
    if isinstance(place, (str, os.PathLike)):
        require_new_file(out, Path(place))
    data, name = read_source(place, most_bytes=most_bytes)
    if hashlib.sha256(data).hexdigest() != document.id:
        raise HighlightError(
            f"{name} is not the file in which the answers were found: it has changed since; ask "
            "again, or give the original as source="
        )
    return data


def mark_title(question: str, score: float, *, again: bool = False) -> str:
    """Return the words that a mark shows when the pointer rests on it.

    >>> mark_title("How much oil?", 0.875, again=True)
    'How much oil? — the same words again, score 0.88'
    """
    repeated = "the same words again, " if again else ""
    return f"{question} — {repeated}score {score_in_words(score)}"


def require_same_text(document: Document, answers: Iterable[Answer]) -> None:
    """Check that a document, loaded again, has its answers where they were found.

    Raises:
        HighlightError: it reads differently: it was asked with other settings.
    """
    for answer in answers:
        if document.text[answer.start : answer.end] != answer.text:
            raise HighlightError(
                f"{document.source} reads differently than when it was asked; give the encoding "
                "that it was asked with (encoding=, --encoding)"
            )
