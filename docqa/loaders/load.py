"""Load any source, in this process or isolated in a worker process."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from docqa.datamodel import Document, LoadWarning
from docqa.limits import Limits
from docqa.load_settings import LoadSettings
from docqa.loaders.formats import PageOptions, load_bytes
from docqa.loaders.source_bytes import Source, read_source
from docqa.ocr_engine import DEFAULT_LANGUAGE, OcrEngine
from docqa.protocols import Progress

__all__ = ["Source", "load", "load_pages", "load_with"]


def load(
    source: Source,
    *,
    name: str | None = None,
    password: str | None = None,
    media_type: str | None = None,
    encoding: str | None = None,
    isolate: bool = False,
    limits: Limits | None = None,
    ocr: bool | OcrEngine = False,
    ocr_language: str = DEFAULT_LANGUAGE,
    progress: Progress | None = None,
) -> Document:
    """Load a document from a path, ``"-"``, bytes or a file object.

    `docqa.load_settings.LoadSettings` says more of each setting.

    Args:
        source: a path, ``"-"`` for standard input, the bytes themselves, an open file (text or
            binary), or a `Document`, which is returned as it is.
        name: name of the source in messages and answers; its suffix helps to recognise the format.
        password: opens an encrypted PDF.
        media_type: overrules the detection, such as ``"text/plain"`` to read HTML as text.
        encoding: overrules the declared encoding of text, Markdown and HTML.
        isolate: load in a worker process, so that a file from a stranger cannot hurt this one.
        limits: time, memory and sizes that loading may take.
        ocr: read the scanned pages of a PDF, with Tesseract or with an engine of your own.
        ocr_language: language of Tesseract; several are joined as ``"eng+deu"``.
        progress: called with (pages done, pages in all) while a PDF loads.

    Raises:
        LoadError: the source cannot become a document; the subclass says what to do.
        MissingDependencyError: `ocr` is asked for, and Tesseract is not installed.
        SettingError: `media_type`, `ocr_language` or `encoding` is unknown.
    """
    settings = LoadSettings(
        password=password,
        media_type=media_type,
        encoding=encoding,
        isolate=isolate,
        limits=limits,
        ocr=ocr,
        ocr_language=ocr_language,
    )
    return load_with(settings, source, name=name, progress=progress)


def load_with(
    settings: LoadSettings,
    source: Source,
    *,
    name: str | None = None,
    progress: Progress | None = None,
) -> Document:
    """Load a document with settings in one record; see `load`.

    Raises:
        LoadError: the source cannot become a document; the subclass says what to do.
        SettingError: a setting is unknown.
    """
    if isinstance(source, Document):
        return source
    data, own_name = read_source(source, most_bytes=settings.effective_limits.file_bytes)
    name = own_name if name is None else name
    if settings.isolate:
        from docqa.loaders.isolation.calls import load_isolated

        document = load_isolated(settings, data, name=name, progress=progress)
    else:
        document = load_bytes(settings, data, name=name, pages=PageOptions(progress))
    return replace(document, settings=settings.kept)


def load_pages(
    settings: LoadSettings, data: bytes, *, name: str, indexes: Collection[int], total: int
) -> Document:
    """Load some pages of a PDF again, for places on them; the others are left empty.

    The text of a page is that of the page in the whole document, and so are its places; labels,
    which are found by looking at all pages, may differ.

    Args:
        settings: as for the whole.
        data: the content.
        name: path or name of the source.
        indexes: of the pages to read, from 0.
        total: number of pages in the document.

    Raises:
        LoadError: the content cannot be loaded.
    """
    if settings.isolate:
        from docqa.loaders.isolation.calls import load_isolated

        left_out = {
            index: LoadWarning("page-left-out", f"page {index + 1} is not asked for", index + 1)
            for index in range(total)
            if index not in indexes
        }
        document = load_isolated(settings, data, name=name, left_out=left_out)
    else:
        document = load_bytes(settings, data, name=name, pages=PageOptions(only=indexes))
    return replace(document, settings=settings.kept)
