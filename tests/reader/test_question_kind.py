"""The kind of answer that a question asks for."""

from __future__ import annotations

import pytest

from docqa.reader.question_kind import QuestionKind, full_question, question_kind


@pytest.mark.parametrize(
    ("kind", "questions"),
    [
        ("label", ["Which section governs notices?", "On what page is Liability?"]),
        ("label", ["What is the title of the lease?", "What is the number of the clause on rent?"]),
        ("label", ["In what unit are the figures?", "Under which articles may it end?"]),
        ("why", ["Why was the Swan built?", "For what reason may the lease end?"]),
        ("how many", ["How many lamps burn?", "In 2020, how many people were employed?"]),
        ("how much", ["How much oil is burnt?", "What was the total price?", "How high is it?"]),
        ("how long", ["How long is the notice?", "For what period is it leased?"]),
        ("what to do", ["How do I clean the lamp?", "How can it be reset?", "how to reset it"]),
        ("what to do", ["What must the tenant do?", "What steps are to be taken?"]),
        ("what to do", ["Under what conditions may it end?", "What should be done at night?"]),
        ("who", ["Who audits the company?", "By whom was it signed?", "Which party pays?"]),
        ("when", ["When does the lease end?", "In which year was it built?"]),
        ("where", ["Where is the house?", "In which city does he live?"]),
        ("yes or no", ["Is the landlord Ned Carrow?", "May the tenant keep pets?"]),
        ("other", ["What colour is the door?", "What must the tenant pay?", "governing law", ""]),
    ],
)
def test_kinds(kind: QuestionKind, questions: list[str]) -> None:
    """The question's own words decide, wherever in it they stand."""
    assert {question: question_kind(question) for question in questions} == dict.fromkeys(
        questions, kind
    )


@pytest.mark.parametrize(
    ("keywords", "full"),
    [
        ("governing law", "What is the governing law?"),
        ("  water   tank capacity ", "What is the water tank capacity?"),
        ("The date of signing", "What is The date of signing?"),
    ],
)
def test_keywords_become_a_question(keywords: str, full: str) -> None:
    """A reader knows questions: of keywords it reads whole clauses, or nothing."""
    assert full_question(keywords) == full


@pytest.mark.parametrize(
    "asked",
    [
        "Who pays?",
        "who pays the fee",
        "turn off shutter sound",
        "is it waterproof",
        "list the ports",
        "the date on which the lease of the pump house ends",
        "",
        "law?",
    ],
)
def test_questions_and_requests_stay(asked: str) -> None:
    """Only a few words that are neither question nor request are completed."""
    assert full_question(asked) == asked
