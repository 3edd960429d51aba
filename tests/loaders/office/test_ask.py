"""Answers from Word, PowerPoint and EPUB, by the library and by the command."""

from __future__ import annotations

import csv
import io
import json
import pickle
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import docqa
from docqa.cli import main, session
from docqa.cli.session import ReadingSettings
from docqa.testing import FakeReader

QUESTION = "The lamp burns how much oil a week?"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lamp_files: dict[str, bytes]) -> Path:
    """Return the folder of the files, which the command reads with a reader without weights."""
    for name, data in lamp_files.items():
        (tmp_path / name).write_bytes(data)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(session, "open_pipeline", _pipeline_without_weights)
    return tmp_path


def _pipeline_without_weights(settings: ReadingSettings) -> docqa.Pipeline:
    return docqa.Pipeline(reader=FakeReader(), min_score=0.5)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments, prog_name="docqa")


@pytest.mark.parametrize(
    ("name", "place", "also"),
    [
        ("lamp.docx", "paragraph 2", None),
        ("note.docx", "footnotes, paragraph 2", None),
        ("lamp.pptx", "slide 4", "also on slide 2"),
        ("lamp.epub", 'OPS/a.xhtml, at "The lamp burns 40 litres ..."', None),
    ],
)
def test_the_place_is_said_in_words(folder: Path, name: str, place: str, also: str | None) -> None:
    """People read paragraph, slide or chapter."""
    words, where, _, *rest = run("ask", name, QUESTION, "--quiet").stdout.splitlines()
    assert words == "40 litres"
    assert where.startswith(f"  {name}, {place}, score ")
    assert [line.strip() for line in rest] == ([also] if also else [])


def test_json_and_csv_have_every_field(folder: Path) -> None:
    """The record of the place as it is, and its columns; a slide is the page."""
    record = json.loads(run("ask", "lamp.pptx", QUESTION, "--json").stdout.splitlines()[0])
    assert record["page_number"] == 4
    [place] = record["locations"]
    assert (place["part"], place["paragraph"]) == ("ppt/slides/slide4.xml", 1)
    [row] = csv.DictReader(io.StringIO(run("ask", "lamp.docx", QUESTION, "--csv").stdout))
    assert (row["part"], row["paragraph"]) == ("word/document.xml", "2")
    assert row["xpath"] == "/w:document/w:body[1]/w:p[2]"


def test_a_folder_stands_for_its_office_files_too(folder: Path) -> None:
    """No format is passed over, and none fails."""
    result = run("ask", ".", QUESTION, "--json")
    assert {Path(json.loads(row)["source"]).suffix for row in result.stdout.splitlines()} == {
        *(".docx", ".pptx", ".epub")
    }
    assert "passed over" not in result.stderr


def test_info_tells_what_is_in_the_file(folder: Path) -> None:
    """Type, title, slides and passages."""
    assert "slides      4" in run("info", "lamp.pptx").stdout
    shown = run("info", "lamp.epub").stdout
    assert "title       The Keeper's Book" in shown
    assert "passages    1" in shown


@pytest.mark.parametrize("name", ["note.docx", "lamp.pptx", "lamp.epub"])
def test_documents_survive_pickling(lamp_files: dict[str, bytes], name: str) -> None:
    """Worker processes can send a document with its way back."""
    document = docqa.load(lamp_files[name], name=name)
    copy, span = pickle.loads(pickle.dumps(document)), docqa.Span(3, 12)
    assert (copy.text, copy.locate(span)) == (document.text, document.locate(span))


def test_mini_answers_from_each_format(folder: Path, mini: object) -> None:
    """The shipped reader finds the words, and they stand in the document's text."""
    pipeline = docqa.Pipeline(reader=mini)  # type: ignore[arg-type]
    for name in ("lamp.docx", "lamp.pptx", "lamp.epub"):
        document = docqa.load(name)
        [answer] = pipeline.ask(document, "How much oil does the lamp burn?")
        assert answer.text.startswith("40 litres")
        assert document.text[answer.start : answer.end] == answer.text
