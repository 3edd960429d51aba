"""Measure a cold `docqa ask` on a 100-page PDF: seconds, and where they go.

    python tests/benchmarks/cold_ask.py [FILE.pdf] [--pages 100] [--rounds 3] [--runtime NAME]...

Each round starts two fresh processes for each runtime in turn: the command as a user runs it, and
the same steps one by one with a clock between them (the command takes some of them side by side).
Without FILE, the first `--pages` pages of the longest PDF of the
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
path, question, runtime = sys.argv[1:]
clock, seconds = time.perf_counter(), {}
def lap(name):
    global clock
    now = time.perf_counter()
    seconds[name], clock = now - clock, now
import docqa.cli.ask, docqa.pipeline
lap("import docqa and the command")
document = docqa.load(path)
lap("load the PDF")
if runtime == "torch":
    import torch
else:
    import onnx, onnxruntime
lap("import the runtime")
reader = docqa.load_reader("mini", runtime=runtime, device="cpu")
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


def one_round(path: str, runtime: str) -> dict[str, float]:
    """Return the seconds of the whole command and of each step, in fresh processes."""
    command = [sys.executable, "-m", "docqa", "ask", path, QUESTION]
    whole = timed([*command, "--device", "cpu", "--runtime", runtime])[0]
    steps = timed([sys.executable, "-c", STEPS, path, QUESTION, runtime])[1]
    return {"the whole command": whole, **json.loads(steps)}


def main() -> None:
    """Print the medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", nargs="?")
    parser.add_argument("--pages", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--runtime", action="append", choices=["onnx", "torch"])
    options = parser.parse_args()
    runtimes = options.runtime or ["onnx", "torch"]
    with tempfile.TemporaryDirectory() as folder:
        path = str(source_of(options.file, options.pages, Path(folder)))
        seconds: dict[str, list[dict[str, float]]] = {runtime: [] for runtime in runtimes}
        for _ in range(options.rounds):
            for runtime in runtimes:
                seconds[runtime].append(one_round(path, runtime))
    first = seconds[runtimes[0]][0]
    pages, passages = first["pages"], first["passages"]
    print(f"cold `docqa ask`, {pages} pages, {passages} passages: seconds, of {options.rounds}")
    print("".join(f"{runtime:>8}" for runtime in runtimes))
    for name in [name for name in first if name not in {"pages", "passages"}]:
        medians = (statistics.median(each[name] for each in seconds[one]) for one in runtimes)
        print("".join(f"{median:8.2f}" for median in medians), name)


if __name__ == "__main__":
    main()
