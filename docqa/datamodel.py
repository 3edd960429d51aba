"""The words of docqa: small frozen records that pass between its stages.

All offsets count characters (Unicode code points), all spans are half-open ``[start, end)``,
all lengths on a page are points (1/72 inch) from the page's top left corner as it is displayed,
all page numbers, lines, columns and ranks count from 1.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from operator import attrgetter
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Union

if TYPE_CHECKING:
    from docqa.loaders.settings import LoadSettings
    from docqa.protocols import SourceMap

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
    "SourceState",
    "Span",
    "Table",
    "TableCell",
    "TableRow",
    "TextLocation",
    "is_nameless",
]


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """Hold a half-open range of characters ``[start, end)`` in one stated text.

    >>> Span(3, 7).of("an answer")
    'answ'
    >>> len(Span(3, 7)), Span(3, 7).shift(10), Span(3, 7).overlaps(Span(6, 9))
    (4, Span(start=13, end=17), True)
    """

    start: int
    end: int

    def __post_init__(self) -> None:
        if not 0 <= self.start <= self.end:
            raise ValueError(f"a span needs 0 <= start <= end, not [{self.start}, {self.end})")

    def __len__(self) -> int:
        return self.end - self.start

    def __bool__(self) -> bool:
        return self.end > self.start

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle as a call, three times as fast as slots: documents have thousands of spans."""
        return Span, (self.start, self.end)

    def of(self, text: str) -> str:
        """Return the characters of `text` inside the span."""
        return text[self.start : self.end]

    def shift(self, offset: int) -> Span:
        """Return the span moved by `offset` characters."""
        return Span(self.start + offset, self.end + offset)

    def overlaps(self, other: Span) -> bool:
        """Say whether the two spans share at least one character."""
        return max(self.start, other.start) < min(self.end, other.end)

    def covers(self, other: Span) -> bool:
        """Say whether `other` lies inside this span."""
        return self.start <= other.start and other.end <= self.end


@dataclass(frozen=True, slots=True)
class Box:
    """Hold a rectangle on a displayed page, in points from the page's top left corner."""

    x0: float
    top: float
    x1: float
    bottom: float

    def is_near(self, other: Box, *, tolerance: float = 0.01) -> bool:
        """Say whether all edges are those of `other`, but for rounding: to `tolerance` points."""
        pairs = zip(self.edges, other.edges, strict=True)
        return all(abs(one - another) <= tolerance for one, another in pairs)

    @property
    def edges(self) -> tuple[float, float, float, float]:
        """Return left, top, right and bottom."""
        return self.x0, self.top, self.x1, self.bottom


@dataclass(frozen=True, slots=True)
class PageLocation:
    """Name a place on a page.

    Attributes:
        page_number: the page's index from 1.
        page_label: the printed number, such as ``"iv"``, or None where none is known.
        label_origin: ``"file"`` when the file declares the label, ``"printed"`` when it was found
            by voting over the numbers at the pages' edges.
        boxes: one rectangle per line of the span, or None where the extractor gives no
            rectangles (the fallback for files that PDFium cannot open).
        ocr_confidence: in 0 to 1, the lowest of the words that optical character recognition read
            here; None where the words are the file's own.
    """

    page_number: int
    page_label: str | None
    label_origin: Literal["file", "printed"] | None
    boxes: tuple[Box, ...] | None
    ocr_confidence: float | None = None


@dataclass(frozen=True, slots=True)
class DomPoint:
    """Name a place between two characters of a text node.

    Attributes:
        xpath: path of the text node.
        offset: UTF-16 code units from its start, as the DOM counts.
        characters: the same distance in code points, as W3C selectors count.
    """

    xpath: str
    offset: int
    characters: int


@dataclass(frozen=True, slots=True)
class DomRange:
    """Hold a range of a page as a browser sees it, from `start` to `end`."""

    start: DomPoint
    end: DomPoint


