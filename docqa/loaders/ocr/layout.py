"""Put the words that an engine read into lines and paragraphs.

The order is the engine's. A blank line needs two signs: that the engine sees a new paragraph, and
a gap. Tesseract alone takes every line of loosely set text for a paragraph, and begins new blocks
in the middle of sentences.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from docqa.ocr_engine import OcrWord, PixelBox

__all__ = ["layout_before"]

_BLANK_LINE = 1.25  # line heights between two lines; double spacing leaves 1, a blank line 1.4


def layout_before(words: Sequence[OcrWord]) -> list[str]:
    r"""Return the white space before each word: a space, a line feed, two of them, or nothing.

    >>> one = OcrWord("one", PixelBox(0, 0, 30, 10), 0.9, paragraph=0, line=0)
    >>> two = OcrWord("two", PixelBox(40, 0, 70, 10), 0.9, paragraph=0, line=0)
    >>> three = OcrWord("three", PixelBox(0, 40, 50, 50), 0.9, paragraph=1, line=1)
    >>> layout_before([one, two, three])
    ['', ' ', '\n\n']
    """
    lines: dict[int, PixelBox] = {}
    for word in words:
        lines[word.line] = _around(lines.get(word.line, word.box), word.box)
    before = [""] if words else []
    for last, word in pairwise(words):
        if last.line == word.line:
            before.append(" ")
        elif last.paragraph == word.paragraph:
            before.append("\n")
        else:
            has_gap = _is_apart(lines[last.line], lines[word.line])
            before.append("\n\n" if has_gap else "\n")
    return before


def _around(one: PixelBox, other: PixelBox) -> PixelBox:
    return PixelBox(
        min(one.left, other.left),
        min(one.top, other.top),
        max(one.right, other.right),
        max(one.bottom, other.bottom),
    )


def _is_apart(line: PixelBox, following: PixelBox) -> bool:
    """Say whether a blank line would fit between two lines, upright or sideways."""
    is_upright = line.right - line.left >= line.bottom - line.top
    low, high = (1, 3) if is_upright else (0, 2)
    height = min(line[high] - line[low], following[high] - following[low])
    gap = following[low] - line[high]
    if not is_upright:
        gap = max(gap, line[low] - following[high])  # lines follow to the left or to the right
    return gap > _BLANK_LINE * height
