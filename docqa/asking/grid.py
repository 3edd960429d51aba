"""Every question over every source: the cells of the grid, read together in batches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from docqa.asking.answers import answers_from_spans, relevances
from docqa.asking.prepared import PreparedDocument
from docqa.calibration import Calibration
from docqa.datamodel import (
    Answers,
    Content,
    Coverage,
    Document,
    GridItem,
    RankedPassage,
    ReaderInfo,
    ReadSettings,
)
from docqa.errors import DocqaError, NoTextError, QuestionError
from docqa.protocols import Reader

__all__ = [
    "SPANS_PER_PASSAGE",
    "Cell",
    "Reading",
    "answer_cells",
    "batches",
    "question_error",
    "read_settings",
    "reader_info",
    "require_text",
]

SPANS_PER_PASSAGE = 20  # asked of the reader, so that merging and occurrences have enough
_PASSAGES_PER_BATCH = 256  # enough to fill a GPU; outcomes still come as they are found
_SOURCES_PER_BATCH = 8  # documents held open at once


@dataclass(frozen=True, slots=True)
class Reading:
    """Hold the settings of one call; `top_passages` None reads all."""

    top_k: int
    min_score: float
    rank_weight: float
    top_passages: int | None


@dataclass(frozen=True, slots=True)
class Cell:
    """Hold a question and a source before they are read, or why they cannot be.

    Attributes:
        source_number: cells of one source share it.
        prepared: the document's passages; None where it cannot be read.
        ranked: the passages to read.
    """

    question: str
    source: str
    source_number: int
    document: Document | None = None
    prepared: PreparedDocument | None = None
    ranked: tuple[RankedPassage, ...] = ()
    error: DocqaError | None = None

    @property
    def n_passages(self) -> int:
        """Return how many passages the document has."""
        return len(self.prepared.passages) if self.prepared is not None else 0


def batches(cells: Iterable[Cell]) -> Iterator[list[Cell]]:
    """Group cells, in order, into batches of bounded size; an error ends a batch at once."""
    batch: list[Cell] = []
    n_passages, sources = 0, set[int]()
    for cell in cells:
        batch.append(cell)
        n_passages += len(cell.ranked)
        sources.add(cell.source_number)
        full = n_passages >= _PASSAGES_PER_BATCH or len(sources) >= _SOURCES_PER_BATCH
        if full or cell.error is not None:
            yield batch
            batch, n_passages, sources = [], 0, set()
    if batch:
        yield batch


def answer_cells(cells: Sequence[Cell], reader: Reader, reading: Reading) -> Iterator[GridItem]:
    """Read the passages of all cells together; yield their items in order."""
    readable = [cell for cell in cells if cell.error is None]
    most = max((len(cell.ranked) for cell in readable), default=0)
    asked = [(cell.question, [one.passage for one in cell.ranked]) for cell in readable]
    found = reader.read_all(asked, top_k=max(1, most) * SPANS_PER_PASSAGE) if asked else []
    proposals = iter(found)
    calibration: Calibration | None = getattr(reader, "calibration", None)
    info = reader_info(reader)
    for cell in cells:
        if cell.error is not None or cell.document is None or cell.prepared is None:
            document = cell.document.info if cell.document is not None else None
            nothing = Answers(coverage=Coverage(0, cell.n_passages))
            yield GridItem(cell.question, cell.source, document, nothing, cell.error)
            continue
        spans = next(proposals)
        answers = answers_from_spans(
            {cell.document.id: cell.document},
            spans,
            relevances(cell.ranked),
            top_k=reading.top_k,
            min_score=reading.min_score,
            rank_weight=reading.rank_weight,
            calibration=calibration,
            reader=info,
            settings=read_settings(
                reading,
                passage_tokens=cell.prepared.passage_tokens,
                overlap=cell.prepared.overlap,
                content=cell.prepared.content,
            ),
        )
        coverage = Coverage(spans.passages_read, cell.n_passages)
        yield GridItem(
            cell.question, cell.source, cell.document.info, Answers(answers, coverage=coverage)
        )


def reader_info(reader: Reader) -> ReaderInfo:
    """Return what answers say of their reader."""
    return ReaderInfo(
        reader.name,
        reader.revision,
        runtime=getattr(reader, "runtime", ""),
        calibrated=getattr(reader, "calibration", None) is not None,
    )


def read_settings(
    reading: Reading, *, passage_tokens: int, overlap: int, content: Content
) -> ReadSettings:
    """Return what answers say of how they were read."""
    return ReadSettings(
        passage_tokens=passage_tokens,
        overlap=overlap,
        content=content,
        top_passages=reading.top_passages,
        min_score=reading.min_score,
        rank_weight=reading.rank_weight,
    )


def question_error(reader: Reader, question: str) -> QuestionError | None:
    """Return why the reader cannot read a question, or None."""
    try:
        reader.read(question, (), top_k=1)
    except QuestionError as error:
        return error
    return None


def require_text(document: Document) -> None:
    """Check that there is something to answer from.

    Raises:
        NoTextError: there is not; the message says how many pages need OCR, or how it failed.
    """
    if document.text.strip():
        return
    name = document.source
    raise NoTextError(f"{name}: no text to answer from: {_why_empty(document)}", source=name)


def _why_empty(document: Document) -> str:
    scanned = sum(page.needs_ocr for page in document.pages)
    if not scanned:
        shown = "; if its pages show any, --ocr (ocr=True) may read it" if document.pages else ""
        return f"nothing in it is text{shown}"
    tried = [each.message for each in document.warnings if each.kind.startswith("ocr-")]
    advice = tried[0] if tried else "--ocr (ocr=True) reads it"
    return f"{_images(scanned, len(document.pages))} without a text layer; {advice}"


def _images(n_scanned: int, n_pages: int) -> str:
    """Return how many of a document's pages are images.

    >>> _images(1, 1), _images(1, 3)
    ('its only page is an image', '1 of its 3 pages is an image')
    >>> _images(2, 3)
    '2 of its 3 pages are images'
    """
    if n_pages == 1:
        return "its only page is an image"
    verb = "is an image" if n_scanned == 1 else "are images"
    return f"{n_scanned} of its {n_pages} pages {verb}"
