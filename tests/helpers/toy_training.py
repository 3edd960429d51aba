"""A toy question set, and what a run of training over it wrote."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from docqa.question_sets import Article, Gold, Paragraph, Question, QuestionSet

TINY: dict[str, Any] = {"window_tokens": 64, "window_overlap": 16, "max_question_tokens": 16}
CONTEXTS = [
    "My name is John and I live in Seattle.",
    "The company audits John. Who is in Seattle?",
    "I live in the company of John, and my name is Seattle.",
]
QUESTIONS = [
    ("What is my name?", "John", 0),
    ("Where do I live?", "Seattle", 0),
    ("Who audits the company?", "John", 1),
    ("Where do I live?", "the company of John", 2),
    ("What is my name?", "Seattle", 2),
]


def asked_of(contexts: list[str], rows: list[tuple[str, str, int]]) -> QuestionSet:
    """Return one article with a paragraph for each context."""
    paragraphs = []
    for number, context in enumerate(contexts):
        questions = [
            Question(f"q{at}", text, (Gold(gold, context.index(gold)),))
            for at, (text, gold, of) in enumerate(rows)
            if of == number
        ]
        paragraphs.append(Paragraph(context, tuple(questions)))
    return QuestionSet("toy", (Article("", tuple(paragraphs)),))


def written(path: Path, asked: QuestionSet, *more: dict[str, Any]) -> Path:
    """Write a question set in SQuAD form, with further rows under its first paragraph."""
    paragraphs = [
        {
            "context": paragraph.context,
            "qas": [
                {
                    "id": question.id,
                    "question": question.text,
                    "answers": [{"text": g.text, "answer_start": g.start} for g in question.golds],
                }
                for question in paragraph.questions
            ],
        }
        for paragraph in asked.articles[0].paragraphs
    ]
    paragraphs[0]["qas"] += more  # type: ignore[operator]
    path.write_text(json.dumps({"data": [{"paragraphs": paragraphs}]}), "utf-8")
    return path


def losses(folder: Path) -> list[tuple[int, float, float]]:
    """Return the step, the loss and the norm of the gradient of every step of a run."""
    lines = (folder / "log.jsonl").read_text().splitlines()
    rows = [json.loads(line) for line in lines]
    return [(row["step"], row["loss"], row["gradient_norm"]) for row in rows]
