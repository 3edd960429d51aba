"""Load PDFs: text from PDFium's characters, a place on the page for each of them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Protocol

from docqa._pdf_passwords import open_pdf
from docqa._pdfium import EXTRACTOR, PdfFile, PdfiumError
from docqa.datamodel import Document, LoadWarning, Page
from docqa.datamodel.places import SourceMap
from docqa.errors import EncryptedError, LoadError, MalformedError, TooLargeError
from docqa.limits import Limits
from docqa.loaders.attachments import attached_files
from docqa.loaders.pdf.fallback import FallbackError, FallbackFile
from docqa.loaders.pdf.hidden import Layers
from docqa.loaders.pdf.metadata import metadata, permission_names, title
from docqa.loaders.pdf.ocr import Scan, read_scans, scan_of
from docqa.loaders.pdf.pages import PagesBuilder, ReadPage, read_page
from docqa.loaders.pdf.source_map import PagesSourceMap, PdfSource, PdfSourceMap
from docqa.ocr_engine import OcrEngine
from docqa.protocols import Progress

__all__ = ["MEDIA_TYPE", "PageLog", "PdfLoader"]

MEDIA_TYPE = "application/pdf"

_UNNEEDED_PASSWORD = LoadWarning(
    "password-not-needed",
    "the password is neither the user's nor the owner's, but the file opens without one",
)


class PageLog(Protocol):
    """A record of the pages that loading read, which a later attempt at the same file can use."""

    def known(self, index: int) -> ReadPage | None:
        """Return page `index` (from 0) if it need not be read."""
        ...

    def starts(self, index: int, total: int) -> None:
        """Take note that page `index` of `total` is about to be read."""
        ...

    def ends(self, index: int, page: ReadPage) -> None:
        """Take note of the content of page `index`."""
        ...


class PdfLoader:
    """A loader of PDFs with PDFium, or where it refuses with pypdf (then without rectangles).

    The text is that of the pages joined by form feeds, with the values of filled form fields and
    the words of notes, stamps and signatures. Attached files are named in a warning.

    Args:
        password: opens an encrypted file; the user's or the owner's.
        progress: called with (pages done, pages in all) after each page.
        limits: caps on pages and characters. Pages beyond are left out with a warning: a file of a
            few hundred bytes can claim any number of them.
        ocr: reads the pages that show text but hold none; None leaves them as they are.
        only: indexes (from 0) of the pages to read; the others stay empty. None reads all.
        log: gives pages that an earlier attempt read, and takes note of this one.
    """

    def __init__(
        self,
        password: str | None = None,
        progress: Progress | None = None,
        *,
        limits: Limits | None = None,
        ocr: OcrEngine | None = None,
        only: Collection[int] | None = None,
        log: PageLog | None = None,
    ) -> None:
        self._password, self._progress = password, progress
        self._limits = Limits(characters=None) if limits is None else limits
        self._ocr = ocr
        self._only, self._log = only, log

    def load(self, data: bytes, *, source: str) -> Document:
        """Load `data`; `source` is its path or name, for messages and answers.

        Raises:
            EncryptedError: the file needs a password, or another one.
            MalformedError: neither PDFium nor pypdf can read it.
            TooLargeError: it holds more characters than the limits allow.
            MissingDependencyError: OCR is asked for, and its engine is not installed.
            SettingError: the password is no text, or OCR lacks the language.
        """
        extractor = f"{EXTRACTOR}; {self._ocr.name}" if self._ocr is not None else EXTRACTOR
        try:
            file, password = open_pdf(data, self._password)
        except PdfiumError as error:
            return self._fall_back(data, source, error)
        with file:
            return self._read(file, data, source=source, password=password, extractor=extractor)

    def _read(
        self,
        file: PdfFile,
        data: bytes,
        *,
        source: str,
        password: bytes | None,
        extractor: str,
    ) -> Document:
        """Return the document of a file that PDFium has opened."""
        builder, rescue = PagesBuilder(), _Rescue(data, self._password, file.page_count)
        layers, most = Layers(data, self._password), self._limits.page_characters

        def open_one(index: int) -> tuple[ReadPage, Scan | None]:
            try:
                with file.page(index) as page:
                    read = read_page(page, most, index=index, layers=layers)
                    return read, scan_of(page, read) if self._ocr is not None else None
            except PdfiumError:
                return rescue.page(index), None

        self._read_pages(builder, file.page_count, open_one, file.label, source=source)
        builder.warnings += _unread_warnings(file)
        entries, permissions = file.metadata(), _permissions(file)
        pages, offsets = builder.pages(), builder.offsets()
        if self._password and password is None:
            builder.warnings.append(_UNNEEDED_PASSWORD)
        places = PdfSource(
            data, password, offsets, builder.source_starts, builder.placed, builder.without_boxes
        )
        return _document(
            data,
            builder,
            source=source,
            source_map=PdfSourceMap(pages, places),
            pages=pages,
            entries=entries,
            permissions=permissions,
            extractor=extractor if any(page.ocr for page in pages) else EXTRACTOR,
        )

    def _fall_back(self, data: bytes, source: str, refusal: PdfiumError) -> Document:
        """Return the document that pypdf makes of a file that PDFium refuses."""
        try:
            asked = refusal.reason == "password"
            file = FallbackFile(data, self._password, tries_empty=not asked)
        except FallbackError as error:
            raise _error(refusal, error, source=source, password=self._password) from error
        builder = PagesBuilder()
        builder.warnings.append(
            LoadWarning(
                "no-rectangles",
                f"PDFium cannot open the file ({refusal}); the text is from pypdf, without "
                "rectangles on the page",
            )
        )
        labels = file.labels()

        def open_one(index: int) -> tuple[ReadPage, Scan | None]:
            return _fallback_page(file, index), None

        self._read_pages(builder, file.page_count, open_one, labels.__getitem__, source=source)
        entries, pages = file.metadata(), builder.pages()
        return _document(
            data,
            builder,
            source=source,
            source_map=PagesSourceMap(pages),
            pages=pages,
            entries=entries,
            permissions={},
            extractor=file.extractor,
        )

    def _read_pages(
        self,
        builder: PagesBuilder,
        page_count: int,
        open_one: Callable[[int], tuple[ReadPage, Scan | None]],
        label: Callable[[int], str | None],
        *,
        source: str,
    ) -> None:
        """Add every page to `builder`, those of an earlier attempt from the log."""
        most = self._limits.pages
        total = page_count if most is None else min(page_count, most)

        def opened(index: int) -> tuple[ReadPage, Scan | None]:
            known = self._known(index)
            if known is not None:
                return known, None
            if self._log is not None:
                self._log.starts(index, total)
            return open_one(index)

        for index, read in enumerate(read_scans(map(opened, range(total)), self._ocr)):
            if self._log is not None:
                self._log.ends(index, read)
            builder.add(read, label(index))
            self._check_length(builder, index, source)
            if self._progress is not None:
                self._progress(index + 1, total)
        builder.warnings += _page_limit_warning(page_count, total)

    def _known(self, index: int) -> ReadPage | None:
        """Return a page that is not to be read: empty, or as an earlier attempt read it."""
        if self._only is not None and index not in self._only:
            return ReadPage.without_boxes("")
        return None if self._log is None else self._log.known(index)

    def _check_length(self, builder: PagesBuilder, index: int, source: str) -> None:
        most = self._limits.characters
        if most is not None and builder.text_length > most:
            raise TooLargeError(
                f"{source}: the text has over {most:,} characters at page {index + 1}; split the "
                "document, or raise the limit with Limits(characters=...)",
                source=source,
                page_number=index + 1,
            )


def _document(
    data: bytes,
    builder: PagesBuilder,
    *,
    source: str,
    source_map: SourceMap,
    pages: tuple[Page, ...],
    entries: Mapping[str, str],
    permissions: Mapping[str, str],
    extractor: str,
) -> Document:
    """Return the document of the pages put together, whichever library gave them."""
    return Document(
        id=hashlib.sha256(data).hexdigest(),
        text=builder.text(),
        source=source,
        media_type=MEDIA_TYPE,
        title=title(entries.get("Title")),
        source_map=source_map,
        pages=pages,
        tables=tuple(builder.tables),
        warnings=(*_permission_warnings(permissions), *builder.warnings),
        metadata={**metadata(entries), **permissions},
        extractor=extractor,
    )


class _Rescue:
    """A reader, by pypdf, of the pages that PDFium cannot load; the first one opens the file.

    Where the two count the pages differently (pypdf passes over missing ones), pypdf's text would
    end up on the wrong page, and is not used.
    """

    def __init__(self, data: bytes, password: str | None, page_count: int) -> None:
        self._data, self._password, self._page_count = data, password, page_count
        self._file: FallbackFile | None = None
        self._is_tried = False

    def page(self, index: int) -> ReadPage:
        """Return the page with pypdf's text, or empty, and a warning that says so."""
        text, size = "", (0.0, 0.0)
        try:
            if not self._is_tried:
                self._is_tried = True
                self._file = FallbackFile(self._data, self._password)
            if self._file is not None and self._file.page_count == self._page_count:
                text, size = self._file.text(index), self._file.size(index)
        except FallbackError:
            pass
        instead = "its text is from pypdf, without rectangles" if text else "it is left empty"
        message = f"page {index + 1} cannot be read by PDFium; {instead}"
        warning = LoadWarning("page-failed", message, index + 1)
        return ReadPage.without_boxes(text, size, warnings=(warning,))


