"""A collection answers as the file alone does: the same words, scores and places."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from checkout import EXAMPLES

import docqa
from docqa.datamodel import Answer
from docqa.protocols import Reader

QUESTIONS = (
    "How much oil does the lamp burn a week?",
    "How many steps lead to the lamp?",
    "When was the tower built?",
    "How many visitors came in 2019?",
)


@pytest.fixture(scope="module")
def reader() -> Reader:
    """Return the shipped reader, as a pipeline loads it."""
    return docqa.load_reader("mini")


def comparable(answers: list[Answer]) -> list[Answer]:
    """Return answers without what tells where they were asked, numbers of them to five digits."""
    return [
        replace(
            answer,
            score=round(answer.score, 5),
            occurrences=tuple(
                replace(each, score=round(each.score, 5)) for each in answer.occurrences
            ),
            evidence=answer.evidence
            and replace(
                answer.evidence,
                relevance=round(answer.evidence.relevance, 5),
                odds=round(answer.evidence.odds, 5),
            ),
            document=replace(answer.document, source="", source_state=None),
            passage=replace(answer.passage, number=0),
            settings=None,
        )
        for answer in answers
    ]


@pytest.mark.slow
@pytest.mark.parametrize("isolate", [False, True])
@pytest.mark.parametrize(
    "name", ["handbook.pdf", "handbook.html", "handbook.docx", "handbook.epub", "notes.md"]
)
def test_answers_are_those_of_the_file(
    name: str, isolate: bool, tmp_path: Path, reader: Reader
) -> None:
    """Words, scores, evidence, context, occurrences and places are equal for every format."""
    pipeline = docqa.Pipeline(reader=reader, isolate=isolate, min_score=0.0)
    collection = docqa.Collection(tmp_path / "kb", pipeline=pipeline)
    collection.add(EXAMPLES / name)
    for question in QUESTIONS:
        # Of fewer than five passages a file's first two are not read on top.
        found = collection.ask(question, top_k=3, top_passages=4)
        read = found.coverage.passages_read
        alone = pipeline.ask(EXAMPLES / name, question, top_k=3, top_passages=max(1, read))
        assert comparable(found) == (comparable(alone) if read else [])
        assert {answer.document.source_state for answer in found} <= {"same"}


def test_cells_of_tables_answer_as_in_the_file(tmp_path: Path, reader: Reader) -> None:
    """The headers of a cell decide in a collection too, though no whole document is unpacked."""
    page = tmp_path / "report.html"
    rows = "".join(f"<tr><td>Line {n}</td><td>{n}10</td><td>{n}20</td></tr>" for n in range(1, 9))
    head = "<tr><th>Cost</th><th>2020</th><th>2021</th></tr>"
    page.write_text(f"<title>Costs</title><p>Costs by line.</p><table>{head}{rows}</table>")
    pipeline = docqa.Pipeline(reader=reader, min_score=0.0)
    collection = docqa.Collection(tmp_path / "kb", pipeline=pipeline)
    collection.add(page)
    for question in ("What did line 4 cost in 2021?", "What did line 7 cost in 2020?"):
        found, alone = collection.ask(question), pipeline.ask(page, question)
        assert comparable(found) == comparable(alone)
