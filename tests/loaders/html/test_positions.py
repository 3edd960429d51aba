"""The position contract of HTML: an independent parser reads the answer out of the source."""

from __future__ import annotations

import re
from typing import Any

import html5lib
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from docqa.datamodel import Document, SourceLocation, Span
from docqa.loaders.html.loader import HtmlLoader
from docqa.loaders.html.source_map import HtmlSourceMap
from docqa.loaders.html.tree import TreeBuilder

_WHITE = re.compile(r"[\t\n\f\r ]+")
_HIDDEN = {"script", "style", "template", "noscript", "head", "title", "select"} | {
    *("option", "iframe", "object", "rp", "audio", "video", "canvas", "annotation"),
}
_SOUP = TreeBuilder("html5lib", "1.1")
_WORDS = [
    "one",
    "two&amp;",
    "thr&eacute;e",
    "x &lt; y",
    "R&ampD",
    "é漢字",
    "😀",
    "a\0b",
    "&nbsp;",
    ".",
]
_SPACES = ["", " ", "\n", "\r\n\t", "  ", "<!-- c -->", " <br>\n", "<script>'<p>'</script>"]


def _tree(source: str) -> Any:
    parser = html5lib.HTMLParser(tree=html5lib.getTreeBuilder("lxml"), namespaceHTMLElements=False)
    root = parser.parse(source, scripting=True).getroot()
    for preformatted in root.xpath("//td//pre[text()]"):
        # html5lib 1.1 keeps a first line end there; the standard (13.2.6.4.7) drops it everywhere.
        if preformatted.text and preformatted.text.startswith("\n"):
            preformatted.text = preformatted.text[1:]
    return root


def _visible(source: str) -> str:
    """Return the visible text of `source` without white space, by html5lib alone."""
    out: list[str] = []
    _collect(_tree(source), out)
    return _WHITE.sub("", "".join(out))


def _collect(element: Any, out: list[str], shows: bool = True) -> None:
    name = str(element.tag).split("}")[-1]
    style = element.get("style") or ""
    if name in _HIDDEN or "hidden" in element.attrib or "display:none" in style:
        return
    if not isinstance(element.tag, str):
        return
    shows = (shows and name not in ("svg", "desc")) or name in ("text", "foreignObject")
    out.append((element.text or "") if shows else "")
    for child in element:
        _collect(child, out, shows)
        out.append((child.tail or "") if shows else "")


def _load(source: str, builder: TreeBuilder | None = None) -> Document:
    return HtmlLoader("utf-8", builder=builder).load(source.encode(), source="page.html")


