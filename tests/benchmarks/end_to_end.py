"""Measure asking whole documents: SQuAD articles, papers and real PDFs.

    DOCQA_DATA=... python tests/benchmarks/end_to_end.py squad|covid|pdf [--sample N] [--only WORD]

Every question reads its best-ranked passages once; the table shows what the outcome would be had
only the first k of them been read, so that `top_passages` can be chosen from one run. The row of
the default k is what `Pipeline.ask` gives (a test of this script's own claim is `--check N`).
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import docqa
from docqa.answers import answers_from_spans, relevances
from docqa.datamodel import AnswerSpans, Document, Passage, RankedPassage, Span
from docqa.evaluation.squad import exact_match, f1
from docqa.pipeline import DEFAULT_RANK_WEIGHT, DEFAULT_TOP_PASSAGES, Pipeline

QUESTIONS_PER_BATCH = 8
SPANS = 20  # proposals for each passage, as in the pipeline


@dataclass(frozen=True)
class Question:
    """Hold a question, its gold answers and where the evidence stands."""

    text: str
    golds: tuple[str, ...]
    evidence: Span | None = None
    page_number: int | None = None


@dataclass(frozen=True)
class Outcome:
    """Hold what was found for a question with a given number of passages read."""

    em: float
    f1: float
    recall: float
    page_at_1: float
    page_at_5: float
    answered: float


def squad_documents(data: Path) -> Iterator[tuple[Document, list[Question]]]:
    """Yield each article with its paragraphs joined by blank lines."""
    for article in json.loads((data / "dev/squad-dev-v1.1.json").read_text())["data"]:
        yield _joined(article, joiner="\n\n")


def covid_documents(data: Path) -> Iterator[tuple[Document, list[Question]]]:
    """Yield each paper of COVID-QA."""
    for article in json.loads((data / "dev/covid-qa.json").read_text())["data"]:
        yield _joined(article, joiner="\n\n")


def _joined(article: dict, *, joiner: str) -> tuple[Document, list[Question]]:
    parts, questions, position = [], [], 0
    for paragraph in article["paragraphs"]:
        parts.append(paragraph["context"])
        for qa in paragraph["qas"]:
            if not qa["answers"]:
                continue
            start = position + qa["answers"][0]["answer_start"]
            evidence = Span(start, start + len(qa["answers"][0]["text"]))
            golds = tuple(answer["text"] for answer in qa["answers"])
            questions.append(Question(qa["question"], golds, evidence))
        position += len(paragraph["context"]) + len(joiner)
    name = str(article.get("title", "article")) + ".txt"
    return docqa.load(joiner.join(parts).encode(), name=name, media_type="text/plain"), questions


def pdf_documents(data: Path) -> Iterator[tuple[Document, list[Question]]]:
    """Yield each PDF with the questions whose answer stands on the gold page word for word."""
    lines = (data / "dev/pdf-qa/questions.jsonl").read_text().splitlines()
    by_file: dict[str, list[Question]] = {}
    for record in map(json.loads, lines):
        if record["verbatim_on_page"]:
            question = Question(
                record["question"], (record["answer"],), page_number=record["page_number"]
            )
            by_file.setdefault(record["pdf"], []).append(question)
    for name, questions in sorted(by_file.items()):
        with docqa.load(data / "dev/pdf-qa/pdfs" / name) as document:
            yield document, questions


SETS: dict[str, Callable[[Path], Iterator[tuple[Document, list[Question]]]]] = {
    "squad": squad_documents,
    "covid": covid_documents,
    "pdf": pdf_documents,
}


def holds_evidence(document: Document, passage: Passage, question: Question) -> bool:
    """Say whether a passage holds the gold answer's place (or touches the gold page)."""
    if question.evidence is not None:
        return passage.span.covers(question.evidence)
    return any(
        page.number == question.page_number and page.span.overlaps(passage.span)
        for page in document.pages
    )


def outcome(
    document: Document,
    question: Question,
    ranked: tuple[RankedPassage, ...],
    proposals: AnswerSpans,
    pipeline: Pipeline,
) -> Outcome:
    """Score the answers that the first passages give, as the pipeline weighs and merges them."""
    passages = [one.passage for one in ranked]
    numbers = {passage.number for passage in passages}
    first = replace(
        proposals, spans=tuple(span for span in proposals.spans if span.passage.number in numbers)
    )
    answers = answers_from_spans(
        document,
        first,
        relevances(ranked),
        top_k=5,
        min_score=0.0,
        rank_weight=pipeline._rank_weight,
    )
    best = answers[0].text if answers else ""
    pages = [answer.page_number for answer in answers]
    recall = any(holds_evidence(document, passage, question) for passage in passages)
    answered = bool(answers) and answers[0].score >= pipeline._min_score
    return Outcome(
        exact_match(best, question.golds),
        f1(best, question.golds),
        float(recall),
        float(pages[:1] == [question.page_number]),
        float(question.page_number in pages),
        float(answered),
    )


