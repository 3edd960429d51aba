"""Outcomes as plain values: one record for each answer, or one that says why there is none."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from docqa.datamodel import GridItem

__all__ = ["error_record", "json_line", "outcome_records"]


def outcome_records(item: GridItem) -> list[dict[str, Any]]:
    """Return the records of one question to one source, ready for JSON; never empty."""
    shared = {"question": item.question, "answer": None, "source": item.source}
    if item.error is not None:
        return [{**shared, "error": error_record(item.error)}]
    coverage = {"coverage": asdict(item.answers.coverage)}
    if not item.answers:
        document = asdict(item.document) if item.document is not None else None
        return [{**shared, "document": document, **coverage}]
    return [
        {**shared, "rank": rank, **answer.to_dict(), **coverage}
        for rank, answer in enumerate(item.answers, start=1)
    ]


def error_record(error: Exception) -> dict[str, Any]:
    """Return an error as plain values: its kind, its message, its page where that is known."""
    record = {"kind": type(error).__name__, "message": str(error)}
    page_number = getattr(error, "page_number", None)
    return record if page_number is None else {**record, "page_number": page_number}


def json_line(record: Mapping[str, Any], *, unicode: bool = True) -> str:
    r"""Return `record` as one line of JSON.

    Controls and the characters that some programs take for line ends are escaped.

    >>> json_line({"answer": "é\x9b\u2028"})
    '{"answer": "é\\u009b\\u2028"}\n'
    """
    line = json.dumps(record, ensure_ascii=not unicode, allow_nan=False)
    return _ODD_IN_JSON.sub(lambda match: f"\\u{ord(match[0]):04x}", line) + "\n"


_ODD_IN_JSON = re.compile("[\x7f-\x9f\u2028\u2029\ud800-\udfff]")
