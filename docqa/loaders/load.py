"""Load any source: find its bytes, tell its format, hand it to the format's loader."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Union

from docqa.datamodel import Document
from docqa.errors import SettingError, SourceNotFoundError, SourceUnreadableError, TooLargeError
from docqa.limits import Limits
from docqa.load_settings import DEFAULT_LANGUAGE, LoadSettings
from docqa.loaders.media_types import SUPPORTED_TYPES, detect_media_type
from docqa.ocr_engine import OcrEngine
from docqa.protocols import Loader, Progress

if TYPE_CHECKING:
    from docqa.loaders.pdf.page_log import PageLog

__all__ = ["Source", "load", "load_bytes", "load_with", "read_source", "source_name"]

Source = Union[str, "os.PathLike[str]", bytes, bytearray, memoryview, IO[bytes], IO[str], Document]


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

    Args:
        source: a path, ``"-"`` for standard input, the bytes themselves, an open file (text or
            binary), or a `Document`, which is returned as it is.
        name: what messages and answers call the source; its suffix helps to tell the format.
        password: opens an encrypted PDF; the user's or the owner's.
        media_type: overrules the detection, such as ``"text/plain"`` to read HTML as text.
        encoding: overrules the declared encoding of text, Markdown and HTML.
        isolate: load in a worker process under limits on time and memory, so that a file from a
            stranger cannot crash or fill this process.
        limits: what loading may cost, see `Limits`; without `isolate` only its caps hold.
        ocr: read the scanned pages of a PDF, those that show text but hold none: with Tesseract,
            or with an engine of your own.
        ocr_language: what Tesseract reads; several are joined as ``"eng+deu"``.
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
        document = load_bytes(settings, data, name=name, progress=progress)
    return replace(document, settings=settings.kept)


def load_bytes(
    settings: LoadSettings,
    data: bytes,
    *,
    name: str,
    progress: Progress | None = None,
    log: PageLog | None = None,
) -> Document:
    """Load a document from its bytes, in this process.

    Args:
        settings: how; `isolate` is not looked at.
        data: the content.
        name: path or name of the source.
        progress: called with (pages done, pages in all).
        log: what an earlier attempt read of a PDF's pages, and what is told of this one.

    Raises:
        LoadError: the content cannot become a document.
        SettingError: a setting is unknown.
    """
    kind = settings.media_type or detect_media_type(data, source=name)
    document = _loader(kind, settings, progress, log).load(data, source=name)
    most = settings.effective_limits.characters
    if most is not None and len(document.text) > most:
        document.close()
        raise TooLargeError(
            f"{name}: the text has {len(document.text):,} characters, over the limit of {most:,}; "
            "split the document, or raise the limit with Limits(characters=...)",
            source=name,
        )
    return document


def source_name(source: Source) -> str:
    """Return what messages and answers call a source, without reading it.

    >>> source_name("report.pdf"), source_name(b"%PDF-1.7")
    ('report.pdf', '<bytes>')
    """
    if isinstance(source, Document):
        return source.source
    if isinstance(source, (bytes, bytearray, memoryview)):
        return "<bytes>"
    if isinstance(source, (str, os.PathLike)):
        return os.fsdecode(source)
    name = getattr(source, "name", None)
    return name if isinstance(name, str) else "<file>"


def read_source(source: Source, *, most_bytes: int | None = None) -> tuple[bytes, str]:
    """Return the bytes of a source and the name that messages and answers give it.

    Args:
        source: see `load`.
        most_bytes: no more is read; None for no limit.

    Raises:
        TooLargeError: it has more bytes.
        SourceNotFoundError: there is no file at the path.
        SourceUnreadableError: it is a folder, or its bytes cannot be read.
    """
    name = source_name(source)
    size = -1 if most_bytes is None else most_bytes + 1  # one more tells that there are more
    if isinstance(source, (bytes, bytearray, memoryview)):
        data = bytes(source)
    elif isinstance(source, (str, os.PathLike)):
        data = _read_stdin(size) if name == "-" else _read_path(name, size)
    else:
        data = _read_open(source, name, size)
    if most_bytes is not None and len(data) > most_bytes:
        raise TooLargeError(
            f"{name}: the file has more than the limit of {most_bytes:,} bytes; split it, or raise "
            "the limit with Limits(file_bytes=...)",
            source=name,
        )
    return data, name


def _read_open(source: object, name: str, size: int) -> bytes:
    if not hasattr(source, "read"):
        raise SettingError(
            f"cannot load a {type(source).__name__}; pass a path, '-', bytes, an open file or a "
            "Document"
        )
    return _read_file(source, name, size)  # type: ignore[arg-type]  # it has read()


def _read_path(name: str, size: int) -> bytes:
    if not name:
        raise SourceNotFoundError(
            "empty path; name a file (to load a text itself, pass it as bytes)", source=name
        )
    try:
        with Path(name).open("rb") as file:
            return file.read(size)
    except FileNotFoundError as error:
        raise SourceNotFoundError(
            f"{name}: no such file; check the path (to load a text itself, pass it as bytes)",
            source=name,
        ) from error
    except IsADirectoryError as error:
        raise SourceUnreadableError(
            f"{name}: this is a folder; pass the files in it", source=name
        ) from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise SourceUnreadableError(f"{name}: cannot be read: {reason}", source=name) from error


def _read_stdin(size: int) -> bytes:
    try:
        return sys.stdin.buffer.read(size)
    except (OSError, AttributeError) as error:
        raise SourceUnreadableError(
            "-: standard input cannot be read; pipe the document into the command", source="-"
        ) from error


def _read_file(file: IO[bytes] | IO[str], name: str, size: int) -> bytes:
    readable = _bytes_file(file) or file
    try:
        content: object = readable.read() if size < 0 else readable.read(size)
        if isinstance(content, str):
            return _as_bytes(content)
    except UnicodeEncodeError as error:
        raise SourceUnreadableError(
            f"{name}: the text holds half of a surrogate pair; open the file in binary mode",
            source=name,
        ) from error
    except (OSError, ValueError) as error:
        raise SourceUnreadableError(f"{name}: cannot be read: {error}", source=name) from error
    if isinstance(content, (bytes, bytearray, memoryview)):
        return bytes(content)
    raise SourceUnreadableError(
        f"{name}: read() gave {type(content).__name__}, neither bytes nor text; pass a file that "
        "is open for reading and blocks until there is something to read",
        source=name,
    )


def _bytes_file(file: IO[bytes] | IO[str]) -> IO[bytes] | None:
    """Return the binary file under a text file of which nothing was read yet, or None.

    The bytes decide better than the encoding that the file was opened with, often by default; and
    only they can be a PDF.
    """
    buffer: IO[bytes] | None = getattr(file, "buffer", None)
    if not hasattr(buffer, "read"):
        return None
    try:
        return buffer if file.tell() == 0 else None
    except (OSError, AttributeError):  # a pipe does not say what was read
        return None


def _as_bytes(text: str) -> bytes:
    """Return a text that has no bytes of its own; a byte order mark overrules its declarations."""
    return text.encode("utf-8" if text.isascii() or text[0] == "\ufeff" else "utf-8-sig")


def _ocr_engine(settings: LoadSettings) -> OcrEngine | None:
    if not isinstance(settings.ocr, bool):
        return settings.ocr
    if not settings.ocr:
        return None
    from docqa.loaders.ocr.tesseract import Tesseract

    return Tesseract(settings.ocr_language)


def _loader(  # noqa: PLR0911 - one return for each format
    media_type: str, settings: LoadSettings, progress: Progress | None, log: PageLog | None
) -> Loader:
    if media_type == "application/pdf":
        from docqa.loaders.pdf.loader import PdfLoader

        return PdfLoader(
            settings.password,
            progress,
            limits=settings.effective_limits,
            ocr=_ocr_engine(settings),
            log=log,
        )
    if media_type == "text/html":
        from docqa.loaders.html.loader import HtmlLoader

        return HtmlLoader(encoding=settings.encoding)
    if media_type == "text/markdown":
        from docqa.loaders.markdown import MarkdownLoader

        return MarkdownLoader(encoding=settings.encoding)
    if media_type == "text/plain":
        from docqa.loaders.text import TextLoader

        return TextLoader(encoding=settings.encoding)
    if media_type.endswith("wordprocessingml.document"):
        from docqa.loaders.office.docx import DocxLoader

        return DocxLoader()
    if media_type.endswith("presentationml.presentation"):
        from docqa.loaders.office.pptx import PptxLoader

        return PptxLoader()
    if media_type == "application/epub+zip":
        from docqa.loaders.epub.loader import EpubLoader

        return EpubLoader()
    raise SettingError(
        f"unknown media type {media_type!r}; supported are {', '.join(SUPPORTED_TYPES)}"
    )
