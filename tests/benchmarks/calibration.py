"""Measure how far the scores of a calibrated reader can be trusted, and what a threshold costs.

    DOCQA_DATA=... python tests/benchmarks/calibration.py [SET...] [--sample N] [--keep FOLDER]

Every question is asked from end to end. "before" is the score without a calibration, the logistic
function of the strength under the usual ranking; "after" the probability of its calibration. Right
is what matches exactly; the last columns of the first table say the same where an F1 of 0.5 is
right. With --keep, what came of the questions is kept, so that another calibration of the same
weights is judged in a second.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import docqa
from docqa.calibration import CALIBRATION_FILE, UNCALIBRATED, Calibration
from docqa.evaluation.asked_documents import AskedDocument, articles_as_documents
from docqa.evaluation.calibration import first_answer, trust
from docqa.evaluation.observations import Observation, keep, kept, observe
from docqa.evaluation.page_questions import read_page_questions
from docqa.evaluation.sampling import draw, draw_page_questions
from docqa.question_sets import read_question_set

SETS = {
    "squad2": ("squad-dev-v2.0.json", "articles of SQuAD v2.0, half unanswerable"),
    "squad1": ("squad-dev-v1.1.json", "articles of SQuAD v1.1, all answerable"),
    "time": ("time-sensitive-qa.json", "pages of Wikipedia, questions about times"),
    "covid": ("covid-qa.json", "papers"),
    "pdf": ("pdf-qa/questions.jsonl", "PDFs"),
}
USUAL = ("squad2", "pdf", "time", "covid")
THRESHOLDS = (0.0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5)
PRIORS = (0.0, 0.1, 0.25, 0.5)  # shares of unanswerable questions


def documents(name: str, count: int | None, pipeline: docqa.Pipeline) -> list[AskedDocument]:
    """Return the documents of a set with `count` of their questions, drawn at random (seed 0)."""
    path = Path(os.environ["DOCQA_DATA"]) / "dev" / SETS[name][0]
    if path.suffix == ".jsonl":
        pages = read_page_questions(path)
        return (draw_page_questions(pages, count) if count else pages).documents(pipeline.load)
    questions = read_question_set(path)
    return articles_as_documents(draw(questions, count) if count else questions)


def observations(
    name: str, count: int | None, pipeline: docqa.Pipeline, folder: Path | None
) -> list[Observation]:
    """Return what came of the questions of a set, from the folder where it is kept there."""
    made_by = {"reader": pipeline.reader.revision, "set": name, "sample": count}
    path = folder / f"{name}.jsonl" if folder else None
    if path and (found := kept(path, made_by)) is not None:
        return found
    asked = documents(name, count, pipeline)
    total = sum(len(each.questions) for each in asked)
    found = list(
        observe(
            pipeline,
            asked,
            progress=lambda n: print(f"\r{name}: {n} of {total}  ", end="", file=sys.stderr),
        )
    )
    print(file=sys.stderr)
    if path:
        keep(found, made_by, path)
    return found


def trust_lines(name: str, found: list[Observation], calibration: Calibration) -> str:
    """Return the figures of one set before and after."""
    lines = []
    for label, judge in (("before", UNCALIBRATED), ("after", calibration)):
        made = trust(found, [judge] * len(found))
        stopped = "–" if made.stopped is None else f"{made.stopped:.2f}"
        lines.append(
            f"| {name} | {len(found)} | {label} | {made.share_right:.3f} | {made.mean_score:.3f} | "
            f"{made.ece:.3f} | {made.brier:.3f} | {made.risk_at_half:.3f} | {made.auc:.3f} | "
            f"{made.share_overlap:.3f} | {made.ece_overlap:.3f} | {made.auc_overlap:.3f} | "
            f"{stopped} |"
        )
    return "\n".join(lines)


def firsts(
    found: Sequence[Observation], calibration: Calibration
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return the scores, the exact matches and the F1 of the first answers."""
    best = [first_answer(each, calibration) for each in found]
    rows = [(calibration.probability(each.evidence), each.exact_match, each.f1) for each in best]
    score, exact, overlap = np.array(rows).T
    return score, exact, overlap


