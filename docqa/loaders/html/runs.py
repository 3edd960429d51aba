"""Runs of source text, and the markers that stand for them in the marked source."""

from __future__ import annotations

import re
from array import array
from dataclasses import dataclass, field
from operator import le

from docqa.loaders.numbers import Numbers, of_one_length, within

__all__ = ["ATTRIBUTE_REFERENCES", "Runs", "marker", "runs_of"]

ATTRIBUTE_REFERENCES = 2
"""How character references count in a run that is an attribute's value; see `Runs`."""

_HIGH, _LOW, _BITS = 0xF0000, 0x100000, 15  # both digits stay inside the private-use planes
_LOW_MASK = (1 << _BITS) - 1
_MARKER = re.compile(
    f"([{chr(_HIGH)}-{chr(_HIGH + _LOW_MASK)}])([{chr(_LOW)}-{chr(_LOW + _LOW_MASK)}])"
    r"| ([\t\n]+)"
)
_TO_WHITE = str.maketrans("01", "\t\n")
_FROM_WHITE = str.maketrans("\t\n", "01")


@dataclass(slots=True)
class Runs:
    """The runs of text of a source, in its order: one per marker.

    Attributes:
        start, end: characters of the source, half-open.
        has_references: 1 where character references count, 2 where they do as in an attribute's
            value, 0 in raw text.
        keeps_nul: 1 where U+0000 is read as U+FFFD, 0 where it is dropped.
        in_table: 1 between the cells of a table, from where a browser moves text in front of it.
    """

    start: Numbers = field(default_factory=lambda: array("I"))
    end: Numbers = field(default_factory=lambda: array("I"))
    has_references: Numbers = field(default_factory=lambda: array("B"))
    keeps_nul: Numbers = field(default_factory=lambda: array("B"))
    in_table: Numbers = field(default_factory=lambda: array("B"))

    def require_sound(self, *, source_length: int) -> None:
        """Check the runs that an untrusted process reports: their order and bounds.

        Raises:
            ValueError: a run is out of order or out of bounds.
        """
        is_sound = (
            of_one_length(self.start, self.end, self.has_references, self.keeps_nul, self.in_table)
            and within(self.start, 0, source_length + 1)
            and all(map(le, self.start, self.end))
            and all(map(le, self.end, [*self.start[1:], source_length]))
        )
        if not is_sound:
            raise ValueError("the runs of a page are out of order or out of bounds")

    def add(
        self, start: int, end: int, has_references: int, keeps_nul: bool, *, in_table: bool = False
    ) -> int:
        """Add a run and return its number."""
        self.start.append(start)
        self.end.append(end)
        self.has_references.append(has_references)
        self.keeps_nul.append(keeps_nul)
        self.in_table.append(in_table)
        return len(self.start) - 1


def runs_of(data: str) -> list[int]:
    """Return the numbers of the runs that a text node of the parsed marked source holds."""
    return [
        (ord(high) - _HIGH) << _BITS | (ord(low) - _LOW)
        if high
        else int(white.translate(_FROM_WHITE), 2)
        for high, low, white in _MARKER.findall(data)
    ]


def marker(run: int, *, white: bool) -> str:
    """Write a run's marker; white space stays white space, which tree builders treat apart."""
    if white:
        return " " + f"{run:b}".translate(_TO_WHITE)
    return chr(_HIGH + (run >> _BITS)) + chr(_LOW + (run & _LOW_MASK))
