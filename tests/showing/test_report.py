"""Reports: every outcome is there, document text stays text, and nothing is fetched."""

from __future__ import annotations

import base64
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import html5lib
import pytest
from checkout import EXAMPLES
from click.testing import CliRunner

import docqa
from docqa.cli import main, session
from docqa.showing import answer_report
from docqa.showing.report_items import link_to_file
from docqa.testing import FakeReader

LAMP = "The lamp burns 40 litres of oil a week.\n"
QUESTION = "The lamp burns how much oil a week?"
EVIL = "The lamp burns <script>document.title='owned'</script><img src=x onerror=alert(1)> oil.\n"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("lamp.txt").write_text(LAMP)
    Path("bell.txt").write_text("Fog is near.\n")
    shutil.copy(EXAMPLES / "handbook.pdf", "handbook.pdf")
    return tmp_path


def items(sources: Iterable[Any], *questions: str, top_k: int = 1) -> list[docqa.GridItem]:
    pipeline = docqa.Pipeline(reader=FakeReader(max_answer_words=8), min_score=0.0)
    return list(pipeline.ask_all(sources, questions or (QUESTION,), top_k=top_k))


def written(found: list[docqa.GridItem], **settings: Any) -> Any:
    """Write a report and return its tree."""
    docqa.report(found, "report.html", **settings)
    return tree(Path("report.html").read_text("utf-8"))


def tree(page: str) -> Any:
    parser = html5lib.HTMLParser(tree=html5lib.getTreeBuilder("lxml"), namespaceHTMLElements=False)
    return parser.parse(page).getroot()


def text(element: Any) -> str:
    return " ".join("".join(element.itertext()).split())


def links(root: Any) -> list[str]:
    return [one for one in root.xpath("//a/@href") if not one.startswith("#")]


def test_every_outcome_is_listed() -> None:
    """Answers, questions without one, and sources that failed are all there, and counted."""
    root = written(items(["lamp.txt", "bell.txt", "missing.pdf"]))
    [section] = root.xpath("//section[@id='q1']")
    assert text(section.xpath(".//mark")[0]) == "40 litres"
    assert [text(one) for one in section.xpath(".//li")] == [
        "bell.txt read 1 of 1 passages",
        "missing.pdf: no such file; check the path (to load a text itself, pass it as bytes)",
    ]
    assert "1 answered, 1 without an answer, 1 failed" in text(root)


def test_an_answer_stands_in_its_sentence_with_score_and_place() -> None:
    """What a reader needs to check the answer is beside it."""
    found = items(["lamp.txt"])
    [article] = written(found).xpath("//article")
    assert text(article.xpath(".//p")[0]) == "The lamp burns 40 litres of oil a week."
    assert f"score {found[0].answers[0].score:.2f}" in text(article)
    assert "lamp.txt, line 1, column 16" in text(article)


def test_further_places_of_the_same_words_are_named() -> None:
    """An answer that stands several times says where else."""
    Path("twice.txt").write_text(LAMP + "Fog is near.\n" * 400 + LAMP)
    [item] = items(["twice.txt"])
    [other] = {1, 402} - {item.answers[0].line}
    assert f"The same words also on line {other}, column 16." in text(written([item]))


def test_contents_lead_to_every_question_and_file() -> None:
    """Links inside the page have targets, and ids are given once."""
    root = written(items(["lamp.txt", "handbook.pdf"], QUESTION, "Who counts the visitors?"))
    ids = root.xpath("//@id")
    inside = {one[1:] for one in root.xpath("//a/@href") if one.startswith("#")}
    assert len(ids) == len(set(ids))
    assert {"q1", "q2", "f1", "f2"} <= inside <= set(ids)


