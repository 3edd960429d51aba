"""The shipped reader: its size, what it answers, and how little bfloat16 changes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import docqa.reader
from docqa.datamodel import Passage, Span
from docqa.reader.checkpoints import find_checkpoint, weights_layout, weights_revision
from docqa.reader.models import load_reader
from docqa.reader.span_reader import SpanReader

FOLDER = Path(docqa.reader.__file__).with_name("mini")

LIGHTHOUSE = (
    "The lighthouse on Gannet Rock was built in 1887 by the engineer Ada Fenwick. Its lamp burned "
    "40 litres of oil a week until the station was connected to the mainland's power grid in 1931. "
    "The keeper's house stands empty today and belongs to the harbour authority."
)


def passage(text: str) -> Passage:
    return Passage("d", 0, Span(0, len(text)), text)


def test_size() -> None:
    """The weights are at most 25 MB, and nothing else weighs anything."""
    sizes = {path.name: path.stat().st_size for path in FOLDER.iterdir()}
    assert sizes["model.safetensors"] <= 25_000_000
    assert sum(sizes.values()) <= 25_000_000
    packed = {"model.safetensors", "int8.onnx", "float32.onnx", "config.json", "tokenizer.json"}
    assert set(sizes) == packed | {"calibration.json", "README.md"}


def test_revision_names_the_weights() -> None:
    """The recorded revision is the hash of the weights that ship, which no start computes."""
    recorded = json.loads((FOLDER / "config.json").read_text("utf-8"))["docqa"]
    assert weights_revision(FOLDER / "model.safetensors") == recorded["revision"]
    assert weights_layout(FOLDER / "model.safetensors") == recorded["layout"]
    assert find_checkpoint("mini").revision == recorded["revision"]


def test_calibration_belongs_to_the_weights(mini: SpanReader) -> None:
    """The shipped calibration was fitted to the shipped weights, and no weight falls below 0."""
    assert mini.calibration is not None
    assert mini.calibration.revision == mini.revision
    assert min(mini.calibration.weights.values()) >= 0.0


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("When was the lighthouse built?", "1887"),
        ("Who built the lighthouse?", "Ada Fenwick"),
        ("How much oil did the lamp burn a week?", "40 litres"),
        ("Who owns the keeper's house?", "harbour authority"),
    ],
)
def test_answers(mini: SpanReader, question: str, answer: str) -> None:
    """Plain questions about a plain text are answered, above even odds."""
    best = mini.read(question, [passage(LIGHTHOUSE)], top_k=1).spans[0]
    assert answer in best.span.of(LIGHTHOUSE)
    assert best.score > 0.5


def test_no_answer(mini: SpanReader) -> None:
    """What the text does not say scores lower than what it says."""
    asked = "Who audits the company?", "When was the lighthouse built?"
    absent, present = (mini.read(q, [passage(LIGHTHOUSE)], top_k=1).spans[0] for q in asked)
    assert absent.score < present.score


def test_answer_at_the_end_of_a_long_passage(mini: SpanReader) -> None:
    """A passage of several windows is read to its end."""
    text = "The sea was calm and grey that day. " * 120 + "The captain's name was Orla Byrne."
    best = mini.read("What was the captain's name?", [passage(text)], top_k=1).spans[0]
    assert best.span.of(text) == "Orla Byrne"


def test_bfloat16_stays_near_float32(mini: SpanReader) -> None:
    """Computing in bfloat16 moves logits by less than the stated tolerance."""
    fast = load_reader("mini", device="cpu", dtype="bfloat16")
    request = [("When was the lighthouse built?", [passage(LIGHTHOUSE)])]
    (exact,), (near,) = list(mini.logits(request)), list(fast.logits(request))
    tolerance = fast.model.BFLOAT16_TOLERANCE  # type: ignore[attr-defined]
    np.testing.assert_allclose(near.start_logits, exact.start_logits, atol=tolerance)
    np.testing.assert_allclose(near.end_logits, exact.end_logits, atol=tolerance)


def test_answers_squad(mini: SpanReader, data_folder: Path) -> None:
    """Of 40 questions of SQuAD dev, most are answered with words of a gold answer."""
    articles = json.loads((data_folder / "dev" / "squad-dev-v1.1.json").read_text("utf-8"))["data"]
    rows = [
        (qa["question"], [passage(paragraph["context"])], [gold["text"] for gold in qa["answers"]])
        for article in articles[:40]
        for paragraph in article["paragraphs"][:1]
        for qa in paragraph["qas"][:1]
    ]
    results = mini.read_all([(question, passages) for question, passages, _ in rows], top_k=1)
    found = [result.spans[0].span.of(result.spans[0].passage.text) for result in results]
    right = [
        any(text in gold or gold in text for gold in golds)
        for text, (_, _, golds) in zip(found, rows, strict=True)
    ]
    assert sum(right) >= 28  # F1 is about 75 over all questions (docqa evaluate)
