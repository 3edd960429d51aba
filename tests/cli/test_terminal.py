"""What people write at a terminal that is not quite a command, and what they are told."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from docqa.cli import main
from docqa.places import place_in_words

PAGE = "<title>T</title><h2>Our <b>history</b></h2><div><p>The firm was founded in Leeds.</p></div>"
WHERE = "Where was the firm founded?"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in a folder with a text and a web page, with the small reader."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DOCQA_READER", "mini")
    Path("firm.txt").write_text("The firm was founded in Leeds by Ada Quill.\n", "utf-8")
    Path("page.html").write_text(PAGE, "utf-8")
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


@pytest.mark.parametrize("question", [WHERE, "Where?"])
def test_question_beside_an_option_is_no_source(question: str) -> None:
    """With -q every argument is a source, and the message says so before anything is read."""
    result = run("ask", "firm.txt", question, "-q", "Who founded it?")
    assert (result.exit_code, result.stdout) == (2, "")
    assert f"every argument is a source, and this one is none: '{question}'" in result.stderr


def test_pattern_beside_an_option_is_a_source() -> None:
    """A pattern that ends with a question mark names the files that match it."""
    result = run("ask", "firm.txt", "page.htm?", "-q", WHERE)
    assert "page.html" in result.stdout
    assert "this one is none" not in result.stderr


def test_collection_is_asked_by_its_name() -> None:
    """Asked like a file, it answers; beside other sources it is refused with the way."""
    run("index", "firm.txt", "--to", "kb")
    result = run("ask", "kb", WHERE)
    assert (result.exit_code, result.stdout.splitlines()[0]) == (0, "Leeds")
    assert "--in kb" in result.stderr
    refused = run("ask", "firm.txt", "kb", WHERE)
    assert refused.exit_code == 2
    assert "docqa ask --in kb" in refused.stderr


def test_folder_with_a_file_called_current_is_no_collection() -> None:
    """Its documents are asked."""
    Path("files").mkdir()
    Path("files/current").touch()
    Path("firm.txt").rename("files/firm.txt")
    assert run("ask", "files", WHERE).exit_code == 0


def test_question_without_a_command_is_asked() -> None:
    """A file in the place of a command means `docqa ask`; a missing one is named as one."""
    assert run("firm.txt", WHERE).stdout.startswith("Leeds")
    missing = run("frim.txt", WHERE)
    assert missing.exit_code == 2
    assert "did you mean firm.txt?" in missing.stderr


@pytest.mark.parametrize(
    ("written", "meant"),
    [(["aks"], "ask"), (["indx", "a"], "index"), (["kb", "chek", "kb"], "check"), (["ASK"], "ask")],
)
def test_misspelt_command_gets_a_guess(written: list[str], meant: str) -> None:
    """The nearest command is named, in a group too."""
    result = run(*written)
    assert result.exit_code == 2
    assert f"did you mean {meant}" in result.stderr


@pytest.mark.parametrize("command", [["ask"], ["info"], []])
def test_file_address_is_a_path(folder: Path, command: list[str]) -> None:
    """`file:///x` names the file x, with its escapes."""
    Path("a b.txt").write_text("The firm was founded in Leeds.", "utf-8")
    question = [] if command == ["info"] else [WHERE]
    result = run(*command, f"file://{folder}/a%20b.txt", *question)
    assert (result.exit_code, "a b.txt" in result.stdout) == (0, True)


def test_fewer_answers_than_asked_for_say_why() -> None:
    """-k 20 gives 20, or the reason."""
    assert (
        "1 of the 20 answers asked for: --min-score 0"
        in run("ask", "firm.txt", WHERE, "-k20").stderr
    )
    all_found = run("ask", "firm.txt", WHERE, "-k", "20", "--min-score", "0").stderr
    assert "answers asked for: the reader proposes no further words" in all_found
    assert "asked for" not in run("ask", "firm.txt", WHERE).stderr


@pytest.mark.parametrize("option", ["-k", "--top-passages"])
def test_number_beyond_all_bounds_is_an_ordinary_error(option: str) -> None:
    """It is refused by its option, and no traceback is seen."""
    result = run("ask", "firm.txt", WHERE, option, "9" * 30)
    assert (result.exit_code, "is not in the range" in result.stderr) == (2, True)


def test_place_in_a_page_is_its_heading() -> None:
    """People get the heading and the first words; the path is in the JSON."""
    place = 'page.html, under "Our history", at "The firm was founded in ..."'
    shown = run("ask", "page.html", WHERE).stdout
    assert place in shown
    assert "nth-of-type" not in shown
    assert "p:nth-of-type(1)" in run("ask", "page.html", WHERE, "--json").stdout


def test_place_without_a_heading_has_the_words() -> None:
    """The words of an answer's sentence are enough; other formats keep their places."""
    import docqa
    from docqa.datamodel import Span

    page = docqa.load(b"<title>T</title><p>Oil burns.</p>", name="a.html")
    text = docqa.load(b"# Lamps\n\nOil burns.", name="a.md")
    assert place_in_words(docqa.cite(page, Span(0, 3))) == 'at "Oil burns."'
    answer = docqa.cite(text, Span(text.text.index("Oil"), text.text.index("Oil") + 3))
    assert (answer.heading, place_in_words(answer)) == ("Lamps", "line 3")


@pytest.mark.parametrize("source", ["firm.txt", "gone.txt"])
@pytest.mark.parametrize("closed", [False, True])
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a full device")
def test_standard_error_that_takes_nothing_changes_nothing(source: str, closed: bool) -> None:
    """Results and exit code are those of any other run; only the messages are lost."""
    to = "2>&-" if closed else "2>/dev/full"
    command = f'exec "{sys.executable}" -m docqa ask {source} "{WHERE}" {to}'
    found = subprocess.run(
        ["sh", "-c", command], env=dict(os.environ), capture_output=True, text=True, check=False
    )
    expected = (0, True) if source == "firm.txt" else (2, False)
    assert (found.returncode, found.stdout.startswith("Leeds")) == expected


def test_safe_needs_a_copy() -> None:
    """--safe without --highlight would do nothing, and says so."""
    result = run("ask", "page.html", WHERE, "--safe")
    assert (result.exit_code, "add --highlight" in result.stderr) == (2, True)


def test_verify_names_the_heading() -> None:
    """A kept answer of a page is shown under its heading too."""
    Path("kept.jsonl").write_text(run("ask", "page.html", WHERE, "--json").stdout, "utf-8")
    result = run("verify", "kept.jsonl")
    assert (result.exit_code, 'under "Our history"' in result.stdout) == (0, True)
