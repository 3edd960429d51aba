"""Question sets: what is read, and what is named as broken."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from docqa.errors import QuestionSetError
from docqa.question_sets import Gold, read_question_set

CONTEXT = "Ada Lovelace was born in London."


def row(**changes: Any) -> dict[str, Any]:
    """Return a sound question, with changes."""
    answers = [{"text": "London", "answer_start": 25}]
    return {"id": "a", "question": "Where was she born?", "answers": answers} | changes


def written(folder: Path, *rows: Any, context: str = CONTEXT) -> Path:
    """Write a set of one paragraph."""
    path = folder / "asked.json"
    content = {"data": [{"title": "Ada", "paragraphs": [{"context": context, "qas": list(rows)}]}]}
    path.write_text(json.dumps(content), "utf-8")
    return path


def test_golds_stand_at_their_offsets(tmp_path: Path) -> None:
    """A sound row keeps its text and its place."""
    asked = read_question_set(written(tmp_path, row()))
    [(paragraph, question)] = asked.rows()
    assert asked.name == "asked"
    assert question.golds == (Gold("London", 25),)
    assert paragraph.context[25:31] == "London"
    assert question.answerable


def test_gzip_is_read(tmp_path: Path) -> None:
    """A gzipped file holds the same questions."""
    plain = written(tmp_path, row())
    packed = tmp_path / "asked.json.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    assert read_question_set(packed) == read_question_set(plain)


def test_impossible_questions_have_no_golds(tmp_path: Path) -> None:
    """What SQuAD v2.0 marks as impossible has no gold answer, only plausible ones beside it."""
    plausible = [{"text": "London", "answer_start": 25}]
    impossible = row(is_impossible=True, answers=[], plausible_answers=plausible)
    asked = read_question_set(written(tmp_path, impossible))
    assert [question.answerable for _, question in asked.rows()] == [False]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ({"data": []}, "can be used; give it articles with paragraphs"),
        ({"data": [{"paragraphs": []}]}, "can be used; give it articles with paragraphs"),
        ({"data": [3, 4]}, "can be used; the first of 2 faults: .*article 1: it has no list"),
    ],
)
def test_a_set_without_questions_is_refused(tmp_path: Path, content: Any, reason: str) -> None:
    """A file in the right form that holds no question says so, with its first fault if any."""
    path = tmp_path / "asked.json"
    path.write_text(json.dumps(content), "utf-8")
    with pytest.raises(QuestionSetError, match=reason):
        read_question_set(path)


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        (row(id="b", answers=[{"text": "London", "answer_start": 0}]), "is not at 0"),
        (row(id="b", answers=[{"text": "London", "answer_start": -7}]), "no answer_start"),
        (row(id="b", answers=[{"text": "London", "answer_start": True}]), "no answer_start"),
        (row(id="b", answers=[{"text": " ", "answer_start": 3}]), "answer is empty"),
        (row(id="b", answers=[]), "has no answers"),
        (row(id="b", is_impossible=True), "is_impossible and has answers"),
        (row(id="b", answers=["London"]), "answer is empty or no text"),
        (row(id="b", question=" "), "question is empty"),
        (row(id="b", question="Who \ud800?"), "half a character"),
        (row(id="a"), "occurs before"),
        ("b", "no object"),
    ],
)
def test_broken_rows_are_named_and_left_out(tmp_path: Path, broken: Any, reason: str) -> None:
    """A broken row is reported with file, id and reason, and the others stay."""
    path = written(tmp_path, row(), broken)
    asked = read_question_set(path)
    assert len(asked) == 1
    [bad] = asked.bad_rows
    assert reason in bad.reason
    assert bad.file == str(path)
    assert bad.id


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"{", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"[]", "not in SQuAD form"),
        (b'{"data": [{"paragraphs": [{"context": "", "qas": []}]}]}', "context is empty"),
        (b'{"data": [{}, 3]}', "no list of paragraphs"),
        (b"\x1f\x8b\x08", "damaged gzip"),
    ],
)
def test_unusable_files_say_why(tmp_path: Path, content: bytes, reason: str) -> None:
    """A file without one sound question is an error that names the fault."""
    path = tmp_path / "asked.json"
    path.write_bytes(content)
    with pytest.raises(QuestionSetError, match=reason):
        read_question_set(path)


@pytest.mark.parametrize(
    ("odd", "reason"), [("A \ud800", "half a character"), ("\ufeffA", "byte order mark")]
)
def test_a_context_that_would_not_load_as_it_is_is_named(
    tmp_path: Path, odd: str, reason: str
) -> None:
    """It costs its own paragraph; a title that is null is no title."""
    paragraphs = [{"context": text, "qas": [row(id=text, answers=[{"text": "A", "answer_start":
                   text.index("A")}])]} for text in ("A", odd)]  # fmt: skip
    path = tmp_path / "odd.json"
    path.write_text(json.dumps({"data": [{"title": None, "paragraphs": paragraphs}]}))
    asked = read_question_set(path)
    assert (len(asked), asked.articles[0].title) == (1, "")
    assert reason in asked.bad_rows[0].reason


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """The message holds the path."""
    with pytest.raises(QuestionSetError, match="there is no file"):
        read_question_set(tmp_path / "none.json")
