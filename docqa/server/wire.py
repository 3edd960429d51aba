"""Answers, passages and places as the wire has them: plain values, and no path of this machine."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from docqa.citations.records import handle
from docqa.datamodel import (
    Answer,
    Location,
    PageLocation,
    PartLocation,
    SourceLocation,
)
from docqa.server.problems import problem_of
from docqa.service.documents import clean_name

if TYPE_CHECKING:
    from docqa.citations.outcomes import Verification
    from docqa.datamodel import Page, RankedPassage
    from docqa.service.jobs import ServiceJob
    from docqa.service.requests import AskedItem

__all__ = [
    "answer_record",
    "collection_record",
    "item_record",
    "job_record",
    "passage_record",
    "place_records",
    "verdict",
]

_KINDS = {PageLocation: "page", SourceLocation: "source", PartLocation: "part"}


def place_records(places: Iterable[Location], pages: Sequence[Page] = ()) -> list[dict[str, Any]]:
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
    record = answer.to_dict()
    record["cite"] = handle(document_id, answer.start, answer.end)
    record["calibrated"] = answer.reader is not None and answer.reader.calibrated
    record["locations"] = place_records(answer.locations, pages)
    for spot, place in zip(record["occurrences"], answer.occurrences, strict=True):
        spot["cite"] = handle(document_id, place.start, place.end)
        spot["locations"] = place_records(place.locations, pages)
    return record


def item_record(asked: AskedItem, pages: Sequence[Page] = ()) -> dict[str, Any]:
    """Return the outcome of one question to one document or collection."""
    item = asked.item
    return {
        "question": item.question,
        "collection": asked.collection,
        "document": None if item.document is None else asdict(item.document),
        "answers": [answer_record(answer, pages) for answer in item.answers],
        "coverage": asdict(item.answers.coverage),
        "complete": asked.complete,
        "warnings": list(item.answers.warnings),
        "error": None if item.error is None else problem_of(item.error).record(),
    }


def passage_record(
    document_id: str, name: str, ranked: RankedPassage, places: Iterable[Location] = ()
) -> dict[str, Any]:
    """Return a passage with the places of its first characters."""
    passage = ranked.passage
    located = place_records(places)
    first = located[0] if located else {}
    return {
        "document_id": document_id,
        "name": name,
        "number": passage.number,
        "start": passage.span.start,
        "end": passage.span.end,
        "text": passage.text,
        "rank": ranked.rank,
        "score": ranked.score,
        "cite": handle(document_id, passage.span.start, passage.span.end),
        "page_number": first.get("page_number"),
        "page_label": first.get("page_label"),
    }


def verdict(checked: Verification) -> dict[str, Any]:
    """Return the outcome of one citation, with the places of its words now."""
    cited = checked.citation
    return {
        "status": checked.status,
        "reason": problem_of(checked.error).detail if checked.error else checked.reason,
        "quote": cited.quote,
        "occurrence": cited.occurrence,
        "places": [
            {
                "start": place.span.start,
                "end": place.span.end,
                "cite": handle(cited.document_id, place.span.start, place.span.end),
                "likeness": place.likeness,
                "heading": place.heading,
                "locations": place_records(place.locations),
            }
            for place in checked.places
        ],
    }


def collection_record(info: dict[str, Any]) -> dict[str, Any]:
    """Return the facts about a collection."""
    return {
        "name": info["name"],
        "documents": info["n_documents"],
        "pages": info["n_pages"],
        "passages": info["n_passages"],
        "characters": info["n_characters"],
        "failed": info["n_failed"],
        "folders": info["folders"],
        "changed": info["changed"],
        "reader": clean_name(info["made"]["reader"]),
    }


def job_record(job: ServiceJob) -> dict[str, Any]:
    """Return a job, with the address of its result relative to that of the API."""
    result = None
    if job.state == "done":
        result = f"collections/{job.subject}"
        if job.kind == "document" and job.result:
            result = f"documents/{job.result['id']}"
    return {
        "id": job.id,
        "kind": job.kind,
        "state": job.state,
        "done": job.done,
        "total": job.total or None,
        "name": job.subject,
        "failures": list(job.failures),
        "problem": None if job.error is None else problem_of(job.error).record(),
        "result": result,
    }
