"""Errors as RFC 9457 problems: a status, a sentence, and the option that helps."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any

from docqa.errors import (
    BusyError,
    CollectionError,
    DocqaError,
    HighlightError,
    LoadError,
    MissingDependencyError,
    ModelError,
    ServiceError,
    TooLargeError,
    UnknownItemError,
    UnsupportedFormatError,
)

__all__ = ["MEDIA_TYPE", "Problem", "problem_of"]

MEDIA_TYPE = "application/problem+json"

# The first class that fits decides; whatever else docqa raises on purpose is about the request.
_STATUSES: tuple[tuple[type[DocqaError], int], ...] = (
    (UnsupportedFormatError, 415),
    (TooLargeError, 413),
    (LoadError, 422),
    (CollectionError, 409),
    (ModelError, 500),
    (MissingDependencyError, 500),
    (UnknownItemError, 404),
    (ServiceError, 503),
    (HighlightError, 422),
)
# Advice to programs in Python and to the command line, which a client of the server cannot follow.
_ADVICE = re.compile(
    r" \(to load a text itself, pass it as bytes\)"
    r"|; [^;.]*\b(isolate=False|--no-isolate|Limits\()[^;.]*(?=[;.]|$)"
    r"|; docqa ask \.\.\. --highlight [^;.]*\.html[^;]*"
)
_WORDS = (
    (r"--ocr \(ocr=True\)", "a server started with --ocr"),
    (r"password= or --password", "the header X-Docqa-Password"),
    (r"encoding= \(--encoding\)|encoding=, --encoding", "another encoding"),
)


class Problem(Exception):  # noqa: N818 - the word of RFC 9457
    """A request cannot be answered; it becomes the response.

    Attributes:
        status: of the response.
        kind: the end of the problem's type, ``urn:docqa:<kind>``.
        detail: one sentence: what, where, what to do next.
        headers: further headers of the response.
        more: further members of the problem, such as ``limit`` and ``option``.
    """

    def __init__(
        self,
        status: int,
        kind: str,
        detail: str,
        *,
        headers: Mapping[str, str] | None = None,
        **more: Any,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.kind = kind
        self.detail = detail
        self.headers = dict(headers or {})
        self.more = more

    def record(self) -> dict[str, Any]:
        """Return the members of the problem, ready for JSON."""
        title = self.kind.replace("-", " ").capitalize()
        return {
            "type": f"urn:docqa:{self.kind}",
            "title": title,
            "status": self.status,
            "detail": self.detail,
            **self.more,
        }

    def body(self) -> bytes:
        """Return the problem as the bytes of a response."""
        return json.dumps(self.record()).encode()

    @classmethod
    def busy(cls, detail: str, *, retry_seconds: float) -> Problem:
        """Return the problem of a queue that is full, with the seconds after which to ask again."""
        wait = str(max(1, math.ceil(retry_seconds)))
        return cls(503, "busy", detail, headers={"Retry-After": wait})


def problem_of(error: BaseException) -> Problem:
    """Return the problem that an error of docqa means for the client.

    >>> from docqa.errors import NoTextError
    >>> problem = problem_of(NoTextError("scan.pdf: no text to answer from", source="scan.pdf"))
    >>> problem.status, problem.record()["type"]
    (422, 'urn:docqa:no-text')
    """
    if isinstance(error, Problem):
        return error
    if isinstance(error, BusyError):
        return Problem.busy(str(error), retry_seconds=error.retry_after)
    if not isinstance(error, DocqaError):
        return Problem(500, "internal", "an error of the server itself; its log has the details")
    kind = re.sub(r"(?<=[a-z])(?=[A-Z])", "-", type(error).__name__).lower()
    status = next((status for cls, status in _STATUSES if isinstance(error, cls)), 422)
    more = {"page_number": page} if (page := getattr(error, "page_number", None)) else {}
    headers = {"Retry-After": "1"} if status == 503 else None
    detail = for_clients(str(error))
    return Problem(status, kind.removesuffix("-error"), detail, headers=headers, **more)


def for_clients(message: str) -> str:
    """Return a message of the library without advice that a client cannot follow.

    >>> for_clients("scan.pdf: no text to answer from; --ocr (ocr=True) reads it")
    'scan.pdf: no text to answer from; a server started with --ocr reads it'
    """
    message = _ADVICE.sub("", message)
    for pattern, words in _WORDS:
        message = re.sub(pattern, words, message)
    return message
