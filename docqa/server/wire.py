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
    from docqa.collection.information import CollectionInfo
    from docqa.collection.records import CollectedDocument
    from docqa.collection.search import FoundPassage
    from docqa.datamodel import Page, Passage, RankedPassage

__all__ = [
    "answer_record",
    "cite",
    "cited_document",
    "collected_record",
    "collection_record",
    "document_record",
    "found_record",
    "item_record",
    "line_spans",
    "located_record",
    "named",
    "place_records",
    "ranked_record",
    "shown_name",
    "verdict",
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


def ranked_record(ranked: RankedPassage, document: Document, name: str) -> dict[str, Any]:
    """Return a passage of a document that the server holds."""
    info = replace(document.info, source=name)
    passage = ranked.passage
    places = document.locate(passage.span)
    return _passage(ranked.rank, ranked.score, passage, info, place_records(places, document.pages))


def found_record(found: FoundPassage) -> dict[str, Any]:
    """Return a passage of a collection; its places come with answers alone."""
    facts = found.document
    info = DocumentInfo(facts.id, facts.source, facts.title, facts.media_type, facts.extractor)
    return _passage(found.rank, found.score, found.passage, info, [])


def _passage(
    rank: int, score: float, passage: Passage, info: DocumentInfo, places: list[dict[str, Any]]
) -> dict[str, Any]:
    first = places[0] if places else {}
    return {
        "document": cited_document(info),
        "number": passage.number,
        "start": passage.span.start,
        "end": passage.span.end,
        "text": passage.text,
        "rank": rank,
        "score": score,
        "cite": cite(info.id, passage.span.start, passage.span.end),
        "page_number": first.get("page_number"),
        "page_label": first.get("page_label"),
        "locations": places,
    }


def located_record(document: Document, span: Span, name: str) -> dict[str, Any]:
    """Return the places of some characters of a document."""
    places = place_records(document.locate(span), document.pages)
    page = places[0].get("page_number")
    return {
        "document": cited_document(replace(document.info, source=name)),
        "start": span.start,
        "end": span.end,
        "text": span.of(document.text),
        "cite": cite(document.id, span.start, span.end),
        "heading": document.heading_above(span),
        "locations": places,
        "picture": None if page is None else f"documents/{document.id}/pages/{page}.jpg",
    }


def verdict(
    outcome: str,
    reason: str,
    quote: str,
    document: Document | None = None,
    found: Sequence[tuple[Span, float]] = (),
) -> dict[str, Any]:
    """Return the outcome of one citation, with the places of its words and their likeness."""
    places = [
        {
            "start": span.start,
            "end": span.end,
            "text": span.of(document.text),
            "cite": cite(document.id, span.start, span.end),
            "likeness": likeness,
            "locations": place_records(document.locate(span), document.pages),
        }
        for span, likeness in found
        if document is not None
    ]
    return {"outcome": outcome, "reason": reason, "quote": quote, "places": places}


def collection_record(name: str, info: CollectionInfo) -> dict[str, Any]:
    """Return a collection under the name that the server was started with."""
    return {
        "name": name,
        "documents": info.n_documents,
        "pages": info.n_pages,
        "passages": info.n_passages,
        "characters": info.n_characters,
        "failed": info.n_failed,
        "changed": info.changed,
        "reader": shown_name(info.settings.reader),
    }


def collected_record(document: CollectedDocument) -> dict[str, Any]:
    """Return a document of a collection."""
    return {
        "id": document.id,
        "name": shown_name(document.key),
        "title": document.title,
        "media_type": document.media_type,
        "pages": document.n_pages,
        "characters": document.n_characters,
        "indexed": document.indexed,
        "metadata": dict(document.metadata),
        "warnings": list(document.warnings),
    }