def test_an_answer_in_a_pdf_has_a_picture_of_its_place() -> None:
    """The picture shows the words on their mark, and says what it is to those who cannot see it."""
    from PIL import Image

    root = written(items(["handbook.pdf"], "Who counts the visitors in?"))
    [image] = root.xpath("//img")
    with Image.open(BytesIO(base64.b64decode(image.get("src").partition(",")[2]))) as picture:
        assert picture.size == (int(image.get("width")), int(image.get("height")))
        colours = {colour for _, colour in picture.convert("RGB").getcolors(1 << 24)}
    assert any(red > 240 and 200 < green < 240 and blue < 100 for red, green, blue in colours)
    assert re.fullmatch(
        r"Part of page \d+.* of handbook\.pdf, with the answer marked", image.get("alt")
    )


def test_links_open_a_pdf_at_the_page() -> None:
    """The link is relative to the report's folder, wherever the report is."""
    Path("out").mkdir()
    [item] = items(["handbook.pdf"], "Who counts the visitors in?")
    docqa.report([item], "out/report.html")
    page = item.answers[0].page_number
    assert f"../handbook.pdf#page={page}" in links(tree(Path("out/report.html").read_text()))


@pytest.mark.parametrize("name", ["a b#c?d%.txt", "javascript:alert(1)", 'x"><b>.txt', "é漢.txt"])
def test_odd_names_become_links_to_the_file(name: str) -> None:
    """No character of a name has a meaning in the link: it has no scheme and leads to the file."""
    Path(name).write_text(LAMP)
    found = links(written(items([name])))
    assert found
    for link in found:
        parts = urlsplit(link)
        assert (parts.scheme, parts.netloc, parts.query) == ("", "", "")
        assert unquote(parts.path) == name


@pytest.mark.parametrize(
    "source", ["-", "<bytes>", "javascript:alert(1)", "no\0file", "missing.pdf"]
)
def test_what_is_no_file_gets_no_link(source: str) -> None:
    """Only real files are linked."""
    assert link_to_file(source, Path()) is None


def test_document_text_stays_text() -> None:
    """Markup in a document, a question, a title or a file's name is shown, not obeyed."""
    Path("<u>evil.txt").write_text(EVIL)
    root = written(items(["<u>evil.txt"], "The lamp burns <b>what</b> oil?"), title="<i>Evil</i>")
    assert not root.xpath("//script | //img | //b | //u | //i")
    assert "<script>document.title='owned'</script><img src=x" in text(root.xpath("//article")[0])
    assert (text(root.xpath("//h1")[0]), text(root.xpath("//h2/bdi")[0])) == (
        "<i>Evil</i>",
        "The lamp burns <b>what</b> oil?",
    )


def test_nothing_is_loaded_from_outside() -> None:
    """All sources are data, no element loads anything else, and a policy forbids it besides."""
    root = written(items(["handbook.pdf", "lamp.txt"], "Who counts the visitors in?", QUESTION))
    assert all(one.startswith("data:image/") for one in root.xpath("//@src"))
    assert not root.xpath("//link | //script | //iframe | //object | //form | //@srcset")
    assert not [one for one in root.xpath("//@*") if one.attrname.startswith("on")]
    assert "url(" not in text(root.xpath("//style")[0])
    [policy] = root.xpath("//meta[@http-equiv='Content-Security-Policy']/@content")
    assert policy.startswith("default-src 'none'; style-src 'unsafe-inline'; img-src data:")


def test_controls_and_half_surrogates_do_not_break_the_page() -> None:
    """What no page may hold is shown as something else."""
    question = "The lamp burns \x00\x1b[2J\udc80 oil?"
    written(items(["lamp.txt"], question))
    assert "␀␛[2J\N{REPLACEMENT CHARACTER}" in Path("report.html").read_text("utf-8")


@pytest.mark.parametrize("link", [None, os.symlink, os.link])
def test_a_source_is_never_overwritten(link: Callable[[str, str], None] | None) -> None:
    """A report refuses the path of a source, by links too, and leaves the file as it was."""
    found = items(["lamp.txt"])
    if link is not None:
        link("lamp.txt", "other.html")
    with pytest.raises(docqa.SettingError, match="the original itself"):
        docqa.report(found, "other.html" if link else "lamp.txt")
    assert Path("lamp.txt").read_text() == LAMP


