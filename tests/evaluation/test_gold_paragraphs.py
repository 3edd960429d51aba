"""The reader alone on gold paragraphs."""

from __future__ import annotations

import pytest

from docqa.evaluation.predictions import Prediction
from docqa.evaluation.reading import read_gold_paragraphs
from docqa.question_sets import Article, Gold, Paragraph, Question, QuestionSet
from docqa.testing import FakeReader

TEXTS = ("The firm is old. Ada Quill audits it.", "The lamp burns oil. Bo Rask lit it.")


def questions_of(text: str, *asked: str) -> Paragraph:
    gold = (Gold(text[:3], 0),)
    return Paragraph(text, tuple(Question(f"{text[:8]} {one}", one, gold) for one in asked))


SET = QuestionSet(
    "two",
    (
        Article(
            "one",
            (questions_of(TEXTS[0], "Who audits it?"), questions_of(TEXTS[1], "Who lit it?")),
        ),
    ),
)


def test_each_question_is_read_in_its_own_paragraph() -> None:
    """The words, where they start, and the reader's score."""
    first, second = read_gold_paragraphs(FakeReader(), SET)
    assert (first.text, second.text) == ("Ada Quill", "Bo Rask")
    assert TEXTS[0][first.start :].startswith("Ada Quill")
    assert 0.5 < second.score < 1.0


def test_progress_ends_at_the_number_of_questions() -> None:
    """The last call says that all are done."""
    told: list[tuple[int, int]] = []
    read_gold_paragraphs(FakeReader(), SET, progress=lambda *counts: told.append(counts))
    assert told[-1] == (2, 2)


def test_a_question_that_cannot_be_read_is_named() -> None:
    """It costs its own answer and no other."""
    long = questions_of(TEXTS[0], "Who audits it?", "Who is it that audits it?")
    made = QuestionSet("long", (Article("one", (long,)),))
    first, second = read_gold_paragraphs(FakeReader(max_question_tokens=3), made)
    assert (first.text, first.error) == ("Ada Quill", None)
    assert (second.text, second.start) == ("", None)
    assert "at most 3" in str(second.error)


@pytest.mark.parametrize("score", [0.0, 1.0])
def test_odds_are_finite(score: float) -> None:
    """Scores of 0 and 1 have odds that JSON can hold."""
    assert abs(Prediction("q", "word", 0, score).no_answer_odds) < 100
