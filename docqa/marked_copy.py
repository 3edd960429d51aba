"""Show the place: an original with the answers marked in it, or a picture of a page.

What can be made is the table `_MAKERS`: from a media type and the suffix of the new file.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from docqa.datamodel import Answer, Box, DocumentInfo, Location, PageLocation
from docqa.errors import HighlightError, SettingError
from docqa.loaders.load import Source, read_source
from docqa.new_file import require_new_file, write_new_file

__all__ = ["HighlightResult", "highlight", "require_suffix"]


@dataclass(frozen=True, slots=True)
class HighlightResult:
    """Say what was made.

    Attributes:
        path: the new file.
        marked: how many of the answers are marked in it.
        page_numbers: the pages with marks, from 1, rising; empty for formats without pages.
        keeps_original: the new file begins with all bytes of the original, so that its
            signatures and everything else in it stay as they are.
        notes: one sentence for each thing that a user should know of the new file.
    """

    path: Path
    marked: int
    page_numbers: tuple[int, ...] = ()
    keeps_original: bool = False
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Original:
    """Hold what a maker gets.

    Attributes:
        data: the original's bytes; their SHA-256 is the document's id.
        document: what the answers say of it.
        answers: all of this document; never none. Their colours go by their order.
        page_number: the page that the caller chose, or None.
        password: opens an encrypted PDF.
    """

    data: bytes
    document: DocumentInfo
    answers: tuple[Answer, ...]
    page_number: int | None = None
    password: str | None = None


@dataclass(frozen=True, slots=True)
class Made:
    """Hold what a maker returns: the new file's bytes, and the facts of `HighlightResult`."""

    data: bytes
    marked: int
    page_numbers: tuple[int, ...] = ()
    keeps_original: bool = False
    notes: tuple[str, ...] = ()


def highlight(
    answers: Answer | Iterable[Answer],
    out: str | os.PathLike[str],
    *,
    source: Source | None = None,
    page_number: int | None = None,
    password: str | None = None,
) -> HighlightResult:
    """Write a copy of a document with answers marked in it, each in its own colour.

    A PDF becomes a PDF with highlight annotations (`out` ends in ``.pdf``) or a picture of a page
    (``.png``). The original is never written to; another file at `out` is replaced.

    Args:
        answers: one answer, or several of one document.
        out: the new file; its suffix says what is made.
        source: the original, where it is no longer at the path that the answers name (or never
            was at one: bytes, standard input).
        page_number: the page to draw, from 1; None draws the page of the first answer.
        password: opens an encrypted PDF.

    Raises:
        HighlightError: the original is another than the answers were found in, or cannot be
            marked, or the new file cannot be written.
        LoadError: the original cannot be read.
        SettingError: there are no answers, they are of several documents, `out` would overwrite
            the original or has a suffix for which nothing can be made, or a page is chosen where
            none is drawn.
    """
    chosen = _of_one_document(answers)
    document, target = chosen[0].document, Path(out)
    maker = _maker(document, target)
    if page_number is not None and target.suffix.lower() != ".png":
        raise SettingError("page_number chooses the page of a picture; let the file end in .png")
    data = _original(document, source, target)
    made = maker(Original(data, document, chosen, page_number, password))
    write_new_file(target, made.data)
    return HighlightResult(target, made.marked, made.page_numbers, made.keeps_original, made.notes)


def require_suffix(out: str | os.PathLike[str]) -> None:
    """Check, before any document is read, that `out` may become a marked copy.

    Raises:
        SettingError: nothing can be made for its suffix.
    """
    suffixes = sorted({suffix for _, suffix in _MAKERS})
    if Path(out).suffix.lower() not in suffixes:
        raise SettingError(
            f"{out}: a marked copy ends in {_either(suffixes)}: .pdf or .png from a PDF"
        )


def _of_one_document(answers: Answer | Iterable[Answer]) -> tuple[Answer, ...]:
    chosen = (answers,) if isinstance(answers, Answer) else tuple(answers)
    if not chosen:
        raise SettingError("there is no answer to mark; ask with min_score=0 for unlikely ones")
    if len({answer.document.id for answer in chosen}) > 1:
        raise SettingError(
            "the answers are of several documents; mark one at a time, or write a report of all"
        )
    return chosen


