"""Measure the questions over financial filings, most of which a table answers.

    DOCQA_DATA=... python tests/benchmarks/table_questions.py [--only WORD] [--form FORM]

As `end_to_end.py pdf`, with the questions apart by the form of their answer ("Numeric" ones stand
in tables, nearly all), and with the share whose answer is among the spans that the reader proposes
at all: what better ordering could still gain.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections import defaultdict
from pathlib import Path

from end_to_end import SPANS, Outcome, Question, outcome

import docqa
from docqa.evaluation.squad import exact_match
from docqa.pipeline import DEFAULT_TOP_PASSAGES, Pipeline

FILINGS = "JPMORGAN"


def questions(data: Path, only: str, form: str) -> dict[str, list[tuple[str, Question]]]:
    """Return the questions of each filing, with the form of the answer."""
    found: dict[str, list[tuple[str, Question]]] = defaultdict(list)
    lines = (data / "dev/pdf-qa/questions.jsonl").read_text().splitlines()
    for record in map(json.loads, lines):
        chosen = FILINGS in record["pdf"] and only in record["pdf"] and record["verbatim_on_page"]
        if chosen and form in record["answer_form"]:
            question = Question(
                record["question"], (record["answer"],), page_number=record["page_number"]
            )
            found[record["pdf"]].append((record["answer_form"], question))
    return found


def answered(pipeline: Pipeline, path: Path, asked: list[tuple[str, Question]]) -> list:
    """Return for each question the form, the outcome and whether a proposal is right."""
    results = []
    with docqa.load(path) as document:
        prepared = pipeline._prepare(document)
        for form, question in asked:
            ranked = prepared.passages_to_read(question.text, top_passages=pipeline._top_passages)
            passages = [one.passage for one in ranked]
            found = pipeline.reader.read(question.text, passages, top_k=SPANS * len(passages))
            right = any(
                exact_match(span.span.of(span.passage.text), question.golds) for span in found.spans
            )
            best = outcome(document, question, ranked, found, pipeline)
            results.append((form, best, right))
    return results


def line(name: str, rows: list[tuple[Outcome, bool]]) -> str:
    """Return the means of some questions."""
    figures = [
        100 * sum(getattr(best, field) for best, _ in rows) / len(rows)
        for field in ("em", "f1", "page_at_1", "page_at_5")
    ]
    proposed = 100 * sum(right for _, right in rows) / len(rows)
    return f"{name:14} {len(rows):4} " + " ".join(f"{n:7.1f}" for n in (*figures, proposed))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", help="only filings with these letters in the name")
    parser.add_argument("--form", default="", help="only answers of this form, such as Numeric")
    parser.add_argument("--top", type=int, default=DEFAULT_TOP_PASSAGES, help="passages read")
    options = parser.parse_args()
    if "DOCQA_DATA" not in os.environ:
        sys.exit("set DOCQA_DATA to the folder of the development data")
    data, started = Path(os.environ["DOCQA_DATA"]), time.process_time()
    pipeline = Pipeline(top_passages=options.top)
    rows: dict[str, list[tuple[Outcome, bool]]] = defaultdict(list)
    for name, asked in sorted(questions(data, options.only, options.form).items()):
        for form, best, right in answered(pipeline, data / "dev/pdf-qa/pdfs" / name, asked):
            rows[form].append((best, right))
            rows["all"].append((best, right))
    print(f"{options.top} passages read, {time.process_time() - started:.0f} s of processor time")
    print(f"{'':14} {'n':>4} {'EM':>7} {'F1':>7} {'page@1':>7} {'page@5':>7} {'proposed':>8}")
    for form in sorted(rows, key=lambda form: (form == "all", form)):
        print(line(form, rows[form]))


if __name__ == "__main__":
    main()