def measure(
    pipeline: Pipeline, document: Document, questions: list[Question], tops: list[int]
) -> Iterator[dict[int, Outcome]]:
    """Yield, for each question, the outcome at every number of passages read."""
    prepared = pipeline._prepare(document)
    for start in range(0, len(questions), QUESTIONS_PER_BATCH):
        batch = questions[start : start + QUESTIONS_PER_BATCH]
        requests = [
            (q.text, prepared.passages_to_read(q.text, top_passages=tops[-1])) for q in batch
        ]
        found = pipeline.reader.read_all(
            [(text, [one.passage for one in ranked]) for text, ranked in requests],
            top_k=SPANS * tops[-1],
        )
        for question, (_, ranked), proposals in zip(batch, requests, found, strict=True):
            yield {k: outcome(document, question, ranked[:k], proposals, pipeline) for k in tops}


def table(results: list[dict[int, Outcome]], tops: list[int], *, pages: bool) -> str:
    """Return the means over all questions, a line for each number of passages read."""
    header = f"{'passages read':>13} {'EM':>6} {'F1':>6} {'recall':>7} {'answered':>9}"
    lines = [header + (f" {'page@1':>7} {'page@5':>7}" if pages else "")]
    for k in tops:
        rows = [result[k] for result in results]
        em, f, recall, p1, p5, answered = (
            100 * sum(getattr(row, name) for row in rows) / len(rows)
            for name in ("em", "f1", "recall", "page_at_1", "page_at_5", "answered")
        )
        line = f"{k:>13} {em:6.1f} {f:6.1f} {recall:7.1f} {answered:9.1f}"
        lines.append(line + (f" {p1:7.1f} {p5:7.1f}" if pages else ""))
    return "\n".join(lines)


def check(pipeline: Pipeline, document: Document, questions: list[Question]) -> None:
    """Stop unless `Pipeline.ask` gives the answers that the table is made of."""
    for question in questions:
        asked = pipeline.ask(document, question.text, min_score=0.0)
        best = asked[0].text if asked else ""
        (row,) = measure(pipeline, document, [question], [pipeline._top_passages])
        found = row[pipeline._top_passages]
        if (found.em, found.f1) != (exact_match(best, question.golds), f1(best, question.golds)):
            sys.exit(f"the pipeline and this benchmark differ on {question.text!r}")


def main() -> None:
    """Run one set and print its table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("set", choices=sorted(SETS))
    parser.add_argument("--sample", type=int, help="questions drawn at random (seed 0)")
    parser.add_argument("--only", default="", help="only sources with these letters in the name")
    parser.add_argument("--without", help="no sources with these letters in the name")
    parser.add_argument("--top", default=f"3,5,{DEFAULT_TOP_PASSAGES}", help="passages read")
    parser.add_argument("--passage-tokens", type=int)
    parser.add_argument("--overlap", type=int)
    parser.add_argument("--rank-weight", type=float, default=DEFAULT_RANK_WEIGHT)
    parser.add_argument("--reader", default="mini")
    parser.add_argument(
        "--check", type=int, default=0, help="compare N questions with Pipeline.ask"
    )
    options = parser.parse_args()
    if "DOCQA_DATA" not in os.environ:
        sys.exit("set DOCQA_DATA to the folder of the development data")
    tops = sorted(map(int, options.top.split(",")))
    pipeline = Pipeline(
        reader=options.reader,
        top_passages=tops[-1],
        passage_tokens=options.passage_tokens,
        overlap=options.overlap,
        rank_weight=options.rank_weight,
    )
    documents = [
        (document, questions)
        for document, questions in SETS[options.set](Path(os.environ["DOCQA_DATA"]))
        if options.only in document.source
        and (options.without is None or options.without not in document.source)
    ]
    pool = [(n, q) for n, (_, questions) in enumerate(documents) for q in questions]
    if options.sample:
        pool = random.Random(0).sample(pool, min(options.sample, len(pool)))
    results: list[dict[int, Outcome]] = []
    started = time.perf_counter()
    for number, (document, _) in enumerate(documents):
        questions = [question for n, question in pool if n == number]
        if options.check and number == 0:
            check(pipeline, document, questions[: options.check])
        results += measure(pipeline, document, questions, tops)
        print(f"\r{len(results)} of {len(pool)}", end="", file=sys.stderr)
    seconds = time.perf_counter() - started
    print(
        f"\n{options.set}: {len(results)} questions over {len(documents)} documents, "
        f"{seconds:.0f} s, {len(results) / seconds:.2f} questions a second"
    )
    print(table(results, tops, pages=options.set == "pdf"))


if __name__ == "__main__":
    main()
