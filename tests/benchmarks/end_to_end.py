"""Compare settings of the pipeline on whole documents: SQuAD articles, papers, real PDFs.

    DOCQA_DATA=... python tests/benchmarks/end_to_end.py squad|covid|time|pdf [--top K,K ...]

One line for each number of passages read, with the figures of `docqa evaluate`: use that command
for anything but a comparison. EM and F1 are those of the best answer whatever its score, or by the
rules of SQuAD v2.0 where the set has unanswerable questions.
"""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import replace
from pathlib import Path

import docqa
from docqa.evaluation.evaluate import evaluate_documents, evaluate_pages
from docqa.evaluation.page_questions import PageQuestions, read_page_questions
from docqa.evaluation.report import EvaluationReport
from docqa.evaluation.sampling import draw, draw_page_questions
from docqa.pipeline import DEFAULT_TOP_PASSAGES
from docqa.question_sets import QuestionSet, read_question_set

SETS = {
    "squad": "squad-dev-v1.1.json",
    "covid": "covid-qa.json",
    "time": "time-sensitive-qa.json",
    "pdf": "pdf-qa/questions.jsonl",
}


def data_file(name: str) -> Path:
    """Return the path of a set, or leave with a line that says what to set."""
    if "DOCQA_DATA" not in os.environ:
        sys.exit("set DOCQA_DATA to the folder of the development data")
    return Path(os.environ["DOCQA_DATA"]) / "dev" / SETS[name]


def with_names(data: PageQuestions | QuestionSet, only: str) -> PageQuestions | QuestionSet:
    """Return the documents that have `only` in their names."""
    if isinstance(data, QuestionSet):
        return replace(data, articles=tuple(each for each in data.articles if only in each.title))
    files = {path: rows for path, rows in data.files.items() if only in path.name}
    return replace(data, files=files)


def line(top: int, report: EvaluationReport) -> str:
    """Return the figures of one run."""
    found = report.retrieval
    figures = (
        *(report.exact_match.value, report.f1.value, found.gold_read, found.proposed),
        *(report.answered, found.page_at_1, found.page_at_5),
    )
    cells = (f"{'-' if figure is None else f'{100 * figure:.1f}':>9}" for figure in figures)
    return f"{top:>8}" + "".join(cells) + f"{report.calibration.ece:9.3f}"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("set", choices=sorted(SETS))
    parser.add_argument("--sample", type=int, help="questions drawn at random")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="", help="only documents with this in their name")
    parser.add_argument("--top", default=str(DEFAULT_TOP_PASSAGES), help="passages read")
    parser.add_argument("--passage-tokens", type=int)
    parser.add_argument("--overlap", type=int)
    parser.add_argument("--reader", default="mini")
    options = parser.parse_args()
    path = data_file(options.set)
    pages = path.suffix == ".jsonl"
    data = with_names(read_page_questions(path) if pages else read_question_set(path), options.only)
    if options.sample:
        data = (draw_page_questions if pages else draw)(data, options.sample, seed=options.seed)
    reader = docqa.load_reader(options.reader)
    print(f"{options.set}: {len(data)} questions")
    names = ("EM", "F1", "gold read", "proposed", "answered", "page@1", "page@5", "ECE")
    print(f"{'passages':>8}" + "".join(f"{name:>9}" for name in names))
    for top in map(int, options.top.split(",")):
        report = (evaluate_pages if pages else evaluate_documents)(
            reader,
            data,
            timed_questions=0,
            top_passages=top,
            passage_tokens=options.passage_tokens,
            overlap=options.overlap,
        )
        print(line(top, report), flush=True)


if __name__ == "__main__":
    main()
