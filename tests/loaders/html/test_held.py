"""What a page shows that is no text node: values of forms, frames, shadow roots, `<noscript>`."""

from __future__ import annotations

from typing import Any

import html5lib
import pytest

import docqa
from docqa.datamodel import Document, SourceLocation, Span
from docqa.errors import NoTextError
from docqa.loaders.html.loader import HtmlLoader
from docqa.loaders.html.source_map import HtmlSourceMap
from docqa.loaders.html.tree import TreeBuilder

_SOUP = TreeBuilder("html5lib", "1.1")


def _load(source: str, builder: TreeBuilder | None = None) -> Document:
    return HtmlLoader("utf-8", builder=builder).load(source.encode(), source="page.html")


def _places(document: Document, words: str) -> list[SourceLocation]:
    start = document.text.index(words)
    places = document.locate(Span(start, start + len(words)))
    return [place for place in places if isinstance(place, SourceLocation)]


def _tree(source: str) -> Any:
    parser = html5lib.HTMLParser(tree=html5lib.getTreeBuilder("lxml"), namespaceHTMLElements=False)
    return parser.parse(source, scripting=True).getroot()


@pytest.mark.parametrize("builder", [None, _SOUP], ids=["selectolax", "html5lib"])
@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("<label>Number <input value='PN-4471' readonly></label>", "Number PN-4471"),
        ("I, <input value='Ida Holm'>, pay <input type=number value=80>euros.", None),
        ("<label>Fee<input value=80></label><label>Tax<input value=9></label>", "Fee 80\nTax 9"),
        ("<input value=one><input type=submit value=Send>", "one\nSend"),
        ("Plan <select><option>Basic<option selected>Gold</select> here", "Plan Gold here"),
        ("<select><option disabled>Choose<option>Basic<option>Gold</select>", "Basic"),
        ("<select size=3><option>a<option>b</select>c", "c"),
        ("<select multiple><option selected>a<option>b<option selected>c</select>", "a\nc"),
        ("<select><optgroup label=x><option label='R&amp;D'>no</select>", "R&D"),
        ("<select><option>a<option selected>b<input value=c>", "b\nc"),
        ("Notes<textarea>\n one\n two</textarea>end", "Notes one\n two end"),
        ("<table><tr><th>Name<td><input value=Ida><tr><th>Fee<td>80</table>", "Name\tIda\nFee\t80"),
    ],
)
def test_values_of_forms(source: str, text: str | None, builder: TreeBuilder | None) -> None:
    """A value stands where its field does, apart from the words beside it."""
    assert _load(source, builder).text == (text or "I, Ida Holm, pay 80 euros.")


@pytest.mark.parametrize(
    "hidden",
    [
        *("<input type=hidden value=x>", "<input type=PASSWORD value=x>", "<input value=x hidden>"),
        *("<input type=checkbox value=x checked>", "<div hidden><input value=x></div>"),
        *("<datalist><option selected>x</datalist>", "<select hidden><option>x</select>"),
        *("<template><input value=x></template>", "<template><p>x</p></template>"),
        *("<textarea style='display:none'>x</textarea>", "<iframe srcdoc='x' hidden></iframe>"),
        *("<template shadowrootmode=other>x</template>", "<iframe>x</iframe>"),
        *("<ul><template shadowrootmode=open><li>x</template></ul>", "<template><noscript>x"),
    ],
)
def test_what_no_browser_shows(hidden: str) -> None:
    """Hidden fields, passwords, marks to tick and inert templates are no text."""
    page = f"<p>a</p>{hidden}"
    assert _load(page).text == "a"
    assert "x" in page


@pytest.mark.parametrize(
    ("source", "words", "raw", "path"),
    [
        (
            "<form><input id=a value='R&amp;D &copy=1'>",
            "R&D &copy=1",
            "R&amp;D &copy=1",
            "input[1]",
        ),
        ("<form><input name=q value=PN-1>", "PN-1", "PN-1", "input[1]"),
        (
            "<form><select><option>a<optgroup><option>b<option selected>c &lt; d</select>",
            *("c < d", "c &lt; d", "select[1]/optgroup[1]/option[2]"),
        ),
        ("<form><textarea>\nIda &amp; I</textarea>", "Ida & I", "Ida &amp; I", "textarea[1]"),
        (
            "<form><noscript><p>Fee: <b>80</b> &euro;</p></noscript>",
            "80 €",
            "80</b> &euro;",
            "noscript[1]",
        ),
        (
            "<form><iframe srcdoc='&lt;p&gt;R&amp;amp;D pays &amp;#56;0'></iframe>",
            *("R&D pays 80", "R&amp;amp;D pays &amp;#56;0", "iframe[1]"),
        ),
    ],
)
def test_places_of_held_text(source: str, words: str, raw: str, path: str) -> None:
    """The source's own characters, and the element as an independent parser finds it."""
    document = _load(source)
    (place,) = _places(document, words)
    assert place.span.of(source) == raw
    assert place.byte_span == Span(
        len(source[: place.span.start].encode()), len(source[: place.span.end].encode())
    )
    assert place.xpath == f"/html/body/form[1]/{path}"
    assert len(_tree(source).xpath(place.xpath)) == 1
    assert place.text_fragment is None  # no browser looks for words there
    assert document.text[document.text.index(words) :].startswith(words)


