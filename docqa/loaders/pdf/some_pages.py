"""Load some pages of a PDF again, for places on them: the others are left empty, and not read."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace

from docqa.datamodel import Document, LoadWarning
from docqa.load_settings import LoadSettings
from docqa.loaders.load import load_bytes
from docqa.loaders.pdf.page_log import PageLog
from docqa.loaders.pdf.pages import ReadPage

__all__ = ["load_pages"]


def load_pages(
    settings: LoadSettings, data: bytes, *, name: str, indexes: Collection[int], total: int
) -> Document:
    """Return a PDF with the text of some of its pages, each where it has its number.

    The text of a page is what it is in the whole document, and so are its places; labels, which
    are found by looking at all pages, may differ.

    Args:
        settings: as for the whole.
        data: the content.
        name: path or name of the source.
        indexes: of the pages to read, from 0.
        total: how many pages there are.

    Raises:
        LoadError: the content cannot be loaded.
    """
    if settings.isolate:
        from docqa.loaders.isolation.isolated_load import IsolatedLoad

        left_out = {
            index: LoadWarning("page-left-out", f"page {index + 1} is not asked for", index + 1)
            for index in _others(indexes, total)
        }
        document = IsolatedLoad(settings, data, name, None, pages=left_out).run()
    else:
        document = load_bytes(settings, data, name=name, log=_SomePages(indexes))
    return replace(document, settings=settings.kept)


def _others(indexes: Collection[int], total: int) -> Iterable[int]:
    return (index for index in range(total) if index not in indexes)


class _SomePages(PageLog):
    """Say of all pages but some that they are read, and empty."""

    def __init__(self, indexes: Collection[int]) -> None:
        self._indexes = indexes

    def known(self, index: int) -> ReadPage | None:
        return None if index in self._indexes else ReadPage.without_boxes("")
