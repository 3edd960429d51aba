"""A text with answers marked in it: one self-contained HTML page."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from docqa.datamodel import Span
from docqa.highlighting.templating import render

__all__ = ["LegendEntry", "TextMark", "TextView", "text_view"]

_WHOLE = 1_000_000
"""Characters of a text that is shown whole: some 2 MB of page, which opens in under a second."""

_AROUND = 4_000  # characters shown on each side of a mark where the text is longer
_LINE_WITHIN = 2_000  # characters in which a line's start is looked for, to begin an excerpt there
_LINE_END = re.compile(r"\r\n|\n|\r")


@dataclass(frozen=True, slots=True)
class TextMark:
    """A mark in a text.

    Attributes:
        id: of its first ``<mark>`` element.
        span: characters of the text.
        shade: its colour's number, from 0, below the length of the palette.
        title: shown when the pointer rests on the mark.
        is_again: a further place of the same words; in a fainter shade.
    """

    id: str
    span: Span
    shade: int
    title: str
    is_again: bool = False


@dataclass(frozen=True, slots=True)
class LegendEntry:
    """An answer in the legend above the text, with a link to its mark `id`."""

    id: str
    shade: int
    question: str
    words: str
    details: str


@dataclass(frozen=True, slots=True)
class TextView:
    """A page, and whether it shows only the surroundings of the answers."""

    page: bytes
    is_excerpt: bool


@dataclass(frozen=True, slots=True)
class _Piece:
    """A stretch of a line: the marks around it, outermost first, and the marks that start."""

    text: str
    marks: tuple[TextMark, ...]
    starts: tuple[TextMark, ...]


@dataclass(frozen=True, slots=True)
class _Row:
    """A line, or with `gap` the note on lines left out; number 0 shows none."""

    number: int = 0
    pieces: tuple[_Piece, ...] = ()
    gap: str = ""


def text_view(
    text: str,
    marks: Sequence[TextMark],
    legend: Sequence[LegendEntry],
    *,
    title: str,
    subtitle: str,
    numbered: bool,
) -> TextView:
    """Return a page that shows a text with marks in it, and a legend above.

    It holds no script and asks for nothing outside. Of a text over a million characters only the
    surroundings of the marks are shown, and the page says so.

    Args:
        text: the document's text.
        marks: what to mark; where marks overlap, the later one lies inside.
        legend: the answers.
        title: of the page.
        subtitle: a line below it.
        numbered: whether lines have numbers.
    """
    lines = _lines(text)
    excerpts = _excerpts(text, marks)
    is_excerpt = excerpts != [Span(0, len(text))]
    note = f"The text has {len(text):,} characters; what stands around the answers is shown."
    view = {
        "title": title,
        "subtitle": subtitle,
        "answers": legend,
        "note": note if is_excerpt else "",
        "digits": len(str(len(lines))) if numbered else 0,
        "rows": _rows(text, lines, marks, excerpts, numbered=numbered),
    }
    return TextView(render("text_view.html", view=view), is_excerpt)


def _lines(text: str) -> list[Span]:
    """Return the lines of a text, without their ends."""
    starts, ends = [0], []
    for end in _LINE_END.finditer(text):
        ends.append(end.start())
        starts.append(end.end())
    ends.append(len(text))
    if len(starts) > 1 and starts[-1] == len(text):  # the last line's end begins no line
        starts.pop()
    return [Span(*edges) for edges in zip(starts, ends, strict=False)]


def _excerpts(text: str, marks: Sequence[TextMark]) -> list[Span]:
    """Return the excerpts of a text to show, sorted and apart from one another."""
    if len(text) <= _WHOLE:
        return [Span(0, len(text))]
    shown: list[Span] = []
    for span in sorted(mark.span for mark in marks):
        around = _around(text, span)
        if shown and around.start <= shown[-1].end:
            shown[-1] = Span(shown[-1].start, max(shown[-1].end, around.end))
        else:
            shown.append(around)
    return shown


def _around(text: str, span: Span) -> Span:
    """Return the surroundings of a span, whole lines where lines are short."""
    start, end = max(0, span.start - _AROUND), min(len(text), span.end + _AROUND)
    before = text.rfind("\n", max(0, start - _LINE_WITHIN), start)
    after = text.find("\n", end, end + _LINE_WITHIN)
    start = before + 1 if before >= 0 else start
    end = after + 1 if after >= 0 else end
    return Span(0 if start < _LINE_WITHIN else start, end)


def _rows(
    text: str,
    lines: Sequence[Span],
    marks: Sequence[TextMark],
    excerpts: Sequence[Span],
    *,
    numbered: bool,
) -> Iterator[_Row]:
    starts = [line.start for line in lines]
    by_line = _by_line(starts, marks)
    begun: set[str] = set()
    done = 0
    for excerpt in excerpts:
        if excerpt.start > done:
            yield _Row(gap=_left_out(excerpt.start - done))
        done = excerpt.end
        number = max(1, bisect_right(starts, excerpt.start))
        while number <= len(lines) and lines[number - 1].start < max(1, excerpt.end):
            line = lines[number - 1]
            shown = Span(
                max(line.start, excerpt.start), max(line.start, min(line.end, excerpt.end))
            )
            pieces = tuple(_pieces(text, shown, by_line[number], begun))
            yield _Row(number if numbered else 0, pieces)
            number += 1
    if excerpts and done < len(text):
        yield _Row(gap=_left_out(len(text) - done))


def _left_out(characters: int) -> str:
    return f"{characters:,} characters left out"


def _by_line(starts: Sequence[int], marks: Sequence[TextMark]) -> defaultdict[int, list[TextMark]]:
    """Return the marks of each line by its number, in their own order."""
    found: defaultdict[int, list[TextMark]] = defaultdict(list)
    for mark in marks:
        first, last = (bisect_right(starts, at) for at in (mark.span.start, mark.span.end - 1))
        for number in range(first, last + 1):
            found[number].append(mark)
    return found


def _pieces(text: str, line: Span, marks: Sequence[TextMark], begun: set[str]) -> Iterator[_Piece]:
    """Cut a line wherever a mark starts or ends; `begun` holds the ids that are taken."""
    opening, closing = defaultdict[int, list[int]](list), defaultdict[int, list[int]](list)
    for number, mark in enumerate(marks):
        start, end = max(mark.span.start, line.start), min(mark.span.end, line.end)
        if start < end:
            opening[start].append(number)
            closing[end].append(number)
    open_now: set[int] = set()
    for start, end in pairwise(sorted({line.start, line.end, *opening, *closing})):
        open_now -= set(closing[start])
        open_now |= set(opening[start])
        around = tuple(marks[number] for number in sorted(open_now))
        starting = tuple(mark for mark in around if mark.id not in begun)
        begun.update(mark.id for mark in starting)
        yield _Piece(text[start:end], around, starting)
