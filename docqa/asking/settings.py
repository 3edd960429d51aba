"""Settings of asking, with their defaults and their ranges."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from numbers import Integral, Real

from docqa.datamodel import Content, ReadSettings
from docqa.errors import SettingError

__all__ = [
    "DEFAULT_MIN_SCORE",
    "DEFAULT_TOP_PASSAGES",
    "AskSettings",
    "Splitting",
    "at_least_1",
    "share",
]

# Chosen on SQuAD articles, papers and PDFs: docs/measurements/answers.md has the alternatives,
# docs/measurements/calibration.md those of the threshold.
DEFAULT_TOP_PASSAGES = 10
DEFAULT_MIN_SCORE = 0.1


@dataclass(frozen=True, slots=True)
class Splitting:
    """The settings under which documents are split; None leaves a size to the splitter.

    Attributes:
        passage_tokens, overlap, content: see `docqa.Pipeline`.
    """

    passage_tokens: int | None = None
    overlap: int | None = None
    content: Content = "all"


@dataclass(frozen=True, slots=True)
class AskSettings:
    """The settings of one call.

    Attributes:
        top_k: the number of answers to a question, at most.
        min_score: answers with a lower score are left out, in 0 to 1.
        top_passages: the number of passages that are read for a question; None for all.
    """

    top_k: int
    min_score: float
    top_passages: int | None

    def with_sizes(self, *, passage_tokens: int, overlap: int, content: Content) -> ReadSettings:
        """Return the settings that answers record: these, and how the document was split."""
        return ReadSettings(
            passage_tokens=passage_tokens,
            overlap=overlap,
            content=content,
            top_passages=self.top_passages,
            min_score=self.min_score,
        )


def at_least_1(name: str, value: int) -> int:
    """Return a setting that counts something.

    Raises:
        SettingError: it is no whole number, below 1, or more than any document has.
    """
    if not isinstance(value, Integral):
        raise SettingError(f"{name} must be a whole number, not {value!r}")
    if value < 1:
        raise SettingError(f"{name} must be at least 1, not {value}")
    if value > sys.maxsize:
        raise SettingError(f"{name} must be at most {sys.maxsize}, not {value}")
    return value


def share(name: str, value: float) -> float:
    """Return a setting that is a share.

    Raises:
        SettingError: it is no number in 0 to 1.
    """
    if not isinstance(value, Real):
        raise SettingError(f"{name} must be a number, not {value!r}")
    if not 0.0 <= value <= 1.0:
        raise SettingError(f"{name} must lie in 0 to 1, not {value}")
    return value
