"""The contract: the words of hosted endpoints in, and the answers of docqa.compat out."""

from __future__ import annotations

import pytest

from docqa.errors import SettingError
from docqa.server.contract import parsed

QUESTIONS = ["What is my name?", "Where do I live?"]
CONTEXTS = ["My name is John and I live in Seattle.", "My name is Ravi and I live in Hyderabad."]
JOHN = {"score": 0.9, "start": 11, "end": 15, "answer": "John"}
HYDERABAD = {"score": 0.8, "start": 30, "end": 39, "answer": "Hyderabad"}


def answer_pairs(questions: list[str], contexts: list[str], top_k: int = 1) -> list[object]:
    """Answer as `docqa.compat` does: a list where there are several answers, or none."""
    known = dict(zip(CONTEXTS, [JOHN, HYDERABAD], strict=True))
    found = [known.get(each, []) for each in contexts]
    return [[each, each] if top_k > 1 and each else each for each in found]


def answers(record: object) -> object:
    return parsed(record).answer(answer_pairs)


def lists(count: int = 2, **more: object) -> dict[str, object]:
    inputs = {"question": QUESTIONS[:count], "context": CONTEXTS[:count]}
    return {"inputs": inputs, **more}


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        (lists(), [JOHN, HYDERABAD]),
        (lists(1), [JOHN]),
        (lists(0), []),
        (lists(params={"top_k": 2}), [[JOHN, JOHN], [HYDERABAD, HYDERABAD]]),
        (lists(1, parameters={"top_k": 2}), [[JOHN, JOHN]]),
        ({"inputs": {"question": QUESTIONS[0], "context": CONTEXTS[0]}}, JOHN),
        (
            {"inputs": {"question": "x", "context": CONTEXTS[0]}, "params": {"topk": 3}},
            [JOHN, JOHN],
        ),
        ({"input_data": {"question": QUESTIONS, "context": CONTEXTS}}, ["John", "Hyderabad"]),
        ({"input_data": {"question": QUESTIONS[0], "context": CONTEXTS[0]}}, ["John"]),
        (
            {"inputs": {"question": "x", "context": "no words"}},
            {"score": 0.0, "start": 0, "end": 0, "answer": ""},
        ),
    ],
)
def test_shapes_follow_the_request(record: object, expected: object) -> None:
    """Lists give a list, strings one object, the newer form words; in order of the questions."""
    assert answers(record) == expected


@pytest.mark.parametrize(
    ("record", "words"),
    [
        (3, "object"),
        ({}, '"inputs" or "input_data"'),
        ({**lists(), "input_data": {}}, "either"),
        ({**lists(), "data": 1}, "'data'"),
        ({"inputs": {"question": "a"}}, '"question" and "context"'),
        ({"inputs": {"question": "a", "context": ["b"]}}, "both"),
        ({"inputs": {"question": ["a", "b"], "context": ["c"]}}, "2 questions and 1 contexts"),
        ({"inputs": {"question": [1], "context": ["c"]}}, "strings"),
        (lists(params={"top_k": "2"}), "top_k is a whole number"),
        (lists(params={"top_k": True}), "top_k is a whole number"),
        (lists(params={"top_k": 10**9}), "up to 100"),
        (lists(params={"align_to_words": 1}), "true or false"),
        (lists(params=[]), "params"),
        (lists(params={}, parameters={}), "not both"),
    ],
)
def test_wrong_forms_are_named(record: object, words: str) -> None:
    """The message names the member that is wrong and the form that is right."""
    with pytest.raises(SettingError, match=words):
        answers(record)
