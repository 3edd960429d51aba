"""Pages of a PDF read by an attempt that a later page ended, and the record of a new attempt."""

from __future__ import annotations

from docqa.loaders.pdf.pages import ReadPage

__all__ = ["PageLog"]


class PageLog:
    """Know no page and keep no record; isolated loading has one that does both."""

    def known(self, index: int) -> ReadPage | None:
        """Return page `index` (from 0) if it need not be read."""
        del index
        return None

    def starts(self, index: int, total: int) -> None:
        """Take note that page `index` of `total` is about to be read."""

    def ends(self, index: int, page: ReadPage) -> None:
        """Take note of what page `index` gave."""
