"""The colours of answers: distinct in any colour vision, the same in every format.

The fills were found by search among light shades: black text on each has a contrast of at least 9:1
(WCAG 2.2 asks 7:1 for its highest level), and any two differ by at least 26 (CIE 1976) as seen with
normal vision and with each of three kinds of colour blindness (Machado, Oliveira and Fernandes, "A
physiologically-based model for simulation of color vision deficiency", 2009). The tints of a
palette for charts, that of Okabe and Ito, come as near as 5.
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["PALETTE", "Colour", "colour", "fraction"]


class Colour(NamedTuple):
    """The two shades of one answer, as ``#rrggbb``.

    Attributes:
        name: for readers who cannot see it.
        fill: behind or over the words of the answer.
        faint: the same for further places of the same words.
        line: strong, for thin outlines and for marks on white.
    """

    name: str
    fill: str
    faint: str
    line: str


PALETTE = (
    Colour("yellow", "#ffd84a", "#fff2b8", "#856a00"),
    Colour("violet", "#b4a5f0", "#e1dbf9", "#5a46b8"),
    Colour("orange", "#f0965a", "#f9d5bd", "#a8480a"),
    Colour("mint", "#5affa5", "#bdffdb", "#007a42"),
    Colour("teal", "#78c3a5", "#c9e7db", "#23705a"),
)


def colour(number: int) -> Colour:
    """Return the colour of answer `number` (from 0); after the last one they begin again.

    >>> colour(0).name, colour(len(PALETTE)).name
    ('yellow', 'yellow')
    """
    return PALETTE[number % len(PALETTE)]


def fraction(shade: str) -> tuple[float, float, float]:
    """Return red, green and blue of ``#rrggbb`` in 0 to 1, as PDF counts.

    >>> fraction("#ff0033")
    (1.0, 0.0, 0.2)
    """
    red, green, blue = bytes.fromhex(shade.removeprefix("#"))
    return red / 255, green / 255, blue / 255
