"""Writers of outcomes: text for people, JSON lines, CSV."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Literal, Protocol, TextIO

from docqa.cli.interrupt import emit
from docqa.cli.terminal import safe, speaks_unicode
from docqa.datamodel import GridItem
from docqa.outcome_records import (
    CSV_COLUMNS,
    csv_line,
    csv_rows,
    json_line,
    outcome_records,
)

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
            self._row(CSV_COLUMNS)
            self._begun = True
        for row in csv_rows(item):
            self._row(row)

    def _row(self, cells: Sequence[str]) -> None:
        emit(self._stream, csv_line([safe(cell) for cell in cells] if self._on_terminal else cells))
