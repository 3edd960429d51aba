"""Questions over paged files: one JSON object a line, with the page of the answer.

::

    {"pdf": "report.pdf", "question": "Who audits it?", "answer": "Ada Quill", "page_number": 3}

``"id"`` (else the line's number), ``"answers"`` (several golds instead of one), ``"answer_form"``
and ``"verbatim_on_page"`` (whether the answer stands on its page word for word) are read where a
line has them.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from docqa.datamodel import Document
from docqa.errors import QuestionSetError
from docqa.evaluation.asked_documents import AskedDocument, AskedQuestion
from docqa.question_sets import BadRow, Gold, Question

__all__ = ["PageQuestions", "read_page_questions"]


@dataclass(frozen=True, slots=True)
class PageQuestions:
    """The questions of one file, by the paged files that they are asked of.

    Attributes:
        name: the file's name without its suffix.
        files: the paths, sorted, each with its questions in the order of the file.
        not_verbatim: ids of questions that were left out, since the file says that their answer
            does not stand on its page word for word: no extract can be right.
        bad_rows: lines that cannot be used.
    """

    name: str
    files: dict[Path, tuple[AskedQuestion, ...]]
    not_verbatim: tuple[str, ...] = ()
    bad_rows: tuple[BadRow, ...] = ()

    def documents(self, load: Callable[[Path], Document]) -> list[AskedDocument]:
        """Return the files as documents that `load` opens."""
        return [
            AskedDocument(path.name, lambda path=path: load(path), questions)  # type: ignore[misc]
            for path, questions in self.files.items()
        ]

    def __len__(self) -> int:
        """Return the number of questions."""
        return sum(map(len, self.files.values()))


def read_page_questions(path: str | Path, *, root: str | Path | None = None) -> PageQuestions:
    """Read questions with page numbers, ``.jsonl``.

    Args:
        path: the questions.
        root: the folder where the files named under ``"pdf"`` start; None for the folder of
            `path`, or the folder ``pdfs`` in it.

    Raises:
        QuestionSetError: the file cannot be read, or not one line of it can be used.
    """
    file = Path(path).expanduser()
    folders = [file.parent, file.parent / "pdfs"] if root is None else [Path(root).expanduser()]
    reading = _Reading(str(file), folders)
    for number, line in enumerate(_lines(file), start=1):
        if line.strip():
            reading.line(number, line)
    if not reading.files:
        faults = reading.bad_rows or [BadRow(str(file), "all", "no answer is verbatim on its page")]
        raise QuestionSetError(
            f"{file} holds no question that can be used; the first of {len(faults)} faults: "
            f"{faults[0]}"
        )
    files = {name: tuple(rows) for name, rows in sorted(reading.files.items())}
    name = file.name.removesuffix(".jsonl")
    return PageQuestions(name, files, tuple(reading.not_verbatim), tuple(reading.bad_rows))


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text("utf-8-sig").split("\n")
    except FileNotFoundError as error:
        raise QuestionSetError(f"there is no file {file}; name a question set") from error
    except OSError as error:
        raise QuestionSetError(f"{file} cannot be read ({error.strerror or error})") from error
    except UnicodeDecodeError as error:
        raise QuestionSetError(f"{file} is not UTF-8 ({error})") from error


@dataclass(slots=True)
class _Reading:
    """The records of a file's lines, and notes on broken ones."""

    file: str
    folders: list[Path]
    files: dict[Path, list[AskedQuestion]] = field(default_factory=dict)
    not_verbatim: list[str] = field(default_factory=list)
    bad_rows: list[BadRow] = field(default_factory=list)
    ids: set[str] = field(default_factory=set)

    def line(self, number: int, text: str) -> None:
        try:
            row = json.loads(text)
        except (ValueError, RecursionError):
            row = None
        if not isinstance(row, dict):
            self.bad_rows.append(BadRow(self.file, f"line {number}", "it is no JSON object"))
            return
        name = str(row.get("id") or f"line {number}")
        reason = self._fault(row, name)
        if reason is not None:
            self.bad_rows.append(BadRow(self.file, name, reason))
            return
        self.ids.add(name)
        if row.get("verbatim_on_page") is False:
            self.not_verbatim.append(name)
            return
        self._keep(row, name)

    def _keep(self, row: dict[str, Any], name: str) -> None:
        golds = tuple(Gold(text, -1) for text in _answers(row))
        asked = AskedQuestion(
            Question(name, row["question"], golds),
            row["page_number"],
            str(row.get("answer_form") or ""),
        )
        path = self._found(row["pdf"])
        if path is not None:
            self.files.setdefault(path, []).append(asked)

    def _fault(self, row: dict[str, Any], name: str) -> str | None:
        page = row.get("page_number")
        if name in self.ids:
            return "its id occurs before in this file"
        for key in ("pdf", "question"):
            if not isinstance(row.get(key), str) or not row[key].strip():
                return f"its {key!r} is missing, empty or no text"
        if not _answers(row):
            return "it has no answer with words ('answer' or 'answers')"
        if type(page) is not int or page < 1:
            return f"its page_number is not a whole number from 1: {page!r}"
        if self._found(row["pdf"]) is None:
            return f"there is no file {row['pdf']} in {' or '.join(map(str, self.folders))}"
        return None

    def _found(self, name: str) -> Path | None:
        paths = (folder / name for folder in self.folders)
        return next((path for path in paths if _is_file(path)), None)


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # a name that is too long, or holds what no name can
        return False


def _answers(row: dict[str, Any]) -> list[str]:
    given = row.get("answers", [row.get("answer")])
    if not isinstance(given, list) or not all(isinstance(each, str) for each in given):
        return []
    return [each for each in given if each.strip()]
