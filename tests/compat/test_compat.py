"""The call of the pipeline that transformers removed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from docqa.compat import QuestionAnsweringPipeline, pipeline
from docqa.errors import ModelNotFoundError, QuestionError, SettingError

JOHN = "My name is John and I live in Seattle."
RAVI = "My name is Ravi and I live in Hyderabad."


@pytest.fixture(scope="module")
def qa() -> QuestionAnsweringPipeline:
    """Return the pipeline over the shipped reader."""
    return pipeline("question-answering", device=-1)


def test_reference_pair(qa: QuestionAnsweringPipeline) -> None:
    """The two questions of the pipeline's documentation get their answers and places."""
    results = qa(question=["What is my name?", "Where do I live?"], context=[JOHN, RAVI])
    found = [(r["answer"], r["start"], r["end"]) for r in results]  # type: ignore[call-overload,index]
    assert found == [("John", 11, 15), ("Hyderabad", 30, 39)]


def test_every_form_of_input(qa: QuestionAnsweringPipeline) -> None:
    """Keywords, a mapping, lists and plain strings all ask the same."""
    question = "Where do I live?"
    row = {"question": question, "context": RAVI}
    one = qa(question=question, context=RAVI)
    assert isinstance(one, dict)
    assert list(one) == ["score", "start", "end", "answer"]
    for alike in (qa(row), qa([row]), qa(question, RAVI), qa(data=row), qa(X=[row])):
        assert alike == one
    for several in (qa([row, row]), qa(row, row), qa(question=[question] * 2, context=RAVI)):
        assert several == [one, one]


def test_top_k(qa: QuestionAnsweringPipeline) -> None:
    """Several answers come as a list, best first, at different places."""
    results: Any = qa(question="Where do I live?", context=JOHN + " " + RAVI, top_k=4)
    scores = [result["score"] for result in results]
    assert len(results) == 4
    assert scores[0] <= 1 and scores == sorted(scores, reverse=True)  # noqa: PT018
    assert {"Seattle", "Hyderabad"} <= {result["answer"] for result in results}


def test_impossible_answer_competes(qa: QuestionAnsweringPipeline) -> None:
    """The empty answer wins where the context does not say, and only when it may."""
    asked = {"question": "Which queen ruled the sea?", "context": RAVI}
    refused: Any = qa(asked, handle_impossible_answer=True)
    assert (refused["answer"], refused["start"], refused["end"]) == ("", 0, 0)
    forced: Any = qa(asked)
    assert forced["answer"] == RAVI[forced["start"] : forced["end"]] != ""


def test_settings_given_once_hold(qa: QuestionAnsweringPipeline) -> None:
    """Settings of the factory are defaults of the call."""
    ready = pipeline("question-answering", device="cpu", top_k=2)
    assert len(ready(question="What is my name?", context=JOHN)) == 2
    assert isinstance(ready(question="What is my name?", context=JOHN, top_k=1), dict)


def test_long_context(qa: QuestionAnsweringPipeline) -> None:
    """A context of many windows is read to its end."""
    context = "The sea was calm and grey. " * 60 + RAVI
    result: Any = qa(question="Where do I live?", context=context, max_seq_len=64, doc_stride=16)
    assert result["answer"] == "Hyderabad"
    assert result["start"] == context.index("Hyderabad")


def test_answers_end_with_words(checkpoint: Callable[[str], Path]) -> None:
    """Answers of a byte tokenizer are widened to words, unless told otherwise."""
    ready = pipeline(model=str(checkpoint("roberta")), device="cpu", max_answer_len=3)
    aligned, exact = (
        ready(question="who ?", context="seattle company", align_to_words=flag)
        for flag in (True, False)
    )
    assert aligned["answer"] in ("seattle", "company", "seattle company")  # type: ignore[call-overload]
    assert len(exact["answer"]) <= 3  # type: ignore[call-overload]


def test_score_is_the_removed_pipelines(checkpoint: Callable[[str], Path]) -> None:
    """The score is softmax(start) times softmax(end) over the context and the first token."""
    import torch
    from tokenizers import Tokenizer
    from transformers import AutoModelForQuestionAnswering

    folder = checkpoint("distilbert")
    ready = pipeline(model=str(folder), device="cpu", align_to_words=False)
    result: Any = ready(question="who ?", context="john")
    ids = Tokenizer.from_file(str(folder / "tokenizer.json")).encode("who ?", "john").ids
    module = AutoModelForQuestionAnswering.from_pretrained(folder).eval()
    with torch.inference_mode():
        output = module(torch.tensor([ids]))
    columns = [0, len(ids) - 2]
    expected = np.prod(
        [
            torch.softmax(logits[0, columns], 0)[1].item()
            for logits in (output.start_logits, output.end_logits)
        ]
    )
    assert result["score"] == pytest.approx(expected, rel=1e-4)


def test_model_and_tokenizer_objects(checkpoint: Callable[[str], Path]) -> None:
    """A loaded model with its fast tokenizer gives what its folder gives."""
    from transformers import AutoModelForQuestionAnswering, PreTrainedTokenizerFast

    folder = checkpoint("bert")
    model = AutoModelForQuestionAnswering.from_pretrained(folder)
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_file=str(folder / "tokenizer.json"), pad_token="[PAD]"
    )
    asked = {"question": "who is john ?", "context": "my name is john ."}
    by_object: Any = pipeline("question-answering", model=model, tokenizer=tokenizer)(asked)
    by_name: Any = pipeline("question-answering", model=str(folder), device="cpu")(asked)
    assert by_object == {**by_name, "score": pytest.approx(by_name["score"], rel=1e-5)}


def test_mistakes_are_named(qa: QuestionAnsweringPipeline) -> None:
    """Other tasks, unknown settings and incomplete input are errors with a message."""
    with pytest.raises(SettingError, match="text-generation"):
        pipeline("text-generation")
    with pytest.raises(SettingError, match="no setting 'topp'"):
        qa(question="who?", context=JOHN, topp=3)
    for settings in ({"top_k": 0}, {"max_seq_len": 9999}, {"doc_stride": -1}):
        with pytest.raises(SettingError):
            qa(question="who?", context=JOHN, **settings)
    for inputs in ((), ({"question": "who?"},), ("a", "b", "c")):
        with pytest.raises(SettingError):
            qa(*inputs)
    with pytest.raises(SettingError, match="one for each question"):
        qa(question=["who?", "what?"], context=[JOHN])


def test_empty_and_long_questions(qa: QuestionAnsweringPipeline) -> None:
    """Empty input and a question without room are errors; a long question with room is read."""
    with pytest.raises(QuestionError):
        qa(question=" ", context=JOHN)
    with pytest.raises(SettingError, match="context"):
        qa(question="who?", context="")
    with pytest.raises(QuestionError, match="300 tokens"):
        qa(question="who " * 300, context=JOHN)
    assert qa(question="who " * 99 + "am I?", context=JOHN)


def test_tokenizers_that_cannot_be_had(
    checkpoint: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A model object without tokenizer, and a tokenizer that is nowhere, are clear errors."""
    from transformers import AutoModelForQuestionAnswering

    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    model = AutoModelForQuestionAnswering.from_pretrained(checkpoint("bert"))
    with pytest.raises(SettingError, match="fast tokenizer"):
        pipeline(model=model)
    with pytest.raises(ModelNotFoundError, match="no tokenizer"):
        pipeline(model=str(checkpoint("bert")), tokenizer="owner/nothing", device="cpu")
