"""What a Word document's text is: what Word shows with all changes accepted, in its order."""

from __future__ import annotations

import hashlib
import io
import pickle
import time
import zipfile
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

import docqa
from docqa.datamodel import Document
from docqa.errors import MalformedError, NoTextError
from docqa.loaders.office.docx import DocxLoader
from docqa.protocols import Loader

Word = Callable[..., bytes]
Rooted = Callable[..., str]


def load(data: bytes) -> Document:
    return DocxLoader().load(data, source="test.docx")


def p(words: str, properties: str = "") -> str:
    """Return a paragraph of one run."""
    return f"<w:p><w:pPr>{properties}</w:pPr><w:r><w:t>{words}</w:t></w:r></w:p>"


def row(*cells: str) -> str:
    return "<w:tr>" + "".join(f"<w:tc>{cell}</w:tc>" for cell in cells) + "</w:tr>"


@pytest.mark.parametrize(
    ("inside", "text"),
    [
        ("<w:r><w:t>a</w:t><w:tab/><w:t>b</w:t><w:br/><w:t>c</w:t><w:cr/></w:r>", "a\tb\nc\n"),
        ("<w:r><w:t>ca</w:t><w:softHyphen/><w:t>ble</w:t></w:r>", "cable"),
        ("<w:r><w:t>log</w:t><w:noBreakHyphen/><w:t>book</w:t></w:r>", "log-book"),
        ('<w:r><w:sym w:font="Symbol" w:char="F0B3"/><w:t>5</w:t></w:r>', "≥5"),
        ('<w:r><w:sym w:font="Webdings" w:char="F0B3"/><w:t>5</w:t></w:r>', "�5"),
        ("<w:ins><w:r><w:t>new</w:t></w:r></w:ins>", "new"),
        ("<w:r><w:t>x</w:t></w:r><w:del><w:r><w:delText>old</w:delText></w:r></w:del>", "x"),
        ("<w:r><w:t>x</w:t></w:r><w:moveFrom><w:r><w:t>old</w:t></w:r></w:moveFrom>", "x"),
        ("<w:moveTo><w:r><w:t>moved</w:t></w:r></w:moveTo>", "moved"),
        ("<w:hyperlink><w:r><w:t>link</w:t></w:r></w:hyperlink>", "link"),
        ("<w:smartTag><w:r><w:t>tag</w:t></w:r></w:smartTag>", "tag"),
        ("<w:sdt><w:sdtPr/><w:sdtContent><w:r><w:t>y</w:t></w:r></w:sdtContent></w:sdt>", "y"),
        ("<w:fldSimple><w:r><w:t>7</w:t></w:r></w:fldSimple>", "7"),
        ("<w:r><w:rPr><w:vanish/></w:rPr><w:t>no</w:t></w:r><w:r><w:t>x</w:t></w:r>", "x"),
        ('<w:r><w:rPr><w:vanish w:val="0"/></w:rPr><w:t>x</w:t></w:r>', "x"),
        ("<m:oMath><m:f><m:num><m:r><m:t>1</m:t></m:r></m:num><m:den><m:r><m:t>2</m:t></m:r>"
         "</m:den></m:f></m:oMath>", " 1 2"),
        ("<w:r><w:ruby><w:rt><w:r><w:t>kan</w:t></w:r></w:rt><w:rubyBase><w:r><w:t>漢</w:t>"
         "</w:r></w:rubyBase></w:ruby></w:r>", "漢"),
        ("<w:r><mc:AlternateContent><mc:Choice Requires='w16se'><x/></mc:Choice><mc:Fallback>"
         "<w:t>😊</w:t><w:tab/></mc:Fallback></mc:AlternateContent></w:r>", "😊\t"),
        ("<w:r><w:t>two\nlines\tin XML</w:t></w:r>", "two lines in XML"),
        ("<w:pPr><w:tabs><w:tab w:val='left'/></w:tabs></w:pPr><w:r><w:t>x</w:t></w:r>", "x"),
    ],
)  # fmt: skip
def test_what_a_run_shows(word: Word, inside: str, text: str) -> None:
    """Each element of a paragraph that is text, is none, or stands for a character."""
    assert load(word(f"<w:p>{inside}</w:p>")).text == text


