"""Text documents shown with their answers: the text as it is, marks at its characters."""

from __future__ import annotations

import re
from pathlib import Path
from time import process_time
from typing import Any

import html5lib
import pytest
from hypothesis import given
from hypothesis import strategies as st

import docqa
from docqa.datamodel import Span
from docqa.highlighting import text_view as module
from docqa.highlighting.text_view import LegendEntry, TextMark, text_view
from docqa.testing import FakeReader

_TEXTS = st.text(st.sampled_from("ab <>&\"'é😀\t\n\r\0"), min_size=1, max_size=60)
_SPANS = st.lists(st.tuples(st.integers(0, 59), st.integers(1, 20)), max_size=4)


def tree(page: bytes) -> Any:
    parser = html5lib.HTMLParser(tree=html5lib.getTreeBuilder("lxml"), namespaceHTMLElements=False)
    return parser.parse(page.decode("utf-8")).getroot()


def view(text: str, *spans: Span, numbered: bool = True) -> Any:
    """Return the tree of the page that shows `text` with marks on `spans`."""
    marks = [TextMark(f"docqa-{n}", span, n % 6, "q") for n, span in enumerate(spans, 1)]
    return tree(text_view(text, marks, [], title="t", subtitle="", numbered=numbered).page)


def lines(root: Any) -> list[str]:
    return ["".join(line.itertext()) for line in root.xpath("//div[@class='line']")]


@given(_TEXTS, _SPANS)
def test_the_page_shows_the_text_and_marks_its_characters(text: str, places: list[Any]) -> None:
    """Lines put together are the text; each mark holds its span, whatever overlaps it."""
    spans = [Span(at, min(len(text), at + size)) for at, size in places if at < len(text)]
    root = view(text, *spans)
    shown = text.replace("\0", "␀")
    assert "\n".join(lines(root)) == re.sub(r"\r\n?", "\n", shown).removesuffix("\n")
    for number, span in enumerate(spans, 1):
        marks = root.xpath(f"//mark[contains(concat(@class, ' '), 'c{number % 6} ')]")
        found = "".join("".join(mark.itertext()) for mark in marks)
        assert found == re.sub(r"[\r\n]", "", shown[span.start : span.end])


@pytest.mark.slow
def test_many_marks_on_one_line_take_time_in_proportion() -> None:
    """Thousands of answers in a table without line ends do not look at one another."""
    marks = [TextMark(f"docqa-{n}", Span(9 * n, 9 * n + 4), n % 6, "q") for n in range(20_000)]
    started = process_time()
    made = text_view("some word" * len(marks), marks, [], **_SETTINGS)
    assert made.page.count(b">some</mark>") == len(marks)
    assert process_time() - started < 20  # seconds; two take each against each, many minutes


def test_each_mark_has_its_id_once() -> None:
    """A mark over two lines is one target."""
    root = view("one two\nthree four", Span(4, 13), Span(8, 13))
    assert sorted(root.xpath("//mark/@id")) == ["docqa-1", "docqa-2"]


def test_lines_are_numbered_from_1() -> None:
    """Numbers are no part of the text, so that copying it leaves them out."""
    root = view("a\r\nb\rc\n\nd")
    assert root.xpath("//div[@class='line']/@data-n") == ["1", "2", "3", "4", "5"]
    assert lines(root) == ["a", "b", "c", "", "d"]
    assert not view("a", numbered=False).xpath("//@data-n")


@pytest.mark.parametrize("end", ["\n", " "])
def test_of_a_long_text_the_surroundings_of_marks_are_shown(end: str) -> None:
    """The page stays small, says what it leaves out, and numbers lines as the file does."""
    text = f"{'word' * 10}{end}" * 100_000
    at = len(text) // 2
    made = text_view(text, [TextMark("docqa-1", Span(at, at + 4), 0, "q")], [], **_SETTINGS)
    root = tree(made.page)
    assert made.is_excerpt
    assert len(made.page) < 60_000
    assert "".join(root.xpath("//mark//text()")) == text[at : at + 4]
    left_out = [
        int(gap.split()[0].replace(",", "")) for gap in root.xpath("//*[@class='gap']/text()")
    ]
    kept = sum(map(len, lines(root)))
    assert sum(left_out) + kept + (len(lines(root)) if end == "\n" else 0) == len(text)
    if end == "\n":
        [row] = root.xpath("//div[mark]")
        assert int(row.get("data-n")) == text.count("\n", 0, at) + 1


_SETTINGS: Any = {"title": "t", "subtitle": "", "numbered": True}


def test_a_text_of_the_greatest_whole_size_is_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit itself is inside."""
    monkeypatch.setattr(module, "_WHOLE", 5)
    assert not text_view("abcde", [], [], **_SETTINGS).is_excerpt
    assert text_view("abcdef", [], [], **_SETTINGS).is_excerpt


def test_everything_is_escaped() -> None:
    """Text, titles, questions and words of the legend cannot become markup."""
    evil = "<script>alert(1)</script>\"'&"
    entry = LegendEntry("docqa-1", 0, evil, evil, evil)
    mark = TextMark("docqa-1", Span(0, 8), 0, evil)
    made = text_view(evil, [mark], [entry], title=evil, subtitle=evil, numbered=True)
    root = tree(made.page)
    assert not root.xpath("//script")
    assert root.xpath("//mark/@title") == [evil]
    assert (lines(root), root.findtext(".//h1/bdi")) == ([evil], evil)


def test_a_text_is_highlighted_as_a_page(tmp_path: Path) -> None:
    """docqa.highlight makes the page, with the legend's links leading to the marks."""
    (tmp_path / "lamp.md").write_text("# Lamp\n\nThe lamp burns *40 litres* of oil a week.\n")
    pipeline = docqa.Pipeline(reader=FakeReader(), min_score=0.0)
    answers = pipeline.ask(tmp_path / "lamp.md", "The lamp burns how much oil?")
    result = docqa.highlight(answers, tmp_path / "marked.html")
    root = tree(result.path.read_bytes())
    assert (result.marked, result.notes) == (1, ())
    assert "".join(root.xpath("//mark//text()")) == answers[0].text
    assert (
        root.xpath("//a/@href") == ["#docqa-1"] == [f"#{one}" for one in root.xpath("//mark/@id")]
    )