def test_a_range_over_a_value_is_two_places() -> None:
    """The words before a field and its value are not one stretch of the source."""
    source = "<label>Number <input class=x value=PN-4471></label>"
    places = _places(_load(source), "Number PN-4471")
    assert [place.span.of(source) for place in places] == ["Number ", "PN-4471"]
    assert places[0].dom_range is not None
    assert places[1].dom_range is None


def test_an_option_is_not_joined_with_those_before_it() -> None:
    """Options that are not chosen stand between a menu's label and the chosen one."""
    source = "Plan <select><option>Basic<option selected>Gold</select>"
    places = _places(_load(source), "Plan Gold")
    assert [place.span.of(source) for place in places] == ["Plan ", "Gold"]


def test_text_nodes_of_fields_are_those_of_the_dom() -> None:
    """A text area and an option have a text node, with offsets in UTF-16 units."""
    source = "<textarea>\n😀 Ida</textarea><select><option>😀 Holm</select>"
    for words in ("Ida", "Holm"):
        (place,) = _places(_load(source), words)
        assert place.dom_range is not None
        (node,) = _tree(source).xpath(place.dom_range.start.xpath)
        cut = node.encode("utf-16-le")[
            2 * place.dom_range.start.offset : 2 * place.dom_range.end.offset
        ]
        assert cut.decode("utf-16-le") == words


@pytest.mark.parametrize("builder", [None, _SOUP], ids=["selectolax", "html5lib"])
@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("<div><template shadowrootmode=open><p>code 4711</p></template></div>", "code 4711"),
        ("<x-y><template shadowrootmode=CLOSED>a <slot></slot></template>b</x-y>", "a\nb"),
        ("<div><template shadowrootmode=open>a</template>lost<p>lost</div>b", "a\nb"),
        (
            "<div><template shadowrootmode=open><slot name=fee>none</slot></template>"
            "lost<b slot=fee>80</b><i slot=other>lost</i></div>",
            "80",
        ),
        (
            "<div><template shadowrootmode=open><slot>none</slot></template><!-- c --> </div>",
            "none",
        ),
        (
            "<div><template shadowrootmode=open><p><template shadowrootmode=open>in"
            "</template>lost</p></template></div>",
            "in",
        ),
        ("<div><template shadowrootmode=open>a</template><template>x</template></div>", "a"),
        ("<div><template shadowrootmode=open>a <template>x</template>b", "a b"),
    ],
)
def test_shadow_roots(source: str, text: str, builder: TreeBuilder | None) -> None:
    """A host shows its shadow root, and of its own content what the root has slots for."""
    document = _load(source, builder)
    assert document.text == text
    for word in document.text.split():
        assert [place.span.of(source) for place in _places(document, word)] == [word]


@pytest.mark.parametrize("builder", [None, _SOUP], ids=["selectolax", "html5lib"])
def test_a_page_inside_a_page_inside_a_page(builder: TreeBuilder | None) -> None:
    """References are decoded once for each page, and the place is in the outermost source."""
    inner = "<p>The fee is &lt; 77 euros.</p>"
    for _ in range(3):
        escaped = inner.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")
        inner = f'<h1>Top</h1><iframe srcdoc="{escaped}"></iframe>'
    document = _load(inner, builder)
    assert document.text.split("\n")[-1] == "The fee is < 77 euros."
    (place,) = _places(document, "77 euros")
    assert place.span.of(inner) == "77 euros"
    (place,) = _places(document, "is < 77")
    assert place.span.of(inner) == "is &amp;amp;amp;lt; 77"


def test_pages_in_pages_without_end() -> None:
    """A page deeper than the limit is named, and what surrounds it is read."""
    source = "<div><template shadowrootmode=open>x" * 40
    document = _load(source)
    assert document.text.split() == ["x"] * 8
    assert "deep-nesting" in [warning.kind for warning in document.warnings]


