"""Columns of whole numbers, with checks for columns from an untrusted process.

``array[int]`` cannot be evaluated before Python 3.12, and the types of plain data that come from
the isolation worker are evaluated; `Numbers` can be.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import TYPE_CHECKING

__all__ = ["Numbers", "of_one_length", "within"]

if TYPE_CHECKING:
    Numbers = array[int]
else:
    Numbers = array


def of_one_length(*columns: Sequence[int]) -> bool:
    """Say whether all columns have the same number of rows."""
    return len({len(column) for column in columns}) == 1


def within(numbers: Sequence[int], low: int, end: int) -> bool:
    """Say whether all numbers lie in ``[low, end)``; so do none.

    >>> within([0, 3], 0, 4), within([0, 4], 0, 4), within([], 0, 0)
    (True, False, True)
    """
    return not numbers or (min(numbers) >= low and max(numbers) < end)
