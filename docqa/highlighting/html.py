"""Marks for answers in a copy of a web page, byte by byte as it is but for the marks.

Tags stand in the page's own encoding. In ISO-2022 encodings an escape sequence says what the bytes
after it mean (RFC 1468), so that a tag can stand only where ASCII is in force, or between two
sequences that bring it about. Browsers take two sequences in a row for an error (Encoding Standard,
12.2.1): none is ever put beside another.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from itertools import groupby
from typing import NamedTuple

from docqa.datamodel import Span
from docqa.errors import HighlightError

__all__ = ["HtmlMark", "TagInsertion", "free_prefix", "insert_tags", "mark_html"]

_ASCII = b"\x1b(B"
_ESCAPE = re.compile(rb"\x1b(?:\([BIJ]|\$[@AB]|\$\([CDOPQ])")
_LAST_ESCAPE = re.compile(rb".*(\x1b(?:\([BIJ]|\$[@AB]|\$\([CDOPQ]))", re.DOTALL)
_ESCAPE_FREE = 4096
"""Bytes looked back at a time for the escape sequence in force."""


@dataclass(frozen=True, slots=True)
class HtmlMark:
    """A mark in a web page.

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
    """A ``<mark>`` element to be: the bytes it wraps and its mark's number."""

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
    insertions: list[TagInsertion] = []
    open_elements: list[_Element] = []
    for element in elements:
        while open_elements and open_elements[-1].span.end <= element.span.start:
            insertions.append(TagInsertion(open_elements.pop().span.end, "</mark>"))
        insertions.append(TagInsertion(element.span.start, _start_tag(marks, element, names)))
        open_elements.append(element)
    while open_elements:
        insertions.append(TagInsertion(open_elements.pop().span.end, "</mark>"))
    return insert_tags(data, insertions, codec=codec)


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


class TagInsertion(NamedTuple):
    """An ASCII text to insert in front of the byte `offset`."""

    offset: int
    text: str


def insert_tags(data: bytes, insertions: Iterable[TagInsertion], *, codec: str) -> bytes:
    r"""Return `data` with all insertions made; they are sorted by offset.

    Args:
        data: the file; it stays complete and in order.
        insertions: at offsets between two characters.
        codec: Python's name of the file's encoding.

    Raises:
        HighlightError: the meaning of bytes in this encoding depends on those before them, so that
            no place is left to insert.

    >>> insert_tags("aé".encode("utf-16-le"), [TagInsertion(2, "<b>")], codec="utf-16-le")[:6]
    b'a\x00<\x00b\x00'
    """
    escapes = codec.startswith("iso2022_jp")
    if not escapes and (codec.startswith("iso2022") or codec in ("hz", "utf-7")):
        raise HighlightError(
            f"no tag can be put into a page in {codec}; save it as UTF-8 and ask that copy"
        )
    out: list[bytes] = []
    position = 0
    for offset, group in groupby(insertions, key=lambda one: one.offset):
        text = "".join(one.text for one in group).encode(codec)
        place, text = _between_escapes(data, offset, text) if escapes else (offset, text)
        out += [data[position:place], text]
        position = place
    return b"".join([*out, data[position:]])


def _between_escapes(data: bytes, offset: int, text: bytes) -> tuple[int, bytes]:
    """Return an offset and a text to insert there, so that all after it means the same."""
    before = _in_force(data, offset)
    if before == _ASCII:
        return offset, text
    following = _ESCAPE.match(data, offset)
    if following is None:
        return offset, _ASCII + text + before
    if following.group() == _ASCII:
        return following.end(), text
    return offset, _ASCII + text


def _in_force(data: bytes, offset: int) -> bytes:
    """Return the escape sequence in force at `offset`."""
    end = offset
    while end > 0:
        start = max(0, end - _ESCAPE_FREE)
        found = _LAST_ESCAPE.match(data, start, end)
        if found:
            return found.group(1)
        end = start + 3 if start else 0  # a sequence may lie across the border
    return _ASCII
