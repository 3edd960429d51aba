"""``docqa ask --highlight`` and ``docqa show``, with a reader that needs no weights."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pypdf
import pytest
from checkout import EXAMPLES
from click.testing import CliRunner, Result
from PIL import Image

import docqa
from docqa.cli import main, session
from docqa.cli.session import ReadingSettings
from docqa.testing import FakeReader

DOGS = "Where do dogs stay?"
CHEST = "How long is lost property kept in the chest?"


def pipeline_without_weights(settings: ReadingSettings) -> docqa.Pipeline:
    score = 0.5 if settings.min_score is None else settings.min_score
    return docqa.Pipeline(reader=FakeReader(), min_score=score)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(session, "open_pipeline", pipeline_without_weights)
    monkeypatch.chdir(tmp_path)
    for name in ("handbook.pdf", "notes.md", "handbook.html"):
        shutil.copy(EXAMPLES / name, name)
    return tmp_path


def run(*arguments: str, stdin: bytes | None = None) -> Result:
    return CliRunner().invoke(main, arguments, input=stdin, prog_name="docqa")


def comments(path: str) -> list[str]:
    pages = pypdf.PdfReader(path).pages
    return [note.get_object()["/Contents"] for page in pages for note in page.get("/Annots", ())]


def size(path: str) -> tuple[int, int]:
    with Image.open(path) as image:
        return image.size


def test_answers_of_all_questions_are_marked() -> None:
    """Two questions are two comments in one copy, and one line says where."""
    result = run("ask", "handbook.pdf", "-q", DOGS, "-q", CHEST, "--highlight", "out.pdf")
    assert result.exit_code == 0
    assert result.stderr.splitlines()[-1] == "docqa: marked 2 answers on page 6 in out.pdf"
    assert [comment.splitlines()[0] for comment in comments("out.pdf")] == [DOGS, CHEST]


def test_answers_are_written_as_without() -> None:
    """The copy comes beside the answers, not instead of them."""
    plain = run("ask", "handbook.pdf", DOGS, "--json")
    assert run("ask", "handbook.pdf", DOGS, "--json", "--highlight", "o.pdf").stdout == plain.stdout


def test_page_of_the_answer_is_drawn() -> None:
    """A .png is a picture of the page."""
    result = run("ask", "handbook.pdf", DOGS, "--highlight", "out.png")
    assert "docqa: marked 1 answer on page 6 in out.png" in result.stderr
    assert size("out.png") == (839, 1191)


def test_page_is_chosen() -> None:
    """A page without the answer is drawn too, and that is said."""
    result = run("ask", "handbook.pdf", DOGS, "--highlight", "out.png", "--page", "2")
    assert "no answer is on page 2; the first one is on page 6" in result.stderr
    assert "wrote out.png without marks" in result.stderr
    assert Path("out.png").exists()


def test_standard_input_is_marked() -> None:
    """What was piped in is kept for the copy."""
    data = Path("handbook.pdf").read_bytes()
    result = run("ask", "-", DOGS, "--highlight", "out.pdf", stdin=data)
    assert result.exit_code == 0
    assert Path("out.pdf").read_bytes().startswith(data)


@contextmanager
def pipe(path: str) -> Iterator[str]:
    """Yield the name of a pipe that gives a file's bytes once, as the shell's ``<(cat path)``."""
    if not Path("/dev/fd").is_dir():
        pytest.skip("no /dev/fd here")
    with subprocess.Popen(["cat", path], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        yield f"/dev/fd/{process.stdout.fileno()}"


@pytest.mark.parametrize("name", ["handbook.pdf", "handbook.html"])
def test_a_pipe_is_marked(name: str) -> None:
    """A source that can be read only once is read once, for the copy and for the report."""
    out = f"out{Path(name).suffix}"
    with pipe(name) as source:
        result = run("ask", source, DOGS, "--highlight", out, "--report", "report.html")
    assert (result.exit_code, "marked 1 answer" in result.stderr) == (0, True)
    assert ("data:image" in Path("report.html").read_text("utf-8")) == name.endswith("pdf")


def test_show_draws_from_a_pipe() -> None:
    """What was loaded is what is drawn."""
    with pipe("handbook.pdf") as source:
        assert run("show", source, "--page", "6", "--boxes", "page.png").exit_code == 0
    assert size("page.png") == (839, 1191)


def test_no_answer_writes_nothing() -> None:
    """Without an answer there is no copy, and a line says so; exit 1 as ever."""
    question = "Which parrots were sold?"
    result = run("ask", "handbook.pdf", question, "--highlight", "out.pdf", "--min-score", "1")
    assert result.exit_code == 1
    assert "docqa: no answer to mark; out.pdf is not written" in result.stderr
    assert not Path("out.pdf").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["handbook.pdf", "notes.md", DOGS, "--highlight", "out.pdf"], "--report OUT.html"),
        (["handbook.pdf", DOGS, "--highlight", "out.gif"], "the suffix says what is made"),
        (["handbook.pdf", DOGS, "--highlight", "handbook.pdf"], "the original itself"),
        (["handbook.pdf", DOGS, "--highlight", "nowhere/out.pdf"], "there is no folder nowhere"),
        (["handbook.pdf", DOGS, "--page", "2"], "add --highlight OUT.png"),
        (["handbook.pdf", DOGS, "--page", "2", "--highlight", "out.pdf"], "OUT.png"),
        (["handbook.pdf", DOGS, "--page", "0", "--highlight", "out.png"], "0 is not in the range"),
    ],
)
def test_wrong_use_is_told_before_anything_is_read(arguments: list[str], message: str) -> None:
    """What cannot be written ends with exit 2 and no answer."""
    result = run("ask", *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert message in result.stderr


def test_markdown_has_no_pdf_copy() -> None:
    """A copy of another kind than the source is refused."""
    result = run("ask", "notes.md", "What engine?", "--highlight", "out.pdf", "--min-score", "0")
    assert result.exit_code == 2
    assert not Path("out.pdf").exists()


def test_show_draws_a_page() -> None:
    """The page as it is, with a line that says which."""
    result = run("show", "handbook.pdf", "--page", "6", "page.png")
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == "docqa: drew page 6 in page.png\n"
    assert size("page.png") == (839, 1191)


def test_show_outlines_the_lines() -> None:
    """``--boxes`` draws a blue line around every line of text."""
    result = run("show", "handbook.pdf", "--page", "6", "--boxes", "page.png")
    assert result.stderr == "docqa: drew page 6 with 16 lines, 0 form fields in page.png\n"
    with Image.open("page.png") as image:
        colors = image.convert("RGB").getcolors(1 << 20)
    assert (0x00, 0x72, 0xB2) in {color for _, color in colors or ()}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["handbook.pdf", "--page", "8", "page.png"], "has no page 8: pages are 1 to 7"),
        (["handbook.html", "page.png"], "is no PDF, and only pages of PDFs are drawn"),
        (["handbook.pdf", "page.jpg"], "let the file end in .png"),
        (["missing.pdf", "page.png"], "missing.pdf: no such file"),
        (["."], "Missing argument"),
        ([".", "page.png"], "this is a folder"),
    ],
)
def test_show_says_what_is_wrong(arguments: list[str], message: str) -> None:
    """Nothing is written, and one line says why."""
    result = run("show", *arguments)
    assert result.exit_code == 2
    assert message in result.stderr
    assert not Path("page.png").exists()


def test_show_opens_encrypted_files() -> None:
    """The password is that of the other commands."""
    writer = pypdf.PdfWriter(clone_from="handbook.pdf")
    writer.encrypt("open", algorithm="RC4-128")
    writer.write("locked.pdf")
    assert run("show", "locked.pdf", "page.png").exit_code == 2
    assert run("show", "locked.pdf", "page.png", "--password", "open").exit_code == 0
    asked = run("ask", "locked.pdf", DOGS, "--highlight", "out.pdf", "--password", "open")
    assert asked.exit_code == 0
    assert pypdf.PdfReader("out.pdf").is_encrypted


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--highlight", "out.html"), "let the file end in .pdf or .png"),
        (("--highlight", "out.png", "--page", "99"), "has no page 99"),
    ],
)
def test_what_cannot_be_made_is_said_before_reading(
    arguments: tuple[str, ...], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The document tells it, so that the reader need not be loaded."""
    monkeypatch.setattr("docqa.cli.session.open_pipeline", lambda settings: pytest.fail("loaded"))
    result = run("ask", "handbook.pdf", "Where do dogs stay?", *arguments)
    assert result.exit_code == 2
    assert words in result.stderr
