"""Give answers colours that readers with any colour vision tell apart, the same in every format.

The hues are those of Okabe and Ito, "Color Universal Design" (2008), https://jfly.uni-koeln.de/color/
without black and orange (too near to yellow once it is light). Fills are their tints, light enough
to read black text through: contrast at least 9:1, where WCAG 2.2 asks 7:1 for its highest level.
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["PALETTE", "Colour", "colour", "fraction"]


class Colour(NamedTuple):
    """Hold the two shades of one answer, as ``#rrggbb``.

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
    Colour("yellow", "#ffdf4d", "#fff3b8", "#8a6d00"),
    Colour("blue", "#8fd0f5", "#d2ecfb", "#0072b2"),
    Colour("pink", "#efb4d3", "#f9e1ed", "#a4427a"),
    Colour("green", "#7fd6b9", "#ccefe3", "#00785a"),
    Colour("vermilion", "#ffab7a", "#ffddc9", "#b54a00"),
    Colour("grey", "#c9c9c9", "#e6e6e6", "#595959"),
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
