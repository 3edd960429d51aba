"""Measure the stages of asking, and readers, runtimes and shapes side by side.

    OMP_NUM_THREADS=1 python tests/benchmarks/stages.py [FILE] [QUESTION]... [--rounds 3]
        [--pages 100] [--reader NAME|PATH|SHAPE[:RUNTIME[:DTYPE]]]... [--device auto]

Without FILE a PDF is made. Load, split, index and rank are timed by themselves. Then every reader
reads the same passages for the same questions in every round, in turning order; ratios are taken
within a round, so that noise hits all alike, and medians are printed. Reading is warm: the tokens
of the passages are made before the first round. "of peak" is a reader's arithmetic a second, as a
share of a plain matrix product's on the same device just before; it is left out for 8-bit numbers.
By default the shapes of BERT-base and DistilBERT-base (random weights, see shapes.py) stand beside
mini on torch and on what it runs by itself. A cold start is measured by cold_ask.py.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeVar

import torch
from arithmetic import matrix_product_rate, pass_operations
from machine import describe_machine
from made_document import MADE_QUESTIONS, make_pdf
from shapes import SHAPES, load_shape

import docqa
from docqa.asking.prepared import PreparedDocument, index_of, splitter_for
from docqa.datamodel import Passage
from docqa.errors import DocqaError
from docqa.loaders.load import read_source
from docqa.reader.checkpoints import find_checkpoint
from docqa.reader.models import load_reader
from docqa.reader.span_reader import SpanReader

DEFAULT_READERS = ("bert-base", "distilbert-base", "mini:torch", "mini")
TOP_PASSAGES, TOP_K = 10, 20  # passages read for a question; spans of each, as many as asking wants
ANY_QUESTIONS = (
    "What is this about, and who wrote it?",
    "When did it happen, and how much was it?",
)

_Made = TypeVar("_Made")
Requests = list[tuple[str, list[Passage]]]


def main(arguments: Sequence[str] | None = None) -> None:
    """Print a line for each stage and one for each reader."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("file", nargs="?")
    parser.add_argument("questions", nargs="*")
    parser.add_argument("--reader", action="append", dest="readers")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--pages", type=int, default=100)
    given = parser.parse_args(arguments)
    machine = describe_machine()
    print(f"{', '.join([machine.processor, *machine.devices])}, {machine.threads} threads, load")
    print(f"{machine.load} before; {machine.versions}")
    data, name = (make_pdf(given.pages), "made.pdf") if not given.file else read_source(given.file)
    questions = given.questions or (ANY_QUESTIONS if given.file else MADE_QUESTIONS)
    readers = opened(given.readers or DEFAULT_READERS, given.device)
    requests = measure_stages(data, name, questions, next(iter(readers.values())), given.rounds)
    measure_readers(readers, requests, given.rounds)


def opened(names: Sequence[str], device: str) -> dict[str, SpanReader]:
    """Return the readers by name; one that cannot be loaded is named and left out.

    Raises:
        SystemExit: none can be loaded.
    """
    readers = {}
    for name in names:
        try:
            readers[name] = open_reader(name, device)
        except DocqaError as error:
            print(f"not measured: {name}: {error}")
    if not readers:
        raise SystemExit("no reader can be loaded")
    return readers


def open_reader(name: str, device: str) -> SpanReader:
    """Return the reader that ``NAME:RUNTIME:DTYPE`` names; a shape's name needs no runtime."""
    which, runtime, dtype, *_ = [*name.split(":"), "", ""]
    if which in SHAPES:
        return load_shape(which, device=device, dtype=dtype or None)
    return load_reader(which, runtime=runtime or "auto", device=device, dtype=dtype or None)