def field(code: str, result: str) -> str:
    """Return a field with its code and its result, both being runs."""
    mark = '<w:r><w:fldChar w:fldCharType="{}"/></w:r>'
    return (
        f"{mark.format('begin')}<w:r><w:instrText>{code}</w:instrText></w:r>"
        f"{mark.format('separate')}{result}{mark.format('end')}"
    )


def test_results_of_fields_show_and_their_codes_do_not(word: Word) -> None:
    """A field inside another one's code is code, whatever its own result is."""
    inner = field("MERGEFIELD n", "<w:r><w:t>inner</w:t></w:r>")
    outer = field("IF ", "<w:r><w:t>outer</w:t></w:r>").replace("</w:instrText></w:r>",
        f"</w:instrText></w:r>{inner}", 1)  # fmt: skip
    assert load(word(f"<w:p>{outer}<w:r><w:t>!</w:t></w:r></w:p>")).text == "outer!"


def test_a_field_that_never_ends_hides_no_other_paragraph(word: Word) -> None:
    """A broken field costs at most the rest of its paragraph."""
    begin = '<w:p><w:r><w:fldChar w:fldCharType="begin"/><w:t>code</w:t></w:r></w:p>'
    assert load(word(begin + p("shown"))).text == "shown"


def test_of_alternatives_the_first_is_read(word: Word) -> None:
    """A text box is written twice, for new programs and for old ones; it is read once."""
    box = "<w:txbxContent>" + p("in the box") + "</w:txbxContent>"
    twice = (
        "<w:r><mc:AlternateContent><mc:Choice Requires='wps'><w:drawing><wps:txbx>"
        f"{box}</wps:txbx></w:drawing></mc:Choice><mc:Fallback><w:pict><v:textbox>{box}"
        "</v:textbox></w:pict></mc:Fallback></mc:AlternateContent></w:r>"
    )
    document = load(word(f"<w:p><w:r><w:t>be</w:t></w:r>{twice}<w:r><w:t>fore</w:t></w:r></w:p>"))
    assert document.text == "before\n\nin the box"


STYLES = """
<w:style w:type="paragraph" w:styleId="berschrift1"><w:name w:val="heading 1"/></w:style>
<w:style w:styleId="Own"><w:name w:val="Own"/><w:basedOn w:val="berschrift1"/></w:style>
<w:style w:styleId="Deep"><w:name w:val="D"/><w:pPr><w:outlineLvl w:val="3"/></w:pPr></w:style>
<w:style w:styleId="Plain"><w:name w:val="Plain"/><w:basedOn w:val="Deep"/>
  <w:pPr><w:outlineLvl w:val="9"/></w:pPr></w:style>
<w:style w:styleId="Dots"><w:name w:val="Dots"/>
  <w:pPr><w:numPr><w:numId w:val="4"/></w:numPr></w:pPr></w:style>
<w:style w:styleId="TOC1"><w:name w:val="toc 1"/></w:style>
<w:style w:styleId="Gone"><w:name w:val="Gone"/><w:rPr><w:vanish/></w:rPr></w:style>
<w:style w:styleId="LoopA"><w:basedOn w:val="LoopB"/></w:style>
<w:style w:styleId="LoopB"><w:basedOn w:val="LoopA"/></w:style>
"""


