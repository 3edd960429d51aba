"""Values of form fields: in the text, at their place."""

from __future__ import annotations

import pytest

from docqa.datamodel import Span


def add_form(pdf, write, fields: list[str]) -> None:
    """Add a page with labels and the given fields, each on its own line."""
    labels = "".join(write(20, 150 - 30 * row, f"Label {row}:") for row in range(len(fields)))
    first = len(pdf.objects) + 3
    widgets = " ".join(f"{first + row} 0 R" for row in range(len(fields)))
    pdf.page(labels, f"/Annots[{widgets}]")
    for row, field in enumerate(fields):
        rect = f"[100 {146 - 30 * row} 200 {162 - 30 * row}]"
        pdf.add(f"<</Type/Annot/Subtype/Widget/Rect{rect}/P {first - 1} 0 R/T(f{row}){field}>>")
    pdf.catalog = f"/AcroForm<</Fields[{widgets}]/DR<</Font<</F1 3 0 R>>>>/DA(/F1 10 Tf 0 g)>>"


@pytest.fixture
def form(pdf, write):
    """Return a function that makes a file with the given fields."""

    def made(*fields: str):
        pdf.add("null")
        add_form(pdf, write, list(fields))
        return pdf

    return made


def test_value_stands_beside_its_label(form, load):
    """A filled value follows its label and leads to the field's rectangle."""
    document = load(
        form("/FT/Tx/V(Jane Roe)", "/FT/Tx", "/FT/Ch/Ff 131072/Opt[(red)(blue)]/V(blue)")
    )
    assert document.text == "Label 0: Jane Roe\nLabel 1:\nLabel 2: blue"
    (location,) = document.locate(Span(9, 17))
    (box,) = location.boxes
    assert (box.x0, box.top, box.x1, box.bottom) == (100, 38, 200, 54)


def test_span_over_label_and_value(form, load):
    """Label and value together have a rectangle each."""
    document = load(form("/FT/Tx/V(Jane)"))
    (location,) = document.locate(Span(0, len(document.text)))
    assert len(location.boxes) == 2


def test_ticked_box_gives_its_export_value(pdf, form, load):
    """A ticked box shows what it stands for; an empty one shows nothing."""
    look = pdf.add("<</Type/XObject/Subtype/Form/BBox[0 0 9 9]>>", b"")
    ticked = f"/FT/Btn/V/Married/AS/Married/AP<</N<</Married {look} 0 R/Off {look} 0 R>>>>"
    empty = f"/FT/Btn/V/Off/AS/Off/AP<</N<</Single {look} 0 R/Off {look} 0 R>>>>"
    assert load(form(ticked, empty)).text == "Label 0: Married\nLabel 1:"


@pytest.mark.parametrize(
    "field", ["/FT/Tx/V(secret)/Ff 8192", "/FT/Tx/V(hidden)/F 2", "/FT/Tx/V()"]
)
def test_what_is_not_shown_is_not_read(form, load, field):
    """Passwords, hidden fields and blanks stay out of the text."""
    assert load(form(field)).text == "Label 0:"


def test_lines_of_a_value(form, load):
    """A value of several lines keeps its line ends, and no page break comes in."""
    document = load(form("/FT/Tx/Ff 4096/V(one\\rtwo\\fthree)"))
    assert document.text == "Label 0: one\ntwo\nthree"


def test_field_below_its_label(pdf, write, load):
    """A value with no label to its left goes behind the line above it."""
    pdf.page(write(20, 150, "Name of applicant") + write(20, 80, "Next"), "/Annots[6 0 R]")
    pdf.add("<</Type/Annot/Subtype/Widget/Rect[20 128 200 144]/P 5 0 R/T(a)/FT/Tx/V(Jane Roe)>>")
    pdf.catalog = "/AcroForm<</Fields[6 0 R]/DA(/F1 10 Tf 0 g)>>"
    assert load(pdf).text == "Name of applicant\nJane Roe\nNext"


def test_controls_in_a_value(form, load):
    """A value has the replacements that the page's own text has."""
    assert load(form("/FT/Tx/V(a\\tb\\001c)")).text == "Label 0: a b\ufffdc"


def test_fields_outside_the_page_are_left_out(form, load):
    """A field beyond the crop box is not shown, and counted like text there."""
    pdf = form("/FT/Tx/V(Jane)", "/FT/Tx/V(hidden)")
    page = pdf.pages[-1] - 1
    pdf.objects[page] = pdf.objects[page].replace(b"/Annots", b"/CropBox[0 140 300 200]/Annots")
    document = load(pdf)
    assert document.text.rstrip() == "Label 0: Jane"
    (warning,) = document.warnings
    assert (warning.kind, warning.message.split()[2]) == (
        "outside-page",
        str(len("Label 1:hidden")),
    )


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("/Ff 2097152/Opt[[(r)(red)][(g)(green)][(b)(blue)]]/V[(r)(b)]", "red\nblue"),
        ("/Opt[(red)(green)]/V(green)", "green"),
        ("/Opt[(red)(green)]/V(mauve)", "mauve"),
    ],
)
def test_all_selected_lines_of_a_list(form, load, field, value):
    """A list gives all of its selections, as it shows them."""
    assert load(form(f"/FT/Ch{field}")).text == f"Label 0: {value}"