def _maker(document: DocumentInfo, out: Path) -> _Maker:
    suffixes = sorted(suffix for kind, suffix in _MAKERS if kind == document.media_type)
    if out.suffix.lower() in suffixes:
        return _MAKERS[document.media_type, out.suffix.lower()]
    if not suffixes:
        raise SettingError(f"{document.source}: {document.media_type} cannot be marked yet")
    raise SettingError(
        f"{out}: from {document.media_type} a marked copy ends in {_either(suffixes)}"
    )


def _either(suffixes: Sequence[str]) -> str:
    return " or ".join(suffixes)


def _original(document: DocumentInfo, source: Source | None, out: Path) -> bytes:
    """Return the bytes in which the answers were found.

    Raises:
        HighlightError: the bytes are others now, or nobody says where they are.
        LoadError: they cannot be read.
        SettingError: `out` is the original.
    """
    place = document.source if source is None else source
    if place in ("-", "<bytes>", "<file>") and source is None:
        raise HighlightError(
            f"{place} is at no path that could be read again; give the original's bytes as source="
        )
    if isinstance(place, (str, os.PathLike)):
        require_new_file(out, Path(place))
    data, name = read_source(place)
    if hashlib.sha256(data).hexdigest() != document.id:
        raise HighlightError(
            f"{name} is another file than the answers were found in: it was changed since; ask "
            "again, or give the original as source="
        )
    return data


def _pdf_copy(original: Original) -> Made:
    from docqa.highlighting.colours import colour
    from docqa.highlighting.pdf import PdfMark, mark_pdf

    marks = []
    for number, answer in enumerate(original.answers):
        comment = f"{answer.question}\n{answer.text}\nscore {answer.score:.2f}"
        places = [(answer.locations, colour(number).fill)]
        places += [(other.locations, colour(number).faint) for other in answer.occurrences]
        for locations, shade in places:
            for page in _on_pages(locations):
                marks.append(PdfMark(page.page_number, page.boxes or (), shade, comment))
    _require_boxes(original)
    marked = mark_pdf(original.data, marks, password=original.password)
    return Made(
        marked.data,
        len(original.answers),
        tuple(sorted({mark.page_number for mark in marks if mark.boxes})),
        marked.keeps_original,
        marked.notes,
    )


def _page_image(original: Original) -> Made:
    from docqa.highlighting.colours import colour
    from docqa.highlighting.page_image import Mark, draw_page

    _require_boxes(original)
    first = original.answers[0].page_number
    page_number = original.page_number or first or 1
    marks, marked = [], 0
    for number, answer in enumerate(original.answers):
        shades = colour(number)
        own = [Mark(box, shades.fill) for box in _boxes_on(answer.locations, page_number)]
        others = [
            Mark(box, shades.faint)
            for other in answer.occurrences
            for box in _boxes_on(other.locations, page_number)
        ]
        marked += bool(own or others)
        marks += [*others, *own]
    png = draw_page(original.data, page_number, password=original.password, marks=marks)
    notes = () if marked else (f"no answer is on page {page_number}; the first is on page {first}",)
    return Made(png, marked, (page_number,) if marked else (), notes=notes)


def _on_pages(locations: Iterable[Location]) -> list[PageLocation]:
    return [place for place in locations if isinstance(place, PageLocation)]


def _boxes_on(locations: Iterable[Location], page_number: int) -> list[Box]:
    pages = (page for page in _on_pages(locations) if page.page_number == page_number)
    return [box for page in pages for box in page.boxes or ()]


def _require_boxes(original: Original) -> None:
    """Check that the answers have rectangles.

    Raises:
        HighlightError: one has none.
    """
    for answer in original.answers:
        if not any(page.boxes for page in _on_pages(answer.locations)):
            raise HighlightError(
                f"{original.document.source}: page {answer.page_number} gives no rectangles, so "
                f"{answer.text!r} cannot be marked"
            )


_Maker = Callable[[Original], Made]
_MAKERS: dict[tuple[str, str], _Maker] = {
    ("application/pdf", ".pdf"): _pdf_copy,
    ("application/pdf", ".png"): _page_image,
}
