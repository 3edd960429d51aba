"""Writers of outcomes: text for people, JSON lines, CSV."""

from __future__ import annotations

import csv
import io
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Literal, Protocol, TextIO

from docqa.cli.interrupt import emit
from docqa.cli.terminal import safe, speaks_unicode
from docqa.datamodel import Answer, GridItem
from docqa.outcome_records import json_line, outcome_records

__all__ = [
    "CsvWriter",
    "Format",
    "JsonWriter",
    "Writer",
    "open_writer",
]

Format = Literal["text", "json", "csv"]


class Writer(Protocol):
    """A writer of outcomes to standard output, each as soon as it is known."""

    def write(self, item: GridItem) -> None:
        """Write one cell of the grid and flush."""
        ...


def open_writer(kind: Format, *, many_sources: bool, many_questions: bool) -> Writer:
    """Return the writer for standard output.

    Args:
        kind: how outcomes are written.
        many_sources: texts for people name the source as a heading.
        many_questions: texts for people repeat the question.
    """
    if kind == "json":
        return JsonWriter(sys.stdout)
    if kind == "csv":
        return CsvWriter(sys.stdout)
    from docqa.cli.text_writer import TextWriter

    return TextWriter(sys.stdout, many_sources=many_sources, many_questions=many_questions)


class JsonWriter:
    """The writer of JSON lines: an answer, a missing answer or an error each."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, item: GridItem) -> None:
        """Write one line for each answer, or one with the reason why there is none."""
        for record in outcome_records(item):
            emit(self._stream, json_line(record, unicode=speaks_unicode(self._stream)))


_COLUMNS = [
    *("question", "answer", "rank", "score", "source", "source_state", "page_number", "page_label"),
    *("line", "column", "css_path", "xpath", "part", "paragraph", "ocr_confidence"),
    *("start", "end", "context", "context_start", "context_end"),
    *("passages_read", "passages_total", "error"),
]
# Spreadsheets run cells that start like this, and documents are not to be trusted (OWASP, "CSV
# Injection"); a sign before a number is harmless and stays.
_FORMULA = re.compile(r"[=@\t\r]|[+-](?![\d.,]+\s?%?$)")


class CsvWriter:
    """The writer of RFC 4180 rows: a header, then an answer, a missing answer or an error each."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._on_terminal = stream.isatty()
        self._begun = False
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(newline="")  # the rows bring their own line ends

    def write(self, item: GridItem) -> None:
        """Write a row for each answer, or one with the reason why there is none."""
        if not self._begun:
            self._row(_COLUMNS)
            self._begun = True
        shared = {"question": item.question, "source": item.source}
        if item.error is not None:
            self._record({**shared, "error": f"{type(item.error).__name__}: {item.error}"})
            return
        coverage = asdict(item.answers.coverage)
        for rank, answer in enumerate(item.answers, start=1):
            self._record({**shared, "rank": rank, **_cells(answer), **coverage})
        if not item.answers:
            self._record({**shared, **coverage})

    def _record(self, record: Mapping[str, object]) -> None:
        self._row([_guarded(record.get(column)) for column in _COLUMNS])

    def _row(self, cells: Sequence[str]) -> None:
        row = io.StringIO()
        csv.writer(row).writerow([safe(cell) for cell in cells] if self._on_terminal else cells)
        emit(self._stream, row.getvalue())


def _cells(answer: Answer) -> dict[str, object]:
    first = answer.locations[0] if answer.locations else None
    return {
        "answer": answer.text,
        "score": answer.score,
        "source": answer.document.source,
        "source_state": answer.document.source_state,
        "page_number": answer.page_number,
        "page_label": answer.page_label,
        "line": answer.line,
        **{
            name: getattr(first, name, None)
            for name in ("column", "css_path", "xpath", "part", "paragraph")
        },
        "ocr_confidence": answer.ocr_confidence,
        "start": answer.start,
        "end": answer.end,
        "context": answer.context,
        "context_start": answer.context_start,
        "context_end": answer.context_end,
    }


def _guarded(value: object) -> str:
    """Return a cell that no spreadsheet takes for a formula.

    >>> _guarded("=1+1"), _guarded("-4.5 %"), _guarded(None)
    ("'=1+1", '-4.5 %', '')
    """
    cell = "" if value is None else str(value)
    return f"'{cell}" if _FORMULA.match(cell) else cell
