"""The visible text of a page: lines, cells, lists, hidden elements, blocks."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable

import pytest

from docqa.datamodel import Document, Span
from docqa.errors import LoadError, MissingDependencyError, NoTextError
from docqa.loaders.html import tree as html_tree
from docqa.loaders.html.loader import HtmlLoader
from docqa.protocols import Loader, SourceMap


def _load(source: str) -> Document:
    return HtmlLoader("utf-8").load(source.encode(), source="page.html")


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("<p>a  b\n c</p> <p> d </p>", "a b c\n\nd"),
        ("a <b> b</b> c", "a b c"),
        ("<b>a</b> <i>b</i>", "a b"),
        ("<div>a</div>b<div>c</div>", "a\nb\nc"),
        ("a<br>b<br><br><br>c", "a\nb\n\nc"),
        ("<ul><li>a<li>b</ul>", "a\nb"),
        ("<pre>\n  a\n\tb\r\nc </pre>d", "  a\n\tb\nc \n\nd"),
        ("<pre>a\n</pre>b", "a\n\nb"),
        ("<p style='white-space: pre-wrap'>a  b</p>", "a  b"),
        ("R&amp;D &lt;3 caf&eacute;", "R&D <3 café"),
        ("a&nbsp;&nbsp;b", "a\xa0\xa0b"),
        ("<table><tr><td>a<td>b<tr><td>c<td>d</table>", "a\tb\nc\td"),
        ("<table><tr><td><p>a</p><td><p>b</p></table>", "a\tb"),
        ("<table><tr><td>a<td><td>b</table>", "a\t\tb"),
        ("<table><tr><td><h1>a</h1><td>b</table>", "a\nb"),
        ("a<p>&nbsp;</p>", "a\n\n\xa0"),
        ("<ruby>漢<rp>(</rp><rt>kan</rt><rp>)</rp></ruby>", "漢kan"),
        ("<math><mi>x</mi><mo>=</mo><mn>2</mn></math>", "x=2"),
    ],
)
def test_lines(source: str, text: str) -> None:
    """White space folds, blocks and cells stand apart, as ``innerText`` does it."""
    assert _load(source).text == text


@pytest.mark.parametrize(
    "hidden",
    [
        *("<script>x</script>", "<style>x</style>", "<template><p>x</template>", "<p hidden>x</p>"),
        *("<p style='DISPLAY : none'>x</p>", "<dialog>x</dialog>", "<p popover>x</p>"),
        *("<i style='visibility:hidden'>x</i>", "<title>x</title>", "<!-- x -->"),
        *("<svg><title>x</title></svg>", "<img alt=x>", "<iframe>x</iframe>"),
    ],
)
def test_hidden(hidden: str) -> None:
    """What a browser never shows is no text."""
    assert _load(f"{hidden}<p>a").text == "a"


@pytest.mark.parametrize(
    "shown",
    [
        *("<p aria-hidden=true>x</p>", "<details><summary>x</summary></details>"),
        *("<details>x</details>", "<dialog open>x</dialog>", "<p hidden=until-found>x</p>"),
        *("<svg><text>x</text></svg>", "<button>x</button>", "<p style='color:red'>x</p>"),
        "<div style='visibility:hidden'>y<b style='visibility:visible'>x</b></div>",
        "<div hidden style='display:block'>x</div>",
    ],
)
def test_shown(shown: str) -> None:
    """What a browser shows, or reveals when it is found, is kept."""
    assert _load(shown).text == "x"


def test_document_of_a_page() -> None:
    """Title, metadata and extractor travel with the text."""
    head = "<html lang=de><title>\n R&amp;D  report </title><meta name=Author content='A  B'>"
    document = _load(
        head + "<meta name=description content='C &amp; D'><svg><title>no</title></svg>x"
    )
    assert (document.title, document.text, document.media_type) == ("R&D report", "x", "text/html")
    expected = {"lang": "de", "author": "A B", "description": "C & D", "encoding": "utf-8"}
    assert dict(document.metadata) == expected
    assert document.extractor.startswith("selectolax ")
    assert len(document.id) == 64


def test_loader_and_map_fit_their_seams() -> None:
    """The loader and its source map keep the protocols, and closing changes nothing."""
    document = _load("a")
    assert isinstance(HtmlLoader(), Loader)
    assert isinstance(document.source_map, SourceMap)
    document.close()
    assert document.locate(Span(0, 1))


@pytest.mark.parametrize("source", ["", "<script>x()</script>", "<p>  </p>", "<frameset><frame>"])
def test_page_without_text(source: str) -> None:
    """A page that shows nothing is an error that names the page and says what to do."""
    with pytest.raises(NoTextError, match=r"page\.html shows no text.*save") as caught:
        _load(source)
    assert isinstance(caught.value, LoadError)
    assert caught.value.source == "page.html"


def _blocks(source: str) -> list[tuple[str, str, bool]]:
    document = _load(source)
    return [(b.kind, b.span.of(document.text), b.boilerplate) for b in document.blocks]


def test_kinds_of_blocks() -> None:
    """Headings, list items, rows and code are told apart from paragraphs."""
    source = "<h1>a</h1><p>b<br>c</p><ul><li>d<li><p>e</p></ul><pre>f\n\ng</pre>h"
    assert [(kind, text) for kind, text, _ in _blocks(source)] == [
        *(("heading", "a"), ("paragraph", "b\nc"), ("list_item", "d"), ("list_item", "e")),
        *(("code", "f\n\ng"), ("paragraph", "h")),
    ]


def test_a_table_row_is_one_block() -> None:
    """The cells of a row stay together, also where a cell has a line of its own."""
    source = "<table><tr><th>a<th>b<tr><td>c<br>d<td><p>e</table>"
    assert _blocks(source) == [("table_row", "a\tb", False), ("table_row", "c\nd\te", False)]


def test_a_layout_table_is_no_row() -> None:
    """A row that holds a page is cut into the page's blocks."""
    source = "<table><tr><td><ul><li>menu</ul><td><h1>title</h1><p>text</table>"
    assert [(kind, text) for kind, text, _ in _blocks(source)] == [
        *(("list_item", "menu"), ("heading", "title"), ("paragraph", "text")),
    ]


