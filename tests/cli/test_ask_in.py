"""``docqa ask --in``: questions to a collection, with a reader that needs no weights."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

import docqa
from docqa.cli import indexing, main, session
from docqa.cli.session import ReadingSettings
from docqa.testing import FakeReader

LAMP = "The lamp burns 40 litres of oil a week. The keeper trims it at dusk.\n"
BELL = "Fog is near.\nThe bell rings 12 times.\n"
PAGE = "<title>Gulls</title><p>The gull nests on 3 rocks near the lamp.</p>"
OIL = "The lamp burns how much oil a week?"


def asking(settings: ReadingSettings) -> docqa.Pipeline:
    score = 0.5 if settings.min_score is None else settings.min_score
    most = settings.top_passages or 10
    return docqa.Pipeline(reader=FakeReader(), min_score=score, top_passages=most)


def taking_in(reader: str, sizes: Mapping[str, Any]) -> docqa.Pipeline:
    return docqa.Pipeline(reader=FakeReader(), **sizes)


@pytest.fixture(autouse=True)
def kb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Be in a folder with a collection of three files, last changed in September 2001."""
    monkeypatch.setattr(session, "open_pipeline", asking)
    monkeypatch.setattr(indexing, "indexing_pipeline", taking_in)
    monkeypatch.chdir(tmp_path)
    for name, text in (("lamp.txt", LAMP), ("bell.txt", BELL), ("sub/gull.html", PAGE)):
        path = Path("files") / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        os.utime(path, (1e9, 1e9))
    docqa.Collection("kb", pipeline=taking_in("fake", {})).sync("files", metadata={"year": 2001})


def run(*arguments: str, stdin: str | None = None) -> Result:
    return CliRunner().invoke(main, arguments, input=stdin, prog_name="docqa")


def ask(*arguments: str, stdin: str | None = None) -> Result:
    return run("ask", "--in", "kb", *arguments, stdin=stdin)


def records(result: Result) -> list[dict[str, Any]]:
    return [json.loads(row) for row in result.stdout.splitlines()]


def test_answer_names_its_document() -> None:
    """The words, the file they are from, the line, the sentence."""
    result = ask(OIL)
    assert result.exit_code == 0
    first, where, sentence = result.stdout.splitlines()
    assert first == "40 litres"
    assert where.startswith(f"  {Path('files/lamp.txt').absolute()}, line 1, score 0.")
    assert sentence == "  The lamp burns «40 litres» of oil a week."


def test_json_and_csv_name_the_document() -> None:
    """Both say which document answers, and whether its file is what was indexed."""
    path = str(Path("files/lamp.txt").absolute())
    (record,) = records(ask(OIL, "--json"))
    assert (record["source"], record["document"]["source_state"]) == (path, "same")
    (row,) = csv.DictReader(io.StringIO(ask(OIL, "--csv").stdout))
    assert (row["source"], row["source_state"], row["line"]) == (path, "same", "1")


@pytest.mark.parametrize(
    ("filters", "total"),
    [
        (["--folder", "files/sub"], 1),
        (["--document", "files/lamp.txt", "--document", "files/bell.txt"], 2),
        (["--type", "html"], 1),
        (["--type", "text/plain"], 2),
        (["--title", "Gulls"], 1),
        (["--since", "2001-01-01", "--until", "2002-01-01"], 3),
        (["--since", "2002-01-01"], 0),
        (["--where", "year=2001"], 3),
        (["--where", "year=1999"], 0),
    ],
)
def test_filters_choose_documents(filters: list[str], total: int) -> None:
    """The coverage of an outcome counts the passages of the documents that are left."""
    record, *_ = records(ask("lamp", *filters, "--json"))
    assert record["coverage"]["passages_total"] == total


def test_filters_that_leave_nothing_are_told() -> None:
    """No answer because nothing was asked is said to be that."""
    result = ask(OIL, "--where", "year=1999")
    assert result.exit_code == 1
    assert "the filters leave none" in result.stderr


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda path: path.rename("files/sub/lantern.txt"), "the file has moved here"),
        (lambda path: path.write_text("Nothing.\n"), "the file has changed since"),
        (lambda path: path.unlink(), "the file is gone"),
    ],
)
def test_what_became_of_the_file_is_said(change: Any, said: str) -> None:
    """A source that is not what was indexed has a line under its answer."""
    change(Path("files/lamp.txt"))
    result = ask(OIL)
    assert result.stdout.splitlines()[0] == "40 litres"
    assert said in result.stdout.splitlines()[-1]


