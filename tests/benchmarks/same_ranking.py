"""Compare the ranking and the answers of engines with those of the index in memory.

    DOCQA_DATA=.../data python tests/benchmarks/same_ranking.py [--address lance://{folder}/kb] ...

Each article of SQuAD dev v1.1, its paragraphs joined, is a text file and a collection of its own,
so that all statistics are those of one document. For every question the ten best passages are
compared, and for some the reader's answers. `{folder}` in an address is a new folder for each
article.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import docqa
from docqa.datamodel import Answers
from docqa.index.memory import MemoryIndex
from docqa.pipeline import Pipeline
from docqa.question_sets import Article, read_question_set

TOP = 10
ALIKE = 1e-5  # relative; single precision

Ranked = Sequence[tuple[int, float]]


def alike(one: float, other: float) -> bool:
    """Return whether two scores are equal up to single precision."""
    return abs(one - other) <= ALIKE * max(abs(one), abs(other))


def compared(memory: Ranked, other: Ranked, scores: dict[int, float]) -> str:
    """Return the difference between two rankings of a question.

    Args:
        memory: passage numbers and scores, best first.
        other: the same of another engine.
        scores: of all passages, in memory.
    """
    if len(memory) != len(other):
        return "other length"
    if not all(alike(one[1], two[1]) for one, two in zip(memory, other, strict=True)):
        return "other scores"
    if [number for number, _ in memory] == [number for number, _ in other]:
        return "same"
    same = all(
        alike(scores.get(two[0], 0.0), one[1]) for one, two in zip(memory, other, strict=True)
    )
    return "ties in another order" if same else "other passages"


def answers_compared(memory: Answers, other: Answers) -> str:
    """Return the difference between two lists of answers."""
    places = [[(each.start, each.end, each.text) for each in one] for one in (memory, other)]
    if places[0] != places[1]:
        return "other answers"
    pairs = zip(memory, other, strict=True)
    same = all(abs(one.score - two.score) < 1e-4 for one, two in pairs)
    return "same" if same else "other scores"


def compare_article(
    article: Article, folder: Path, address: str, pipeline: Pipeline, asked: set[str]
) -> tuple[Counter[str], Counter[str], float]:
    """Return how often rankings and answers differ, and the largest relative difference."""
    path = folder / "the.txt"  # a name without terms: names count in collections
    text = "\n\n".join(paragraph.context for paragraph in article.paragraphs)
    path.write_text(text, encoding="utf-8")
    document, index = docqa.load(path), MemoryIndex()
    index.add(pipeline.passages(document))
    rankings, answers, largest = Counter[str](), Counter[str](), 0.0
    with docqa.Collection(address.format(folder=folder), pipeline=pipeline) as collection:
        collection.add(path)
        for paragraph in article.paragraphs:
            for question in paragraph.questions:
                ranked = index.search(question.text, top_k=max(1, len(index)))
                scores = {one.passage.number: one.score for one in ranked}
                found = collection.search(question.text, top_k=TOP)
                memory = [(one.passage.number, one.score) for one in ranked[:TOP]]
                other = [(one.passage.number, one.score) for one in found]
                rankings[compared(memory, other, scores)] += 1
                gaps = (
                    abs(one[1] - two[1]) / one[1] for one, two in zip(memory, other, strict=False)
                )
                largest = max(largest, *gaps, 0.0)
                if question.id in asked:
                    own = pipeline.ask(document, question.text, top_k=5)
                    theirs = collection.ask(question.text, top_k=5)
                    answers[answers_compared(own, theirs)] += 1
    return rankings, answers, largest


def counted(counts: Counter[str]) -> str:
    """Return counts as words."""
    return ", ".join(f"{count:,} {what}" for what, count in counts.most_common())


def main() -> None:
    """Print one line for each engine."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--address", action="append", help="{folder}: a new one for each article")
    parser.add_argument("--articles", type=int, help="number of articles")
    parser.add_argument("--answers", type=int, default=300, help="questions drawn for the reader")
    options = parser.parse_args()
    if "DOCQA_DATA" not in os.environ:
        sys.exit("set DOCQA_DATA to the folder of the development data")
    data = read_question_set(Path(os.environ["DOCQA_DATA"]) / "dev" / "squad-dev-v1.1.json")
    articles = data.articles[: options.articles]
    ids = [
        question.id
        for article in articles
        for paragraph in article.paragraphs
        for question in paragraph.questions
    ]
    asked = set(random.Random(0).sample(ids, min(options.answers, len(ids))))
    pipeline = Pipeline()
    print(f"{len(articles)} articles, {len(ids):,} questions, {len(asked)} read")
    for address in options.address or ["{folder}/kb"]:
        rankings, answers, largest = Counter[str](), Counter[str](), 0.0
        for article in articles:
            with tempfile.TemporaryDirectory() as folder:
                some = compare_article(article, Path(folder), address, pipeline, asked)
            rankings, answers = rankings + some[0], answers + some[1]
            largest = max(largest, some[2])
        print(f"{address}: rankings {counted(rankings)}; scores differ by at most {largest:.1e}")
        print(f"{'':{len(address)}}  answers {counted(answers)}", flush=True)


if __name__ == "__main__":
    main()
