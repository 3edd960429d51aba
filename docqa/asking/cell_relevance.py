"""Which cell of a table's row answers a question: the words that head the cells decide.

A reader trained on prose finds the row of a table more often than the column: beside "2021: 14,300
2020: 2,865" it gives either to a question about 2020. The words that head a cell, in its row's
label and its headers, tell the two apart without a model.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from docqa.datamodel import AnswerSpan, Document, Span, Table, TableCell, TableRow
from docqa.index.analysis import terms
from docqa.reader.text_forms import contents_lines

__all__ = ["HeadedSpan", "headed_spans"]

_CONTENTS = -1  # the row of all lines of contents: they differ in their titles alone
_NOTES = re.compile(r"(?:\([a-z]{1,2}\))+$")


@dataclass(frozen=True, slots=True)
class HeadedSpan:
    """A span that the reader proposes, with the relevance of the words that head it.

    Attributes:
        proposal: the reader's.
        relevance: the share of the question's terms that the row's label and the cell's headers
            hold, as a share of the best such cell's; 1 outside the rows of tables.
    """

    proposal: AnswerSpan
    relevance: float = 1.0


@dataclass(frozen=True, slots=True)
class _Place:
    """The headers of a span in a row, the row's start where it is in a cell, and other cells."""

    context: Collection[Span]
    row: int | None
    others: tuple[TableCell, ...]


def _place(rows: Table, span: Span) -> _Place | None:
    """Return the place of a span in a row; None outside all rows."""
    row = rows.row_at(span)
    if row is None:
        return None
    if row.label is not None and row.label.covers(span):
        headers = {header for cell in row.cells for header in cell.headers}
        return _Place(headers, None, row.cells)
    cell = next((cell for cell in row.cells if cell.span.covers(span)), None)
    if cell is None:
        return None
    labels = () if row.label is None else (row.label,)
    others = tuple(other for other in row.cells if other is not cell)
    return _Place({*labels, *cell.headers}, row.start if cell.headers else _CONTENTS, others)


def headed_spans(
    document: Document, question: str, proposals: Sequence[AnswerSpan]
) -> list[HeadedSpan]:
    """Return the proposals with their relevance; the best-headed cell of a row speaks for the row.

    A part of a number ("28" of "28,286") becomes the whole of it, without marks of footnotes. Of
    the cells of one row, the most relevant takes over the evidence (margin and logits) of the one
    that the reader prefers. A row's label as an answer ("Which state ...?") has all headers of
    its row, but not its own words. A line of a table of contents is a row, its title the label of
    the page number. Spans outside such rows are returned as they are.

    Args:
        document: the document that was read.
        question: as asked.
        proposals: the reader's spans, of passages of this document.
    """
    contents = _contents(proposals)
    if not document.tables and not contents.rows:
        return [HeadedSpan(proposal) for proposal in proposals]
    asked, rows = set(terms(question)), Table.joined((*document.tables, contents))
    proposals = [_whole_number(rows, proposal) for proposal in proposals]
    places = [_place(rows, each.span.shift(each.passage.span.start)) for each in proposals]
    shared = [
        None if place is None else len(_shared(document.text, asked, place)) for place in places
    ]
    best = max((count for count in shared if count is not None), default=0)
    headed = [
        HeadedSpan(proposal, 1.0 if count is None or not best else count / best)
        for proposal, count in zip(proposals, shared, strict=True)
    ]
    return _one_voice(headed, [None if place is None else place.row for place in places])


def _contents(proposals: Sequence[AnswerSpan]) -> Table:
    """Return the lines of contents in the passages of proposals: titles that head page numbers."""
    rows: dict[int, TableRow] = {}
    for passage in {each.passage.number: each.passage for each in proposals}.values():
        for title, number in contents_lines(passage.text):
            shifted = title.shift(passage.span.start)
            cell = TableCell(number.shift(passage.span.start), ())
            rows[shifted.start] = TableRow((cell,), shifted)
    return Table(tuple(rows.values()))


def _whole_number(rows: Table, proposal: AnswerSpan) -> AnswerSpan:
    """Return a proposal that touches a number in a cell with all of that number."""
    span, text = proposal.span, proposal.passage.text
    if not any(map(str.isdigit, span.of(text))):
        return proposal
    place = _place(rows, span.shift(proposal.passage.span.start))
    if place is None or place.row is None:
        return proposal
    start, end = span.start, span.end
    while start > 0 and not text[start - 1].isspace():
        start -= 1
    while end < len(text) and not text[end].isspace():
        end += 1
    end = max(span.end, start + len(_NOTES.sub("", text[start:end])))
    return replace(proposal, span=Span(start, end))


def _one_voice(headed: Sequence[HeadedSpan], rows: Sequence[int | None]) -> list[HeadedSpan]:
    """Let the most relevant cell of each row have the evidence of the row's best."""
    settled = list(headed)
    cells: dict[int, list[int]] = {}
    for number, row in enumerate(rows):
        if row is not None:
            cells.setdefault(row, []).append(number)
    for numbers in cells.values():
        most = max(numbers, key=lambda n: (headed[n].relevance, headed[n].proposal.margin))
        best = max((headed[n].proposal for n in numbers), key=lambda proposal: proposal.margin)
        proposal = replace(
            headed[most].proposal,
            margin=best.margin,
            span_logit=best.span_logit,
            no_answer_logit=best.no_answer_logit,
        )
        settled[most] = replace(headed[most], proposal=proposal)
    return settled


def _shared(text: str, asked: set[str], place: _Place) -> set[str]:
    """Return the asked terms that head a span, or that tell its row from others.

    A cell beside it whose own words are asked for ("the ship built in 1988") counts with its
    headers.
    """
    shared = asked & _terms(text, place.context)
    for cell in place.others:
        own = asked & _terms(text, (cell.span,))
        if own:
            shared |= own | (asked & _terms(text, cell.headers))
    return shared


def _terms(text: str, spans: Iterable[Span]) -> set[str]:
    return {term for span in spans for term in terms(span.of(text))}
