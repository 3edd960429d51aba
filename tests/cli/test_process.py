"""The command line as a process: imports, pipes, encodings, signals, terminals."""

from __future__ import annotations

import json
import os
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

LAMP = "The lamp burns 40 litres of oil a week. Zoë trims it at dusk.\n"
QUESTION = "The lamp burns how much oil a week?"
DRIVER = """
import sys, time
import docqa
from docqa.cli import main, session
from docqa.testing import FakeReader

class SlowReader(FakeReader):
    def read_all(self, requests, *, top_k):
        print("reading", file=sys.stderr, flush=True)
        while True:
            try:
                time.sleep(60)
            except KeyboardInterrupt:
                pass  # as callbacks of C libraries do

reader = {"fake": FakeReader, "slow": SlowReader}
session.open_pipeline = lambda settings: docqa.Pipeline(reader=reader[settings.reader]())
main(prog_name="docqa")
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("lamp.txt").write_text(LAMP, encoding="utf-8")


def environment(**changes: str) -> dict[str, str]:
    colours = {"NO_COLOR", "FORCE_COLOR", "TERM", "COLUMNS", "PYTHONIOENCODING"}
    kept = {name: value for name, value in os.environ.items() if name not in colours}
    here = os.pathsep.join(path for path in sys.path if path)
    return {**kept, "PYTHONPATH": here, "DOCQA_READER": "fake", **changes}


def start(*arguments: str, **changes: str) -> subprocess.Popen[bytes]:
    pipe = subprocess.PIPE
    return subprocess.Popen(
        [sys.executable, "-c", DRIVER, *arguments],
        **{"stdin": subprocess.DEVNULL, "stdout": pipe, "stderr": pipe},
        env=environment(**changes),
    )


def run(*arguments: str, **changes: str) -> tuple[int, bytes, bytes]:
    with start(*arguments, **changes) as process:
        out, err = process.communicate(timeout=60)
    return process.returncode, out, err


@pytest.mark.parametrize("arguments", [["--help"], ["ask", "--help"], ["info", "--help"]])
def test_help_imports_no_heavy_library(arguments: list[str]) -> None:
    """Help and completion start at once: none of the libraries of the stages is imported."""
    code = (
        "import sys; from docqa.cli import main; main(sys.argv[1:], standalone_mode=False);"
        "heavy = 'torch transformers tokenizers nltk pypdf pypdfium2 bs4 selectolax numpy rich';"
        "print(*(set(heavy.split()) & set(sys.modules)), file=sys.stderr)"
    )
    command = [sys.executable, "-c", code, *arguments]
    done = subprocess.run(command, env=environment(), capture_output=True, check=True)
    assert done.stderr.split() == []


def test_module_is_the_command() -> None:
    """``python -m docqa`` is the command, under its name."""
    command = [sys.executable, "-m", "docqa", "ask", "--help"]
    done = subprocess.run(command, env=environment(), capture_output=True, check=True)
    assert done.stdout.startswith(b"Usage: docqa ask [OPTIONS] SOURCE... [QUESTION]")


def test_pipe_gets_plain_text_and_no_bar() -> None:
    """In a pipe there is no colour and no progress, on either stream."""
    code, out, err = run("ask", "lamp.txt", QUESTION)
    assert code == 0
    assert "«40 litres»".encode() in out
    assert err == b"docqa: read 1 of 1 passages\n"


@pytest.mark.parametrize("kind", ["--json", "--csv", "--quiet"])
def test_ascii_output_fails_on_no_character(kind: str) -> None:
    """What the encoding lacks is written as an escape; JSON stays exact."""
    code, out, err = run("ask", "lamp.txt", "Who trims it at dusk?", kind, PYTHONIOENCODING="ascii")
    assert (code, err) == (0, b"" if kind == "--quiet" else err)
    assert out.isascii()
    if kind == "--json":
        assert json.loads(out)["answer"] == "Zoë"


def test_reader_that_leaves_early_ends_the_command(tmp_path: Path) -> None:
    """``| head`` ends the command without a word: exit 141, as after SIGPIPE."""
    for number in range(400):
        (tmp_path / f"{number:03}.txt").write_text(LAMP)
    with start("ask", ".", QUESTION, "--json") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.wait(timeout=60) == 141
        assert process.stderr.read() == b""


@pytest.mark.skipif(os.name == "nt", reason="sends SIGINT as a terminal does")
def test_interrupt_leaves_at_once() -> None:
    """Ctrl-C ends with 130 and without a traceback, even where libraries swallow it."""
    with start("ask", "lamp.txt", QUESTION, DOCQA_READER="slow") as process:
        assert process.stderr is not None
        assert process.stderr.readline() == b"reading\n"
        process.send_signal(signal.SIGINT)
        began = time.monotonic()
        assert process.wait(timeout=60) == 130
        assert time.monotonic() - began < 10
        assert process.stderr.read() == b""


@pytest.mark.skipif(os.name == "nt", reason="sends SIGINT as a terminal does")
def test_interrupt_leaves_a_report_of_what_was_answered() -> None:
    """Ctrl-C while a source is read keeps the outcomes of those before it."""
    os.mkfifo("waiting.txt")
    with start("ask", "lamp.txt", "waiting.txt", QUESTION, "--report", "report.html") as process:
        assert process.stdout is not None
        while b"40 litres" not in process.stdout.readline():
            pass
        time.sleep(0.5)  # until the second source is opened, which nobody writes to
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) == 130
    page = Path("report.html").read_text("utf-8")
    assert "Stopped with Ctrl-C" in page
    assert '<mark class="c0">40 litres</mark>' in page


@pytest.mark.skipif(os.name == "nt", reason="sends SIGINT as a terminal does")
def test_interrupt_leaves_no_half_line() -> None:
    """Ctrl-C in the middle of a line waits for its end."""
    code = """
