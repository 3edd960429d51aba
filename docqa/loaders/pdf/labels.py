"""Find the numbers printed on pages, for files that declare no page labels.

Nearly no filing declares labels (0 of 25), yet people say "page 60" and mean the printed number.
It stands at an end of a short line near the page's edge and grows by one from page to page, so
the pages vote: candidates whose difference to the page's index stays the same over a run of pages
are the printed numbers. Runs, not one offset for the file, because files are composed of parts
(a report with its own numbering inside a filing, "i, ii, iii" before "1, 2, 3", "F-1, F-2").
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

__all__ = ["Candidate", "candidates", "printed_labels"]

_FIRST_LINES, _LAST_LINES = 2, 3
_LONGEST_LINE = 200  # characters; a running header has fewer, a paragraph on one line more
_ORNAMENT = 6  # characters beside a number that is alone on its line: "Page 7", "- 7 -"
_LONGEST_GAP = 6  # pages in a row without their number (plates, first pages of chapters)
_FEWEST_VOTES = 3.0
_WEAK_VOTE = 0.6  # of a number beside words: footnotes and list items count up for a few pages too
_SHARE_OF_RUN = 0.5  # of the pages from the first to the last vote of a run

_NUMBER = r"(?P<prefix>[A-Z]{1,3}[-–.])?(?P<number>\d{1,4}|[ivxlc]{1,9}|[IVXLC]{1,9})"
_AT_START = re.compile(rf"\W{{0,3}}(?:[Pp]age )?{_NUMBER}(?=\W{{0,3}}$|[\s|•·–—-])")
_AT_END = re.compile(rf"(?:^|(?<=[\s|•·–—-])){_NUMBER}(?P<suffix>\W{{0,3}})$")
_OF_TOTAL = re.compile(rf"(?:^|(?<=\s)){_NUMBER}\s?(?:of|/|von|de|sur)\s?\d{{1,4}}\W{{0,3}}$")

_ROMAN_DIGITS = (
    (100, "c"), (90, "xc"), (50, "l"), (40, "xl"),
    (10, "x"), (9, "ix"), (5, "v"), (4, "iv"), (1, "i"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Candidate:
    """A number that may be a printed page number.

    Attributes:
        style: what numbers of one numbering share: ``"1"``, ``"i"``, ``"I"``, after any prefix.
        value: the number.
        alone: whether nothing else is on its line.
    """

    style: str
    value: int
    alone: bool = True

    @property
    def label(self) -> str:
        """Return the number as printed.

        >>> Candidate("F-1", 12).label, Candidate("i", 4).label
        ('F-12', 'iv')
        """
        return _written(self.style, self.value)


@dataclass(frozen=True, slots=True)
class _Run:
    """Pages ``[first, last]`` (from 0) whose numbers of one style grow with the index."""

    style: str
    offset: int
    first: int
    last: int
    votes: float


def candidates(text: str) -> frozenset[Candidate]:
    r"""Return the numbers at the ends of the lines near the edges of a page.

    >>> sorted(found.label for found in candidates("Annual report 12\nSales rose.\n- 34 -"))
    ['12', '34']
    """
    return frozenset(found for line in _edge_lines(text) for found in _in_line(line))


def printed_labels(pages: Sequence[Iterable[Candidate]]) -> list[str | None]:
    """Return each page's printed number, or None where no numbering is found.

    A page between numbered pages gets its number even if it does not show it.

    >>> number = lambda style, value: [Candidate(style, value)]
    >>> printed_labels([[], number("i", 2), number("i", 3), number("i", 4),
    ...                 number("1", 1), [], number("1", 3), number("1", 4)])
    [None, 'ii', 'iii', 'iv', '1', '2', '3', '4']
    """
    labels: list[str | None] = [None] * len(pages)
    for run in sorted(_runs(pages), key=lambda run: (-run.votes, run.first, run.style)):
        inside = range(run.first, run.last + 1)
        if all(labels[index] is None for index in inside):
            for index in inside:
                labels[index] = _written(run.style, index + run.offset)
    return labels


def _edge_lines(text: str) -> list[str]:
    lines = [line.strip() for line in text.split("\n") if line.strip()]
    edges = [*lines[:_FIRST_LINES], *lines[_FIRST_LINES:][-_LAST_LINES:]]
    return [line for line in edges if len(line) <= _LONGEST_LINE]


def _in_line(line: str) -> Iterator[Candidate]:
    for match in (_AT_START.match(line), _AT_END.search(line), _OF_TOTAL.search(line)):
        if match is None:
            continue
        prefix, number = match["prefix"] or "", match["number"]
        alone = match.end() - match.start() > len(line) - _ORNAMENT
        if number.isdecimal():
            yield Candidate(f"{prefix}1", int(number), alone)
        elif value := _roman_value(number.lower()):
            yield Candidate(prefix + ("i" if number.islower() else "I"), value, alone)


def _runs(pages: Sequence[Iterable[Candidate]]) -> Iterator[_Run]:
    """Yield the runs of one style and one offset that enough pages vote for."""
    voters: dict[tuple[str, int], dict[int, float]] = defaultdict(dict)
    for index, found in enumerate(pages):
        for candidate in found:
            votes = voters[candidate.style, candidate.value - index]
            votes[index] = max(votes.get(index, _WEAK_VOTE), 1.0 if candidate.alone else _WEAK_VOTE)
    fewest = min(_FEWEST_VOTES, max(2, len(pages)))
    for (style, offset), votes in voters.items():
        for group in _groups(list(votes)):
            total = sum(votes[index] for index in group)
            if total >= fewest and len(group) >= _SHARE_OF_RUN * (group[-1] - group[0] + 1):
                yield _Run(style, offset, group[0], group[-1], total)


def _groups(indexes: Sequence[int]) -> Iterator[list[int]]:
    """Cut rising page indexes where too many pages lie between two of them.

    >>> list(_groups([1, 2, 4, 30, 31]))
    [[1, 2, 4], [30, 31]]
    """
    group = [indexes[0]]
    for index in indexes[1:]:
        if index - group[-1] > _LONGEST_GAP:
            yield group
            group = []
        group.append(index)
    yield group


def _written(style: str, value: int) -> str:
    prefix, numerals = style[:-1], style[-1]
    if numerals == "1":
        return f"{prefix}{value}"
    roman = _roman(value)
    return prefix + (roman if numerals == "i" else roman.upper())


def _roman(value: int) -> str:
    """Write `value` in lower-case roman numerals.

    >>> _roman(4), _roman(49)
    ('iv', 'xlix')
    """
    digits = []
    for worth, digit in _ROMAN_DIGITS:
        count, value = divmod(value, worth)
        digits.append(digit * count)
    return "".join(digits)


def _roman_value(number: str) -> int:
    """Read lower-case roman numerals below 400; 0 for one that is not written canonically.

    >>> _roman_value("xiv"), _roman_value("iiii")
    (14, 0)
    """
    value, rest = 0, number
    for worth, digit in _ROMAN_DIGITS:
        while rest.startswith(digit):
            value, rest = value + worth, rest[len(digit) :]
    return value if not rest and _roman(value) == number else 0
