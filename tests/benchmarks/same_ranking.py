"""Compare the ranking and the answers of engines with those of tantivy's formula.

    DOCQA_DATA=.../data python tests/benchmarks/same_ranking.py [--address lance://{folder}/kb] ...

Each article of SQuAD dev v1.1, its paragraphs joined, is a text file and a collection of its own,
so that all statistics are those of one document. For every question the ten best passages are
compared with those of the index in memory, and for some the reader's answers. With --together the
articles are the documents of one collection, and the reference is a collection in a folder.
`{folder}` in an address is a new folder for each collection.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import docqa
from docqa.datamodel import Answers
from docqa.index.memory import MemoryIndex
from docqa.pipeline import Pipeline
from docqa.question_sets import Article, Question, read_question_set

TOP = 10
ALIKE = 1e-5  # relative; single precision

Place = tuple[str, int]
Ranked = Sequence[tuple[Place, float]]


@dataclass(frozen=True)
class Drawn:
    """The questions whose rankings and whose answers are compared, by id."""

    ranked: frozenset[str]
    read: frozenset[str]

    def of(self, article: Article) -> Iterator[Question]:
        """Yield the questions of an article whose rankings are compared."""
        for paragraph in article.paragraphs:
            yield from (each for each in paragraph.questions if each.id in self.ranked)


def alike(one: float, other: float) -> bool:
    """Return whether two scores are equal up to single precision."""
    return abs(one - other) <= ALIKE * max(abs(one), abs(other))


def compared(reference: Ranked, other: Ranked) -> Counter[str]:
    """Count what two rankings of a question share.

    Args:
        reference: passages and scores, best first; all that have one.
        other: the first ten of another engine.
    """
    best, scores = reference[:TOP], dict(reference)
    ours, theirs = [place for place, _ in best], [place for place, _ in other]
    by_score = [scores.get(place, 0.0) for place in theirs]
    same_scores = len(ours) == len(theirs) and all(
        alike(one, two) for one, (_, two) in zip(by_score, best, strict=True)
    )
    return Counter(
        {
            "questions": 1,
            "same order": ours == theirs,
            "same order but for ties": same_scores,
            "same first": ours[:1] == theirs[:1],
            "same ten": set(ours) == set(theirs),
            "places": len(ours),
            "shared": len(set(ours) & set(theirs)),
        }
    )


def answers_compared(reference: Answers, other: Answers) -> str:
    """Say how two lists of answers differ."""
    places = [
        [(each.document.source, each.start, each.end, each.text) for each in one]
        for one in (reference, other)
    ]
    if places[0] != places[1]:
        return "same first answer" if places[0][:1] == places[1][:1] else "other answers"
    pairs = zip(reference, other, strict=True)
    same = all(abs(one.score - two.score) < 1e-4 for one, two in pairs)
    return "same" if same else "other scores"


def written(folder: Path, name: str, article: Article) -> Path:
    """Return the file of an article."""
    path = folder / name
    text = "\n\n".join(paragraph.context for paragraph in article.paragraphs)
    path.write_text(text, encoding="utf-8")
    return path


def hits_of(collection: docqa.Collection, question: str, top_k: int) -> Ranked:
    """Return the best passages of a collection."""
    found = collection.search(question, top_k=top_k)
    return [((one.document.source, one.passage.number), one.score) for one in found]


def compare_article(
    article: Article, folder: Path, address: str, pipeline: Pipeline, drawn: Drawn
) -> tuple[Counter[str], Counter[str]]:
    """Return what rankings share, and how answers differ, in a collection of one article."""
    path = written(folder, "the.txt", article)  # a name without terms: names count in collections
    document, index = docqa.load(path), MemoryIndex()
    index.add(pipeline.passages(document))
    rankings, answers = Counter[str](), Counter[str]()
    with docqa.Collection(address.format(folder=folder), pipeline=pipeline) as collection:
        collection.add(path)
        for question in drawn.of(article):
            ranked = index.search(question.text, top_k=max(1, len(index)))
            memory = [((str(path), one.passage.number), one.score) for one in ranked]
            rankings += compared(memory, hits_of(collection, question.text, TOP))
            if question.id in drawn.read:
                own = pipeline.ask(document, question.text, top_k=5)
                theirs = collection.ask(question.text, top_k=5)
                answers[answers_compared(own, theirs)] += 1
    return rankings, answers


def compare_together(
    articles: Sequence[Article], folder: Path, address: str, pipeline: Pipeline, drawn: Drawn
) -> tuple[Counter[str], Counter[str]]:
    """Return what rankings share, and how answers differ, in a collection of all articles."""
    files = [written(folder, f"{at:02}.txt", article) for at, article in enumerate(articles)]
    rankings, answers = Counter[str](), Counter[str]()
    with (
        docqa.Collection(folder / "reference", pipeline=pipeline) as reference,
        docqa.Collection(address.format(folder=folder), pipeline=pipeline) as other,
    ):
        for collection in (reference, other):
            collection.add(files)
        for article in articles:
            for question in drawn.of(article):
                ranked = hits_of(reference, question.text, 100)
                rankings += compared(ranked, hits_of(other, question.text, TOP))
                if question.id in drawn.read:
                    pair = (one.ask(question.text, top_k=5) for one in (reference, other))
                    answers[answers_compared(*pair)] += 1
    return rankings, answers


def in_words(rankings: Counter[str]) -> str:
    """Return counts of rankings as words."""
    n = rankings["questions"]
    names = ("same order", "same order but for ties", "same first", "same ten")
    shares = [f"{name} {rankings[name] / n:.2%} ({rankings[name]:,})" for name in names]
    overlap = rankings["shared"] / max(1, rankings["places"])
    return f"{n:,} questions: {', '.join(shares)}, overlap at ten {overlap:.2%}"


def main() -> None:
    """Print one line for each engine."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--address", action="append", help="{folder}: a new one for each article")
    parser.add_argument("--articles", type=int, help="only the first ones")
    parser.add_argument("--questions", type=int, help="questions drawn; all by default")
    parser.add_argument("--answers", type=int, default=300, help="questions drawn for the reader")
    parser.add_argument("--together", action="store_true", help="all articles in one collection")
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
    ranked = random.Random(0).sample(ids, min(options.questions or len(ids), len(ids)))
    drawn = Drawn(frozenset(ranked), frozenset(ranked[: options.answers]))
    pipeline = Pipeline()
    for address in options.address or ["{folder}/kb"]:
        rankings, answers = Counter[str](), Counter[str]()
        for part in [articles] if options.together else [[article] for article in articles]:
            with tempfile.TemporaryDirectory() as made:
                folder = Path(made)
                if options.together:
                    some = compare_together(part, folder, address, pipeline, drawn)
                else:
                    some = compare_article(part[0], folder, address, pipeline, drawn)
            rankings, answers = rankings + some[0], answers + some[1]
        print(f"{address}: {in_words(rankings)}")
        counts = ", ".join(f"{count:,} {what}" for what, count in answers.most_common())
        print(f"{'':{len(address)}}  answers {counts}", flush=True)


if __name__ == "__main__":
    main()
