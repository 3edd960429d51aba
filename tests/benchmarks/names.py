"""Measure how much a document's names should count when many documents are asked at once.

    DOCQA_DATA=... python tests/benchmarks/names.py squad|time|covid|pdf [--weights 0,0.5,1]

All documents of a set are one collection with passages of the default size; each question is asked
of all of them. A passage's score is that of its terms plus a weight times that of its document's
names. One line for each weight: the share of questions whose document is among the first 1, 5 and
10 documents (in the order of their best passages), the share whose place is among the first 5, 10
and 20 passages, and how many questions win and lose their place among the first 10 against
weight 0. A place is a passage that holds a gold answer; for PDFs, one that touches the gold page.

Other ways, for comparison: ``--way terms`` adds the names to each passage's own terms;
``document`` scores the names among documents instead of passages; ``best`` and ``five`` leave the
names out and add a weight times the score of the document's best passage, or the mean of its five
best.
"""

from __future__ import annotations

import argparse
import json
import os
import pickle
import random
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import docqa
from docqa.asking.prepared import splitter_for
from docqa.datamodel import Document, Span
from docqa.evaluation.page_questions import read_page_questions
from docqa.index.analysis import terms
from docqa.index.bm25 import LuceneBM25
from docqa.index.memory import DEFAULT_BOILERPLATE_WEIGHT, ranked_text
from docqa.index.name_terms import name_terms

SETS = {
    "squad": "squad-dev-v1.1.json",
    "time": "time-sensitive-qa.json",
    "covid": "covid-qa.json",
    "pdf": "pdf-qa/questions.jsonl",
}
DOCUMENTS, PLACES, RISK = (1, 5, 10), (5, 10, 20), 10
Scores = NDArray[np.float64]


@dataclass(frozen=True)
class Asked:
    """A question, the number of its document and the numbers of the passages wanted."""

    text: str
    document: int
    wanted: frozenset[int]


@dataclass(frozen=True)
class Collection:
    """The passages of a set: their terms, documents, and whether they are boilerplate."""

    sources: list[tuple[str, str | None]]
    documents: NDArray[np.int64]
    passages: list[list[str]]
    flagged: NDArray[np.bool_]
    questions: list[Asked]


Source = tuple[Document, list[tuple[str, list[Span]]]]


def articles(path: Path) -> Iterator[Source]:
    """Yield the articles of a set in SQuAD's form as text files named after them."""
    for article in json.loads(path.read_text(encoding="utf-8"))["data"]:
        text, asked = "", []
        for paragraph in article["paragraphs"]:
            origin = len(text)
            text += paragraph["context"] + "\n\n"
            for qa in paragraph["qas"]:
                starts = [(origin + gold["answer_start"], gold["text"]) for gold in qa["answers"]]
                asked.append((qa["question"], [Span(at, at + len(gold)) for at, gold in starts]))
        title = str(article["title"])
        name = f"https://en.wikipedia.org{title}" if title.startswith("/wiki/") else f"{title}.txt"
        yield Document(name, text, name, "text/plain", None, None), asked


def files(path: Path) -> Iterator[Source]:
    """Yield the PDFs, each question with the span of its gold page."""
    for file, asked in read_page_questions(path).files.items():
        document = docqa.load(file)
        pages = [document.pages[each.page_number - 1].span for each in asked]
        questions = [each.question.text for each in asked]
        yield document, [(text, [page]) for text, page in zip(questions, pages, strict=True)]


def collected(sources: Iterator[Source], *, holds: bool) -> Collection:
    """Split the documents; a passage is wanted that holds a gold span, or that touches it."""
    splitter = splitter_for(docqa.load_reader("mini"))
    found = Collection([], np.zeros(0), [], np.zeros(0), [])
    documents: list[int] = []
    flagged: list[bool] = []
    for number, (document, asked) in enumerate(sources):
        print(document.source, file=sys.stderr)
        passages, first = list(splitter.split(document)), len(documents)
        found.sources.append((document.source, document.title))
        found.passages.extend(terms(ranked_text(passage)) for passage in passages)
        documents += [number] * len(passages)
        flagged += [passage.boilerplate for passage in passages]
        for text, golds in asked:
            wanted = frozenset(
                at
                for at, passage in enumerate(passages, start=first)
                if any(passage.span.covers(g) if holds else passage.span.overlaps(g) for g in golds)
            )
            if wanted:
                found.questions.append(Asked(text, number, wanted))
    return Collection(
        found.sources, np.array(documents), found.passages, np.array(flagged), found.questions
    )


def read_collection(name: str, cache: Path | None) -> Collection:
    """Return a set as one collection, from the folder `cache` where it is there."""
    kept = cache / f"{name}.pickle" if cache else None
    if kept and kept.exists():
        return pickle.loads(kept.read_bytes())
    if "DOCQA_DATA" not in os.environ:
        sys.exit("set DOCQA_DATA to the folder of the development data")
    path = Path(os.environ["DOCQA_DATA"]) / "dev" / SETS[name]
    pages = path.suffix == ".jsonl"
    found = collected(files(path) if pages else articles(path), holds=not pages)
    if kept:
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_bytes(pickle.dumps(found))
    return found


