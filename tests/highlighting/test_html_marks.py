"""Marked copies of web pages: every byte stays, and an independent parser finds the answers."""

from __future__ import annotations

import re
from typing import Any
from xml.etree import ElementTree

import html5lib
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from docqa.datamodel import Document, Span
from docqa.errors import HighlightError
from docqa.highlighting.html import HtmlMark, TagInsertion, free_prefix, insert_tags, mark_html
from docqa.loaders.html.loader import HtmlLoader
from docqa.loaders.html.source_map import HtmlSourceMap

_WHITE = re.compile(r"[\t\n\f\r ]+")
_TAG = re.compile(rb'<mark id="docqa-[^>]*>|</mark>')

# What has a parser's rules of its own, so that a careless tag would change more than the look.
_FRAGMENTS = [
    *(
        "<p>one <b>two</b> three",
        "R&amp;D &copy;x &notit; &lt;b&gt;</p>",
        "<pre>\n\n a\r\n b</pre>",
    ),
    *("<table>foo<tr><td>a<td>b</table>", "<table> <tr> <td>c </td> </tr> x </table>"),
    *("<table><tbody>one <b>two</b> three", "<pre><table> <tr> <td>x</table></pre>"),
    *("<ul><li>one<li><a href='x>y'>two</a></ul>", "<svg><text>s</text></svg>", "<xmp>a<b></xmp>"),
    *("<math><mi>x</mi></math>", "<i><p>a</i>b", "<a>1<a>2", "x < y & z", "<!-- c -->", "a\0b"),
    *("<select><option>no</select>", "<textarea>no</textarea>", "<script>no</script>", "é😀 "),
    *("<table><caption>cap<tr><td><p>q</table>", "<ruby>漢<rt>kan</ruby>", "</p>", "<h1>h</div>"),
    *("<button>go</button>", "<table><colgroup> u<tr><td>v</table>", "<nobr>n<nobr>m", "</table>"),
]
_PAGES = st.lists(st.sampled_from(_FRAGMENTS), min_size=1, max_size=8).map("\n ".join)
_PLACES = st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(1, 40)), max_size=4)


def _load(data: bytes, encoding: str = "utf-8") -> Document:
    return HtmlLoader(encoding).load(data, source="page.html")


def _marks(document: Document, spans: list[Span]) -> list[HtmlMark]:
    assert isinstance(document.source_map, HtmlSourceMap)
    stretches = [document.source_map.markable(span).stretches for span in spans]
    return [HtmlMark(f"docqa-{n}", found, "gold", "q") for n, found in enumerate(stretches, 1)]


def _marked(data: bytes, *words: str, encoding: str = "utf-8") -> bytes:
    """Return `data` with the first occurrence of each of `words` marked."""
    document = _load(data, encoding)
    assert isinstance(document.source_map, HtmlSourceMap)
    starts = [document.text.index(word) for word in words]
    spans = [Span(start, start + len(word)) for start, word in zip(starts, words, strict=True)]
    return mark_html(data, _marks(document, spans), codec=document.source_map.codec)


def _tree(source: str) -> Any:
    parser = html5lib.HTMLParser(tree=html5lib.getTreeBuilder("lxml"), namespaceHTMLElements=False)
    return parser.parse(source, scripting=True).getroot()


def _ours(root: Any) -> list[Any]:
    return root.xpath("//mark[starts-with(@id, 'docqa-')]")


def _text_of(root: Any, number: int) -> str:
    """Return the text of mark `number`, its elements joined in the order of their ids."""
    pattern = re.compile(rf"docqa-{number}(?:-(\d+))?")
    found = [(pattern.fullmatch(one.get("id")), one) for one in _ours(root)]
    pieces = sorted((int(match[1] or 1), id(one), one) for match, one in found if match)
    return "".join("".join(one.itertext()) for _, _, one in pieces)


def _unwrapped(root: Any) -> list[object]:
    """Return the steps of a walk through the tree, as if our marks were not there."""
    steps: list[object] = []

    def text(found: str | None) -> None:
        if found and steps and isinstance(steps[-1], str):
            steps[-1] += found
        elif found:
            steps.append(found)

    def walk(element: Any) -> None:
        ours = element.tag == "mark" and (element.get("id") or "").startswith("docqa-")
        if not ours:
            steps.append((element.tag, tuple(element.attrib.items())))
        text(element.text)
        for child in element:
            walk(child)
            text(child.tail)
        if not ours:
            steps.append(None)

    walk(root)
    return steps


@given(_PAGES, _PLACES)
@settings(max_examples=150, deadline=None)
def test_a_marked_copy_is_the_page_but_for_its_marks(page: str, places: list[Any]) -> None:
    """The bytes are the page's, the tree is its tree, and each mark holds its answer."""
    data = f"<!doctype html><title>T</title><body>start {page}".encode()
    document = _load(data)
    starts = [(int(place * len(document.text)), length) for place, length in places]
    spans = [Span(at, min(len(document.text), at + length)) for at, length in starts]
    assert isinstance(document.source_map, HtmlSourceMap)
    copy = mark_html(data, _marks(document, spans), codec="utf-8")
    root = _tree(copy.decode())
    assert _TAG.sub(b"", copy) == data
    assert _unwrapped(root) == _unwrapped(_tree(data.decode()))
    for number, span in enumerate(spans, 1):
        if document.source_map.markable(span).is_whole:
            wanted = span.of(document.text)
            assert _WHITE.sub("", _text_of(root, number)) == _WHITE.sub("", wanted)


