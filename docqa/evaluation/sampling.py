"""Fewer questions, drawn at random; the documents stay whole."""

from __future__ import annotations

import random
from dataclasses import replace

from docqa.evaluation.page_questions import PageQuestions
from docqa.question_sets import QuestionSet

__all__ = ["draw", "draw_page_questions"]


def draw(question_set: QuestionSet, count: int, *, seed: int = 0) -> QuestionSet:
    """Return the set with at most `count` of its questions, in the file's order.

    Every paragraph stays, for it is part of its document whether or not it is asked about.
    """
    chosen = _chosen(len(question_set), count, seed)
    numbers = iter(range(len(question_set)))
    articles = tuple(
        replace(
            article,
            paragraphs=tuple(
                replace(
                    paragraph,
                    questions=tuple(row for row in paragraph.questions if next(numbers) in chosen),
                )
                for paragraph in article.paragraphs
            ),
        )
        for article in question_set.articles
    )
    return replace(question_set, articles=articles)


def draw_page_questions(questions: PageQuestions, count: int, *, seed: int = 0) -> PageQuestions:
    """Return at most `count` of the questions over files; files without any are dropped."""
    chosen = _chosen(len(questions), count, seed)
    numbers = iter(range(len(questions)))
    files = {
        path: tuple(row for row in rows if next(numbers) in chosen)
        for path, rows in questions.files.items()
    }
    return replace(questions, files={path: rows for path, rows in files.items() if rows})


def _chosen(total: int, count: int, seed: int) -> frozenset[int]:
    return frozenset(random.Random(seed).sample(range(total), min(count, total)))
