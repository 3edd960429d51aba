"""Find a quoted text again in a document that is not as it was.

The words themselves must be there, letter by letter; only white space may differ. What stood
around them is compared loosely (edit distance), and decides between several places of the same
words. Where it does not decide, nothing is claimed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from docqa.datamodel import Span

__all__ = ["Anchor", "Quote", "find_quote", "is_decided"]

# Measured with tests/benchmarks/citations.py: surroundings of the same words at another place are
# rarely more than 0.45 alike, those of the right place rarely less than 0.7 on their better side.
_LIKE = 0.6
_MARGIN = 0.05
_SELF_EVIDENT = 40  # characters; so long a quote is no coincidence wherever it stands
# Scripts written without spaces: their words have no borders that could be looked for.
_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u9fff\uac00-\ud7af]")


class Quote(NamedTuple):
    """Hold the words that are looked for, and what stood in front of them and behind them."""

    exact: str
    prefix: str
    suffix: str


@dataclass(frozen=True, slots=True)
class Anchor:
    """Hold a place where the words of a quote stand.

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
    """Return the places of a quote that its surroundings speak for, best first.

    Places that are alike are ordered by their distance from `near`.

    >>> found = find_quote("It burns oil. The lamp burns oil.", Quote("oil", "lamp burns ", "."), near=0)
    >>> [anchor.span for anchor in found]
    [Span(start=29, end=32)]
    """
    spans, same_spacing = list(_exact(text, quote)), True
    if not spans:
        spans, same_spacing = list(_folded(text, quote)), False
    anchors = (_anchor(text, quote, span, same_spacing) for span in spans)
    return sorted(
        (anchor for anchor in anchors if anchor.is_supported),
        key=lambda anchor: (-round(anchor.likeness, 2), abs(anchor.span.start - near)),
    )


def is_decided(anchors: list[Anchor]) -> bool:
    """Say whether the first of `anchors` stands out from the others by its surroundings."""
    return len(anchors) == 1 or (
        len(anchors) > 1 and anchors[0].likeness - anchors[1].likeness > _MARGIN
    )


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
    before, after = text[: span.start][-1:], text[span.end : span.end + 1]
    return (_cuts(quote.prefix[-1:], quote.exact[0]) or not _cuts(before, text[span.start])) and (
        _cuts(quote.exact[-1], quote.suffix[:1]) or not _cuts(text[span.end - 1], after)
    )


def _cuts(before: str, after: str) -> bool:
    """Say whether a place between two characters is inside a word."""
    return before.isalnum() and after.isalnum() and not _UNSPACED.match(before + after)


def _anchor(text: str, quote: Quote, span: Span, same_spacing: bool) -> Anchor:
    sides = [
        _alike(quote.prefix, text[max(0, span.start - 2 * len(quote.prefix)) : span.start], -1),
        _alike(quote.suffix, text[span.end : span.end + 2 * len(quote.suffix)], 1),
    ]
    known = [side for side in sides if side is not None]
    likeness = sum(known) / len(known) if known else 1.0
    is_supported = not known or max(known) >= _LIKE or len(quote.exact) >= _SELF_EVIDENT
    return Anchor(span, likeness, is_supported, same_spacing)


def _alike(recorded: str, found: str, direction: int) -> float | None:
    """Return how alike two surroundings are, white space folded; None where none was recorded.

    Args:
        recorded: what stood beside the words.
        found: what stands there, at least as much.
        direction: -1 when it ends at the words, 1 when it starts at them.
    """
    from rapidfuzz.distance import Levenshtein

    wanted, got = " ".join(recorded.split()), " ".join(found.split())
    if not wanted:
        return None
    got = got[-len(wanted) :] if direction < 0 else got[: len(wanted)]
    return float(Levenshtein.normalized_similarity(wanted, got))
