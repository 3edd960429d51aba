"""The visible text of a web page, with the way back to its source.

Lines are laid out as a browser's ``innerText`` does it (HTML Standard, 3.2.7): white space folds,
blocks stand on lines of their own, cells are separated by tabs, ``<pre>`` keeps its characters.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from docqa.datamodel import Block, Span, Table
from docqa.loaders.html import elements
from docqa.loaders.html.blocks import BlockRecorder
from docqa.loaders.html.facts import NO_FACTS, ElementFacts
from docqa.loaders.html.frames import TextFrame, child_frame, is_foreign, root_frame
from docqa.loaders.html.held import SHADOW_HOSTS, Held
from docqa.loaders.html.marked import MarkedSource
from docqa.loaders.html.paths import ElementTable, TextNodeTable
from docqa.loaders.html.pieces import Piece, decoded_text, pieces
from docqa.loaders.html.runs import runs_of
from docqa.loaders.html.tables import TableRecorder
from docqa.loaders.html.tree import TreeEvent
from docqa.loaders.offset_map import OffsetMap, OffsetMapBuilder
from docqa.loaders.typography import CONTEXT, is_parted

__all__ = ["VisibleText", "lay_out"]

_UNNAMED = frozenset({""})

_MAX_ROW = 2000
"""A longer table row lays out a page rather than data; characters."""


@dataclass(frozen=True, slots=True)
class VisibleText:
    """The text of a page and the way back to its source.

    Attributes:
        text: the visible text.
        offset_map: from `text` to characters of the decoded source.
        blocks: of `text`, sorted, all its visible characters.
        elements, nodes: where the text stands in the tree.
        seams: rising offsets of `text` at which a box in the line begins or ends, such as an image.
        tables: those whose cells have headers.
        struck: the number of characters left out because they are crossed out.
        slots: of a shadow root, the names of those that it shows.
        only_without_scripts: all of it is shown by browsers without scripts alone.
    """

    text: str
    offset_map: OffsetMap
    blocks: tuple[Block, ...]
    elements: ElementTable
    nodes: TextNodeTable
    seams: array[int]
    tables: tuple[Table, ...] = ()
    struck: int = 0
    slots: frozenset[str] = frozenset()
    only_without_scripts: bool = False


PageReader = Callable[[str, str, frozenset[str]], VisibleText | None]
"""A reader of a page inside another one: its source, the name of the element that holds it, and the
slots that are filled, to its text. None where pages stand too deep in one another."""


@dataclass(slots=True)
class _Row:
    """An open table row: its tabs (places in the parts) and its first block."""

    first_block: int
    start: int
    tabs: list[int] = field(default_factory=list)
    is_layout: bool = False


def lay_out(
    source: str,
    marked: MarkedSource,
    events: Iterable[TreeEvent],
    *,
    read_page: PageReader = lambda *_: None,
    filled: frozenset[str] = frozenset(),
) -> VisibleText:
    """Read the visible text of a page out of the tree of its marked source.

    Args:
        source: the decoded document.
        marked: its marked source.
        events: the walk through the tree of ``marked.markup``.
        read_page: reads a page inside the page.
        filled: of a shadow root, the slots that its host fills: what they hold is not shown.
    """
    layout = _Layout(source, marked, read_page, filled)
    for event in events:
        if event.kind == "start":
            layout.start(event.value, event.key)
        elif event.kind == "end":
            layout.end()
        elif event.kind == "text":
            layout.text(runs_of(event.value))
        else:
            layout.other()
    return layout.build()


class _Layout:
    def __init__(
        self, source: str, marked: MarkedSource, read_page: PageReader, filled: frozenset[str]
    ) -> None:
        self._source, self._marked = source, marked
        self._read_page, self._filled = read_page, filled
        self._runs = marked.runs
        self._parts: list[str] = []
        self._map = OffsetMapBuilder()
        self._blocks = BlockRecorder()
        self._elements = ElementTable()
        self._nodes = TextNodeTable.of(len(marked.runs.start))
        self._rows: list[_Row] = []
        self._seams = array("I")
        self._tables = TableRecorder()
        self._lines = 0  # line ends to write before the next character
        self._ends_block = False  # those line ends are a block's, not a <br>'s
        self._tabs = 0  # cells to skip before the next character
        self._cell_is_empty = False
        self._space: Piece | None = None
        self._level = -1  # of the last character; see `TextFrame.level`
        self._is_stacked = False  # the next character stands over or under the last one
        self._struck = 0
        self._is_apart = False  # no word goes on from the last character to the next
        self._value_end = -1  # offset at which the last value of a form ends
        self._slots: set[str] = set()
        self._without_scripts = 0  # characters
        self._inner_tables: list[Table] = []
        self._frames = [root_frame()]

    def build(self) -> VisibleText:
        text = "".join(self._parts)
        return VisibleText(
            text,
            self._map.build(),
            self._blocks.build(text),
            self._elements,
            self._nodes,
            self._seams,
            tuple(sorted((*self._tables.build(text), *self._inner_tables), key=_table_start)),
            self._struck,
            frozenset(self._slots),
            0 < sum(map(len, text.split())) <= self._without_scripts,
        )

    # The tree

    def start(self, name: str, key: int) -> None:
        facts = self._marked.facts[key] if key >= 0 else NO_FACTS
        parent = self._frames[-1]
        parent.node = -1
        place = parent.children[name] = parent.children.get(name, 0) + 1
        foreign = is_foreign(name, parent)
        element = self._elements.add(name, parent.element, place, foreign=foreign, id_=facts.id)
        frame = child_frame(name, element, foreign, facts, parent)
        if name == "slot" and frame.displayed:
            self._slots.add(facts.slot)
            frame.displayed = facts.slot not in self._filled
        self._frames.append(frame)
        if frame.atomic:
            self._seams.append(self._map.text_length)
        self._is_stacked |= parent.name in elements.MATH_STACKS
        if key in self._marked.held and not foreign:
            self._held(name, facts, self._marked.held[key])
        if frame.displayed and not foreign:
            self._tables.start(name, facts, self._map.text_length)
            self._start_layout(name, frame)
        elif frame.displayed and name == "text":
            self._break(1)

    def end(self) -> None:
        frame = self._frames.pop()
        self._frames[-1].node = -1
        if frame.atomic:
            self._seams.append(self._map.text_length)
        self._is_stacked |= self._frames[-1].name in elements.MATH_STACKS
        if frame.displayed and not frame.foreign:
            self._tables.end(frame.name, self._map.text_length)
            self._end_layout(frame.name)
        elif frame.displayed and frame.name == "text":
            self._break(1)

    def other(self) -> None:
        self._frames[-1].node = -1

    def text(self, runs: list[int]) -> None:
        frame = self._frames[-1]
        if frame.node < 0:
            frame.text_nodes += 1
            frame.node = self._nodes.add(max(frame.element, 0), frame.text_nodes)
        self._nodes.add_runs(runs)
        if not (frame.displayed and frame.visible):
            return
        if (frame.foreign and not frame.svg_text) or not (frame.slots is None or "" in frame.slots):
            return
        for piece in self._unstruck(runs, frame, preformatted=frame.preformatted):
            self._add(piece, frame)

    def _unstruck(
        self, runs: Iterable[int], frame: TextFrame, *, preformatted: bool
    ) -> Iterator[Piece]:
        """Yield the pieces of runs, or count their characters if the frame crosses them out."""
        for run in runs:
            for piece in self._pieces(run, preformatted):
                if frame.struck:
                    self._struck += len(piece.text.strip())
                else:
                    yield piece

    def _pieces(self, run: int, preformatted: bool) -> Iterator[Piece]:
        runs = self._runs
        return pieces(
            self._source,
            Span(runs.start[run], runs.end[run]),
            references=runs.has_references[run],
            keeps_nul=bool(runs.keeps_nul[run]),
            preformatted=preformatted,
        )

    # Text that no text node holds

    def _held(self, name: str, facts: ElementFacts, texts: Iterable[Held]) -> None:
        """Write the texts that a new element holds as text of the one around it."""
        around, frame = self._frames[-2], self._frames[-1]
        visible = around.visible if facts.visible is None else facts.visible
        is_shown = around.displayed and facts.displayed and visible
        if name == "template" and (
            around.slots is not None or not (around.name in SHADOW_HOSTS or "-" in around.name)
        ):
            return
        for held in texts:
            element = frame.element
            for step, place in held.steps:
                element = self._elements.add(step, element, place, foreign=False)
            has_node = not held.is_attribute and name != "template"
            self._nodes.add(element, int(has_node))
            self._nodes.add_runs(list(held.runs))
            if held.is_page and (is_shown or around.name == "head"):
                self._page(held, frame, around)
            elif is_shown:
                self._value(self._unstruck(held.runs, frame, preformatted=False), around)

    def _value(self, found: Iterable[Piece], frame: TextFrame) -> None:
        """Write the value of a form field, on a line of its own behind another one."""
        value = list(found)
        if not value:
            return
        if self._value_end == self._map.text_length:
            self._break(1)
        self._seams.append(self._map.text_length)
        self._is_apart = True
        for piece in value:
            self._add(piece, frame)
        self._space, self._is_apart = None, True
        self._value_end = self._map.text_length
        self._seams.append(self._map.text_length)

    def _page(self, held: Held, holder: TextFrame, frame: TextFrame) -> None:
        """Write the text of a page that `holder`, in `frame`, holds."""
        decoded, origin = decoded_text(self._pieces(held.runs[0], True))
        filled = self._marked.slotted | (_UNNAMED if held.is_filled else frozenset())
        page = self._read_page(decoded, holder.name, filled)
        if page is None:
            return
        self._struck += page.struck
        if holder.name == "template":
            frame.slots = page.slots
        if not page.text:
            return
        characters = sum(map(len, page.text.split()))
        if holder.struck:
            self._struck += characters
            return
        self._break(1)
        self._write_layout()
        start = self._map.text_length
        self._seams.append(start)
        self._seams.extend(start + seam for seam in page.seams)
        self._parts.append(page.text)
        self._map.through(page.offset_map, origin)
        for block in page.blocks:
            self._blocks.close()
            span = block.span.shift(start)
            self._blocks.extend(span, block.kind, frame.container, in_link=False)
        self._seams.append(self._map.text_length)
        if self._rows:
            self._rows[-1].is_layout = True
        else:
            self._inner_tables += [table.shift(start) for table in page.tables]
        if holder.name == "noscript" or page.only_without_scripts:
            self._without_scripts += characters
        self._cell_is_empty = False
        self._break(1)

    # Lines, cells and rows

    def _start_layout(self, name: str, frame: TextFrame) -> None:
        if name == "tr" and self._rows:
            self._rows[-1].is_layout = True
            self._tabs, self._cell_is_empty = 0, False
        if name == "br":
            self._line_end()
        elif name == "label" and self._value_end == self._map.text_length:
            self._break(1)
        elif name == "textarea":
            self._is_apart = True
        elif name in elements.CELLS:
            self._start_cell()
        elif name in elements.BLOCKS:
            self._break(2 if name in elements.SPACED_BLOCKS else 1)
        if name == "tr":
            self._rows.append(_Row(len(self._blocks), self._map.text_length))
            self._tabs = -1
        elif name in elements.HEADINGS and self._rows:
            self._rows[-1].is_layout = True

    def _end_layout(self, name: str) -> None:
        if name == "textarea":
            self._space, self._is_apart = None, True
            self._value_end = self._map.text_length
        elif name in elements.CELLS:
            self._end_cell()
        elif name == "tr":
            self._end_row()
        if name in elements.BLOCKS:
            self._break(2 if name in elements.SPACED_BLOCKS else 1)

    def _start_cell(self) -> None:
        self._tabs += 1
        self._cell_is_empty = True

    def _end_cell(self) -> None:
        if not self._cell_is_empty:
            self._lines, self._ends_block = 0, False
        self._cell_is_empty = False
        self._space = None

    def _end_row(self) -> None:
        self._tabs = 0
        self._space = None
        if not self._rows:
            return
        row = self._rows.pop()
        length = self._map.text_length - row.start
        blocks = len(self._blocks) - row.first_block
        if row.is_layout or length > _MAX_ROW or (not row.tabs and blocks > 1):
            for place in row.tabs:
                self._parts[place] = "\n" * len(self._parts[place])
        else:
            self._blocks.join(row.first_block, "table_row")

    def _line_end(self) -> None:
        if self._cell_is_empty and not self._lines:
            return
        self._space = None
        self._lines = min(2, self._lines + 1)
        self._ends_block = self._ends_block or self._lines > 1

    def _break(self, lines: int) -> None:
        """Ask for the end of a block; at the edge of a cell there is none."""
        if self._cell_is_empty:
            return
        self._space = None
        self._lines = max(self._lines, lines)
        self._ends_block = True

    # Characters

    def _add(self, piece: Piece, frame: TextFrame) -> None:
        if piece.white and not frame.preformatted:
            if self._space is None and not self._lines and not self._cell_is_empty:
                self._space = piece
            return
        self._write_pending(frame)
        if self._is_apart and self._parts and piece.text[:1].isalnum():
            self._write_synthetic("" if self._parts[-1][-1:].isspace() else " ")
        self._is_apart = False
        self._part(piece, frame)
        self._write(piece, frame)
        self._cell_is_empty = False

    def _write_pending(self, frame: TextFrame) -> None:
        if self._lines or self._tabs > 0 or not self._parts:
            self._write_layout()
        elif self._space is not None:
            space = Piece(
                " ",
                self._space.start,
                self._space.end,
                verbatim=self._source[self._space.start : self._space.end] == " ",
            )
            self._write(space, frame)
        self._space = None

    def _write_layout(self) -> None:
        """Write the line ends or tabs that stand before the next character."""
        if self._lines and self._parts:
            if self._ends_block:
                self._blocks.close()
            self._write_synthetic("\n" * self._missing_lines())
        elif self._tabs > 0 and self._parts:
            self._blocks.close()
            if self._rows:
                self._rows[-1].tabs.append(len(self._parts))
            self._write_synthetic("\t" * self._tabs)
        self._lines, self._ends_block = 0, False
        self._tabs = min(self._tabs, 0)

    def _part(self, piece: Piece, frame: TextFrame) -> None:
        """Write a space before characters at another height that would read as one word."""
        if (self._is_stacked or frame.level != self._level) and self._parts:
            before = "".join(self._parts[-CONTEXT:])[-CONTEXT:]
            meet = self._is_stacked and before[-1:].isalnum() and piece.text[:1].isalnum()
            if meet or is_parted(before, piece.text):
                self._seams.append(self._map.text_length)
                self._write_synthetic(" ")
                self._seams.append(self._map.text_length)
        self._level, self._is_stacked = frame.level, False

    def _missing_lines(self) -> int:
        """Return how many line ends to write: those of a ``<pre>`` before them count too."""
        last = self._parts[-1]
        present = len(last) - len(last.rstrip("\n"))
        return max(0, self._lines - present)

    def _write_synthetic(self, text: str) -> None:
        if text:
            self._parts.append(text)
            self._map.synthetic(len(text))

    def _write(self, piece: Piece, frame: TextFrame) -> None:
        start = self._map.text_length
        if piece.verbatim:
            self._map.verbatim(len(piece.text), piece.start)
        else:
            self._map.atom(len(piece.text), piece.start, piece.end)
        self._parts.append(piece.text)
        span = Span(start, self._map.text_length)
        self._blocks.extend(span, frame.kind, frame.container, in_link=frame.in_link)


def _table_start(table: Table) -> int:
    return next((row.cells[0].span.start for row in table.rows if row.cells), 0)