@pytest.mark.parametrize(
    "around",
    [
        *("<nav>{}</nav>", "<footer>{}</footer>", "<aside>{}</aside>", "<header>{}</header>"),
        *("<form>{}</form>", "<div role=navigation>{}</div>", "<div role=search>{}</div>"),
        *("<a href=x>{}</a>", "<ul><li><a href=x>{}</a> |</ul>"),
    ],
)
def test_boilerplate(around: str) -> None:
    """Landmarks and links around a page's content are flagged, and kept."""
    page = around.format("menu item") + "<main><p>" + "The content of the page. " * 5 + "</main>"
    assert [flag for _, _, flag in _blocks(page)] == [True, False]


@pytest.mark.parametrize(
    "page",
    [
        "<article><header>by the author</header><p>text</article>",
        "<p>a <a href=x>link</a> in a sentence</p>",
        "<form><p>a page inside a form, as some servers make them</form><p>end",
        "<aside><main>text</main></aside>",
    ],
)
def test_content(page: str) -> None:
    """An article's header, a link in a sentence and a form around the page are content."""
    assert not any(flag for _, _, flag in _blocks(page))


def test_without_selectolax_html5lib_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    """The fall-back reads the same text and says who it is."""
    monkeypatch.setitem(sys.modules, "selectolax", None)
    document = _load("<!doctype html><p>a<table>b<tr><td>c</table>")
    assert document.extractor.startswith("html5lib ")
    assert document.text == "a\n\nb\n\nc"


def test_without_any_tree_builder(monkeypatch: pytest.MonkeyPatch) -> None:
    """The message has the commands that bring one."""
    for name in ("selectolax", "html5lib"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(MissingDependencyError, match="pip install selectolax"):
        html_tree.available_builder()


_XHTML = '<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml">{}</html>'


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ('<head><script src="a.js"/><title/></head><body><p>a</p></body>', "a"),
        ('<body><p>a</p><iframe src="x"/><textarea/><p>b</p></body>', "a\n\nb"),
        ("<body><div hidden=''/><p>a</p><pre/>\nb</body>", "a\n\nb"),
        ("<body><p>a<br/>b <b/>c</p><svg/><template/>d</body>", "a\nb c\n\nd"),
        ("<body><p><![CDATA[5 < 6 & 7]]> a</p></body>", "5 < 6 & 7 a"),
    ],
)
def test_xhtml_tags_that_close_themselves(source: str, text: str) -> None:
    """In XHTML a self-closing tag is a whole element, and loses no text after it."""
    assert _load(_XHTML.format(source)).text == text


@pytest.mark.parametrize(
    "head", ['<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Strict//EN" "x.dtd"><html>', "<html>"]
)
def test_xhtml_by_document_type_or_name(head: str) -> None:
    """The document type or the suffix is enough; HTML's own rule holds without them."""
    data = f'{head}<title/><p>a</p><script src="x"/><p>b</p>'.encode()
    assert HtmlLoader().load(data, source="page.xhtml").text == "a\n\nb"
    if head == "<html>":
        with pytest.raises(NoTextError):
            HtmlLoader().load(data, source="page.html")


def test_anchors_are_no_links() -> None:
    """An ``<a>`` without ``href`` is a place to link to, and makes no block navigation."""
    (named, linked) = _load("<p><a id=c1>Chapter one</a><p><a href=x>Chapter one</a>").blocks
    assert (named.boilerplate, linked.boilerplate) == (False, True)
    chapter = _load(_XHTML.format('<h1><a id="c1"/>One</h1><p>The fee is 5.</p>'))
    assert not any(block.boilerplate for block in chapter.blocks)


