"""``docqa batch --in``: many questions to a collection, with a reader that needs no weights."""

from __future__ import annotations

import json
import os
import pickle
from pathlib import Path
from typing import Any, Literal

import pytest
from click.testing import CliRunner, Result

import docqa
from docqa.asking.reading_settings import ReadingSettings
from docqa.batch import asking_collection
from docqa.batch.asking import SourceJob
from docqa.batch.questions import numbered
from docqa.batch.settings import settings_record
from docqa.batch.targets import WholeCollection
from docqa.cli import main
from docqa.collection import originals
from docqa.load_settings import LoadSettings
from docqa.reader.checkpoints import find_checkpoint
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


class OwnReader(CountingReader):
    """Be the reader of the folder ``own``."""

    name = revision = "own"


READERS = {"mini": CountingReader, "own": OwnReader}


def asking(settings: ReadingSettings) -> docqa.Pipeline:
    score = 0.5 if settings.min_score is None else settings.min_score
    return docqa.Pipeline(reader=READERS[settings.reader](), min_score=score)


def collection(
    reader: str = "mini",
    *,
    content: Literal["all", "main"] = "all",
    loading: LoadSettings | None = None,
) -> docqa.Collection:
    pipeline = docqa.Pipeline(reader=READERS[reader](), content=content)
    return docqa.Collection("kb", pipeline=pipeline.with_loading(loading or LoadSettings()))


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
    collection().sync("docs", metadata={"year": 2001})
    CountingReader.asked.clear()


def batch(*arguments: str) -> Result:
    command = ("batch", "questions.txt", "--in", "kb", "--out", "answers.jsonl", *arguments)
    return CliRunner().invoke(main, command, prog_name="docqa")


def own_reader() -> None:
    """Write what is looked at of a reader's folder before it is loaded."""
    Path("own").mkdir()
    Path("own/config.json").write_text(json.dumps({"docqa": {"revision": "own"}}))
    Path("own/model.safetensors").touch()


def asked_by(*arguments: str) -> int:
    """Return how many questions a run asks that is not refused."""
    CountingReader.asked.clear()
    assert batch(*arguments).exit_code in {0, 1}
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


def test_a_collection_is_read_by_its_own_reader() -> None:
    """The reader that it was made with is used, as by ``docqa ask --in``."""
    own_reader()
    collection("own").rebuild()
    assert batch().exit_code == 0
    assert {record["reader"]["name"] for record in records()} == {"own"}


def test_another_reader_is_used_where_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """``--reader`` or its variable overrule the collection's own."""
    own_reader()
    batch("--reader", "own")
    assert {record["reader"]["name"] for record in records()} == {"own"}
    monkeypatch.setenv("DOCQA_READER", "own")
    assert asked_by() == 0


def test_content_is_refused() -> None:
    """It was settled when the collection was made, and the message says what makes it anew."""
    result = batch("--content", "main")
    assert result.exit_code == 2
    assert "docqa kb rebuild kb --content main" in result.stderr
    assert not Path("answers.jsonl").exists()


def test_options_of_loading_hold_where_places_are_looked_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An original is opened in isolation and under the limits that were asked for."""
    opened: list[LoadSettings] = []
    load = originals.load_with

    def load_with(settings: LoadSettings, *source: Any, **given: Any) -> docqa.Document:
        opened.append(settings)
        return load(settings, *source, **given)

    monkeypatch.setattr(originals, "load_with", load_with)
    batch("--time-limit", "17", "--memory-limit", "999")
    assert opened
    limits = [each.effective_limits for each in opened if each.isolate]
    assert {(each.wall_seconds, each.memory_bytes) for each in limits} == {(17, 999 << 20)}


@pytest.mark.parametrize(
    ("filters", "total"),
    [
        (["--document", "docs/lamp.txt"], 1),
        (["--document", "docs/lamp.txt", "--document", "docs/bell.txt"], 2),
        (["--folder", "docs", "--type", "txt", "--where", "year=2001"], 2),
        (["--since", "2001-01-01", "--until", "2002-01-01"], 2),
    ],
)
def test_filters_choose_documents(filters: list[str], total: int) -> None:
    """The coverage counts the passages of the documents that are left, and a rerun goes on."""
    batch(*filters)
    assert {record["coverage"]["passages_total"] for record in records()} == {total}
    assert asked_by(*filters) == 0


def test_the_order_of_documents_is_no_setting() -> None:
    """The same documents named in another order are the same filter."""
    named = ["--document=docs/lamp.txt", "--document=docs/bell.txt"]
    batch(*named)
    assert asked_by(*reversed(named)) == 0


def test_filters_that_leave_nothing_are_told() -> None:
    """No answer because nothing was asked is said to be that."""
    result = batch("--where", "year=1999")
    assert result.exit_code == 1
    assert "the filters leave none" in result.stderr


def test_other_filters_are_other_settings() -> None:
    """Answers of other documents never mix; the message says what differs."""
    batch()
    result = batch("--folder", "docs")
    assert result.exit_code == 2
    folder = json.dumps(str(Path("docs").absolute()))
    assert f"where.folder was null, now {folder}" in result.stderr
    assert "--fresh" in result.stderr


def test_documents_that_come_under_a_filter_are_asked() -> None:
    """A filter may leave other documents while no document has changed."""
    filters = ("--where", "year=2001")
    batch(*filters)
    collection().add("docs/bell.txt", metadata={"year": 2002})
    assert "changed since it was asked" in batch(*filters).stderr
    assert {record["coverage"]["passages_total"] for record in records()} == {1}


def test_filters_without_a_collection_are_refused() -> None:
    """A filter says that it needs ``--in``."""
    command = ("batch", "questions.txt", "docs", "--out", "a.jsonl", "--where", "year=2001")
    result = CliRunner().invoke(main, command, prog_name="docqa")
    assert result.exit_code == 2
    assert "--where is about a collection: name it with --in KB" in result.stderr


def test_a_worker_elsewhere_asks_the_same_documents(monkeypatch: pytest.MonkeyPatch) -> None:
    """A filter goes with the work, and its paths stay those of the folder it was given in."""
    asked = WholeCollection(str(Path("kb").absolute()), docqa.Where(folder="docs"))
    reading, loading = ReadingSettings(reader="mini"), LoadSettings()
    settings = settings_record(reading, loading) | asked.settings
    work = pickle.dumps(asked.work(reading, loading, settings))
    monkeypatch.chdir("/")
    job = SourceJob(
        asked.address, None, None, None, tuple(numbered(QUESTIONS.split("\n")[:1])), True
    )
    (cell,) = pickle.loads(work)(job).cells
    record = json.loads(cell.lines[0])
    assert (record["answer"], record["cell"]["settings"]) == ("40 litres", settings)