@pytest.mark.parametrize(
    ("properties", "kind"),
    [
        ('<w:pStyle w:val="berschrift1"/>', "heading"),
        ('<w:pStyle w:val="Own"/>', "heading"),
        ('<w:pStyle w:val="Deep"/>', "heading"),
        ('<w:pStyle w:val="Plain"/>', "paragraph"),
        ('<w:pStyle w:val="LoopA"/>', "paragraph"),
        ('<w:pStyle w:val="Heading2"/>', "heading"),  # not defined: known by its id
        ('<w:outlineLvl w:val="0"/>', "heading"),
        ('<w:pStyle w:val="Own"/><w:outlineLvl w:val="9"/>', "paragraph"),
        ('<w:pStyle w:val="Dots"/>', "list_item"),
        ('<w:pStyle w:val="Dots"/><w:numPr><w:numId w:val="0"/></w:numPr>', "paragraph"),
        ('<w:numPr><w:ilvl w:val="0"/><w:numId w:val="2"/></w:numPr>', "list_item"),
    ],
)
def test_kinds_of_blocks(word: Word, rooted: Rooted, properties: str, kind: str) -> None:
    """Style, outline level and numbering say what a paragraph is; its own properties go first."""
    data = word(p("words", properties), styles=rooted("w:styles", STYLES))
    assert [block.kind for block in load(data).blocks] == [kind]


def test_text_that_a_style_hides_is_left_out(word: Word, rooted: Rooted) -> None:
    """Hidden by the paragraph's style, shown again by a run's own properties."""
    again = '<w:r><w:rPr><w:vanish w:val="false"/></w:rPr><w:t>shown</w:t></w:r>'
    hidden = p("no", '<w:pStyle w:val="Gone"/>').replace("</w:p>", f"{again}</w:p>")
    assert load(word(hidden, styles=rooted("w:styles", STYLES))).text == "shown"


def test_rows_of_a_table_are_blocks(word: Word) -> None:
    """Cells are divided by tabs, a cell that another one covers is empty, paragraphs by lines."""
    covered = "<w:tcPr><w:vMerge/></w:tcPr><w:p/>"
    table = row(p("Lamp"), p("oil") + p("weekly")) + row(covered, p("40 l")) + row(p("a"), "")
    document = load(word(f"{p('Stores')}<w:tbl>{table}</w:tbl>{p('End')}"))
    assert document.text == "Stores\n\nLamp\toil\nweekly\n40 l\na\n\nEnd"
    kinds = [(block.kind, block.span.of(document.text)) for block in document.blocks]
    assert kinds[1:3] == [("table_row", "Lamp\toil\nweekly"), ("table_row", "40 l")]


def test_a_table_that_only_places_text_makes_no_rows(word: Word) -> None:
    """Cells with a table, a heading or long prose inside are blocks of their own."""
    inner = f"<w:tbl>{row(p('x'), p('1'))}</w:tbl>"
    heading = p("Title", '<w:outlineLvl w:val="0"/>')
    rows = row(p("left") + inner, p("right")) + row(heading, p("b")) + row(p("w " * 1500), p("c"))
    document = load(word(f"<w:tbl>{rows}</w:tbl>"))
    kinds = [block.kind for block in document.blocks]
    assert kinds == ["paragraph", "table_row", "paragraph", "heading", *["paragraph"] * 3]


def test_notes_follow_the_body_and_edges_are_boilerplate(word: Word, rooted: Rooted) -> None:
    """Each note and each header is read once, from its own part; separators are none."""
    line = '<w:footnote w:type="separator">' + p("no") + "</w:footnote>"
    notes = rooted("w:footnotes", f"{line}<w:footnote>{p('a note')}</w:footnote>")
    header = rooted("w:hdr", p("Secret"))
    data = word(p("body"), header1=header, header2=header, footnotes=notes)
    document = load(data)
    assert document.text == "body\n\na note\n\nSecret"
    assert [block.boilerplate for block in document.blocks] == [False, False, True]
    [place] = document.locate(docqa.Span(6, 12))
    assert isinstance(place, docqa.PartLocation)
    assert (place.part, place.paragraph) == ("word/footnotes.xml", 2)


