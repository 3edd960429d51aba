"""Measure reading on a GPU: tokens a second against plain products, and a long document read whole.

    python tests/benchmarks/gpu.py [--device cuda] [--dtype bfloat16] [--pages 300] [--tiny]

1. Tokens a second of each shape (random weights) in batches of windows of 176 tokens, passes
   started one ahead as a reader starts them, copies included. Beside it a plain matrix product in
   the same number format, of the sizes that the shape's layers have (the batch's tokens by each
   weight), and the pass's operations a second as a share of that product's.
2. A made document of --pages pages, every passage read for each question: seconds a question, warm
   (document split, its tokens made), and how much of it is the model's.

--tiny takes sizes that a CPU does in seconds: it shows that the script works, and nothing else.
Needs no data and no network.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Sequence

import numpy as np
import torch
from arithmetic import matrix_product_rate, pass_operations, wait_for
from machine import describe_machine
from made_document import MADE_QUESTIONS, make_pdf
from shapes import SHAPES, Shape, load_shape

import docqa
from docqa.reader.models import load_reader
from docqa.reader.span_reader import SpanReader

_WINDOW = 176  # question, specials and a passage of the usual size
_QUESTIONS = (*MADE_QUESTIONS, "How deep did the barometer fall?", "Which month had most fog?")


def main(arguments: Sequence[str] | None = None) -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--device", default="auto")
    parser.add_argument("--dtype")
    parser.add_argument("--pages", type=int, default=300)
    parser.add_argument("--batch-tokens", type=int, help="tokens of one pass")
    parser.add_argument("--tiny", action="store_true")
    given = parser.parse_args(arguments)
    machine = describe_machine()
    print(f"{', '.join([machine.processor, *machine.devices])}; {machine.versions}")
    names = ["minilm"] if given.tiny else ["minilm", "distilbert-base", "bert-base"]
    for name in names:
        reader = load_shape(name, device=given.device, dtype=given.dtype)
        tokens = given.batch_tokens or (2 * _WINDOW if given.tiny else reader.batch_tokens)
        print(throughput(reader, SHAPES[name], tokens, batches=2 if given.tiny else 30))
    reader = load_reader("mini", runtime="torch", device=given.device, dtype=given.dtype)
    print(whole_document(reader, 2 if given.tiny else given.pages))


def throughput(reader: SpanReader, shape: Shape, batch_tokens: int, batches: int) -> str:
    """Return a line: tokens a second, and the share of a plain product's rate."""
    model = reader.model
    rows = max(1, batch_tokens // _WINDOW)
    ids = np.random.default_rng(0).integers(1000, 20_000, (rows, _WINDOW))
    mask = np.ones_like(ids)
    model(ids, mask)  # warm-up

    def passes() -> None:
        waiting = model.start(ids, mask)
        for _ in range(batches - 1):
            following = model.start(ids, mask)
            waiting()
            waiting = following
        waiting()

    seconds = min(timed(passes, model.device) for _ in range(3)) / batches
    operations = pass_operations(shape.config, [_WINDOW] * rows)
    plain = plain_rate(shape, rows * _WINDOW, model.device, model.dtype)
    rate = operations / seconds
    return (
        f"{reader.name:15} {rows} x {_WINDOW} {model.dtype}: "
        f"{rows * _WINDOW / seconds:12,.0f} tokens/s, {rate / 1e12:7.3f} TFLOP/s, "
        f"plain product {plain / 1e12:7.3f} TFLOP/s, share {rate / plain:.0%}"
    )


def plain_rate(shape: Shape, tokens: int, device: torch.device, dtype: torch.dtype) -> float:
    """Return the operations a second of a layer's products done plainly, one after another."""
    width, inner = shape.width, shape.feed_forward
    products = (tokens, width, width), (tokens, width, inner), (tokens, inner, width)
    operations = seconds = 0.0
    for sizes, times in zip(products, (4, 1, 1), strict=True):
        count = 2.0 * times * sizes[0] * sizes[1] * sizes[2]
        operations += count
        seconds += count / matrix_product_rate(device, dtype, sizes=sizes, seconds=0.5)
    return operations / seconds


def whole_document(reader: SpanReader, pages: int) -> str:
    """Return a line: seconds a question of a document that is read whole, and the model's part."""
    device = reader.model.device
    pipeline = docqa.Pipeline(reader=reader, exhaustive=True)
    with docqa.load(make_pdf(pages), name="made.pdf") as document:
        passages = pipeline.passages(document)
        pipeline.ask(document, "What is this about?")  # makes the tokens of all passages
        whole, model = [], []
        for question in _QUESTIONS:
            whole.append(timed(lambda asked=question: pipeline.ask(document, asked), device))
            requests = [(question, passages)]
            model.append(timed(lambda made=requests: list(reader.logits(made)), device))
    seconds = statistics.median(whole)
    return (
        f"{pages} pages, {len(passages)} passages read whole with {reader.name}: "
        f"{seconds:.3f} s a question, {statistics.median(model):.3f} s of it the model's; "
        f"median of {len(_QUESTIONS)} questions"
    )


def timed(work: Callable[[], object], device: torch.device) -> float:
    """Return the seconds that some work takes, the device's included."""
    wait_for(device)
    started = time.perf_counter()
    work()
    wait_for(device)
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
