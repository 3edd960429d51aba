"""Exact match and F1 by the rules of the official SQuAD evaluation, v1.1 and v2.0.

Rajpurkar et al. 2016 (arXiv 1606.05250) and 2018 (arXiv 1806.03822). The two differ where nothing
is left of a text once it is normalized: v2.0 counts "no answer" as right for a question without
one, and passes over gold answers such as "the".
"""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Iterable

__all__ = ["exact_match", "f1", "gold_answers", "normalize"]

_ARTICLES = re.compile(r"\b(a|an|the)\b")
_PUNCTUATION = dict.fromkeys(map(ord, string.punctuation))


def normalize(text: str) -> str:
    """Lower the case; drop ASCII punctuation, then articles; fold white space.

    >>> normalize("The  U.S. Army,")
    'us army'
    """
    return " ".join(_ARTICLES.sub(" ", text.lower().translate(_PUNCTUATION)).split())


def gold_answers(golds: Iterable[str]) -> tuple[str, ...]:
    """Return the gold answers that v2.0 compares with; no answer is the empty one.

    >>> gold_answers(["the", "the Hague"]), gold_answers([])
    (('the Hague',), ('',))
    """
    return tuple(gold for gold in golds if normalize(gold)) or ("",)


def exact_match(prediction: str, golds: Iterable[str]) -> float:
    """Return 1.0 if the normalized prediction equals a normalized gold answer, else 0.0."""
    return float(any(normalize(prediction) == normalize(gold) for gold in golds))


def f1(prediction: str, golds: Iterable[str]) -> float:
    """Return the best token F1 over the gold answers, in 0 to 1.

    The empty gold answer (see `gold_answers`) is matched by a prediction of no word alone.

    >>> round(f1("in the year 1911", ["1911"]), 3)
    0.5
    >>> f1("", [""]), f1("1911", [""])
    (1.0, 0.0)
    """
    return max(_f1(prediction, gold) for gold in golds)


def _f1(prediction: str, gold: str) -> float:
    if not gold:
        return float(not normalize(prediction))
    predicted, wanted = normalize(prediction).split(), normalize(gold).split()
    shared = sum((Counter(predicted) & Counter(wanted)).values())
    if not shared:
        return 0.0
    precision, recall = shared / len(predicted), shared / len(wanted)
    return 2 * precision * recall / (precision + recall)