def test_tables_and_headings_of_a_frame() -> None:
    """A frame's blocks and tables are those of a page."""
    table = "<table><tr><th>Ship<th>Built<tr><td>Gull<td>1888</table>"
    document = _load(f"<p>a</p><iframe srcdoc='<h2>Fleet</h2>{table}'></iframe><p>z")
    (found,) = document.tables
    assert found.rows[-1].cells[-1].span.of(document.text) == "1888"
    assert [block.kind for block in document.blocks] == [
        *("paragraph", "heading", "table_row", "table_row", "paragraph")
    ]


@pytest.mark.parametrize(
    ("source", "text", "count"),
    [
        ("<p>Fee <del><input value=80></del> <input value=90></p>", "Fee 90", 2),
        ("<p>Fee <input value=80 style='text-decoration: line-through'>", "Fee", 2),
        ("<p>Fee <s><select><option>80 a day</select></s> 90", "Fee 90", 8),
        ("<p>Fee <del><noscript>80</noscript></del> 90", "Fee 90", 2),
        ("<p>Fee <del><iframe srcdoc='80 <s>70</s>'></iframe></del> 90", "Fee 90", 4),
        ("<p>Fee</p><iframe srcdoc='<s>80</s> 90'></iframe>", "Fee\n\n90", 2),
        ("<div><template shadowrootmode=open><s>80</s> 90</template></div>", "90", 2),
    ],
)
def test_crossed_out_values_and_inner_pages(source: str, text: str, count: int) -> None:
    """What an element holds is crossed out with it, or inside it, and is counted."""
    document = _load(source)
    assert document.text.strip() == text
    [warning] = document.warnings
    assert (warning.kind, warning.message.split()[0]) == ("struck-text", str(count))


@pytest.mark.parametrize(
    "source",
    [
        "<iframe srcdoc='It holds 10<sup>6</sup> litres'></iframe>",
        "<div><template shadowrootmode=open>It holds 10<sup>6</sup> litres</template></div>",
        "It holds 10<sup><input value=6></sup> litres",
    ],
)
def test_raised_digits_of_values_and_inner_pages_stay_apart(source: str) -> None:
    """A power is no digit more, wherever it stands."""
    document = _load(source)
    assert document.text == "It holds 10 6 litres"
    assert [source[place.span.start : place.span.end] for place in _places(document, "6")] == ["6"]


def test_struck_and_unread_are_both_warned_of() -> None:
    """Neither warning takes the place of the other."""
    document = _load("<s>40</s> 35<iframe src=more.html></iframe>")
    assert {warning.kind for warning in document.warnings} == {"struck-text", "frames-unread"}


def test_without_scripts() -> None:
    """What shows without scripts is read; where it is all there is, a warning says so."""
    document = _load("<head><noscript>Fee: 80</noscript><title>t</title><p>a")
    assert document.text.split() == ["Fee:", "80", "a"]
    assert document.warnings == ()
    (warning,) = _load("<noscript>Enable JavaScript.</noscript><div id=root></div>").warnings
    assert warning.kind == "scripts-needed"


def test_frames_of_other_files_are_named() -> None:
    """A frame stored beside the page is named, one of another site is not."""
    source = (
        "<p>a<iframe src='page_files/form.html'></iframe><iframe src='https://example.org/'></iframe>"
        "<object data='terms.pdf'></object><iframe src=track.html width=0></iframe>"
    )
    (warning,) = _load(source).warnings
    assert warning.kind == "frames-unread"
    assert "page_files/form.html, terms.pdf;" in warning.message
    with pytest.raises(NoTextError, match=r"frames: menu.html, main.html; load those"):
        _load("<frameset><frame src=menu.html><frame src=main.html></frameset>")


def test_values_come_out_of_a_worker_process() -> None:
    """The places of a page that was read in isolation are the same."""
    source = b"<p>Number <input value='R&amp;D 7'><noscript><p>x</p></noscript>"
    here, isolated = docqa.load(source), docqa.load(source, isolate=True)
    assert here.text == isolated.text
    span = Span(0, len(here.text))
    assert here.locate(span) == isolated.locate(span)


def test_a_value_is_not_marked() -> None:
    """A mark in an attribute, in a text area or a menu would be text."""
    source = "<input value=Ida><textarea>Holm</textarea><select><option>Gull</select>"
    document = _load(source)
    assert isinstance(document.source_map, HtmlSourceMap)
    for words in ("Ida", "Holm", "Gull"):
        start = document.text.index(words)
        markable = document.source_map.markable(Span(start, start + len(words)))
        assert (markable.stretches, markable.is_whole) == ((), False)
