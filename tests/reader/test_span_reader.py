"""The reader over a model whose logits are known."""

from __future__ import annotations

import itertools
import random
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from tokenizers import Tokenizer

from docqa.datamodel import AnswerSpans, Insertion, Passage, Span
from docqa.errors import ModelError, QuestionError, SettingError
from docqa.protocols import Reader
from docqa.reader.models import load_reader
from docqa.reader.span_reader import SpanReader
from docqa.reader.tokenizer import FastTokenizer

Ints, Floats = NDArray[np.int64], NDArray[np.float32]


class HashModel:
    """Give every token logits that depend on it and its question alone, in any batch."""

    def __init__(self) -> None:
        self.shapes: list[tuple[int, ...]] = []

    def __call__(self, input_ids: Ints, attention_mask: Ints) -> tuple[Floats, Floats]:
        self.shapes.append(input_ids.shape)
        seed = (input_ids * attention_mask)[:, 1:4].sum(axis=1, keepdims=True)
        starts = (input_ids * 37 + seed * 11) % 101 / 10 - 5
        ends = (input_ids * 53 + seed * 7) % 103 / 10 - 5
        return starts.astype(np.float32), ends.astype(np.float32)


class ConstantModel:
    """Give the same logits everywhere, or what `value` says."""

    def __init__(self, value: float) -> None:
        self.value = value

    def __call__(self, input_ids: Ints, attention_mask: Ints) -> tuple[Floats, Floats]:
        logits = np.full(input_ids.shape, self.value, dtype=np.float32)
        return logits, logits


@pytest.fixture
def make(checkpoint: Callable[[str], Path]) -> Callable[..., SpanReader]:
    """Return a function that makes a small reader over a model."""

    def reader(model: object = None, **sizes: object) -> SpanReader:
        backend = Tokenizer.from_file(str(checkpoint("bert") / "tokenizer.json"))
        small = {"window_tokens": 40, "window_overlap": 8, "max_question_tokens": 10}
        chosen = {"no_answer": True, "max_answer_tokens": 6, **small, **sizes}
        tokenizer = FastTokenizer(backend)
        return SpanReader(model or HashModel(), tokenizer, name="toy", **chosen)  # type: ignore[arg-type]

    return reader


def passage(text: str, number: int = 0, document_id: str = "d") -> Passage:
    return Passage(document_id, number, Span(0, len(text)), text)


WORDS = ["john", "seattle", "company", "the", "in", "live", "name", "my", ".", ","]
texts = st.lists(st.sampled_from(WORDS), max_size=70).map(" ".join)
insertable = st.tuples(st.integers(0, 300), st.sampled_from(WORDS))
questions = st.sampled_from(["who is john ?", "where do i live", "what is the name of my company"])


def outcome(result: AnswerSpans) -> list[tuple[int, Span, float]]:
    return [(s.passage.number, s.span, round(s.span_logit, 4)) for s in result.spans]


def test_is_a_reader(make: Callable[..., SpanReader]) -> None:
    """The class keeps the protocol and tells how long a passage may be."""
    reader = make()
    assert isinstance(reader, Reader)
    assert reader.max_passage_tokens == 40 - 3 - 10


@given(st.lists(texts, max_size=5), questions, st.integers(1, 4))
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_spans_are_sound(
    make: Callable[..., SpanReader], drawn: list[str], question: str, top_k: int
) -> None:
    """Spans lie in their passage, hold no outer white space, do not overlap, and fall in score."""
    passages = [passage(text, number) for number, text in enumerate(drawn)]
    result = make().read(question, passages, top_k=top_k)
    assert len(result.spans) <= top_k
    assert result.passages_read == len(passages)
    scores = [span.score for span in result.spans]
    assert scores == sorted(scores, reverse=True)
    for span in result.spans:
        words = span.span.of(span.passage.text)
        assert words == words.strip() != ""
        assert span.margin == span.span_logit - span.no_answer_logit
    for one, other in itertools.combinations(result.spans, 2):
        assert one.passage != other.passage or not one.span.overlaps(other.span)


