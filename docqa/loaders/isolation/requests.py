"""What a process and its isolated worker say to one another."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Union

from docqa.datamodel import LoadWarning
from docqa.errors import DocqaError
from docqa.limits import Limits
from docqa.load_settings import LoadSettings

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
    """Ask for a document; the file comes as raw bytes.

    Attributes:
        limits: hold for the work on this request.
        key: names the document's source map in later requests.
        settings, name: see `docqa.load`.
        pages: of earlier attempts, by index from 0: what a page gave, packed, or the warning that
            stands for a page that must not be read again. None for a first attempt, which sends
            no pages back one by one.
        forget: keys of documents that nobody asks for any more.
    """

    limits: Limits
    key: str
    settings: LoadSettings
    name: str
    pages: Mapping[int, bytes | LoadWarning] | None = None
    forget: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Keep:
    """Hand over a source map, packed, that this worker does not know; the file is raw bytes."""

    limits: Limits
    key: str
    state: bytes
    forget: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CallKept:
    """Ask a kept source map."""

    limits: Limits
    key: str
    method: str
    arguments: tuple[Any, ...]
    forget: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Call:
    """Ask for the result of a function that both processes can import."""

    limits: Limits
    function: Callable[..., Any]
    arguments: tuple[Any, ...]
    settings: Mapping[str, Any] = field(default_factory=dict)
    forget: tuple[str, ...] = ()


Request = Union[Load, Keep, CallKept, Call]


@dataclass(frozen=True, slots=True)
class Ready:
    """Say, once, that the worker has started."""


@dataclass(frozen=True, slots=True)
class Progressed:
    """Say how many pages are done.

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


@dataclass(frozen=True, slots=True)
class PageRead:
    """Bring what a page gave, packed in the raw bytes, for an attempt that starts after it."""

    index: int


@dataclass(frozen=True, slots=True)
class Done:
    """Bring the result.

    Attributes:
        value: what was asked for; a document comes without its source map where `state` has it.
        state: the source map, packed, of a document that must be located in a worker.
        leaves: the worker ends now, because it holds on to memory.
    """

    value: Any
    state: bytes | None = None
    leaves: bool = False


@dataclass(frozen=True, slots=True)
class Failed:
    """Bring the error; `leaves` as in `Done`."""

    error: DocqaError
    leaves: bool = False


@dataclass(frozen=True, slots=True)
class Unknown:
    """Say that nothing is kept under the key."""


Reply = Union[Ready, Progressed, PageRead, Done, Failed, Unknown]