def test_sync_reads_what_has_changed_first() -> None:
    """``--sync`` answers from the files as they are, and says what it did."""
    Path("files/lamp.txt").write_text(LAMP.replace("40", "55"))
    result = ask(OIL, "--sync")
    assert result.stdout.splitlines()[0] == "55 litres"
    assert "docqa: kb: 1 replaced, 2 unchanged" in result.stderr


def test_questions_from_a_file_and_from_a_pipe() -> None:
    """Every question gets its outcome, in order."""
    Path("questions.txt").write_text(f"{OIL}\nThe bell rings how many times?\n")
    from_file = ask("--questions", "questions.txt", "--json")
    from_pipe = ask("--json", stdin=Path("questions.txt").read_text())
    assert from_file.stdout == from_pipe.stdout
    assert [each["question"][:8] for each in records(from_file)] == ["The lamp", "The bell"]


def test_sources_beside_a_collection_are_refused() -> None:
    """The sources of a collection are in it."""
    result = ask("files/lamp.txt", OIL)
    assert result.exit_code == 2
    assert "one argument too many" in result.stderr


def test_filters_without_a_collection_are_refused() -> None:
    """A filter says that it needs ``--in``."""
    result = run("ask", "files/lamp.txt", OIL, "--where", "year=2001")
    assert result.exit_code == 2
    assert "--where is about a collection: name it with --in KB" in result.stderr


def test_content_is_refused() -> None:
    """It was settled when the collection was made, and the message says what makes it anew."""
    result = ask(OIL, "--content", "main")
    assert result.exit_code == 2
    assert "docqa kb rebuild kb --content main" in result.stderr


def test_no_collection_is_one_line() -> None:
    """The message comes before the reader is loaded, and says what to write."""
    result = run("ask", "--in", "nowhere", OIL)
    assert result.exit_code == 2
    (line,) = result.stderr.splitlines()
    assert "there is no collection here; docqa index DIR --to" in line


def test_unknown_type_lists_the_known_ones() -> None:
    """A type that docqa does not read is refused."""
    result = ask(OIL, "--type", "xlsx")
    assert result.exit_code == 2
    assert "it knows docm, docx, " in result.stderr


def test_highlight_marks_the_answers_own_source() -> None:
    """One document answers, so a copy of it is marked."""
    result = ask(OIL, "--highlight", "marked.html", "--no-isolate")
    assert result.exit_code == 0, result.stderr
    assert "40 litres</mark>" in Path("marked.html").read_text()


def test_highlight_of_several_sources_is_refused() -> None:
    """Answers from several documents cannot be marked in one copy."""
    result = ask("lamp", "-k", "3", "--min-score", "0", "--highlight", "marked.html")
    assert result.exit_code == 2
    assert "--report OUT.html shows all of them" in result.stderr


def test_report_shows_each_answer_under_its_document() -> None:
    """A report names the documents that answer."""
    result = ask("lamp", "-k", "3", "--min-score", "0", "--report", "page.html", "--no-isolate")
    assert result.exit_code == 0, result.stderr
    page = Path("page.html").read_text()
    assert "lamp.txt" in page
    assert "gull.html" in page
    assert "0 of 0 passages" not in page


def test_sync_without_a_folder_is_an_error_and_still_answers() -> None:
    """Lost or empty: the words that were indexed answer, and the exit code tells."""
    for state in ("lost", "empty"):
        if state == "lost":
            Path("files").rename("away")
        else:
            Path("files").mkdir()
        result = ask("--sync", OIL)
        assert result.exit_code == 2
        assert "40 litres" in result.stdout
        assert "files" in result.stderr
        assert "remove them" in result.stderr


def test_collection_without_documents_is_told() -> None:
    """Filters are blamed only where there are some."""
    Path("none").mkdir()
    run("index", "none", "--to", "empty")
    assert "empty has no documents" in run("ask", "--in", "empty", OIL).stderr


def test_a_question_without_a_common_word_says_so() -> None:
    """No advice to read more where nothing more can be read."""
    result = run("ask", "--in", "kb", "Zebra quux?")
    assert result.exit_code == 1
    assert "no passage shares a word with the question; to try: other words" in result.stderr
    assert "--top-passages" not in result.stderr
    low = run("ask", "--in", "kb", "What of the lamp?", "--min-score", "1", "--top-passages", "1")
    assert "a higher --top-passages reads more" in low.stderr
    most = run("ask", "--in", "kb", "What of the lamp?", "--min-score", "1")
    assert "--top-passages" not in most.stderr
