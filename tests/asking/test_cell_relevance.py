"""Which cell of a table fits a question, by the words that head it."""

from __future__ import annotations

import docqa
from docqa.asking.cell_relevance import HeadedSpan, headed_spans
from docqa.datamodel import AnswerSpan, Passage, Span

PAGE = b"""<p>Fees rose to 15 in all.
<table><tr><th><th>2021<th>2020<tr><td>Fees<td>14<td>12<tr><td>Costs<td>9<td>8</table>"""


def headed(question: str, *words: str) -> list[HeadedSpan]:
    """Return what is made of proposals of these words, each with a smaller margin than before."""
    page = docqa.load(PAGE, media_type="text/html")
    whole = Passage(page.id, 0, Span(0, len(page.text)), page.text)
    starts = [page.text.index(word) for word in words]
    proposals = [
        AnswerSpan(whole, Span(start, start + len(word)), 9.0 - n, 9.0 - n, 0.0)
        for n, (start, word) in enumerate(zip(starts, words, strict=True))
    ]
    return headed_spans(page, question, proposals)


def relevances(question: str, *words: str) -> list[float]:
    return [each.relevance for each in headed(question, *words)]


def test_row_and_column_count() -> None:
    """The cell whose label and header the question names comes first."""
    assert relevances("What were fees in 2020?", "12", "14", "8") == [1.0, 0.5, 0.5]


def test_a_label_has_the_headers_of_its_row() -> None:
    """A label may answer by what heads its row's cells, but not by its own words."""
    assert relevances("What costs most in 2020?", "Costs", "8") == [0.5, 1.0]


def test_what_is_in_no_row_has_no_relevance() -> None:
    """Prose and headers are left to the reader."""
    assert relevances("What were fees in 2020?", "15", "2021") == [1.0, 1.0]


def test_a_question_in_other_words_says_nothing() -> None:
    """Where no cell shares a word with the question, none is better than another."""
    assert relevances("How much?", "12", "14") == [1.0, 1.0]


def test_the_best_headed_cell_speaks_for_its_row() -> None:
    """It takes over the evidence of the row's best cell; other rows keep their own."""
    found = headed("What were fees in 2020?", "14", "12", "9")
    assert [each.proposal.margin for each in found] == [9.0, 9.0, 7.0]
    assert [each.relevance for each in found] == [0.5, 1.0, 0.0]


def test_without_tables_nothing_changes() -> None:
    """In prose the reader's proposals are returned as they are."""
    text = docqa.load(b"Fees were 14 in 2021.", name="a.txt")
    whole = Passage(text.id, 0, Span(0, len(text.text)), text.text)
    proposal = AnswerSpan(whole, Span(10, 12), 1.0, 2.0, 1.0)
    assert headed_spans(text, "What were fees?", [proposal]) == [HeadedSpan(proposal)]


def test_a_part_of_a_number_becomes_the_whole() -> None:
    """No cell answers with the "28" of its "28,286"."""
    page = docqa.load(PAGE.replace(b"<td>14", b"<td>$ 28,286(a)"), media_type="text/html")
    whole = Passage(page.id, 0, Span(0, len(page.text)), page.text)
    start = page.text.index("28")
    (found,) = headed_spans(page, "Fees?", [AnswerSpan(whole, Span(start, start + 2), 1, 1, 0)])
    assert found.proposal.span.of(page.text) == "28,286"


SHIPS = b"""<table><tr><th>Ship<th>Crew<th>Built<tr><td>Petrel<td>14<td>1988
<tr><td>Gannet<td>21<td>1994<tr><td>Tern<td>6<td>2003</table>"""


def ships(question: str, *words: str) -> list[float]:
    """Return the relevance of words of a table of ships."""
    page = docqa.load(SHIPS, media_type="text/html")
    whole = Passage(page.id, 0, Span(0, len(page.text)), page.text)
    spans = [Span(page.text.index(word), page.text.index(word) + len(word)) for word in words]
    proposals = [AnswerSpan(whole, span, 1.0, 1.0, 0.0) for span in spans]
    return [each.relevance for each in headed_spans(page, question, proposals)]


def test_a_value_that_is_asked_for_tells_its_row() -> None:
    """Asked from the value to the row, the label beside the value comes first."""
    assert ships("Which ship was built in 1994?", "Petrel", "Gannet", "Tern") == [0.5, 1.0, 0.5]
    assert ships("Which one has a crew of 6?", "Petrel", "Gannet", "Tern") == [0.5, 0.5, 1.0]


def test_a_value_that_is_asked_for_leads_to_other_cells_of_its_row() -> None:
    """A cell is told by the value beside it and that value's header, not by its own words."""
    question = "How large is the crew of the ship built in 1994?"
    assert ships(question, "14", "21", "1994") == [1 / 3, 1.0, 1 / 3]


def test_a_line_of_contents_gives_its_own_number() -> None:
    """The title that the question names tells its page from those of other chapters."""
    lines = [("Scope", 3), ("Storage of oil", 14), ("Liability", 17)]
    text = docqa.load("\n".join(f"{t} {'.' * 20} {n}" for t, n in lines).encode(), name="a.txt")
    whole = Passage(text.id, 0, Span(0, len(text.text)), text.text)
    proposals = [
        AnswerSpan(whole, Span(start, start + 2), margin, margin, 0.0)
        for start, margin in ((text.text.index("14"), 5.0), (text.text.index("17"), 1.0))
    ]
    found = headed_spans(text, "On which page is liability?", proposals)
    assert [(each.relevance, each.proposal.margin) for each in found] == [(0.0, 5.0), (1.0, 5.0)]
