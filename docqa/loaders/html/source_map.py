"""From spans of a page's visible text to places in its source."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from docqa.datamodel import DomPoint, DomRange, Page, SourceLocation, Span
from docqa.loaders.decoded_source import DecodedSource, decode_as_reported
from docqa.loaders.html.held import HOLDERS
from docqa.loaders.html.markable import Markable, markable_ranges
from docqa.loaders.html.paths import ElementTable, TextNodeTable
from docqa.loaders.html.pieces import pieces
from docqa.loaders.html.runs import Runs
from docqa.loaders.html.text import VisibleText
from docqa.loaders.html.text_fragment import FragmentFinder
from docqa.loaders.numbers import Numbers
from docqa.loaders.offset_map import OffsetMap, SegmentKind

__all__ = ["HtmlSourceMap", "HtmlState"]

_UNSEARCHED = HOLDERS | {"textarea"}
"""Elements in whose text browsers find no text fragment."""


@dataclass(frozen=True, slots=True)
class HtmlState:
    """Plain data from which a page's source map is made again, with the page's bytes and text.

    Attributes:
        codec, bom_length: how the bytes are decoded.
        runs: of text in the source.
        offsets: from the visible text to the decoded source.
        elements, nodes, seams: as in `VisibleText`.
    """

    codec: str
    bom_length: int
    runs: Runs
    offsets: OffsetMap
    elements: ElementTable
    nodes: TextNodeTable
    seams: Numbers


class HtmlSourceMap:
    """A source map from a page's visible text to its decoded source, its bytes and its elements.

    Args:
        decoded: the decoded source; it gives the byte offsets.
        runs: the source's runs of text.
        visible: the visible text with its offset map.
    """

    State: ClassVar[type] = HtmlState

    def __init__(self, decoded: DecodedSource, runs: Runs, visible: VisibleText) -> None:
        self._decoded = decoded
        self._runs = runs
        self._visible = visible
        self._fragments = FragmentFinder(visible.text, visible.seams)
        self._by_source = _source_order(visible)

    @property
    def source(self) -> str:
        """Return the decoded source that spans of locations count in."""
        return self._decoded.text

    @property
    def data(self) -> bytes:
        """Return the bytes of the page."""
        return self._decoded.data

    @property
    def codec(self) -> str:
        """Return Python's name of the source's encoding."""
        return self._decoded.codec

    def markable(self, span: Span) -> Markable:
        """Return the stretches of the file that a ``<mark>`` element each can wrap."""
        ranges = self._visible.offset_map.to_source(span)
        found, is_whole = markable_ranges(self.source, self._runs, self._visible, ranges)
        places = [self._decoded.byte_span(part) for part in found]
        stretches = tuple(place for place in places if place is not None)
        return Markable(stretches, is_whole and len(stretches) == len(found) > 0)

    def locate(self, span: Span) -> tuple[SourceLocation, ...]:
        """Return where `span` stands in the source, one location per contiguous range.

        The source of a range, tags stripped, hidden elements left out and references decoded, is
        the text of `span` up to white space. Several ranges are needed only where the tree has
        another order than the source, as for text that a table pushes out.
        """
        parts = self._source_ranges(span)
        is_found = not any(self._holder(part.start) in _UNSEARCHED for part in parts)
        fragment = self._fragments.find(span) if is_found else None
        return tuple(self._location(part, fragment) for part in parts)

    def dom_range(self, span: Span) -> DomRange | None:
        """Return the range of `span` between its first and last character in the page's DOM.

        None where one of them is in no text node: in an attribute, or in a shadow root.
        """
        parts = self._visible.offset_map.to_source(span) or self._source_ranges(span)
        return self._dom_range(parts[0].start, parts[-1].end)

    def close(self) -> None:
        """Do nothing: no file is held open."""

    def state(self) -> HtmlState:
        """Return plain data from which `restored` makes the map again."""
        visible = self._visible
        return HtmlState(
            self._decoded.codec,
            self._decoded.bom_length,
            self._runs,
            visible.offset_map,
            visible.elements,
            visible.nodes,
            visible.seams,
        )

    @classmethod
    def restored(
        cls, state: HtmlState, *, text: str, pages: Sequence[Page], data: bytes
    ) -> HtmlSourceMap:
        """Return the map of a page from its state, its visible text and its bytes.

        Raises:
            ValueError: a part of the state is out of order or out of bounds.
        """
        decoded = decode_as_reported(data, state.codec, state.bom_length)
        length = len(decoded.text)
        state.runs.require_sound(source_length=length)
        state.offsets.require_sound(source_length=length)
        state.elements.require_sound()
        state.nodes.require_sound(runs=len(state.runs.start), elements=len(state.elements))
        if state.offsets.text_length != len(text) or list(state.seams) != sorted(state.seams):
            raise ValueError("the state of a page belongs to another text")
        visible = VisibleText(text, state.offsets, (), state.elements, state.nodes, state.seams)
        return cls(decoded, state.runs, visible)

    def _location(self, part: Span, fragment: str | None) -> SourceLocation:
        node = self._node(part.start)
        element = self._visible.nodes.element[node]
        return SourceLocation(
            span=part,
            byte_span=self._decoded.byte_span(part),
            xpath=self._visible.elements.xpath(element),
            css_path=self._visible.elements.css_path(element),
            text_fragment=fragment,
            dom_range=self._dom_range(part.start, part.end),
        )

    def _source_ranges(self, span: Span) -> tuple[Span, ...]:
        parts = self._visible.offset_map.to_source(span)
        if not parts:
            return (self._between(span),)
        joined = [parts[0]]
        for part in parts[1:]:
            last = joined[-1]
            if self._goes_on(last, part):
                joined[-1] = Span(last.start, part.end)
            elif not last.covers(part):
                joined.append(part)
        return tuple(joined)

    def _goes_on(self, last: Span, part: Span) -> bool:
        """Say whether the source from one range to the next, tags left out, is their text."""
        if last.end > part.start or self._shows_text(last.end, part.start):
            return False
        ends = self._holder(last.start), self._holder(part.start)
        if not HOLDERS.intersection(ends):
            return True
        return self._run(last.start) == self._run(part.start)

    def _holder(self, position: int) -> str:
        """Return the name of the element whose text stands at `position` of the source."""
        return self._visible.elements.name(self._visible.nodes.element[self._node(position)])

    def _between(self, span: Span) -> Span:
        """Return the source between the characters around a span of nothing but layout."""
        offsets = self._visible.offset_map
        first = bisect_right(offsets.text_start, span.start) - 1
        last = bisect_left(offsets.text_start, span.end)
        while first >= 0 and offsets.kind[first] == SegmentKind.SYNTHETIC:
            first -= 1
        while last < len(offsets) and offsets.kind[last] == SegmentKind.SYNTHETIC:
            last += 1
        start = offsets.src_end[first] if first >= 0 else 0
        end = offsets.src_start[last] if last < len(offsets) else len(self.source)
        return Span(start, max(start, end))

    def _shows_text(self, start: int, end: int) -> bool:
        """Say whether visible text stands in ``[start, end)`` of the source."""
        if self._by_source is None:
            return False  # in order: what stands between two pieces stands between them here too
        place = bisect_left(self._by_source, start)
        return place < len(self._by_source) and self._by_source[place] < end

    def _node(self, position: int) -> int:
        """Return the text node whose run holds `position` of the source, or the one before."""
        return max(0, self._visible.nodes.node_of(self._run(position)))

    def _run(self, position: int) -> int:
        run = max(0, bisect_right(self._runs.start, position) - 1)
        while run > 0 and self._visible.nodes.node_of(run) < 0:
            run -= 1
        return run

    def _dom_range(self, start: int, end: int) -> DomRange | None:
        first, last = self._point(start), self._point(end, is_end=True)
        return DomRange(first, last) if first and last else None

    def _point(self, position: int, *, is_end: bool = False) -> DomPoint | None:
        node = self._node(position - 1 if is_end else position)
        nodes, runs = self._visible.nodes, self._runs
        if not nodes.place[node]:
            return None
        before: list[str] = []
        for run in nodes.runs(node):
            start, end = runs.start[run], runs.end[run]
            inside = start <= position <= end if is_end else start <= position < end
            before += self._dom_text(run, min(position, end) if inside else end)
            if inside:
                break
        text = "".join(before)
        path = self._visible.elements.xpath(nodes.element[node])
        return DomPoint(
            f"{path}/text()[{nodes.place[node]}]", len(text.encode("utf-16-le")) // 2, len(text)
        )

    def _dom_text(self, run: int, end: int) -> list[str]:
        """Return a run's text up to `end` of the source, as it stands in the DOM."""
        parts = pieces(
            self.source,
            Span(self._runs.start[run], end),
            references=self._runs.has_references[run],
            keeps_nul=bool(self._runs.keeps_nul[run]),
            preformatted=True,
        )
        return [part.text for part in parts]


def _source_order(visible: VisibleText) -> array[int] | None:
    """Return the source starts of all visible pieces, sorted, or None where they are in order."""
    starts = array(
        "I",
        (
            start
            for start, kind in zip(
                visible.offset_map.src_start, visible.offset_map.kind, strict=True
            )
            if kind != SegmentKind.SYNTHETIC
        ),
    )
    if all(starts[place] <= starts[place + 1] for place in range(len(starts) - 1)):
        return None
    return array("I", sorted(starts))
