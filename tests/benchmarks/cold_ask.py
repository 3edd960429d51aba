"""Measure a cold `docqa ask` on a 100-page PDF: seconds, and where they go.

    python tests/benchmarks/cold_ask.py [FILE.pdf] [--pages 100] [--rounds 3]

Each round starts two fresh processes: the command as a user runs it, and the same steps one by one
with a clock between them. Without FILE, the first `--pages` pages of the longest PDF of the
development data are cut out; without data, pages of text are made.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

QUESTION = "What is the total amount of loans?"

STEPS = """
import json, sys, time
path, question = sys.argv[1:]
clock, seconds = time.perf_counter(), {}
def lap(name):
    global clock
    now = time.perf_counter()
    seconds[name], clock = now - clock, now
import docqa.cli.ask, docqa.pipeline
lap("import docqa and the command")
document = docqa.load(path)
lap("load the PDF")
import torch
lap("import torch")
reader = docqa.load_reader("mini")
lap("load the reader")
pipeline = docqa.Pipeline(reader=reader)
prepared = pipeline._prepare(document)
lap("split and index")
pipeline.ask(document, question, min_score=0.0)
lap("rank, read and locate")
seconds["pages"], seconds["passages"] = len(document.pages), len(prepared.passages)
print(json.dumps(seconds))
"""


def cut(source: Path, pages: int, target: Path) -> None:
    """Write the first pages of a PDF to `target`."""
    from pypdf import PdfWriter

    writer = PdfWriter()
    writer.append(str(source), pages=(0, pages))
    writer.write(target)


def make(pages: int, target: Path) -> None:
    """Write a PDF with pages of text about nothing in particular."""
    from reportlab.pdfgen.canvas import Canvas

    canvas = Canvas(str(target))
    for page in range(pages):
        for line in range(50):
            words = f"Entry {page}-{line}: the reading was {line * 7 + page} and no lamp was lit."
            canvas.drawString(60, 780 - 14 * line, words)
        canvas.showPage()
    canvas.save()


def source_of(given: str | None, pages: int, folder: Path) -> Path:
    """Return the PDF to ask."""
    if given:
        return Path(given)
    target = folder / "pages.pdf"
    if "DOCQA_DATA" in os.environ:
        found = (Path(os.environ["DOCQA_DATA"]) / "dev/pdf-qa/pdfs").glob("JPMORGAN_2023*.pdf")
        cut(next(found), pages, target)
    else:
        make(pages, target)
    return target


def timed(command: list[str]) -> tuple[float, str]:
    """Run a command; return its wall seconds and its output."""
    started = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - started
    if done.returncode > 1:
        sys.exit(done.stderr)
    return seconds, done.stdout


def main() -> None:
    """Print the medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", nargs="?")
    parser.add_argument("--pages", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = str(source_of(options.file, options.pages, Path(folder)))
        totals, steps = [], []
        for _ in range(options.rounds):
            totals.append(timed([sys.executable, "-m", "docqa", "ask", path, QUESTION])[0])
            steps.append(json.loads(timed([sys.executable, "-c", STEPS, path, QUESTION])[1]))
    pages, passages = (steps[0].pop(name) for name in ("pages", "passages"))
    print(f"cold `docqa ask`, {pages} pages, {passages} passages: medians of {options.rounds}")
    print(f"{statistics.median(totals):7.2f} s  the whole command")
    for name in steps[0]:
        print(f"{statistics.median(step[name] for step in steps):7.2f} s  {name}")


if __name__ == "__main__":
    main()
