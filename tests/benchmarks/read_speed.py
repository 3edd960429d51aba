"""Measure reading against the plain way with the same weights, in one run.

    DOCQA_DATA=... python tests/benchmarks/read_speed.py [--pairs N] [--model FOLDER]

The plain way is transformers' DistilBertForQuestionAnswering, one pair of question and paragraph at
a time, padded to 384 tokens, the best span chosen from all of the window. Pairs are questions of
SQuAD v1.1 dev with their paragraphs, drawn at random (seed 0); those over 384 tokens are left out,
since the plain way would cut them. The first pairs of either way are warm-up and not timed.
"""

from __future__ import annotations

import argparse
import random
import time
from typing import Any

import numpy as np
import torch
from end_to_end import data_file

from docqa.datamodel import Passage, Span
from docqa.question_sets import read_question_set
from docqa.reader.checkpoints import find_checkpoint
from docqa.reader.models import load_reader
from docqa.reader.quantized import is_quantized, read_weights
from docqa.reader.span_reader import SpanReader

_WINDOW, _ANSWER, _WARM_UP = 384, 30, 4


def main() -> None:
    """Print pairs a second of both ways, their ratio, and how many answers are equal."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--pairs", type=int, default=100)
    parser.add_argument("--model", default="mini", help="name or folder of a DistilBERT reader")
    parser.add_argument("--batch-tokens", type=int)
    given = parser.parse_args()
    reader = load_reader(given.model, device="cpu", batch_tokens=given.batch_tokens)
    rows = _pairs(reader, given.pairs + _WARM_UP)
    plain = _PlainWay(given.model)
    for row in rows[:_WARM_UP]:
        plain(row)
        reader.read(row["question"], [row["passage"]], top_k=1)
    rows = rows[_WARM_UP:]
    started = time.perf_counter()
    slow = [plain(row) for row in rows]
    middle = time.perf_counter()
    results = reader.read_all([(row["question"], [row["passage"]]) for row in rows], top_k=1)
    ended = time.perf_counter()
    fast = [(result.spans[0].span.start, result.spans[0].span.end) for result in results]
    equal = sum(one == other for one, other in zip(slow, fast, strict=True))
    seconds = middle - started, ended - middle
    print(f"{len(rows)} pairs, {torch.get_num_threads()} threads")
    print(f"plain way: {len(rows) / seconds[0]:6.1f} pairs a second")
    print(f"docqa:     {len(rows) / seconds[1]:6.1f} pairs a second")
    print(f"ratio: {seconds[0] / seconds[1]:.2f}, equal answers: {equal} of {len(rows)}")


def _pairs(reader: SpanReader, count: int) -> list[dict[str, Any]]:
    rows = [
        {
            "question": question.text,
            "passage": Passage("squad", 0, Span(0, len(paragraph.context)), paragraph.context),
        }
        for paragraph, question in read_question_set(data_file("squad")).rows()
    ]
    fit = (row for row in random.Random(0).sample(rows, len(rows)) if _fits(reader, row))
    return [row for row, _ in zip(fit, range(count), strict=False)]


def _fits(reader: SpanReader, row: dict[str, Any]) -> bool:
    parts = reader.tokenizer.encode([row["question"], row["passage"].text])
    return sum(map(len, parts)) + reader.tokenizer.template.n_special <= _WINDOW


class _PlainWay:
    """Read one pair at a time with transformers alone."""

    def __init__(self, name: str) -> None:
        from transformers import DistilBertConfig, DistilBertForQuestionAnswering
        from transformers import PreTrainedTokenizerFast as Fast

        found = find_checkpoint(name)
        folder, weights = found.folder, None
        if is_quantized(found.weights):
            folder, weights = None, read_weights(found.weights)
        config = DistilBertConfig.from_pretrained(found.folder)
        self.model = DistilBertForQuestionAnswering.from_pretrained(
            folder, config=config, state_dict=weights, dtype=torch.float32
        ).eval()
        self.tokenizer = Fast(
            tokenizer_file=str(found.folder / "tokenizer.json"), pad_token="[PAD]"
        )

    def __call__(self, row: dict[str, Any]) -> tuple[int, int]:
        """Return start and end of the answer in characters of the paragraph."""
        text = row["passage"].text
        encoding = self.tokenizer(
            row["question"],
            text,
            padding="max_length",
            truncation="only_second",
            max_length=_WINDOW,
            return_offsets_mapping=True,
            return_tensors="pt",
        )
        with torch.inference_mode():
            output = self.model(
                input_ids=encoding["input_ids"], attention_mask=encoding["attention_mask"]
            )
        outside = np.array([owner != 1 for owner in encoding.sequence_ids(0)])
        starts, ends = (
            np.where(outside, -np.inf, logits[0].numpy())
            for logits in (output.start_logits, output.end_logits)
        )
        spans = np.tril(np.triu(np.ones((_WINDOW, _WINDOW), dtype=bool)), _ANSWER - 1)
        scores = np.where(spans, starts[:, None] + ends[None, :], -np.inf)
        first, last = np.unravel_index(scores.argmax(), scores.shape)
        offsets = encoding["offset_mapping"][0]
        return int(offsets[first][0]), int(offsets[last][1])


if __name__ == "__main__":
    main()
