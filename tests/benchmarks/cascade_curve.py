"""How good answers are against seconds, by the number of passages that `base` reads again.

    DOCQA_DATA=... python tests/benchmarks/cascade_curve.py [--sample 250] [--again 2,3,4,6]

Every PDF of pdf-qa is loaded once, its passages are ranked once, and each reader reads the ten
best of a question once. `base` reads passages one by one, so that its spans of some passages are
those of a cascade that reads only these again. Yes/no questions are left out. Seconds are those of
reading: `base`'s for the passages read again, by their share of the characters.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import docqa
from docqa.asking.answers import answers_from_spans, relevances
from docqa.asking.prepared import prepare
from docqa.datamodel import AnswerSpans, Document, RankedPassage
from docqa.evaluation.asked_documents import AskedQuestion
from docqa.evaluation.page_questions import read_page_questions
from docqa.evaluation.sampling import draw_page_questions
from docqa.evaluation.squad import exact_match, f1, normalize
from docqa.pipeline import DEFAULT_TOP_PASSAGES

SPANS_PER_PASSAGE = 20  # as the pipeline asks for


@dataclass(frozen=True)
class Read:
    """One question, read by both readers."""

    row: AskedQuestion
    document: Document
    ranked: tuple[RankedPassage, ...]
    first: AnswerSpans
    second: AnswerSpans
    seconds: tuple[float, float]

    def chosen(self, count: int) -> frozenset[tuple[str, int]]:
        """Return the places of the passages of the first reader's best candidates."""
        places = dict.fromkeys(span.passage.place for span in self.first.spans)
        return frozenset(list(places)[:count])

    def spans(self, variant: str) -> AnswerSpans:
        """Return the spans of a variant: ``"mini"``, ``"base"``, or passages read again."""
        if variant in {"mini", "base"}:
            return self.first if variant == "mini" else self.second
        chosen = self.chosen(int(variant))
        kept = tuple(span for span in self.second.spans if span.passage.place in chosen)
        return replace(self.second, spans=kept)

    def cost(self, variant: str) -> float:
        """Return the seconds of a variant."""
        first, second = self.seconds
        if variant in {"mini", "base"}:
            return first if variant == "mini" else second
        chosen = self.chosen(int(variant))
        texts = {one.passage.place: len(one.passage.text) for one in self.ranked}
        share = sum(texts[place] for place in chosen) / max(1, sum(texts.values()))
        return first + share * second


def read(options: argparse.Namespace) -> Iterator[Read]:
    """Read every question with both readers."""
    data = read_page_questions(Path(os.environ["DOCQA_DATA"]) / "dev/pdf-qa/questions.jsonl")
    files = {path: [row for row in rows if not yes_or_no(row)] for path, rows in data.files.items()}
    data = replace(data, files={path: tuple(rows) for path, rows in files.items() if rows})
    print(f"{len(data)} questions without yes/no", flush=True)
    if options.sample:
        data = draw_page_questions(data, options.sample, seed=options.seed)
    mini, base = docqa.load_reader("mini"), docqa.load_reader(options.reader)
    for path, rows in data.files.items():
        with docqa.load(str(path)) as document:
            prepared = prepare(document, mini)
            for row in rows:
                text = row.question.text
                ranked = prepared.passages_to_read(text, top_passages=DEFAULT_TOP_PASSAGES)
                passages = [one.passage for one in ranked]
                most, times, found = SPANS_PER_PASSAGE * len(passages), [time.perf_counter()], []
                for reader in (mini, base):
                    found.append(reader.read(text, passages, top_k=most))
                    times.append(time.perf_counter())
                seconds = times[1] - times[0], times[2] - times[1]
                yield Read(row, document, ranked, found[0], found[1], seconds)
        print(f"{path.name}: {len(rows)}", file=sys.stderr, flush=True)


def yes_or_no(row: AskedQuestion) -> bool:
    """Say whether the gold answer is yes or no."""
    return {normalize(gold.text) for gold in row.question.golds} <= {"yes", "no"}


def figures(each: Read, variant: str) -> dict[str, Any]:
    """Return the figures of one question, and the evidence of its first answer."""
    documents = {each.document.id: each.document}
    relevance = relevances(each.ranked)
    answers = answers_from_spans(
        documents,
        each.spans(variant),
        relevance,
        top_k=5,
        min_score=0.0,
    )
    golds = [gold.text for gold in each.row.question.golds]
    scores = [f1(answer.text, golds) for answer in answers] or [0.0]
    best = answers[0] if answers else None
    evidence = best.evidence if best else None
    return {
        "id": each.row.question.id,
        "em": exact_match(best.text, golds) if best else 0.0,
        "f1": scores[0],
        "best of five": max(scores),
        "page at 1": float(bool(best) and best.page_number == each.row.page_number),
        "seconds": each.cost(variant),
        "text": best.text if best else "",
        "evidence": None if evidence is None else asdict(evidence),
    }


def table(rows: dict[str, list[dict[str, Any]]]) -> Iterator[str]:
    """Yield the lines of a table."""
    names = "em", "f1", "best of five", "page at 1"
    yield f"{'reader':>10}" + "".join(f"{n:>14}" for n in names) + f"{'seconds':>10}"
    for variant, found in rows.items():
        means = (100 * mean(row[name] for row in found) for name in names)
        cells = "".join(f"{figure:14.1f}" for figure in means)
        yield f"{variant:>10}{cells}{mean(row['seconds'] for row in found):10.2f}"


def mean(values: Iterator[float]) -> float:
    """Return the mean of at least one value."""
    kept: Sequence[float] = list(values)
    return sum(kept) / len(kept)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--sample", type=int, help="questions drawn at random")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--reader", default="base", help="the second reader")
    parser.add_argument("--again", default="2,3,4,6", help="passages that it reads")
    parser.add_argument("--rows", type=Path, help="gets a JSON line for each question and variant")
    options = parser.parse_args()
    if "DOCQA_DATA" not in os.environ:
        sys.exit("set DOCQA_DATA to the folder of the development data")
    rows: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for each in read(options):
        for variant in ("mini", *options.again.split(","), "base"):
            rows[variant].append(figures(each, variant))
            if options.rows:
                with options.rows.open("a") as file:
                    file.write(json.dumps({"reader": variant, **rows[variant][-1]}) + "\n")
    print("\n".join(table(rows)))


if __name__ == "__main__":
    main()
