"""The position contract of Word and PowerPoint: lxml reads the answer out of the original part."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import docqa
from docqa.datamodel import Document, PartLocation, Span

etree = pytest.importorskip("lxml.etree")

Namespaces = dict[str, str]
_STANDS_FOR = {"tab": "\t", "br": "\n", "cr": "\n", "noBreakHyphen": "-"}
_HIDDEN = ("w:del", "w:moveFrom", "mc:Fallback")


def characters(element: Any, names: Namespaces) -> str:
    """Return a paragraph's text as PartLocation documents it, by XPath over the original part."""
    own = element.xpath(
        ".//*[self::w:t or self::a:t or self::a:br or parent::w:r]", namespaces=names
    )
    hidden = " or ".join(f"ancestor::{name}" for name in _HIDDEN)
    rule = f"({hidden} or ancestor::w:r[w:rPr/w:vanish or w:rPr/w:strike])"
    pieces = []
    for one in own:
        name = etree.QName(one).localname
        nearest = one.xpath("ancestor::*[self::w:p or self::a:p][1]", namespaces=names)[0]
        if nearest is element and not one.xpath(rule, namespaces=names):
            pieces.append(one.text or "" if name == "t" else _STANDS_FOR.get(name, ""))
    return "".join(pieces)


def words_at(data: bytes, place: PartLocation, names: Namespaces) -> str:
    """Unzip the part, follow the path, slice the paragraph's text; check its number on the way."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        root = etree.fromstring(archive.read(place.part))
    [element] = root.xpath(place.xpath, namespaces=names)
    numbered = list(root.iter(element.tag))
    assert numbered[place.paragraph - 1] is element
    return place.span.of(characters(element, names))


def check(data: bytes, document: Document, span: Span, names: Namespaces) -> None:
    """The words at the places of a span are the span's words."""
    places = document.locate(span)
    found = " ".join(words_at(data, place, names) for place in places)  # type: ignore[arg-type]
    assert _visible(found) == _visible(span.of(document.text))


def _visible(text: str) -> str:
    """Return a text without white space, some of which stands for raised characters."""
    return "".join(text.split())


_TEXT = st.sampled_from(["one", "two words", "é漢字", "😀", "R&amp;D", " ", "x\ny", "34 knots", ""])
_RUN = _TEXT.map(lambda text: f'<w:r><w:t xml:space="preserve">{text}</w:t></w:r>') | (
    st.sampled_from(
        [
            "<w:r><w:t>a</w:t><w:tab/><w:t>b</w:t><w:br/></w:r>",
            "<w:r><w:t>log</w:t><w:noBreakHyphen/><w:t>book</w:t></w:r>",
            "<w:del><w:r><w:delText>old</w:delText></w:r></w:del>",
            "<w:moveFrom><w:r><w:t>away</w:t></w:r></w:moveFrom>",
            "<w:r><w:rPr><w:vanish/></w:rPr><w:t>hidden</w:t></w:r>",
            "<w:r><w:rPr><w:strike/></w:rPr><w:t>struck</w:t></w:r>",
            "<w:r><w:t>10</w:t></w:r><w:r><w:rPr><w:vertAlign w:val='superscript'/></w:rPr>"
            "<w:t>6</w:t></w:r><w:r><w:t>7 m</w:t></w:r>",
        ]
    )
)


