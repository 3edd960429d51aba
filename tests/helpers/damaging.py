"""Damaged files of a collection, and the outcome of the commands that use it then.

`outcome` runs in a process of its own (`killing.in_fresh_process`), so that a crash is seen.
"""

from __future__ import annotations

import json
import os
import random
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import TextIOWrapper
from pathlib import Path
from typing import Any

from docqa.asking.pipeline import Pipeline
from docqa.collection.collection import Collection

__all__ = [
    "QUESTIONS",
    "Outcome",
    "cut_off",
    "damages",
    "files_of",
    "flipped",
    "made_collection",
    "outcome",
]

_TEXTS = {
    "lamp": "The lamp of the harbour burns oil.",
    "bridge": "The bridge over the river is 77 metres long.",
    "firm": "The firm was founded in Leeds.",
    "audit": "Ada Quill audits the accounts.",
    "mill": "The mill grinds barley.",
}
QUESTIONS = {
    "What does the lamp of the harbour burn?": "lamp",
    "How long is the bridge over the river?": "bridge",
    "Where was the firm founded?": "firm",
    "Who audits the accounts?": "audit",
    "What does the mill grind?": "mill",
}
"""Each question with the name of the source that answers it."""

_Answers = dict[str, tuple[Any, ...]]


@dataclass(frozen=True)
class Outcome:
    """The outcome of asking and checking a collection.

    Attributes:
        ask_code, check_code: exit codes of ``docqa ask --in`` and ``docqa kb check``.
        answers: answer, source, start and end by question, where asking ended with 0 or 1.
        warnings: of each question.
        errors: all that the commands wrote to standard error, Rust's panics too.
        found: the problems that ``docqa kb check`` listed.
    """

    ask_code: int
    check_code: int
    answers: _Answers
    warnings: dict[str, list[str]]
    errors: str
    found: list[str]

    @property
    def has_traceback(self) -> bool:
        """Return whether anything but an ordinary error was written."""
        words = ("Traceback", "panicked", "unexpected ", "PanicException")
        return any(word in self.errors for word in words)

    def wrong(self, right: _Answers) -> list[str]:
        """Return the questions whose answer is another one, without a warning that names why."""
        return [
            question
            for question, answer in right.items()
            if self.ask_code != 2
            and self.answers.get(question) != answer
            and not any(str(answer[1]) in each for each in self.warnings.get(question, []))
        ]


def made_collection(folder: Path) -> Path:
    """Return the address of a collection with two segments, a removed and a failed source."""
    sources, address = folder / "sources", folder / "kb"
    sources.mkdir()
    for name, text in list(_TEXTS.items())[:-1]:
        (sources / f"{name}.txt").write_text(f"{text}\n" * 3, "utf-8")
    (sources / "gone.txt").write_text("The chapel has a bell.\n", "utf-8")
    (sources / "blank.txt").write_text("\n", "utf-8")
    with Collection(address, pipeline=Pipeline(reader="mini")) as collection:
        collection.sync(sources)
        (sources / "gone.txt").unlink()
        (sources / "mill.txt").write_text(_TEXTS["mill"], "utf-8")
        collection.sync(sources)
        collection.add(b"The ferry sails at noon.", name="note.txt")
    return address


def files_of(address: Path) -> list[Path]:
    """Return the files of a collection that hold anything, sorted."""
    return sorted(each for each in address.rglob("*") if each.is_file() and each.stat().st_size)


def cut_off(path: Path, chance: random.Random) -> str:
    """Cut a file off at random, and return the new length in words."""
    size = chance.randrange(path.stat().st_size)
    os.truncate(path, size)
    return f"cut off after {size:,} bytes"


def flipped(path: Path, chance: random.Random) -> str:
    """Change a random bit of a file, and return its byte in words."""
    data = bytearray(path.read_bytes())
    at = chance.randrange(len(data))
    data[at] ^= 1 << chance.randrange(8)
    path.write_bytes(data)
    return f"bit of byte {at:,} flipped"


def outcome(address: Path) -> Outcome:
    """Return the outcome of ``docqa ask --in`` and ``docqa kb check``; for a process of its own."""
    asked = [word for question in QUESTIONS for word in ("-q", question)]
    with _standard_error() as written:
        ask_code, lines = _run(["ask", "--in", str(address), *asked, "--json"])
        check_code, checked = _run(["kb", "check", str(address), "--json"])
        errors = written.read_text("utf-8", "replace")
    records = [json.loads(line) for line in lines]
    return Outcome(
        ask_code,
        check_code,
        {each["question"]: _place(each) for each in records if "error" not in each},
        {each["question"]: each.get("warnings", []) for each in records},
        errors,
        json.loads(checked[0])["problems"] if checked else [],
    )


def _place(record: dict[str, Any]) -> tuple[Any, ...]:
    return record["answer"], record["source"], record.get("start"), record.get("end")


def _run(arguments: list[str]) -> tuple[int, list[str]]:
    """Return the exit code of a command, and the lines of its standard output."""
    from docqa.cli import main

    with tempfile.TemporaryFile() as file:
        before, sys.stdout = sys.stdout, TextIOWrapper(file, "utf-8", write_through=True)
        try:
            main(arguments)
            code = 0
        except SystemExit as ended:
            code = int(ended.code or 0)
        finally:
            sys.stdout.detach()  # type: ignore[attr-defined]  # it is ours
            sys.stdout = before
        file.seek(0)
        return code, file.read().decode("utf-8").splitlines()


@contextmanager
def _standard_error() -> Iterator[Path]:
    """Yield the file that holds standard error of the process, that of libraries in Rust too."""
    with tempfile.TemporaryDirectory() as folder, (Path(folder) / "errors").open("a") as file:
        kept, stream = os.dup(2), sys.stderr
        os.dup2(file.fileno(), 2)
        sys.stderr = file
        try:
            yield Path(file.name)
        finally:
            os.dup2(kept, 2)
            os.close(kept)
            sys.stderr = stream


def damages(n_cases: int, n_files: int, seed: int) -> Iterator[tuple[int, str, random.Random]]:
    """Yield the number of a file, the kind of damage, and the chance for it; every file in turn."""
    for number in range(n_cases):
        kind = ("cut off", "flipped")[(number // n_files) % 2]
        yield number % n_files, kind, random.Random(seed * 100_003 + number)
