"""The words of docqa: small frozen records that pass between its stages.

All offsets count characters (Unicode code points), all spans are half-open ``[start, end)``,
all lengths on a page are points (1/72 inch) from the page's top left corner as it is displayed,
all page numbers, lines, columns and ranks count from 1.
"""

from __future__ import annotations

from docqa.datamodel.answer import (
    Answer,
    Answers,
    Coverage,
    GridItem,
    Occurrence,
)
from docqa.datamodel.blocks import (
    Block,
    BlockKind,
    Page,
    Table,
    TableCell,
    TableRow,
)
from docqa.datamodel.document import (
    Content,
    Document,
    DocumentInfo,
    LoadWarning,
    SourceState,
    is_nameless,
)
from docqa.datamodel.passages import (
    Insertion,
    Passage,
    RankedPassage,
)
from docqa.datamodel.places import (
    DomPoint,
    DomRange,
    Location,
    PageLocation,
    PartLocation,
    SourceLocation,
    SourceMap,
    TextLocation,
)
from docqa.datamodel.reading import (
    AnswerSettings,
    AnswerSpan,
    AnswerSpans,
    Evidence,
    ReaderInfo,
    ReadSettings,
    logistic,
)
from docqa.datamodel.spans import (
    Box,
    Span,
)

__all__ = [
    "Answer",
    "AnswerSettings",
    "AnswerSpan",
    "AnswerSpans",
    "Answers",
    "Block",
    "BlockKind",
    "Box",
    "Content",
    "Coverage",
    "Document",
    "DocumentInfo",
    "DomPoint",
    "DomRange",
    "Evidence",
    "GridItem",
    "Insertion",
    "LoadWarning",
    "Location",
    "Occurrence",
    "Page",
    "PageLocation",
    "PartLocation",
    "Passage",
    "RankedPassage",
    "ReadSettings",
    "ReaderInfo",
    "SourceLocation",
    "SourceMap",
    "SourceState",
    "Span",
    "Table",
    "TableCell",
    "TableRow",
    "TextLocation",
    "is_nameless",
    "logistic",
]
