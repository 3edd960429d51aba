"""The form of a text: its whole words and numbers, its pairs of brackets, its labels of places.

A reader's start and end logits know words, not forms: they cut "10/459" out of "10/459,977" and
leave brackets open. The characters of a text say which spans are whole, before any is ranked.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from docqa.datamodel import Span

if TYPE_CHECKING:
    from numpy.typing import NDArray

    BoolArray = NDArray[np.bool_]
    IntArray = NDArray[np.int32]

__all__ = ["TextForm", "contents_lines", "text_form"]

# Letters and digits of scripts that put spaces between words; other words have no visible ends.
_LETTER = r"[^\W_\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u9fff\uac00-\ud7af]"
_IN_WORDS = (
    r"(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve"
    r"|(?:thir|four|fif|six|seven|eigh|nine)teen|(?:twen|thir|for|fif|six|seven|eigh|nine)ty"
    r"|hundred|thousand|million|billion)"
)
_WORD = re.compile(rf"{_LETTER}{{2,}}")
_CONTRACTED = re.compile(rf"(?<=\w)['’](?!s\b){_LETTER}")
_INITIALS = re.compile(rf"{_LETTER}(?:\.{_LETTER})+\b\.?")  # U.S.
_NUMBER = re.compile(
    rf"""(?:(?:\b[A-Z]{{1,3}})?[$€£¥₹]\s?)?(?:(?<![\w)])[-−+])?     # US$, a sign
    (?:\d+(?:-\d+){{2,}}|\d{_LETTER}*(?:(?<=\d)[.,:/](?=\d){_LETTER}+)*)  # 2024-05-31; 10/459,977
    (?:\s?[%‰](?!\w)|[^\S\n]?[€£¥₹$](?!\s?\d))?              # 5 %""",
    re.VERBOSE,
)
_ADDRESS = re.compile(r"(?:https?://|www\.)[^\s<>\"()]*[^\s<>\"().,;:!?]|\b[\w.+-]{1,64}@[\w.-]+\w")
_BESIDE_NUMBER = re.compile(r"\([$€£]?\d|\d\s?\(")
_SPELLED_OUT = re.compile(
    rf"""\b{_IN_WORDS}(?:(?:[\s-]|\sand\s){_IN_WORDS})*(?:\sper\s?cent)?\s?\([$€£]?\d[\d.,]*\s?%?\)
    |\d+\s?\({_IN_WORDS}(?:[\s-]{_IN_WORDS})*\)""",  # fifty (50); 50 (fifty)
    re.VERBOSE | re.IGNORECASE,
)
_MARK = re.compile(r"[()\[\]{}“”„«»\"]")
_DEEPEST = 20  # brackets in one another; bounds the cost of odd text
_CLOSED_BY = {"(": ")", "[": "]", "{": "}", "“": "”", "„": "“”", "«": "»", '"': '"'}
# A signature's mark, leaders and bullets: no answer begins or ends with one.
_NO_WORDS = re.compile(r"/s/|\.{4,}|(?:\.\s){3,}\.?|…{2,}|[•·∙●○◦■□▪▫◆◇►▶➢➤‣⁃✓✔❖]")
_STOP = re.compile(r"[.,;:!?…]+(?!\w)")  # of what stands before; ".5" and ".NET" begin words
_KEYWORD = r"(?:Section|Article|Clause|Chapter|Part|Item|Exhibit|Schedule|Appendix|Annex|§+)"
_ENUMERATOR = re.compile(
    rf"""(?:[(\[](?:\d{{1,3}}|[A-Za-z]|[ivxIVX]{{1,5}})[)\]]            # (a)
    |\d{{1,3}}[.)]                                                    # 1.
    |(?:\d{{1,2}}(?:\.\d{{1,2}})+|(?i:{_KEYWORD})\s?(?:\d[\d.]*|[IVX]+|[A-Z]))\b
        (?:[.):]|(?=\s+[“"(]?[A-Z]))                                  # 9.4 Law; Section 5: Law
    )[\s–—-]+(?=[“"(]?[^\W\d_])""",
    re.VERBOSE,
)
_NUMBER_OF_HEADING = re.compile(rf"{_ENUMERATOR.pattern}|[IVX]{{2,}}\.\s+(?=[A-Z])", re.VERBOSE)
_SMALL_WORD = re.compile(r"(?:an?|and|as|at|by|for|from|in|of|on|or|the|to|under|with)\b")
_LONGEST_HEADING = 60  # characters
_UNIT = re.compile(r"\([^()\n]{0,40}\b(?:millions|thousands|billions)\b[^()\n]{0,60}\)")
_LEADING = re.compile(
    r"(?<!\.)(?<!\.\s)(?:\.{4,}|(?:\.[ ]){3,}\.?|…{2,})[ \t]*(\d{1,4})[ \t\r]*$", re.MULTILINE
)
_FEWEST_OF_CONTENTS = 3  # lines whose numbers rise


@dataclass(frozen=True, slots=True)
class TextForm:
    """The form of a text with `n` characters.

    Attributes:
        inside: shape ``(n + 1,)``, True between two characters that are never parted.
        pair: shape ``(n + 1,)``, the number of the innermost brackets or quotation marks around
            the place between two characters; 0 for none.
        no_words: shape ``(n,)``, True for characters that no answer begins or ends with.
        stop: shape ``(n,)``, True for full stops, commas and the like, which no answer begins with.
        label: shape ``(n,)``, True for characters that say where something stands or how it is
            counted: enumerators, numbered headings, lines of contents, units of tables.
    """

    inside: BoolArray
    pair: IntArray
    no_words: BoolArray
    stop: BoolArray
    label: BoolArray


