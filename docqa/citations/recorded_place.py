"""The place that a record names, in all its forms, compared with the place of its words."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from math import isclose
from typing import Any

from docqa.citations.records import Citation
from docqa.datamodel import Answer, Document, Location, Passage, Span
from docqa.datamodel.selectors import web_target

__all__ = ["misnamed", "same_locations"]

_SAME_POINT = 0.01  # points; rectangles are kept to a thousandth
_OF_SERVERS = {"kind", "page_width", "page_height"}  # in locations as docqa serve writes them
_LENGTH = re.compile(r"([0-9]+(?:\.[0-9]+)?)")  # in a drawing


def misnamed(
    citation: Citation, document: Document, locations: Sequence[Location]
) -> tuple[str, ...]:
    """Return the fields of a record that name another place than `locations`; none when all hold.

    The record is compared with what would be recorded now. What it lacks is not compared, so
    records of other programs can hold; but whatever it says must be so.

    Args:
        citation: its words stand from `start` to `end` of the document's text.
        document: of the same bytes as when it was cited.
        locations: where its words stand.
    """
    now = _cited_now(citation, document, locations)
    wrong = [
        name for name, value in citation.numbers.items() if not _same(value, getattr(now, name))
    ]
    if not same_locations(citation.locations, locations):
        wrong.append("locations")
    selectors = web_target(now, document.info)["selector"]
    if not all(any(_same(one, each) for each in selectors) for one in citation.selectors):
        wrong.append("target")
    return tuple(wrong)


def same_locations(recorded: Sequence[Mapping[str, Any]], found: Sequence[Location]) -> bool:
    """Say whether recorded locations are those found, or none were recorded."""
    plain = [{name: each[name] for name in each if name not in _OF_SERVERS} for each in recorded]
    return not plain or _same(plain, [asdict(location) for location in found])


def _cited_now(citation: Citation, document: Document, locations: Sequence[Location]) -> Answer:
    """Return the record of the present place, with surroundings as long as those recorded."""
    span, text = Span(citation.start, citation.end), document.text
    return Answer(
        question="",
        text=citation.quote,
        score=1.0,
        start=span.start,
        end=span.end,
        document=document.info,
        passage=Passage(document.id, 0, span, citation.quote),
        locations=tuple(locations),
        prefix=text[max(0, span.start - len(citation.prefix)) : span.start],
        suffix=text[span.end : span.end + len(citation.suffix)],
    )


def _same(recorded: object, found: object) -> bool:
    if isinstance(found, Mapping):
        return isinstance(recorded, Mapping) and _same_fields(recorded, found)
    if isinstance(found, (list, tuple)):
        is_list = isinstance(recorded, (list, tuple)) and len(recorded) == len(found)
        return is_list and all(map(_same, recorded, found))  # type: ignore[call-overload]
    if isinstance(found, float):
        return _is_near(recorded, found)
    return recorded == found and not isinstance(recorded, bool)


def _same_fields(recorded: Mapping[str, Any], found: Mapping[str, Any]) -> bool:
    """Compare the fields that were recorded; an object that says nothing names no place."""
    is_drawing = found.get("type") == "SvgSelector"
    for name, value in recorded.items():
        if is_drawing and name == "value":
            if not _same_drawing(value, found[name]):
                return False
        elif name == "text_fragment" and value is None:
            continue  # a later version may find a link where an earlier one found none
        elif not _same(value, found.get(name)):
            return False
    return bool(recorded)


def _same_drawing(recorded: object, found: str) -> bool:
    """Compare two shapes as text, and the numbers in it as lengths."""
    if not isinstance(recorded, str):
        return False
    pairs = [_LENGTH.split(drawing) for drawing in (recorded, found)]
    if len(pairs[0]) != len(pairs[1]) or pairs[0][::2] != pairs[1][::2]:
        return False
    return all(
        _is_near(float(one), float(each))
        for one, each in zip(pairs[0][1::2], pairs[1][1::2], strict=True)
    )


def _is_near(recorded: object, found: float) -> bool:
    if not isinstance(recorded, (int, float)) or isinstance(recorded, bool):
        return False
    try:
        return isclose(recorded, found, rel_tol=0, abs_tol=_SAME_POINT)
    except OverflowError:  # a whole number beyond every float
        return False
