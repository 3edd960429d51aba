"""Outcomes as files: rows, lines of JSON, a report, a marked PDF."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

from docqa.datamodel import Answer, Answers, DocumentInfo, GridItem
from docqa.errors import SettingError
from docqa.limits import Limits
from docqa.outcome_records import CSV_COLUMNS, csv_line, csv_rows, json_line, outcome_records

__all__ = ["Original", "exported", "require_format"]

Original = Callable[[str], tuple[bytes, str | None]]
"""Returns the bytes and the password of a document, from its id."""

_TYPES: Mapping[str, str] = {
    "csv": "text/csv; charset=utf-8",
    "jsonl": "application/x-ndjson",
    "report": "text/html; charset=utf-8",
    "pdf": "application/pdf",
}


def require_format(kind: str) -> None:
    """Check, before anything is asked, that outcomes can become a file of some kind.

    Raises:
        SettingError: there is no such kind.
    """
    if kind not in _TYPES:
        raise SettingError(f"format must be one of {', '.join(_TYPES)}, not {kind[:40]!r}")


def exported(
    items: Sequence[GridItem], kind: str, original: Original, limits: Limits
) -> tuple[bytes, str]:
    """Return outcomes as a file, and its media type.

    Args:
        items: outcomes, with names in place of paths.
        kind: ``"csv"``, ``"jsonl"``, ``"report"``, a page of HTML, or ``"pdf"``, the one document
            of the answers with marks.
        original: gives the documents' bytes.
        limits: of drawing and marking.

    Raises:
        SettingError: there is no such kind, or no one PDF with answers.
        HighlightError: the document cannot be marked.
    """
    require_format(kind)
    made = {"csv": _csv, "jsonl": _lines}.get(kind)
    if made is not None:
        return made(items), _TYPES[kind]
    write = _report if kind == "report" else _marked
    with tempfile.TemporaryDirectory(prefix="docqa-") as folder:
        path = Path(folder) / ("report.html" if kind == "report" else "marked.pdf")
        write(items, path, original, limits)
        return path.read_bytes(), _TYPES[kind]


def _csv(items: Sequence[GridItem]) -> bytes:
    rows = [CSV_COLUMNS, *(row for item in items for row in csv_rows(item))]
    return "".join(map(csv_line, rows)).encode("utf-8", "replace")


def _lines(items: Sequence[GridItem]) -> bytes:
    lines = (json_line(record) for item in items for record in outcome_records(item))
    return "".join(lines).encode("utf-8")


def _report(items: Sequence[GridItem], path: Path, original: Original, limits: Limits) -> None:
    from docqa.showing.answer_report import report

    items = _apart(items)
    documents = {item.document.source: item.document.id for item in items if item.document}
    documents |= {each.document.source: each.document.id for item in items for each in item.answers}
    sources = {name: original(document_id)[0] for name, document_id in documents.items()}
    report(items, path, sources=sources, isolate=True, limits=limits)


def _apart(items: Sequence[GridItem]) -> list[GridItem]:
    """Return outcomes in which documents of the same name have names of their own."""
    names: dict[str, str] = {}

    def named(info: DocumentInfo) -> DocumentInfo:
        path, name, number = PurePosixPath(info.source), info.source, 1
        while info.id not in names:
            if name not in names.values():
                names[info.id] = name
            number += 1
            name = f"{path.stem} ({number}){path.suffix}"
        return replace(info, source=names[info.id])

    apart = []
    for item in items:
        info = None if item.document is None else named(item.document)
        found = [replace(each, document=named(each.document)) for each in item.answers]
        answers = Answers(found, coverage=item.answers.coverage, warnings=item.answers.warnings)
        source = item.source if info is None else info.source
        apart.append(replace(item, source=source, document=info, answers=answers))
    return apart


def _marked(items: Sequence[GridItem], path: Path, original: Original, limits: Limits) -> None:
    from docqa.showing.marked_copy import highlight

    answers: list[Answer] = [answer for item in items for answer in item.answers]
    if len({answer.document.id for answer in answers}) != 1:
        raise SettingError(
            "a marked PDF is made of the answers of one document; choose one that has some, or "
            "take the report"
        )
    data, password = original(answers[0].document.id)
    highlight(answers, path, source=data, password=password, isolate=True, limits=limits)
