"""Marked copies: an original with the answers marked in it, or a picture of a page.

What can be made is the table `_MAKERS`: from a media type and the suffix of the new file.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from docqa.datamodel import Answer, Document
from docqa.errors import SettingError
from docqa.limits import Limits
from docqa.load_settings import LoadSettings
from docqa.loaders.source_bytes import Source
from docqa.showing.new_file import write_new_file
from docqa.showing.original import AnsweredFile, MarkedFile, read_original, work_on

__all__ = ["HighlightResult", "highlight", "require_makeable", "require_suffix"]


@dataclass(frozen=True, slots=True)
class HighlightResult:
    """A marked copy that was written.

    Attributes:
        path: the new file.
        marked: how many of the answers are marked in it.
        page_numbers: the pages with marks, from 1, rising; empty for formats without pages.
        keeps_original: the new file begins with all bytes of the original.
        notes: one sentence for each thing that a user should know of the new file.
    """

    path: Path
    marked: int
    page_numbers: tuple[int, ...]
    keeps_original: bool
    notes: tuple[str, ...]


def highlight(
    answers: Answer | Iterable[Answer],
    out: str | os.PathLike[str],
    *,
    source: Source | None = None,
    page_number: int | None = None,
    password: str | None = None,
    encoding: str | None = None,
    isolate: bool = False,
    limits: Limits | None = None,
    safe: bool = False,
) -> HighlightResult:
    """Write a copy of a document with answers marked in it, each in its own colour.

    A PDF becomes a PDF with highlight annotations (`out` ends in ``.pdf``) or a picture of a page
    (``.png``). A web page becomes a copy with ``<mark>`` elements, and any other document a page
    that shows its text (``.html``). The original is never written to; another file at `out` is
    replaced.

    Args:
        answers: one answer, or several of one document; their colours go by their order.
        out: the new file; its suffix says what is made.
        source: the original, where it is no longer at the path that the answers name, or never
            was at one (bytes, standard input).
        page_number: the page to draw, from 1; None draws the page of the first answer.
        encoding: of a text or web page; None for the one with which it was asked.
        password: opens an encrypted PDF.
        isolate: open the original in a worker process; see `docqa.load_settings.LoadSettings`.
        limits: of opening it.
        safe: leave out the scripts of a web page, and all that it fetches from elsewhere, such as
            pictures; the copies of other documents have neither.

    Raises:
        IsolationError: the original ended the worker process.
        HighlightError: the original is another file than the answers were found in, or cannot be
            marked, or the new file cannot be written.
        LoadError: the original cannot be read.
        MissingDependencyError: the original is encrypted, and a package for that is absent.
        SettingError: there are no answers, they are of several documents, `out` would overwrite
            the original or has a suffix for which nothing can be made, or a page is chosen where
            none is drawn.
    """
    chosen = _of_one_document(answers)
    document, target = chosen[0].document, Path(out)
    maker = _maker(document.media_type, target)
    if page_number is not None and target.suffix.lower() != ".png":
        raise SettingError("page_number chooses the page of a picture; let the file end in .png")
    most_bytes = LoadSettings(isolate=isolate, limits=limits).effective_limits.file_bytes
    data = read_original(document, source, out=target, most_bytes=most_bytes)
    if encoding is None:
        encoding = _encoding_asked_with(chosen[0])
    original = AnsweredFile(data, document, chosen, page_number, password, encoding, safe)
    made = work_on(document.source, maker, original, isolate=isolate, limits=limits)
    write_new_file(target, made.data)
    return HighlightResult(target, made.marked, made.page_numbers, made.keeps_original, made.notes)


def require_makeable(
    document: Document, *, out: str | os.PathLike[str], page_number: int | None
) -> None:
    """Check, before a document is asked, that `out` can be made of it.

    Raises:
        SettingError: its suffix is for other documents, or there is no such page.
    """
    _maker(document.media_type, Path(out))
    if page_number is not None:
        from docqa.showing.page_view import chosen_page  # it imports PDFium

        chosen_page(document, page_number)


def require_suffix(out: str | os.PathLike[str]) -> None:
    """Check, before any document is read, that something can be made for the suffix of `out`.

    Raises:
        SettingError: nothing can.
    """
    if Path(out).suffix.lower() not in {suffix for _, suffix in _MAKERS}:
        kinds = sorted({kind for kind, _ in _MAKERS})
        possible = "; ".join(f"{_suffixes(kind)} from {kind}" for kind in kinds)
        raise SettingError(f"{out}: the suffix says what is made: {possible}")


def _of_one_document(answers: Answer | Iterable[Answer]) -> tuple[Answer, ...]:
    chosen = (answers,) if isinstance(answers, Answer) else tuple(answers)
    if not chosen:
        raise SettingError("there is no answer to mark; ask with min_score=0 for unlikely ones")
    if len({answer.document.id for answer in chosen}) > 1:
        raise SettingError(
            "the answers are of several documents; mark one at a time, or write a report of all"
        )
    return chosen


def _encoding_asked_with(answer: Answer) -> str | None:
    """Return the encoding that overruled the declared one, as far as the answer says."""
    load = None if answer.settings is None else answer.settings.load
    return None if load is None else load.encoding


def _maker(media_type: str, out: Path) -> _Maker:
    maker = _MAKERS.get((_kind(media_type), out.suffix.lower()))
    if maker is not None:
        return maker
    raise SettingError(f"{out}: let the file end in {_suffixes(media_type)}, from {media_type}")


def _kind(media_type: str) -> str:
    return media_type if any(media_type == kind for kind, _ in _MAKERS) else _OTHERS


def _suffixes(media_type: str) -> str:
    kind = _kind(media_type)
    return " or ".join(sorted(suffix for known, suffix in _MAKERS if known == kind))


def _pdf_copy(original: AnsweredFile) -> MarkedFile:
    from docqa.showing.marked_pages import pdf_copy

    return pdf_copy(original)


def _page_image(original: AnsweredFile) -> MarkedFile:
    from docqa.showing.marked_pages import page_image

    return page_image(original)


def _html_copy(original: AnsweredFile) -> MarkedFile:
    from docqa.showing.marked_html import html_copy

    return html_copy(original)


def _text_page(original: AnsweredFile) -> MarkedFile:
    from docqa.showing.marked_text import text_page

    return text_page(original)


_Maker = Callable[[AnsweredFile], MarkedFile]
_OTHERS = "other documents"
_MAKERS: dict[tuple[str, str], _Maker] = {
    ("application/pdf", ".pdf"): _pdf_copy,
    ("application/pdf", ".png"): _page_image,
    ("text/html", ".html"): _html_copy,
    ("text/html", ".htm"): _html_copy,
    ("text/html", ".xhtml"): _html_copy,
    (_OTHERS, ".html"): _text_page,
}
