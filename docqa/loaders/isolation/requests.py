"""The requests of a process to its isolated worker, and the worker's replies."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from docqa import errors
from docqa.datamodel import LoadWarning, Page
from docqa.errors import DocqaError, IsolationError, LoadError
from docqa.limits import Limits
from docqa.load_settings import LoadSettings
from docqa.loaders.isolation.messages import MessageError

__all__ = [
    "NOT_SENT",
    "Call",
    "CallKept",
    "Done",
    "Failed",
    "Keep",
    "Load",
    "PageRead",
    "Progressed",
    "Ready",
    "Reply",
    "Request",
    "Unknown",
]

# Of a request's parts, only an engine is the caller's own.
NOT_SENT = (
    "the OCR engine cannot be sent to the worker process: define its class in a module that can be "
    "imported, or load with isolate=False"
)


@dataclass(frozen=True, slots=True)
class Load:
    """A request for a document; the file comes as raw bytes.

    Attributes:
        limits: hold for the work on this request.
        key: names the document's source map in later requests.
        settings, name: see `docqa.load`.
        pages: of earlier attempts, by index from 0: the encoded page, or the warning that stands
            for one that must not be read again. None for a first attempt, which sends
            no pages back one by one.
        forget: keys of documents that are no longer needed.
    """

    limits: Limits
    key: str
    settings: LoadSettings
    name: str
    pages: Mapping[int, bytes | LoadWarning] | None = None
    forget: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Keep:
    """A source map that this worker does not know; the file comes as raw bytes.

    Attributes:
        source_map, state: its class and its encoded state; see `LoadedDocument`.
        pages: of the document.
    """

    limits: Limits
    key: str
    source_map: str
    state: bytes
    pages: Sequence[Page]
    forget: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CallKept:
    """A question to a kept source map."""

    limits: Limits
    key: str
    method: str
    arguments: tuple[Any, ...]
    forget: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Call:
    """A request for the result of a function that both processes can import."""

    limits: Limits
    function: Callable[..., Any]
    arguments: tuple[Any, ...]
    settings: Mapping[str, Any] = field(default_factory=dict)
    forget: tuple[str, ...] = ()


Request = Load | Keep | CallKept | Call


class _Reply(msgspec.Struct, frozen=True, tag=True):
    """A reply: plain data."""


class Ready(_Reply, frozen=True):
    """The greeting of a worker that has started."""


class Progressed(_Reply, frozen=True):
    """The number of pages done.

    Attributes:
        done, total: pages.
        reading: index of the page being read, where it is not the next: while OCR is at work on
            some pages, later ones are opened.
    """

    done: int
    total: int
    reading: int | None = None

    @property
    def index(self) -> int | None:
        """Return the index of the page being read, or None where all are."""
        index = self.done if self.reading is None else self.reading
        return index if index < self.total else None


class PageRead(_Reply, frozen=True):
    """The content of a page, encoded in the raw bytes, for an attempt that starts after it."""

    index: int


class Done(_Reply, frozen=True):
    """A result.

    Attributes:
        value: encoded; the asker knows its type.
        leaves: the worker ends now, because it holds on to memory.
    """

    value: bytes
    leaves: bool = False


class Failed(_Reply, frozen=True):
    """An error of docqa.

    Attributes:
        kind: name of its class in `docqa.errors`.
        message: its text.
        source, page_number, stderr: those of a `LoadError` and an `IsolationError`.
        leaves: as in `Done`.
    """

    kind: str
    message: str
    source: str = ""
    page_number: int | None = None
    stderr: str = ""
    leaves: bool = False

    @classmethod
    def of(cls, error: DocqaError, *, leaves: bool = False) -> Failed:
        """Return the reply that brings an error."""
        return cls(
            type(error).__name__,
            str(error),
            getattr(error, "source", ""),
            getattr(error, "page_number", None),
            getattr(error, "stderr", ""),
            leaves,
        )

    @property
    def error(self) -> DocqaError:
        """Return the error.

        Raises:
            MessageError: docqa has no such error.
        """
        kind = getattr(errors, self.kind, None)
        if not (isinstance(kind, type) and issubclass(kind, DocqaError)):
            raise MessageError(f"no error {self.kind!r}")
        if issubclass(kind, IsolationError):
            return kind(
                self.message, source=self.source, page_number=self.page_number, stderr=self.stderr
            )
        if issubclass(kind, LoadError):
            return kind(self.message, source=self.source, page_number=self.page_number)
        return kind(self.message)


class Unknown(_Reply, frozen=True):
    """The answer to a request about a source map that is not kept."""


Reply = Ready | Progressed | PageRead | Done | Failed | Unknown
