"""Measure the reader on the gold paragraphs of SQuAD v1.1: exact match and F1.

    DOCQA_DATA=... python tests/benchmarks/reader_squad.py [--limit N] [--model NAME]

Each question is asked of its own paragraph as one passage, windows of 384 tokens with an overlap
of 128, answers of at most 30 tokens, no threshold. EM and F1 follow the official rules.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from docqa.datamodel import Passage, Span
from docqa.evaluation.squad import exact_match, f1
from docqa.reader.models import load_reader
from docqa.reader.span_reader import SpanReader

_SLAB = 1024  # questions asked at a time, so that progress shows


def main() -> None:
    """Print one line of figures."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--model", default="mini", help="name or path of a reader")
    parser.add_argument("--limit", type=int, help="so many questions, drawn at random (seed 0)")
    parser.add_argument("--dtype", help="float32, bfloat16 or float16")
    parser.add_argument("--device", default="auto")
    given = parser.parse_args()
    rows = list(questions(data_folder() / "dev" / "squad-dev-v1.1.json"))
    if given.limit:
        rows = random.Random(0).sample(rows, min(given.limit, len(rows)))
    reader = load_reader(given.model, device=given.device, dtype=given.dtype)
    started = time.perf_counter()
    predictions = _read(reader, rows)
    seconds = time.perf_counter() - started
    pairs = list(zip(predictions, rows, strict=True))
    exact = sum(exact_match(text, row["golds"]) for text, row in pairs)
    overlap = sum(f1(text, row["golds"]) for text, row in pairs)
    print(
        f"{given.model}: {len(rows)} questions, EM {100 * exact / len(rows):.2f}, "
        f"F1 {100 * overlap / len(rows):.2f}, {len(rows) / seconds:.1f} questions a second"
    )


def data_folder() -> Path:
    """Return the folder of the development data, or leave with a line that says what to set."""
    if "DOCQA_DATA" not in os.environ:
        sys.exit("set DOCQA_DATA to the folder that holds dev/squad-dev-v1.1.json")
    return Path(os.environ["DOCQA_DATA"])


def questions(path: Path) -> Iterator[dict[str, Any]]:
    """Yield each question with its paragraph as a passage and its gold answers."""
    for article in json.loads(path.read_text("utf-8"))["data"]:
        for paragraph in article["paragraphs"]:
            text = paragraph["context"]
            passage = Passage("squad", 0, Span(0, len(text)), text)
            for row in paragraph["qas"]:
                golds = [answer["text"] for answer in row["answers"]]
                yield {"question": row["question"], "passage": passage, "golds": golds}


def _read(reader: SpanReader, rows: list[dict[str, Any]]) -> list[str]:
    texts: list[str] = []
    for first in range(0, len(rows), _SLAB):
        asked = rows[first : first + _SLAB]
        results = reader.read_all([(row["question"], [row["passage"]]) for row in asked], top_k=1)
        for row, result in zip(asked, results, strict=True):
            spans = result.spans
            texts.append(spans[0].span.of(row["passage"].text) if spans else "")
        print(f"{len(texts)} of {len(rows)}", end="\r", file=sys.stderr)
    return texts


if __name__ == "__main__":
    main()
