"""What a presentation's text is: slide by slide, the title first, then the file's order."""

from __future__ import annotations

from collections.abc import Callable

import pytest

import docqa
from docqa.datamodel import Document
from docqa.errors import MalformedError, NoTextError
from docqa.loaders.office.pptx import PptxLoader
from docqa.protocols import Loader

Show = Callable[..., bytes]
Slide = Callable[..., str]


def load(data: bytes) -> Document:
    return PptxLoader().load(data, source="test.pptx")


def sp(*lines: str, kind: str | None = None, hidden: bool = False) -> str:
    """Return a shape; `kind` is the type of the placeholder that it fills."""
    flag = ' hidden="1"' if hidden else ""
    ph = "" if kind is None else f'<p:ph type="{kind}"/>'
    body = "".join(f"<a:p><a:r><a:t>{line}</a:t></a:r></a:p>" for line in lines)
    return (
        f"<p:sp><p:nvSpPr><p:cNvPr{flag}/><p:nvPr>{ph}</p:nvPr></p:nvSpPr>"
        f"<p:txBody>{body}</p:txBody></p:sp>"
    )


def texts(document: Document) -> list[tuple[str, str, bool]]:
    return [(b.kind, b.span.of(document.text), b.boilerplate) for b in document.blocks]


def test_the_title_comes_first_then_the_order_of_the_file(show: Show, slide: Slide) -> None:
    """Shapes in groups stand where their group stands; footers are boilerplate."""
    group = f"<p:grpSp><p:nvGrpSpPr><p:cNvPr/></p:nvGrpSpPr>{sp('c')}{sp('d')}</p:grpSp>"
    shapes = sp("b") + group + sp("a", kind="title") + sp("9", kind="sldNum")
    assert texts(load(show([slide(shapes)]))) == [
        ("heading", "a", False),
        *(("paragraph", letter, False) for letter in "bcd"),
        ("paragraph", "9", True),
    ]


def test_slides_are_pages(show: Show, slide: Slide) -> None:
    """A form feed stands between slides; an answer's page is its slide."""
    picture = "<p:pic><p:nvPicPr><p:cNvPr/></p:nvPicPr></p:pic>"
    document = load(show([slide(sp("one")), slide(picture), slide(sp("three"))]))
    assert document.text == "one\fthree"
    assert [(page.number, page.needs_ocr) for page in document.pages] == [
        *[(1, False), (2, True), (3, False)]
    ]
    assert [(w.kind, w.page_number) for w in document.warnings] == [("picture-slide", 2)]
    assert (document.pages[0].width, document.pages[0].height) == (720, 405)
    [place] = document.locate(docqa.Span(4, 9))
    assert isinstance(place, docqa.PartLocation)
    assert place.slide_number == 3


def test_lines_of_a_body_are_list_items(show: Show, slide: Slide) -> None:
    """Placeholders for text hold lists; a text box holds one only where it has bullets."""
    box = sp("x", "y").replace("<a:p>", "<a:p><a:pPr><a:buChar char='-'/></a:pPr>", 1)
    document = load(show([slide(sp("a", kind="body") + box)]))
    assert [block.kind for block in document.blocks] == ["list_item", "list_item", "paragraph"]


def test_cells_that_another_one_covers_are_left_out(show: Show, slide: Slide) -> None:
    """A merged cell counts once, in its first place."""
    cell = "<a:tc{}><a:txBody><a:p><a:r><a:t>{}</a:t></a:r></a:p></a:txBody></a:tc>"
    row = cell.format(' gridSpan="2"', "wide") + cell.format(' hMerge="1"', "covered")
    table = f"<a:tbl><a:tr>{row}{cell.format('', 'last')}</a:tr></a:tbl>"
    document = load(show([slide(f"<p:graphicFrame>{table}</p:graphicFrame>")]))
    assert texts(document) == [("table_row", "wide\t\tlast", False)]


def test_hidden_shapes_are_left_out(show: Show, slide: Slide) -> None:
    """Nobody sees them, whether they or the group around them are hidden."""
    group = "<p:grpSp><p:nvGrpSpPr><p:cNvPr hidden='1'/></p:nvGrpSpPr>" + sp("b") + "</p:grpSp>"
    assert load(show([slide(sp("a", hidden=True) + group + sp("c"))])).text == "c"


def test_hidden_slides_are_read_with_a_warning(show: Show, slide: Slide) -> None:
    """Whoever opens the file sees them; a presentation skips them."""
    document = load(show([slide(sp("a")), slide(sp("b"), ' show="0"')]))
    assert document.text == "a\fb"
    [warning] = document.warnings
    assert (warning.kind, warning.page_number) == ("hidden-slide", 2)


def test_a_missing_slide_is_named(show: Show, slide: Slide) -> None:
    """The others keep their numbers."""
    data = show([slide(sp("a")), slide(sp("b"))]).replace(b"ides/slide1.xml", b"ides/slideX.xml")
    document = load(data)
    assert [(w.kind, w.page_number) for w in document.warnings] == [("missing-part", 1)]
    assert [page.number for page in document.pages] == [2]


