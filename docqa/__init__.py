"""Ask a document: the exact words of the answer and the exact place where they stand.

>>> import docqa
>>> document = docqa.load(b"The lamp burns 40 litres of oil a week.")
>>> document.media_type
'text/plain'
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from docqa._lazy_exports import lazily
from docqa._version import __version__ as __version__
from docqa.datamodel import (
    Answer,
    Answers,
    AnswerSettings,
    AnswerSpan,
    AnswerSpans,
    Block,
    Box,
    Coverage,
    Document,
    DocumentInfo,
    DomPoint,
    DomRange,
    Evidence,
    GridItem,
    LoadWarning,
    Occurrence,
    Page,
    PageLocation,
    PartLocation,
    Passage,
    RankedPassage,
    ReaderInfo,
    ReadSettings,
    SourceLocation,
    Span,
    TextLocation,
)
from docqa.errors import (
    BatchError,
    CalibrationError,
    CitationError,
    ClusterError,
    CollectionError,
    DocqaError,
    EncryptedError,
    HighlightError,
    IsolationError,
    LoaderCrashedError,
    LoadError,
    LoadMemoryError,
    LoadTimeoutError,
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
    TooLargeError,
    UnsupportedFormatError,
)
from docqa.limits import Limits
from docqa.loaders.load import load

if TYPE_CHECKING:
    from docqa.asking.ask import ask
    from docqa.asking.built_answer import cite
    from docqa.asking.pipeline import Pipeline
    from docqa.calibration import Calibration
    from docqa.citations.outcomes import FoundPlace, Verification
    from docqa.citations.records import Citation
    from docqa.citations.verification import verify
    from docqa.collection.collection import Collection
    from docqa.index.contract import Where
    from docqa.reader.models import load_reader
    from docqa.showing.answer_report import report
    from docqa.showing.marked_copy import highlight


_LAZY = {
    "Calibration": "docqa.calibration",
    "Citation": "docqa.citations.records",
    "Collection": "docqa.collection.collection",
    "FoundPlace": "docqa.citations.outcomes",
    "Pipeline": "docqa.asking.pipeline",
    "Where": "docqa.index.contract",
    "Verification": "docqa.citations.outcomes",
    "ask": "docqa.asking.ask",
    "highlight": "docqa.showing.marked_copy",
    "cite": "docqa.asking.built_answer",
    "load_reader": "docqa.reader.models",
    "verify": "docqa.citations.verification",
    "report": "docqa.showing.answer_report",
}

__all__ = [
    "Answer",
    "AnswerSettings",
    "AnswerSpan",
    "AnswerSpans",
    "Answers",
    "BatchError",
    "Block",
    "Box",
    "Calibration",
    "CalibrationError",
    "Citation",
    "CitationError",
    "ClusterError",
    "Collection",
    "CollectionError",
    "Coverage",
    "DocqaError",
    "Document",
    "DocumentInfo",
    "DomPoint",
    "DomRange",
    "EncryptedError",
    "Evidence",
    "FoundPlace",
    "GridItem",
    "IsolationError",
    "Limits",
    "HighlightError",
    "LoadError",
    "LoadMemoryError",
    "LoadTimeoutError",
    "LoadWarning",
    "LoaderCrashedError",
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
    "ReadSettings",
    "ReaderInfo",
    "RankedPassage",
    "SettingError",
    "SourceLocation",
    "SourceNotFoundError",
    "SourceUnreadableError",
    "Span",
    "TextLocation",
    "TooLargeError",
    "UnsupportedFormatError",
    "Verification",
    "Where",
    "ask",
    "highlight",
    "cite",
    "load",
    "load_reader",
    "verify",
    "report",
]


# Import the pipeline, the reader and the check of citations when they are first used.
__getattr__ = lazily(__name__, _LAZY)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
