"""The places of a quoted text in a document that has changed.

The words themselves must be there, letter by letter; only white space may differ. What stood
around them is compared loosely (edit distance), and decides between several places of the same
words. Where it does not decide, nothing is claimed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from docqa.datamodel import Span

__all__ = ["Anchor", "Quote", "best_anchors", "find_quote"]

# Measured with tests/benchmarks/citations.py, where sentences are cut out and short words of theirs
# remain elsewhere: there one side is at most 0.75 alike and both together at most 0.62.
_LIKE_ON_ONE_SIDE = 0.9
_LIKE_ON_BOTH = 0.7
_MARGIN = 0.05
_SELF_EVIDENT = 40  # characters; so long a quote is no coincidence wherever it stands
_TELLING = 8  # characters; less on one side says little where the other side has more
_READ = 2  # times the recorded length, so that enough is left when white space is folded
_COMPARED = 64  # characters on a side at most, whatever a record says: many places are compared
# Scripts written without spaces: their words have no borders that could be looked for.
_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u9fff\uac00-\ud7af]")


class Quote(NamedTuple):
    """The words of a quote, with the text in front of them and behind them."""

    exact: str
    prefix: str
    suffix: str


@dataclass(frozen=True, slots=True)
class Anchor:
    """A place where the words of a quote stand.

    Attributes:
        span: characters of the text.
        likeness: how much the surroundings are like those recorded, in 0 to 1; 1.0 where none
            were recorded.
        is_supported: the surroundings, or the length of the quote, speak for this place.
        same_spacing: False where white space inside the words differs.
    """

    span: Span
    likeness: float
    is_supported: bool
    same_spacing: bool


def find_quote(text: str, quote: Quote, *, near: int) -> list[Anchor]:
    """Return the places of a quote, best surroundings first.

    Places that are alike are ordered by their distance from `near`.

    >>> quote = Quote("oil", prefix="The lamp burns ", suffix=".")
    >>> for anchor in find_quote("It burns oil. The lamp burns oil.", quote, near=0):
    ...     print(anchor.span, anchor.is_supported)
    Span(start=29, end=32) True
    Span(start=9, end=12) False
    """
    spans, same_spacing = list(_exact(text, quote)), True
    if not spans:
        spans, same_spacing = list(_folded(text, quote)), False
    return sorted(
        (_anchor(text, quote, span, same_spacing) for span in spans),
        key=lambda anchor: (
            not anchor.is_supported,
            -round(anchor.likeness, 2),
            abs(anchor.span.start - near),
        ),
    )


def best_anchors(anchors: Sequence[Anchor]) -> list[Anchor]:
    """Return the supported places that are as good as the best one; often that one alone.

    Args:
        anchors: as `find_quote` returns them.
    """
    return [
        anchor
        for anchor in anchors
        if anchor.is_supported and anchors[0].likeness - anchor.likeness <= _MARGIN
    ]


def _exact(text: str, quote: Quote) -> Iterator[Span]:
    place = text.find(quote.exact)
    while place >= 0:
        span = Span(place, place + len(quote.exact))
        if _keeps_borders(text, quote, span):
            yield span
        place = text.find(quote.exact, place + 1)


def _folded(text: str, quote: Quote) -> Iterator[Span]:
    words = quote.exact.split()
    if len(words) < 2:
        return
    for match in re.finditer(r"\s+".join(map(re.escape, words)), text):
        span = Span(*match.span())
        if _keeps_borders(text, quote, span):
            yield span


def _keeps_borders(text: str, quote: Quote, span: Span) -> bool:
    """Say whether the words end where words end, unless they never did: 63 is not in 1963."""
    before, after = text[max(0, span.start - 1) : span.start], text[span.end : span.end + 1]
    return (_cuts(quote.prefix[-1:], quote.exact[0]) or not _cuts(before, text[span.start])) and (
        _cuts(quote.exact[-1], quote.suffix[:1]) or not _cuts(text[span.end - 1], after)
    )


def _cuts(before: str, after: str) -> bool:
    """Say whether a place between two characters is inside a word."""
    return before.isalnum() and after.isalnum() and not _UNSPACED.match(before + after)


def _anchor(text: str, quote: Quote, span: Span, same_spacing: bool) -> Anchor:
    prefix, suffix = quote.prefix[-_COMPARED:], quote.suffix[:_COMPARED]
    before = text[max(0, span.start - _READ * len(prefix)) : span.start]
    after = text[span.end : span.end + _READ * len(suffix)]
    sides = [_alike(prefix, before, -1), _alike(suffix, after, 1)]
    total = sum(side.length for side in sides)
    if not total:
        return Anchor(span, 1.0, True, same_spacing)
    likeness = sum(side.likeness * side.length for side in sides) / total
    telling = min(_TELLING, max(side.length for side in sides))
    is_supported = (
        len(quote.exact) >= _SELF_EVIDENT
        or likeness >= _LIKE_ON_BOTH
        or any(side.likeness >= _LIKE_ON_ONE_SIDE for side in sides if side.length >= telling)
    )
    return Anchor(span, likeness, is_supported, same_spacing)


class _Side(NamedTuple):
    """The likeness of two surroundings on one side, and the number of characters compared."""

    likeness: float
    length: int


def _alike(recorded: str, found: str, direction: int) -> _Side:
    """Compare two surroundings, white space folded.

    Args:
        recorded: what stood beside the words.
        found: what stands there, at least as much.
        direction: -1 when it ends at the words, 1 when it starts at them.
    """
    from rapidfuzz.distance import Levenshtein

    wanted, got = " ".join(recorded.split()), " ".join(found.split())
    got = got[-len(wanted) :] if direction < 0 else got[: len(wanted)]
    return _Side(float(Levenshtein.normalized_similarity(wanted, got)), len(wanted))
