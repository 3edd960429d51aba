"""Terms of a text as BM25 counts them; the same for passages and for queries.

* Letters are folded: compatibility forms (NFKC), case, accents of Latin letters. Raised digits and
  fractions stay apart from the digits beside them.
* Words are stemmed (Snowball, English rules); function words of English are left out.
* Numbers keep one form: ``1,577.50`` and ``1577.50`` are one term; signs of currency are left out.
* What a hyphen, slash or full stop joins (``long-term``, ``AB-1234/5``, ``12.3.4``), or a change
  between letters and digits (``28mm``), gives its parts and the whole. So does a word that a line
  end cuts, whether the line break is still there (``for-`` / ``ward``) or not (``for-ward``).
* ``§`` is the word "section".
* Scripts that put no spaces between words (Chinese, Japanese, Thai ...) and Korean give pairs of
  neighbouring characters, as Lucene's CJKAnalyzer does; a character that stands alone is a term.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING

from docqa.folding import parted_numbers

if TYPE_CHECKING:
    from nltk.stem.snowball import EnglishStemmer

__all__ = ["ANALYSIS_VERSION", "STOP_WORDS", "terms"]

ANALYSIS_VERSION = 2
"""Changes whenever the same text gives other terms; stored indexes keep it."""

_FUNCTION_WORDS = """
    a an the this that these those
    i me my we our ours you your yours he him his she her hers it its they them their theirs
    am is are was were be been being do does did doing have has had having
    can could might must shall should will would
    who whom whose which what when where why how
    and or but if nor so than then as because while although though
    of at by for with about against between into through during before after above below to from up
    down in out on off over under again further once upon
    there here all any both each few more most other some such no not only own same too very just
    also s t
