"""Turn PDFium's character codes into a page's text and the map back to character indexes.

The text has the characters of the page in the order of its content, with the line ends and spaces
that PDFium adds between them. Nothing is re-ordered, joined or normalised: what a search needs
beyond that is its own business. Replacements are one to one wherever they can be:

* tabs and fixed spaces become a space, CR LF becomes a line feed;
* U+0002 is a hyphen at a line's end (whose line break PDFium drops: "for-" + "ward" reads
  "for-ward") where PDFium says so, otherwise the raw code of a font without meanings;
* surrogate halves, which come as two characters, become one;
* controls, lone surrogates and codes above U+10FFFF become U+FFFD.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from docqa.datamodel import Span
from docqa.loaders.offset_map import OffsetMap, OffsetMapBuilder, SegmentKind

__all__ = [
    "PageText",
    "TextInsertion",
    "characters",
    "insert",
    "page_text",
    "printable",
    "reordered",
]

REPLACEMENT = "\ufffd"

_HYPHEN_CODE = "\x02"

_CONTROLS = [*range(0x09), *range(0x0B, 0x0D), *range(0x0E, 0x20), *range(0x7F, 0xA0)]

_ONE_TO_ONE = {
    **dict.fromkeys(_CONTROLS, REPLACEMENT),
    **dict.fromkeys([*range(0xD800, 0xE000), 0xFFFE, 0xFFFF], REPLACEMENT),
    **dict.fromkeys([0x09, 0xA0, *range(0x2000, 0x200B), 0x202F, 0x205F, 0x3000], " "),
    0x0D: "\n",
}

_SEVERAL = re.compile("\r\n|[\ud800-\udbff][\udc00-\udfff]")

_NEEDS_REPLACEMENT = re.compile(
    "[^\n -~¡-\u1fff\u2010-\u2027\u2030-\u205e\u2060-\u2fff\u3001-\ud7ff]"
)


@dataclass(frozen=True, slots=True)
class PageText:
    """A page's text and its map to the page's character indexes."""

    text: str
    offsets: OffsetMap


@dataclass(frozen=True, slots=True)
class TextInsertion:
    """Characters to add to a page's text.

    Attributes:
        position: offset in the page's text before which they go.
        text: the characters.
        source: their first index in the page's source, which goes on past its characters.
        before, after: implied layout around them.
    """

    position: int
    text: str
    source: int
    before: str
    after: str


def page_text(
    codes: Sequence[int],
    is_hyphen: Callable[[int], bool],
    left_out: Collection[int] = (),
    parted: Collection[int] = (),
) -> PageText:
    r"""Return the text of a page.

    Args:
        codes: one code per character index.
        is_hyphen: says of an index whose code is U+0002 whether it is a hyphen at a line's end.
        left_out: indexes of characters that are not to be in the text.
        parted: indexes of characters before which a space is put.

    >>> page = page_text([0x66, 0x6F, 0x72, 2, 0x77, 13, 10, 0xD835, 0xDC00], lambda index: True)
    >>> page.text
    'for-w\n𝐀'
    >>> page.offsets.to_source(Span(6, 7))
    (Span(start=7, end=9),)
    """
    raw = characters(codes)
    clean = _replace(raw, is_hyphen) if _NEEDS_REPLACEMENT.search(raw) else raw
    builder, pieces, start = OffsetMapBuilder(), [], 0
    for gap in _gaps(raw, left_out, parted):
        pieces.append(clean[start : gap.start])
        builder.verbatim(gap.start - start, start)
        if not gap:
            pieces.append(" ")
            builder.synthetic(1)
        elif gap.start not in left_out:
            pieces.append(_joined(raw[gap.start : gap.end]))
            builder.atom(1, gap.start, gap.end)
        start = gap.end
    pieces.append(clean[start:])
    builder.verbatim(len(clean) - start, start)
    return PageText("".join(pieces), builder.build())


def printable(text: str) -> str:
    r"""Return a text from elsewhere in the file with the replacements that a page's text has.

    >>> printable("a\tb\r\nc\x01")
    'a b\nc�'
    """
    return text.replace("\r\n", "\n").translate(_ONE_TO_ONE)


def characters(codes: Sequence[int]) -> str:
    """Return one character per code; surrogates stay, other codes become U+FFFD."""
    try:
        return array("I", codes).tobytes().decode("utf-32", "surrogatepass")
    except UnicodeDecodeError:
        return "".join(chr(code) if code <= 0x10FFFF else REPLACEMENT for code in codes)


def _replace(raw: str, is_hyphen: Callable[[int], bool]) -> str:
    clean = raw.translate(_ONE_TO_ONE)
    if _HYPHEN_CODE not in raw:
        return clean
    characters = list(clean)
    for match in re.finditer(_HYPHEN_CODE, raw):
        if is_hyphen(match.start()):
            characters[match.start()] = "-"
    return "".join(characters)


def _gaps(raw: str, left_out: Collection[int], parted: Collection[int]) -> list[Span]:
    """Return where the text is not one to one: atoms, characters left out, added spaces."""
    atoms = [Span(*match.span()) for match in _SEVERAL.finditer(raw)]
    if not left_out and not parted:
        return atoms
    kept = [span for span in atoms if not any(i in left_out for i in range(span.start, span.end))]
    spaces = (Span(index, index) for index in parted)
    return sorted([*kept, *spaces, *(Span(index, index + 1) for index in left_out)])


def _joined(pair: str) -> str:
    if pair == "\r\n":
        return "\n"
    return pair.encode("utf-16", "surrogatepass").decode("utf-16")


def insert(page: PageText, insertions: Sequence[TextInsertion]) -> PageText:
    """Return the page's text with `insertions`, which are in order of their positions."""
    builder, pieces, start = OffsetMapBuilder(), [], 0
    for each in insertions:
        _copy(builder, page.offsets, Span(start, each.position))
        builder.synthetic(len(each.before))
        builder.verbatim(len(each.text), each.source)
        builder.synthetic(len(each.after))
        pieces += [page.text[start : each.position], each.before, each.text, each.after]
        start = each.position
    _copy(builder, page.offsets, Span(start, len(page.text)))
    return PageText("".join([*pieces, page.text[start:]]), builder.build())


def reordered(page: PageText, pieces: Sequence[Span]) -> PageText:
    """Return the page's text with `pieces` of it in another order, a line each."""
    builder, words = OffsetMapBuilder(), list[str]()
    for number, piece in enumerate(pieces):
        if number:
            builder.synthetic(1)
        _copy(builder, page.offsets, piece)
        words.append(piece.of(page.text))
    return PageText("\n".join(words), builder.build())


def _copy(builder: OffsetMapBuilder, offsets: OffsetMap, span: Span) -> None:
    """Add the part of `offsets` that covers `span`; a cut never falls inside an atom."""
    for segment in offsets.segments(span):
        low, high = max(segment.text.start, span.start), min(segment.text.end, span.end)
        source = segment.source.start
        if segment.kind == SegmentKind.VERBATIM:
            builder.verbatim(high - low, source + low - segment.text.start)
        elif segment.kind == SegmentKind.ATOM:
            builder.atom(high - low, source, segment.source.end)
        else:
            builder.synthetic(high - low)
