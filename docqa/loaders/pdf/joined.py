"""Put right how PDFium joins characters: raised digits, drop capitals, letters drawn twice.

PDFium joins what stands close together and ends a line where the baseline moves. So the exponent of
10⁶ reads as a digit, the line goes on below it, and a drop capital parts from its word. The boxes
and baselines of the few characters in question tell what stands on one line, and at which height.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from docqa._pdfium import PdfPage, UserBox
from docqa.loaders.typography import CONTEXT, is_parted

__all__ = ["Joins", "joins"]

_DIGITS = re.compile(r"(?<!\S)[^\s\d]*\d\S*")
_PLAIN = re.compile(r"[$€£¥(+−–-]*(\d)(?:[\d.,]*(\d))?[%),;:]*")
_LINE_END = re.compile(r"(?<=\S)\r\n(?=[^\r\n])")
_CAPITAL = re.compile(r"(?<!\S)([^\W\d_]) (?=[^\W\d_])")
_TWICE = re.compile(r"([^\s\x00-\x1f.])(?=\1)")
_MOVED = 0.08  # of a character's height by which a raised or lowered one stands off the line
_DROP = 1.5  # heights of the next character from which on a capital is a drop capital
_SPACE, _REACH = 0.15, 0.6  # heights: a gap that is a space, one that is no more than that
_SHARED = 0.5  # of the smaller height that two characters of a line share
_SAME_PLACE = 0.6  # of a character's width that it shares with its copy; a ligature's share 0.53


@dataclass(slots=True)
class Joins:
    """Changes to a page's characters, by their indexes.

    Attributes:
        left_out: characters that are no text: line ends inside a line, second copies.
        parted: characters before which a space goes.
    """

    left_out: set[int] = field(default_factory=set)
    parted: set[int] = field(default_factory=set)


def joins(page: PdfPage, raw: str) -> Joins:
    """Return the changes to a page's characters.

    Args:
        page: the loaded page.
        raw: a character for each of its indexes.
    """
    found = Joins()
    for match in _TWICE.finditer(raw):
        kept = match.start()
        while kept in found.left_out:
            kept -= 1
        if page.is_close(kept, match.end()) and _is_copy(page, kept, match.end()):
            found.left_out.add(match.end())
    for match in _LINE_END.finditer(raw):
        if page.may_go_on(match.start() - 1, match.end()):
            _join(page, raw, match.start(), match.end(), found)
    for match in _CAPITAL.finditer(raw):
        if page.is_generated(match.end() - 1):
            _join(page, raw, match.end() - 1, match.end(), found)
    for match in _DIGITS.finditer(raw):
        plain = _PLAIN.fullmatch(match.group())
        ends = (match.start() + plain.start(1), match.start() + plain.end() - 1) if plain else None
        if plain and plain[2]:
            ends = (match.start() + plain.start(1), match.start() + plain.start(2))
        if ends is None or not page.is_level(*ends):
            found.parted.update(_parted(page, raw, match.start(), match.end()))
    found.parted -= found.left_out
    return found


def _is_copy(page: PdfPage, first: int, second: int) -> bool:
    """Say whether a character is drawn over another, as for a bold face that is missing.

    Those of a ligature have one box.
    """
    one, two = page.line_box(first), page.line_box(second)
    if one is None or two is None or one == two:
        return False
    shared = min(one.right, two.right) - max(one.left, two.left)
    height = min(one.top, two.top) - max(one.bottom, two.bottom)
    is_over = shared > _SAME_PLACE * (one.right - one.left) > 0
    return is_over and height > _SAME_PLACE * (one.top - one.bottom)


def _join(page: PdfPage, raw: str, start: int, end: int, found: Joins) -> None:
    """Leave out white space between two characters where they stand side by side on a line."""
    before, after = page.line_box(start - 1), page.line_box(end)
    if before is None or after is None:
        return
    smaller = min(_height(before), _height(after))
    gap, shared = (
        after.left - before.right,
        min(before.top, after.top) - max(before.bottom, after.bottom),
    )
    if not (-_SHARED * smaller <= gap <= _REACH * smaller and shared >= _SHARED * smaller > 0):
        return
    if not _is_moved(page, start - 1, end, smaller):
        return
    is_drop = _height(before) >= _DROP * _height(after) and raw[end].isalpha()
    if is_drop and not re.fullmatch(r"\s?[^\W\d_]", raw[max(0, start - 2) : start]):
        return
    found.left_out.update(range(start, end))
    is_apart = gap > _SPACE * smaller and not raw[end].isspace()
    words = raw[max(0, start - CONTEXT) : start], raw[end : end + CONTEXT]
    if not is_drop and (is_apart or is_parted(*words)):
        found.parted.add(end)


def _is_moved(page: PdfPage, one: int, two: int, height: float) -> bool:
    first, second = page.origin(one), page.origin(two)
    return first.turn == second.turn and abs(first.level - second.level) > _MOVED * height


def _height(box: UserBox) -> float:
    return box.top - box.bottom


def _levels(page: PdfPage, indexes: Sequence[int]) -> list[tuple[int, int]]:
    """Return the runs of characters at one height: their first index and the one after."""
    runs: list[tuple[int, int]] = []
    last: float | None = None
    for index in indexes:
        level = page.origin(index).level
        if last is not None and abs(level - last) > 0.5:  # of a point: no need to ask for boxes
            box = page.line_box(index)
            if box is not None and abs(level - last) > _MOVED * _height(box):
                last = None
        if last is None:
            runs.append((index, index + 1))
            last = level
        runs[-1] = (runs[-1][0], index + 1)
    return runs


def _parted(page: PdfPage, raw: str, start: int, end: int) -> Iterator[int]:
    """Yield the characters of a word before which a space goes."""
    runs = _levels(page, range(start, end))
    for index, stop in runs[1:]:
        if is_parted(raw[max(0, index - CONTEXT) : index], raw[index:stop]):
            yield index
