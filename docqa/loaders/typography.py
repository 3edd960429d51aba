"""The meaning of how characters are set: raised, lowered, crossed out.

On a page, the size and the height of characters tell 10⁶ from 106 and the mark of note 3 from a
digit. In a text a space does it: "10 6", "45 3", "$11 99". Where letters alone meet, nothing is
put between them: "1st", "H2O" and "m2" are written like that.
"""

from __future__ import annotations

import re

from docqa.datamodel import LoadWarning

__all__ = ["CONTEXT", "is_parted", "struck_warning"]

CONTEXT = 12
"""Characters on each side of a change of height that decide about a space."""

# What ends before the change of height, and what begins after it.
_PARTED = tuple(
    (re.compile(before), re.compile(after))
    for before, after in (
        # A number, or what stands between it and a note's mark: 45.³, 7%².
        (r"(?:\d|[^\w\s$€£¥#(\[{/⁄^=<>~≈+−–±-])\Z", r"[+−–±-]?\d|[+−–±-]\Z"),
        # A note's mark behind a word or a name; units and formulas are shorter.
        (r"(?:[^\W\d_]{4,}|[A-Z][a-z]{2,})\Z", r"\d"),
        (r"\d\Z", r"(?![eoEO])[^\W\d_](?!\w)"),  # 45ᵃ, but 2ᵉ and 3ᵒ
        (r"(?<![^\W_])(?:\d{1,3}|[a-z])\Z", r"[^\W\d_]{4,}"),  # ³Measured in 2019
    )
)


def is_parted(before: str, after: str) -> bool:
    """Say whether a space keeps two strings apart that stand side by side at different heights.

    Args:
        before: ends where the height changes.
        after: begins there.

    >>> [is_parted(*pair) for pair in (("10", "6"), ("45.", "3"), ("10", "−6"), ("notes", "12"))]
    [True, True, True, True]
    >>> [is_parted(*pair) for pair in (("1", "st"), ("H", "2"), ("km", "2"), ("10 ", "6"))]
    [False, False, False, False]
    """
    return any(one.search(before) and two.match(after) for one, two in _PARTED)


def struck_warning(count: int) -> LoadWarning:
    """Return the warning of a document in which `count` characters are crossed out."""
    return LoadWarning(
        "struck-text", f"{count:,} characters are crossed out (deleted text); they are left out"
    )
