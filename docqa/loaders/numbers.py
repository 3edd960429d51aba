"""Arrays of whole numbers, under a name that can be read at run time.

``array[int]`` cannot be evaluated before Python 3.12, and the types of plain data that come from
the isolation worker are evaluated.
"""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING

__all__ = ["Numbers"]

if TYPE_CHECKING:
    Numbers = array[int]
else:
    Numbers = array