@given(texts, st.sets(st.integers(0, 300)), questions)
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_no_span_crosses_a_border(
    make: Callable[..., SpanReader], text: str, drawn: set[int], question: str
) -> None:
    """Borders bound answers, in passages of several windows too."""
    words = [match.start() for match in re.finditer(r"\S+", text)]
    borders = tuple(start for start in words if start in drawn)
    bounded = Passage("d", 0, Span(0, len(text)), text, borders=borders)
    for found in make().read(question, [bounded], top_k=9).spans:
        assert not any(found.span.start < border < found.span.end for border in borders)


@given(
    texts, st.lists(st.tuples(st.integers(0, 300), st.sampled_from(WORDS)), max_size=5), questions
)
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_no_answer_touches_an_insertion(
    make: Callable[..., SpanReader], text: str, drawn: list[tuple[int, str]], question: str
) -> None:
    """Inserted words are read but are no answers, and no answer reaches over them."""
    words = [match.start() for match in re.finditer(r"\S+", text)]
    inserted = tuple(Insertion(at, f"{word} ") for at, word in sorted(drawn) if at in words)
    whole = Passage("d", 0, Span(0, len(text)), text, insertions=inserted)
    for found in make().read(question, [whole], top_k=9).spans:
        words_of = found.span.of(text)
        assert words_of == words_of.strip() != ""
        assert not any(found.span.start < each.position < found.span.end for each in inserted)


@given(st.lists(texts, max_size=6), st.lists(questions, min_size=1, max_size=3), st.integers(0, 99))
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_batches_change_nothing(
    make: Callable[..., SpanReader], drawn: list[str], asked: list[str], seed: int
) -> None:
    """Reading together in any batches and order equals reading one question at a time."""
    passages = [passage(text, number) for number, text in enumerate(drawn)]
    shuffled = random.Random(seed).sample(passages, len(passages))
    alone = [make(batch_tokens=1).read(question, passages, top_k=3) for question in asked]
    together = make(batch_tokens=500).read_all([(q, shuffled) for q in asked], top_k=3)
    assert [outcome(one) for one in together] == [outcome(one) for one in alone]


def test_long_passage_gives_one_answer_per_place(make: Callable[..., SpanReader]) -> None:
    """What two overlapping windows see alike is one span; both ends of the passage are read."""
    text = " ".join(["john live in seattle ."] * 20)
    result = make(max_answer_tokens=1).read("where do i live", [passage(text)], top_k=200)
    starts = [span.span.start for span in result.spans]
    assert len(set(starts)) == len(starts)
    assert min(starts) < 10
    assert max(starts) > text.rindex("john")


def test_ties_go_by_document_passage_and_place(make: Callable[..., SpanReader]) -> None:
    """Equal margins are ordered by document id, passage number and start."""
    passages = [passage("john", 1, "b"), passage("john live my", 0, "b"), passage("john", 7, "a")]
    result = make(ConstantModel(1.0), max_answer_tokens=1).read("who ?", passages, top_k=9)
    places = [(s.passage.document_id, s.passage.number, s.span.start) for s in result.spans]
    assert places == [("a", 7, 0), ("b", 0, 0), ("b", 0, 10), ("b", 1, 0)]


def test_without_no_answer_the_span_logit_decides(make: Callable[..., SpanReader]) -> None:
    """A model that never saw unanswerable questions is scored by its span alone."""
    read = {
        flag: make(ConstantModel(1.5), no_answer=flag).read("who ?", [passage("john")], top_k=1)
        for flag in (True, False)
    }
    assert [read[flag].spans[0].margin for flag in (True, False)] == [0.0, 3.0]


@pytest.mark.parametrize("question", ["", " \n", "\u00a0", "\x00"])
def test_blank_question(make: Callable[..., SpanReader], question: str) -> None:
    """A question without anything to read is an error, with or without passages."""
    with pytest.raises(QuestionError, match="blank"):
        make().read(question, [], top_k=1)


