"""Markdown: the text is that of the page that its source makes, and leads back to the source."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

import docqa
from docqa.datamodel import Document, Span, TextLocation
from docqa.loaders.html.loader import HtmlLoader
from docqa.loaders.markdown.loader import MarkdownLoader


def load(source: str) -> Document:
    return MarkdownLoader().load(source.encode(), source="m.md")


def visible(text: str) -> str:
    return "".join(text.split())


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("a **bold** and _thin_ `co*de` word", "a bold and thin co*de word"),
        ("see [the *log* book](http://x.y/a_(b) 'a (title)') of 1931", "see the log book of 1931"),
        ("[one][r], [two][] and [r]\n\n[r]: /u\n[two]: /u", "one, two and r\n\n[r]: /u\n[two]: /u"),
        ("<http://a.b> &amp; \\*no\\* snake_case 2 * 3", "http://a.b & *no* snake_case 2 * 3"),
        ("> is Ida\n> > Holm\n> of Ayre", "is Ida\n\nHolm of Ayre"),
        ("soft\nwrap, hard  \nbreak<br>too", "soft wrap, hard\nbreak\ntoo"),
        ("- one\n  more\n* two\n\n7. seven", "one more\ntwo\n7. seven"),
        ("# A ##\n\nB\n===", "A\n\nB"),
        ("~~40 euros~~ 35 euros, <del>5</del> left", " 35 euros,  left"),
        ("10<sup>6</sup> m, note<sup>3</sup>, 1<sup>st</sup>", "10 6 m, note 3, 1st"),
        ("```py\nx = 1\n```\n\n    y = *2*", "x = 1\n\ny = *2*"),
        ("|a|b \\| c|\n|-|-|\n|`1`||\n||**2**|", "a\tb | c\n1\t\n2"),
        ("![a lamp](lamp.png) lit", "a lamp lit"),
        ("a\n\n***\n\nb", "a\n\nb"),
    ],
)
def test_the_text_is_that_of_a_page(source: str, text: str) -> None:
    """Marks of Markdown are no text; words, code and what is escaped are."""
    assert load(source).text == text


def test_crossed_out_text_is_counted() -> None:
    """A warning says that something is left out."""
    [warning] = load("~~40 euros~~ 35 euros, <s>5</s> left").warnings
    assert (warning.kind, warning.message[:12]) == ("struck-text", "9 characters")


def test_tables_have_headers() -> None:
    """Cells know the column's header, also past an empty cell."""
    document = load("x\n\n> | Ship | *Crew* | Built |\n> |-|-|-|\n> | **Tern** | | 2003 |\n")
    [table] = document.tables
    found = [
        tuple(span.of(document.text) for span in (cell.span, *cell.headers))
        for row in table.rows
        for cell in row.cells
    ]
    assert found == [("2003", "Built")]
    assert table.rows[0].label is not None
    assert table.rows[0].label.of(document.text) == "Tern"


def test_an_answer_over_marks_has_a_place_on_each_side_of_them() -> None:
    """The places of a name that is partly bold lead to its words, without the marks."""
    source = "# Crew\r\n\r\nThe owner is Ida **Holm** of Ayre.\r\n"
    document = load(source)
    start = document.text.index("Ida")
    places = document.locate(Span(start, start + len("Ida Holm")))
    assert [source[one.span.start : one.span.end] for one in places] == ["Ida ", "Holm"]
    assert [(one.line, one.column) for one in places] == [(3, 14), (3, 20)]


PIECES = st.sampled_from(
    ["one ", "two", " ", "**", "*", "_", "~~", "`", "``", "[a](/b)", "[", "](", ")", "](/u 't')",
     "\\", "&amp;", "<b>", "</b>", "x<br>", "\n", "\n\n", "\r\n", "\n- ", "\n> ", "\n>", "\n  ",
     "\n# ", "\n```\n", "|", "\n|a|b|\n|-|-|\n|", "<http://x.y>", "é", "😀", "10", "6",
     "\t", "\n***\n", "!["]
)  # fmt: skip


@given(st.lists(PIECES, max_size=14).map("".join))
def test_words_and_places_of_any_source(source: str) -> None:
    """The words are those of the page that markdown-it renders, each where the source has it."""
    document = load(source)
    for start, character in enumerate(document.text):
        for place in document.locate(Span(start, start + 1)):
            assert isinstance(place, TextLocation)
            found = place.span.of(source)
            if not character.isspace():
                assert found in (character, "&amp;")
    parser = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    page = parser.render(source.replace("\r\n", "\n"))
    if any(kept in source for kept in ("![", "<b>", "</b>", "10)", "6)")):
        return  # what a page has no text for: pictures, numbers of items, tags of a block of HTML
    try:
        shown = HtmlLoader("utf-8").load(page.encode(), source="page.html").text
    except docqa.LoadError:
        shown = ""
    assert visible(document.text) == visible(shown)
