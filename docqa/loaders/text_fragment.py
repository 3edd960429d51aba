"""Text fragments: links of the form ``page#:~:text=words`` that lead to one place and no other.

Source: URL Fragment Text Directives (WICG, scroll-to-text-fragment), "finding ranges in a
document". A fragment is only given where this module's own matcher finds exactly the wanted range.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import quote

from docqa.datamodel import Span

__all__ = ["FragmentFinder", "TextDirective"]

_MAX_EXACT = 300
"""Longer text is named by its first and last words."""

_CONTEXT_WORDS = (0, 2, 4, 8, 16)
_CONTEXT_CHARACTERS = 400
_EDGE_WORDS = (3, 6, 12)
_MAX_CANDIDATES = 500
"""Places of a term that are looked at before a fragment is given up as hopelessly ambiguous."""

# Words as UAX 29 joins them: "can't", "example.com", "1,000.50".
_WORD = re.compile(r"\w+(?:(?:(?<=[^\W\d_])[.'’·:](?=[^\W\d_])|(?<=\d)[.,;'’](?=\d))\w+)*")
_BREAKS = "\n\t"

# Scripts written without spaces: a browser's dictionary may see a border between any two letters.
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff"
    "\U00020000-\U0003ffff]"
)


class TextDirective(NamedTuple):
    """Hold the four terms of a text directive; an absent one is empty."""

    prefix: str
    start: str
    end: str
    suffix: str

    def encode(self) -> str:
        """Return the fragment, with the ``#``.

        >>> TextDirective("", "a-b, c", "", "next").encode()
        '#:~:text=a%2Db%2C%20c,-next'
        """
        parts = [_encode(self.prefix) + "-"] if self.prefix else []
        parts.append(_encode(self.start))
        if self.end:
            parts.append(_encode(self.end))
        if self.suffix:
            parts.append("-" + _encode(self.suffix))
        return "#:~:text=" + ",".join(parts)


class FragmentFinder:
    """Find text fragments for spans of one page's visible text.

    Args:
        text: the visible text; line ends and tabs stand between blocks.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._folded_text: str | None = None

    def find(self, span: Span) -> str | None:
        """Return a fragment that resolves to `span` (widened to whole words) alone, or None."""
        target = self._whole_words(span)
        if not target:
            return None
        for directive in self._directives(target):
            if self.resolve(directive) == target:
                return directive.encode()
        return None

    def resolve(self, directive: TextDirective) -> Span | None:
        """Return the range that a browser would scroll to, or None.

        Stricter than a browser about word borders in no place, so that a range found here is
        found there too, and first.
        """
        prefix, start, end, suffix = (_fold(term) for term in directive)
        for place in self._candidates(prefix, start):
            if not end:
                if not suffix or self._suffix_follows(suffix, place.end):
                    return place
                continue
            found = self._end_of_range(end, suffix, place.end)
            return Span(place.start, found) if found is not None else None
        return None

    # The matcher

    @property
    def _folded(self) -> str:
        if self._folded_text is None:
            self._folded_text = _fold(self._text)
        return self._folded_text

    def _candidates(self, prefix: str, start: str) -> Iterator[Span]:
        """Yield the places of `start` (right after `prefix`, if given), in order."""
        term = prefix or start
        for count, place in enumerate(self._places(term)):
            if count == _MAX_CANDIDATES:
                return
            if not prefix:
                if self._is_border(place + len(start)):
                    yield Span(place, place + len(start))
                continue
            after = self._skip_white(place + len(prefix))
            end = after + len(start)
            if self._folded.startswith(start, after) and self._is_border(end):
                yield Span(after, end)

    def _places(self, term: str, position: int = 0) -> Iterator[int]:
        """Yield where `term` starts at a word's border, from `position` on."""
        place = self._folded.find(term, position)
        while place >= 0:
            if self._is_border(place):
                yield place
            place = self._folded.find(term, place + 1)

    def _end_of_range(self, end: str, suffix: str, position: int) -> int | None:
        for count, place in enumerate(self._places(end, position)):
            after = place + len(end)
            if not suffix and self._is_border(after):
                return after
            if suffix and self._suffix_follows(suffix, after):
                return after
            if count == _MAX_CANDIDATES:
                return None
        return None

    def _suffix_follows(self, suffix: str, position: int) -> bool:
        after = self._skip_white(position)
        return self._folded.startswith(suffix, after) and self._is_border(after + len(suffix))

    def _skip_white(self, position: int) -> int:
        while position < len(self._text) and self._text[position].isspace():
            position += 1
        return position

    def _is_border(self, position: int) -> bool:
        """Say whether a browser may see a word's border at `position`."""
        if position in (0, len(self._text)):
            return True
        before, after = self._text[position - 1], self._text[position]
        if not (_is_word(before) and _is_word(after)):
            return True
        return bool(_UNSPACED.match(before) or _UNSPACED.match(after))

    # Making directives

    def _whole_words(self, span: Span) -> Span:
        start, end = span.start, span.end
        text = self._text
        while start < end and text[start].isspace():
            start += 1
        while end > start and text[end - 1].isspace():
            end -= 1
        if start == end:
            return Span(start, end)
        first, last = self._word_around(start), self._word_around(end)
        return Span(first.start if first else start, last.end if last else end)

    def _word_around(self, position: int) -> Span | None:
        """Return the word that `position` stands inside of, not at its border."""
        low = max(self._line_start(position), position - _CONTEXT_CHARACTERS)
        high = min(self._line_end(position), position + _CONTEXT_CHARACTERS)
        words = self._words(low, high)
        return next((word for word in words if word.start < position < word.end), None)

    def _directives(self, target: Span) -> Iterator[TextDirective]:
        text = target.of(self._text)
        one_line = not any(char in text for char in _BREAKS)
        is_exact = one_line and len(text) <= _MAX_EXACT
        terms = [(text, "")] if is_exact else list(self._edges(target))
        for words in _CONTEXT_WORDS:
            prefix, suffix = self._before(target.start, words), self._after(target.end, words)
            for start, end in terms:
                yield TextDirective(prefix, start, end, suffix)

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
        while position > 0 and self._text[position - 1].isspace():
            position -= 1
        start = max(self._line_start(position), position - _CONTEXT_CHARACTERS)
        found = list(self._words(start, position))
        if start and self._text[start - 1] not in _BREAKS:
            found = found[1:]  # it may be the end of a word
        return self._text[found[-min(words, len(found))].start : position].strip() if found else ""

    def _after(self, position: int, words: int) -> str:
        """Return up to `words` words after `position`, of its line or of the line after."""
        if not words:
            return ""
        position = self._skip_white(position)
        end = self._line_end(position)
        found = list(self._words(position, min(end, position + _CONTEXT_CHARACTERS)))
        if end > position + _CONTEXT_CHARACTERS:
            found = found[:-1]  # it may be the start of a word
        return self._text[position : found[min(words, len(found)) - 1].end] if found else ""

    def _words(self, start: int, end: int) -> Iterator[Span]:
        for match in _WORD.finditer(self._text, start, end):
            yield Span(*match.span())

    def _line_start(self, position: int) -> int:
        return max(self._text.rfind(char, 0, position) for char in _BREAKS) + 1

    def _line_end(self, position: int) -> int:
        ends = [self._text.find(char, position) for char in _BREAKS]
        return min((end for end in ends if end >= 0), default=len(self._text))


def _is_word(char: str) -> bool:
    return char.isalnum() or char == "_"


def _fold(text: str) -> str:
    r"""Return `text` in lower case without accents, character by character.

    >>> _fold("École 1\N{NO-BREAK SPACE}A")
    'ecole 1 a'
    """
    return text.translate({ord(char): _fold_character(char) for char in set(text)})


def _fold_character(char: str) -> str:
    folded = unicodedata.normalize("NFD", char)[0].lower()
    if folded == "\N{NO-BREAK SPACE}":
        return " "
    return folded if len(folded) == 1 else char


def _encode(term: str) -> str:
    """Percent-encode a term; dash, comma and ampersand have a meaning in the directive."""
    return quote(term, safe="!'()*~._").replace("-", "%2D")