@dataclass(frozen=True, slots=True)
class SourceLocation:
    """Name a place in an HTML source.

    Attributes:
        span: characters of the decoded source.
        byte_span: the same place in bytes of the file, or None where the encoding has no
            position-by-position mapping.
        xpath: path of the element that holds the start of the span.
        css_path: the same element as a CSS selector.
        text_fragment: a ``#:~:text=`` fragment that resolves to this place alone, or None.
        dom_range: the place as a browser's DOM has it, from the first to the last character.
        part: name of the file inside a container that holds the source (EPUB), or None.
    """

    span: Span
    byte_span: Span | None
    xpath: str
    css_path: str
    text_fragment: str | None
    dom_range: DomRange | None = None
    part: str | None = None


@dataclass(frozen=True, slots=True)
class PartLocation:
    """Name a place in a document made of XML parts (Office Open XML): DOCX, PPTX.

    Attributes:
        part: name of the part inside the file, such as ``"word/document.xml"``.
        xpath: path of the paragraph's element in the part, in the standard's usual prefixes.
        paragraph: number of that paragraph in the part, from 1, in document order.
        span: characters of the paragraph's text: that of ``w:t`` and ``a:t`` with white space as
            spaces, and a character each for tabs, breaks, symbols and non-breaking hyphens.
        slide_number: number of the slide, from 1, or None outside presentations.
    """

    part: str
    xpath: str
    paragraph: int
    span: Span
    slide_number: int | None = None


@dataclass(frozen=True, slots=True)
class TextLocation:
    r"""Name a place in a plain text: line and column of its first character, both from 1.

    Attributes:
        line: line number of the first character; ``\r\n``, ``\n`` and ``\r`` end lines.
        column: column of the first character, in characters.
        end_line: line number of the last character.
        span: characters of the decoded source.
        byte_span: the same place in bytes of the file.
    """

    line: int
    column: int
    end_line: int
    span: Span
    byte_span: Span | None


Location = Union[PageLocation, SourceLocation, TextLocation, PartLocation]

SourceState = Literal["same", "moved", "changed", "missing", "unreadable"]

Content = Literal["all", "main"]
"""Which blocks are read: all, or those not flagged as navigation, footers and the like."""

BlockKind = Literal["paragraph", "heading", "list_item", "table_row", "code"]


@dataclass(frozen=True, slots=True)
class Block:
    """Mark a stretch of a document's text that its format sets apart.

    Attributes:
        span: characters of the document's text.
        kind: what the format calls it.
        boilerplate: True for navigation, footers and blocks made mostly of links.
    """

    span: Span
    kind: BlockKind
    boilerplate: bool = False

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle as a call, as `Span` does."""
        return Block, (self.span, self.kind, self.boilerplate)


@dataclass(frozen=True, slots=True)
class TableCell:
    """Hold a cell of a table's row and what heads it.

    Attributes:
        span: the cell's characters in the document's text, signs of currency and percent included.
        headers: characters of the document's text that head the cell, from the outermost header
            ("Three months ended March 31,") to the innermost ("2021").
    """

    span: Span
    headers: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class TableRow:
    """Hold a row of a table.

    Attributes:
        cells: those with headers, from left to right.
        label: what heads the row ("Net income"), with the lines above it that hold no values, or
            None.
    """

    cells: tuple[TableCell, ...]
    label: Span | None = None

    @property
    def start(self) -> int:
        """Return where the row begins in the document's text."""
        return self.cells[0].span.start if self.label is None else self.label.start


@dataclass(frozen=True, slots=True)
class Table:
    """Hold a table whose columns have headers: its rows, from the top, without the header's.

    Cells, and so rows, rise in the document's text and do not overlap.
    """

    rows: tuple[TableRow, ...]

    @classmethod
    def joined(cls, tables: Iterable[Table]) -> Table:
        """Return one table with the rows of all, in order of the text."""
        rows = (row for table in tables for row in table.rows)
        return cls(tuple(sorted(rows, key=_row_start)))

    def row_at(self, span: Span) -> TableRow | None:
        """Return the last row that begins at or before `span`; None where none does."""
        after = bisect_right(self.rows, span.start, key=_row_start)
        return self.rows[after - 1] if after else None

    def rows_touching(self, span: Span) -> tuple[TableRow, ...]:
        """Return the rows that share characters with `span`, in order."""
        first = max(0, bisect_right(self.rows, span.start, key=_row_start) - 1)
        last = bisect_left(self.rows, span.end, key=_row_start)
        return tuple(row for row in self.rows[first:last] if row.cells[-1].span.end > span.start)

    def shift(self, offset: int) -> Table:
        """Return the table with all spans moved by `offset` characters."""
        spans = {span for row in self.rows for cell in row.cells for span in cell.headers}
        headers = {span: span.shift(offset) for span in spans}  # cells share them

        def moved(row: TableRow) -> TableRow:
            cells = (
                TableCell(cell.span.shift(offset), tuple(headers[span] for span in cell.headers))
                for cell in row.cells
            )
            return TableRow(tuple(cells), row.label.shift(offset) if row.label else None)

        return Table(tuple(map(moved, self.rows)))


