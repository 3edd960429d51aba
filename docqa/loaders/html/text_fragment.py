"""Text fragments: links of the form ``page#:~:text=words`` that lead to one place and no other.

Source: URL Fragment Text Directives (WICG, scroll-to-text-fragment), "finding ranges in a
document". A fragment is only given where this module's own matcher finds exactly the wanted range.
Checked in Chromium by tests/benchmarks/browser.py.

In scripts without spaces a browser's dictionary decides where words end, and no other program
knows it. There the terms around the text reach to the next punctuation or space: at that a word
ends for certain, and between a term and its neighbour no border is asked for.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from functools import cache

from docqa.datamodel import Span
from docqa.loaders.html.text_directive import (
    FragmentMatcher,
    TextDirective,
    is_unspaced,
    is_word_character,
)

__all__ = ["FragmentFinder"]

_MAX_EXACT = 300
"""Longer text is named by its first and last words."""

_CONTEXT_WORDS = (0, 2, 4, 8, 16)
_CONTEXT_CHARACTERS = 400
_EDGE_WORDS = (3, 6, 12)
_BREAKS = "\n\t"


class FragmentFinder:
    """A finder of text fragments for spans of one page's visible text.

    Args:
        text: the visible text; line ends and tabs stand between blocks.
        seams: rising offsets at which a box in the line begins or ends; no term crosses one, nor
            does the context beside the text.
    """

    def __init__(self, text: str, seams: Sequence[int] = ()) -> None:
        self._text = text
        self._seams = seams
        self._matcher = FragmentMatcher(text, seams)

    def find(self, span: Span) -> str | None:
        """Return a fragment that resolves to `span` alone, or None.

        The span is widened to whole words where its script has spaces between them. A span that
        reaches over blocks has none: style sheets decide what stands and shows between blocks, and
        fragments that led nowhere in Chromium were of that kind (docs/measurements/citations.md).
        """
        target = self._whole_words(span)
        if not target or any(char in target.of(self._text) for char in _BREAKS):
            return None
        for directive in self._directives(target):
            if self._matcher.resolve(directive) == target:
                return directive.encode()
        return None

    def _whole_words(self, span: Span) -> Span:
        start, end = span.start, span.end
        text = self._text
        while start < end and text[start].isspace():
            start += 1
        while end > start and text[end - 1].isspace():
            end -= 1
        if start == end:
            return Span(start, end)
        while start and _is_mark(text[start]):  # it belongs to the letter before it
            start -= 1
        while end < len(text) and _is_mark(text[end]):
            end += 1
        first, last = self._spaced_word(start), self._spaced_word(end)
        return Span(first.start if first else start, last.end if last else end)

    def _spaced_word(self, position: int) -> Span | None:
        """Return the word around `position`, None where scripts without spaces meet there."""
        letters = self._text[max(0, position - 1) : position + 1]
        return None if is_unspaced(letters) else self._word_around(position)

    def _word_around(self, position: int) -> Span | None:
        """Return the word that `position` stands inside of, not at its border."""
        low = max(self._line_start(position), position - _CONTEXT_CHARACTERS)
        high = min(self._line_end(position), position + _CONTEXT_CHARACTERS)
        words = self._words(low, high)
        return next((word for word in words if word.start < position < word.end), None)

    def _directives(self, target: Span) -> Iterator[TextDirective]:
        text = target.of(self._text)
        is_whole = not self._has_seam(target.start + 1, target.end)
        is_exact = is_whole and len(text) <= _MAX_EXACT
        terms = [(text, "")] if is_exact else list(self._edges(target))
        for words in _CONTEXT_WORDS:
            prefix, suffix = self._prefix(target.start, words), self._suffix(target.end, words)
            if prefix is None or suffix is None:
                return
            for start, end in terms:
                yield TextDirective(prefix, start, end, suffix)

    def _prefix(self, position: int, words: int) -> str | None:
        """Return the text before `position`, from a border on; None where none is near."""
        around = self._word_around(position)
        if around is None:
            return self._before(position, words)
        if _is_cut(self._text, around.start):
            return None
        low = max(self._line_start(position), around.start - _CONTEXT_CHARACTERS)
        found = [word for word in self._words(low, around.start) if not _is_cut(self._text, low)]
        start = found[-min(words, len(found))].start if words and found else around.start
        return self._text[start:position]

    def _suffix(self, position: int, words: int) -> str | None:
        """Return the text after `position`, up to a border; None where none is near."""
        around = self._word_around(position)
        if around is None:
            return self._after(position, words)
        if _is_cut(self._text, around.end):
            return None
        high = min(self._line_end(position), around.end + _CONTEXT_CHARACTERS)
        found = [word for word in self._words(around.end, high) if not _is_cut(self._text, high)]
        end = found[min(words, len(found)) - 1].end if words and found else around.end
        return self._text[position:end]

    def _edges(self, target: Span) -> Iterator[tuple[str, str]]:
        """Yield first and last words of a long target, ever more of them."""
        first_end = min(target.end, self._line_end(target.start))
        last_start = max(target.start, self._line_start(target.end - 1))
        first = list(self._words(target.start, first_end))
        last = list(self._words(last_start, target.end))
        if first_end == target.end:  # one line: the two terms must not overlap
            half = len(first) // 2
            first, last = first[:half], last[half:]
        if not first or not last:
            return
        for words in _EDGE_WORDS:
            start = self._text[target.start : first[min(words, len(first)) - 1].end]
            end = self._text[last[-min(words, len(last))].start : target.end]
            yield start, end

    def _before(self, position: int, words: int) -> str:
        """Return up to `words` words before `position`, of its line or of the line before."""
        if not words:
            return ""
        behind = position
        while position > 0 and self._text[position - 1].isspace():
            position -= 1
        if self._has_seam(position, behind + 1):
            return ""
        start = max(self._line_start(position), position - _CONTEXT_CHARACTERS)
        found = list(self._words(start, position))
        if _is_cut(self._text, start) and not self._has_seam(start, start + 1):
            found = found[1:]  # it is the end of a word
        return self._text[found[-min(words, len(found))].start : position].strip() if found else ""

    def _after(self, position: int, words: int) -> str:
        """Return up to `words` words after `position`, of its line or of the line after."""
        if not words:
            return ""
        ahead, position = position, self._matcher.skip_white(position)
        if self._has_seam(ahead, position + 1):
            return ""
        end = self._line_end(position)
        found = list(self._words(position, min(end, position + _CONTEXT_CHARACTERS)))
        if end > position + _CONTEXT_CHARACTERS:
            found = found[:-1]  # it may be the start of a word
        return self._text[position : found[min(words, len(found)) - 1].end] if found else ""

    def _words(self, start: int, end: int) -> Iterator[Span]:
        for match in _words().finditer(self._text, start, end):
            yield Span(*match.span())

    def _line_start(self, position: int) -> int:
        """Return the last start of a line at or before `position`."""
        at = bisect_right(self._seams, position)
        breaks = (self._text.rfind(char, 0, position) + 1 for char in _BREAKS)
        return max(self._seams[at - 1] if at else 0, *breaks)

    def _line_end(self, position: int) -> int:
        """Return the first end of a line after `position`, or at it where its line is empty."""
        at = bisect_right(self._seams, position)
        ends = [self._text.find(char, position) for char in _BREAKS]
        ends += self._seams[at : at + 1]
        return min((end for end in ends if end >= 0), default=len(self._text))

    def _has_seam(self, start: int, end: int) -> bool:
        """Say whether a seam lies in ``[start, end)``."""
        at = bisect_left(self._seams, start)
        return at < len(self._seams) and self._seams[at] < end


def _is_mark(char: str) -> bool:
    return unicodedata.category(char)[0] == "M"


def _is_cut(text: str, position: int) -> bool:
    """Say whether `position` is between two characters of words."""
    beside = text[max(0, position - 1) : position + 1]
    return len(beside) == 2 and all(map(is_word_character, beside))


@cache
def _words() -> re.Pattern[str]:
    """Return the pattern of words as UAX 29 joins them: "can't", "example.com", "1,000.50"."""
    others = (chr(code) for code in range(0x80, 0x10000))  # what `re` leaves out of its \\w
    extra = "".join(char for char in others if is_word_character(char) and not char.isalnum())
    part = rf"[\w{re.escape(extra)}]+"
    return re.compile(
        rf"{part}(?:(?:(?<=[^\W\d_])[.'’·:](?=[^\W\d_])|(?<=\d)[.,;'’](?=\d)){part})*"
    )
