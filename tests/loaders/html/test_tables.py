"""Which cells of a web page's tables head which others."""

from __future__ import annotations

import time

import pytest

import docqa
from docqa.datamodel import Document


def shown(source: str) -> list[tuple[str, list[str]]]:
    """Return the rows of all tables: the label, and the cells as "header/header=value"."""
    document = docqa.load(source.encode(), media_type="text/html")
    return [
        (
            row.label.of(document.text) if row.label else "",
            [_cell(document, cell) for cell in row.cells],
        )
        for table in document.tables
        for row in table.rows
    ]


def _cell(document: Document, cell) -> str:  # type: ignore[no-untyped-def]
    headers = "/".join(span.of(document.text) for span in cell.headers)
    return f"{headers}={cell.span.of(document.text)}".replace("\t", " ")


def test_headers_over_several_columns_and_rows() -> None:
    """Colspan and rowspan say which cells a header stands over."""
    source = (
        "<table><thead><tr><th rowspan=2>Item<th colspan=2>Year<th rowspan=2>Change"
        "<tr><th>2021<th>2020<tbody><tr><td>Fees<td>14<td>12<td>2</table>"
    )
    assert shown(source) == [("Fees", ["Year/2021=14", "Year/2020=12", "Change=2"])]


def test_a_label_reaches_down() -> None:
    """A row's label that covers several rows heads their cells too."""
    source = (
        "<table><tr><th>Region<th>City<th>Head<tr><td rowspan=2>North<td>Oslo<td>Ada"
        "<tr><td>Bergen<td>Bo</table>"
    )
    assert shown(source) == [
        ("North", ["City=Oslo", "Head=Ada"]),
        ("", ["North/City=Bergen", "North/Head=Bo"]),
    ]


def test_headers_without_marks() -> None:
    """Filings mark no headers and give signs a cell: rows of values tell which rows head them."""
    source = (
        "<table><tr><td><td colspan=2>2021<td><td colspan=2>2020"
        "<tr><td>Fees<td>$<td>14<td><td>$<td>12<tr><td>Loss<td><td>(3<td>)<td><td>4</table>"
    )
    assert shown(source) == [
        ("Fees", ["2021=$ 14", "2020=$ 12"]),
        ("Loss", ["2021=(3", "2020=4"]),
    ]


@pytest.mark.parametrize(
    "source",
    [
        "<table><tr><td>menu<td>text</table>",
        "<table><tr><th>Born<td>1980<tr><th>Died<td>2020</table>",
        "<table><tr><th>a<th>b<tr><td>c<td><table><tr><td>d</table></table>",
        "<table><tr><th>a<th>b</table>",
    ],
    ids=["layout", "row headers only", "around a table", "no data"],
)
def test_no_table(source: str) -> None:
    """What lays out a page, or has no headers of columns, gives no table."""
    assert shown(source) == []


def test_repeated_headers() -> None:
    """Header rows further down head what follows them."""
    source = (
        "<table><tr><th>Item<th>2021<tr><td>Fees<td>1<tr><th>Item<th>2020<tr><td>Fees<td>2</table>"
    )
    assert [cells for _, cells in shown(source)] == [["2021=1"], ["2020=2"]]


@pytest.mark.parametrize("row", ["<tr><td rowspan=65534>x", "<tr><td colspan=1000>x<td>y"])
def test_wide_and_long_spans_cost_no_more(row: str) -> None:
    """Cells that claim to cover a thousand columns or rows take time as others do."""
    started = time.process_time()
    docqa.load((f"<table><tr><th>a<th>b{row * 5000}</table>").encode(), media_type="text/html")
    assert time.process_time() - started < 5
