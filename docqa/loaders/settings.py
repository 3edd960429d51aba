"""How sources are loaded: one record for the library, the pipeline and the command line."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["LoadSettings"]


@dataclass(frozen=True, slots=True)
class LoadSettings:
    """Hold what a caller says about sources; hashable, so that it can be part of a cache's key.

    Attributes:
        password: opens encrypted PDFs.
        media_type: overrules the detection.
        encoding: overrules the declared encoding of text, Markdown and HTML.
    """

    password: str | None = None
    media_type: str | None = None
    encoding: str | None = None
