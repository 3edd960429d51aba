"""Copies of web pages without scripts and without anything that is fetched from elsewhere."""

from __future__ import annotations

from pathlib import Path

import html5lib
import pytest
from hypothesis import given
from hypothesis import strategies as st

import docqa
from docqa.datamodel import Span
from docqa.showing.safe_html import safe_html

PIECES = [
    *(
        "<script>a()</script>",
        "<p>Oil lamp.</p>",
        "<img src=https://e.org/a.png>",
        "<svg>",
        "</svg>",
    ),
    *("<svg><title>", "</title>", "<style>", "</style>", "<a href='java&#115;cript:b()'>", "</a>"),
    *("<iframe srcdoc='<p>c'>", "</iframe>", "<body onload=d()>", "<math>", "<!--", "-->", "<"),
    *('<image xlink:href="https://e.org/b.svg"/>', "<link rel=stylesheet href=//e.org/c.css>", ">"),
    *("<meta http-equiv=Refresh content='0;url=https://e.org/'>", "<noscript>", "</noscript>", "x"),
    *("<textarea>", "</textarea>", "<script/>", "<video poster=https://e.org/d.jpg>", "<table>"),
]
RUN_OR_FETCH = {"script", "iframe", "object", "embed", "link", "base", "noscript", "frame"}


def faults(page: str) -> list[str]:
    """Return what a browser would run or fetch in a page, by html5lib's tree."""
    tree = html5lib.parse(page, treebuilder="etree", namespaceHTMLElements=False)
    found = []
    for element in tree.iter():
        name = str(element.tag).rpartition("}")[2]
        if name in RUN_OR_FETCH:
            found.append(name)
        for attribute, value in element.attrib.items():
            short = str(attribute).rpartition("}")[2]
            outside = short in ("src", "srcset", "poster", "background", "data")
            outside |= short == "href" and name not in ("a", "area")
            runs = short.startswith("on") or short == "srcdoc"
            runs |= "".join(value.split()).lower().startswith("javascript:")
            if runs or (outside and not value.startswith(("#", "data:image/"))):
                found.append(f"{name} {short}={value}")
        if name == "meta" and element.get("http-equiv", "").lower() == "refresh":
            found.append("refresh")
    return found


@given(st.lists(st.sampled_from(PIECES), max_size=12))
def test_nothing_runs_or_is_fetched(pieces: list[str]) -> None:
    """Whatever a page is made of, html5lib finds nothing in the copy."""
    assert faults(safe_html("".join(pieces))) == []


@pytest.mark.parametrize(
    "page",
    [
        "<!doctype html><html><head><title>T</title></head><body>x</body></html>",
        "<!--a--><html lang=en> <body>x",
        "x",
        "<p>x",
    ],
)
def test_policy_stands_in_the_head(page: str) -> None:
    """It holds where it is an element of the head, before anything is shown."""
    tree = html5lib.parse(safe_html(page), namespaceHTMLElements=False)
    (policy,) = [each for each in tree.find("head").iter("meta") if each.get("http-equiv")]
    assert "default-src 'none'" in policy.get("content")
    assert "img-src data:" in policy.get("content")


def test_rest_of_the_page_stays() -> None:
    """Text, links, own pictures and styles stay as they are."""
    kept = '<p class="a" style="color:red">Oil &amp; <a href="https://e.org/">more</a></p>'
    kept += '<img src="data:image/png;base64,AA=="><style>p{color:red}</style>'
    assert safe_html(kept).endswith(kept)


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252", "utf-16"])
def test_copy_has_its_marks(tmp_path: Path, encoding: str) -> None:
    """The marked words are there, in any encoding, and the script is not."""
    declared = "" if encoding == "utf-16" else f"<meta charset={encoding}>"
    page = f"<html><head>{declared}</head><body><script>x</script><p>Café burns oil.</p></body>"
    (tmp_path / "page.html").write_bytes(page.encode(encoding))
    document = docqa.load(tmp_path / "page.html")
    at = document.text.index("Café")
    docqa.highlight(docqa.cite(document, Span(at, at + 4)), tmp_path / "out.html", safe=True)
    copy = (tmp_path / "out.html").read_text("utf-8-sig")
    tree = html5lib.parse(copy, namespaceHTMLElements=False)
    assert [each.text for each in tree.iter("mark")] == ["Café"]
    assert "<script" not in copy