class Ranking:
    """Score all passages for a question with any weight."""

    def __init__(self, collection: Collection, way: str) -> None:
        self.collection, self.way = collection, way
        names = [name_terms(*source) for source in collection.sources]
        each = [names[number] for number in collection.documents]
        self.text = LuceneBM25(collection.passages)
        self.names = LuceneBM25(names if way == "document" else each)
        self.both = None
        if way == "terms":
            pairs = zip(collection.passages, each, strict=True)
            self.both = LuceneBM25([[*passage, *names] for passage, names in pairs])

    def scores(self, question: str) -> tuple[Scores, Scores]:
        """Return what weight 0 gives, and what is added times the weight."""
        query = terms(question)
        plain = self.text.get_scores(query)
        plain[self.collection.flagged] *= DEFAULT_BOILERPLATE_WEIGHT
        more = self._more(query, plain)
        if self.way not in {"best", "five"}:
            more[self.collection.flagged] *= DEFAULT_BOILERPLATE_WEIGHT
        return plain, more

    def _more(self, query: list[str], plain: Scores) -> Scores:
        documents = self.collection.documents
        if self.both is not None:  # the weights 0 and 1 alone mean something
            return self.both.get_scores(query) - self.text.get_scores(query)
        if self.way == "document":
            return self.names.get_scores(query)[documents]
        if self.way == "names":
            return self.names.get_scores(query)
        best = [np.sort(plain[documents == number])[::-1] for number in range(documents[-1] + 1)]
        kept = 1 if self.way == "best" else 5
        return np.array([scores[:kept].sum() / kept for scores in best])[documents]


@dataclass
class Outcome:
    """The rank of the document and of the first wanted passage, from 1, for each question."""

    documents: NDArray[np.int64]
    places: NDArray[np.int64]

    def cells(self, base: Outcome) -> list[str]:
        """Return the figures of a line."""
        shares = [np.mean(self.documents <= k) for k in DOCUMENTS]
        shares += [np.mean(self.places <= k) for k in PLACES]
        now, before = self.places <= RISK, base.places <= RISK
        return [f"{100 * share:.1f}" for share in shares] + [
            str(np.sum(now & ~before)),
            str(np.sum(before & ~now)),
        ]


def outcomes(ranking: Ranking, weights: list[float], questions: list[Asked]) -> list[Outcome]:
    """Rank for every question with every weight."""
    documents = ranking.collection.documents
    first = np.flatnonzero(np.diff(documents, prepend=-1))  # of each document's passages
    ranks = np.zeros((len(weights), 2, len(questions)), dtype=np.int64)
    for at, asked in enumerate(questions):
        plain, more = ranking.scores(asked.text)
        wanted = np.array(sorted(asked.wanted))
        for row, weight in enumerate(weights):
            scores = plain + weight * more
            best = np.maximum.reduceat(scores, first)
            ranks[row, 0, at] = rank(best, asked.document)
            ranks[row, 1, at] = rank(scores, wanted[np.argmax(scores[wanted])])
    return [Outcome(*each) for each in ranks]


def rank(scores: Scores, number: int) -> int:
    """Return the rank of one, from 1, ties by number; beyond all where its score is 0."""
    own = scores[number]
    if own <= 0:
        return len(scores) + 1
    return int(1 + np.sum(scores > own) + np.sum(scores[:number] == own))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("set", choices=sorted(SETS))
    parser.add_argument("--way", default="names", help="names, terms, document, best, five")
    parser.add_argument("--weights", default="0,0.1,0.2,0.3,0.5,0.7,1,1.5,2,3")
    parser.add_argument("--sample", type=int, default=1000, help="questions at most")
    parser.add_argument("--only", default="", help="questions on documents named like this")
    parser.add_argument("--cache", type=Path, help="folder where passages are kept")
    options = parser.parse_args()
    collection = read_collection(options.set, options.cache)
    named = [options.only in source for source, _ in collection.sources]
    questions = [asked for asked in collection.questions if named[asked.document]]
    if len(questions) > options.sample:
        questions = random.Random(0).sample(questions, options.sample)
    weights = [0.0, *(w for w in map(float, options.weights.split(",")) if w)]
    print(
        f"{options.set}: {len(questions)} questions, {len(collection.sources)} documents, "
        f"{len(collection.passages)} passages"
    )
    heads = [f"file@{k}" for k in DOCUMENTS] + [f"place@{k}" for k in PLACES] + ["won", "lost"]
    print(f"{'weight':>8}" + "".join(f"{head:>10}" for head in heads))
    found = outcomes(Ranking(collection, options.way), weights, questions)
    for weight, outcome in zip(weights, found, strict=True):
        print(f"{weight:>8}" + "".join(f"{cell:>10}" for cell in outcome.cells(found[0])))


if __name__ == "__main__":
    main()
