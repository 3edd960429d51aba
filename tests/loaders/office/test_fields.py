"""Values of Word's form fields, its diagrams, and the names of what is not read."""

from __future__ import annotations

from collections.abc import Callable

import pytest

import docqa
from docqa.errors import NoTextError

Word = Callable[..., bytes]
Rooted = Callable[..., str]


def form_field(kind: str, result: str = "") -> str:
    """Return the runs of an old form field with its data inside ``w:ffData``."""
    return (
        f'<w:r><w:fldChar w:fldCharType="begin"><w:ffData><w:name w:val="n"/>{kind}</w:ffData>'
        "</w:fldChar></w:r><w:r><w:instrText> FORM </w:instrText></w:r>"
        '<w:r><w:fldChar w:fldCharType="separate"/></w:r>'
        f"<w:r><w:t>{result}</w:t></w:r>" + '<w:r><w:fldChar w:fldCharType="end"/></w:r>'
    )


ENTRIES = '<w:listEntry w:val="Basic"/><w:listEntry w:val="Gold"/><w:listEntry w:val="Silver"/>'


@pytest.mark.parametrize(
    ("kind", "shown"),
    [
        (f'<w:ddList><w:result w:val="1"/>{ENTRIES}</w:ddList>', "Gold"),
        (f'<w:ddList><w:default w:val="2"/>{ENTRIES}</w:ddList>', "Silver"),
        (f"<w:ddList>{ENTRIES}</w:ddList>", "Basic"),
        (f'<w:ddList><w:result w:val="9"/>{ENTRIES}</w:ddList>', ""),
        (f'<w:ddList><w:result w:val="x"/>{ENTRIES}</w:ddList>', "Basic"),
        ('<w:checkBox><w:sizeAuto/><w:default w:val="0"/><w:checked/></w:checkBox>', "☒"),
        ('<w:checkBox><w:default w:val="1"/><w:checked w:val="0"/></w:checkBox>', "☐"),
    ],
)
def test_a_form_field_shows_its_value(word: Word, kind: str, shown: str) -> None:
    """Word draws the chosen entry itself: no run of the document has it."""
    body = f"<w:p><w:r><w:t>Plan: </w:t></w:r>{form_field(kind)}<w:r><w:t>, paid</w:t></w:r></w:p>"
    document = docqa.load(word(body))
    assert document.text == f"Plan: {shown}, paid"
    [place] = document.locate(docqa.Span(6 + len(shown) + 2, 6 + len(shown) + 6))
    assert isinstance(place, docqa.PartLocation)
    assert place.span == docqa.Span(8 + len(shown), 12 + len(shown))


def test_a_text_field_shows_its_result_alone(word: Word) -> None:
    """Its value is in the document, and not taken twice."""
    kind = '<w:textInput><w:default w:val="no"/></w:textInput>'
    document = docqa.load(word(f"<w:p>{form_field(kind, 'Ida Holm')}</w:p>"))
    assert document.text == "Ida Holm"


def test_a_hidden_or_nested_field_shows_nothing(word: Word) -> None:
    """In the code of another field its value is code."""
    inner = form_field(f"<w:ddList>{ENTRIES}</w:ddList>")
    outer = (
        '<w:r><w:fldChar w:fldCharType="begin"/></w:r>'
        + inner
        + '<w:r><w:fldChar w:fldCharType="separate"/></w:r><w:r><w:t>shown</w:t></w:r>'
        '<w:r><w:fldChar w:fldCharType="end"/></w:r>'
    )
    hidden = inner.replace("<w:r>", "<w:r><w:rPr><w:vanish/></w:rPr>", 1)
    assert docqa.load(word(f"<w:p>{outer}{hidden}</w:p>")).text == "shown"


def test_a_menu_of_today_shows_its_content(word: Word) -> None:
    """The entries of a content control are not shown, its content is."""
    menu = (
        '<w:sdt><w:sdtPr><w:dropDownList><w:listItem w:displayText="Basic" w:value="b"/>'
        "</w:dropDownList></w:sdtPr><w:sdtContent><w:r><w:t>Gold</w:t></w:r></w:sdtContent></w:sdt>"
    )
    assert docqa.load(word(f"<w:p>{menu}</w:p>")).text == "Gold"


def diagram(rooted: Rooted, *words: str) -> str:
    return rooted("p:x", "".join(f"<a:p><a:r><a:t>{one}</a:t></a:r></a:p>" for one in words))


def test_a_diagram_is_read_with_its_place(word: Word, rooted: Rooted) -> None:
    """Words of a diagram follow the body and name their own part."""
    data = word("<w:p><w:r><w:t>Crew</w:t></w:r></w:p>", diagramData1=diagram(rooted, "Ida", "Ole"))
    document = docqa.load(data)
    assert (document.text.split(), document.warnings) == (["Crew", "Ida", "Ole"], ())
    start = document.text.index("Ole")
    [place] = document.locate(docqa.Span(start, start + 3))
    assert isinstance(place, docqa.PartLocation)
    assert (place.part, place.paragraph) == ("word/diagramData1.xml", 2)
    assert place.slide_number is None


@pytest.mark.parametrize(
    ("kind", "name"),
    [("chart", "1 chart"), ("aFChunk", "1 inserted document"), ("package", "1 embedded document")],
)
def test_what_else_is_shown_is_named_with_its_part(word: Word, kind: str, name: str) -> None:
    """A warning of a file with text, the reason of the error for one without; never OCR."""
    body = '<w:p><w:r><w:t>Body</w:t></w:r></w:p><w:altChunk r:id="rId1"/>'
    [warning] = docqa.load(word(body, **{kind: "<x/>"})).warnings
    assert f"{name} (word/{kind}.xml)" in warning.message
    with pytest.raises(NoTextError) as caught:
        docqa.load(word('<w:altChunk r:id="rId1"/>', **{kind: "<x/>"}))
    assert f"{name} (word/{kind}.xml)" in str(caught.value)
    assert "OCR" not in str(caught.value)


def test_an_empty_slide_with_a_chart_names_it(
    show: Callable[..., bytes], slide: Callable[..., str]
) -> None:
    """A presentation of nothing but charts is no collection of pictures."""
    relations = (
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        '<Relationship Id="rId1" Target="../charts/chart1.xml" '
        'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/chart"/>'
        "</Relationships>"
    )
    with pytest.raises(NoTextError) as caught:
        docqa.load(show([slide("")], {"ppt/slides/_rels/slide1.xml.rels": relations}))
    assert "1 chart (ppt/charts/chart1.xml)" in str(caught.value)
    assert "OCR" not in str(caught.value)


def test_a_book_without_its_chapters_says_so(book: Callable[..., bytes]) -> None:
    """What is missing from an EPUB is not found by OCR."""
    item = '<item id="m" href="gone.xhtml" media-type="application/xhtml+xml"/>'
    with pytest.raises(NoTextError, match=r"the chapter OPS/gone\.xhtml is missing") as caught:
        docqa.load(book({}, manifest=item, spine='<itemref idref="m"/>'))
    assert "OCR" not in str(caught.value)
