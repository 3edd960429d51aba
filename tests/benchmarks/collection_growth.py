"""Measure how a collection grows: build, size, search, ask, sync, replace, compact.

    [DOCQA_DATA=.../data] python tests/benchmarks/collection_growth.py [--sizes 1000,10000,100000]

The text is made: words of the reader's vocabulary with inflected forms (about 40,000) by Zipf's
law, sentences of 4 to 40 words, names and numbers; files of about 100 passages. With DOCQA_DATA the
38 real PDFs are one more size. Every step runs in a process of its own, whose peak memory (VmHWM)
is reported. Search is compared with rank-bm25 in the same process, over the same terms and queries:
its BM25Okapi as it ships, and docqa's `LuceneBM25`.
"""

from __future__ import annotations

import argparse
import cProfile
import json
import os
import pstats
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from itertools import accumulate
from pathlib import Path
from typing import Any

import docqa
from docqa.collection.collection import Collection

PASSAGES_A_FILE = 100
WORDS_A_PASSAGE = 100  # new ones; neighbours overlap
PARTS = ("search", "documents", "passages", "bodies", "read", "locate")


class Writer:
    """Make text from a seed."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)
        self._words = _vocabulary()
        self._weights = list(accumulate(1 / (rank + 2.7) for rank in range(len(self._words))))

    def words(self, count: int) -> list[str]:
        """Return words by their frequency."""
        return self._chance.choices(self._words, cum_weights=self._weights, k=count)

    def sentence(self) -> str:
        """Return a sentence; every fifth has a name, every fifth a number."""
        words = self.words(min(40, max(4, int(self._chance.lognormvariate(2.8, 0.5)))))
        kind = self._chance.random()
        place = self._chance.randrange(len(words))
        if kind < 0.2:
            words[place] = " ".join(word.capitalize() for word in self.words(2))
        elif kind < 0.4:
            words[place] = f"{self._chance.randint(1, 10 ** self._chance.randint(1, 6)):,}"
        return f"{words[0].capitalize()} {' '.join(words[1:])}."

    def text(self, n_words: int) -> str:
        """Return paragraphs of about `n_words` words."""
        sentences, count = [], 0
        while count < n_words:
            sentences.append(self.sentence())
            count += sentences[-1].count(" ") + 1
        return "".join(
            f"{one}\n\n" if number % 6 == 5 else f"{one} " for number, one in enumerate(sentences)
        )


@lru_cache(maxsize=1)
def _vocabulary() -> list[str]:
    """Return word forms, the frequent ones first, as the reader's vocabulary has them."""
    from docqa.reader.tokenizing import load_tokenizing

    pieces = load_tokenizing("mini").tokenizer._backend.get_vocab()
    words = [word for word in sorted(pieces, key=pieces.__getitem__) if word.isalpha()]
    words = [word for word in words if word.isascii() and len(word) > 1]
    forms = [f"{word}{end}" for word in words[500:] for end in ("s", "ing") if len(word) > 3]
    return [*words, *random.Random(0).sample(forms, min(20_000, len(forms)))]


