"""Characters that are read as others: full-width letters, ligatures, letters of formulas.

The index and the reader fold them alike, so that a question finds and reads what a page spells in
another way. Positions do not move: a folded text leads back to its own characters.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache

__all__ = ["folded_letters", "parted_numbers", "with_offsets"]

# Full-width digits and letters, ligatures of Latin letters, mathematical letters and digits.
_FOLDED = re.compile("[\uff10-\uff19\uff21-\uff3a\uff41-\uff5a\ufb00-\ufb06\U0001d400-\U0001d7ff]")
# Digits that stand higher or lower, fractions and numbers in circles: none is a digit of a number.
_NUMBERS = (
    "\u00b2\u00b3\u00b9\u00bc-\u00be\u2070\u2074-\u2079\u2080-\u2089"
    "\u2150-\u215f\u2189\u2460-\u249b"
)
_BESIDE_NUMBER = re.compile(rf"(?<=\d)(?=[{_NUMBERS}])|(?<=[{_NUMBERS}])(?=\d)")


@lru_cache(maxsize=4096)
def _plain(character: str) -> str:
    return unicodedata.normalize("NFKC", character)


def folded_letters(text: str) -> str:
    """Return a text with plain letters and digits in place of their other forms.

    >>> folded_letters("Ｐｅｔｒｅｌ １９８８, oﬃce, 𝐱 and 10⁶")
    'Petrel 1988, office, x and 10⁶'
    """
    return text if text.isascii() else _FOLDED.sub(lambda match: _plain(match.group()), text)


def with_offsets(text: str) -> tuple[str, Sequence[int] | None]:
    """Return a folded text, and which character of `text` each of its characters comes from.

    None stands for no change of length: each comes from the character at its place.

    >>> with_offsets("oﬃce"), with_offsets("１９")
    (('office', [0, 1, 1, 1, 2, 3]), ('19', None))
    """
    folded = folded_letters(text)
    if len(folded) == len(text):
        return folded, None
    offsets: list[int] = []
    for place, character in enumerate(text):
        offsets += [place] * len(folded_letters(character))
    return folded, offsets


def parted_numbers(text: str) -> str:
    """Return a text with a space between digits and raised digits, fractions or circled numbers.

    Their compatibility forms are digits: 10⁶ would be 106, and 3½ would be 31/2.

    >>> parted_numbers("10⁶ m², 3½")
    '10 ⁶ m², 3 ½'
    """
    return text if text.isascii() else _BESIDE_NUMBER.sub(" ", text)
