"""The one map between a text and its source, against a character-by-character model."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from docqa.datamodel import Span
from docqa.loaders.offset_map import OffsetMap, OffsetMapBuilder, SegmentKind

SEGMENTS = st.lists(
    st.tuples(
        st.sampled_from(list(SegmentKind)),
        st.integers(1, 4),  # characters of the text
        st.integers(1, 5),  # units of the source, for atoms
        st.integers(0, 3),  # units skipped before it, such as a tag
    ),
    min_size=1,
    max_size=12,
)


def build(segments) -> tuple[OffsetMap, list[set[int]]]:
    """Return a map and, for each character of its text, the source units it comes from."""
    builder, origins, position = OffsetMapBuilder(), [], 0
    for kind, length, width, gap in segments:
        position += gap
        if kind == SegmentKind.VERBATIM:
            builder.verbatim(length, position)
            origins += [{position + n} for n in range(length)]
            position += length
        elif kind == SegmentKind.ATOM:
            builder.atom(length, position, position + width)
            origins += [set(range(position, position + width))] * length
            position += width
        else:
            builder.synthetic(length)
            origins += [set()] * length
    return builder.build(), origins


def spans_of(length: int):
    return st.tuples(st.integers(0, length), st.integers(0, length)).map(
        lambda pair: Span(min(pair), max(pair))
    )


def units(ranges) -> set[int]:
    return {unit for span in ranges for unit in range(span.start, span.end)}


@given(SEGMENTS, st.data())
def test_to_source_covers_exactly_the_origins_of_the_span(segments, data):
    """The ranges hold the source units of the span's characters and no others."""
    offset_map, origins = build(segments)
    span = data.draw(spans_of(len(origins)))
    expected = set().union(*origins[span.start : span.end]) if span else set()
    assert units(offset_map.to_source(span)) == expected


@given(SEGMENTS, st.data())
def test_source_ranges_are_ordered_and_apart(segments, data):
    """Neighbouring ranges are merged, so that what is left has gaps between."""
    offset_map, origins = build(segments)
    ranges = offset_map.to_source(data.draw(spans_of(len(origins))))
    assert all(a.end < b.start for a, b in pairwise(ranges))


@given(SEGMENTS)
def test_every_character_has_exactly_one_segment(segments):
    """The segments partition the text."""
    offset_map, origins = build(segments)
    everything = list(offset_map.segments(Span(0, len(origins))))
    assert [n for s in everything for n in range(s.text.start, s.text.end)] == list(
        range(len(origins))
    )


def test_touching_verbatim_pieces_become_one_segment():
    """A builder that is fed piece by piece does not grow with the pieces."""
    builder = OffsetMapBuilder()
    for start in range(0, 100, 10):
        builder.verbatim(10, start)
    assert len(builder.build()) == 1


def test_half_an_atom_widens_to_the_whole():
    """One character of a decoded entity leads to the entity."""
    builder = OffsetMapBuilder()
    builder.atom(2, 5, 12)
    assert builder.build().to_source(Span(1, 2)) == (Span(5, 12),)
