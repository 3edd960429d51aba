"""Questions that a table answers, with the shipped reader."""

from __future__ import annotations

from io import BytesIO

import pytest

import docqa

ROWS = [
    ("", "2021", "2020"),
    ("Net income", "14,300", "2,865"),
    ("Total revenue", "32,266", "28,286"),
    ("Cash and deposits", "1,047", "986"),
]
QUESTIONS = [
    ("What was net income in 2021?", "14,300"),
    ("What was net income in 2020?", "2,865"),
    ("What was the total revenue in 2020?", "28,286"),
    ("How much were cash and deposits in 2021?", "1,047"),
]


def html() -> bytes:
    """Return a page with the table."""
    rows = "".join(f"<tr><td>{'<td>'.join(row)}" for row in ROWS)
    return f"<h1>Annual accounts</h1><table>{rows}</table>".encode()


def pdf() -> bytes:
    """Return a page with the table, numbers aligned on the right."""
    canvas = pytest.importorskip("reportlab.pdfgen.canvas")
    data = BytesIO()
    page = canvas.Canvas(data, invariant=True)
    page.drawString(72, 740, "Annual accounts")
    for number, row in enumerate(ROWS):
        page.drawString(72, 700 - 18 * number, row[0])
        for column, words in enumerate(row[1:]):
            page.drawRightString(330 + 90 * column, 700 - 18 * number, words)
    page.save()
    return data.getvalue()


@pytest.mark.parametrize("make", [html, pdf])
@pytest.mark.parametrize(("question", "answer"), QUESTIONS)
def test_the_right_cell_comes_first(make, question: str, answer: str) -> None:  # type: ignore[no-untyped-def]
    """Row and column both decide which number of the table is best."""
    numbers = {number for row in ROWS[1:] for number in row[1:]}
    found = docqa.ask(make(), question, top_k=20, min_score=0)
    assert next(each.text for each in found if each.text in numbers) == answer


def test_cells_under_other_headers_are_no_rivals() -> None:
    """A number that other headers rule out does not lower the score of the right one."""
    question, answer = QUESTIONS[2]
    [best] = docqa.ask(html(), question)
    assert best.text == answer
    assert best.evidence is not None
    assert best.evidence.odds > -1