def test_lines_of_the_contents_are_boilerplate(word: Word, rooted: Rooted) -> None:
    """A table of contents repeats the headings; it is no heading and no answer's best place."""
    data = word(p("1 Lamp 3", '<w:pStyle w:val="TOC1"/>'), styles=rooted("w:styles", STYLES))
    [block] = load(data).blocks
    assert (block.kind, block.boilerplate) == ("paragraph", True)


def test_what_is_not_read_is_named(word: Word, rooted: Rooted) -> None:
    """Comments, charts and missing parts end in a warning, not in silence."""
    remarks = rooted("w:comments", f"<w:comment>{p('remark')}</w:comment>" * 2)
    data = word(p("body"), comments=remarks, chart1="<c/>", chart2="<c/>")
    data = data.replace(b"word/chart2.xml", b"word/elsew2.xml")
    [warning] = load(data).warnings
    assert warning.kind == "parts-unread"
    assert "not read: 2 charts (word/chart1.xml, word/chart2.xml), 2 comments" in warning.message


def test_a_missing_note_part_is_a_warning(word: Word, rooted: Rooted) -> None:
    """A relationship that leads nowhere costs that part only."""
    data = word(p("body"), footnotes=rooted("w:footnotes", ""))
    [warning] = load(data.replace(b"word/footnotes", b"word/elsenotes")).warnings
    assert warning.kind == "missing-part"
    assert warning.message.startswith("the part word/footnotes.xml is missing from the file")


def test_strict_documents_are_read_alike(word: Word) -> None:
    """ISO's strict kind differs in its namespaces; places have the same prefixes."""
    plain = load(word(p("words")))
    source, target = io.BytesIO(word(p("words"))), io.BytesIO()
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            content = old.read(name).replace(
                b"http://schemas.openxmlformats.org/wordprocessingml/2006/main",
                b"http://purl.oclc.org/ooxml/wordprocessingml/main",
            )
            content = content.replace(
                b"http://schemas.openxmlformats.org/officeDocument/2006/relationships",
                b"http://purl.oclc.org/ooxml/officeDocument/relationships",
            )
            new.writestr(name, content)
    strict = load(target.getvalue())
    span = docqa.Span(0, 5)
    assert (strict.text, strict.locate(span)) == (plain.text, plain.locate(span))


def test_a_document_of_python_docx(tmp_path) -> None:
    """A file from another program: title, author, hash, and the text of its paragraphs."""
    docx = pytest.importorskip("docx")
    made = docx.Document()
    made.core_properties.title, made.core_properties.author = " The  log ", "A. Quill"
    made.add_heading("Station", 1)
    made.add_paragraph("The lamp was lit.", style="List Bullet")
    made.save(str(tmp_path / "log.docx"))
    document = docqa.load(tmp_path / "log.docx")
    assert (document.title, document.metadata["author"]) == ("The log", "A. Quill")
    assert document.id == hashlib.sha256((tmp_path / "log.docx").read_bytes()).hexdigest()
    assert document.text.split("\n\n") == [paragraph.text for paragraph in made.paragraphs]
    assert [block.kind for block in document.blocks] == ["heading", "list_item"]


@pytest.mark.parametrize(
    ("data", "error", "words"),
    [
        (b"plain text", MalformedError, "cannot be opened: it is cut off, or no zip file"),
        (b"", MalformedError, "cut off"),
    ],
)
def test_what_is_no_word_document_is_malformed(data: bytes, error: type, words: str) -> None:
    """A wrong name leads to an error that says what is wrong."""
    with pytest.raises(error, match=f"test.docx: .*{words}"):
        docqa.load(data, name="test.docx")


def test_no_document_part_is_malformed(zipped: Callable[..., bytes]) -> None:
    """A container without relationships is no Office file."""
    with pytest.raises(MalformedError, match="names no document part"):
        load(zipped({"word/document.xml": "<a/>"}))


