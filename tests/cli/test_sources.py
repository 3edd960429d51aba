"""Arguments of the command line: which are sources, which files they name, what is asked."""

from __future__ import annotations

import io
import os
import re
import sys
from pathlib import Path

import click
import pytest

from docqa.cli.sources import expand, read_questions, split_arguments
from docqa.errors import SourceNotFoundError, SourceUnreadableError


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("report.txt", "b/page.html", "b/a.md", "b/photo.png", ".secret.txt", ".git/x.txt"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("Words.")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def paths(*arguments: str) -> list[str]:
    return [Path(file.path).as_posix() for file in expand(arguments).files]


@pytest.mark.usefixtures("folder")
def test_last_argument_is_the_question() -> None:
    """The last argument is the question when it names no file."""
    split = split_arguments(["report.txt", "b", "Who signs?"], question_given=False)
    assert split == (["report.txt", "b"], "Who signs?")


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("last", ["report.txt", "b", "-", "b/*.md", "**/*.html"])
def test_last_argument_that_names_files_is_a_source(last: str) -> None:
    """An existing path, a matching pattern and ``-`` are sources, also in the last place."""
    assert split_arguments([".", last], question_given=False) == ([".", last], None)


@pytest.mark.usefixtures("folder")
def test_question_options_make_every_argument_a_source() -> None:
    """With a question given by an option, no positional argument is taken for one."""
    split = split_arguments(["report.txt", "no such file"], question_given=True)
    assert split == (["report.txt", "no such file"], None)


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["reprot.txt"], "no such file; did you mean report.txt?"),
        (["report.txt", "other.pdf"], "if it is the question, give it with -q"),
        (["Who signs?"], "is not a file; write docqa ask SOURCE... QUESTION"),
        (["https://example.org/a"], "addresses are not fetched"),
        ([], "no source given"),
    ],
)
def test_missing_sources_and_questions_say_what_to_do(arguments: list[str], message: str) -> None:
    """Every way to leave something out gets its own advice."""
    with pytest.raises((click.UsageError, SourceNotFoundError), match=re.escape(message)):
        split_arguments(arguments, question_given=False)


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["report.txt", "How", "much", "is", "rubber?"], "How much is rubber?"),
        (["How", "much?"], "How much?"),
        (["b/hand", "book.pdf"], "b/hand book.pdf"),
        (["no/hand", "book.pdf", "Who signs?"], "no/hand book.pdf"),
    ],
)
def test_words_without_quotes_are_one_error(arguments: list[str], words: str) -> None:
    """A question or name that the shell has torn apart is one error that shows the quotes."""
    with pytest.raises(SourceNotFoundError, match=f'in quotes: "{re.escape(words)}"'):
        split_arguments(arguments, question_given=False)


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("last", ["rubber", "How much?"])
def test_missing_names_are_no_loose_words(last: str) -> None:
    """Whole names that are missing stay sources, each with its own error."""
    split = split_arguments(["a.pdf", "b.pdf", last], question_given=False)
    assert split == (["a.pdf", "b.pdf"], last)


@pytest.mark.usefixtures("folder")
def test_folder_stands_for_its_supported_files() -> None:
    """A folder is searched downwards, sorted, without hidden files; others are counted."""
    expansion = expand(["."])
    found = [Path(file.path).as_posix() for file in expansion.files]
    assert found == ["b/a.md", "b/page.html", "report.txt"]
    assert expansion.passed_over == {".png": 1}


@pytest.mark.usefixtures("folder")
def test_pattern_stands_for_what_it_matches() -> None:
    """Quoted patterns work as in a shell, with ``**`` for folders at any depth."""
    assert paths("**/*.[hm]*") == ["b/a.md", "b/page.html"]


@pytest.mark.usefixtures("folder")
def test_source_named_twice_is_asked_once() -> None:
    """A file that several arguments name is one source, in the place of the first."""
    assert paths("report.txt", "./report.txt", ".", "-", "-") == [
        *("report.txt", "b/a.md", "b/page.html", "-"),
    ]


@pytest.mark.usefixtures("folder")
def test_a_file_that_is_also_named_is_not_only_found() -> None:
    """What a folder or a pattern brought along is told from what an argument names."""
    files = expand(["b", "*.txt", "b/a.md"]).files
    found = {Path(file.path).as_posix(): file.is_found for file in files}
    assert found == {"b/a.md": False, "b/page.html": True, "report.txt": True}


def test_file_whose_name_looks_like_a_pattern_is_a_file(folder: Path) -> None:
    """Brackets in an existing name are no pattern."""
    (folder / "a[1].txt").write_text("Words.")
    assert paths("a[1].txt") == ["a[1].txt"]


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("b/a.mb", "no such file; did you mean b"),
        ("*.docx", "no file matches this pattern"),
        ("no/such/file.txt", f"no such file; {Path('no/such')} does not exist"),
        ("report.txt/file.txt", "report.txt is a file"),
    ],
)
def test_missing_source_stays_in_the_batch_as_error(argument: str, message: str) -> None:
    """What cannot be found is one source with an error, so that the rest goes on."""
    missing, present = expand([argument, "report.txt"]).files
    assert isinstance(missing.error, SourceNotFoundError)
    assert message in str(missing.error)
    assert present.error is None


def test_folder_without_supported_files_is_an_error(tmp_path: Path) -> None:
    """An empty folder is named and not passed over in silence."""
    (file,) = expand([str(tmp_path)]).files
    assert isinstance(file.error, SourceNotFoundError)
    assert ".pdf" in str(file.error)


def test_unreadable_folder_is_an_error(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that cannot be listed is named; those beside it are searched."""
    listed = os.scandir

    def scandir(path: str) -> object:
        if str(path).endswith("b"):
            raise PermissionError(13, "Permission denied", str(path))
        return listed(path)

    monkeypatch.setattr(os, "scandir", scandir)
    unreadable, report = expand([str(folder)]).files
    assert isinstance(unreadable.error, SourceUnreadableError)
    assert Path(report.path).name == "report.txt"


def test_questions_file_holds_one_a_line(tmp_path: Path) -> None:
    """Blank lines and the byte order mark are no part of the questions."""
    file = tmp_path / "questions.txt"
    file.write_bytes("\ufeffWho signs?\r\n\r\n  Wo wohnt Jörg?  \n".encode())
    assert read_questions(str(file)) == ["Who signs?", "Wo wohnt Jörg?"]


def test_questions_come_from_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    """``-`` reads the questions from standard input."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"Who?\nWhen?\n")))
    assert read_questions("-") == ["Who?", "When?"]


@pytest.mark.parametrize(
    ("content", "message"),
    [(None, "No such file"), (b"\n \n", "no question in"), (b"\xff\xfeW", "not UTF-8")],
)
def test_unusable_questions_file_is_an_error(
    content: bytes | None, message: str, tmp_path: Path
) -> None:
    """A missing, empty or undecodable file of questions is named with its reason."""
    file = tmp_path / "questions.txt"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(click.UsageError, match=message):
        read_questions(str(file))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_pipe_in_a_folder_is_passed_over(folder: Path) -> None:
    """To open one would wait for ever."""
    os.mkfifo(folder / "pipe.txt")
    found = expand([str(folder)])
    assert not [file for file in found.files if file.path.endswith("pipe.txt")]
    assert found.passed_over["pipes and devices"] == 1
