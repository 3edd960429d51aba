"""Lay paragraphs out as one text, and lead from its spans back to them."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import ClassVar

from docqa.datamodel import Block, BlockKind, Page, PartLocation, Span, Table
from docqa.loaders.office.tables import Row, tables
from docqa.loaders.zipped.xml_reading import PathStep

__all__ = ["LaidOut", "PartParagraph", "PartSourceMap", "PartState", "lay_out"]

_MAX_ROW = 2000
"""A longer table row lays out a page rather than data; characters. As for HTML."""


@dataclass(slots=True)
class PartParagraph:
    """A paragraph of a part with its text.

    Attributes:
        part: name of the part.
        element: where its element stands in the part.
        number: from 1, among all paragraphs of the part in document order, blank ones too.
        text: its characters, joined as `PartLocation` counts them, with spaces put between.
        spaces: rising offsets of `text` at which a space stands that the part does not have.
        goes_on: the next paragraph continues it: the mark between them is deleted.
        kind, boilerplate: what its block will be.
        row, cell: the innermost table row around it, and the cell's number in it from 1.
        slide_number: from 1, in presentations.
    """

    part: str
    element: PathStep
    number: int
    text: str = ""
    spaces: tuple[int, ...] = ()
    goes_on: bool = False
    kind: BlockKind = "paragraph"
    boilerplate: bool = False
    row: Row | None = None
    cell: int = 0
    slide_number: int | None = None


@dataclass(frozen=True, slots=True)
class LaidOut:
    """A document's text, its blocks and tables, and the place of each paragraph in it."""

    text: str
    blocks: tuple[Block, ...]
    source_map: PartSourceMap
    tables: tuple[Table, ...] = ()

    @property
    def title(self) -> str | None:
        """Return the heading that the text begins with, or None."""
        if not self.blocks or self.blocks[0].kind != "heading":
            return None
        return " ".join(self.blocks[0].span.of(self.text).split())


@dataclass(frozen=True, slots=True)
class PlacedParagraph:
    """The place of a paragraph, in plain data.

    Attributes:
        part: index of its part in `PartState.parts`.
        step: index of its element in `PartState.steps`.
        number, slide_number, spaces: as `PartParagraph` has them.
        start, length: characters of the document's text.
    """

    part: int
    step: int
    number: int
    slide_number: int | None
    start: int
    length: int
    spaces: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class PartState:
    """Plain data from which the source map of an Office document is made again.

    Attributes:
        parts: names of the parts.
        steps: parent (an index below its own, -1 for none), name and place of each element that
            a path leads through.
        paragraphs: in the order of the text.
    """

    parts: tuple[str, ...]
    steps: tuple[tuple[int, str, int], ...]
    paragraphs: tuple[PlacedParagraph, ...]


class PartSourceMap:
    """A source map from a text that is made of paragraphs to places in them.

    Args:
        paragraphs: in the order of the text.
        starts: where each begins in the text; between them lies layout only.
    """

    State: ClassVar[type] = PartState

    def __init__(self, paragraphs: Sequence[PartParagraph], starts: Sequence[int]) -> None:
        self._paragraphs = paragraphs
        self._starts = array("Q", starts)

    def locate(self, span: Span) -> tuple[PartLocation, ...]:
        """Return the places of `span`, one for each paragraph it touches.

        Layout between two paragraphs is located at the end of the first.
        """
        first = max(0, bisect_right(self._starts, span.start) - 1)
        last = max(first + 1, bisect_right(self._starts, span.end - 1))
        places = [self._place(number, span) for number in range(first, last)]
        return tuple(place for place in places if place.span) or (places[0],)

    def slide_spans(self) -> dict[int, Span]:
        """Return which characters of the text each slide takes, by its number."""
        spans: dict[int, Span] = {}
        for paragraph, start in zip(self._paragraphs, self._starts, strict=True):
            number, end = paragraph.slide_number, start + len(paragraph.text)
            if number is not None:
                spans[number] = Span(spans[number].start if number in spans else start, end)
        return spans

    def close(self) -> None:
        """Do nothing: no file is held open."""

    def state(self) -> PartState:
        """Return plain data from which `restored` makes the map again."""
        parts: dict[str, int] = {}
        steps: dict[int, int] = {}  # numbers by the identity of a step
        rows: list[tuple[int, str, int]] = []
        for paragraph in self._paragraphs:
            parts.setdefault(paragraph.part, len(parts))
            step: PathStep | None = paragraph.element
            new = []
            while step is not None and id(step) not in steps:
                new.append(step)
                step = step.parent
            for each in reversed(new):
                above = -1 if each.parent is None else steps[id(each.parent)]
                steps[id(each)] = len(rows)
                rows.append((above, each.name, each.place))
        paragraphs = (
            PlacedParagraph(
                parts[placed.part],
                steps[id(placed.element)],
                placed.number,
                placed.slide_number,
                start,
                len(placed.text),
                placed.spaces,
            )
            for placed, start in zip(self._paragraphs, self._starts, strict=True)
        )
        return PartState(tuple(parts), tuple(rows), tuple(paragraphs))

    @classmethod
    def restored(
        cls, state: PartState, *, text: str, pages: Sequence[Page], data: bytes
    ) -> PartSourceMap:
        """Return the map of a document from its state and its text.

        Raises:
            ValueError: a place is out of order or out of bounds.
        """
        steps: list[PathStep] = []
        for number, (above, name, place) in enumerate(state.steps):
            if not -1 <= above < number:
                raise ValueError("a path leads through an element that is its own ancestor")
            steps.append(PathStep(steps[above] if above >= 0 else None, name, place))
        paragraphs, end = [], 0
        for each in state.paragraphs:
            if not end <= each.start <= each.start + each.length <= len(text):
                raise ValueError("the paragraphs of a document are out of order or out of bounds")
            if not (0 <= each.part < len(state.parts) and 0 <= each.step < len(steps)):
                raise ValueError("a paragraph stands in no part")
            end = each.start + each.length
            if not all(0 <= one < two for one, two in pairwise((*each.spaces, each.length))):
                raise ValueError("the spaces of a paragraph are out of order or out of bounds")
            part, step, words = state.parts[each.part], steps[each.step], text[each.start : end]
            paragraph = PartParagraph(part, step, each.number, words, each.spaces)
            paragraph.slide_number = each.slide_number
            paragraphs.append(paragraph)
        if not paragraphs:
            raise ValueError("a document without paragraphs")
        return cls(paragraphs, [each.start for each in state.paragraphs])

    def _place(self, number: int, span: Span) -> PartLocation:
        paragraph, start = self._paragraphs[number], self._starts[number]
        length = len(paragraph.text)
        low = min(length, max(0, span.start - start))
        high = max(low, min(length, span.end - start))
        low, high = (place - bisect_left(paragraph.spaces, place) for place in (low, high))
        return PartLocation(
            part=paragraph.part,
            xpath=paragraph.element.xpath(),
            paragraph=paragraph.number,
            span=Span(low, high),
            slide_number=paragraph.slide_number,
        )


