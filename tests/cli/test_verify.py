"""``docqa verify``: what it reads, what it writes, how it ends."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from checkout import EXAMPLES
from click.testing import CliRunner, Result

import docqa
from docqa.cli import main
from docqa.datamodel import Span

LAMP = "The lamp burns 40 litres of oil a week. The keeper trims it at dusk.\n"
NO_ANSWER = '{"question": "?", "answer": null, "source": "a.txt"}'


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("a.txt", "b.txt"):
        Path(name).write_text(LAMP)
    return tmp_path


def line(source: str, words: str = "40 litres") -> str:
    """Return a line as ``docqa ask --json`` writes it."""
    document = docqa.load(source)
    start = document.text.index(words)
    answer = docqa.cite(document, Span(start, start + len(words)))
    return json.dumps({"source": source, "rank": 1, **answer.to_dict()})


def run(*arguments: str, lines: tuple[str, ...] = ()) -> Result:
    Path("answers.jsonl").write_text("".join(f"{one}\n" for one in lines))
    return CliRunner().invoke(main, ["verify", *arguments], prog_name="docqa")


def test_all_exact_is_0() -> None:
    """One line for each citation, and a count."""
    result = run("answers.jsonl", lines=(line("a.txt"), NO_ANSWER, line("b.txt", "dusk")))
    assert result.exit_code == 0
    assert (
        result.stdout == 'exact     a.txt: "40 litres", line 1\nexact     b.txt: "dusk", line 1\n'
    )
    assert result.stderr == "docqa: 2 citations: 2 exact; 1 record without an answer\n"


def test_moved_and_gone_are_1() -> None:
    """The new place is named, and so is what happened to the file."""
    lines = line("a.txt"), line("b.txt")
    Path("a.txt").write_text(f"Log\n\n{LAMP}")
    Path("b.txt").unlink()
    result = run("answers.jsonl", lines=lines)
    moved, gone = result.stdout.splitlines()
    assert result.exit_code == 1
    assert moved == 'moved     a.txt: "40 litres", line 3, characters 20 to 29 (the file changed)'
    assert gone.startswith(
        'gone      b.txt: "40 litres" (the file is missing; relative paths start'
    )


def test_ambiguous_names_the_places() -> None:
    """No place is claimed; those that may be meant are named."""
    Path("a.txt").write_text(LAMP * 2)
    lines = (line("a.txt"),)
    Path("a.txt").write_text("Log\n" + LAMP * 2)
    result = run("answers.jsonl", lines=lines)
    assert result.exit_code == 1
    assert result.stdout.startswith('ambiguous a.txt: "40 litres", line 2 or line 3 (the file')


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        ("{", "answers.jsonl:2: this line is not JSON; one object a line is expected"),
        ("[" * 100_000, "answers.jsonl:2: this line is not JSON; one object a line is expected"),
        ("[]", 'answers.jsonl:2: no record of an answer: it has no "answer"'),
        ('{"answer": "x"}', 'answers.jsonl:2: "source" is missing, or no text'),
    ],
)
def test_a_broken_line_is_named_and_the_rest_is_read(broken: str, message: str) -> None:
    """Its file and line are said; exit 2."""
    result = run("answers.jsonl", lines=(line("a.txt"), broken, line("b.txt")))
    assert result.exit_code == 2
    assert f"docqa: error: {message}" in result.stderr
    assert "2 citations: 2 exact; 1 broken line" in result.stderr


def test_a_file_that_cannot_be_read_is_2() -> None:
    """The loader's own message is shown once, whatever the number of citations."""
    lines = line("a.txt"), line("a.txt", "dusk"), line("b.txt")
    Path("a.txt").write_bytes(b"%PDF-1.7 broken")
    result = run("answers.jsonl", lines=lines)
    assert result.exit_code == 2
    assert result.stderr.count("a.txt is not a PDF that can be read") == 1
    assert [row.split()[0] for row in result.stdout.splitlines()] == ["failed", "failed", "exact"]


def test_json_for_machines() -> None:
    """Every line says status, place and where the record stands."""
    result = run("answers.jsonl", "--json", "--quiet", lines=(line("a.txt"),))
    (record,) = map(json.loads, result.stdout.splitlines())
    assert (record["status"], record["file_changed"], record["record"]) == (
        "exact", False, "answers.jsonl:1",
    )  # fmt: skip
    assert record["places"][0]["locations"][0]["line"] == 1
    assert result.stderr == ""


def test_standard_input() -> None:
    """A pipe from ``docqa ask --json`` works."""
    result = CliRunner().invoke(main, ["verify", "-"], input=line("a.txt"), prog_name="docqa")
    assert (result.exit_code, result.stdout[:5]) == (0, "exact")


@pytest.mark.parametrize("arguments", [("nothing.jsonl",), ("answers.jsonl",), ("b.txt", ".")])
def test_nothing_to_check_is_a_usage_error(arguments: tuple[str, ...]) -> None:
    """A missing or empty input is no success."""
    result = run(*arguments)
    assert result.exit_code == 2
    assert "Traceback" not in result.output


def test_password_opens_encrypted_files(folder: Path) -> None:
    """An encrypted file is checked with its password, and without it says what is missing."""
    import pypdf

    sample = EXAMPLES / "handbook.pdf"
    writer = pypdf.PdfWriter(clone_from=sample)
    writer.encrypt("sesame", algorithm="RC4-128")
    writer.write("locked.pdf")
    with docqa.load("locked.pdf", password="sesame") as document:
        start = document.text.index("14 October")
        cited = json.dumps(docqa.cite(document, Span(start, start + 10)).to_dict())
    assert run("answers.jsonl", "--password", "sesame", lines=(cited,)).exit_code == 0
    closed = run("answers.jsonl", lines=(cited,))
    assert (closed.exit_code, "needs a password" in closed.stderr) == (2, True)
    assert "sesame" not in cited


def test_limits_are_those_of_the_options() -> None:
    """The options that messages advise are there, and say when nothing would watch them."""
    lines = (line("a.txt"),)
    options = "--time-limit", "50", "--memory-limit", "500"
    assert run("answers.jsonl", *options, lines=lines).exit_code == 0
    result = run("answers.jsonl", "--no-isolate", "--time-limit", "50", lines=lines)
    assert (result.exit_code, "do nothing with --no-isolate" in result.stderr) == (2, True)
