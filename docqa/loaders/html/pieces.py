"""Runs of source text cut into pieces that read as one: words, references, white space."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from docqa.datamodel import Span
from docqa.loaders.html.references import (
    REFERENCE,
    decode_attribute_reference,
    decode_reference,
)
from docqa.loaders.html.runs import ATTRIBUTE_REFERENCES
from docqa.loaders.offset_map import OffsetMap, OffsetMapBuilder

__all__ = ["Piece", "decoded_text", "pieces"]

_WHITE = "\t\n\f\r "
_WHITE_RUN = re.compile(r"[\t\n\f\r ]+")
# A single space between two plain characters is no special piece: it stays as it is.
_SPECIAL = re.compile(r"[\t\n\f\r][\t\n\f\r ]*| [\t\n\f\r ]+| (?=[&\0]|\Z)|\0|" + REFERENCE.pattern)
_PRE_SPECIAL = re.compile(r"\r\n?|\0|" + REFERENCE.pattern)


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a run: its text, and its characters of the source.

    Attributes:
        text: decoded; equals the source's characters where `verbatim` is true.
        start, end: characters of the source.
        verbatim: one character is one character.
        white: white space to fold (never inside ``<pre>``).
    """

    text: str
    start: int
    end: int
    verbatim: bool
    white: bool = False


def pieces(
    source: str, span: Span, *, references: int, keeps_nul: bool, preformatted: bool
) -> Iterator[Piece]:
    """Cut a run of source text into pieces that read as one, dropped characters left out.

    `references` says how those of characters count; see `Runs`.

    >>> source = "R&amp;D  lab"
    >>> flags = {"references": 1, "keeps_nul": False, "preformatted": False}
    >>> [piece.text for piece in pieces(source, Span(0, 12), **flags)]
    ['R', '&', 'D', '  ', 'lab']
    """
    position = span.start
    leading = None if preformatted else _WHITE_RUN.match(source, span.start, span.end)
    if leading:
        position = leading.end()
        yield Piece(leading.group(), span.start, position, verbatim=True, white=True)
    pattern = _PRE_SPECIAL if preformatted else _SPECIAL
    for match in pattern.finditer(source, position, span.end):
        start, end = match.span()
        piece = _special(
            source, Span(start, end), span.end, references=references, keeps_nul=keeps_nul
        )
        if piece is None:
            continue
        if start > position:
            yield Piece(source[position:start], position, start, verbatim=True)
        position = piece.end
        if piece.text:
            yield piece
    if position < span.end:
        yield Piece(source[position : span.end], position, span.end, verbatim=True)


def decoded_text(found: Iterable[Piece]) -> tuple[str, OffsetMap]:
    """Return the text of pieces and the map from it to the source."""
    builder, parts = OffsetMapBuilder(), list[str]()
    for piece in found:
        parts.append(piece.text)
        if piece.verbatim:
            builder.verbatim(len(piece.text), piece.start)
        else:
            builder.atom(len(piece.text), piece.start, piece.end)
    return "".join(parts), builder.build()


def _special(
    source: str, match: Span, limit: int, *, references: int, keeps_nul: bool
) -> Piece | None:
    """Return the piece that a match is, with no text for a dropped one; None if it is plain."""
    start, end = match.start, match.end
    first = source[start]
    if first == "&":
        raw, decoded = source[start:end], None
        if references == ATTRIBUTE_REFERENCES:
            decoded = decode_attribute_reference(raw, source[end : min(end + 1, limit)])
        elif references:
            decoded = decode_reference(raw)
        if decoded is None:
            return None
        white = not decoded[0].strip(_WHITE)
        return Piece(decoded[0], start, start + decoded[1], verbatim=False, white=white)
    if first == "\0":
        text = "\N{REPLACEMENT CHARACTER}" if keeps_nul else ""
        return Piece(text, start, end, verbatim=False)
    if first == "\r" and source[start:end] in ("\r", "\r\n"):
        return Piece("\n", start, end, verbatim=False, white=True)
    return Piece(source[start:end], start, end, verbatim=True, white=True)