def test_a_changed_file_has_no_picture_and_the_page_says_so() -> None:
    """The rectangle of one file is not drawn on another."""
    found = items(["handbook.pdf"], "Who counts the visitors in?")
    with Path("handbook.pdf").open("ab") as file:
        file.write(b"\n")
    result = docqa.report(found, "report.html")
    assert (result.answers, result.pictures) == (1, 0)
    assert "it has changed since" in text(tree(Path("report.html").read_text()))


def test_pictures_are_capped_and_the_page_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """A report of thousands of answers stays a page that opens."""
    monkeypatch.setattr(answer_report, "_MOST_PICTURES", 1)
    found = items(["handbook.pdf"], "Who counts the visitors in?", "Who rings the bell?")
    result = docqa.report(found, "report.html")
    assert (result.answers, result.pictures) == (2, 1)
    assert result.notes == ("To keep this page small, 1 answer has no picture of its place.",)


def test_a_picture_of_bytes_needs_their_source() -> None:
    """Documents that are at no path are handed over by name."""
    data = Path("handbook.pdf").read_bytes()
    [document] = [docqa.load(data, name="-")]
    found = items([document], "Who counts the visitors in?")
    assert docqa.report(found, "report.html").pictures == 0
    assert docqa.report(found, "report.html", sources={"-": data}).pictures == 1


def test_names_that_no_path_has_are_reported() -> None:
    """A source that failed because of its name is listed like all others."""
    root = written(items(["no\0file.txt"]))
    assert "no␀file.txt: cannot be read: embedded null byte" in text(root)


def test_a_report_of_nothing_is_refused() -> None:
    """An empty page would say that all was asked."""
    with pytest.raises(docqa.SettingError, match="nothing to report"):
        docqa.report([], "report.html")


def test_same_outcomes_give_the_same_page() -> None:
    """Only the date differs between two runs, and it can be given."""
    made = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
    found = items(["lamp.txt", "handbook.pdf"])
    docqa.report(found, "one.html", made=made)
    docqa.report(found, "two.html", made=made)
    assert Path("one.html").read_bytes() == Path("two.html").read_bytes()
    assert "2026-01-02 03:04 UTC" in Path("one.html").read_text()


@pytest.fixture
def without_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "open_pipeline", lambda _: docqa.Pipeline(reader=FakeReader()))


def run(*arguments: str, stdin: str | None = None) -> Any:
    return CliRunner().invoke(main, arguments, input=stdin, prog_name="docqa")


@pytest.mark.usefixtures("without_weights")
def test_the_command_writes_a_report_beside_its_output() -> None:
    """--report goes with --json, and is written although a source failed."""
    result = run("ask", "lamp.txt", "missing.txt", QUESTION, "--json", "--report", "report.html")
    assert (result.exit_code, len(result.stdout.splitlines())) == (2, 2)
    assert "wrote 1 answer to report.html" in result.stderr
    assert len(tree(Path("report.html").read_text()).xpath("//article")) == 1


@pytest.mark.usefixtures("without_weights")
def test_the_command_refuses_before_it_reads() -> None:
    """What cannot be written is said at once, in one line."""
    Path("page.html").write_text(f"<p>{LAMP}")
    for out, reason in (
        ("report.pdf", "let report.pdf end in .html"),
        ("nowhere/report.html", "there is no folder nowhere"),
        ("page.html", "is the original itself"),
    ):
        result = run("ask", "page.html", QUESTION, "--report", out)
        assert (result.exit_code, result.stdout) == (2, "")
        assert reason in result.stderr
    assert Path("page.html").read_text() == f"<p>{LAMP}"


