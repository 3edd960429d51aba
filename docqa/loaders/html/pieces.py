"""Runs of source text cut into pieces that read as one: words, references, white space."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from docqa.datamodel import Span
from docqa.loaders.html.references import REFERENCE, decode_reference

__all__ = ["Piece", "pieces"]

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
    source: str, span: Span, *, references: bool, keeps_nul: bool, preformatted: bool
) -> Iterator[Piece]:
    """Cut a run of source text into pieces that read as one, dropped characters left out.

    >>> source = "R&amp;D  lab"
    >>> flags = {"references": True, "keeps_nul": False, "preformatted": False}
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
        piece = _special(source, start, end, references=references, keeps_nul=keeps_nul)
        if piece is None:
            continue
        if start > position:
            yield Piece(source[position:start], position, start, verbatim=True)
        position = piece.end
        if piece.text:
            yield piece
    if position < span.end:
        yield Piece(source[position : span.end], position, span.end, verbatim=True)


def _special(
    source: str, start: int, end: int, *, references: bool, keeps_nul: bool
) -> Piece | None:
    """Return the piece that a match is, with no text for a dropped one; None if it is plain."""
    first = source[start]
    if first == "&":
        decoded = decode_reference(source[start:end]) if references else None
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
