"""Measure the questions over financial filings, most of which a table answers.

    DOCQA_DATA=... python tests/benchmarks/table_questions.py [--only WORD] [--top K]

As `docqa evaluate pdf-qa/questions.jsonl`, with pages and proposals apart by the form of the answer
("Numeric" ones stand in tables, nearly all).
"""

from __future__ import annotations

import argparse
from dataclasses import replace

from end_to_end import data_file, with_names

import docqa
from docqa.evaluation.evaluate import evaluate_pages
from docqa.evaluation.page_questions import PageQuestions, read_page_questions
from docqa.evaluation.report import EvaluationReport
from docqa.pipeline import DEFAULT_TOP_PASSAGES


def of_form(questions: PageQuestions, form: str) -> PageQuestions:
    """Return the questions whose answers have one form."""
    files = {
        path: tuple(row for row in rows if row.form == form)
        for path, rows in questions.files.items()
    }
    return replace(questions, files={path: rows for path, rows in files.items() if rows})


def line(form: str, report: EvaluationReport) -> str:
    """Return the figures of one form."""
    found = report.retrieval
    figures = (
        *(report.exact_match.value, report.f1.value),
        *(found.page_at_1, found.page_at_5, found.proposed),
    )
    cells = " ".join(f"{100 * figure:8.1f}" for figure in figures)
    return f"{form:14} {report.questions:4} {cells}"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--only", default="JPMORGAN", help="only files with this in their name")
    parser.add_argument("--top", type=int, default=DEFAULT_TOP_PASSAGES, help="passages read")
    options = parser.parse_args()
    questions = with_names(read_page_questions(data_file("pdf")), options.only)
    forms = sorted({row.form for rows in questions.files.values() for row in rows})
    reader = docqa.load_reader("mini")
    print(f"{options.top} passages read")
    print(f"{'':14} {'n':>4} {'EM':>8} {'F1':>8} {'page@1':>8} {'page@5':>8} {'proposed':>8}")
    for form in forms:
        chosen = of_form(questions, form)
        report = evaluate_pages(reader, chosen, timed_questions=0, top_passages=options.top)
        print(line(form, report), flush=True)


if __name__ == "__main__":
    main()
