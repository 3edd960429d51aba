"""Source maps of documents whose parts are documents themselves: chapters, parts of a message."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from docqa.datamodel import Page, SourceLocation, Span, TextLocation
from docqa.loaders.html.source_map import HtmlSourceMap, HtmlState
from docqa.loaders.text import TextSourceMap, TextState

__all__ = ["Section", "SectionState", "SectionsSourceMap"]

PartMap = HtmlSourceMap | TextSourceMap


@dataclass(frozen=True, slots=True)
class Section:
    """A part in the text of the whole.

    Attributes:
        part: its name inside the file; None where its source is the file itself.
        span: characters of the whole text, never empty.
        source_map: leads from the part's own text to its source.
        data: the bytes of that source.
    """

    part: str | None
    span: Span
    source_map: PartMap
    data: bytes


@dataclass(frozen=True, slots=True)
class SectionState:
    """Plain data of a part: its place, its bytes, and the state of its source map of one kind."""

    part: str | None
    span: Span
    data: bytes
    page: HtmlState | None
    text: TextState | None


class SectionsSourceMap:
    """A source map from a text to places in the sources of its parts.

    Args:
        sections: in the order of the text.
    """

    State: ClassVar[object] = tuple[SectionState, ...]

    def __init__(self, sections: Sequence[Section]) -> None:
        self._sections = sections
        self._starts = array("Q", [each.span.start for each in sections])

    def locate(self, span: Span) -> tuple[SourceLocation | TextLocation, ...]:
        """Return the places of `span`, in each part as its own source map gives them."""
        places: list[SourceLocation | TextLocation] = []
        first = max(0, bisect_right(self._starts, span.start) - 1)
        for section in self._sections[first : bisect_right(self._starts, span.end - 1)]:
            low, high = max(section.span.start, span.start), min(section.span.end, span.end)
            if low < high:
                places += _in_section(section, Span(low, high))
        if not places:  # nothing but what divides two parts
            end = self._sections[first].span.end
            places += _in_section(self._sections[first], Span(end - 1, end))
        return tuple(places)

    def state(self) -> tuple[SectionState, ...]:
        """Return plain data from which `restored` makes the map again."""
        return tuple(map(_state, self._sections))

    @classmethod
    def restored(
        cls, state: Sequence[SectionState], *, text: str, pages: Sequence[Page], data: bytes
    ) -> SectionsSourceMap:
        """Return the map of a document from its state and its text.

        Raises:
            ValueError: a part is out of order or out of bounds.
        """
        sections: list[Section] = []
        end = 0
        for each in state:
            begins = each.span.start >= end if sections else each.span.start == 0
            if not (begins and each.span and each.span.end <= len(text)):
                raise ValueError("the parts of a document are out of order or out of bounds")
            end = each.span.end
            source_map = _restored(each, each.span.of(text))
            sections.append(Section(each.part, each.span, source_map, each.data))
        if not sections:
            raise ValueError("a document without parts")
        return cls(sections)

    def close(self) -> None:
        """Do nothing: no file is held open."""


def _in_section(section: Section, span: Span) -> Iterator[SourceLocation | TextLocation]:
    for place in section.source_map.locate(span.shift(-section.span.start)):
        yield replace(place, part=section.part)


def _state(section: Section) -> SectionState:
    own: Any = section.source_map.state()
    kinds = (HtmlSourceMap, TextSourceMap)
    states = (own if isinstance(section.source_map, kind) else None for kind in kinds)
    return SectionState(section.part, section.span, section.data, *states)


def _restored(state: SectionState, text: str) -> PartMap:
    if state.page is not None:
        return HtmlSourceMap.restored(state.page, text=text, pages=(), data=state.data)
    if state.text is not None:
        return TextSourceMap.restored(state.text, text=text, pages=(), data=state.data)
    raise ValueError("a part without a source map")
