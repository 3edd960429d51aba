"""The table of file formats: how each is called, recognised and loaded.

A new format is a module with its loader and a row of `FORMATS`. Detection, the message for files
that no loader reads, the choices of ``--media-type`` and ``--type``, and the list in the
documentation come from here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING

from docqa.datamodel import Document
from docqa.errors import SettingError, TooLargeError, UnsupportedFormatError
from docqa.load_settings import LoadSettings
from docqa.loaders.sniffing import (
    MAILBOX,
    foreign_kind,
    is_binary,
    is_html,
    is_message,
    is_pdf,
    is_zip,
    looks_like_html,
)
from docqa.loaders.zipped.kinds import ARCHIVE, DAMAGED, zip_kind
from docqa.protocols import Loader, Progress

if TYPE_CHECKING:
    from docqa.loaders.pdf.loader import PageLog
    from docqa.ocr_engine import OcrEngine

__all__ = [
    "FORMATS",
    "SUPPORTED_SUFFIXES",
    "SUPPORTED_TYPES",
    "TYPES_BY_SUFFIX",
    "Format",
    "PageOptions",
    "detect_media_type",
    "format_of",
    "media_type_parts",
    "load_bytes",
    "rows_by",
]

_OFFICE = "application/vnd.openxmlformats-officedocument."
_PLAIN_TEXT = "text/plain"

_CHARSET = re.compile(r"\bcharset\s*=\s*[\"']?([^\s;\"']+)", re.IGNORECASE)

XHTML = "application/xhtml+xml"
"""The media type of HTML that is XML: the same format, in which tags close themselves."""


@dataclass(frozen=True, slots=True)
class PageOptions:
    """Options for loading page by page, which formats without pages pass over.

    Attributes:
        progress: called with (pages done, pages in all).
        only: indexes (from 0) of the pages to read; the others stay empty. None reads all.
        log: gives pages that an earlier attempt read, and takes note of this one.
    """

    progress: Progress | None = None
    only: Collection[int] | None = None
    log: PageLog | None = None


@dataclass(frozen=True, slots=True)
class Format:
    """A row of the table: the names of a format, its signs and its loader.

    Attributes:
        media_type: such as ``"application/pdf"``.
        name: for people, such as ``"PDF"``.
        suffixes: of file names, in lower case with the dot.
        loader: makes the loader; its imports are its own, so that none happens before it is used.
        aliases: other media types that servers and programs send for it, in lower case.
        source_maps: classes of the source maps that the loader makes, as ``"module:Class"``. Maps
            of an isolated document come back from the worker as plain data and are restored by
            these; see `docqa.loaders.isolation.messages`.
        sniff: says of a content that it is this format, whatever its name.
        likely: says of a content without a known suffix that it is probably this format.
        zip_kind: for zip containers, the name that `docqa.loaders.zipped.kinds` gives.
    """

    media_type: str
    name: str
    suffixes: tuple[str, ...]
    loader: Callable[[LoadSettings, PageOptions], Loader]
    aliases: tuple[str, ...] = ()
    source_maps: tuple[str, ...] = ("docqa.loaders.text:TextSourceMap",)
    sniff: Callable[[bytes], bool] | None = None
    likely: Callable[[bytes], bool] | None = None
    zip_kind: str | None = None


def _pdf(settings: LoadSettings, pages: PageOptions) -> Loader:
    from docqa.loaders.pdf.loader import PdfLoader

    return PdfLoader(
        settings.password,
        pages.progress,
        limits=settings.effective_limits,
        ocr=_ocr_engine(settings),
        only=pages.only,
        log=pages.log,
    )


def _ocr_engine(settings: LoadSettings) -> OcrEngine | None:
    if not isinstance(settings.ocr, bool):
        return settings.ocr
    if not settings.ocr:
        return None
    from docqa.loaders.ocr.tesseract import Tesseract

    return Tesseract(settings.ocr_language)


def _encoding(settings: LoadSettings) -> str | None:
    """Return the encoding that the caller names, by itself or with the media type."""
    return settings.encoding or media_type_parts(settings.media_type or "")[1]


def _html(settings: LoadSettings, pages: PageOptions) -> Loader:
    from docqa.loaders.html.loader import HtmlLoader

    is_xhtml = True if media_type_parts(settings.media_type or "")[0] == XHTML else None
    return HtmlLoader(encoding=_encoding(settings), is_xhtml=is_xhtml)


def _markdown(settings: LoadSettings, pages: PageOptions) -> Loader:
    from docqa.loaders.markdown.loader import MarkdownLoader

    return MarkdownLoader(encoding=_encoding(settings))


def _text(settings: LoadSettings, pages: PageOptions) -> Loader:
    from docqa.loaders.text import TextLoader

    return TextLoader(encoding=_encoding(settings))


def _docx(settings: LoadSettings, pages: PageOptions) -> Loader:
    from docqa.loaders.office.docx import DocxLoader

    return DocxLoader()


def _pptx(settings: LoadSettings, pages: PageOptions) -> Loader:
    from docqa.loaders.office.pptx import PptxLoader

    return PptxLoader()


def _epub(settings: LoadSettings, pages: PageOptions) -> Loader:
    from docqa.loaders.epub.loader import EpubLoader

    return EpubLoader()


def _message(settings: LoadSettings, pages: PageOptions) -> Loader:
    from docqa.loaders.message.loader import MessageLoader

    return MessageLoader(encoding=settings.encoding)


FORMATS: tuple[Format, ...] = (
    Format(
        "application/pdf",
        "PDF",
        (".pdf",),
        _pdf,
        aliases=("application/x-pdf",),
        source_maps=(
            "docqa.loaders.pdf.source_map:PdfSourceMap",
            "docqa.loaders.pdf.source_map:PagesSourceMap",
        ),
        sniff=is_pdf,
    ),
    Format(
        "text/html",
        "HTML",
        (".html", ".htm", ".xhtml", ".xht", ".shtml"),
        _html,
        aliases=(XHTML,),
        source_maps=("docqa.loaders.html.source_map:HtmlSourceMap",),
        sniff=is_html,
        likely=looks_like_html,
    ),
    Format(
        "text/markdown",
        "Markdown",
        (".md", ".markdown", ".mdown"),
        _markdown,
        aliases=("text/x-markdown",),
    ),
    Format(_PLAIN_TEXT, "plain text", (".txt", ".text", ".rst", ".log"), _text),
    Format(
        _OFFICE + "wordprocessingml.document",
        "Word (docx)",
        (".docx", ".docm", ".dotx", ".dotm"),
        _docx,
        aliases=(
            _OFFICE + "wordprocessingml.template",
            "application/vnd.ms-word.document.macroenabled.12",
            "application/vnd.ms-word.template.macroenabled.12",
        ),
        source_maps=("docqa.loaders.office.layout:PartSourceMap",),
        zip_kind="docx",
    ),
    Format(
        _OFFICE + "presentationml.presentation",
        "PowerPoint (pptx)",
        (".pptx", ".pptm", ".ppsx", ".potx"),
        _pptx,
        aliases=(
            _OFFICE + "presentationml.slideshow",
            _OFFICE + "presentationml.template",
            "application/vnd.ms-powerpoint.presentation.macroenabled.12",
            "application/vnd.ms-powerpoint.slideshow.macroenabled.12",
            "application/vnd.ms-powerpoint.template.macroenabled.12",
        ),
        source_maps=("docqa.loaders.office.layout:PartSourceMap",),
        zip_kind="pptx",
    ),
    Format(
        "application/epub+zip",
        "EPUB",
        (".epub",),
        _epub,
        source_maps=("docqa.loaders.sections:SectionsSourceMap",),
        zip_kind="epub",
    ),
    Format(
        "message/rfc822",
        "e-mail or web archive (eml, mhtml)",
        (".eml", ".mht", ".mhtml"),
        _message,
        aliases=("multipart/related", "application/x-mimearchive"),
        source_maps=("docqa.loaders.sections:SectionsSourceMap",),
        sniff=is_message,
    ),
)


def rows_by(
    formats: Iterable[Format], signs: Callable[[Format], tuple[str, ...]]
) -> dict[str, Format]:
    """Return the row of each sign, such as a suffix.

    Raises:
        ValueError: two rows have the same one, so that the second would never be used.
    """
    found: dict[str, Format] = {}
    for row in formats:
        for sign in signs(row):
            other = found.setdefault(sign, row)
            if other is not row:
                raise ValueError(
                    f"the formats {other.name!r} and {row.name!r} both have {sign!r}; take it "
                    "out of one of these rows of docqa/loaders/formats.py"
                )
    return found


SUPPORTED_TYPES = {row.media_type: row.name for row in FORMATS}
"""Names of the formats by media type."""

_ROWS_BY_TYPE = rows_by(FORMATS, lambda row: (row.media_type, *row.aliases))

TYPES_BY_SUFFIX = {
    suffix: row.media_type for suffix, row in rows_by(FORMATS, lambda row: row.suffixes).items()
}
"""Media types by the suffixes of file names."""

SUPPORTED_SUFFIXES = frozenset(TYPES_BY_SUFFIX)


def media_type_parts(media_type: str) -> tuple[str, str | None]:
    """Return a media type without its parameters, in lower case, and its charset or None.

    >>> media_type_parts("Text/HTML; charset=utf-8")
    ('text/html', 'utf-8')
    """
    name, _, parameters = media_type.partition(";")
    charset = _CHARSET.search(parameters)
    return name.strip().lower(), charset[1] if charset else None


def format_of(media_type: str) -> Format:
    """Return the row of a media type, with or without parameters, or of an alias.

    Raises:
        SettingError: no loader reads it.

    >>> format_of("application/xhtml+xml; charset=utf-8").name
    'HTML'
    """
    found = _ROWS_BY_TYPE.get(media_type_parts(media_type)[0])
    if found is not None:
        return found
    raise SettingError(
        f"unknown media type {media_type!r}; supported are {', '.join(SUPPORTED_TYPES)}"
    )


def load_bytes(
    settings: LoadSettings, data: bytes, *, name: str, pages: PageOptions | None = None
) -> Document:
    """Load a document from its bytes, in this process.

    Args:
        settings: how; `isolate` is not looked at.
        data: the content.
        name: path or name of the source.
        pages: options of paged formats.

    Raises:
        LoadError: the content cannot become a document.
        SettingError: a setting is unknown.
    """
    row = format_of(settings.media_type or detect_media_type(data, source=name))
    document = row.loader(settings, pages or PageOptions()).load(data, source=name)
    most = settings.effective_limits.characters
    if most is not None and len(document.text) > most:
        document.close()
        raise TooLargeError(
            f"{name}: the text has {len(document.text):,} characters, over the limit of {most:,}; "
            "split the document, or raise the limit with Limits(characters=...)",
            source=name,
        )
    return document


def detect_media_type(data: bytes, *, source: str) -> str:
    """Return the media type of `data`, one of `SUPPORTED_TYPES`: by content, then by name.

    Args:
        data: the whole content.
        source: path or name; its suffix decides where the content does not.

    Raises:
        UnsupportedFormatError: no loader reads it; the message lists the formats.
        EncryptedError: it is an encrypted Office file, or a zip container with encrypted parts.
        TooLargeError: it is a zip container that exceeds a limit.

    >>> detect_media_type(b"<!doctype html><p>Hi", source="page.txt")
    'text/html'
    >>> detect_media_type(b"# Hi", source="README.md")
    'text/markdown'
    """
    named = TYPES_BY_SUFFIX.get(PurePath(source).suffix.lower())
    for each in FORMATS:
        if each.sniff is not None and each.sniff(data):
            return each.media_type
    if is_zip(data):
        return _zip_type(data, source, named)
    foreign = foreign_kind(data, source=source)
    if foreign is not None:
        raise _unsupported(source, foreign)
    if named is not None:
        return named
    for each in FORMATS:
        if each.likely is not None and each.likely(data):
            return each.media_type
    if is_binary(data):
        raise _unsupported(source, "a binary file")
    return _PLAIN_TEXT


def _zip_type(data: bytes, source: str, named: str | None) -> str:
    """Return the media type of a zip container; a damaged one has that of its name."""
    kind = zip_kind(data, source=source)
    zipped = {each.zip_kind: each.media_type for each in FORMATS if each.zip_kind is not None}
    if kind == DAMAGED and named in zipped.values():
        return str(named)
    if kind not in zipped:
        raise _unsupported(source, kind)
    return zipped[kind]


def _unsupported(source: str, name: str) -> UnsupportedFormatError:
    supported = ", ".join(SUPPORTED_TYPES.values())
    advice = "Convert it to one of them"
    if name == ARCHIVE:
        advice = "Unpack it and ask the files in it"
    elif name == MAILBOX:
        advice = "Save each of its messages as a file of its own (.eml)"
    elif name.endswith("image"):
        advice = "Put it into a PDF, and read that with --ocr (ocr=True)"
    message = (
        f"{source}: this is {name}, which docqa does not read; supported are {supported}. {advice}"
    )
    return UnsupportedFormatError(message, source=source)