"""
STOP_WORDS = frozenset(_FUNCTION_WORDS.split())
"""Folded, before stemming; not "us" and "may", which are also a country and a month."""

_STEMMED_AT_MOST = 40  # characters; longer words are no English ones
_CACHED_AT_MOST = 60  # characters; longer runs hardly ever come back

# Soft hyphen, zero-width characters, marks of direction; Hebrew points, Arabic vowels, tatweel.
_IGNORED = re.compile(
    "[\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff"
    "\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u0640\u064b-\u065f\u0670]"
)
_ACCENTS = re.compile("(?<=[a-z])[\u0300-\u036f]+")
_FOLDED = str.maketrans(
    {
        **dict.fromkeys("\u2010\u2011\u2012\u2013\u2212\ufe63\uff0d", "-"),
        **dict.fromkeys("\u2018\u2019\u02bc\u02b9\uff07", "'"),
        **{"æ": "ae", "œ": "oe", "ø": "o", "đ": "d", "ð": "d", "ħ": "h", "ı": "i", "ł": "l"},
        **{"þ": "th", "§": " section "},
    }
)
_CUT_AT_LINE_END = re.compile(r"(?<=[^\W\d_])-[ \t]*(?:\r\n|[\n\r\f])\s*(?=[^\W\d_])")

_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3041-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff"
    "\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff"
)
# A mark inside a word (Indic vowels, accents that were not folded) is no word border.
_MARKS = "\u0300-\u036f\u0483-\u0487\u0900-\u0963\u0971-\u0dff"
_WORD = rf"(?:(?![{_UNSPACED}])[^\W\d_]|[{_MARKS}])+"
_NUMBER = r"\d+(?:[.,]\d+)*"
_ATOM = rf"(?:{_NUMBER}|{_WORD}(?:'{_WORD})*)"
_COMPOUND = re.compile(rf"{_ATOM}(?:[-/.&_:@+'\\]?{_ATOM})*|[{_UNSPACED}]+|%")
_PARTS = re.compile(_ATOM)
_PLAIN = re.compile(rf"(?:{_WORD}|\d+)")
_INITIALS = re.compile(r"[^\W\d_](?:\.[^\W\d_])+")
_THOUSANDS = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?")
_THOUSANDS_BY_STOPS = re.compile(r"\d{1,3}(?:\.\d{3})+,\d+")
_IS_UNSPACED = re.compile(f"[{_UNSPACED}]")


def terms(text: str) -> list[str]:
    r"""Return the terms of a text in order, with repetitions.

    >>> terms("The company's long-term loans rose 12% to $1,577.5 (§ 12.3(b)).")
    ... # doctest: +NORMALIZE_WHITESPACE
    ['compani', 'long', 'term', 'longterm', 'loan', 'rose', '12', '%', '1577.5', 'section', '12.3',
     'b']
    >>> terms("for-\nward") == terms("for-ward")
    True
    """
    found: list[str] = []
    for run in _fold(text).split():
        found += _cached_terms(run) if len(run) <= _CACHED_AT_MOST else _terms(run)
    return found


def _fold(text: str) -> str:
    """Return the text with different spellings of the same characters and words made equal."""
    if not text.isascii():
        text = parted_numbers(_IGNORED.sub("", text))
        text = unicodedata.normalize("NFKC", text).translate(_FOLDED)
    text = text.casefold()
    if not text.isascii():
        text = _ACCENTS.sub("", unicodedata.normalize("NFD", text)).translate(_FOLDED)
        text = unicodedata.normalize("NFC", text)
    return _CUT_AT_LINE_END.sub("-", text) if "-" in text else text


def _terms(run: str) -> tuple[str, ...]:
    """Return the terms of a run without white space, folded before."""
    return tuple(term for one in _COMPOUND.findall(run) for term in _compound_terms(one))


def _compound_terms(compound: str) -> tuple[str, ...]:
    """Return the terms of one run of joined words and numbers, folded before."""
    if _PLAIN.fullmatch(compound):
        return _word_terms(compound)
    if _IS_UNSPACED.match(compound):
        return tuple(_pairs(compound))
    if _INITIALS.fullmatch(compound):  # "u.s." is "us"
        return (compound.replace(".", ""),)
    parts = _PARTS.findall(compound)
    split = tuple(term for part in parts for term in _part_terms(part))
    if len(parts) < 2:
        return split or (compound,)
    whole = "".join(part.replace(",", "") for part in parts)
    return (*split, *(_word_terms(whole) if whole.isalpha() else (whole,)))


_cached_terms = lru_cache(maxsize=100_000)(_terms)


def _part_terms(part: str) -> tuple[str, ...]:
    if part[0].isdigit():
        return _number_terms(part)
    words = part.split("'")
    # "company's" is "company"; "l'avion" is also "avion".
    inner = tuple(word for word in words[1:] if len(word) > 2)
    whole = tuple(term.replace("'", "") for term in _word_terms(part))
    return whole + tuple(term for word in inner for term in _word_terms(word))


def _number_terms(number: str) -> tuple[str, ...]:
    """Return a number without thousands separators, decimals after a full stop.

    Groups that are no thousands (a date ``31.12.2020``, a section ``12.3.4``) give their parts too.
    """
    if _THOUSANDS.fullmatch(number):
        return (number.replace(",", ""),)
    if _THOUSANDS_BY_STOPS.fullmatch(number):
        return (number.replace(".", "").replace(",", "."),)
    number = number.replace(",", ".")
    parts = number.split(".")
    return (number, *parts) if len(parts) > 2 else (number,)


def _word_terms(word: str) -> tuple[str, ...]:
    if word in STOP_WORDS:
        return ()
    return (_stem(word),)


def _pairs(run: str) -> Iterator[str]:
    if len(run) == 1:
        yield run
    for first, second in pairwise(run):
        yield first + second


@lru_cache(maxsize=100_000)
def _stem(word: str) -> str:
    if word.isdigit() or len(word) > _STEMMED_AT_MOST:
        return word
    stem: str = _stemmer().stem(word)
    return stem


@lru_cache(maxsize=1)
def _stemmer() -> EnglishStemmer:
    from nltk.stem.snowball import EnglishStemmer

    return EnglishStemmer()
