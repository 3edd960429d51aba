"""Outcomes as plain values, rows and words: one for each answer, or one with the reason."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from docqa.datamodel import Answer, Coverage, GridItem

__all__ = [
    "CSV_COLUMNS",
    "csv_line",
    "csv_rows",
    "error_record",
    "json_line",
    "outcome_records",
    "outcomes_in_words",
]


def outcome_records(item: GridItem) -> list[dict[str, Any]]:
    """Return the records of one question to one source, ready for JSON; never empty.

    ``"source"`` of a collection's answers is that of their document, and elsewhere its address.
    """
    shared = {"question": item.question, "answer": None, "source": item.source}
    if item.error is not None:
        return [{**shared, "error": error_record(item.error)}]
    coverage: dict[str, Any] = {"coverage": asdict(item.answers.coverage)}
    if item.answers.warnings:
        coverage["warnings"] = list(item.answers.warnings)
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


def outcomes_in_words(
    *, answered: int, unanswered: int, failed: int, coverage: Coverage | None = None
) -> str:
    """Return the numbers of outcomes by kind, and with `coverage` how much was read for them.

    >>> outcomes_in_words(answered=3, unanswered=1, failed=0, coverage=Coverage(4, 1200))
    '3 answered, 1 without an answer; read 4 of 1,200 passages'
    """
    kinds = [f"{answered:,} answered", f"{unanswered:,} without an answer"]
    kinds += [f"{failed:,} failed"] if failed else []
    if coverage is None:
        return ", ".join(kinds)
    read = f"read {coverage.passages_read:,} of {coverage.passages_total:,} passages"
    return f"{', '.join(kinds)}; {read}"


def json_line(record: Mapping[str, Any], *, unicode: bool = True) -> str:
    r"""Return `record` as one line of JSON.

    Controls and the characters that some programs take for line ends are escaped.

    >>> json_line({"answer": "é\x9b\u2028"})
    '{"answer": "é\\u009b\\u2028"}\n'
    """
    line = json.dumps(record, ensure_ascii=not unicode, allow_nan=False)
    return _ODD_IN_JSON.sub(lambda match: f"\\u{ord(match[0]):04x}", line) + "\n"


_ODD_IN_JSON = re.compile("[\x7f-\x9f\u2028\u2029\ud800-\udfff]")


CSV_COLUMNS = [
    *("question", "answer", "rank", "score", "source", "source_state", "page_number", "page_label"),
    *("line", "column", "css_path", "xpath", "part", "paragraph", "ocr_confidence"),
    *("start", "end", "context", "context_start", "context_end"),
    *("passages_read", "passages_total", "error"),
]
# Spreadsheets run cells that start like this, and documents are not to be trusted (OWASP, "CSV
# Injection"); a sign before a number is harmless and stays.
_FORMULA = re.compile(r"[=@\t\r]|[+-](?![\d.,]+\s?%?$)")


def csv_rows(item: GridItem) -> Iterator[list[str]]:
    """Yield a row of cells for each answer, or one with the reason why there is none."""
    shared = {"question": item.question, "source": item.source}
    coverage = asdict(item.answers.coverage)
    records: list[dict[str, object]] = [
        {**shared, "rank": rank, **_cells(answer), **coverage}
        for rank, answer in enumerate(item.answers, start=1)
    ]
    if item.error is not None:
        records = [{**shared, "error": f"{type(item.error).__name__}: {item.error}"}]
    for record in records or [{**shared, **coverage}]:
        yield [_guarded(record.get(column)) for column in CSV_COLUMNS]


def csv_line(cells: Sequence[str]) -> str:
    """Return cells as a row of RFC 4180."""
    row = io.StringIO()
    csv.writer(row).writerow(cells)
    return row.getvalue()


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
