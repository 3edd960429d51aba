"""Find the characters that a page holds but does not show, because they lie outside its edges.

Printers' slugs, the other half of a double page, running heads cut away by the crop box: PDFium
returns them all (up to 775 of a page's 2,002 characters). Readers do not see
them, so they are no answers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from docqa._pdfium import PdfPage, UserBox

__all__ = ["SPACES", "lies_outside", "outside_indexes", "with_space"]

_SLACK = 1.0  # points over the edge at which a closer look starts
_FAR = 1e6  # points: beyond any page (the largest is 200 inches, 14,400 points)
SPACES = frozenset({0x09, 0x0A, 0x0D, 0x20, 0xA0})


def outside_indexes(page: PdfPage, codes: Sequence[int]) -> frozenset[int]:
    """Return the indexes of the characters whose centre lies outside the displayed page.

    The white space behind them goes with them where there is white space, or nothing, before them.
    A page without extent shows nothing at all; there all characters are kept.
    """
    frame = page.frame
    if frame.width <= 0 or frame.height <= 0 or not any(map(page.has_text, _margins(frame.box))):
        return frozenset()
    return with_space(codes, lambda index: codes[index] not in SPACES and _is_outside(page, index))


def with_space(codes: Sequence[int], is_unseen: Callable[[int], bool]) -> frozenset[int]:
    """Return the indexes of unseen characters, and of the white space that goes with them.

    It goes with those before it where there is white space, or nothing, before them.

    Args:
        codes: a code for each character.
        is_unseen: says whether the character at an index is one; asked once, in their order.

    >>> sorted(with_space([ord(letter) for letter in "a xy z"], {2, 3}.__contains__))
    [2, 3, 4]
    """
    unseen: set[int] = set()
    after_space = True
    for index, code in enumerate(codes):
        is_space = code in SPACES
        if is_unseen(index) or (is_space and after_space and index - 1 in unseen):
            unseen.add(index)
        else:
            after_space = is_space
    return frozenset(unseen)


def _margins(box: UserBox) -> list[UserBox]:
    """Return the four areas outside a page's edges."""
    return [
        UserBox(-_FAR, -_FAR, box.left - _SLACK, _FAR),
        UserBox(box.right + _SLACK, -_FAR, _FAR, _FAR),
        UserBox(-_FAR, box.top + _SLACK, _FAR, _FAR),
        UserBox(-_FAR, -_FAR, _FAR, box.bottom - _SLACK),
    ]


def _is_outside(page: PdfPage, index: int) -> bool:
    """Judge by the full-height box: a line across the edge is in or out as a whole."""
    box = page.loose_box(index)
    return box is not None and lies_outside(box, page.frame.box)


def lies_outside(box: UserBox, shown: UserBox) -> bool:
    """Say whether the centre of `box` lies outside the part of the page that is shown.

    >>> lies_outside(UserBox(90, 0, 130, 10), UserBox(0, 0, 100, 100))
    True
    """
    x, y = (box.left + box.right) / 2, (box.bottom + box.top) / 2
    return not (shown.left <= x <= shown.right and shown.bottom <= y <= shown.top)
