"""Whether answers stand where they should: offsets, and rectangles on pages."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from docqa.datamodel import Box, Document, Location, Span
from docqa.places import boxed_places

__all__ = [
    "AnswerPlace",
    "Places",
    "best_box_overlap",
    "box_overlap",
    "find_words",
    "place_of",
    "union_area",
]


@dataclass(frozen=True, slots=True)
class AnswerPlace:
    """The place of one answer beside the text and the gold places.

    Attributes:
        exact: the text between the answer's offsets is the answer; None without an answer.
        at_gold_start, at_gold_span: it starts where a gold answer starts, and ends there too; None
            where no gold place is known.
        box_overlap: of its rectangles with those of the gold answer; None where these are unknown.
    """

    exact: bool | None = None
    at_gold_start: bool | None = None
    at_gold_span: bool | None = None
    box_overlap: float | None = None


@dataclass(frozen=True, slots=True)
class Places:
    """Shares over the answers of a set, in 0 to 1; None where there is nothing to compare.

    Attributes:
        answers: how many best answers there are.
        exact: the share whose offsets give their words.
        placed: how many questions have a gold answer whose place is known.
        at_gold_start, at_gold_span: the share of these.
        boxed: how many questions have a gold answer whose rectangles are known.
        box_overlap: the mean overlap with them (0 on another page).
        half_overlap: the share with an overlap of at least one half.
    """

    answers: int
    exact: float | None
    placed: int
    at_gold_start: float | None
    at_gold_span: float | None
    boxed: int
    box_overlap: float | None
    half_overlap: float | None

    @classmethod
    def of(cls, places: Sequence[AnswerPlace]) -> Places:
        """Return the shares over some answers."""
        exact = [place.exact for place in places if place.exact is not None]
        starts = [each.at_gold_start for each in places if each.at_gold_start is not None]
        spans = [place.at_gold_span for place in places if place.at_gold_span is not None]
        overlaps = [place.box_overlap for place in places if place.box_overlap is not None]
        return cls(
            answers=len(exact),
            exact=_mean(exact),
            placed=len(starts),
            at_gold_start=_mean(starts),
            at_gold_span=_mean(spans),
            boxed=len(overlaps),
            box_overlap=_mean(overlaps),
            half_overlap=_mean([overlap >= 0.5 for overlap in overlaps]),
        )


def place_of(text: str, words: str, start: int | None, golds: Sequence[Span]) -> AnswerPlace:
    """Return where an answer stands, compared with the text and the gold places.

    Args:
        text: of the document or paragraph.
        words: of the answer.
        start: where it says that it starts; None without an answer.
        golds: where gold answers stand; none where that is unknown.

    >>> place_of("born in London", "London", 8, [Span(8, 14)])
    AnswerPlace(exact=True, at_gold_start=True, at_gold_span=True, box_overlap=None)
    """
    known = bool(golds)
    if start is None:
        return AnswerPlace(None, False if known else None, False if known else None)
    span = Span(start, start + len(words))
    starts = any(gold.start == start for gold in golds) if known else None
    return AnswerPlace(span.of(text) == words, starts, span in golds if known else None)


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None


def find_words(text: str, words: str, within: Span) -> list[Span]:
    r"""Return where words stand in a part of a text, whatever white space is between them.

    Case counts first; words without a match are looked for in any case. A match neither begins nor
    ends inside a longer word or number.

    >>> find_words("Net income\nof 12 and 112", "income of 12", Span(0, 24))
    [Span(start=4, end=16)]
    >>> find_words("Net income\nof 12 and 112", "12", Span(0, 24))
    [Span(start=14, end=16)]
    """
    parts = words.split()
    if not parts:
        return []
    before = r"(?<!\w)" if parts[0][0].isalnum() else ""
    after = r"(?!\w)" if parts[-1][-1].isalnum() else ""
    pattern = before + r"\s+".join(map(re.escape, parts)) + after
    for flags in (re.UNICODE, re.UNICODE | re.IGNORECASE):
        found = re.compile(pattern, flags).finditer(text, within.start, within.end)
        if spans := [Span(*match.span()) for match in found]:
            return spans
    return []


def best_box_overlap(
    document: Document, golds: Iterable[Span], page_number: int, found: Iterable[Location]
) -> float | None:
    """Return the largest overlap of locations with the rectangles of a gold span on its page.

    None where no gold span has rectangles there.
    """
    own = _boxes_on_page(found, page_number)
    of_golds = (_boxes_on_page(document.locate(gold), page_number) for gold in golds)
    return max((box_overlap(boxes, own) for boxes in of_golds if boxes), default=None)


def box_overlap(one: Sequence[Box], other: Sequence[Box]) -> float:
    """Return the area that two sets of rectangles share, over the area that they cover together.

    Intersection over union, 0 to 1 (Everingham et al. 2010, PASCAL VOC).

    >>> box_overlap([Box(0, 0, 2, 1)], [Box(1, 0, 3, 1)])
    0.3333333333333333
    """
    together = union_area([*one, *other])
    if not together:
        return 0.0
    return (union_area(one) + union_area(other) - together) / together


def union_area(boxes: Sequence[Box]) -> float:
    """Return the area that rectangles cover; an area under several counts once.

    >>> union_area([Box(0, 0, 2, 2), Box(1, 1, 3, 3)])
    7.0
    """
    area = 0.0
    for left, right in pairwise(sorted({edge for box in boxes for edge in (box.x0, box.x1)})):
        rows = sorted((box.top, box.bottom) for box in boxes if box.x0 <= left and right <= box.x1)
        reached = float("-inf")
        for top, bottom in rows:
            area += (right - left) * max(0.0, bottom - max(top, reached))
            reached = max(reached, bottom)
    return area


def _boxes_on_page(locations: Iterable[Location], page_number: int) -> tuple[Box, ...]:
    return tuple(
        box
        for place in boxed_places(locations)
        if place.page_number == page_number
        for box in place.boxes or ()
    )