def _fallback_page(file: FallbackFile, index: int) -> ReadPage:
    try:
        return ReadPage.without_boxes(file.text(index), file.size(index))
    except FallbackError as error:
        message = f"page {index + 1} cannot be read ({error}); it is left empty"
        warning = LoadWarning("page-failed", message, index + 1)
        return ReadPage.without_boxes("", file.size(index), warnings=(warning,))


def _error(
    refusal: PdfiumError, error: FallbackError, *, source: str, password: str | None
) -> LoadError:
    """Return the error for a file that neither library can read."""
    if refusal.reason == "password" or error.needs_password:
        if password is None:
            message = f"{source} is encrypted and needs a password: give password= or --password"
        else:
            message = (
                f"the password does not open {source}: give the right one with password= or "
                "--password"
            )
        return EncryptedError(message, source=source)
    if refusal.reason == "security":
        message = f"{source} is encrypted in a way that cannot be read: save it without encryption"
        return EncryptedError(message, source=source)
    message = (
        f"{source} is not a PDF that can be read ({refusal}; {error}): it may be cut short; "
        "get the file again or repair it with a PDF program"
    )
    return MalformedError(message, source=source)


def _permissions(file: PdfFile) -> dict[str, str]:
    """Return the revision and permissions of an encrypted file; nothing for a plain one."""
    revision = file.security_revision()
    if revision is None:
        return {}
    allowed = permission_names(file.permissions())
    return {"encryption": f"revision {revision}", "permissions": ", ".join(allowed) or "none"}


def _permission_warnings(permissions: Mapping[str, str]) -> list[LoadWarning]:
    if not permissions or "copy" in permissions["permissions"].split(", "):
        return []
    message = (
        "the file's owner does not permit copying its text; whether you may use it is for you "
        "to decide"
    )
    return [LoadWarning("permissions", message)]


def _unread_warnings(file: PdfFile) -> Iterator[LoadWarning]:
    """Yield warnings of the attached files, and of a form that stands in place of the pages."""
    for sentence in attached_files(file.attachments(), "a PDF program"):
        yield LoadWarning("attachments-unread", sentence)
    if file.is_form_elsewhere():
        yield LoadWarning(
            "form-unread",
            "the file is a dynamic form (XFA); its fields and their labels are not read, and its "
            "pages hold no more than a notice; open it in Adobe Reader and print it to a PDF",
        )


def _page_limit_warning(claimed: int, read: int) -> list[LoadWarning]:
    if claimed <= read:
        return []
    message = (
        f"the file claims {claimed:,} pages; only the first {read:,} are read; raise the "
        "limit with Limits(pages=...) to read on"
    )
    return [LoadWarning("page-limit", message, read + 1)]
