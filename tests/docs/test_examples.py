"""The scripts in examples/ run as they are and print what they promise."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from checkout import DOCS, EXAMPLES

import docqa
from docqa.reader.requirements import is_installed

pytestmark = pytest.mark.slow


def run(name: str, *arguments: str, given: str = "") -> str:
    """Return what a script prints; `given` is typed."""
    paths = [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path]
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join(map(os.path.abspath, paths)),
        "HF_HUB_OFFLINE": "1",
    }
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / name), *arguments],
        env=environment,
        input=given,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def page_texts(path: Path) -> list[str]:
    """Return the text of each page of a PDF."""
    pdfium = pytest.importorskip("pypdfium2")
    with pdfium.PdfDocument(path) as document:
        return [page.get_textpage().get_text_bounded() for page in document]


def test_samples_are_what_the_script_makes(tmp_path: Path) -> None:
    """The handbook in the repository is the one that make_samples.py writes."""
    run("make_samples.py", str(tmp_path))
    html, pdf = "handbook.html", "handbook.pdf"
    assert (tmp_path / html).read_bytes() == (EXAMPLES / html).read_bytes()
    assert page_texts(tmp_path / pdf) == page_texts(EXAMPLES / pdf)
    for name in ("handbook.docx", "handbook.pptx", "handbook.epub"):
        assert docqa.load(tmp_path / name).text == docqa.load(EXAMPLES / name).text


def test_samples_are_made_alike_twice(tmp_path: Path) -> None:
    """Two runs of make_samples.py give the same bytes."""
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        run("make_samples.py", str(tmp_path / folder))
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes()


def test_ask_pdf() -> None:
    """The script finds the date and its page."""
    first, *_, coverage = run("ask_pdf.py").splitlines()
    assert first.startswith("14 October 1871  (page 3, printed 1, score ")
    assert coverage.startswith("read ")


def test_ask_many() -> None:
    """Each question is answered by the file that knows, and the missing file is named."""
    assert run("ask_many.py").splitlines() == [
        "How many steps lead to the lantern? 142 (handbook.pdf, page 3)",
        "How many horsepower has the new engine? 54 (notes.md, line 14)",
        "What was the lowest pressure of the storm? 991.6 hPa (logbook.txt, line 16)",
        "not asked: missing.pdf",
    ]


def test_behind_a_search_engine() -> None:
    """Passages come from SQLite's full-text index, answers and places from the files."""
    assert run("behind_a_search_engine.py").splitlines() == [
        "When was the lamp first lit? 14 October 1871 (handbook.pdf, page 3)",
        "How many horsepower has the new engine? 54 (notes.md, line 14)",
        "What was the lowest pressure of the storm? 991.6 hPa (logbook.txt, line 16)",
    ]


def test_ask_on_several_gpus() -> None:
    """Two processes share the files, and outcomes come in the order of the files."""
    lines = run("ask_on_several_gpus.py", "--devices", "cpu,cpu").splitlines()
    assert len(lines) == 6
    assert lines[0] == "handbook.pdf: How many steps lead to the lantern? 142"
    assert lines[3] == "notes.md: How many horsepower has the new engine? 54"


def test_knowledge_base() -> None:
    """Files that change, come and go are followed, and a stale answer says that it is one."""
    assert run("knowledge_base.py").splitlines() == [
        "3 added",
        "14 October 1871 (handbook.pdf, page 3)",
        "54 (notes.md, line 14)",
        "54 (notes.md, the file has changed since)",
        "1 replaced, 2 unchanged",
        "60 (notes.md, line 14)",
        "1 added, 1 removed, 2 unchanged",
        "991.6 hPa (logbook.txt, line 16)",
    ]


def test_knowledge_base_answers_what_is_typed(tmp_path: Path) -> None:
    """A folder is indexed, and a question with a filter is asked of the files it leaves."""
    for name in ("handbook.html", "notes.md"):
        (tmp_path / name).write_bytes((EXAMPLES / name).read_bytes())
    question = "How many horsepower has the new engine?"
    typed = f"type:text/markdown {question}\nby:nobody {question}\n"
    assert run("knowledge_base.py", str(tmp_path), given=typed).splitlines() == [
        "2 added",
        "54 (notes.md, line 14)",
        "no answer (read 0 of 0 passages)",
    ]


def test_positions() -> None:
    """The script shows page, element and line of an answer."""
    output = run("positions.py")
    assert "page 4, printed 2\n" in output
    assert output.count(" pt from the left\n") == 2, "the answer stands on two lines"
    assert "'127 millimetres wide' in /html/body/main[1]/section[3]/p[4]\n" in output
    assert "'991.6 hPa' at line 16, column 65\n" in output


def test_ask_sphinx_site() -> None:
    """Pages that Sphinx built are asked, each answer from the right page."""
    pytest.importorskip("sphinx")
    cable, kept = run("ask_sphinx_site.py").splitlines()
    assert cable.startswith("How long may the serial cable be? 15 metres (install.html")
    assert kept.startswith("For how long are readings kept? 400 days (settings.html")


def test_migrate_pipeline() -> None:
    """Code for the removed pipeline gives the reference results."""
    assert run("migrate_pipeline.py") == "John at 11 to 15\nHyderabad at 30 to 39\n"


LAMP = "14 October 1871 (page 3"
FRAMEWORKS = {
    "langchain": ("langchain_core", f"handbook.pdf, 0 to 502\n{LAMP})\n"),
    "llamaindex": ("llama_index.core", f"notes.md, 582 to 787\n{LAMP})\n"),
    "haystack": ("haystack", f"{LAMP}, 258 pt from the left)\n"),
}


@pytest.mark.parametrize("name", FRAMEWORKS)
def test_with_a_framework(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each framework gets pages with printed numbers, passages, and the exact answer."""
    module, end = FRAMEWORKS[name]
    if not is_installed(module):
        pytest.skip(f'{module} is missing: pip install "docqa-exact[{name}]"')
    monkeypatch.setenv("HAYSTACK_TELEMETRY_ENABLED", "False")
    output = run(f"with_{name}.py")
    assert " documents, such as page 1\n" in output
    assert output.endswith(end)
    guide = (DOCS / "guides" / "frameworks.md").read_text("utf-8")
    assert f"```text\n{output}```" in guide