def test_notes_and_diagrams_follow_their_slide(
    show: Show, slide: Slide, rooted: Callable[..., str], zipped: Callable[..., bytes]
) -> None:
    """Both are parts of their own; of notes only the notes themselves are read."""
    notes = rooted("p:notes", sp("said aloud", kind="body") + sp("7", kind="sldNum"))
    diagram = rooted("d", "<a:p><a:r><a:t>drawn</a:t></a:r></a:p>")
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    relations = (
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        f'<Relationship Id="a" Type="{office}/notesSlide" Target="../notesSlides/n1.xml"/>'
        f'<Relationship Id="b" Type="{office}/diagramData" Target="/ppt/diagrams/data1.xml"/>'
        f'<Relationship Id="c" Type="{office}/chart" Target="../charts/chart1.xml"/>'
        "</Relationships>"
    )
    parts = {"ppt/notesSlides/n1.xml": notes, "ppt/diagrams/data1.xml": diagram}
    parts["ppt/slides/_rels/slide1.xml.rels"] = relations
    document = load(show([slide(sp("shown")), slide(sp("next"))], parts))
    assert document.text == "shown\n\ndrawn\n\nsaid aloud\fnext"
    [place] = document.locate(docqa.Span(14, 24))
    assert isinstance(place, docqa.PartLocation)
    assert (place.part, place.slide_number) == ("ppt/notesSlides/n1.xml", 1)
    [warning] = document.warnings
    assert warning.message.endswith("what is not read: 1 chart (ppt/charts/chart1.xml)")


def test_a_presentation_of_python_pptx(tmp_path) -> None:
    """A file from another program has the words that its own library sees, in its order."""
    pptx = pytest.importorskip("pptx")
    made = pptx.Presentation()
    first = made.slides.add_slide(made.slide_layouts[1])
    first.shapes.title.text, first.placeholders[1].text = "Weather", "Wind\nRain"
    second = made.slides.add_slide(made.slide_layouts[5])
    second.shapes.title.text = "Tides"
    table = second.shapes.add_table(1, 2, 0, 0, 99, 99).table
    table.cell(0, 0).text, table.cell(0, 1).text = "High", "7.5 m"
    first.notes_slide.notes_text_frame.text = "Smile"
    made.save(tmp_path / "a.pptx")
    document = docqa.load(tmp_path / "a.pptx")
    assert document.text == "Weather\n\nWind\nRain\n\nSmile\fTides\n\nHigh\t7.5 m"
    assert document.title == "Weather"


def test_no_text_is_said(show: Show, slide: Slide) -> None:
    """Slides of pictures alone hold nothing to answer from."""
    with pytest.raises(NoTextError, match="save it as PDF"):
        load(show([slide("")]))


def test_broken_xml_is_malformed(show: Show) -> None:
    """The message names the part."""
    with pytest.raises(MalformedError, match=r"part ppt/slides/slide1.xml is no well-formed XML"):
        load(show(["<p:sld"]))


def test_it_is_a_loader() -> None:
    """The loader keeps the protocol's signature."""
    assert isinstance(PptxLoader(), Loader)


def test_tables_of_slides_have_headers(show: Show, slide: Slide) -> None:
    """Cells know their headers past cells that reach over several rows and columns."""

    def cell(words: str, attributes: str = "") -> str:
        body = f"<a:txBody><a:p><a:r><a:t>{words}</a:t></a:r></a:p></a:txBody>"
        return f"<a:tc {attributes}>{body}</a:tc>"

    rows = [
        cell("Dock") + cell("Crew", 'gridSpan="2"') + cell("", 'hMerge="1"'),
        cell("East", 'rowSpan="2"') + cell("Ann") + cell("Ned"),
        cell("", 'vMerge="1"') + cell("Ida") + cell("Orla"),
    ]
    table = '<a:tbl><a:tblPr firstRow="1"/>' + "".join(f"<a:tr>{one}</a:tr>" for one in rows)
    document = load(show([slide(f"<p:graphicFrame>{table}</a:tbl></p:graphicFrame>")]))
    found = [
        tuple(span.of(document.text) for span in (one.span, *one.headers))
        for each in document.tables[0].rows
        for one in each.cells
    ]
    assert found == [
        *(("Ann", "Crew"), ("Ned", "Crew")),
        *(("Ida", "East", "Crew"), ("Orla", "East", "Crew")),
    ]


def test_raised_and_crossed_out_runs_of_slides(show: Show, slide: Slide) -> None:
    """A raised digit stays apart from the one before it; what is crossed out is left out."""
    runs = (
        '<a:r><a:t>10</a:t></a:r><a:r><a:rPr baseline="30000"/><a:t>6</a:t></a:r>'
        '<a:r><a:t> m, </a:t></a:r><a:r><a:rPr strike="sngStrike"/><a:t>old</a:t></a:r>'
        '<a:r><a:rPr strike="noStrike" baseline="0"/><a:t>now</a:t></a:r>'
    )
    document = load(show([slide(f"<p:sp><p:txBody><a:p>{runs}</a:p></p:txBody></p:sp>")]))
    assert document.text == "10 6 m, now"
    assert [warning.kind for warning in document.warnings] == ["struck-text"]
    assert document.locate(docqa.Span(3, 6))[0].span == docqa.Span(2, 5)
