"""Exact match and F1 by the rules of the official SQuAD evaluation (Rajpurkar et al. 2016)."""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Iterable

__all__ = ["exact_match", "f1", "normalize"]

_ARTICLES = re.compile(r"\b(a|an|the)\b")
_PUNCTUATION = dict.fromkeys(map(ord, string.punctuation))


def normalize(text: str) -> str:
    """Lower the case; drop ASCII punctuation, then articles; fold white space.

    >>> normalize("The  U.S. Army,")
    'us army'
    """
    return " ".join(_ARTICLES.sub(" ", text.lower().translate(_PUNCTUATION)).split())


def exact_match(prediction: str, golds: Iterable[str]) -> float:
    """Return 1.0 if the normalized prediction equals a normalized gold answer, else 0.0."""
    return float(any(normalize(prediction) == normalize(gold) for gold in golds))


def f1(prediction: str, golds: Iterable[str]) -> float:
    """Return the best token F1 over the gold answers, in 0 to 1.

    >>> round(f1("in the year 1911", ["1911"]), 3)
    0.5
    """
    return max(_f1(normalize(prediction).split(), normalize(gold).split()) for gold in golds)


def _f1(predicted: list[str], gold: list[str]) -> float:
    shared = sum((Counter(predicted) & Counter(gold)).values())
    if not shared:
        return 0.0
    precision, recall = shared / len(predicted), shared / len(gold)
    return 2 * precision * recall / (precision + recall)
