"""One map between a text and where its characters come from, for every format.

A map is a sorted list of segments. A segment covers the characters of the text from its
``text_start`` to the next segment's, and a range ``[src_start, src_end)`` of the source, which is
whatever a format counts: characters of an HTML source, character indexes of a PDF, bytes.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from operator import le, lt

from docqa.datamodel import Span
from docqa.loaders.numbers import Numbers, of_one_length, within

__all__ = ["OffsetMap", "OffsetMapBuilder", "Segment", "SegmentKind"]


class SegmentKind(IntEnum):
    """The relation of a segment's characters to its source range.

    VERBATIM: one to one, offset by offset. ATOM: the whole text comes from the whole range (an
    entity, a CRLF, folded white space, a surrogate pair). SYNTHETIC: implied layout with no source.
    """

    VERBATIM = 0
    ATOM = 1
    SYNTHETIC = 2


@dataclass(frozen=True, slots=True)
class Segment:
    """A segment: its span in the text, its source range and its kind."""

    text: Span
    source: Span
    kind: SegmentKind


@dataclass(frozen=True, slots=True)
class OffsetMap:
    """A map from spans of a text to ranges of its source, by bisection.

    Attributes:
        text_start: where each segment starts in the text; rising.
        src_start, src_end: its source range, in the source's own units.
        kind: its `SegmentKind`.
        text_length: length of the text; the last segment ends there.

    >>> builder = OffsetMapBuilder()
    >>> builder.verbatim(2, 0); builder.atom(1, 2, 7); builder.verbatim(1, 7)  # R, space, &amp;, D
    >>> builder.build().to_source(Span(1, 3))
    (Span(start=1, end=7),)
    """

    text_start: Numbers
    src_start: Numbers
    src_end: Numbers
    kind: Numbers
    text_length: int

    def require_sound(self, *, source_length: int) -> None:
        """Check a map from an untrusted process: order and bounds of its segments.

        Args:
            source_length: length of the source, in the source's own units.

        Raises:
            ValueError: a segment is out of order or out of bounds.
        """
        starts, ends = self.text_start, [*self.text_start[1:], self.text_length]
        is_sound = (
            of_one_length(starts, self.src_start, self.src_end, self.kind)
            and (starts[0] == 0 if starts else self.text_length == 0)
            and all(map(lt, starts, ends))
            and all(map(le, self.src_start, self.src_end))
            and within(self.src_start, 0, source_length + 1)
            and within(self.src_end, 0, source_length + 1)
            and set(self.kind) <= set(SegmentKind)
        )
        if not is_sound:
            raise ValueError("an offset map is out of order or out of bounds")

    def __len__(self) -> int:
        """Return the number of segments."""
        return len(self.text_start)

    def segment(self, number: int) -> Segment:
        """Return segment `number`, from 0."""
        end = self.text_start[number + 1] if number + 1 < len(self) else self.text_length
        return Segment(
            Span(self.text_start[number], end),
            Span(self.src_start[number], self.src_end[number]),
            SegmentKind(self.kind[number]),
        )

    def segments(self, span: Span) -> Iterator[Segment]:
        """Yield the segments that share a character with `span`, in order of the text."""
        if not span or span.start >= self.text_length:
            return
        number = bisect_right(self.text_start, span.start) - 1
        while number < len(self) and self.text_start[number] < span.end:
            yield self.segment(number)
            number += 1

    def to_source(self, span: Span) -> tuple[Span, ...]:
        """Return the source ranges of `span`, in order of the text.

        Neighbouring ranges are merged. A half-covered atom widens to the whole. Synthetic
        characters have no source: a span of nothing else gives ``()``.
        """
        ranges: list[Span] = []
        for segment in self.segments(span):
            piece = _source_piece(segment, span)
            if piece is None:
                continue
            if ranges and ranges[-1].start <= piece.start <= ranges[-1].end:
                ranges[-1] = Span(ranges[-1].start, max(ranges[-1].end, piece.end))
            else:
                ranges.append(piece)
        return tuple(ranges)


def _source_piece(segment: Segment, span: Span) -> Span | None:
    if segment.kind == SegmentKind.SYNTHETIC:
        return None
    if segment.kind == SegmentKind.ATOM:
        return segment.source
    shift = segment.source.start - segment.text.start
    low, high = max(span.start, segment.text.start), min(span.end, segment.text.end)
    return Span(low + shift, high + shift)


class OffsetMapBuilder:
    """A builder of maps from segments in the order of the text; lengths of 0 are ignored."""

    def __init__(self) -> None:
        self._text_start = array("I")
        self._src_start = array("I")
        self._src_end = array("I")
        self._kind = array("B")
        self.text_length = 0

    def verbatim(self, length: int, src_start: int) -> None:
        """Add `length` characters that stand one to one at `src_start`."""
        continues = (
            self._kind
            and self._kind[-1] == SegmentKind.VERBATIM
            and self._src_end[-1] == src_start
            and length > 0
        )
        if continues:
            self._src_end[-1] = src_start + length
            self.text_length += length
        else:
            self._add(length, src_start, src_start + length, SegmentKind.VERBATIM)

    def atom(self, length: int, src_start: int, src_end: int) -> None:
        """Add `length` characters that come from ``[src_start, src_end)`` as a whole."""
        self._add(length, src_start, src_end, SegmentKind.ATOM)

    def synthetic(self, length: int) -> None:
        """Add `length` characters of implied layout."""
        where = self._src_end[-1] if self._src_end else 0
        self._add(length, where, where, SegmentKind.SYNTHETIC)

    def extend(self, offsets: OffsetMap, shift: int) -> None:
        """Add all segments of a map, with its source positions moved by `shift`.

        >>> part, whole = OffsetMapBuilder(), OffsetMapBuilder()
        >>> part.verbatim(3, 0); whole.synthetic(1); whole.extend(part.build(), 100)
        >>> whole.build().to_source(Span(0, 2))
        (Span(start=100, end=101),)
        """
        base = self.text_length
        self._text_start.extend(base + start for start in offsets.text_start)
        self._src_start.extend(shift + start for start in offsets.src_start)
        self._src_end.extend(shift + end for end in offsets.src_end)
        self._kind.extend(offsets.kind)
        self.text_length += offsets.text_length

    def through(self, offsets: OffsetMap, origin: OffsetMap) -> None:
        """Add all segments of a map whose source is the text of `origin`, down to its source.

        >>> outer, inner, both = OffsetMapBuilder(), OffsetMapBuilder(), OffsetMapBuilder()
        >>> outer.verbatim(2, 1); inner.verbatim(2, 50); inner.atom(1, 52, 57)
        >>> both.through(outer.build(), inner.build())
        >>> both.build().to_source(Span(0, 1)), both.build().to_source(Span(1, 2))
        ((Span(start=51, end=52),), (Span(start=52, end=57),))
        """
        for segment in offsets.segments(Span(0, offsets.text_length)):
            if segment.kind == SegmentKind.SYNTHETIC:
                self.synthetic(len(segment.text))
            elif segment.kind == SegmentKind.ATOM:
                ranges = origin.to_source(segment.source)
                self.atom(len(segment.text), ranges[0].start, ranges[-1].end)
            else:
                self._verbatim_through(segment.source, origin)

    def _verbatim_through(self, span: Span, origin: OffsetMap) -> None:
        for inner in origin.segments(span):
            low, high = max(inner.text.start, span.start), min(inner.text.end, span.end)
            if inner.kind == SegmentKind.VERBATIM:
                self.verbatim(high - low, inner.source.start + low - inner.text.start)
            else:
                self.atom(high - low, inner.source.start, inner.source.end)

    def build(self) -> OffsetMap:
        """Return the finished map."""
        return OffsetMap(
            self._text_start, self._src_start, self._src_end, self._kind, self.text_length
        )

    def _add(self, length: int, src_start: int, src_end: int, kind: SegmentKind) -> None:
        if length <= 0:
            return
        self._text_start.append(self.text_length)
        self._src_start.append(src_start)
        self._src_end.append(src_end)
        self._kind.append(kind)
        self.text_length += length
