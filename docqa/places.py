"""Places in words: page, printed number, line, slide, paragraph or element of an answer.

Every view of an answer takes its words from here: the terminal, reports, marked copies and
`docqa verify`. A new kind of `Location` is put into words in this module alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from pathlib import PurePosixPath

from docqa.datamodel import (
    Answer,
    Location,
    Occurrence,
    PageLocation,
    PartLocation,
    SourceLocation,
    TextLocation,
)

__all__ = [
    "also_in_words",
    "boxed_places",
    "headed_in_words",
    "in_words",
    "is_element_path",
    "link_part",
    "number_ranges",
    "one_spaced",
    "place_in_words",
    "score_in_words",
    "sentence_around",
]

_SLIDE_PARTS = {"notesSlide": ", notes", "data": ", diagram"}
_WORD_PARTS = ("footnotes", "endnotes", "header", "footer")
_COUNTED = (  # kinds of places that have a number, and what it counts
    (PageLocation, "page_number", "page"),
    (PartLocation, "slide_number", "slide"),
    (TextLocation, "line", "line"),
)
_PART_OF_FIRST_WORD = re.compile(r"\A\S{1,30}\s+")  # none where a script has no spaces
_PART_OF_LAST_WORD = re.compile(r"\s+\S{1,30}\Z")
_SPACE = re.compile(r"\s+")
_WORDS_OF_PLACE, _WORDS_OF_HEADING, _LONGEST_PLACE = 5, 12, 80


def in_words(locations: Sequence[Location], *, in_full: bool = False) -> str:
    """Return the place of a span in words: page, line, slide, paragraph or path of elements.

    Args:
        locations: of the span, in reading order; without any the words are empty.
        in_full: add the column of a line and the paragraph of a slide.

    >>> in_words([PageLocation(4, "iv", "file", None), PageLocation(5, None, None, None)])
    'page 4 (printed iv) to page 5'
    """
    if not locations:
        return ""
    first, last = locations[0], locations[-1]
    if isinstance(first, PageLocation):
        crosses = isinstance(last, PageLocation) and last.page_number != first.page_number
        return f"{_page(first)} to {_page(last)}" if crosses else _page(first)
    if isinstance(first, TextLocation):
        return f"line {first.line}" + (f", column {first.column}" if in_full else "")
    if isinstance(first, PartLocation):
        return _paragraph(first, in_full=in_full)
    return f"{first.part}, {first.css_path}" if first.part else first.css_path


def place_in_words(answer: Answer, *, in_full: bool = False) -> str:
    """Return the place of an answer in words; see `headed_in_words`.

    Args:
        answer: with its `locations`, `heading` and `context`.
        in_full: see `in_words`.
    """
    if not is_element_path(answer.locations):
        return in_words(answer.locations, in_full=in_full)
    return headed_in_words(answer.locations, answer.heading, answer.context)


def headed_in_words(locations: Sequence[Location], heading: str | None, sentence: str = "") -> str:
    """Return a place in words; in a web page or EPUB the nearest heading and a few words.

    A path of elements says nothing to people, and stands in the JSON.

    Args:
        locations: of the place.
        heading: the nearest heading above it, or None.
        sentence: the one that it stands in.
    """
    above = one_spaced(heading or "")
    if not is_element_path(locations) or not (above or sentence):
        return in_words(locations)
    part = getattr(locations[0], "part", None)
    under = f'under "{_first_words(above, _WORDS_OF_HEADING)}"' if above else ""
    words = "" if one_spaced(sentence) == above else _first_words(sentence, _WORDS_OF_PLACE)
    return ", ".join(filter(None, (part, under, words and f'at "{words}"')))


def _first_words(text: str, most: int) -> str:
    """Return the first words of a text, with an ellipsis where there are more.

    >>> _first_words("one two  three", 2), _first_words("one", 2)
    ('one two ...', 'one')
    """
    words = text.split()
    return " ".join(words[:most])[:_LONGEST_PLACE] + (" ..." if len(words) > most else "")


def _page(location: Location) -> str:
    assert isinstance(location, PageLocation)
    number, label = str(location.page_number), location.page_label
    return f"page {number}" + (f" (printed {label})" if label and label != number else "")


def _paragraph(location: PartLocation, *, in_full: bool) -> str:
    """Return the place of a paragraph; a part other than the body or the slide is named.

    >>> from docqa.datamodel import Span
    >>> _paragraph(PartLocation("word/footnotes.xml", "", 2, Span(0, 1)), in_full=False)
    'footnotes, paragraph 2'
    """
    name = PurePosixPath(location.part).stem.rstrip("0123456789")
    paragraph = f"paragraph {location.paragraph}"
    if location.slide_number is not None:
        slide = f"slide {location.slide_number}{_SLIDE_PARTS.get(name, '')}"
        return f"{slide}, {paragraph}" if in_full else slide
    return f"{name}, {paragraph}" if name in _WORD_PARTS else paragraph


def also_in_words(occurrences: Iterable[Occurrence]) -> str:
    """Return the further places of an answer's words in words; empty without any.

    >>> page = PageLocation(12, None, None, None)
    >>> also_in_words([Occurrence(0, 1, 0.5, (page,))])
    'also on page 12'
    """
    firsts = [each.locations[0] for each in occurrences if each.locations]
    for kind, attribute, word in _COUNTED:
        numbers = {getattr(place, attribute) for place in firsts if isinstance(place, kind)}
        if numbers := numbers - {None}:
            return f"also on {word}{'s' * (len(numbers) > 1)} {number_ranges(numbers)}"
    return f"also at {len(firsts)} more place{'s' * (len(firsts) > 1)}" if firsts else ""


def number_ranges(numbers: Iterable[int]) -> str:
    """Return numbers, such as those of pages, as ranges.

    >>> number_ranges([9, 3, 4, 5, 11, 12])
    '3-5, 9, 11-12'
    """
    runs = groupby(enumerate(sorted(set(numbers))), key=lambda pair: pair[1] - pair[0])
    ranges = [[number for _, number in run] for _, run in runs]
    return ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in ranges)


def boxed_places(locations: Iterable[Location]) -> Iterator[PageLocation]:
    """Yield the places that have rectangles on a page."""
    for location in locations:
        if isinstance(location, PageLocation) and location.boxes:
            yield location


def is_element_path(locations: Sequence[Location]) -> bool:
    """Say whether a place in words is a path of elements, as in a web page or EPUB."""
    return bool(locations) and isinstance(locations[0], SourceLocation)


def link_part(locations: Sequence[Location]) -> str:
    """Return the end of a link that opens a file at a place: a page of a PDF, words of a web page.

    >>> link_part([PageLocation(3, None, None, None)])
    '#page=3'
    """
    first = locations[0] if locations else None
    if isinstance(first, PageLocation):
        return f"#page={first.page_number}"
    if isinstance(first, SourceLocation) and first.part is None:
        return first.text_fragment or ""
    return ""


def score_in_words(score: float) -> str:
    """Return a score with two digits, never as 0.00 or 1.00: neither is certain.

    >>> score_in_words(0.875), score_in_words(0.9997), score_in_words(0.0004)
    ('0.88', '>0.99', '<0.01')
    """
    rounded = f"{score:.2f}"
    return {"1.00": ">0.99", "0.00": "<0.01"}.get(rounded, rounded)


def sentence_around(answer: Answer, *, most: int | None = None) -> tuple[str, str, str]:
    """Return the sentence around an answer as (before, the answer, after), single-spaced.

    Args:
        answer: with its `context`.
        most: characters kept on each side; an ellipsis shows a cut. None keeps all.
    """
    start = answer.start - answer.context_start
    before, after = answer.context[:start], answer.context[start + len(answer.text) :]
    if most is not None and len(before) > most:
        before = "... " + _PART_OF_FIRST_WORD.sub("", before[-most:])
    if most is not None and len(after) > most:
        after = _PART_OF_LAST_WORD.sub("", after[:most]) + " ..."
    return (
        _SPACE.sub(" ", before).lstrip(),
        one_spaced(answer.text),
        _SPACE.sub(" ", after).rstrip(),
    )


def one_spaced(text: str) -> str:
    """Return `text` with single spaces for all white space, and none at its ends."""
    return " ".join(text.split())
