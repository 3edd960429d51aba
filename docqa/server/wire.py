"""Answers, passages and places as the wire has them: plain values, and no path of this machine."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from docqa.datamodel import (
    Answer,
    Document,
    DocumentInfo,
    GridItem,
    Location,
    PageLocation,
    PartLocation,
    SourceLocation,
    Span,
)
from docqa.server.problems import problem_of

if TYPE_CHECKING:
    from docqa.datamodel import Page

__all__ = [
    "answer_record",
    "cite",
    "cited_document",
    "document_record",
    "item_record",
    "named",
    "place_records",
    "shown_name",
]

_KINDS = {PageLocation: "page", SourceLocation: "source", PartLocation: "part"}
_HANDLE = 12  # characters of a document's id, enough for a person's and a server's documents
_UNSHOWN = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def shown_name(name: str, *, default: str = "document") -> str:
    r"""Return the last part of a name that a client gave, short and without controls.

    The name is shown and tells the format; no file has it.

    >>> shown_name("../../etc/passwd"), shown_name("C:\\a\\b.pdf"), shown_name("\0"), shown_name("..")
    ('passwd', 'b.pdf', 'document', 'document')
    """
    last = re.split(r"[/\\]", _UNSHOWN.sub("", name))[-1].strip()
    if last.strip(".") == "":
        return default
    if len(last) > 200:
        stem, dot, suffix = last.rpartition(".")
        last = f"{stem[:190]}.{suffix}" if dot and len(suffix) < 10 else last[:200]
    return last


def cite(document_id: str, start: int, end: int) -> str:
    """Return the short name of a place, which a person or a model can repeat.

    >>> cite("d3f1" * 16, 831, 846)
    'd3f1d3f1d3f1#831-846'
    """
    return f"{document_id[:_HANDLE]}#{start}-{end}"


def named(info: DocumentInfo) -> DocumentInfo:
    """Return the facts about a document with its file's name for its source."""
    return replace(info, source=shown_name(info.source))


def cited_document(info: DocumentInfo) -> dict[str, Any]:
    """Return the document of an answer."""
    return asdict(named(info))


def document_record(document: Document, name: str) -> dict[str, Any]:
    """Return the facts about a document that the server holds."""
    return {
        "id": document.id,
        "name": name,
        "title": document.title,
        "media_type": document.media_type,
        "extractor": document.extractor,
        "pages": len(document.pages),
        "characters": len(document.text),
        "warnings": [asdict(warning) for warning in document.warnings],
    }


def place_records(
    places: Iterable[Location], pages: Sequence[Page] = ()
) -> list[dict[str, Any]]:
    """Return places with their kind, and those on pages with the page's size."""
    return [_place(place, pages) for place in places]


def _place(place: Location, pages: Sequence[Page]) -> dict[str, Any]:
    record = {"kind": _KINDS.get(type(place), "text"), **asdict(place)}
    if isinstance(place, PageLocation):
        page = pages[place.page_number - 1] if place.page_number <= len(pages) else None
        record["page_width"] = None if page is None else page.width
        record["page_height"] = None if page is None else page.height
    return record


def answer_record(answer: Answer, pages: Sequence[Page] = ()) -> dict[str, Any]:
    """Return an answer, with everything that `docqa verify` asks of a record."""
    document_id = answer.document.id
    record = replace(answer, document=named(answer.document)).to_dict()
    record["cite"] = cite(document_id, answer.start, answer.end)
    record["calibrated"] = answer.reader is not None and answer.reader.calibrated
    record["locations"] = place_records(answer.locations, pages)
    for spot, place in zip(record["occurrences"], answer.occurrences, strict=True):
        spot["cite"] = cite(document_id, place.start, place.end)
        spot["locations"] = place_records(place.locations, pages)
    return record


def item_record(
    item: GridItem, *, complete: bool = True, pages: Sequence[Page] = ()
) -> dict[str, Any]:
    """Return the outcome of one question to one document or collection."""
    return {
        "question": item.question,
        "document": None if item.document is None else cited_document(item.document),
        "answers": [answer_record(answer, pages) for answer in item.answers],
        "coverage": asdict(item.answers.coverage),
        "complete": complete,
        "warnings": list(item.answers.warnings),
        "error": None if item.error is None else problem_of(item.error).record(),
    }


def line_spans(text: str, span: Span) -> list[Span]:
    r"""Return the lines of a part of a text, without blank ones.

    >>> [line.of("a b\n\nc") for line in line_spans("a b\n\nc", Span(0, 6))]
    ['a b', 'c']
    """
    found = re.finditer(r"[^\n\f]*\S[^\n\f]*", span.of(text))
    return [Span(*match.span()).shift(span.start) for match in found]