@lru_cache(maxsize=2048)  # about 5 kB each
def text_form(text: str, borders: tuple[int, ...]) -> TextForm:
    """Return the form of a text whose blocks begin at `borders`.

    >>> form = text_form("pay $28,286 (net)", ())
    >>> form.inside[4:12].tolist(), form.pair[12:15].tolist()
    ([False, True, True, True, True, True, True, False], [0, 1, 1])
    """
    blocks = list(pairwise(sorted({0, *(at for at in borders if at < len(text)), len(text)})))
    pair = np.zeros(len(text) + 1, np.int32)
    for number, (start, end) in enumerate(sorted(_pairs(text, blocks)), start=1):
        pair[start + 1 : end] = number
    inside = _mask(len(text) + 1, _wholes(text), first=1)
    inside[[start for start, _ in blocks]] = False
    return TextForm(
        inside=inside,
        pair=pair,
        no_words=_mask(len(text), (match.span() for match in _NO_WORDS.finditer(text))),
        stop=_mask(len(text), (match.span() for match in _STOP.finditer(text))),
        label=_mask(len(text), _labels(text, blocks)),
    )


def _wholes(text: str) -> Iterator[tuple[int, int]]:
    """Yield the words, numbers and addresses of a text; they may overlap."""
    patterns = [_WORD, _NUMBER, _INITIALS]
    if "'" in text or "’" in text:
        yield from ((at.start() - 1, at.end()) for at in _CONTRACTED.finditer(text))
    if "@" in text or "www." in text or "://" in text:
        patterns.append(_ADDRESS)
    if _BESIDE_NUMBER.search(text):
        patterns.append(_SPELLED_OUT)
    for pattern in patterns:
        yield from (match.span() for match in pattern.finditer(text))


def _mask(size: int, spans: Iterable[tuple[int, int]], *, first: int = 0) -> BoolArray:
    """Return True at the places of spans, from their place number `first` on."""
    edges = np.array(list(spans), np.int64).reshape(-1, 2)
    begun = np.bincount(edges[:, 0] + first, minlength=size + 1)
    ended = np.bincount(edges[:, 1], minlength=size + 1)
    mask: BoolArray = np.cumsum(begun[:size] - ended[:size]) > 0
    return mask


def _pairs(text: str, blocks: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Yield the brackets and quotation marks that have a partner in their block, nested."""
    for begin, stop in blocks:
        opened: list[tuple[str, int]] = []
        for match in _MARK.finditer(text, begin, stop):
            mark, at = match.group(), match.start()
            opens = mark in _CLOSED_BY and (mark != '"' or _opens_quote(text, at))
            partner = next((each for each in reversed(opened) if mark in _CLOSED_BY[each[0]]), None)
            if partner is not None and not (mark == '"' and opens):
                yield partner[1], at + 1
                del opened[opened.index(partner) :]
            elif opens and len(opened) < _DEEPEST:
                opened.append((mark, at))


def _opens_quote(text: str, at: int) -> bool:
    """Say whether a straight quotation mark stands before a word and behind none."""
    return text[at + 1 : at + 2].strip() != "" and not (at and text[at - 1].isalnum())


def _labels(text: str, blocks: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Yield the stretches that say where something stands or how it is counted."""
    for number, (start, stop) in enumerate(blocks):
        begin = start + len(text[start:stop]) - len(text[start:stop].lstrip())
        if enumerator := _ENUMERATOR.match(text, begin, stop):
            yield enumerator.span()
        if number + 1 < len(blocks) and _is_numbered_heading(text[begin:stop].rstrip()):
            after = text[slice(*blocks[number + 1])].strip()
            if len(after) > stop - begin and not _is_numbered_heading(after):
                yield begin, stop
    for match in _UNIT.finditer(text):
        yield match.span()
    yield from ((title.start, number.end) for title, number in contents_lines(text))


@lru_cache(maxsize=256)
def contents_lines(text: str) -> tuple[tuple[Span, Span], ...]:
    r"""Return the titles and the page numbers of the lines of a table of contents.

    >>> text = "Scope ..... 3\nTerm ..... 14\nLiability ..... 17"
    >>> [(title.of(text), number.of(text)) for title, number in contents_lines(text)]
    [('Scope ', '3'), ('Term ', '14'), ('Liability ', '17')]
    """
    if "...." not in text and ". . ." not in text and "…" not in text:
        return ()
    lines = list(_LEADING.finditer(text))
    numbers = [int(line.group(1)) for line in lines]
    if len(lines) < _FEWEST_OF_CONTENTS or numbers != sorted(numbers):
        return ()
    starts = (text.rfind("\n", 0, line.start()) + 1 for line in lines)
    return tuple(
        (Span(start, line.start()), Span(*line.span(1)))
        for start, line in zip(starts, lines, strict=True)
        if start < line.start()
    )


def _is_numbered_heading(content: str) -> bool:
    """Say whether a block is a number and a few words, the important ones with capitals.

    >>> _is_numbered_heading("9.4 Law of the Contract."), _is_numbered_heading("2. Eight weeks")
    (True, False)
    """
    number = _NUMBER_OF_HEADING.match(content) if len(content) <= _LONGEST_HEADING else None
    words = content[number.end() :].split() if number else []
    return bool(words) and all(
        word[0].isupper() or _SMALL_WORD.match(word) for word in words if word[0].isalpha()
    )
