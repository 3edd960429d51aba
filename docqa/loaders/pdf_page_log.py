"""Pages of a PDF read by an attempt that a later page ended, and the record of a new attempt."""

from __future__ import annotations

from dataclasses import dataclass

from docqa.datamodel import LoadWarning
from docqa.loaders.pdf_pages import ReadPage

__all__ = ["KnownPage", "PageLog"]


@dataclass(frozen=True, slots=True)
class KnownPage:
    """Hold what one page gave, and the warnings that reading it added to the file's."""

    read: ReadPage
    warnings: tuple[LoadWarning, ...] = ()


class PageLog:
    """Know no page and keep no record; isolated loading has one that does both."""

    def known(self, index: int) -> KnownPage | None:
        """Return page `index` (from 0) if it need not be read."""
        del index
        return None

    def starts(self, index: int, total: int) -> None:
        """Take note that page `index` of `total` is about to be read."""

    def ends(self, page: KnownPage) -> None:
        """Take note that it was read."""
