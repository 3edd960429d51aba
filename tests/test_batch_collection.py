"""``docqa batch --in``: many questions to a collection, with a reader that needs no weights."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

import docqa
from docqa.batch import asking_collection
from docqa.cli import main
from docqa.loaders.settings import LoadSettings
from docqa.reader.checkpoints import find_checkpoint
from docqa.reading_settings import ReadingSettings
from docqa.testing import FakeReader

pytest.importorskip("tantivy")

LAMP = "The lamp burns 40 litres of oil a week. The keeper trims it at dusk.\n"
BELL = "Fog is near.\nThe bell rings 12 times.\n"
QUESTIONS = "The lamp burns how much oil a week?\nHow often does the bell ring?\n"


class CountingReader(FakeReader):
    """Be the fake reader under the name of the shipped one, and count what is asked."""

    name = "mini"
    revision = find_checkpoint("mini").revision
    asked: list[str] = []  # noqa: RUF012 - emptied before each test

    def read_all(self, requests: Any, *, top_k: int) -> Any:
        self.asked.extend(question for question, _ in requests)
        return super().read_all(requests, top_k=top_k)


def asking(settings: ReadingSettings) -> docqa.Pipeline:
    score = 0.5 if settings.min_score is None else settings.min_score
    return docqa.Pipeline(reader=CountingReader(), min_score=score)


def collection(**given: Any) -> docqa.Collection:
    splitting = {name: given.pop(name) for name in ("content",) if name in given}
    pipeline = docqa.Pipeline(reader=CountingReader(), **splitting)
    return docqa.Collection("kb", pipeline=pipeline, **given)


@pytest.fixture(autouse=True)
def kb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Be in a folder with a collection of two files, last changed in September 2001."""
    monkeypatch.setattr(asking_collection, "open_pipeline", asking)
    monkeypatch.chdir(tmp_path)
    Path("docs").mkdir()
    Path("questions.txt").write_text(QUESTIONS)
    for name, text in (("lamp.txt", LAMP), ("bell.txt", BELL)):
        path = Path("docs", name)
        path.write_text(text)
        os.utime(path, (1e9, 1e9))
    collection().sync("docs")
    CountingReader.asked.clear()


def batch(*arguments: str) -> Result:
    command = ("batch", "questions.txt", "--in", "kb", "--out", "answers.jsonl", *arguments)
    return CliRunner().invoke(main, command, prog_name="docqa")


def asked_by(*arguments: str) -> int:
    """Return how many questions a run asks."""
    CountingReader.asked.clear()
    batch(*arguments)
    return len(CountingReader.asked)


def records() -> list[dict[str, Any]]:
    return [json.loads(row) for row in Path("answers.jsonl").read_text("utf-8").splitlines()]


def test_a_collection_is_asked_as_a_whole() -> None:
    """Each question has one outcome, of whichever document answers it."""
    assert batch().exit_code == 0
    found = [(record["answer"], Path(record["document"]["source"]).name) for record in records()]
    assert found == [("40 litres", "lamp.txt"), ("rings 12 times", "bell.txt")]
    assert asked_by() == 0


def test_a_changed_document_has_the_collection_asked_again() -> None:
    """Its answers are those of what the collection holds now."""
    batch()
    Path("docs/bell.txt").write_text(BELL.replace("12", "130"))
    collection().sync("docs")
    assert "changed since it was asked" in batch().stderr
    assert records()[1]["answer"] == "rings 130 times"


def test_a_collection_made_anew_is_asked_again() -> None:
    """Other passages of the same documents give other answers."""
    batch()
    collection(content="main").rebuild()
    assert "changed since it was asked" in batch().stderr
    assert {record["settings"]["read"]["content"] for record in records()} == {"main"}
    assert asked_by() == 0


def test_a_document_indexed_anew_has_the_collection_asked_again() -> None:
    """The same bytes give another text, where they are read in another way."""
    batch()
    collection().remove("docs/bell.txt")
    collection(loading=LoadSettings(encoding="utf-16-le")).add("docs/bell.txt")
    assert asked_by() > 0
    assert records()[1]["answer"] != "rings 12 times"


def test_a_touched_file_has_nothing_asked_again() -> None:
    """A file with another time and the same words changes no answer."""
    batch()
    os.utime("docs/bell.txt", (1.1e9, 1.1e9))
    collection().sync("docs")
    assert asked_by() == 0
