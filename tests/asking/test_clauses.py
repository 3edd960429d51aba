"""Steps and duties as answers."""

from __future__ import annotations

import pytest

import docqa
from docqa.asking.clauses import with_clauses
from docqa.datamodel import AnswerSpan, AnswerSpans, Passage, Span
from docqa.passages.sentences import sentence_spans

LEASE = (
    "Rent\n1. The tenant shall paint the hall each spring; the landlord pays. "
    "The hall was built in 1931.\n2 Empty the tank of the stove.\n• Rinse it with water"
)


def grown(question: str, words: str, text: str = LEASE) -> str:
    """Return the answer that the reader's span `words` becomes."""
    borders = tuple(span.start for span in sentence_spans(text))
    passage = Passage("d", 0, Span(0, len(text)), text, borders=borders)
    at = text.index(words)
    span = AnswerSpan(passage, Span(at, at + len(words)), 2.0, 3.0, 1.0)
    (found,) = with_clauses(AnswerSpans(question, (span,), 1)).spans
    assert (found.margin, found.span_logit, found.no_answer_logit) == (2.0, 3.0, 1.0)
    return found.span.of(text)


@pytest.mark.parametrize(
    ("question", "words", "answer"),
    [
        (
            "What must the tenant do?",
            "paint",
            "The tenant shall paint the hall each spring; the landlord pays.",
        ),
        ("How do I clean the stove?", "tank", "Empty the tank of the stove."),
        ("How do I clean the stove?", "Rinse", "Rinse it with water"),
        ("What should be done?", "1931", "1931"),  # a fact tells nobody what to do
        ("Who must paint the hall?", "tenant", "tenant"),
    ],
)
def test_instructions_are_answers(question: str, words: str, answer: str) -> None:
    """The sentence or item that instructs answers a question about what to do, and no other."""
    assert grown(question, words) == answer


def test_a_long_sentence_gives_its_part() -> None:
    """A sentence of many parts is cut at its semicolons; a part that is too long stays out."""
    duties = "; ".join(["the tenant shall keep the garden of the house in order"] * 8)
    text = f"{duties}; the tenant shall sweep the stairs; {duties}."
    answer = "the tenant shall sweep the stairs"
    assert grown("What must the tenant do?", "sweep", text) == answer
    endless = text.replace(";", ",")
    assert grown("What must the tenant do?", "sweep", endless) == "sweep"


def test_the_row_stands_beside_an_answer_from_a_table() -> None:
    """The context of a cell is its row, in web pages and plain text."""
    page = b"<table><tr><th>Lamp<th>Oil</tr><tr><td>Heron<td>40 litres</tr></table>"
    for source, media_type, row in [
        (page, "text/html", "Heron\t40 litres"),
        (b"Oil of the lamps\nHeron  40  41\nSwan  30  31\n", "text/plain", "Heron  40  41"),
    ]:
        document = docqa.load(source, media_type=media_type)
        at = document.text.index("40")
        answer = docqa.cite(document, Span(at, at + 2))
        assert answer.context == row
        assert document.text[answer.context_start : answer.context_end] == row