_row_start = attrgetter("start")


@dataclass(frozen=True, slots=True)
class Page:
    """Hold what is known of one page of a paged document, or of one slide.

    Attributes:
        number: index from 1.
        label: printed number or None; `label_origin` says where it comes from.
        span: the page's characters in the document's text.
        width, height: points, as displayed (after rotation and crop).
        needs_ocr: in the file, the page shows an image but (nearly) no text.
        garbled: share of the file's characters (0 to 1) whose code has no known meaning.
        ocr: the page's text was read from its image, all of it or but for a few words.
    """

    GARBLED_SHARE: ClassVar[float] = 0.10  # more than any good page of 1,110 looked at has

    number: int
    label: str | None
    label_origin: Literal["file", "printed"] | None
    span: Span
    width: float
    height: float
    needs_ocr: bool = False
    garbled: float = 0.0
    ocr: bool = False

    @property
    def is_garbled(self) -> bool:
        """Say whether so many characters have no known meaning that words can hardly be read."""
        return self.garbled > self.GARBLED_SHARE


@dataclass(frozen=True, slots=True)
class LoadWarning:
    """Hold one thing about a document that its reader should know.

    Attributes:
        kind: a short fixed word, such as ``"needs-ocr"`` or ``"garbled-text"``.
        message: one sentence: what, where, what to do.
        page_number: the page from 1, where the warning is about one.
    """

    kind: str
    message: str
    page_number: int | None = None


@dataclass(frozen=True, slots=True)
class DocumentInfo:
    """Hold the few facts about a document that travel with every answer.

    Attributes:
        id, source, title, media_type, extractor: those of the `Document`.
        source_state: of a collection's answers, what became of the source since it was indexed:
            ``"same"``, ``"moved"`` (`source` says where to), ``"changed"``, ``"missing"``, or
            ``"unreadable"``; None where nobody looked. In the last three cases the words are those
            that were indexed, and locations have no rectangles, or there are none.
    """

    id: str
    source: str
    title: str | None
    media_type: str
    extractor: str = ""
    source_state: SourceState | None = None


def is_nameless(source: str) -> bool:
    """Say whether a source was standard input, bytes, or a file object without a name.

    >>> [is_nameless(source) for source in ("-", "<bytes>", "<stdin>", "", "<a>.txt")]
    [True, True, True, True, False]
    """
    return source in {"", "-"} or (source.startswith("<") and source.endswith(">"))