def test_no_text_is_said(word: Word) -> None:
    """A document of pictures alone holds nothing to answer from."""
    with pytest.raises(NoTextError, match="save it as PDF"):
        load(word("<w:p/><w:p><w:r><w:t>  </w:t></w:r></w:p>"))


def test_it_is_a_loader() -> None:
    """The loader keeps the protocol's signature."""
    assert isinstance(DocxLoader(), Loader)


@pytest.mark.parametrize(
    "body",
    [
        f'<w:p><w:pPr><w:outlineLvl w:val="{"9" * 5000}"/></w:pPr><w:r><w:t>x</w:t></w:r></w:p>',
        f'<w:p><w:r><w:sym w:font="Symbol" w:char="{"F" * 5000}"/><w:t>x</w:t></w:r></w:p>',
        "<w:p>" + '<w:r><w:fldChar w:fldCharType="begin"/><w:t>x</w:t></w:r>' * 9000 + "</w:p>"
        "<w:p><w:r><w:t>x</w:t></w:r></w:p>",
        "<w:p><w:r>" + "<w:t>x</w:t>" * 20_000 + "</w:r></w:p>",
        "<w:tbl><w:tr><w:tc>" * 100 + p("x") + "</w:tc></w:tr></w:tbl>" * 100,
        f'<u xmlns="urn:{"u" * 100_000}">' + p("x") * 5000 + "</u>",
        "<w:tr/><w:tc/><w:r/><mc:Choice/><w:fldChar/><w:numId/>" + p("x"),
    ],
)
def test_odd_bodies_load_in_little_time(word: Word, body: str) -> None:
    """Numbers, depths and repetitions that nobody writes cost no more than their bytes."""
    start = time.process_time()
    document = load(word(body))
    assert document.text.endswith("x")
    assert document.locate(docqa.Span(len(document.text) - 1, len(document.text)))
    assert pickle.loads(pickle.dumps(document.source_map))
    assert time.process_time() - start < 3


@given(st.data())
def test_broken_xml_never_raises_anything_else(word: Word, data: st.DataObject) -> None:
    """Whatever characters of a part change, the outcome is a document or an error of the tree."""
    heading = p("other", '<w:outlineLvl w:val="1"/>')
    table = f"<w:tbl>{row(p('cell'), heading)}</w:tbl>"
    body = f"{p('one')}{table}<w:p>{field('PAGE', '<w:r><w:t>7</w:t></w:r>')}</w:p>"
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(body) - 1))
        body = (
            body[:place] + data.draw(st.sampled_from(list("</>\"' w:tp&;0é"))) + body[place + 1 :]
        )
    try:
        document = load(word(body))
    except docqa.LoadError:
        return
    assert not document.text.strip() or document.locate(docqa.Span(0, len(document.text)))


def styled(words: str, properties: str) -> str:
    """Return a run with properties."""
    return f"<w:r><w:rPr>{properties}</w:rPr><w:t>{words}</w:t></w:r>"


@pytest.mark.parametrize(
    ("properties", "text"),
    [
        ('<w:vertAlign w:val="superscript"/>', "10 6 m"),
        ('<w:vertAlign w:val="subscript"/>', "10 6 m"),
        ('<w:position w:val="8"/>', "10 6 m"),
        ('<w:rStyle w:val="Raised"/>', "10 6 m"),
        ('<w:rStyle w:val="Raised"/><w:vertAlign w:val="baseline"/>', "106 m"),
        ("<w:strike/>", "10 m"),
        ("<w:dstrike/>", "10 m"),
        ('<w:strike w:val="0"/>', "106 m"),
    ],
)
def test_raised_and_crossed_out_runs(
    word: Word, rooted: Rooted, properties: str, text: str
) -> None:
    """A raised digit stays apart from the one before it; what is crossed out is left out."""
    raised = '<w:vertAlign w:val="superscript"/>'
    styles = rooted("w:styles", f'<w:style w:styleId="Raised"><w:rPr>{raised}</w:rPr></w:style>')
    body = f"<w:p>{styled('10', '')}{styled('6', properties)}{styled(' m', '')}</w:p>"
    document = load(word(body, styles=styles))
    assert document.text == text
    expected = ["struck-text"] if text == "10 m" else []
    assert [warning.kind for warning in document.warnings] == expected


