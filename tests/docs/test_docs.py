"""Every example of the README and the documentation runs and shows what it says.

Blocks of a page run in order and share one namespace, in a folder that holds a copy of
``examples/``. ``python`` blocks run; ``pycon`` blocks are doctests; in ``console`` blocks each
line after ``$`` is a command, and what follows is its output. ``...`` stands for any text, and
scores are not compared: their last digits differ between machines. In front of a block,
``<!-- not run: reason -->`` leaves it out and ``<!-- exit: 1 -->`` says how its commands end.
"""

from __future__ import annotations

import doctest
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from checkout import ROOT
from click.testing import CliRunner

from docqa.cli import main

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"(?:<!-- (.*?) -->\n+)?^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PLAIN = re.compile(r"docqa ([^|<>&;$]*?)(?: < (\S+))?(?: > (\S+))?")
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
SCORE = re.compile(r"[<>]?\b[01]\.\d{2,}\b")  # ">0.99" as people see it


@dataclass(frozen=True)
class Block:
    """One fenced block of a page."""

    place: str
    kind: str
    body: str
    mark: str

    @property
    def exit_code(self) -> int:
        return int(self.mark.removeprefix("exit: ")) if self.mark.startswith("exit: ") else 0


def blocks(page: Path) -> Iterator[Block]:
    """Yield the blocks of a page that are meant to run."""
    text = page.read_text(encoding="utf-8")
    for match in BLOCK.finditer(text):
        mark, kind, body = match[1] or "", match[2], match[3]
        line = text.count("\n", 0, match.start(3))
        if kind in {"python", "pycon", "console"} and not mark.startswith("not run: "):
            yield Block(f"{page.relative_to(ROOT)}:{line}", kind, body, mark)


def commands(body: str) -> Iterator[tuple[str, str]]:
    """Yield each command of a console block with the output shown below it."""
    for part in re.split(r"^\$ ", body, flags=re.MULTILINE)[1:]:
        command, _, output = re.sub(r"\\\n\s*", "", part).partition("\n")
        yield command, output


def run_command(command: str) -> tuple[int, str]:
    """Return the exit code and everything a command writes; plain ones run in this process."""
    if match := PLAIN.fullmatch(command):
        arguments, questions, results = match.groups()
        given = Path(questions).read_bytes() if questions else None
        ran = CliRunner().invoke(main, shlex.split(arguments), given, prog_name="docqa")
        if results:
            Path(results).write_text(ran.stdout, encoding="utf-8")
        return ran.exit_code, ran.stderr if results else ran.output
    script = f'docqa() {{ "{sys.executable}" -m docqa "$@"; }}\n{command}'
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", script],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


def check_console(block: Block) -> None:
    """Run the commands of a block and compare their output where the page shows some."""
    for command, expected in commands(block.body):
        exit_code, output = run_command(command)
        where = f"{block.place}: $ {command}\n{output}"
        assert exit_code == block.exit_code, where
        if expected.strip():
            shown, got = SCORE.sub("#", expected), SCORE.sub("#", output)
            assert doctest.OutputChecker().check_output(shown, got, FLAGS), where


def check_doctest(block: Block, namespace: dict[str, object]) -> None:
    """Run a block of doctests and keep its names."""
    test = doctest.DocTestParser().get_doctest(block.body, namespace, block.place, block.place, 0)
    report: list[str] = []
    outcome = doctest.DocTestRunner(optionflags=FLAGS).run(
        test, out=report.append, clear_globs=False
    )
    namespace.update(test.globs)
    assert not outcome.failed, "".join(report)


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_page(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a page shows happens."""
    paths = [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(map(os.path.abspath, paths)))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("COLUMNS", "100")
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    monkeypatch.chdir(tmp_path)
    namespace: dict[str, object] = {"__name__": "__main__"}
    for block in blocks(page):
        if block.kind == "console":
            check_console(block)
        elif block.kind == "pycon":
            check_doctest(block, namespace)
        else:
            exec(compile(block.body, block.place, "exec"), namespace)


def test_marks_give_a_reason() -> None:
    """A block is left out only with a reason, and no mark is misspelt."""
    marks = [match[1] for page in PAGES for match in BLOCK.finditer(page.read_text("utf-8"))]
    assert all(re.fullmatch(r"not run: \S.{10,}|exit: \d+", mark) for mark in marks if mark)


def test_readme_has_the_two_set_up_commands() -> None:
    """One command answers a question, one runs the tests, as .ci/run expects."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    asking, testing = re.findall(r"^pip install .*$", readme, re.MULTILINE)
    assert re.fullmatch(r'pip install \. && docqa ask examples/handbook\.pdf ".+"', asking)
    assert re.fullmatch(r'pip install torch==\S+ "\.\[test\]" && pytest', testing)


def test_readme_links_lead_somewhere() -> None:
    """Every relative link of the README names a file of the repository."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", readme)
    assert links
    assert not [link for link in links if not (ROOT / link).exists()]


def test_every_dependency_is_explained() -> None:
    """The page on dependencies says what each core dependency is there for, and no other."""
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    [listed] = re.findall(r"^dependencies = \[\n(.*?)^\]", project, re.MULTILINE | re.DOTALL)
    page = (ROOT / "docs/dependencies.md").read_text(encoding="utf-8")
    explained = re.findall(r"^\| ([\w-]+) \|", page.partition("## Extras")[0], re.MULTILINE)
    assert {*explained} == {"package", *re.findall(r'^ +"([\w-]+)', listed, re.MULTILINE)}


def test_every_warning_is_explained() -> None:
    """The page on warnings names every kind that a loader gives, and no other."""
    loaders = "".join(path.read_text("utf-8") for path in (ROOT / "docqa/loaders").rglob("*.py"))
    page = (ROOT / "docs/reference/warnings.md").read_text(encoding="utf-8")
    given = set(re.findall(r'LoadWarning\(\s*"([\w-]+)"', loaders))
    assert set(re.findall(r"^\| `([\w-]+)`", page, re.MULTILINE)) == given


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_is_there(shell: str) -> None:
    """The documented line of each shell prints its completion script."""
    page = (ROOT / "docs/guides/command-line.md").read_text(encoding="utf-8")
    assert f"_DOCQA_COMPLETE={shell}_source docqa" in page
    environment = {"_DOCQA_COMPLETE": f"{shell}_source"}
    script = CliRunner().invoke(main, [], prog_name="docqa", env=environment)
    assert script.exit_code == 0
    assert f"_DOCQA_COMPLETE={shell}_complete" in script.output