import io, os, signal, sys
from docqa.cli.interrupt import emit, install_interrupt

class Slow(io.StringIO):
    def write(self, text):
        os.write(1, text[:5].encode())
        os.kill(os.getpid(), signal.SIGINT)
        os.write(1, text[5:].encode())

install_interrupt()
emit(Slow(), "a whole line\\n")
print("never")
"""
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment(), capture_output=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, b"a whole line\n", b"")


class Terminal:
    """Run the command on a pseudo-terminal and read what a user would see."""

    def __init__(self, *arguments: str, **changes: str) -> None:
        import pty

        self._ours, theirs = pty.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "-c", DRIVER, *arguments],
            **{"stdin": theirs, "stdout": theirs, "stderr": theirs},
            env=environment(TERM="xterm-256color", COLUMNS="80", **changes),
            start_new_session=True,
        )
        os.close(theirs)
        self.seen = ""

    def type(self, text: str) -> None:
        os.write(self._ours, text.encode())

    def read_until(self, pattern: str) -> str:
        """Return what appeared up to `pattern` since the last call; ``"$"`` reads to the end."""
        deadline = time.monotonic() + 60
        while not (found := re.search(pattern, self.seen)) or pattern == "$":
            assert time.monotonic() < deadline, self.seen
            if select.select([self._ours], [], [], 1)[0] and not self._read():
                break
        end = found.end() if found and pattern != "$" else len(self.seen)
        text, self.seen = self.seen[:end], self.seen[end:]
        return text

    def _read(self) -> bool:
        try:
            data = os.read(self._ours, 65536)
        except OSError:  # EIO: the other end is closed (Linux)
            return False
        self.seen += data.decode(errors="replace")
        return bool(data)

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._ours)


@pytest.fixture
def terminals() -> Iterator[list[Terminal]]:
    pytest.importorskip("pty")
    opened: list[Terminal] = []
    yield opened
    for terminal in opened:
        terminal.close()


def open_terminal(opened: list[Terminal], *arguments: str, **changes: str) -> Terminal:
    opened.append(Terminal(*arguments, **changes))
    return opened[-1]


def test_terminal_gets_colour(terminals: list[Terminal]) -> None:
    """On a terminal the answer is marked by colour and not by brackets."""
    terminal = open_terminal(terminals, "ask", "lamp.txt", QUESTION)
    seen = terminal.read_until("$")
    assert seen.count("\x1b[1;32m40 litres\x1b[0m") == 2
    assert "«" not in seen
    assert terminal.process.wait(timeout=60) == 0


def test_terminal_shows_progress_and_takes_it_away(terminals: list[Terminal]) -> None:
    """What is going on is one line, gone when the answer comes, and the cursor is back."""
    seen = open_terminal(terminals, "ask", "lamp.txt", QUESTION).read_until("$")
    assert "loading lamp.txt" in seen
    assert seen.index("loading lamp.txt") < seen.index("\x1b[1;32m40 litres")
    assert seen.count("\x1b[?25l") == seen.count("\x1b[?25h") > 0


def test_no_colour_is_honoured(terminals: list[Terminal]) -> None:
    """NO_COLOR leaves bold type and takes the colours away."""
    seen = open_terminal(terminals, "ask", "lamp.txt", QUESTION, NO_COLOR="1").read_until("$")
    assert "\x1b[1m40 litres\x1b[0m" in seen
    assert not re.search("\x1b\\[[0-9;]*3[0-7]", seen)


def test_prompt_answers_until_an_empty_line(terminals: list[Terminal]) -> None:
    """Without a question the terminal is asked, again and again, until an empty line."""
    terminal = open_terminal(terminals, "ask", "lamp.txt")
    assert "an empty line leaves" in terminal.read_until(r"\? $")
    terminal.type(f"{QUESTION}\n")
    assert "40 litres" in terminal.read_until(r"passages\x1b\[0m\r\n.*\? ")
    terminal.type("Who trims it at dusk?\n")
    assert "Zoë" in terminal.read_until(r"passages\x1b\[0m\r\n.*\? ")
    terminal.type("\n")
    assert terminal.process.wait(timeout=60) == 0


def test_prompt_recalls_what_was_typed(terminals: list[Terminal]) -> None:
    """The arrow up brings the last question back."""
    pytest.importorskip("readline")
    terminal = open_terminal(terminals, "ask", "lamp.txt")
    terminal.read_until(r"\? $")
    terminal.type(f"{QUESTION}\n")
    terminal.read_until(r"passages\x1b\[0m\r\n.*\? ")
    terminal.type("\x1b[A\n")
    assert "40 litres" in terminal.read_until(r"passages\x1b\[0m\r\n.*\? ")


def test_prompt_ends_with_the_input(terminals: list[Terminal]) -> None:
    """Ctrl-D at the prompt leaves with 0."""
    terminal = open_terminal(terminals, "ask", "lamp.txt")
    terminal.read_until(r"\? $")
    terminal.type("\x04")
    assert terminal.process.wait(timeout=60) == 0


def test_prompt_ends_with_ctrl_c(terminals: list[Terminal]) -> None:
    """Ctrl-C at the prompt leaves with 130 and without a traceback."""
    terminal = open_terminal(terminals, "ask", "lamp.txt")
    terminal.read_until(r"\? $")
    deadline = time.monotonic() + 60
    while terminal.process.poll() is None and time.monotonic() < deadline:
        terminal.process.send_signal(signal.SIGINT)  # one may come before readline waits
        time.sleep(0.3)
    assert terminal.process.wait(timeout=1) == 130
    assert "Traceback" not in terminal.read_until("$")


def test_interrupt_brings_the_cursor_back(terminals: list[Terminal]) -> None:
    """Ctrl-C while the progress is shown leaves a visible cursor."""
    terminal = open_terminal(terminals, "ask", "lamp.txt", QUESTION, DOCQA_READER="slow")
    seen = terminal.read_until("reading")
    terminal.process.send_signal(signal.SIGINT)
    assert terminal.process.wait(timeout=60) == 130
    seen += terminal.read_until("$")
    assert seen.rindex("\x1b[?25h") > seen.rindex("\x1b[?25l")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize(
    "command",
    ["ask lamp.txt Oil?", "ask lamp.txt Oil? --json", "info lamp.txt --reader mini", "--help"],
)
@pytest.mark.parametrize(
    ("output", "message"),
    [
        (">/dev/full", b"the output cannot be written: No space left on device"),
        (">&-", b"standard output is closed"),
    ],
)
def test_output_that_cannot_be_written_is_one_line(command, output, message) -> None:
    """A full disk or a closed stream is no unexpected error, and nothing is asked in vain."""
    shell = f'"{sys.executable}" -c "$DRIVER" {command} {output}'
    done = subprocess.run(
        ["sh", "-c", shell], env=environment(DRIVER=DRIVER), stderr=subprocess.PIPE, check=False
    )
    assert (done.returncode, done.stderr) == (2, b"docqa: error: " + message + b"\n")
