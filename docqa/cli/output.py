"""Outcomes as they are written: for people, as JSON lines, as CSV."""

from __future__ import annotations

import csv
import io
import json
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, Literal, Protocol, TextIO

from docqa.cli.interrupt import emit
from docqa.cli.terminal import safe, speaks_unicode
from docqa.datamodel import Answer, GridItem

__all__ = [
    "CsvWriter",
    "Format",
    "JsonWriter",
    "Writer",
    "error_record",
    "json_line",
    "open_writer",
]

Format = Literal["text", "json", "csv"]


class Writer(Protocol):
    """Write outcomes to standard output, each as soon as it is known."""

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
    from docqa.cli.reading_text import TextWriter

    return TextWriter(sys.stdout, many_sources=many_sources, many_questions=many_questions)


class JsonWriter:
    """Write one JSON object a line: an answer, a missing answer or an error."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, item: GridItem) -> None:
        """Write one line for each answer, or one that says why there is none."""
        for record in _records(item):
            emit(self._stream, json_line(record, unicode=speaks_unicode(self._stream)))


def json_line(record: Mapping[str, Any], *, unicode: bool = True) -> str:
    r"""Return `record` as one line of JSON.

    Controls and the characters that some programs take for line ends are escaped.

    >>> json_line({"answer": "é\x9b\u2028"})
    '{"answer": "é\\u009b\\u2028"}\n'
    """
    line = json.dumps(record, ensure_ascii=not unicode, allow_nan=False)
    return _ODD_IN_JSON.sub(lambda match: f"\\u{ord(match[0]):04x}", line) + "\n"


_ODD_IN_JSON = re.compile("[\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def _records(item: GridItem) -> list[dict[str, Any]]:
    shared = {"question": item.question, "answer": None, "source": item.source}
    if item.error is not None:
        return [{**shared, "error": error_record(item.error)}]
    coverage = {"coverage": asdict(item.answers.coverage)}
    if not item.answers:
        document = asdict(item.document) if item.document is not None else None
        return [{**shared, "document": document, **coverage}]
    return [
        {**shared, "source": answer.document.source, "rank": rank, **answer.to_dict(), **coverage}
        for rank, answer in enumerate(item.answers, start=1)
    ]


def error_record(error: Exception) -> dict[str, Any]:
    """Return an error as plain values: its kind, its message, its page where that is known."""
    record = {"kind": type(error).__name__, "message": str(error)}
    page_number = getattr(error, "page_number", None)
    return record if page_number is None else {**record, "page_number": page_number}


_COLUMNS = [
    *("question", "answer", "rank", "score", "source", "source_state", "page_number", "page_label"),
    *("line", "column", "css_path", "xpath", "part", "paragraph", "ocr_confidence"),
    *("start", "end", "context"),
    *("passages_read", "passages_total", "error"),
]
# Spreadsheets run cells that start like this, and documents are not to be trusted (OWASP, "CSV
# Injection"); a sign before a number is harmless and stays.
_FORMULA = re.compile(r"[=@\t\r]|[+-](?![\d.,]+\s?%?$)")


class CsvWriter:
    """Write RFC 4180 rows under one header: an answer, a missing answer or an error each."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._on_terminal = stream.isatty()
        self._begun = False
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(newline="")  # the rows bring their own line ends

    def write(self, item: GridItem) -> None:
        """Write a row for each answer, or one that says why there is none."""
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
    }


def _guarded(value: object) -> str:
    """Return a cell that no spreadsheet takes for a formula.

    >>> _guarded("=1+1"), _guarded("-4.5 %"), _guarded(None)
    ("'=1+1", '-4.5 %', '')
    """
    cell = "" if value is None else str(value)
    return f"'{cell}" if _FORMULA.match(cell) else cell