def write_files(folder: Path, passages: int, *, passages_a_file: int = PASSAGES_A_FILE) -> None:
    """Write the files of a size."""
    folder.mkdir(parents=True)
    for number in range(max(1, passages // passages_a_file)):
        text = Writer(number).text(passages_a_file * WORDS_A_PASSAGE)
        (folder / f"report-{number:05}.txt").write_text(text, encoding="utf-8")


def build(folder: Path, *, profiled: bool = False) -> dict[str, Any]:
    """Index the sources of a folder."""
    collection = docqa.Collection(folder / "kb")
    collection._updates(None).ingesting.new_made()  # imports and the tokenizer are not counted
    profile = cProfile.Profile()
    wall, cpu = time.perf_counter(), time.process_time()
    if profiled:
        profile.enable()
    changes = collection.add(sources_of(folder))
    profile.disable()
    figures = {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}
    if profiled:
        pstats.Stats(profile, stream=sys.stderr).sort_stats("tottime").print_stats(25)
    info = collection.info()
    characters = info.n_characters
    return figures | {
        "passages": info.n_passages,
        "documents": info.n_documents,
        "failed": len(changes.failed),
        "characters": characters,
        "size": info.size,
    }


def sources_of(folder: Path) -> Path:
    """Return the folder of the sources: the PDFs' own, or that of the text that was made."""
    real = folder / "real"
    return Path(real.read_text()) if real.is_file() else folder / "files"


def rank(folder: Path, *, queries: int, slow_queries: int) -> dict[str, Any]:
    """Time searches against rank-bm25, in one process and over the same terms."""
    from rank_bm25 import BM25Okapi

    from docqa.index.analysis import terms
    from docqa.index.bm25 import LuceneBM25
    from docqa.index.opening import open_store

    collection = docqa.Collection(folder / "kb")
    snapshot = open_store(folder / "kb").snapshot()
    corpus: list[list[str]] = []
    for facts in snapshot.documents():
        document = snapshot.document(facts.key)
        if document is not None:
            corpus += ([*map(sys.intern, passage.terms)] for passage in document.passages)
    asked = questions(collection, queries)
    analysed = [terms(each) for each in asked]
    plain, own = BM25Okapi(corpus), LuceneBM25(corpus)
    collection.search(asked[0])
    return {
        "collection": timed(collection.search, asked),
        "LuceneBM25": timed(lambda query: best(own.get_scores(query)), analysed),
        "BM25Okapi": timed(lambda query: best(plain.get_scores(query)), analysed[:slow_queries]),
    }


def best(scores: Any) -> list[int]:
    """Return the numbers of the ten passages with the highest scores."""
    found: list[int] = (-scores).argsort(kind="stable")[:10].tolist()
    return found


def questions(collection: Collection, count: int) -> list[str]:
    """Return questions that hold three to eight words of some passage."""
    chance, made = random.Random(7), Writer(99)
    listed = collection.documents()
    pieces = [Path(each.key) for each in chance.choices(listed, k=count)]
    asked = []
    for path in pieces:
        text = path.read_text("utf-8") if path.suffix == ".txt" else made.text(200)
        words = text.split()
        start = chance.randrange(max(1, len(words) - 60))
        some = chance.sample(words[start : start + 60], chance.randint(3, 8))
        asked.append(f"What is the {' '.join(some)}?".replace(".?", "?"))
    return asked


def ask(folder: Path, *, queries: int) -> dict[str, Any]:
    """Time questions, and what they consist of."""
    collection = docqa.Collection(folder / "kb")
    asked = questions(collection, queries + 2)
    began = time.perf_counter()
    collection.ask(asked[0])
    first = time.perf_counter() - began
    collection.ask(asked[1])
    with clocks() as spent:
        whole = timed(collection.ask, asked[2:])
    return {"first": first, "ask": whole} | {part: spent[part] / queries for part in PARTS}


@contextmanager
def clocks() -> Iterator[Counter[str]]:
    """Yield the seconds spent in each part of asking, while it goes on."""
    from docqa.collection import asking, originals, search
    from docqa.index.tantivy.snapshot import TantivySnapshot
    from docqa.reader.span_reader import SpanReader

    spent: Counter[str] = Counter()
    places: list[tuple[str, Any, str]] = [
        ("search", TantivySnapshot, "search"),
        ("passages", search, "unpack_passage"),
        ("bodies", asking._Documents, "_unpacked"),
        ("read", SpanReader, "read_all"),
        ("locate", originals.StoredSourceMap, "locate"),
    ]
    before = [(owner, name, getattr(owner, name)) for _, owner, name in places]
    for (part, owner, name), (_, _, function) in zip(places, before, strict=True):
        setattr(owner, name, _clocked(function, part, spent))
    listed = TantivySnapshot.documents

    def documents(self: TantivySnapshot, *where: Any) -> Iterable[Any]:
        began = time.perf_counter()
        found = list(listed(self, *where))
        spent["documents"] += time.perf_counter() - began
        return iter(found)

    TantivySnapshot.documents = documents  # type: ignore[assignment]
    try:
        yield spent
    finally:
        TantivySnapshot.documents = listed  # type: ignore[method-assign]
        for owner, name, function in before:
            setattr(owner, name, function)


def _clocked(function: Callable[..., Any], part: str, spent: Counter[str]) -> Callable[..., Any]:
    def clocked(*arguments: Any, **settings: Any) -> Any:
        began = time.perf_counter()
        try:
            return function(*arguments, **settings)
        finally:
            spent[part] += time.perf_counter() - began

    return clocked


def change(folder: Path) -> dict[str, Any]:
    """Time a sync of an unchanged folder, the replacement of a file, and compacting."""
    collection, figures = docqa.Collection(folder / "kb"), {}
    sources = sources_of(folder)
    if not (folder / "real").is_file():
        figures["sync"] = seconds(lambda: collection.sync(sources))
        figures["sync again"] = seconds(lambda: collection.sync(sources))
        paths = sorted(sources.iterdir())
        path = paths[len(paths) // 2]
        path.write_text(Writer(10**6).text(path.stat().st_size // 7), encoding="utf-8")
        figures["replace"] = seconds(lambda: collection.add(path))
    figures["compact"] = seconds(collection.compact)
    return figures | {"after": collection.info().size}


def seconds(act: Callable[[], object]) -> float:
    """Return how long a call takes."""
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


def timed(act: Callable[[Any], object], arguments: list[Any]) -> tuple[float, float, float]:
    """Return the median, the 99th percentile and the mean of a call's seconds."""
    took = sorted(seconds(lambda each=each: act(each)) for each in arguments)  # type: ignore[misc]
    late = took[min(len(took) - 1, int(len(took) * 0.99))]
    return statistics.median(took), late, statistics.fmean(took)


def in_process(step: str, folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Return what a step gives in a process of its own, and its peak memory in MB."""
    command = [sys.executable, __file__, "--step", step, "--folder", str(folder)]
    command += ["--queries", str(options.queries), "--slow-queries", str(options.slow_queries)]
    command += ["--profile"] if options.profile else []
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def peak() -> float:
    """Return this process's peak memory in MB."""
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.exists() else []
    marks = [int(line.split()[1]) for line in lines if line.startswith("VmHWM")]
    return (marks[0] if marks else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss) / 1024


def run_step(options: argparse.Namespace) -> None:
    """Run one step and print its figures as JSON."""
    steps: dict[str, Callable[[], dict[str, Any]]] = {
        "build": lambda: build(options.folder, profiled=options.profile),
        "rank": lambda: rank(
            options.folder, queries=options.queries, slow_queries=options.slow_queries
        ),
        "ask": lambda: ask(options.folder, queries=min(options.queries, 100)),
        "change": lambda: change(options.folder),
    }
    print(json.dumps(steps[options.step]() | {"peak": peak()}))


def table(title: str, heads: list[str], rows: list[list[str]]) -> None:
    """Print a table."""
    print(f"\n{title}\n{'':>14}" + "".join(f"{head:>13}" for head in heads))
    for name, *cells in rows:
        print(f"{name:>14}" + "".join(f"{cell:>13}" for cell in cells), flush=True)


def measure(folder: Path, options: argparse.Namespace) -> dict[str, dict[str, Any]]:
    """Return the figures of all steps for one folder."""
    steps = options.steps.split(",")
    return {step: in_process(step, folder, options) for step in steps}


def print_tables(found: dict[str, dict[str, dict[str, Any]]]) -> None:
    """Print one table for each step."""
    rows = []
    for name, steps in found.items():
        if one := steps.get("build"):
            text = one["characters"] / 1e6
            rows.append(
                [
                    *(name, f"{one['documents']:,}", f"{one['passages']:,}", f"{one['wall']:.1f}"),
                    *(f"{one['cpu']:.1f}", f"{one['peak']:.0f}", f"{text:.1f}"),
                    *(f"{one['size'] / 1e6:.1f}", f"{one['failed']}"),
                ]
            )
    heads = ["files", "passages", "wall s", "CPU s", "peak MB", "text M chars", "disk MB", "failed"]
    table("Build", heads, rows)
    rows = []
    for name, steps in found.items():
        if one := steps.get("rank"):
            engines = ("collection", "LuceneBM25", "BM25Okapi")
            rows.append([name, *(f"{1000 * each:.2f}" for key in engines for each in one[key][:2])])
    heads = [f"{who} {what}" for who in ("tantivy", "Lucene", "Okapi") for what in ("p50", "p99")]
    table("Search, ms (collection.search; LuceneBM25; rank-bm25 as it ships)", heads, rows)
    rows = []
    for name, steps in found.items():
        if one := steps.get("ask"):
            median, late, mean = one["ask"]
            parts = [one["first"], median, late, *(one[part] for part in PARTS)]
            rest = mean - sum(one[part] for part in PARTS)
            rows.append(
                [name, *(f"{1000 * each:.1f}" for each in (*parts, rest)), f"{one['peak']:.0f}"]
            )
    heads = ["first", "p50", "p99", *PARTS, "rest", "peak MB"]
    table("Ask, ms (parts: mean)", heads, rows)
    rows = []
    for name, steps in found.items():
        if one := steps.get("change"):
            keys = ("sync", "sync again", "replace", "compact")
            cells = [f"{one[key]:.2f}" if key in one else "-" for key in keys]
            rows.append([name, *cells, f"{one['after'] / 1e6:.1f}", f"{one['peak']:.0f}"])
    heads = ["sync", "sync again", "replace", "compact", "disk MB after", "peak MB"]
    table("Changes, s (sync of the unchanged folder; one file replaced)", heads, rows)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--sizes", default="1000,10000,100000", help="passages, about")
    parser.add_argument("--small-files", type=int, default=1000, help="files of one passage; 0: no")
    parser.add_argument("--no-pdfs", action="store_true", help="leave out the real PDFs")
    parser.add_argument("--steps", default="build,rank,ask,change")
    parser.add_argument("--queries", type=int, default=300)
    parser.add_argument("--slow-queries", type=int, default=40, help="for rank-bm25's BM25Okapi")
    parser.add_argument("--profile", action="store_true", help="where building takes its time")
    parser.add_argument("--folder", type=Path, help="where to work; on the disk that is meant")
    parser.add_argument("--step", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.step:
        run_step(options)
        return
    found: dict[str, dict[str, dict[str, Any]]] = {}
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        for size in map(int, filter(None, options.sizes.split(","))):
            write_files(Path(folder) / str(size) / "files", size)
            found[f"{size:,}"] = measure(Path(folder) / str(size), options)
        if options.small_files:
            place = Path(folder) / "small"
            write_files(place / "files", options.small_files, passages_a_file=1)
            found["small files"] = measure(place, options)
        if "DOCQA_DATA" in os.environ and not options.no_pdfs:
            place = Path(folder) / "pdfs"
            place.mkdir()
            (place / "real").write_text(f"{os.environ['DOCQA_DATA']}/dev/pdf-qa/pdfs")
            found["real PDFs"] = measure(place, options)
    print_tables(found)


if __name__ == "__main__":
    main()
