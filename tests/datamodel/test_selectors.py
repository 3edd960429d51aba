"""W3C selectors lead to the words without docqa: by other parsers, by bytes, by other PDF code."""

from __future__ import annotations

import base64
import json
from typing import Any
from xml.etree import ElementTree

import html5lib
import pypdfium2
import pytest
from checkout import EXAMPLES

import docqa
from docqa.datamodel import (
    Answer,
    DocumentInfo,
    DomPoint,
    DomRange,
    PartLocation,
    Passage,
    SourceLocation,
    Span,
)
from docqa.testing import FakeReader

PAGE = "<p>Fog 😀 horn &amp; bell: <b>the lamp</b>\r\n burns oil.</p><p>Oil &eacute;té burns.</p>"


def cited(source: str | bytes, words: str, name: str | None = None) -> Answer:
    document = docqa.load(source, name=name)
    start = document.text.index(words)
    return docqa.cite(document, Span(start, start + len(words)))


def target(answer: Answer) -> dict[str, Any]:
    """Return the target as somebody else reads it: out of JSON."""
    found: dict[str, Any] = json.loads(json.dumps(answer.to_dict()))["target"]
    return found


def selector(answer: Answer, kind: str) -> dict[str, Any]:
    (one,) = (one for one in target(answer)["selector"] if one["type"] == kind)
    return one


def resolved(point: dict[str, Any], source: str) -> tuple[str, str]:
    """Return the text before and after a point of a text node in html5lib's tree."""
    builder = html5lib.getTreeBuilder("lxml")
    tree = html5lib.HTMLParser(tree=builder, namespaceHTMLElements=False).parse(source)
    (text,) = tree.xpath(point["value"])
    place = point["refinedBy"]["start"]
    assert point["refinedBy"] == {"type": "TextPositionSelector", "start": place, "end": place}
    return text[:place], text[place:]


@pytest.mark.parametrize(
    ("words", "begins", "ends"),
    [
        ("horn & bell: the lamp burns", "horn & bell: ", "\n burns"),
        ("lamp", "lamp", "the lamp"),
        ("été", "été burns.", "Oil été"),
        ("Fog 😀 horn", "Fog 😀 horn & bell: ", "Fog 😀 horn"),
    ],
)
def test_range_selector_stands_in_another_parsers_tree(words: str, begins: str, ends: str) -> None:
    """Paths and offsets in code points hold in html5lib's tree of the untouched source."""
    found = selector(cited(PAGE.encode(), words, "page.html"), "RangeSelector")
    assert resolved(found["startSelector"], PAGE)[1] == begins
    assert resolved(found["endSelector"], PAGE)[0] == ends


def test_offsets_count_as_their_readers_do() -> None:
    """The DOM counts UTF-16 units, the W3C's selectors code points: an emoji is two or one."""
    answer = cited(PAGE.encode(), "horn", "page.html")
    assert isinstance(answer.locations[0], SourceLocation)
    assert answer.locations[0].dom_range == DomRange(
        DomPoint("/html/body/p[1]/text()[1]", 7, 6), DomPoint("/html/body/p[1]/text()[1]", 11, 10)
    )


@pytest.mark.parametrize(("name", "end"), [("page.txt", "\r\n"), ("page.md", " ")])
def test_bytes_are_the_words(name: str, end: str) -> None:
    """The data position cuts the words out of the file, a wrapped line's end among them."""
    data = "Über die Tür — 40 Liter.\r\nÖl brennt.\n".encode()
    answer = cited(data, f"40 Liter.{end}Öl", name)
    found = selector(answer, "DataPositionSelector")
    assert data[found["start"] : found["end"]].decode() == "40 Liter.\r\nÖl"
    assert selector(answer, "FragmentSelector")["value"] == "line=0,2"  # RFC 5147