def measure_stages(
    data: bytes, name: str, questions: Sequence[str], reader: SpanReader, rounds: int
) -> Requests:
    """Print what load, split, index and rank take; return what a reader is asked next."""
    with docqa.load(make_pdf(1)) as page:  # imports what the stages import when first used
        ranked(docqa.Pipeline(reader=reader)._prepare(page), questions, 1)
    with timed("load", rounds, lambda: docqa.load(data, name=name)) as document:
        splitter = splitter_for(reader)
        passages = timed("split", rounds, lambda: tuple(splitter.split(document)))
        print(f"  {len(document.pages)} pages, {len(document.text):,} characters,", end=" ")
        print(f"{len(passages)} passages, {len(questions)} questions")

    def indexed() -> Any:
        index = index_of(passages)
        index.search(questions[0], top_k=1)  # the first search completes it
        return index

    index = timed("index", rounds, indexed)
    sizes = splitter.passage_tokens, splitter.overlap
    prepared = PreparedDocument(passages, index, *sizes, content="all")
    return timed("rank", rounds, partial(ranked, prepared, questions, TOP_PASSAGES))


def timed(name: str, rounds: int, make: Callable[[], _Made]) -> _Made:
    """Return what the last of the rounds made, and print their median."""
    seconds = []
    for _ in range(rounds):
        started = time.perf_counter()
        made = make()
        seconds.append(time.perf_counter() - started)
    print(
        f"{name:20} {statistics.median(seconds):8.3f} s ({min(seconds):.3f} to {max(seconds):.3f})"
    )
    return made


def ranked(prepared: PreparedDocument, questions: Sequence[str], top_passages: int) -> Requests:
    """Return each question with the passages that rank best for it."""
    return [
        (each, [one.passage for one in prepared.passages_to_read(each, top_passages=top_passages)])
        for each in questions
    ]


def measure_readers(readers: dict[str, SpanReader], requests: Requests, rounds: int) -> None:
    """Print a line for each reader: what it read a second, and how it compares with the first."""
    for reader in readers.values():
        reader.windows(requests)
        reader.read(requests[0][0], requests[0][1][:1], top_k=TOP_K)
    seconds: dict[str, list[float]] = {name: [] for name in readers}
    rates: dict[str, list[float | None]] = {name: [] for name in readers}
    order = list(readers)
    for number in range(rounds):
        for name in order[number % len(order) :] + order[: number % len(order)]:
            rates[name].append(plain_rate(readers[name]))
            started = time.perf_counter()
            readers[name].read_all(requests, top_k=TOP_K)
            seconds[name].append(time.perf_counter() - started)
    n_passages = sum(len(passages) for _, passages in requests)
    print(f"reading {n_passages} passages")
    for name, reader in readers.items():
        taken, ratios = seconds[name], zip(seconds[order[0]], seconds[name], strict=True)
        times = statistics.median(one / other for one, other in ratios)
        lengths = [window.length for window in reader.windows(requests)]
        speed = n_passages / statistics.median(taken)
        peak = share_of_peak(pass_operations(config_of(name), lengths), taken, rates[name])
        print(f"{name:20} {speed:8.1f} passages a second, {times:6.2f}x, of peak {peak}")


def config_of(name: str) -> dict[str, Any]:
    """Return the ``config.json`` of a reader or a shape."""
    which = name.partition(":")[0]
    return SHAPES[which].config if which in SHAPES else dict(find_checkpoint(which).config)


def plain_rate(reader: SpanReader) -> float | None:
    """Return the rate of a plain product where the reader computes; None for 8-bit numbers."""
    model: Any = reader.model
    dtype = getattr(torch, model.number_format, None)
    if not (isinstance(dtype, torch.dtype) and dtype.is_floating_point):
        return None
    return matrix_product_rate(torch.device(getattr(model, "device", model.device_type)), dtype)


def share_of_peak(
    operations: int | None, seconds: Sequence[float], rates: Sequence[float | None]
) -> str:
    """Return the median share of a plain product's rate, where both are known."""
    if operations is None or None in rates:
        return "-"
    shares = [operations / one / rate for one, rate in zip(seconds, rates, strict=True) if rate]
    return f"{statistics.median(shares):.0%}"


if __name__ == "__main__":
    main()
