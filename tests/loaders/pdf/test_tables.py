"""Which words of a PDF's page head which values of its tables."""

from __future__ import annotations

import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from docqa.datamodel import Document
from docqa.loaders.pdf.tables import page_tables

BOX = "/MediaBox[0 0 500 300]"


def shown(document: Document) -> list[list[str]]:
    """Return the cells of all rows, each as "header/header=value"."""
    return [
        [
            "/".join(span.of(document.text) for span in cell.headers)
            + "="
            + " ".join(cell.span.of(document.text).split())
            for cell in row.cells
        ]
        for table in document.tables
        for row in table.rows
    ]


def lines(write, *rows: str, top: int = 250) -> str:
    """Return a page's content: each row is "x:words x:words", 15 points below the one before."""
    content = ""
    for number, row in enumerate(rows):
        for part in row.split("|"):
            x, words = part.split(":", 1)
            content += write(
                float(x), top - 15 * number, words.replace("(", r"\(").replace(")", r"\)"), 10
            )
    return content


PLAIN = ("200:2021|300:2020", "40:Net income|200:14,300|300:2,865", "40:Costs|200:21|300:(7)")


def test_values_have_their_columns_header(pdf, load, write):
    """Each value knows the year above it."""
    pdf.page(lines(write, *PLAIN), BOX)
    assert shown(load(pdf)) == [
        ["2021=14,300", "2020=2,865"],
        ["2021=21", "2020=(7)"],
    ]


@pytest.mark.parametrize("rotation", [90, 180, 270])
def test_turned_pages(pdf, load, new_pdf, write, rotation):
    """A page that is drawn turned and shown upright has the same tables."""
    turn = {90: "0 1 -1 0 300 0", 180: "-1 0 0 -1 500 300", 270: "0 -1 1 0 0 500"}[rotation]
    box = BOX if rotation == 180 else "/MediaBox[0 0 300 500]"
    pdf.page(f"q {turn} cm {lines(write, *PLAIN)} Q", f"{box}/Rotate {rotation}")
    plain = new_pdf()
    plain.page(lines(write, *PLAIN), BOX)
    assert shown(load(pdf)) == shown(load(plain))


def test_a_header_over_several_columns(pdf, load, write):
    """A header in the middle over columns heads each; a period beside them heads all."""
    pdf.page(
        lines(
            write,
            "40:Three months ended June 30,|220:Wholesale|350:Total",
            "40:(in millions)|200:2021|260:2020|330:2021|390:2020",
            "40:Fees|200:1,111|260:2,222|330:3,333|390:4,444",
            "40:Costs|200:5,555|260:6,666|330:7,777|390:8,888",
        ),
        BOX,
    )
    period = "Three months ended June 30,"
    assert shown(load(pdf))[0] == [
        f"{period}/Wholesale/2021=1,111",
        f"{period}/Wholesale/2020=2,222",
        f"{period}/Total/2021=3,333",
        f"{period}/Total/2020=4,444",
    ]


def test_signs_belong_to_their_value(pdf, load, write):
    """The sign of currency at a column's edge and the percent sign are part of the cell."""
    pdf.page(
        lines(
            write,
            "200:2021|300:Change",
            "40:Fees|160:$|200:14|300:22|320:%",
            "40:Costs|160:$|200:(3)|300:NM",
        ),
        BOX,
    )
    assert shown(load(pdf)) == [["2021=$ 14", "Change=22 %"], ["2021=$ (3)", "Change=NM"]]


def test_labels_hold_the_lines_above(pdf, load, write):
    """A label that began on the line before, or stands in a section, has both."""
    pdf.page(
        lines(write, "200:2021", "40:Fees|200:14", "40:Loans:", "50:sold|200:15"),
        BOX,
    )
    document = load(pdf)
    labels = [row.label for table in document.tables for row in table.rows]
    assert [label.of(document.text) for label in labels] == ["Fees", "Loans:\nsold"]


@pytest.mark.parametrize(
    "rows",
    [
        ("40:In 2021 we sold 14 lamps and in 2020", "40:we sold 12; the year before 11"),
        ("40:Net income|200:14|300:12", "40:Costs|200:21|300:7"),
        ("40:1. Scope|300:4", "40:2. Term|300:5", "40:3. Fees|300:9"),
    ],
    ids=["prose", "no header", "contents"],
)
def test_no_table(pdf, load, write, rows):
    """Prose with numbers, values without headers and tables of contents give none."""
    pdf.page(lines(write, *rows), BOX)
    assert load(pdf).tables == ()


def test_spans_are_of_the_whole_text(pdf, load, write):
    """On a later page the spans count from the document's start, and lead to the page."""
    pdf.page(write(20, 150, "A page before"))
    pdf.page(lines(write, *PLAIN), BOX)
    document = load(pdf)
    cell = document.tables[0].rows[0].cells[0]
    assert cell.span.of(document.text) == "14,300"
    assert document.locate(cell.span)[0].page_number == 2


def test_ten_thousand_numbers_take_no_longer_than_reading_them(pdf, load, write, monkeypatch):
    """A page of nothing but rows costs a bounded time: most of it is PDFium's."""
    rows = "".join(write(20, 0.02 * n, f"{n} 1 2 3 4", 1) for n in range(10_000))
    pdf.page(rows)
    data, spent = pdf.to_bytes(), [0.0]

    def timed(*arguments):
        started = time.process_time()
        found = page_tables(*arguments)
        spent[0] += time.process_time() - started
        return found

    monkeypatch.setattr("docqa.loaders.pdf.pages.page_tables", timed)
    started = time.process_time()
    load(data)
    assert spent[0] < 0.5 * (time.process_time() - started) + 0.1


@given(
    st.lists(
        st.lists(
            st.tuples(
                st.integers(0, 29), st.sampled_from(["2021", "9", "$", "Wide header", "(a)"])
            ),
            min_size=1,
            max_size=6,
        ),
        max_size=12,
    )
)
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_layout_gives_sound_tables(load, new_pdf, write, drawn):
    """Wherever words stand, cells rise, lie in the text and have headers that do."""
    rows = ["|".join(f"{15 * x}:{words}" for x, words in row) for row in drawn]
    pdf = new_pdf()
    pdf.page(lines(write, *rows), BOX)
    document = load(pdf)
    cells = [cell for table in document.tables for row in table.rows for cell in row.cells]
    ends = [0, *(cell.span.end for cell in cells)]
    for cell, end in zip(cells, ends, strict=False):
        assert end <= cell.span.start < cell.span.end <= len(document.text)
        assert cell.headers
        assert all(header.of(document.text).strip() for header in cell.headers)
