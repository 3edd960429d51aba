"""The exact places of words that a caller quotes, read as people read them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from docqa.datamodel import Span
from docqa.folding import with_offsets

__all__ = ["NearestText", "nearest_text", "quoted_spans"]

_BROKEN = r"(?:\u00ad|[-\u2010]\s*\n\s*)?"  # a word may be divided at the end of a line
_QUOTES = str.maketrans("\u2018\u2019\u201a\u201c\u201d\u201e\u2010\u2011", "'''\"\"\"--")
_MOST_WORDS = 400
_COMPARED = 2_000_000  # characters of a text that a near quote is looked for in


@dataclass(frozen=True, slots=True)
class NearestText:
    """The text that is most like a quote which a document does not have.

    Attributes:
        span: characters of the text.
        likeness: in 0 to 1.
    """

    span: Span
    likeness: float


def quoted_spans(text: str, words: str, *, limit: int, ignore_case: bool = True) -> list[Span]:
    r"""Return the places of words in a text, in order; at most `limit`.

    White space, ligatures and full-width letters, curly quotation marks, soft hyphens and words
    divided at the end of a line do not matter. Case does, unless nothing is found with it and
    `ignore_case` is true.

    >>> quoted_spans("The oﬃce of the lamp-\nlighter", "office of  the lamplighter", limit=5)
    [Span(start=4, end=29)]
    """
    wanted = with_offsets(words)[0].translate(_QUOTES).split()[:_MOST_WORDS]
    if not wanted:
        return []
    folded, offsets = with_offsets(text)
    folded = folded.translate(_QUOTES)
    pattern = r"\s+".join(_BROKEN.join(map(re.escape, word)) for word in wanted)
    for flags in (0, re.IGNORECASE) if ignore_case else (0,):
        found = []
        for match in re.finditer(pattern, folded, flags):
            start, last = match.start(), match.end() - 1
            if offsets is not None:
                start, last = offsets[start], offsets[last]
            found.append(Span(start, last + 1))
            if len(found) == limit:
                break
        if found:
            return found
    return []


def nearest_text(text: str, words: str) -> NearestText | None:
    """Return the place of a text that is most like some words; None where nothing is like them.

    It begins and ends with whole words.

    >>> nearest_text("It was lit in October 1871.", "lit in Octobre 1871")
    NearestText(span=Span(start=7, end=27), likeness=0.947...)
    """
    from rapidfuzz.fuzz import partial_ratio_alignment

    found = partial_ratio_alignment(words, text[:_COMPARED], score_cutoff=60.0)
    if found is None or found.dest_start >= found.dest_end:
        return None
    start, end = found.dest_start, found.dest_end
    while start > 0 and not (text[start].isspace() or text[start - 1].isspace()):
        start -= 1
    while end < len(text) and not (text[end - 1].isspace() or text[end].isspace()):
        end += 1
    start += len(text[start:end]) - len(text[start:end].lstrip())
    return NearestText(Span(start, start + len(text[start:end].rstrip())), found.score / 100)
