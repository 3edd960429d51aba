"""Token boundaries over an untouched source."""

from __future__ import annotations

import html5lib
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from docqa.loaders.html.references import REFERENCE, decode_attribute, decode_reference
from docqa.loaders.html.tokens import TokenKind, tokenize

_SOUP = st.lists(
    st.sampled_from(
        [
            *("<p>", "</p>", "<a b='", '<a b="', "'>", '">', "<!--", "-->", "--!>", "<!-->", "<"),
            *("</", "<!", "<?", "</>", "<script>", "</script>", "<title>", "</title>", "<xmp>"),
            *("</xmp>", "<plaintext>", "x", "&amp;", " ", "=", "/", ">", "\0", "\r\n", "é", "<A/>"),
        ]
    ),
    max_size=12,
).map("".join)


def _kinds(source: str) -> list[tuple[str, str]]:
    return [(token.kind.value, source[token.start : token.end]) for token in tokenize(source)]


@given(_SOUP)
@settings(deadline=None)
def test_tokens_cover_the_source(source: str) -> None:
    """Every character belongs to one token, whatever the markup looks like."""
    tokens = list(tokenize(source))
    assert "".join(source[token.start : token.end] for token in tokens) == source


@given(_SOUP)
@settings(deadline=None)
def test_start_tags_are_those_of_html5lib(source: str) -> None:
    """An independent tokenizer finds the same start tags in the same order."""
    from html5lib._tokenizer import HTMLTokenizer
    from html5lib.constants import tokenTypes

    ours = [token.name for token in tokenize(source) if token.kind is TokenKind.START_TAG]
    if {"script", "title", "xmp", "plaintext"} & set(ours):
        return  # these need a tree builder to switch the other tokenizer
    theirs = [t for t in HTMLTokenizer(source) if t["type"] == tokenTypes["StartTag"]]
    assert ours == [token["name"] for token in theirs]


def test_script_escapes() -> None:
    """A script inside an escaped script does not end the outer one."""
    source = "<script><!--<script></script>--></script>x"
    assert _kinds(source)[1:] == [
        ("raw text", "<!--<script></script>-->"),
        ("end tag", "</script>"),
        ("text", "x"),
    ]


def test_comment_that_closes_at_once_does_not_escape_a_script() -> None:
    """``<!-->`` in a script ends its own escape."""
    assert _kinds("<script><!--><script></script>x")[-1] == ("text", "x")


def test_greater_than_inside_a_quoted_value() -> None:
    """A quoted value may hold what would end the tag."""
    assert _kinds("<a b='>'>x") == [("start tag", "<a b='>'>"), ("text", "x")]


def test_unfinished_tag_is_dropped() -> None:
    """A tag that the file cuts off is no text."""
    assert _kinds("x<div class=")[-1] == ("dropped", "<div class=")


def test_first_of_duplicate_attributes_is_kept_in_order() -> None:
    """All attributes are listed with the places of their values."""
    source = "<a x=1 X='2' y>"
    (token,) = tokenize(source)
    values = [(a.name, source[a.start : a.end]) for a in token.attributes]
    assert values == [("x", "1"), ("x", "2"), ("y", "")]


def test_names_are_lowered_in_ascii_only() -> None:
    """HTML compares names in ASCII; other letters keep their case."""
    (token,) = tokenize("<DİV>")
    assert token.name == "dİv"


def test_cdata_needs_foreign_content() -> None:
    """``<![CDATA[`` is a comment in HTML and text in SVG."""
    source = "<![CDATA[a]]>"
    (comment,) = tokenize(source)
    (text,) = tokenize(source, is_foreign=lambda: True)
    assert (comment.kind, text.kind) == (TokenKind.COMMENT, TokenKind.CDATA)
    assert source[text.start : text.end] == "a"


@pytest.mark.parametrize(
    ("raw", "text"),
    [("&amp;", "&"), ("&notit;", "¬"), ("&#x80;", "€"), ("&#0;", "\ufffd"), ("&#xD800;", "\ufffd")],
)
def test_references(raw: str, text: str) -> None:
    """References decode as the standard says, with and without semicolon."""
    decoded = decode_reference(raw)
    assert decoded is not None
    assert decoded[0] == text


@given(st.from_regex(r"\A&(#x?[0-9a-f]{1,9}|[a-zA-Z]{1,8});?\Z"))
@settings(deadline=None)
def test_references_agree_with_html5lib(raw: str) -> None:
    """An independent parser reads the same characters, case by case."""
    match = REFERENCE.match(raw)
    decoded = decode_reference(match.group()) if match else None
    ours = raw if decoded is None else decoded[0] + raw[decoded[1] :]
    tree = html5lib.parse(f"<xx>-{raw}", namespaceHTMLElements=False)
    assert "-" + ours == (tree.find("body/xx").text or "")


def test_query_strings_survive_in_attributes() -> None:
    """A name without semicolon before ``=`` is no reference in an attribute."""
    assert decode_attribute("?a=1&copy=2&amp;lt=3") == "?a=1&copy=2&lt=3"
