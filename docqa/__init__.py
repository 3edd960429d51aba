"""Ask a document: the exact words of the answer and the exact place where they stand.

>>> import docqa
>>> document = docqa.load(b"The lamp burns 40 litres of oil a week.")
>>> document.media_type
'text/plain'
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from docqa.datamodel import (
    Answer,
    Answers,
    AnswerSpan,
    AnswerSpans,
    Block,
    Box,
    Coverage,
    Document,
    DocumentInfo,
    DomPoint,
    DomRange,
    GridItem,
    LoadWarning,
    Occurrence,
    Page,
    PageLocation,
    PartLocation,
    Passage,
    RankedPassage,
    SourceLocation,
    Span,
    TextLocation,
)
from docqa.errors import (
    CollectionError,
    DocqaError,
    EncryptedError,
    HighlightError,
    LoadError,
    MalformedError,
    MissingDependencyError,
    ModelError,
    ModelIncompatibleError,
    ModelNotFoundError,
    NoTextError,
    QuestionError,
    SettingError,
    SourceNotFoundError,
    SourceUnreadableError,
    UnsupportedFormatError,
)
from docqa.loaders.load import load

if TYPE_CHECKING:
    from docqa.answer_report import report
    from docqa.marked_copy import highlight
    from docqa.pipeline import Pipeline, ask
    from docqa.reader.models import load_reader

__version__ = "0.1.0"

_LAZY = {
    "Pipeline": "docqa.pipeline",
    "ask": "docqa.pipeline",
    "highlight": "docqa.marked_copy",
    "load_reader": "docqa.reader.models",
    "report": "docqa.answer_report",
}

__all__ = [
    "Answer",
    "AnswerSpan",
    "AnswerSpans",
    "Answers",
    "Block",
    "Box",
    "CollectionError",
    "Coverage",
    "DocqaError",
    "Document",
    "DocumentInfo",
    "DomPoint",
    "DomRange",
    "EncryptedError",
    "GridItem",
    "HighlightError",
    "LoadError",
    "LoadWarning",
    "MalformedError",
    "MissingDependencyError",
    "ModelError",
    "ModelIncompatibleError",
    "ModelNotFoundError",
    "NoTextError",
    "Occurrence",
    "Page",
    "PageLocation",
    "PartLocation",
    "Passage",
    "Pipeline",
    "QuestionError",
    "RankedPassage",
    "SettingError",
    "SourceLocation",
    "SourceNotFoundError",
    "SourceUnreadableError",
    "Span",
    "TextLocation",
    "UnsupportedFormatError",
    "ask",
    "highlight",
    "load",
    "load_reader",
    "report",
]


def __getattr__(name: str) -> object:
    """Import the pipeline and the reader when they are first used."""
    if name in _LAZY:
        return getattr(import_module(_LAZY[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
