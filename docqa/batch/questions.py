"""The questions of a batch: a text file of one a line, JSON lines, or CSV."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from docqa.errors import BatchError

__all__ = ["BatchQuestion", "numbered", "read_batch_questions"]

_JSON_LINES = {".jsonl", ".ndjson"}


@dataclass(frozen=True, slots=True)
class BatchQuestion:
    """A question and its name in the file of answers."""

    id: str
    text: str


def numbered(questions: Iterable[str]) -> tuple[BatchQuestion, ...]:
    """Return questions that are named by their number, from 1.

    >>> numbered(["Who?", "When?"])[1]
    BatchQuestion(id='2', text='When?')
    """
    return tuple(BatchQuestion(str(number), text) for number, text in enumerate(questions, 1))


def read_batch_questions(path: Path) -> tuple[BatchQuestion, ...]:
    """Return the questions of a UTF-8 file, whose suffix says its kind.

    ``.jsonl`` and ``.ndjson`` hold an object a line with ``question`` and, if wanted, ``id``;
    ``.csv`` has columns of these names; every other file is one question a line. Without an id, a
    question is named by its line, from 1. Blank lines do not count.

    Raises:
        BatchError: the file cannot be read, holds no question, or two of one id.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BatchError(f"questions in {path} are not UTF-8; convert them first") from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise BatchError(f"questions in {path} cannot be read: {reason}") from error
    questions = tuple(_questions(path, text))
    if not questions:
        raise BatchError(f"no question in {path}: write one a line")
    seen: set[str] = set()
    for question in questions:
        if question.id in seen:
            raise BatchError(f"{path}: two questions have the id {question.id!r}; rename one")
        seen.add(question.id)
    return questions


def _questions(path: Path, text: str) -> Iterator[BatchQuestion]:
    kind = path.suffix.lower()
    if kind in _JSON_LINES:
        return _json_lines(path, text)
    return _csv(path, text) if kind == ".csv" else _lines(text)


def _lines(text: str) -> Iterator[BatchQuestion]:
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip():
            yield BatchQuestion(str(number), line.strip())


def _json_lines(path: Path, text: str) -> Iterator[BatchQuestion]:
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise BatchError(f"{path}:{number}: this line is not JSON: {error}") from error
        if not isinstance(row, dict):
            raise BatchError(f'{path}:{number}: no object with "question"')
        yield _question(path, number, row)


def _csv(path: Path, text: str) -> Iterator[BatchQuestion]:
    rows = csv.DictReader(io.StringIO(text, newline=""))
    try:
        for row in rows:
            yield _question(path, rows.line_num, row)
    except csv.Error as error:
        raise BatchError(f"{path}:{rows.line_num}: this row is not CSV: {error}") from error


def _question(path: Path, number: int, row: dict[str, Any]) -> BatchQuestion:
    text, given = row.get("question"), row.get("id")
    if not isinstance(text, str) or not text.strip():
        raise BatchError(f'{path}:{number}: no "question" with at least one word')
    if given is None or given == "":
        return BatchQuestion(str(number), text.strip())
    if isinstance(given, bool) or not isinstance(given, (str, int)):
        raise BatchError(f'{path}:{number}: "id" is to be text or a whole number')
    return BatchQuestion(str(given), text.strip())