@dataclass(frozen=True, slots=True)
class Document:
    """Hold a loaded document: its final text and the way back to the original.

    Attributes:
        id: SHA-256 of the content's bytes, in hexadecimal.
        text: what is read and answered from; never changed after loading.
        source: the path or name that the caller gave; ``"-"`` for standard input.
        media_type: such as ``"application/pdf"``.
        title: the document's own title or None.
        source_map: maps spans of `text` to places in the original.
        blocks: sorted, non-overlapping blocks where the format knows them; empty otherwise (then
            line ends may be soft). Text outside all blocks is white space.
        pages: one record per page of a paged format, else empty.
        tables: the tables whose cells have headers, in order of the text.
        warnings: what its reader should know; never empty of a skipped page.
        metadata: author, dates and the like, as the file says them.
        extractor: name and version of the library that gave the text.
        settings: how it was loaded, without the password and an engine's object; None where no
            loader says.
    """

    id: str
    text: str
    source: str
    media_type: str
    title: str | None
    source_map: SourceMap
    blocks: tuple[Block, ...] = ()
    pages: tuple[Page, ...] = ()
    tables: tuple[Table, ...] = ()
    warnings: tuple[LoadWarning, ...] = ()
    metadata: Mapping[str, str] = field(default_factory=dict)
    extractor: str = ""
    settings: LoadSettings | None = None

    @property
    def info(self) -> DocumentInfo:
        """Return the small, picklable description that answers carry."""
        return DocumentInfo(self.id, self.source, self.title, self.media_type, self.extractor)

    def locate(self, span: Span) -> tuple[Location, ...]:
        """Return where `span` of the text stands in the original, in reading order.

        Raises:
            ValueError: the span is empty or does not lie inside the text.
        """
        if not span or span.end > len(self.text):
            raise ValueError(f"{span} is empty or outside a text of {len(self.text)} characters")
        return self.source_map.locate(span)

    def close(self) -> None:
        """Free what the source map holds open; the text stays usable."""
        self.source_map.close()

    def __enter__(self) -> Document:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


@dataclass(frozen=True, slots=True)
class Insertion:
    """Hold characters that a passage is read with but does not have: a table cell's headers.

    Attributes:
        position: offset in the passage's text before which they go.
        text: the characters.
    """

    position: int
    text: str


@dataclass(frozen=True, slots=True)
class Passage:
    """Hold a stretch of a document that is ranked and read as one.

    Attributes:
        document_id: the document's id.
        number: from 0, in the order of the text.
        span: characters of the document's text; ``text == document.text[start:end]``.
        text: the passage's characters.
        boilerplate: every block in it was flagged as navigation, footer and the like.
        borders: rising offsets of the passage's text at which a new block (heading, table row,
            list item, paragraph) or table cell begins; no answer crosses one.
        insertions: what is put between the passage's characters for ranking and reading, at
            rising positions; never part of an answer. See `docqa.reading_form`.
    """

    document_id: str
    number: int
    span: Span
    text: str
    boilerplate: bool = False
    borders: tuple[int, ...] = ()
    insertions: tuple[Insertion, ...] = ()

    @property
    def place(self) -> tuple[str, int]:
        """Return what tells it from all others: its document's id and its number."""
        return self.document_id, self.number


@dataclass(frozen=True, slots=True)
class RankedPassage:
    """Hold a passage found for a query, with its rank from 1 and its BM25 score."""

    passage: Passage
    rank: int
    score: float


@dataclass(frozen=True, slots=True)
class AnswerSpan:
    """Hold one span that the reader proposes inside a passage.

    Attributes:
        passage: where it was read.
        span: characters of the passage's text (not of the document's).
        margin: how far the evidence for the span stands above that for "not here"; any number.
        span_logit: start logit plus end logit of the span.
        no_answer_logit: start plus end logit of the no-answer position in the same window.
    """

    passage: Passage
    span: Span
    margin: float
    span_logit: float
    no_answer_logit: float

    @property
    def score(self) -> float:
        """Return the logistic function of the margin: in 0 to 1, higher is better.

        It compares across passages, files and questions of one reader, and is 0.5 where span and
        "not here" are even. It is not a probability; a `docqa.calibration.Calibration` of the
        reader makes one.
        """
        return logistic(self.margin)

    @property
    def order(self) -> tuple[float, str, int, int]:
        """Return the key that sorts spans best first, equal margins by place."""
        return -self.margin, self.passage.document_id, self.passage.number, self.span.start


def logistic(logit: float) -> float:
    """Return ``1 / (1 + exp(-logit))`` without overflow.

    >>> logistic(0.0), logistic(-1000.0), logistic(1000.0)
    (0.5, 0.0, 1.0)
    """
    if logit >= 0:
        return 1.0 / (1.0 + math.exp(-logit))
    power = math.exp(logit)
    return power / (1.0 + power)


