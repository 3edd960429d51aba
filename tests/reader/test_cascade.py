"""The cascade: an independent oracle over fakes, limits, laziness, and the shipped readers."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import docqa.reader
from docqa.datamodel import AnswerSpan, AnswerSpans, Passage, Span
from docqa.errors import ModelIncompatibleError, QuestionError, SettingError
from docqa.protocols import BaseReader, Reader, StoringReader, Tokens
from docqa.reader.cascade_reader import CascadeReader
from docqa.reader.checkpoints import find_checkpoint, weights_layout, weights_revision
from docqa.reader.loaded_model import LaterModel
from docqa.reader.models import load_reader, load_span_reader
from docqa.reader.runtimes import starts_fast
from docqa.reader.span_reader import SpanReader
from docqa.reader.tokenizing import load_tokenizing
from docqa.testing import WhitespaceTokenizer

FOLDER = Path(docqa.reader.__file__).parent


class DrawnReader(BaseReader):
    """A reader whose spans are drawn by question, passage and a seed of its own."""

    def __init__(self, seed: int, *, fits: int = 100, max_words: int = 20) -> None:
        self.seed, self.max_passage_tokens, self.max_words = seed, fits, max_words
        self.name, self.revision, self.tokenizer = f"drawn-{seed}", str(seed), WhitespaceTokenizer()
        self.seen: list[tuple[str, Passage]] = []
        self.remembered: dict[str, Tokens] = {}

    def remember(self, tokens: dict[str, Tokens]) -> None:
        self.remembered |= tokens

    def read(self, question: str, passages: Sequence[Passage], *, top_k: int) -> AnswerSpans:
        if not question.split() or len(question.split()) > self.max_words:
            raise QuestionError("blank or too long")
        self.seen += [(question, passage) for passage in passages]
        found = [span for passage in passages for span in self.spans(question, passage)]
        found.sort(key=lambda span: span.order)
        return AnswerSpans(question, tuple(found[:top_k]), len(passages))

    def spans(self, question: str, passage: Passage) -> list[AnswerSpan]:
        drawn = random.Random(f"{self.seed} {question} {passage.text}")
        starts = drawn.sample(range(len(passage.text)), drawn.randint(0, 3))
        return [
            AnswerSpan(passage, Span(at, at + 1), drawn.choice([0.0, 1.0, drawn.random()]), 0, 0)
            for at in starts
        ]


def passages(count: int) -> list[Passage]:
    texts = [f"passage number {number} of them" for number in range(count)]
    return [Passage("d", at, Span(0, len(text)), text) for at, text in enumerate(texts)]


def oracle(
    first: DrawnReader, second: DrawnReader, question: str, given: Sequence[Passage], most: int
) -> list[AnswerSpan]:
    """Return the second reader's spans of everything, less those of passages not chosen."""
    if len(given) <= most:
        chosen = list(given)
    else:
        best = {
            passage.number: (2 * math.log(rank) - max(span.margin for span in spans), rank)
            for rank, passage in enumerate(given, start=1)
            if (spans := first.spans(question, passage))
        }
        numbers = sorted(best, key=lambda number: best[number])[:most]
        chosen = [passage for passage in given if passage.number in numbers]
    spans = [span for passage in given for span in second.spans(question, passage)]
    kept = [span for span in spans if span.passage in chosen]
    return sorted(kept, key=lambda span: span.order)


@pytest.mark.parametrize("most", [1, 2, 4, 9])
def test_equals_reading_everything_less_what_is_not_chosen(most: int) -> None:
    """Spans are the second reader's of the passages with the first one's best candidates."""
    first, second = DrawnReader(1), DrawnReader(2)
    reader = CascadeReader(first, second, passages_again=most, name="both")
    requests = [(f"question {size}", passages(size)) for size in (0, 1, 3, 4, 5, 8, 12)]
    found = reader.read_all(requests, top_k=50)
    for (question, given), spans in zip(requests, found, strict=True):
        assert list(spans.spans) == oracle(first, second, question, given, most)
        assert spans.passages_read == len(given)


def test_second_reads_no_more_than_it_must() -> None:
    """The second reader sees at most so many passages; the first none if all are read again."""
    first, second = DrawnReader(1), DrawnReader(2)
    reader = CascadeReader(first, second, passages_again=4, name="both")
    reader.read("a question", passages(4), top_k=1)
    assert (len(first.seen), len(second.seen)) == (0, 4)
    reader.read("a question", passages(12), top_k=1)
    assert len(first.seen) == 12
    assert len(second.seen) <= 8


def test_without_a_number_the_second_reads_everything() -> None:
    """With None, as on a GPU, the first reader reads nothing."""
    first, second = DrawnReader(1), DrawnReader(2)
    reader = CascadeReader(first, second, passages_again=None, name="both")
    found = reader.read("a question", passages(12), top_k=99)
    assert list(found.spans) == oracle(first, second, "a question", passages(12), 12)
    assert not first.seen