@pytest.mark.usefixtures("without_weights")
@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--highlight", "out.html", "--report", "./out.html"], "both write to out.html"),
        (["--questions", "asked.html", "--report", "asked.html"], "holds the questions"),
        (["--questions", "asked.html", "--highlight", "asked.html"], "holds the questions"),
        (["all", "--report", "all/lamp.html"], "is the original itself"),
        (["all/*.html", "--report", "all/lamp.html"], "is the original itself"),
    ],
)
def test_outputs_replace_neither_each_other_nor_what_is_read(
    arguments: list[str], reason: str
) -> None:
    """Two outputs in one file, or one over the questions or a source, end before anything else."""
    Path("all").mkdir()
    Path("all/lamp.html").write_text(f"<p>{LAMP}")
    Path("asked.html").write_text(QUESTION)
    result = run("ask", "lamp.txt", "-q", QUESTION, *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert reason in result.stderr
    assert Path("asked.html").read_text() == QUESTION
    assert Path("all/lamp.html").read_text() == f"<p>{LAMP}"
    assert not Path("out.html").exists()


@pytest.mark.usefixtures("without_weights")
@pytest.mark.parametrize("source", ["all", "all/*"])
@pytest.mark.parametrize(
    ("name", "option", "out"),
    [
        ("lamp.txt", "--report", "all/out.html"),
        ("lamp.txt", "--highlight", "all/out.html"),
        ("lamp.html", "--highlight", "all/out.html"),
        ("lamp.pdf", "--highlight", "all/out.pdf"),
    ],
)
def test_the_same_command_works_again(source: str, name: str, option: str, out: str) -> None:
    """What the first run put among the sources is no source of the second, and a line says so."""
    Path("all").mkdir()
    Path("all", name).write_text(LAMP)
    question = QUESTION
    if name.endswith("pdf"):
        shutil.copy(EXAMPLES / "handbook.pdf", Path("all", name))
        question = "Where do dogs stay?"
    first, second = (run("ask", source, question, option, out) for _ in range(2))
    assert (first.exit_code, second.exit_code) == (0, 0)
    assert first.stdout == second.stdout
    said = f"docqa: {Path(out)} is no source: docqa made it, and {option} replaces it"
    assert (said in first.stderr, said in second.stderr) == (False, True)


CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium (Debian package chromium)")
def test_a_browser_runs_and_fetches_nothing(tmp_path: Path) -> None:
    """Scripts of a document do not run in a report, and a logged browser asks for nothing else."""
    beacon = "<img src='http://localhost:9/beacon'>"
    Path("evil.txt").write_text(EVIL.replace("<img src=x onerror=alert(1)>", beacon))
    docqa.report(items(["evil.txt"], "The lamp burns what oil?"), "report.html", title="Canary")
    log = tmp_path / "net.json"
    page = browse((tmp_path / "report.html").as_uri(), tmp_path, f"--log-net-log={log}")
    assert text(tree(page).xpath("//title")[0]) == "Canary"
    assert "script&gt;document.title='owned'" in page
    assert "beacon" not in log.read_text("utf-8", "replace")


@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium (Debian package chromium)")
def test_a_browser_scrolls_to_the_mark_of_a_page(tmp_path: Path) -> None:
    """The fragment #docqa-1 leads to the answer in a marked copy, whose own script still runs."""
    script = (
        "<script>onload = () => setTimeout(() => { const box = document.getElementById('docqa-1')"
        ".getBoundingClientRect(); document.title = `${scrollY > 0} ${box.top >= 0 && box.bottom"
        " <= innerHeight}` }, 100)</script>"
    )
    Path("page.html").write_text(f"{script}<p style='margin:5000px 0'>{LAMP}")
    [item] = items(["page.html"])
    docqa.highlight(item.answers, "marked.html")
    page = browse(f"{(tmp_path / 'marked.html').as_uri()}#docqa-1", tmp_path)
    assert text(tree(page).xpath("//title")[0]) == "true true"


def browse(address: str, folder: Path, *options: str) -> str:
    """Return the DOM that headless Chromium has of a page after a second of its own time."""
    assert CHROMIUM is not None
    command = [CHROMIUM, "--headless=new", "--no-sandbox", "--disable-gpu", "--dump-dom"]
    command += ["--virtual-time-budget=1000", f"--user-data-dir={folder / 'profile'}", *options]
    done = subprocess.run([*command, address], capture_output=True, timeout=120, check=True)
    return done.stdout.decode("utf-8")
