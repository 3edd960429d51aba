"""Measure the runtimes side by side on SQuAD v1.1 dev: EM, F1, other answers, passages a second.

    DOCQA_DATA=... python tests/benchmarks/runtimes.py [--limit N] [--model NAME] [--threads N]

Each question is asked of its own paragraph. The runtimes take turns: each reads the same slab of
questions before the next slab, in an order that rotates, so that what else the machine does falls
on all of them alike. Then windows are read by each, and the logits compared with torch's.
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from docqa.datamodel import Passage, Span
from docqa.evaluation.squad import exact_match, f1
from docqa.question_sets import read_question_set
from docqa.reader.models import load_reader
from docqa.reader.span_reader import SpanReader

_SLAB = 64
_RUNTIMES = ("torch", "float32"), ("onnx", "float32"), ("onnx", "int8")


@dataclass
class Lane:
    """The reader of one runtime, with its results."""

    name: str
    reader: SpanReader
    seconds: float = 0.0
    texts: list[str] = field(default_factory=list)
    off: list[float] = field(default_factory=list)


def main() -> None:
    """Print a line for each runtime."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--model", default="mini", help="name or folder of a DistilBERT reader")
    parser.add_argument("--original", metavar="FOLDER", help="the weights before they were packed")
    parser.add_argument("--only", nargs="+", choices=[" ".join(pair) for pair in _RUNTIMES])
    parser.add_argument("--limit", type=int, help="number of questions, drawn at random (seed 0)")
    parser.add_argument("--windows", type=int, default=200, help="whose logits are compared")
    parser.add_argument("--threads", type=int, help="of each runtime")
    given = parser.parse_args()
    if given.threads:
        os.environ["OMP_NUM_THREADS"] = str(given.threads)
    rows = _questions()
    if given.limit:
        rows = random.Random(0).sample(rows, min(given.limit, len(rows)))
    chosen = [pair for pair in _RUNTIMES if given.only is None or " ".join(pair) in given.only]
    lanes = [_lane(given.model, *runtime) for runtime in chosen]
    if given.original:
        lanes.append(_lane(given.original, *_RUNTIMES[0]))
        lanes[-1].name = "original"
    for number, first in enumerate(range(0, len(rows), _SLAB)):
        turn = number % len(lanes)
        for lane in (*lanes[turn:], *lanes[:turn]):
            _read(lane, rows[first : first + _SLAB])
        print(f"{len(lanes[0].texts)} of {len(rows)}", end="\r", file=sys.stderr)
    _compare_logits(lanes, rows[: given.windows])
    print(
        f"{given.model}: {len(rows)} questions, logits of {min(given.windows, len(rows))} windows"
    )
    print("runtime           EM     F1  other answers  passages/s  logits off: most   mean")
    for lane in lanes:
        print(_line(lane, lanes[0], rows))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10  # KiB on Linux
    print(f"peak memory of all together: {peak} MiB")


def _questions() -> list[dict[str, Any]]:
    if "DOCQA_DATA" not in os.environ:
        sys.exit("set DOCQA_DATA to the folder that holds dev/squad-dev-v1.1.json")
    asked = read_question_set(Path(os.environ["DOCQA_DATA"]) / "dev" / "squad-dev-v1.1.json")
    return [
        {
            "question": question.text,
            "passage": Passage("squad", 0, Span(0, len(paragraph.context)), paragraph.context),
            "golds": [gold.text for gold in question.golds],
        }
        for paragraph, question in asked.rows()
    ]


def _lane(model: str, runtime: Any, dtype: str) -> Lane:
    reader = load_reader(model, runtime=runtime, device="cpu", dtype=dtype)
    return Lane(f"{runtime} {dtype}", reader)


def _read(lane: Lane, rows: list[dict[str, Any]]) -> None:
    requests = [(row["question"], [row["passage"]]) for row in rows]
    if not lane.texts:
        lane.reader.read_all(requests[:4], top_k=1)  # warm-up
    started = time.perf_counter()
    results = lane.reader.read_all(requests, top_k=1)
    lane.seconds += time.perf_counter() - started
    for row, result in zip(rows, results, strict=True):
        spans = result.spans
        lane.texts.append(spans[0].span.of(row["passage"].text) if spans else "")


def _compare_logits(lanes: list[Lane], rows: list[dict[str, Any]]) -> None:
    requests = [(row["question"], [row["passage"]]) for row in rows]
    for reads in zip(*(lane.reader.logits(requests) for lane in lanes), strict=True):
        shown = reads[0].batch.attention_mask == 1
        for lane, read in zip(lanes, reads, strict=True):
            for name in ("start_logits", "end_logits"):
                off = np.abs(getattr(read, name) - getattr(reads[0], name))[shown]
                lane.off += off.tolist()


def _line(lane: Lane, first: Lane, rows: list[dict[str, Any]]) -> str:
    pairs = list(zip(lane.texts, rows, strict=True))
    exact = 100 * np.mean([exact_match(text, row["golds"]) for text, row in pairs])
    overlap = 100 * np.mean([f1(text, row["golds"]) for text, row in pairs])
    others = sum(one != other for one, other in zip(lane.texts, first.texts, strict=True))
    off = f"{max(lane.off):16.5f} {np.mean(lane.off):8.5f}"
    speed = len(rows) / lane.seconds
    return f"{lane.name:14} {exact:6.2f} {overlap:6.2f} {others:14} {speed:11.1f} {off}"


if __name__ == "__main__":
    main()
