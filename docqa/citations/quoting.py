"""The exact places of words that a caller quotes, read as people read them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from docqa.datamodel import Span
from docqa.folding import with_offsets

__all__ = ["NearestText", "nearest_text", "quoted_spans"]

_BROKEN = r"(?:\u00ad|[-\u2010][^\S\n]*\n\s*)?"  # a word may be divided at the end of a line
_QUOTES = str.maketrans("\u2018\u2019\u201a\u201c\u201d\u201e\u2010\u2011", "'''\"\"\"--")
_WORDS = 200  # of one pattern
_SPACE = re.compile(r"\s+")
_POINTS = (".", ",")  # inside numbers
_FIRST_OTHER_SCRIPT = "\u0530"  # after Latin, Greek and Cyrillic
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
    `ignore_case` is true. A place inside a longer word or number is none.

    >>> quoted_spans("The oﬃce of the lamp-\nlighter", "office of  the lamplighter", limit=5)
    [Span(start=4, end=29)]
    >>> quoted_spans("lit in 1871", "lit in 187", limit=5)
    []
    """
    wanted = with_offsets(words)[0].translate(_QUOTES).split()
    if not wanted:
        return []
    folded, offsets = with_offsets(text)
    folded = folded.translate(_QUOTES)
    for flags in (0, re.IGNORECASE) if ignore_case else (0,):
        found = []
        for start, end in _matches(folded, wanted, flags):
            if _is_cut(folded, start, end):
                continue
            if offsets is None:
                found.append(Span(start, end))
            else:
                found.append(Span(offsets[start], offsets[end - 1] + 1))
            if len(found) == limit:
                break
        if found:
            return found
    return []


def _matches(text: str, words: Sequence[str], flags: int) -> Iterator[tuple[int, int]]:
    """Yield the places of words; many words are looked for in parts, since patterns grow."""
    parts = [
        re.compile(
            r"\s+".join(
                _BROKEN.join(map(re.escape, word)) for word in words[first : first + _WORDS]
            ),
            flags,
        )
        for first in range(0, len(words), _WORDS)
    ]
    for match in parts[0].finditer(text):
        end = match.end()
        for part in parts[1:]:
            gap = _SPACE.match(text, end)
            following = gap and part.match(text, gap.end())
            if not following:
                break
            end = following.end()
        else:
            yield match.start(), end


def _is_cut(text: str, start: int, end: int) -> bool:
    """Say whether a place begins or ends inside a word or a number.

    >>> _is_cut("1,500 keys", 2, 5), _is_cut("1,500 keys", 0, 9), _is_cut("1,500 keys", 0, 10)
    (True, True, False)
    """
    before, after = text[max(0, start - 2) : start], text[end : end + 2]
    first, last = text[start], text[end - 1]
    return (
        (_joins(first) and _joins(before[-1:]))
        or (_joins(last) and _joins(after[:1]))
        or (first.isdigit() and before[-1:] in _POINTS and before[:-1].isdigit())
        or (last.isdigit() and after[:1] in _POINTS and after[1:].isdigit())
    )


def _joins(character: str) -> bool:
    """Say whether a character is of a script that parts words by spaces, or a digit."""
    return character.isalnum() and character < _FIRST_OTHER_SCRIPT


def nearest_text(text: str, words: str) -> NearestText | None:
    """Return the place of a text that is most like some words; None where nothing is like them.

    It begins and ends with whole words.

    >>> nearest_text("It was lit in October 1871.", "lit in Octobre 1871").span
    Span(start=7, end=27)
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