_GONE = "<w:rPr><w:del/></w:rPr>"


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (p("Ann ", _GONE) + p("Larsen of Bodo."), "Ann Larsen of Bodo."),
        (p("Ann ", "<w:rPr><w:moveFrom/></w:rPr>") + p("Larsen"), "Ann Larsen"),
        (p("A", _GONE) + p("", _GONE) + p("B") + p("C"), "AB\n\nC"),
        (p("A", _GONE) + p("") + p("B"), "A\n\nB"),
        (f"<w:tbl>{row(p('A', _GONE) + p('B'), p('1'))}</w:tbl>", "AB\t1"),
        (p("A", "<w:rPr><w:ins/></w:rPr>") + p("B"), "A\n\nB"),
    ],
)
def test_a_deleted_paragraph_mark_joins(word: Word, body: str, text: str) -> None:
    """Once its deletion is accepted, a paragraph mark divides nothing."""
    document = load(word(body))
    assert document.text == text
    first = len(text.split("\n", maxsplit=1)[0])
    assert len(document.blocks) == 1 + text.count("\n\n")
    places = document.locate(docqa.Span(0, first))
    assert all(isinstance(place, docqa.PartLocation) and place.span for place in places)


def headed(document: Document) -> list[tuple[str, ...]]:
    """Return the words of each cell with those of its headers."""
    return [
        tuple(span.of(document.text) for span in (cell.span, *cell.headers))
        for table in document.tables
        for each in table.rows
        for cell in each.cells
    ]


def merged(words: str, properties: str) -> str:
    return f"<w:tc><w:tcPr>{properties}</w:tcPr>{p(words)}</w:tc>"


RESTART = '<w:vMerge w:val="restart"/>'


def test_tables_have_headers_and_merged_cells_keep_their_columns(word: Word) -> None:
    """A cell that reaches down, or a row that begins late, moves no value to another column."""
    rows = [
        row(p("Team"), p("Member"), p("Extension")),
        f"<w:tr>{merged('Dock', RESTART)}{merged('Roy', '')}{merged('311', '')}</w:tr>",
        f"<w:tr>{merged('', '<w:vMerge/>')}{merged('Voss', '')}{merged('312', '')}</w:tr>",
        f'<w:tr><w:trPr><w:gridBefore w:val="1"/></w:trPr>{merged("Lin", "")}'
        f"{merged('401', '')}</w:tr>",
        row(p(""), p("Berg"), p("402")),
    ]
    assert headed(load(word(f"<w:tbl>{''.join(rows)}</w:tbl>"))) == [
        *(("Roy", "Member"), ("311", "Extension")),
        *(("Voss", "Dock", "Member"), ("312", "Dock", "Extension")),
        *(("Lin", "Member"), ("401", "Extension"), ("Berg", "Member"), ("402", "Extension")),
    ]


def test_a_header_row_that_word_repeats_heads_words_too(word: Word) -> None:
    """A table without numbers has headers where the document says so, over merged columns too."""
    top = '<w:trPr><w:tblHeader/></w:trPr><w:tc/><w:tc><w:tcPr><w:gridSpan w:val="2"/></w:tcPr>'
    head = f"<w:tr>{top}{p('Crew')}</w:tc></w:tr>"
    document = load(word(f"<w:tbl>{head}{row(p('Gannet'), p('Ann'), p('Ned'))}</w:tbl>"))
    assert headed(document) == [("Ann", "Crew"), ("Ned", "Crew")]