_ATTACKS: dict[str, Callable[[int], str]] = {
    "deep": lambda n: "<div>" * n + "x",
    "deep and closed": lambda n: "<div>" * n + "x" + "</div>" * n + "y",
    "unclosed lists": lambda n: "<ul><li>a" * n,
    "items": lambda n: "<ul>" + "<li>a" * n,
    "attributes": lambda n: "<a " * n + ">x",
    "quotes": lambda n: "<a b='" * n + "'>x",
    "comments": lambda n: "x" + "<!--" * n,
    "fonts": lambda n: "".join(f"<p><font color={k}>x" for k in range(n // 4)),
    "tables": lambda n: "<table><tr><td>x" * n,
    "svg": lambda n: "x" + "<svg>" * n + "</p>" * n,
    "references": lambda n: "&" * n + "&aaaa" * n,
    "menu": lambda n: "x<select>" + "<option>y" * n,
    "cells": lambda n: "<table>" + "<tr><td>x<td>y" * n,
    "adoption": lambda n: "<b><div>" * n + "x" + "</b>" * n,
    "shadow roots": lambda n: "<div><template shadowrootmode=open>x" * n,
    "frames": lambda n: "x<iframe srcdoc=y></iframe><noscript>z</noscript>" * n,
    "fields": lambda n: "<input value=x><select><option>y<option selected>z</select>" * n,
    "white": lambda n: "a" + " \n" * n + "b",
}


def _calls(source: str) -> int:
    """Count the functions that loading calls."""
    count: Counter[str] = Counter()
    sys.setprofile(lambda frame, event, argument: count.update((event,)))
    try:
        _load(source)
    finally:
        sys.setprofile(None)
    return count["call"] + count["c_call"]


@pytest.mark.slow
@pytest.mark.parametrize("attack", _ATTACKS)
def test_work_grows_with_the_source(attack: str) -> None:
    """Twice the source takes at most about twice the calls, past the limits of depth."""
    make = _ATTACKS[attack]
    _load("warm up")
    assert _calls(make(1200)) < 2.3 * _calls(make(600)) + 1000


def test_text_past_the_greatest_depth_is_kept() -> None:
    """Elements deeper than 512 are left out, their text, lines and hiddenness are not."""
    inside = "<div>a</div><p>b<script>no</script><span hidden>no</span> c"
    document = _load("<div>" * 1000 + inside + "</div>" * 1000 + "<p>d")
    assert document.text.split() == ["a", "b", "c", "d"]
    assert document.text.splitlines()[-1] == "d"
    assert [warning.kind for warning in document.warnings] == ["deep-nesting"]


def test_unclosed_formatting_does_not_multiply() -> None:
    """Each of many unclosed fonts would be repeated in every later paragraph."""
    document = _load("".join(f"<p><font color={k}>x{k}" for k in range(200)))
    assert document.text.split() == [f"x{k}" for k in range(200)]
    assert [warning.kind for warning in document.warnings] == ["unclosed-formatting"]


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("3.2 &times; 10<sup>6</sup> m", "3.2 × 10 6 m"),
        ("10<sup>&minus;9</sup> g", "10 −9 g"),
        ("the dam is 45.<sup>3</sup>", "the dam is 45. 3"),
        ("$11<sup>99</sup>", "$11 99"),
        ("45<sup>a</sup> cows", "45 a cows"),
        ("Larsen<sup>3</sup> of Bodo", "Larsen 3 of Bodo"),
        ("<sup>3</sup>Measured in 2019", "3 Measured in 2019"),
        ("log<sub>2</sub>8", "log2 8"),
        ("2<span style='vertical-align: super'>3</span>", "2 3"),
        ("<math><msup><mn>10</mn><mn>5</mn></msup></math>", "10 5"),
        ("<math><msup><mn>10</mn><mrow><mo>-</mo><mn>6</mn></mrow></msup></math>", "10 -6"),
        ("<math><mfrac><mn>1</mn><mn>2</mn></mfrac></math>", "1 2"),
        ("<math><mroot><mn>27</mn><mn>3</mn></mroot></math>", "27 3"),
        ("1<sup>st</sup> of H<sub>2</sub>O, km<sup>2</sup>", "1st of H2O, km2"),
    ],
)
def test_raised_and_lowered_digits_stay_apart(source: str, text: str) -> None:
    """An exponent, a note's mark and a fraction are no digits of the number before them."""
    document = _load(source)
    assert document.text == text
    for start, part in enumerate(document.text):
        if not part.isspace():
            [place] = document.locate(Span(start, start + 1))
            assert part in ("×", "−") or place.span.of(source) == part


@pytest.mark.parametrize(
    "struck",
    ["<del>40 euros</del>", "<s>x</s>", "<i style='text-decoration: line-through red'>x</i>"],
)
def test_crossed_out_text_is_left_out(struck: str) -> None:
    """An old price that is crossed out is no text, and a warning counts its characters."""
    document = _load(f"<p>Price: {struck} <ins>35 euros</ins>")
    assert document.text == "Price: 35 euros"
    assert [warning.kind for warning in document.warnings] == ["struck-text"]


def test_a_fragment_does_not_hold_the_space_before_an_exponent() -> None:
    """A browser finds "106" where the text has "10 6": a fragment ends between the two."""
    document = _load("<p>It holds 10<sup>6</sup> litres.</p>")
    [place] = document.locate(Span(0, document.text.index("litres") + 6))
    assert place.text_fragment is None or "10%206" not in place.text_fragment
