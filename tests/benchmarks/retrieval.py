"""Measure how passage size, overlap and terms change what a reader gets to see.

Every passage read costs its tokens and about 20 more for the question; passages are read in the
order of their rank until a budget of tokens is spent. Three sets of questions, from DOCQA_DATA/dev:

* evidence: share of the evidence's characters that lie in the passages read;
* squad: all paragraphs of an article as one text; share of questions with an answer span inside a
  passage read;
* pdf: questions whose answer stands on the gold page word for word; share with the answer inside a
  passage read that touches the gold page.

Run ``python tests/benchmarks/retrieval.py --help`` for the settings.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import re
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

from docqa.datamodel import Document, Passage, Span
from docqa.index import analysis
from docqa.index.memory import MemoryIndex
from docqa.passages.splitter import Splitter

QUESTION_TOKENS = 20  # of a question and the special tokens, roughly
WORD = re.compile(r"[^\W_]+")
TOP = 200  # passages ranked, more than any budget reads


@dataclass(frozen=True)
class Case:
    """A question with the places that must be read to answer it.

    `gain` takes the spans read, in order, and returns 0 to 1.
    """

    question: str
    gain: Callable[[Sequence[Span]], float]


@dataclass(frozen=True)
class Set:
    """Documents with their questions."""

    name: str
    cases: list[tuple[Document, list[Case]]]


class CachingTokenizer:
    """Remember the offsets of texts, which the settings compared share."""

    def __init__(self, tokenizer: object) -> None:
        self._tokenizer = tokenizer
        self._known: dict[str, list[Span]] = {}

    def offsets(self, text: str) -> list[Span]:
        """Return the span of every token."""
        if len(text) < 10_000:
            return self._tokenizer.offsets(text)
        if text not in self._known:
            self._known[text] = self._tokenizer.offsets(text)
        return self._known[text]


def plain(name: str, text: str) -> Document:
    """Return a document without blocks."""
    return Document(name, text, name, "text/plain", None, None)


def evidence_set(data: Path) -> Set:
    """Return five long texts with the spans of the evidence for each question."""
    folder = data / "dev" / "evidence"
    cases: dict[str, list[Case]] = {}
    with (folder / "questions.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            spans = [Span(r["start_index"], r["end_index"]) for r in json.loads(row["references"])]
            case = Case(row["question"], lambda read, spans=spans: covered(spans, read))
            cases.setdefault(row["corpus_id"], []).append(case)
    texts = {name: (folder / f"{name}.md").read_text(encoding="utf-8") for name in cases}
    return Set("evidence", [(plain(name, texts[name]), cases[name]) for name in sorted(cases)])


def covered(wanted: Sequence[Span], read: Sequence[Span]) -> float:
    """Return the share of the wanted characters that were read."""
    seen = {n for want in wanted for span in read for n in range(*bounds(want, span))}
    return len(seen) / len({n for want in wanted for n in range(want.start, want.end)})


def bounds(one: Span, other: Span) -> tuple[int, int]:
    """Return the characters that two spans share."""
    return max(one.start, other.start), min(one.end, other.end)


def squad_set(data: Path, every: int) -> Set:
    """Return SQuAD's articles as one text each, with every n-th question."""
    content = json.loads((data / "dev" / "squad-dev-v1.1.json").read_text(encoding="utf-8"))
    found = []
    for article in content["data"]:
        text, cases = "", []
        for paragraph in article["paragraphs"]:
            origin = len(text)
            text += paragraph["context"] + "\n\n"
            cases += [squad_case(qa, origin) for qa in paragraph["qas"]]
        found.append((plain(article["title"], text), cases[::every]))
    return Set("squad", found)


def squad_case(qa: dict, origin: int) -> Case:
    """Return a question that is met when one gold answer lies inside a passage."""
    golds = [
        Span(a["answer_start"], a["answer_start"] + len(a["text"])).shift(origin)
        for a in qa["answers"]
    ]
    return Case(qa["question"], lambda read: float(any(s.covers(g) for s in read for g in golds)))


def pdf_set(data: Path) -> Set:
    """Return the PDFs with the questions whose answer stands on the gold page."""
    from docqa.loaders.load import load

    folder = data / "dev" / "pdf-qa"
    rows = [json.loads(line) for line in (folder / "questions.jsonl").open(encoding="utf-8")]
    names = sorted({row["pdf"] for row in rows if row["verbatim_on_page"]})
    found = []
    for name in names:
        document = load(folder / "pdfs" / name)
        of_this = [row for row in rows if row["pdf"] == name and row["verbatim_on_page"]]
        found.append((document, [pdf_case(row, document) for row in of_this]))
    return Set("pdf", found)


def pdf_case(row: dict, document: Document) -> Case:
    """Return a question that is met when the answer stands in a passage on the gold page."""
    page = document.pages[row["page_number"] - 1].span
    answer = words_of(row["answer"])

    def gain(read: Sequence[Span]) -> float:
        on_page = (span for span in read if span.overlaps(page))
        return float(any(answer in words_of(span.of(document.text)) for span in on_page))

    return Case(row["question"], gain)


