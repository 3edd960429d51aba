"""Mark answers in a copy of a web page, byte by byte as it is but for the marks."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from heapq import heapify, heappop, heappush

from docqa.datamodel import Span
from docqa.highlighting.html_insertion import Insertion, insert

__all__ = ["HtmlMark", "free_prefix", "mark_html"]


@dataclass(frozen=True, slots=True)
class HtmlMark:
    """Say what to mark in a page.

    Attributes:
        id: of its first ``<mark>`` element; further ones get ``-2``, ``-3`` and so on behind it.
        stretches: bytes of the file, in the order of the text, each between two neighbouring tags
            (see `docqa.loaders.html.markable`).
        color: a CSS colour for the background.
        title: shown when the pointer rests on the mark.
    """

    id: str
    stretches: tuple[Span, ...]
    color: str
    title: str = ""


@dataclass(frozen=True, slots=True)
class _Element:
    """Hold one ``<mark>`` element to be: the bytes it wraps and its mark's number."""

    span: Span
    mark: int
    order: tuple[int, int]  # in its mark: of the stretch, then of what is left of a cut one


def mark_html(data: bytes, marks: Sequence[HtmlMark], *, codec: str) -> bytes:
    """Return a copy of a page with a ``<mark>`` element around each stretch of each mark.

    All bytes of the page are in the copy, in their order; taking the inserted tags out gives the
    page back. Scripts and other active content are left as they are. Where marks overlap, the
    element of one is cut so that all nest.

    Args:
        data: the page.
        marks: what to mark.
        codec: Python's name of the page's encoding.

    Raises:
        HighlightError: the encoding has no places where a tag could stand.

    >>> mark = HtmlMark("a-1", (Span(3, 6),), "gold", 'a "b"')
    >>> mark_html(b"<p>one two", [mark], codec="utf-8").decode()
    '<p><mark id="a-1" style="background:gold;color:#000" title="a &quot;b&quot;">one</mark> two'
    """
    elements = _nested(marks)
    names = _names(marks, elements)
    insertions: list[Insertion] = []
    open_elements: list[_Element] = []
    for element in elements:
        while open_elements and open_elements[-1].span.end <= element.span.start:
            insertions.append(Insertion(open_elements.pop().span.end, "</mark>"))
        insertions.append(Insertion(element.span.start, _start_tag(marks, element, names)))
        open_elements.append(element)
    while open_elements:
        insertions.append(Insertion(open_elements.pop().span.end, "</mark>"))
    return insert(data, insertions, codec=codec)


def free_prefix(data: bytes, prefix: str = "docqa") -> str:
    """Return `prefix`, or that with a number behind it, so that no id of the page starts with it.

    >>> free_prefix(b"<p id=top>"), free_prefix(b'<mark id="docqa-1">')
    ('docqa', 'docqa2')
    """
    page = data.replace(b"\0", b"")  # UTF-16 without its zeros
    taken = set(re.findall(rb"""id\s*=\s*["']?([\w.]+)-""", page, re.IGNORECASE))
    number, found = 1, prefix
    while found.encode() in taken:
        number += 1
        found = f"{prefix}{number}"
    return found


def _nested(marks: Sequence[HtmlMark]) -> list[_Element]:
    """Return elements that cover all stretches and nest, by start and the outer before the inner.

    Elements that would cross are cut at the end of the one that started first.
    """
    waiting = [
        (stretch.start, -stretch.end, number, place, 0)
        for number, mark in enumerate(marks)
        for place, stretch in enumerate(mark.stretches)
        if stretch
    ]
    heapify(waiting)
    elements: list[_Element] = []
    ends: list[int] = []
    while waiting:
        start, negative_end, number, place, cut = heappop(waiting)
        end = -negative_end
        while ends and ends[-1] <= start:
            ends.pop()
        if ends and end > ends[-1]:
            heappush(waiting, (ends[-1], -end, number, place, cut + 1))
            end = ends[-1]
        ends.append(end)
        elements.append(_Element(Span(start, end), number, (place, cut)))
    return elements


def _names(marks: Sequence[HtmlMark], elements: Iterable[_Element]) -> dict[_Element, str]:
    """Return the id of each element, numbered along the text of its mark."""
    names: dict[_Element, str] = {}
    used = [0] * len(marks)
    for element in sorted(elements, key=lambda one: (one.mark, one.order)):
        used[element.mark] += 1
        count = used[element.mark]
        name = marks[element.mark].id
        names[element] = name if count == 1 else f"{name}-{count}"
    return names


def _start_tag(marks: Sequence[HtmlMark], element: _Element, names: dict[_Element, str]) -> str:
    mark = marks[element.mark]
    title = f' title="{_attribute(mark.title)}"' if mark.title else ""
    style = f"background:{mark.color};color:#000"
    return f'<mark id="{_attribute(names[element])}" style="{_attribute(style)}"{title}>'


def _attribute(value: str) -> str:
    """Return a value to stand in double quotes, in ASCII, which every encoding of the web has.

    >>> _attribute('"é" & <b>')
    '&quot;&#233;&quot; &amp; &lt;b&gt;'
    """
    readable = "".join(char if char >= " " and char != "\x7f" else " " for char in value)
    return html.escape(readable).encode("ascii", "xmlcharrefreplace").decode()
