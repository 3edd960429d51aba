"""Highlight annotations added to a PDF, and the check that they are there."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

from docqa._pdf_passwords import open_pdf
from docqa._pdfium import Frame, PdfFile, PdfiumError
from docqa._pypdf import translated
from docqa.datamodel import Box
from docqa.errors import HighlightError, MissingDependencyError
from docqa.highlighting.pdf_annotations import appearance, highlight_annotation
from docqa.highlighting.pdf_update import PdfUpdate

__all__ = ["MarkedPdf", "PdfMark", "mark_pdf"]

_SIGNED = re.compile(rb"/ByteRange\s*\[")
_MOST_COMPARED = 100_000  # characters of a page

_DECRYPTED = "the copy is not encrypted: the original's encryption cannot be continued"
_REWRITTEN = (
    "the copy is written from scratch: the original is damaged, so that nothing can be appended"
)
_IS_SIGNED = (
    "the original is signed; its bytes stay as they are, and readers will show that comments were "
    "added after signing"
)
_NO_LONGER_SIGNED = "the original is signed; in the copy the signature is void"


@dataclass(frozen=True, slots=True)
class PdfMark:
    """A highlight: a comment over one or more rectangles of a page.

    Attributes:
        page_number: from 1.
        boxes: points from the displayed page's top left corner, one per line; never none.
        color: ``#rrggbb``.
        comment: the text that readers see with it.
    """

    page_number: int
    boxes: tuple[Box, ...]
    color: str
    comment: str


@dataclass(frozen=True, slots=True)
class MarkedPdf:
    """A marked copy of a PDF.

    Attributes:
        data: its bytes.
        keeps_original: they begin with all bytes of the original.
        notes: sentences for its reader.
    """

    data: bytes
    keeps_original: bool
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Page:
    """A page to be marked, as PDFium sees it.

    Attributes:
        frame: the displayed part of user space.
        annotation_count: of any kind.
        codes: of the page's characters.
        fields: rectangles of filled form fields. Readers draw them over highlights, and many
            have a background.
    """

    frame: Frame
    annotation_count: int
    codes: tuple[int, ...]
    fields: tuple[Box, ...]

    def covered(self, boxes: Sequence[Box]) -> list[Box]:
        """Return those of `boxes` that are form fields."""
        return [box for box in boxes if any(box.is_near(field) for field in self.fields)]


@dataclass(frozen=True, slots=True)
class _Seen:
    """A file as PDFium sees it: the number of pages, and the pages to be marked by number."""

    page_count: int
    pages: Mapping[int, _Page]


class _WriteError(Exception):
    """The reason why one way of writing the copy does not work."""


def mark_pdf(data: bytes, marks: Sequence[PdfMark], *, password: str | None = None) -> MarkedPdf:
    """Return a copy of a PDF with one highlight for each mark.

    The highlights are appended, so that all bytes of the original stay; an encrypted file stays
    encrypted. Where a file is too damaged to append to, pypdf writes it from scratch first. Either
    copy is opened again and compared before it is returned.

    Args:
        data: the PDF.
        marks: in the order in which readers list them.
        password: opens an encrypted file.

    Raises:
        HighlightError: PDFium cannot open the file, or no way of writing gives a good copy.
        MissingDependencyError: the file is encrypted, and a package for that is absent.
    """
    try:
        seen = _look(data, marks, password)
    except PdfiumError as error:
        raise HighlightError(f"the PDF cannot be marked: PDFium: {error}") from error
    try:
        return _appended(data, marks, seen, password)
    except _WriteError as refusal:
        _require_cryptography(refusal)
        try:
            return _rewritten(data, marks, seen, password)
        except _WriteError as error:
            raise HighlightError(
                f"the PDF cannot be marked ({refusal}; written from scratch: {error}); repair it "
                "with a PDF program and ask again, or name a .png for a picture of the page"
            ) from error


def _require_cryptography(error: _WriteError) -> None:
    """Raise an error where pypdf lacks the package for encrypted files."""
    if type(error.__cause__).__name__ == "DependencyError":
        raise MissingDependencyError(
            "marking this encrypted PDF needs the package cryptography; install it with: "
            'pip install "docqa-exact[crypto]"'
        ) from error


def _appended(
    data: bytes, marks: Sequence[PdfMark], seen: _Seen, password: str | None
) -> MarkedPdf:
    copy, notes = _with_annotations(data, marks, seen, password)
    _compare(copy, marks, seen, password)
    notes += [_IS_SIGNED] if _SIGNED.search(data) else []
    return MarkedPdf(copy, keeps_original=True, notes=tuple(notes))


def _rewritten(
    data: bytes, marks: Sequence[PdfMark], seen: _Seen, password: str | None
) -> MarkedPdf:
    with translated(_WriteError):
        import pypdf

        reader = pypdf.PdfReader(BytesIO(data), strict=False)
        if is_encrypted := reader.is_encrypted:
            any(map(reader.decrypt, dict.fromkeys([password or "", ""])))
        plain = BytesIO()
        pypdf.PdfWriter(clone_from=reader).write(plain)
    copy, notes = _with_annotations(plain.getvalue(), marks, seen, None)
    _compare(copy, marks, seen, None)
    notes += [_DECRYPTED if is_encrypted else _REWRITTEN]
    notes += [_NO_LONGER_SIGNED] if _SIGNED.search(data) else []
    return MarkedPdf(copy, keeps_original=False, notes=tuple(notes))


def _with_annotations(
    data: bytes, marks: Sequence[PdfMark], seen: _Seen, password: str | None
) -> tuple[bytes, list[str]]:
    """Return a copy with the highlights appended, and notes on them."""
    when = datetime.now(UTC)
    with translated(_WriteError):
        update = PdfUpdate(data, password)
        for mark in marks:
            _annotate(update, mark, seen.pages[mark.page_number], when)
        repeated = {update.page_places(mark.page_number - 1) for mark in marks}
        notes = [_one_page(places) for places in sorted(repeated) if len(places) > 1]
        return update.to_bytes(), notes


def _one_page(indexes: Sequence[int]) -> str:
    """Return the note on one page that stands at several places.

    >>> _one_page([0, 2])
    'pages 1 and 3 are one page in the file: what is marked on one of them shows on each'
    """
    *numbers, last = (str(index + 1) for index in indexes)
    return (
        f"pages {', '.join(numbers)} and {last} are one page in the file: what is marked on one of "
        "them shows on each"
    )


def _annotate(update: PdfUpdate, mark: PdfMark, seen: _Page, when: datetime) -> None:
    from pypdf.generic import ArrayObject, DictionaryObject, NameObject

    reference, page = update.page(mark.page_number - 1)
    frame, boxes = seen.frame, mark.boxes
    form = appearance(frame, boxes, mark.color, framed=seen.covered(boxes))
    annotation = highlight_annotation(
        frame, boxes, mark.color, comment=mark.comment, when=when, form=form
    )
    annotation[NameObject("/AP")] = DictionaryObject({NameObject("/N"): update.add(form)})
    annotation[NameObject("/P")] = reference
    page[NameObject("/Annots")] = ArrayObject([*_annotations(page), update.add(annotation)])


def _annotations(page: Any) -> list[Any]:
    """Return the entries of a page's list of annotations, wherever that stands; often none.

    A list that is none, in a damaged file, counts as empty: readers show nothing of it either.
    """
    entries = page.get("/Annots")
    entries = entries.get_object() if entries is not None else None
    return list(entries) if isinstance(entries, list) else []


def _look(data: bytes, marks: Sequence[PdfMark], password: str | None) -> _Seen:
    file, _ = open_pdf(data, password)
    with file:
        numbers = {mark.page_number for mark in marks}
        pages = {number: _page_seen(file, number) for number in numbers}
        return _Seen(file.page_count, pages)


def _page_seen(file: PdfFile, page_number: int) -> _Page:
    if not 1 <= page_number <= file.page_count:
        raise PdfiumError(f"there is no page {page_number}", "format")
    with file.page(page_number - 1) as page:
        return _Page(
            page.frame,
            page.annotation_count(),
            tuple(page.codes(_MOST_COMPARED)),
            tuple(page.frame.display(widget.box) for widget in page.widgets()),
        )


def _compare(copy: bytes, marks: Sequence[PdfMark], before: _Seen, password: str | None) -> None:
    """Check that a copy shows the same pages, with the highlights.

    Raises:
        _WriteError: it does not.
    """
    try:
        after = _look(copy, marks, password)
    except PdfiumError as error:
        raise _WriteError(f"the copy cannot be opened: {error}") from error
    if after.page_count != before.page_count:
        raise _WriteError(f"the copy has {after.page_count:,} pages, not {before.page_count:,}")
    for number, page in before.pages.items():
        added = sum(mark.page_number == number for mark in marks)
        if after.pages[number].frame != page.frame or after.pages[number].codes != page.codes:
            raise _WriteError(f"page {number} of the copy differs from the original's")
        if after.pages[number].annotation_count < page.annotation_count + added:
            raise _WriteError(f"page {number} of the copy lacks the highlights")