@dataclass(frozen=True, slots=True)
class AnswerSpans:
    """Hold the reader's proposals for one question, best first, at most one per place.

    Attributes:
        question: as asked.
        spans: best first.
        passages_read: how many passages the reader saw.
    """

    question: str
    spans: tuple[AnswerSpan, ...]
    passages_read: int


@dataclass(frozen=True, slots=True)
class Evidence:
    """Hold what is known of one answer beside its words: the features of a calibration.

    Attributes:
        margin: how far the reader's logit for the span stands above that for "not here".
        odds: the margin against all other wordings and "not here" taken together: how far it
            stands above the logarithm of the sum of their exponentials, in -12 to 12. Above 0
            the answer outweighs all others; below 0 they do.
        relevance: BM25 score of its passage as a share of the best passage's, in 0 to 1.
        coverage: the share of the question's terms that stand in the answer or within 150
            characters of it, in 0 to 1.
    """

    margin: float
    odds: float
    relevance: float
    coverage: float


@dataclass(frozen=True, slots=True)
class ReaderInfo:
    """Name the reader that found an answer, and which weights it had.

    Attributes:
        name: what `docqa.load_reader` calls it.
        revision: the commit of a hub's repository, ``"sha256:…"`` of packed weights, or ``""``.
        runtime: the library and the number format that it computed with, such as ``"onnx int8"``
            or ``"torch float32"``; ``""`` where nobody knows.
        calibrated: whether its scores are probabilities; see `docqa.calibration`.
    """

    name: str
    revision: str
    runtime: str = ""
    calibrated: bool = False


@dataclass(frozen=True, slots=True)
class ReadSettings:
    """Hold how a document was split and read; see `docqa.Pipeline` for each setting.

    Attributes:
        passage_tokens, overlap: of the passages, in the reader's tokens.
        content: which blocks were read.
        top_passages: how many passages were read at most; None for all.
        min_score, rank_weight: threshold and order of the answers.
    """

    passage_tokens: int
    overlap: int
    content: Content
    top_passages: int | None
    min_score: float
    rank_weight: float


@dataclass(frozen=True, slots=True)
class AnswerSettings:
    """Hold the settings under which an answer comes out again.

    Attributes:
        load: how the document was loaded, without the password; None where no loader says.
        read: how it was read; None where no reader was asked.
    """

    load: LoadSettings | None
    read: ReadSettings | None

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            "load": None if self.load is None else self.load.to_dict(),
            "read": None if self.read is None else asdict(self.read),
        }