def lay_out(paragraphs: Iterable[PartParagraph]) -> LaidOut:
    r"""Join paragraphs with the white space that their layout implies.

    The cells of a table row are divided by tabs and the paragraphs of a cell by line ends; rows
    and list items follow one another on lines of their own, other blocks after an empty line,
    slides after a form feed. Nothing stands before a paragraph that continues the one before it.
    Blank paragraphs are left out.

    >>> from docqa.loaders.office.tables import OpenTable
    >>> row, step = OpenTable().new_row(), PathStep(None, "w:p", 1)
    >>> cells = [PartParagraph("p", step, 2, "Oil", row=row, cell=1),
    ...          PartParagraph("p", step, 3, "40 l", row=row, cell=2)]
    >>> laid_out = lay_out([PartParagraph("p", step, 1, "Stores", kind="heading"), *cells])
    >>> laid_out.text, [block.kind for block in laid_out.blocks]
    ('Stores\n\nOil\t40 l', ['heading', 'table_row'])
    """
    parts: list[str] = []
    kept: list[PartParagraph] = []
    starts: list[int] = []
    blocks: list[Block] = []
    length = 0
    for group, kind in _groups(paragraph for paragraph in paragraphs if paragraph.text.strip()):
        separator = _separator(kept[-1], blocks[-1].kind, group[0], kind) if kept else ""
        first = length + len(separator)
        for number, paragraph in enumerate(group):
            if number:
                separator = _within(group[number - 1], paragraph)
            parts += [separator, paragraph.text]
            starts.append(length + len(separator))
            length = starts[-1] + len(paragraph.text)
            if paragraph.row is not None:
                paragraph.row.extend(paragraph.cell, Span(starts[-1], length))
        kept += group
        blocks.append(_block(group, kind, Span(first, length)))
    text = "".join(parts)
    found = tables(text, (paragraph.row for paragraph in kept))
    return LaidOut(text, tuple(blocks), PartSourceMap(kept, starts), found)


def _within(before: PartParagraph, after: PartParagraph) -> str:
    """Return the characters that divide two paragraphs of a block."""
    if after.row is not None and after.cell != before.cell:
        return "\t" * (after.cell - before.cell)
    return "" if before.goes_on else "\n"


def _groups(paragraphs: Iterable[PartParagraph]) -> Iterator[tuple[list[PartParagraph], BlockKind]]:
    """Yield the paragraphs of each block: those of a row together, others alone."""
    for row, run in groupby(paragraphs, key=lambda paragraph: paragraph.row):
        group = list(run)
        if row is not None and _is_data(row, group):
            yield group, "table_row"
        else:
            yield from ((chain, chain[-1].kind) for chain in _chains(group))


def _chains(paragraphs: Iterable[PartParagraph]) -> Iterator[list[PartParagraph]]:
    """Yield each paragraph with its continuations."""
    chain: list[PartParagraph] = []
    for paragraph in paragraphs:
        if chain and not (chain[-1].goes_on and chain[-1].part == paragraph.part):
            yield chain
            chain = []
        chain.append(paragraph)
    if chain:
        yield chain


def _is_data(row: Row, group: Sequence[PartParagraph]) -> bool:
    if row.is_layout or sum(len(paragraph.text) for paragraph in group) > _MAX_ROW:
        return False
    return len(group) == 1 or group[0].cell != group[-1].cell


def _separator(
    before: PartParagraph, kind_before: BlockKind, after: PartParagraph, kind: BlockKind
) -> str:
    if before.slide_number != after.slide_number:
        return "\f"
    if kind == kind_before and kind in ("list_item", "table_row") and before.part == after.part:
        return "\n"
    return "\n\n"


def _block(group: Sequence[PartParagraph], kind: BlockKind, span: Span) -> Block:
    first, last = group[0].text, group[-1].text
    return Block(
        Span(
            span.start + len(first) - len(first.lstrip()),
            span.end - (len(last) - len(last.rstrip())),
        ),
        kind,
        boilerplate=all(paragraph.boilerplate for paragraph in group),
    )
