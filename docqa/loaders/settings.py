"""How sources are loaded: one record for the library, the pipeline and the command line."""

from __future__ import annotations

from dataclasses import dataclass

from docqa.loaders.limits import Limits

__all__ = ["LoadSettings"]


@dataclass(frozen=True, slots=True)
class LoadSettings:
    """Hold what a caller says about sources; hashable, so that it can be part of a cache's key.

    Attributes:
        password: opens encrypted PDFs.
        media_type: overrules the detection.
        encoding: overrules the declared encoding of text, Markdown and HTML.
        isolate: load in a worker process, so that a hostile file cannot hurt the caller's.
        limits: what loading may cost; None takes `Limits()` for isolated loading, and elsewhere
            only its caps on pages and their characters.
    """

    password: str | None = None
    media_type: str | None = None
    encoding: str | None = None
    isolate: bool = False
    limits: Limits | None = None

    @property
    def effective_limits(self) -> Limits:
        """Return the limits that hold."""
        if self.limits is not None:
            return self.limits
        return Limits() if self.isolate else Limits(file_bytes=None, characters=None)