def words_of(text: str) -> str:
    """Return the words and numbers of a text, which quotation marks and the like do not change."""
    return " " + " ".join(WORD.findall(text.casefold())) + " "


@dataclass
class Measured:
    """The passages of a set, and their ranks for each question."""

    n_passages: int
    seconds: float
    ranked: list[tuple[Case, list[Passage]]]
    n_tokens: dict[int, int]

    def gain(self, budget: int) -> float:
        """Return the mean gain when passages are read until `budget` tokens are spent."""
        return mean(case.gain(self._read(passages, budget)) for case, passages in self.ranked)

    def gain_at(self, rank: int) -> float:
        """Return the mean gain of the first `rank` passages."""
        return mean(case.gain([p.span for p in ps[:rank]]) for case, ps in self.ranked)

    def _read(self, passages: Sequence[Passage], budget: int) -> list[Span]:
        read, spent = [], 0
        for passage in passages:
            spent += self.n_tokens[id(passage)] + QUESTION_TOKENS
            if spent > budget:
                break
            read.append(passage.span)
        return read


def mean(values: Iterator[float]) -> float:
    """Return the mean."""
    numbers = list(values)
    return sum(numbers) / len(numbers)


def measure(questions: Set, tokenizer: CachingTokenizer, size: int, overlap: int) -> Measured:
    """Split and index each document of a set and rank its passages for its questions."""
    start = time.perf_counter()
    result = Measured(0, 0.0, [], {})
    splitter = Splitter(tokenizer, passage_tokens=size, overlap=overlap)
    for document, cases in questions.cases:
        passages = splitter.split(document)
        index = MemoryIndex()
        index.add(passages)
        result.n_passages += len(passages)
        result.n_tokens |= {id(p): len(tokenizer.offsets(p.text)) for p in passages}
        for case in cases:
            found = index.search(case.question, top_k=TOP)
            result.ranked.append((case, [ranked.passage for ranked in found]))
    result.seconds = time.perf_counter() - start
    return result


VARIANTS = {
    "as chosen": {"STOP_WORDS": analysis.STOP_WORDS},
    "stop words kept": {"STOP_WORDS": frozenset()},
    "no stems": {"_stem": lambda word: word},
    "neither": {"STOP_WORDS": frozenset(), "_stem": lambda word: word},
}


def rows(args: argparse.Namespace) -> Iterator[list[object]]:
    """Yield the rows of the table, one for each set and setting."""
    tokenizer = CachingTokenizer(reader_tokenizer(args.tokenizer))
    makers = {
        "evidence": lambda: evidence_set(args.data),
        "squad": lambda: squad_set(args.data, args.every),
        "pdf": lambda: pdf_set(args.data),
    }
    for name in args.sets:
        questions = makers[name]()
        for variant in args.terms:
            for size in args.sizes:
                for overlap in args.overlaps:
                    if overlap > size // 2:
                        continue
                    with mock.patch.multiple(analysis, **VARIANTS[variant]):
                        analysis._cached_terms.cache_clear()
                        found = measure(questions, tokenizer, size, overlap)
                    ranks = [f"{found.gain_at(k):.3f}" for k in args.ranks]
                    budgets = [f"{found.gain(budget):.3f}" for budget in args.budgets]
                    head = [name, variant, size, overlap, found.n_passages]
                    yield [*head, *ranks, *budgets, f"{found.seconds:.1f}"]


def reader_tokenizer(path: Path | None) -> object:
    """Return the tokenizer of the default reader, or of a tokenizer.json."""
    if path is None:
        from docqa.reader.models import load_reader

        return load_reader("mini").tokenizer
    from tokenizers import Tokenizer

    from docqa.reader.tokenizer import FastTokenizer

    return FastTokenizer(Tokenizer.from_file(str(path)))


def main() -> None:
    """Print the table, a row as soon as it is known."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=os.environ.get("DOCQA_DATA"))
    parser.add_argument("--tokenizer", type=Path, help="a tokenizer.json; default: the reader's")
    parser.add_argument("--sets", nargs="+", default=["evidence", "squad", "pdf"])
    parser.add_argument("--sizes", nargs="+", type=int, default=[64, 96, 128, 160, 192, 256, 320])
    parser.add_argument("--overlaps", nargs="+", type=int, default=[0, 16, 32, 64])
    parser.add_argument("--terms", nargs="+", default=["as chosen"], choices=VARIANTS)
    parser.add_argument("--ranks", nargs="+", type=int, default=[1, 5])
    parser.add_argument("--budgets", nargs="+", type=int, default=[1280, 2560, 5120])
    parser.add_argument("--every", type=int, default=4, help="take every n-th SQuAD question")
    args = parser.parse_args()
    if args.data is None:
        sys.exit("set DOCQA_DATA or give --data: the folder that holds dev/")
    columns = ["set", "terms", "passage_tokens", "overlap", "passages"]
    columns += [f"at {rank}" for rank in args.ranks]
    columns += [f"{budget} tokens" for budget in args.budgets]
    print("| " + " | ".join([*columns, "seconds"]) + " |")
    print("|" + "---|" * (len(columns) + 1))
    for row in rows(args):
        print("| " + " | ".join(map(str, row)) + " |", flush=True)


if __name__ == "__main__":
    main()