def test_bytes_of_a_page_are_the_words() -> None:
    """The data position of an HTML answer cuts its markup out of the file."""
    found = selector(cited(PAGE.encode("utf-16"), "& bell", "page.html"), "DataPositionSelector")
    cut = PAGE.encode("utf-16")[found["start"] : found["end"]]
    assert cut.decode("utf-16-le") == "&amp; bell"


def test_quote_has_its_surroundings() -> None:
    """Exact, prefix and suffix stand in the document's text as one."""
    answer = cited(str(EXAMPLES / "handbook.pdf"), "14 October 1871")
    quote, text = selector(answer, "TextQuoteSelector"), docqa.load(EXAMPLES / "handbook.pdf").text
    assert (len(quote["prefix"]), len(quote["suffix"])) == (32, 32)
    assert quote["prefix"] + quote["exact"] + quote["suffix"] in text


def test_page_and_shape_hold_the_words() -> None:
    """PDFium finds the words inside each rectangle of the page that the fragment names."""
    answer = cited(str(EXAMPLES / "handbook.pdf"), "127 millimetres\nwide")
    found = selector(answer, "FragmentSelector")
    assert found["conformsTo"] == "http://tools.ietf.org/rfc/rfc8118"
    page = pypdfium2.PdfDocument(EXAMPLES / "handbook.pdf")[int(found["value"][5:]) - 1]
    lines = []
    for shape in ElementTree.fromstring(found["refinedBy"]["value"]):
        x, y, width, height = (float(shape.attrib[k]) for k in ("x", "y", "width", "height"))
        bottom, top = page.get_height() - y - height, page.get_height() - y
        lines.append(page.get_textpage().get_text_bounded(x, bottom, x + width, top).strip())
    assert lines == ["127 millimetres", "wide"]


@pytest.mark.parametrize(
    ("source", "iri"),
    [
        ("a folder/Über.pdf", "a%20folder/%C3%9Cber.pdf"),
        ("1:2.txt", "1%3A2.txt"),
        ("/data/a.pdf", "file:///data/a.pdf"),
        ("https://example.org/a", "https://example.org/a"),
        ("-", "ni:///sha-256;" + base64.urlsafe_b64encode(b"\xff" * 32).decode()[:43]),
    ],
)
def test_source_is_an_address(source: str, iri: str) -> None:
    """A path becomes a valid reference; what has no name is named by its content (RFC 6920)."""
    info = DocumentInfo("ff" * 32, source, None, "text/plain")
    answer = Answer("?", "a", 1.0, 0, 1, info, Passage("", 0, Span(0, 1), "a"), ())
    assert target(answer)["source"] == iri


def test_a_part_of_a_container_holds_its_selectors() -> None:
    """A place inside a DOCX is a paragraph of a part, and characters of the paragraph."""
    info = DocumentInfo("ff" * 32, "a.docx", None, "application/x")
    place = PartLocation("word/document.xml", "/w:document/w:body/w:p[3]", 3, Span(4, 9))
    answer = Answer("?", "a", 1.0, 0, 1, info, Passage("", 0, Span(0, 1), "a"), (place,))
    part = selector(answer, "FragmentSelector")
    assert (part["value"], part["refinedBy"]["value"]) == (place.part, place.xpath)
    assert part["refinedBy"]["refinedBy"] == {
        "type": "TextPositionSelector",
        "start": 4,
        "end": 9,
    }


def test_record_says_what_the_answer_rests_on() -> None:
    """Reader, revision and settings are there; the password is not."""
    pipeline = docqa.Pipeline(reader=FakeReader(), min_score=0.1)
    data = b"The lamp burns 40 litres of oil."
    document = pipeline.load(data, password="secret", encoding="latin-1")
    (answer,) = pipeline.ask(document, "How much oil does the lamp burn?")
    record = answer.to_dict()
    assert record["reader"] == {
        "name": "fake",
        "revision": "1",
        "runtime": "",
        "calibrated": False,
    }
    assert record["settings"]["load"]["encoding"] == "latin-1"
    assert record["settings"]["read"]["min_score"] == 0.1
    assert "secret" not in json.dumps(record)