def test_smaller_limits_hold() -> None:
    """Passages fit both readers, and a question too long for either is refused."""
    for limits in ((20, 5, 100, 9), (100, 9, 20, 5)):
        first = DrawnReader(1, fits=limits[0], max_words=limits[1])
        second = DrawnReader(2, fits=limits[2], max_words=limits[3])
        reader = CascadeReader(first, second, passages_again=4, name="both")
        assert reader.max_passage_tokens == 20
        for refused in ("one two three four five six", " "):
            with pytest.raises(QuestionError):
                reader.check_question(refused)
            with pytest.raises(QuestionError):
                reader.read(refused, passages(3), top_k=1)
        reader.check_question("one two three four five")
    with pytest.raises(SettingError, match="at least 1"):
        CascadeReader(first, second, passages_again=0, name="both")


def test_stored_tokens_are_the_first_readers() -> None:
    """A collection's tokens go to the reader whose tokenizer made them."""
    first, second = DrawnReader(1), DrawnReader(2)
    reader = CascadeReader(first, second, passages_again=4, name="both")
    assert isinstance(reader, Reader)
    assert isinstance(reader, StoringReader)
    assert reader.tokenizer is first.tokenizer
    reader.remember({"text": None})  # type: ignore[dict-item]
    assert (first.remembered, second.remembered) == ({"text": None}, {})


def test_from_several_threads() -> None:
    """Threads get what one after another would."""
    reader = CascadeReader(DrawnReader(1), DrawnReader(2), passages_again=2, name="both")
    questions = [f"question {number}" for number in range(40)]
    expected = [reader.read(question, passages(9), top_k=5) for question in questions]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda each: reader.read(each, passages(9), top_k=5), questions))
    assert found == expected


def test_later_model_is_loaded_once() -> None:
    """The first pass loads it, in whichever thread, and none does so again."""
    loaded: list[int] = []

    class Model:
        runtime, device_type, number_format, max_tokens = "other", "cpu", "float32", 8

        def __call__(self, input_ids: int, attention_mask: int) -> tuple[int, int]:
            return input_ids, attention_mask

    def load() -> Model:
        loaded.append(1)
        return Model()

    model = LaterModel(load, number_format="int8", max_tokens=8)  # type: ignore[arg-type]
    assert (model.runtime, model.number_format, loaded) == ("onnx", "int8", [])
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(model, range(20), range(20))) == [(n, n) for n in range(20)]  # type: ignore[arg-type]
    assert (model.runtime, model.number_format, loaded) == ("other", "float32", [1])


def test_names_of_the_shipped() -> None:
    """The cascade's name and revision name both readers; both of its parts start fast."""
    parts = [find_checkpoint(name) for name in ("mini", "base")]
    cascade = find_checkpoint("cascade")
    assert cascade.parts == ("mini", "base")
    assert cascade.revision == "+".join(part.revision for part in parts)
    tokenizing = load_tokenizing("cascade")
    smallest = min(load_tokenizing(part.name).max_passage_tokens for part in parts)
    assert (tokenizing.name, tokenizing.max_passage_tokens) == ("cascade", smallest)
    assert tokenizing.tokenizer.fingerprint == load_tokenizing("mini").tokenizer.fingerprint  # type: ignore[attr-defined]
    with pytest.raises(ModelIncompatibleError, match="name one of them"):
        load_span_reader("cascade")


def test_base_belongs_together() -> None:
    """The revision is the hash of the weights, the graphs fit their layout, and all is small."""
    folder = FOLDER / "base"
    recorded = json.loads((folder / "config.json").read_text("utf-8"))["docqa"]
    assert weights_revision(folder / "model.safetensors") == recorded["revision"]
    assert weights_layout(folder / "model.safetensors") == recorded["layout"]
    assert recorded["no_answer"]
    assert sum(path.stat().st_size for path in folder.iterdir()) <= 62_000_000


@pytest.fixture(scope="module")
def shipped() -> dict[str, SpanReader | CascadeReader]:
    """Return the shipped readers on ONNX Runtime."""
    return {name: load_reader(name, runtime="onnx") for name in ("mini", "base", "cascade")}


LINES = (
    "The lighthouse on Gannet Rock was built in 1887 by the engineer Ada Fenwick.",
    "Its lamp burned 40 litres of oil a week until it was connected to the grid in 1931.",
    "The keeper's house stands empty today and belongs to the harbour authority.",
    "The ferry to the rock leaves at nine and comes back at four.",
    "Tickets cost twelve crowns for adults and five for children.",
    "Dogs stay on the leash in the gull colony from April to July.",
)


def test_shipped_reads_the_chosen_with_base(shipped: dict[str, SpanReader | CascadeReader]) -> None:
    """The answers are those of base over the three passages with mini's best spans."""
    mini, base, cascade = shipped.values()
    given = [Passage("d", at, Span(0, len(text)), text) for at, text in enumerate(LINES)]
    for question, answer in (
        ("Who built the lighthouse?", "Ada Fenwick"),
        ("How much do children pay?", "five"),
        ("When does the ferry come back?", "four"),
    ):
        best = [mini.read(question, [one], top_k=1).spans[0] for one in given]
        chosen = [span.passage for span in sorted(best, key=lambda span: span.order)[:3]]
        found = cascade.read(question, given, top_k=20)
        assert found.spans == base.read(question, chosen, top_k=20).spans
        assert found.spans[0].span.of(found.spans[0].passage.text) == answer
        assert found.passages_read == len(given)
    assert starts_fast("cascade", runtime="onnx", device="cpu", dtype=None)