def _inside(runs: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    around = st.sampled_from(["w:ins", "w:hyperlink", "w:smartTag", "w:moveTo", "w:del"])
    return st.builds(lambda name, run: f"<{name}>{run}</{name}>", around, runs)


_RUNS = st.lists(st.recursive(_RUN, _inside, max_leaves=3), max_size=4).map("".join)
_LINES = _RUNS.map(lambda runs: f"<w:p>{runs}</w:p>")


def _boxed(lines: str) -> str:
    box = f"<w:txbxContent>{lines}</w:txbxContent>"
    return (
        "<w:p><w:r><w:t>before</w:t><mc:AlternateContent><mc:Choice><wps:txbx>"
        f"{box}</wps:txbx></mc:Choice><mc:Fallback><v:textbox>{box}</v:textbox></mc:Fallback>"
        "</mc:AlternateContent><w:t> after</w:t></w:r></w:p>"
    )


def _bodies(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    many = st.lists(inner | _LINES, min_size=1, max_size=3)
    cells = many.map(lambda items: "".join(f"<w:tc>{item}</w:tc>" for item in items))
    rows = st.lists(cells.map(lambda inside: f"<w:tr>{inside}</w:tr>"), min_size=1, max_size=2)
    return st.one_of(
        many.map("".join),
        rows.map(lambda found: f"<w:tbl>{''.join(found)}</w:tbl>"),
        inner.map(lambda item: f"<w:sdt><w:sdtContent>{item}</w:sdtContent></w:sdt>"),
        inner.map(_boxed),
    )


_BODIES = st.recursive(_LINES, _bodies, max_leaves=8)
_SHARE = st.floats(0, 1, exclude_max=True)


def some_span(text: str, ends: tuple[float, float]) -> Span:
    low, high = sorted(int(end * len(text)) for end in ends)
    return Span(low, high + 1)


@pytest.mark.slow
@given(_BODIES, st.tuples(_SHARE, _SHARE))
@settings(max_examples=100)
def test_words_of_a_word_document_stand_where_it_says(
    word: Callable[..., bytes], namespaces: Namespaces, body: str, ends: tuple[float, float]
) -> None:
    """Part, path, number and span lead an independent parser to the span's words."""
    data = word(f"{body}<w:p><w:r><w:t>end</w:t></w:r></w:p>")
    document = docqa.load(data, name="x.docx")
    check(data, document, some_span(document.text, ends), namespaces)


@given(_BODIES)
@settings(max_examples=100)
def test_all_shown_text_is_there_and_nothing_else(
    word: Callable[..., bytes], namespaces: Namespaces, body: str
) -> None:
    """The words of all paragraphs, by an independent parser, are the document's, in order."""
    data = word(f"{body}<w:p><w:r><w:t>end</w:t></w:r></w:p>")
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        root = etree.fromstring(archive.read("word/document.xml"))
    paragraphs = root.xpath("//w:p", namespaces=namespaces)
    words = " ".join(characters(one, namespaces) for one in paragraphs)
    assert _visible(docqa.load(data, name="x.docx").text) == _visible(words)


@given(_BODIES)
@settings(max_examples=50)
def test_blocks_cover_all_visible_text(word: Callable[..., bytes], body: str) -> None:
    """Blocks are sorted, do not overlap, and leave out white space only."""
    document = docqa.load(word(f"{body}<w:p><w:r><w:t>end</w:t></w:r></w:p>"))
    end = 0
    for block in document.blocks:
        assert block.span.start >= end
        assert not document.text[end : block.span.start].strip()
        end = block.span.end
    assert not document.text[end:].strip()


_LINE = st.lists(_TEXT.map(lambda text: f"<a:r><a:t>{text}</a:t></a:r>"), max_size=3).map(
    lambda runs: f"<a:p>{'<a:br/>'.join(runs)}</a:p>"
)
_BODY = st.lists(_LINE, min_size=1, max_size=3).map("".join)
_SHAPE = st.builds(
    lambda kind, lines: (
        f"<p:sp><p:nvSpPr><p:cNvPr/><p:nvPr>{kind}</p:nvPr></p:nvSpPr><p:txBody>{lines}</p:txBody>"
        "</p:sp>"
    ),
    st.sampled_from(["", '<p:ph type="title"/>', '<p:ph type="body"/>', "<p:ph/>"]),
    _BODY,
)
_TABLE = st.lists(_BODY, min_size=1, max_size=3).map(
    lambda cells: (
        "<p:graphicFrame><a:tbl><a:tr>"
        + "".join(f"<a:tc><a:txBody>{cell}</a:txBody></a:tc>" for cell in cells)
        + "</a:tr></a:tbl></p:graphicFrame>"
    )
)
_GROUPS = st.recursive(
    _SHAPE | _TABLE,
    lambda inner: st.lists(inner, min_size=1, max_size=3).map(
        lambda shapes: f"<p:grpSp>{''.join(shapes)}</p:grpSp>"
    ),
    max_leaves=4,
)
_SLIDES = st.lists(_GROUPS, min_size=1, max_size=3)


@given(_SLIDES, st.tuples(_SHARE, _SHARE))
@settings(max_examples=60)
def test_words_of_a_presentation_stand_where_it_says(
    show: Callable[..., bytes],
    slide: Callable[..., str],
    namespaces: Namespaces,
    shapes: list[str],
    ends: tuple[float, float],
) -> None:
    """Slide, path, number and span lead an independent parser to the span's words."""
    last = "<p:sp><p:txBody><a:p><a:r><a:t>end</a:t></a:r></a:p></p:txBody></p:sp>"
    data = show([slide(one + last) for one in shapes])
    document = docqa.load(data, name="x.pptx")
    span = some_span(document.text, ends)
    check(data, document, span, namespaces)
    for place in document.locate(span):
        assert isinstance(place, PartLocation)
        assert place.part == f"ppt/slides/slide{place.slide_number}.xml"


@given(_SLIDES)
@settings(max_examples=40)
def test_pages_are_slides(
    show: Callable[..., bytes], slide: Callable[..., str], shapes: list[str]
) -> None:
    """Each slide is a page, and the pages of the text follow one another."""
    last = "<p:sp><p:txBody><a:p><a:r><a:t>end</a:t></a:r></a:p></p:txBody></p:sp>"
    document = docqa.load(show([slide(one + last) for one in shapes]), name="x.pptx")
    assert [page.number for page in document.pages] == list(range(1, len(shapes) + 1))
    assert [page.span.of(document.text) for page in document.pages] == document.text.split("\f")
