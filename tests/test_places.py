"""Places in words: every kind of location, and the sentence around an answer."""

from __future__ import annotations

import pytest

from docqa.datamodel import (
    Box,
    Location,
    Occurrence,
    PageLocation,
    PartLocation,
    SourceLocation,
    Span,
    TextLocation,
)
from docqa.places import also_in_words, boxed_places, in_words, is_element_path, link_part

SPAN = Span(0, 1)
BOXES = (Box(0, 0, 1, 1),)
PAGE = PageLocation(4, "iv", "file", BOXES)
LINE = TextLocation(14, 3, 14, SPAN, None)
NOTE = PartLocation("word/footnotes.xml", "/w:p", 2, SPAN)
SLIDE = PartLocation("ppt/slides/slide4.xml", "/a:p", 1, SPAN, slide_number=4)
SPEAKER = PartLocation("ppt/notesSlides/notesSlide4.xml", "/a:p", 1, SPAN, slide_number=4)
WEB = SourceLocation(SPAN, None, "/html/p", "html > p", "#:~:text=oil")
CHAPTER = SourceLocation(SPAN, None, "/html/p", "html > p", "#:~:text=oil", part="OPS/a.xhtml")


@pytest.mark.parametrize(
    ("place", "brief", "in_full"),
    [
        (PAGE, "page 4 (printed iv)", "page 4 (printed iv)"),
        (LINE, "line 14", "line 14, column 3"),
        (NOTE, "footnotes, paragraph 2", "footnotes, paragraph 2"),
        (SLIDE, "slide 4", "slide 4, paragraph 1"),
        (SPEAKER, "slide 4, notes", "slide 4, notes, paragraph 1"),
        (WEB, "html > p", "html > p"),
        (CHAPTER, "OPS/a.xhtml, html > p", "OPS/a.xhtml, html > p"),
    ],
)
def test_every_kind_of_place_has_words(place: Location, brief: str, in_full: str) -> None:
    """A terminal takes the brief words, a report the full ones."""
    assert in_words([place]) == brief
    assert in_words([place], in_full=True) == in_full


@pytest.mark.parametrize(
    ("place", "also"),
    [
        (PAGE, "also on page 4"),
        (LINE, "also on line 14"),
        (NOTE, "also at 1 more place"),
        (SLIDE, "also on slide 4"),
        (WEB, "also at 1 more place"),
    ],
)
def test_further_places_are_counted_by_their_kind(place: Location, also: str) -> None:
    """Places with a number are named by it, the others counted."""
    assert also_in_words([Occurrence(0, 1, 0.5, (place,))]) == also


def test_links_open_pages_and_words() -> None:
    """Viewers open a page of a PDF and words of a web page, and nothing inside a container."""
    parts = [link_part([place]) for place in (PAGE, LINE, NOTE, WEB, CHAPTER)]
    assert parts == ["#page=4", "", "", "#:~:text=oil", ""]
    assert link_part([]) == ""


def test_kinds_are_distinguished() -> None:
    """Rectangles are on pages only, and paths of elements in HTML only."""
    places = [PAGE, PageLocation(5, None, None, None), LINE, NOTE, WEB]
    assert list(boxed_places(places)) == [PAGE]
    assert [is_element_path([place]) for place in places] == [False, False, False, False, True]
