"""Say in words where an answer stands, how sure its reader was, and in which sentence it is."""

from __future__ import annotations

from collections.abc import Sequence

from docqa.datamodel import (
    Answer,
    Location,
    PageLocation,
    PartLocation,
    SourceLocation,
    TextLocation,
)

__all__ = ["around_answer", "one_spaced", "place_words", "score_words"]


def place_words(locations: Sequence[Location]) -> str:
    """Return where a span stands: page, line and column, element, slide or paragraph.

    >>> place_words([PageLocation(4, "iv", "file", None), PageLocation(5, None, None, None)])
    'page 4 (printed iv) to page 5'
    """
    if not locations:
        return ""
    first, last = locations[0], locations[-1]
    if isinstance(first, PageLocation):
        pages = _page(first)
        crosses = isinstance(last, PageLocation) and last.page_number != first.page_number
        return f"{pages} to {_page(last)}" if crosses else pages
    if isinstance(first, TextLocation):
        return f"line {first.line:,}, column {first.column:,}"
    if isinstance(first, PartLocation):
        slide = f"slide {first.slide_number}, " if first.slide_number else ""
        return f"{slide}paragraph {first.paragraph:,}"
    if isinstance(first, SourceLocation):
        return f"{first.part}, {first.css_path}" if first.part else first.css_path
    return ""


def _page(location: Location) -> str:
    assert isinstance(location, PageLocation)
    number, label = str(location.page_number), location.page_label
    return f"page {number}" + (f" (printed {label})" if label and label != number else "")


def score_words(score: float) -> str:
    """Return a score with two digits, never as 0.00 or 1.00: neither is certain.

    >>> score_words(0.875), score_words(0.9997), score_words(0.0004)
    ('0.88', '>0.99', '<0.01')
    """
    rounded = f"{score:.2f}"
    return {"1.00": ">0.99", "0.00": "<0.01"}.get(rounded, rounded)


def around_answer(answer: Answer) -> tuple[str, str, str]:
    """Return the sentence around an answer as (before, the answer, after), single-spaced."""
    start = answer.start - answer.context_start
    before, after = answer.context[:start], answer.context[start + len(answer.text) :]
    gaps = (" " if before[-1:].isspace() else "", " " if after[:1].isspace() else "")
    return one_spaced(before) + gaps[0], one_spaced(answer.text), gaps[1] + one_spaced(after)


def one_spaced(text: str) -> str:
    """Return `text` with single spaces for all white space, and none at its ends."""
    return " ".join(text.split())
