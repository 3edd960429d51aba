"""The public names of `docqa.asking.pipeline`, at the path that users know."""

from docqa.asking.pipeline import (
    DEFAULT_MIN_SCORE,
    DEFAULT_RANK_WEIGHT,
    DEFAULT_TOP_PASSAGES,
    Content,
    Pipeline,
    Splitting,
    ask,
)

__all__ = [
    "DEFAULT_MIN_SCORE",
    "DEFAULT_RANK_WEIGHT",
    "DEFAULT_TOP_PASSAGES",
    "Content",
    "Pipeline",
    "Splitting",
    "ask",
]