def test_long_question_is_never_cut(make: Callable[..., SpanReader]) -> None:
    """A question over the limit is an error that counts its tokens."""
    with pytest.raises(QuestionError, match="has 11 tokens and the reader takes at most 10"):
        make().read("who " * 11, [passage("john")], top_k=1)
    assert make().read("who " * 10, [passage("john")], top_k=1).spans


@pytest.mark.parametrize("text", ["", " \n\t "])
def test_empty_passage_proposes_nothing(make: Callable[..., SpanReader], text: str) -> None:
    """A passage without words is read and gives no span."""
    result = make().read("who ?", [passage(text)], top_k=1)
    assert (result.spans, result.passages_read) == ((), 1)


def test_no_requests(make: Callable[..., SpanReader]) -> None:
    """Nothing asked, nothing answered."""
    assert make().read_all([], top_k=1) == []


@pytest.mark.parametrize(
    "sizes",
    [
        {"window_tokens": 12},
        {"window_overlap": 27},
        {"max_answer_tokens": 0},
        {"batch_tokens": 0},
        {"cache_tokens": -1},
    ],
)
def test_sizes_are_checked(make: Callable[..., SpanReader], sizes: dict[str, int]) -> None:
    """Settings that cannot work are errors at once."""
    with pytest.raises(SettingError):
        make(**sizes)


def test_top_k_is_checked(make: Callable[..., SpanReader]) -> None:
    """Asking for no answers is a mistake."""
    with pytest.raises(SettingError, match="top_k"):
        make().read("who ?", [], top_k=0)


def test_logits_that_are_no_numbers(make: Callable[..., SpanReader]) -> None:
    """Damaged weights are an error, not an answer."""
    with pytest.raises(ModelError, match="not all numbers"):
        make(ConstantModel(float("nan"))).read("who ?", [passage("john")], top_k=1)


def test_windows_are_batched_by_length(make: Callable[..., SpanReader]) -> None:
    """Short and long passages do not share a batch when the batch is big enough."""
    model = HashModel()
    words = enumerate(["john ", "john ", "live ", "live "])
    passages = [passage(word * (2 if i % 2 else 20), i) for i, word in words]
    make(model, batch_tokens=60).read("who ?", passages, top_k=1)
    assert model.shapes == [(2, 25), (2, 7)]


@given(st.lists(texts, max_size=4), st.lists(questions, min_size=1, max_size=3), st.integers(0, 99))
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_copies_are_read_once(
    make: Callable[..., SpanReader], drawn: list[str], asked: list[str], seed: int
) -> None:
    """The same words in several documents, with any borders, cost one pass and answer as alone."""
    borders = random.Random(seed).choices([(), (5,), (12,)], k=3 * len(drawn))
    copies = [
        Passage(document, number, Span(0, len(text)), text, borders=borders.pop())
        for document in "abc"
        for number, text in enumerate(drawn)
    ]
    requests = [(question, [copy]) for question in asked for copy in copies]
    model = HashModel()
    together = make(model, batch_tokens=100).read_all(requests, top_k=3)
    alone = [make().read(*request, top_k=3) for request in requests]
    assert [outcome(one) for one in together] == [outcome(one) for one in alone]
    windows = {(w.question.tobytes(), w.shown.tobytes()) for w in make().windows(requests)}
    assert sum(rows for rows, _ in model.shapes) == len(windows)


@pytest.mark.parametrize("architecture", ["distilbert", "bert", "roberta", "modernbert"])
def test_real_models_do_not_depend_on_batches(
    checkpoint: Callable[[str], Path], architecture: str
) -> None:
    """Padding and company in a batch change logits by no more than float rounding."""
    folder = checkpoint(architecture)
    drawn = [" ".join(random.Random(n).choices(WORDS, k=3 * n)) for n in range(1, 12)]
    passages = [passage(text, number) for number, text in enumerate(drawn)]
    one, many = (
        load_reader(folder, device="cpu", batch_tokens=size).read(
            "who is john ?", passages, top_k=5
        )
        for size in (1, 4096)
    )
    assert [s.span for s in one.spans] == [s.span for s in many.spans]
    np.testing.assert_allclose(
        [s.span_logit for s in one.spans], [s.span_logit for s in many.spans], atol=1e-4
    )