def test_an_answer_across_elements_has_a_mark_in_each() -> None:
    """No mark crosses the border of an element."""
    copy = _marked(b"<p>one <b>two</b> three", "one two three")
    assert _TAG.sub(b"|", copy) == b"<p>|one |<b>|two|</b>| three|"


def test_overlapping_answers_nest() -> None:
    """Where two marks cross, one is cut."""
    copy = _marked(b"<p>one two three", "one two", "two three").decode()
    names = re.sub(r'<mark id="(.+?)".*?>', r"<\1>", copy).replace("</mark>", "</>")
    assert names == "<p><docqa-1>one <docqa-2>two</></><docqa-2-2> three</>"


def test_a_reference_is_marked_whole() -> None:
    """No tag stands inside a character reference."""
    assert _TAG.sub(b"|", _marked(b"<p>R&amp;D", "&")) == b"<p>R|&amp;|D"


@pytest.mark.parametrize(
    ("page", "words"),
    [("<svg><text>wave</text></svg>", "wave"), ("<xmp>wave</xmp>", "wave"), ("<math><mi>w", "w")],
)
def test_what_no_mark_can_wrap_is_left_alone(page: str, words: str) -> None:
    """SVG, MathML and raw text stay as they are, and the map says that the mark is not whole."""
    document = _load(page.encode())
    assert isinstance(document.source_map, HtmlSourceMap)
    start = document.text.index(words)
    assert not document.source_map.markable(Span(start, start + len(words))).is_whole
    assert _marked(page.encode(), words) == page.encode()


@pytest.mark.parametrize(
    "encoding",
    ["utf-16-le", "utf-16-be", "utf-8-sig", "shift_jis", "gb18030", "euc-jp", "iso2022_jp"],
)
def test_tags_are_written_in_the_encoding_of_the_page(encoding: str) -> None:
    """The copy decodes to the page with tags, byte order mark and escape sequences intact."""
    page = "<!doctype html><p>東京の塔 <b>tower</b> 高い</p>"
    copy = _marked(page.encode(encoding), "京の塔 tower 高", encoding=encoding)
    decoded = copy.decode(encoding)
    assert re.sub(r'<mark id="docqa-[^>]*>|</mark>', "", decoded) == page
    assert "".join(one.text for one in _ours(_tree(decoded))) == "京の塔 tower 高"


def test_escape_sequences_never_stand_side_by_side() -> None:
    """Browsers take two in a row for an error and show U+FFFD."""
    data = "<p>東京の塔</p>".encode("iso2022_jp")
    for word in ("東京の塔", "東", "塔", "京の"):
        copy = _marked(data, word, encoding="iso2022_jp")
        assert not re.search(rb"\x1b(\([BJ]|\$[@B])\x1b", copy)
        assert _TAG.sub(b"", copy).decode("iso2022_jp") == "<p>東京の塔</p>"


def test_an_encoding_without_a_place_for_tags_is_refused() -> None:
    """The error says what to do."""
    with pytest.raises(HighlightError, match="save it as UTF-8"):
        insert_tags(b"~{<:Ky~}", [TagInsertion(2, "<mark>")], codec="hz")


def test_xhtml_stays_well_formed() -> None:
    """A copy can still be read by an XML parser, with the marks in the page's namespace."""
    space = "http://www.w3.org/1999/xhtml"
    page = f'<?xml version="1.0"?><html xmlns="{space}"><body><p>R&amp;D<br/>lab</p></body></html>'
    root = ElementTree.fromstring(_marked(page.encode(), "R&D\nlab"))
    assert [mark.text for mark in root.iter(f"{{{space}}}mark")] == ["R&D", "lab"]


def test_broken_bytes_and_line_ends_stay() -> None:
    """Bytes that mean nothing are copied like all others."""
    data = b"<p>caf\xff\r\n\xc3 lamp\r</p>\xfe"
    assert _TAG.sub(b"", _marked(data, "lamp")) == data


def test_a_title_cannot_break_out_of_its_attribute() -> None:
    """Questions are escaped, and written in ASCII."""
    mark = HtmlMark("docqa-1", (Span(0, 1),), "gold", '"><script>é</script>')
    copy = mark_html(b"a", [mark], codec="ascii")
    assert copy.isascii()
    [found] = _ours(_tree(copy.decode()))
    assert (found.get("title"), found.text) == ('"><script>é</script>', "a")


def test_a_copy_of_a_copy_gets_other_ids() -> None:
    """Ids stay unique when a marked copy is marked again."""
    copy = _marked(b"<p>lamp", "lamp")
    assert (free_prefix(b"<p>lamp"), free_prefix(copy)) == ("docqa", "docqa2")
    assert free_prefix(copy.decode().encode("utf-16")) == "docqa2"