def threshold_lines(name: str, found: list[Observation], calibration: Calibration) -> str:
    """Return, for thresholds, what is answered, how much of it is wrong, what is lost, and F1.

    F1 is that of SQuAD v2.0: a question without an answer is right when nothing is said. The last
    columns are the share of unanswerable questions that are stopped, and of answerable ones lost.
    """
    score, exact, overlap = firsts(found, calibration)
    answerable = np.array([each.answerable for each in found])
    lines = []
    for threshold in THRESHOLDS:
        said = score >= threshold
        risk = 1 - exact[said].mean() if said.any() else 0.0
        stopped = f"{1 - said[~answerable].mean():.3f}" if not answerable.all() else "–"
        lines.append(
            f"| {name} | {threshold:.2f} | {said.mean():.3f} | {risk:.3f} | "
            f"{exact[said].sum() / exact.sum():.3f} | "
            f"{np.where(said, overlap, ~answerable).mean():.3f} | {stopped} | "
            f"{1 - said[answerable].mean():.3f} |"
        )
    return "\n".join(lines)


def prior_lines(name: str, found: list[Observation], calibration: Calibration) -> str:
    """Return the calibration error were another share of the questions unanswerable."""
    with_answer = [n for n, each in enumerate(found) if each.answerable]
    without = [n for n, each in enumerate(found) if not each.answerable]
    if not without:
        return ""
    lines = []
    for prior in PRIORS:
        rows = [found[n] for n in _mixed(with_answer, without, prior)]
        before, after = (trust(rows, [judge] * len(rows)) for judge in (UNCALIBRATED, calibration))
        lines.append(
            f"| {name} | {prior:.2f} | {len(rows)} | {after.share_right:.3f} | "
            f"{after.mean_score:.3f} | {before.ece:.3f} | {after.ece:.3f} |"
        )
    return "\n".join(lines)


def _mixed(with_answer: Sequence[int], without: Sequence[int], prior: float) -> list[int]:
    """Return as many rows as can be had with this share of unanswerable ones (seed 0)."""
    random = np.random.default_rng(0)
    total = len(with_answer) / (1 - prior)
    if prior:
        total = min(total, len(without) / prior)
    n_without = round(total * prior)
    rows = random.permutation(with_answer)[: round(total) - n_without]
    return [*rows.tolist(), *random.permutation(without)[:n_without].tolist()]


def main() -> None:
    """Ask the sets and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sets", nargs="*", metavar="SET", help=", ".join(SETS))
    parser.add_argument("--reader", default="mini")
    parser.add_argument("--calibration", type=Path, help="else the one beside the weights")
    parser.add_argument("--sample", type=int, metavar="N", help="questions of each set")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="of what came of the questions")
    options = parser.parse_args()
    if "DOCQA_DATA" not in os.environ:
        sys.exit("set DOCQA_DATA to the folder of the development data")
    beside = Path(docqa.__file__).parent / "reader" / options.reader / CALIBRATION_FILE
    calibration = Calibration.read(options.calibration or beside)
    reader = docqa.load_reader(options.reader, calibration=False)
    pipeline = docqa.Pipeline(reader=reader)
    if options.keep:
        options.keep.mkdir(parents=True, exist_ok=True)
    found = {
        name: observations(name, options.sample, pipeline, options.keep)
        for name in options.sets or USUAL
    }
    tables = (
        (
            trust_lines,
            "set | questions | | right | mean score | ECE | Brier | wrong in the surer half | AUC"
            " | F1 ≥ 0.5 | ECE by that | AUC by that | unanswerable stopped, 15% lost",
        ),
        (
            threshold_lines,
            "set | score | answered | wrong | right ones kept | F1 | stopped | lost",
        ),
        (
            prior_lines,
            "set | unanswerable | questions | right | mean score | ECE before | ECE after",
        ),
    )
    for table, head in tables:
        print(f"\n| {head} |\n{'|---' * (head.count('|') + 1)}|")
        for name, rows in found.items():
            if lines := table(name, rows, calibration):
                print(lines)


if __name__ == "__main__":
    main()
