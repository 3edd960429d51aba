"""Where in the source of a page a ``<mark>`` element changes nothing but the look of its text."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from docqa.datamodel import Span
from docqa.loaders.html import elements
from docqa.loaders.html.held import HOLDERS
from docqa.loaders.html.references import decode_text
from docqa.loaders.html.runs import Runs
from docqa.loaders.html.text import VisibleText

__all__ = ["Markable", "markable_ranges"]

_WHITE = "\t\n\f\r "
_NO_PARENTS = elements.TABLE_FRAME | HOLDERS | {"frameset", "head", "html", "select", "textarea"}

_UNFINISHED_TAG = "</"


@dataclass(frozen=True, slots=True)
class Markable:
    """The stretches of a file that show a span of its text, each inside one run of text.

    Attributes:
        stretches: bytes of the file, in the order of the text.
        is_whole: they show all of the span; not so where it stands in SVG, MathML or raw text.
    """

    stretches: tuple[Span, ...]
    is_whole: bool


def markable_ranges(
    source: str, runs: Runs, visible: VisibleText, ranges: Iterable[Span]
) -> tuple[list[Span], bool]:
    """Return the parts of `ranges` that a ``<mark>`` each can wrap, and whether they are all.

    A part lies between two neighbouring tags or comments. A ``<mark>`` in SVG or MathML would end
    it, one in raw text (``<xmp>``, ``<plaintext>``, CDATA) would be text, and one between the
    cells of a table would move out of it, so that those are left out; the last without a word,
    for they hold nothing but white space.

    Args:
        source: the decoded source.
        runs: its runs of text.
        visible: what the page shows.
        ranges: characters of the source, in the order of the text.
    """
    found: list[Span] = []
    is_whole = True
    for run, part in _by_run(runs, ranges):
        if _takes_mark(run, runs, visible):
            found.append(_settled(source, run, part, runs))
        elif source[part.start : part.end].strip(_WHITE):
            is_whole = False
    return found, is_whole


def _by_run(runs: Runs, ranges: Iterable[Span]) -> Iterator[tuple[int, Span]]:
    """Yield the hull of the neighbouring ranges inside one run, with the run's number."""
    last: tuple[int, Span] | None = None
    for part in ranges:
        run = max(0, bisect_right(runs.start, part.start) - 1)
        while run < len(runs.start) and runs.start[run] < part.end:
            inside = Span(max(part.start, runs.start[run]), min(part.end, runs.end[run]))
            if last is not None and last[0] == run and last[1].start <= inside.start:
                inside = Span(last[1].start, inside.end)
            elif last is not None:
                yield last
            last = (run, inside)
            run += 1
    if last is not None:
        yield last


def _takes_mark(run: int, runs: Runs, visible: VisibleText) -> bool:
    node = visible.nodes.node_of(run)
    if node < 0 or runs.has_references[run] != 1:
        return False
    parent = visible.nodes.element[node]
    return not (visible.elements.is_foreign(parent) or visible.elements.name(parent) in _NO_PARENTS)


def _settled(source: str, run: int, part: Span, runs: Runs) -> Span:
    """Return `part` of a run, moved to where marks do not change how the rest is parsed."""
    start, end = part.start, part.end
    if runs.in_table[run]:  # white space alone would stay in the table and not move with the text
        if not decode_text(source[runs.start[run] : start]).strip(_WHITE):
            start = runs.start[run]
        if not decode_text(source[end : runs.end[run]]).strip(_WHITE):
            end = runs.end[run]
    if source.endswith(_UNFINISHED_TAG, start, end):  # at the end of a file: text, until more comes
        end -= len(_UNFINISHED_TAG)
    return Span(start, max(start, end))