def _inline(children: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    tags = st.sampled_from(
        ["b", "i", "a href='x>y'", "span id=q", "em CLASS=z", "code", "span hidden", "u"]
    )
    return st.builds(lambda tag, inside: f"<{tag}>{inside}</{tag.split()[0]}>", tags, children)


def _joined(items: st.SearchStrategy[str], most: int = 3) -> st.SearchStrategy[str]:
    space = st.sampled_from(_SPACES)
    pairs = st.lists(st.tuples(space, items), min_size=1, max_size=most)
    return pairs.map(lambda found: "".join(a + b for a, b in found))


_LINE = st.recursive(
    st.sampled_from(_WORDS), lambda inner: _joined(st.one_of(inner, _inline(inner))), max_leaves=4
)


def _blocks(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    item = st.one_of(inner, _LINE)
    few = st.lists(item, min_size=1, max_size=3)
    close = st.booleans()
    row = few.map(lambda cells: "<tr>" + "".join(f"<td>{cell}" for cell in cells))
    return st.one_of(
        st.builds(lambda x, shut: f"<p>{x}" + "</p>" * shut, _LINE, close),
        st.builds(lambda x: f"<div>{x}</div>", _joined(item)),
        st.builds(lambda x: f"<div style='display:none'>{x}</div>", item),
        st.builds(lambda xs: "<ul>" + "".join(f"<li>{x}\n" for x in xs) + "</ul>", few),
        st.builds(lambda xs: "<table>\n" + "\n".join(xs) + "</table>", st.lists(row, max_size=3)),
        st.builds(lambda x: f"<pre>\n {x}\n\t{x}</pre>", _LINE),
        st.builds(lambda x: f"<h2>{x}</h2>", _LINE),
        st.builds(lambda x: f"<section><header>{x}</header></section>", item),
    )


_PAGES = st.recursive(_LINE, _blocks, max_leaves=8).map(
    lambda body: f"<!doctype html><title>T</title><body><p>start</p>{body}"
)
_PLACE = st.floats(0, 1, exclude_max=True)


def _span(text: str, first: float, second: float) -> Span:
    """Return a span of `text` that starts and ends with a visible character."""
    low, high = sorted((int(first * len(text)), int(second * len(text))))
    part = text[low : high + 1]
    left = len(part) - len(part.lstrip())
    return Span(low + left, max(low + left, low + len(part.rstrip())))


@given(_PAGES, _PLACE, _PLACE)
@settings(max_examples=40, deadline=None)
def test_source_slice_reads_as_the_span(source: str, first: float, second: float) -> None:
    """The source between a location's ends, parsed on its own, is the text of the span."""
    document = _load(source)
    span = _span(document.text, first, second)
    if span:
        places = document.locate(span)
        assert isinstance(places[0], SourceLocation)
        assert len(places) == 1
        assert _visible(places[0].span.of(source)) == _WHITE.sub("", span.of(document.text))


@given(_PAGES)
@settings(max_examples=40, deadline=None)
def test_text_is_what_an_independent_parser_sees(source: str) -> None:
    """All visible text is there, in order, and nothing else."""
    assert _WHITE.sub("", _load(source).text) == _visible(source)


@given(_PAGES, _PLACE, _PLACE)
@settings(max_examples=40, deadline=None)
def test_dom_range_stands_in_the_original_tree(source: str, first: float, second: float) -> None:
    """The text nodes' paths and UTF-16 offsets hold in the tree of the untouched source."""
    document = _load(source)
    span = _span(document.text, first, second)
    if not span:
        return
    assert isinstance(document.source_map, HtmlSourceMap)
    found, root = document.source_map.dom_range(span), _tree(source)
    assert found is not None
    start = root.xpath(found.start.xpath)[0].encode("utf-16-le")[2 * found.start.offset :]
    end = root.xpath(found.end.xpath)[0].encode("utf-16-le")[: 2 * found.end.offset]
    assert start.decode("utf-16-le")[0] == document.text[span.start]
    assert end.decode("utf-16-le")[-1] == document.text[span.end - 1]


@given(_PAGES, _PLACE)
@settings(max_examples=40, deadline=None)
def test_xpath_names_the_element_around_the_start(source: str, place: float) -> None:
    """The element's path resolves in the tree of the untouched source and holds the text."""
    document = _load(source)
    span = _span(document.text, place, place)
    if span:
        location = document.locate(span)[0]
        assert isinstance(location, SourceLocation)
        (element,) = _tree(source).xpath(location.xpath)
        assert document.text[span.start] in "".join(element.itertext())


@given(_PAGES)
@settings(max_examples=40, deadline=None)
def test_both_tree_builders_give_the_same_document(source: str) -> None:
    """Selectolax and beautifulsoup4 with html5lib lead to one text, one set of blocks and paths."""
    fast, pure = _load(source), _load(source, _SOUP)
    assert (fast.text, fast.blocks, fast.title) == (pure.text, pure.blocks, pure.title)
    for place in range(len(fast.text)):
        assert fast.locate(Span(place, place + 1)) == pure.locate(Span(place, place + 1))


@given(_PAGES)
@settings(max_examples=40, deadline=None)
def test_blocks_cover_all_visible_text(source: str) -> None:
    """Blocks are sorted, do not overlap, and leave out white space only."""
    document = _load(source)
    end = 0
    for block in document.blocks:
        assert not document.text[end : block.span.start].strip()
        assert block.span.start >= end
        end = block.span.end
    assert not document.text[end:].strip()


_HORRORS = [
    *("a\r\nb\r\n<p>c\rd</p>", "<p>&amp;&lt;&copy;&nbsp;&eacute;&notit;&#65;&#x41;&#0;&#xD800;"),
    "x<table>foo<tr><td>a</td>bar<td>b</td></tr>baz</table>y",
    *("<a href=1>one<a href=2>two</a>", "<script><!--<script></script>--></script>visible"),
    *("a<plaintext>b<b>&amp;c", "<svg><title>no</title><text>t</text></svg>after"),
    *("<p><b>one<p>two</b>three", "<ruby>漢<rp>(</rp><rt>kan</rt><rp>)</rp></ruby>"),
    *("text<div class=", "a\0b<p>\0c</p>", "<textarea>\n<b>x</textarea>y", "a<br><br><br>b<br>c"),
    "<table><tr><td><table><tr><td>in</td></tr></table>out</td></tr></table>",
    *("<pre>\n a\n\tb &amp; c\n</pre>d", "<pre>&#10;x</pre>", "<pre>\r\nx\r\ny</pre>"),
    *("<xmp>a<b>&amp;</xmp>b", "<li>a<li>b<ul><li>c</ul>d", "<p>a<table><tr><td>b</table>"),
    *("<!doctype html><p>a<table><tr><td>b</table>", "</p>a</br>b", "<svg><p>a</svg>b"),
    *("<math><mi>x</mi><annotation>no</annotation></math>", "<svg><![CDATA[a<b]]></svg>c"),
    *("<![CDATA[x]]>y", "w<div><svg></div><title>x<b>y", "<title>a</title>b<title>c</title>d"),
    *("<b><b><b><b>x</b>y<p>z", "<font color=red><p>a<font color=blue><p>b"),
    *("<button>a<button>b", "<form><form>a</form>b</form>c", "<head> a <body>b", "&#32;a"),
    *("<html> <head> </head> x <body> y", "<p>x</p></body> y </html> z", "a</>b<//c>d<!>e<?f>g"),
    *("<table>\n<tr>\n&#32;<td>a</table>", "<table>&nbsp;<tr><td>a</table>", "<nobr>a<nobr>b"),
    *("<svg><foreignObject><p>in</p></foreignObject><text>t</text></svg>", "<p hidden>a</p>b"),
    *("<table><caption>c</caption><colgroup><col> d</colgroup><tr><th>e</table>", "<p/>a<br/>b"),
]


@pytest.mark.parametrize("source", _HORRORS)
@pytest.mark.parametrize("builder", [None, _SOUP], ids=["selectolax", "html5lib"])
def test_horrors(source: str, builder: TreeBuilder | None) -> None:
    """Broken markup gives the text that a browser's algorithm gives."""
    assert _WHITE.sub("", _load(source, builder).text) == _visible(source)


def test_text_that_a_table_pushes_out_has_its_own_range() -> None:
    """Where the tree's order is not the source's, a span has one location per range."""
    source = "<table><tr><td>cell</td></tr>pushed out</table>"
    document = _load(source)
    assert document.text.split() == ["pushed", "out", "cell"]
    places = document.locate(Span(0, len(document.text)))
    spans = [place.span.of(source) for place in places if isinstance(place, SourceLocation)]
    assert spans == ["pushed out", "cell"]


def test_half_of_a_reference_widens_to_the_whole() -> None:
    """A reference that stands for two characters cannot be cut."""
    source = "<p>a&NotEqualTilde;b"
    place = _load(source).locate(Span(2, 3))[0]
    assert isinstance(place, SourceLocation)
    assert place.span.of(source) == "&NotEqualTilde;"


def test_layout_alone_is_located_between_its_neighbours() -> None:
    """A line end that no character of the source stands for still has a place."""
    source = "<p>a</p><p>b</p>"
    place = _load(source).locate(Span(1, 2))[0]
    assert isinstance(place, SourceLocation)
    assert place.span.of(source) == "</p><p>"


def test_paths_of_a_known_page() -> None:
    """XPath counts from the root, CSS from the nearest unique id, both with implied elements."""
    source = "<div><table id=t.1><tr><td>a<td>b</table></div>"
    place = _load(source).locate(Span(2, 3))[0]
    assert isinstance(place, SourceLocation)
    assert place.xpath == "/html/body/div[1]/table[1]/tbody[1]/tr[1]/td[2]"
    path = "#t\\.1 > tbody:nth-of-type(1) > tr:nth-of-type(1) > td:nth-of-type(2)"
    assert place.css_path == path
