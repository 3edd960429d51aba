"""Text directives, the part of a URL after ``:~:``, and where a browser finds them.

Source: URL Fragment Text Directives (WICG, scroll-to-text-fragment), "finding ranges in a
document".
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from typing import NamedTuple
from urllib.parse import quote

from docqa.datamodel import Span

__all__ = ["FragmentMatcher", "TextDirective", "is_unspaced", "is_word_character"]

_MAX_CANDIDATES = 500
"""Places of a term that are looked at before a fragment is given up as hopelessly ambiguous."""

_BY_HAND = {
    **dict.fromkeys("‘’‚\N{HEBREW PUNCTUATION GERESH}", "'"),
    **dict.fromkeys("“”„\N{HEBREW PUNCTUATION GERSHAYIM}", '"'),
    **{
        "\N{SOFT HYPHEN}": "",
        "\N{FRACTION SLASH}": "/",
        "æ": "ae",
        "Æ": "ae",
        "œ": "oe",
        "Œ": "oe",
    },
}
_FRACTION_SLASH = str.maketrans("\N{FRACTION SLASH}", "/")
# UAX 29 joins words at these: low line, soft hyphen, zero-width (non-)joiner, word joiner.
_JOINERS = "_\u00ad\u200c\u200d\u2060"
# Scripts written without spaces: a browser's dictionary may see a border between any two letters.
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff"
    "\U00020000-\U0003ffff]"
)


class TextDirective(NamedTuple):
    """The four terms of a text directive; an absent one is empty."""

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


class FragmentMatcher:
    """A matcher of text directives in one page's visible text.

    Args:
        text: the visible text; line ends and tabs stand between blocks.
        seams: offsets at which a browser may see a word's border whatever the letters.
    """

    def __init__(self, text: str, seams: Iterable[int] = ()) -> None:
        self._text = text
        self._seams = frozenset(seams)
        self._folded_text: str | None = None
        self._expanded_text: str | None = None

    def resolve(self, directive: TextDirective) -> Span | None:
        """Return the range that a browser would scroll to, or None.

        Stricter than a browser about word borders in no place, so that a range found here is
        found there too, and first.
        """
        if self._has_look_alikes(directive):
            return None
        prefix, start, end, suffix = (_fold(term) for term in directive)
        for place in self._candidates(prefix, start, bounded=bool(end) or not suffix):
            if not end:
                if not suffix or self._suffix_follows(suffix, place.end):
                    return place
                continue
            found = self._end_of_range(end, suffix, place.end)
            return Span(place.start, found) if found is not None else None
        return None

    def _has_look_alikes(self, directive: TextDirective) -> bool:
        """Say whether a term stands somewhere in characters that only together are its own.

        So it is with "Straße" and "strasse", "ﬁ" and "fi": a browser may stop there.
        """
        if self._expanded_text is None:
            self._expanded_text = _expand(self._text)
        if self._expanded_text == self._folded:
            return False
        return any(
            self._expanded_text.count(_expand(term)) != self._folded.count(_fold(term))
            for term in (directive.prefix or directive.start, directive.end)
            if term
        )

    @property
    def _folded(self) -> str:
        if self._folded_text is None:
            self._folded_text = _fold(self._text)
        return self._folded_text

    def _candidates(self, prefix: str, start: str, *, bounded: bool) -> Iterator[Span]:
        """Yield the places of `start` (right after `prefix`, if given), in order."""
        term = prefix or start
        for count, place in enumerate(self._places(term)):
            if count == _MAX_CANDIDATES:
                return
            if not prefix:
                if not bounded or self._is_border(place + len(start)):
                    yield Span(place, place + len(start))
                continue
            after = self.skip_white(place + len(prefix))
            end = after + len(start)
            if self._folded.startswith(start, after) and (not bounded or self._is_border(end)):
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
        after = self.skip_white(position)
        return self._folded.startswith(suffix, after) and self._is_border(after + len(suffix))

    def skip_white(self, position: int) -> int:
        """Return the first place from `position` on that holds no white space."""
        while position < len(self._text) and self._text[position].isspace():
            position += 1
        return position

    def _is_border(self, position: int) -> bool:
        """Say whether a browser may see a word's border at `position`."""
        if position in (0, len(self._text)) or position in self._seams:
            return True
        before, after = self._text[position - 1], self._text[position]
        is_inside = is_word_character(before) and is_word_character(after)
        return not is_inside or is_unspaced(before + after)


def is_unspaced(text: str) -> bool:
    """Say whether `text` holds a letter of a script that is written without spaces."""
    return _UNSPACED.search(text) is not None


def is_word_character(char: str) -> bool:
    """Say whether a character belongs to words: letters, digits, marks on them, joiners.

    >>> [is_word_character(char) for char in ("a", "_", "\N{COMBINING ACUTE ACCENT}", "-")]
    [True, True, True, False]
    """
    return char.isalnum() or char in _JOINERS or unicodedata.category(char)[0] == "M"


def _fold(text: str) -> str:
    r"""Return `text` in lower case without accents, character by character.

    >>> _fold("École 1\N{NO-BREAK SPACE}A ①")
    'ecole 1 a 1'
    """
    return text.translate({ord(char): _fold_character(char) for char in set(text)})


def _fold_character(char: str) -> str:
    folded = _expand_character(char)
    return folded if len(folded) == 1 else char


def _expand(text: str) -> str:
    """Return `text` folded, where one character may become several or none.

    >>> _expand("Straße ½ “ﬁn\u00adal”")
    'strasse 1/2 "final"'
    """
    return text.translate({ord(char): _expand_character(char) for char in set(text)})


def _expand_character(char: str) -> str:
    """Return a character as a browser compares it: base letters, in lower case.

    Sources: the root collation of CLDR at primary strength, by which Chromium compares, and the
    quotes and the soft hyphen that it folds before.
    """
    if char in _BY_HAND:
        return _BY_HAND[char]
    parts = unicodedata.normalize("NFKD", char).translate(_FRACTION_SLASH)
    # From class 10 on: accents and vowel points, but not the viramas of Indic scripts.
    return "".join(part for part in parts if unicodedata.combining(part) < 10).casefold()


def _encode(term: str) -> str:
    """Percent-encode a term; dash, comma and ampersand have a meaning in the directive."""
    return quote(term, safe="!'()*~._").replace("-", "%2D")
