"""The palette: read through by everybody, told apart by everybody."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from docqa.highlighting.colours import PALETTE, fraction

# Linear RGB as seen without one kind of cones: Machado, Oliveira and Fernandes (2009), table 1,
# severity 1.0.
VISION = {
    "all cones": np.eye(3),
    "no red ones": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "no green ones": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "no blue ones": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}
XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
WHITE = XYZ.sum(axis=1)


def linear(shade: str) -> np.ndarray:
    """Return a colour in linear light (IEC 61966-2-1)."""
    coded = np.array(fraction(shade))
    return np.where(coded <= 0.04045, coded / 12.92, ((coded + 0.055) / 1.055) ** 2.4)


def lab(light: np.ndarray) -> np.ndarray:
    """Return a colour in CIE L*a*b* (1976)."""
    ratio = XYZ @ light / WHITE
    x, y, z = np.where(ratio > 216 / 24389, np.cbrt(ratio), ratio * 841 / 108 + 4 / 29)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def luminance(shade: str) -> float:
    return float(XYZ[1] @ linear(shade))


@pytest.mark.parametrize("colour", PALETTE, ids=lambda colour: colour.name)
def test_text_is_read_through_every_colour(colour) -> None:
    """Black on a fill has 9:1, a line on white 4.5:1 (WCAG 2.2 asks 7 and 3)."""
    assert min(luminance(colour.fill), luminance(colour.faint)) + 0.05 >= 9 * 0.05
    assert 1.05 / (luminance(colour.line) + 0.05) >= 4.5


@pytest.mark.parametrize("vision", VISION)
def test_colours_are_told_apart(vision: str) -> None:
    """No two fills look alike, and none like paper, whatever cones an eye has."""
    fills = ["#ffffff", *(colour.fill for colour in PALETTE)]
    seen = [lab(np.clip(VISION[vision] @ linear(fill), 0, 1)) for fill in fills]
    assert min(np.linalg.norm(one - other) for one, other in combinations(seen, 2)) >= 26