@dataclass(frozen=True, slots=True)
class Occurrence:
    """Hold a further place where the reader found the same words as answer.

    Attributes:
        start, end: characters of the document's text, half-open.
        score: of the reader, for this place.
        locations: the place in the original.
        text: the words as they stand here; case and white space may differ from the answer's.
        prefix, suffix: the characters around them, up to `Answer.CONTEXT` on each side.
    """

    start: int
    end: int
    score: float
    locations: tuple[Location, ...]
    text: str = ""
    prefix: str = ""
    suffix: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """Hold the exact words of a document that answer a question, and their exact place.

    Attributes:
        question: as asked.
        text: the answer; equals ``document.text[start:end]``.
        score: in 0 to 1; comparable across passages, files and questions of one reader. The
            probability that the answer is right where the reader is calibrated
            (`reader.calibrated`), else not a probability.
        start, end: characters of the document's text, half-open.
        document: id, source, title and media type.
        passage: where it was read.
        locations: places in the original, in reading order; several when the span crosses pages.
        occurrences: further places where the reader found the same words, best first.
        context: the sentence (or line) around the answer.
        context_start: where `context` starts in the document's text.
        prefix, suffix: the characters around the answer, up to `CONTEXT` on each side; they tell
            the place from others with the same words when the document changes.
        reader: what found it; None for a place that somebody chose (`docqa.cite`).
        settings: how the document was loaded and read.
        evidence: what the score rests on; None for a place that somebody chose.
    """

    CONTEXT: ClassVar[int] = 32  # characters; what annotation tools on the web keep

    question: str
    text: str
    score: float
    start: int
    end: int
    document: DocumentInfo
    passage: Passage
    locations: tuple[Location, ...]
    occurrences: tuple[Occurrence, ...] = ()
    context: str = ""
    context_start: int = 0
    prefix: str = ""
    suffix: str = ""
    reader: ReaderInfo | None = None
    settings: AnswerSettings | None = None
    evidence: Evidence | None = None

    @property
    def page_number(self) -> int | None:
        """Return the page or slide (from 1) on which the answer starts, or None without either."""
        first = self.locations[0] if self.locations else None
        if isinstance(first, PartLocation):
            return first.slide_number
        return first.page_number if isinstance(first, PageLocation) else None

    @property
    def page_label(self) -> str | None:
        """Return the printed page number where the answer starts, or None."""
        first = self.locations[0] if self.locations else None
        return first.page_label if isinstance(first, PageLocation) else None

    @property
    def ocr_confidence(self) -> float | None:
        """Return the lowest confidence of the words read by OCR, in 0 to 1; None without any."""
        pages = (each for each in self.locations if isinstance(each, PageLocation))
        read = (page.ocr_confidence for page in pages)
        return min((each for each in read if each is not None), default=None)

    @property
    def line(self) -> int | None:
        """Return the line (from 1) of a plain text on which the answer starts, or None."""
        first = self.locations[0] if self.locations else None
        return first.line if isinstance(first, TextLocation) else None

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON; the text is under ``"answer"``, as everybody expects.

        ``"target"`` is the place as a target of the W3C Web Annotation Data Model, which holds
        the characters around the answer; each occurrence has one too.
        """
        from docqa.selectors import web_target  # it tells the kinds of places apart, so needs them

        record = asdict(replace(self, settings=None))
        record["settings"] = None if self.settings is None else self.settings.to_dict()
        record["answer"] = record.pop("text")
        record["passage"] = {"number": self.passage.number, **asdict(self.passage.span)}
        record["page_number"], record["page_label"] = self.page_number, self.page_label
        record["line"], record["ocr_confidence"] = self.line, self.ocr_confidence
        record["target"] = web_target(self, self.document)
        for spot, place in zip(record["occurrences"], self.occurrences, strict=True):
            spot["target"] = web_target(place, self.document)
        for quoted in (record, *record["occurrences"]):
            del quoted["prefix"], quoted["suffix"]
        order = ("question", "answer", "score", "start", "end", "page_number", "page_label", "line")
        return {**{key: record[key] for key in order}, **record}


@dataclass(frozen=True, slots=True)
class Coverage:
    """Say how much of a document an outcome rests on.

    >>> print(Coverage(passages_read=40, passages_total=412))
    read 40 of 412 passages
    """

    passages_read: int
    passages_total: int

    def __str__(self) -> str:
        return f"read {self.passages_read} of {self.passages_total} passages"


class Answers(list[Answer]):
    """Be the list of answers, best first, with the coverage that it rests on.

    Attributes:
        coverage: how many passages were read; also meaningful when the list is empty.
    """

    def __init__(
        self, answers: tuple[Answer, ...] | list[Answer] = (), *, coverage: Coverage
    ) -> None:
        super().__init__(answers)
        self.coverage = coverage

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild_answers, (list(self), self.coverage))


def _rebuild_answers(answers: list[Answer], coverage: Coverage) -> Answers:
    return Answers(answers, coverage=coverage)


@dataclass(frozen=True, slots=True)
class GridItem:
    """Hold one cell of the grid of every question over every source.

    Attributes:
        question: as asked.
        source: the source's path or name.
        document: its description, or None when it could not be loaded.
        answers: best first; empty when nothing passed the threshold or loading failed.
        error: why the source could not be asked, or None.
    """

    question: str
    source: str
    document: DocumentInfo | None
    answers: Answers
    error: Exception | None = None

    @classmethod
    def failed(
        cls,
        question: str,
        source: str,
        error: Exception,
        *,
        document: DocumentInfo | None = None,
        passages_total: int = 0,
    ) -> GridItem:
        """Return the cell of a question that could not be asked; no passage was read."""
        nothing = Answers(coverage=Coverage(0, passages_total))
        return cls(question, source, document, nothing, error)
