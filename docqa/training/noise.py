"""Questions as people type them: lower case, without a question mark, with a slip of the finger."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

__all__ = ["noisy"]


def noisy(question: str, random: np.random.Generator) -> str:
    """Return a question in lower case without its final mark, half of them with one slip.

    The slip swaps two neighbouring letters inside of a word of at least five letters.

    >>> import numpy
    >>> noisy("Where was Ada Lovelace born?", numpy.random.default_rng(0))
    'where was ada lovelace born'
    """
    plain = question.rstrip(" ?").lower() or question
    words = plain.split(" ")
    long = [number for number, word in enumerate(words) if len(word) >= 5 and word.isalpha()]
    if long and random.random() < 0.5:
        chosen = long[int(random.integers(len(long)))]
        word = words[chosen]
        at = 1 + int(random.integers(len(word) - 3))
        words[chosen] = word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    return " ".join(words)
