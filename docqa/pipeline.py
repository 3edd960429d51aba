"""The public names of `docqa.asking`, at the path that users know."""

from docqa.asking.ask import ask
from docqa.asking.pipeline import Pipeline
from docqa.asking.settings import (
    DEFAULT_MIN_SCORE,
    DEFAULT_TOP_PASSAGES,
    Splitting,
)
from docqa.datamodel import Content

__all__ = [
    "DEFAULT_MIN_SCORE",
    "DEFAULT_TOP_PASSAGES",
    "Content",
    "Pipeline",
    "Splitting",
    "ask",
]
