"""Kill ``docqa batch`` at random moments, and see whether anything is lost, torn or doubled.

    python tests/benchmarks/kill_batch.py [kills]

A job over small documents, with a reader that takes its time, is killed (SIGKILL) at random moments
and started again until it is done, then with new documents, until `kills` kills were made. After
each kill every whole line of the file is looked at; after each job the file is compared with that
of a job that ran through.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "batch"))
from test_process import DRIVER

_DOCUMENTS = 40
_COMMAND = ["batch", "questions.txt", "docs", "--no-isolate", "--quiet", "--out"]


def start(folder: Path, out: str) -> subprocess.Popen[bytes]:
    paths = [os.path.abspath(path) for path in sys.path if path]  # noqa: PTH100
    return subprocess.Popen(
        [sys.executable, "-c", DRIVER, *_COMMAND, out],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        stderr=subprocess.DEVNULL,
    )


def make_documents(folder: Path, draw: random.Random) -> None:
    (folder / "docs").mkdir()
    for number in range(_DOCUMENTS):
        text = f"The lamp of tower {number} is {draw.randrange(900)} feet up.\n"
        (folder / f"docs/{number:02}.txt").write_text(text)
    (folder / "docs/broken.pdf").write_bytes(b"no PDF")
    questions = "Where is the lamp?\nWhich tower is 70 feet up?\nWho left?\n"
    (folder / "questions.txt").write_text(questions)


def wrong_lines(path: Path, whole: Counter[str]) -> int:
    """Return how many whole lines are not among those of an uninterrupted job, or too often."""
    lines = path.read_text("utf-8").split("\n")[:-1] if path.exists() else []
    for line in lines:
        json.loads(line)
    return sum((Counter(lines) - whole).values())


def main() -> None:
    wanted = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    draw = random.Random(1)
    kills = jobs = different = wrong = torn = 0
    while kills < wanted:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            make_documents(folder, draw)
            start(folder, "whole.jsonl").wait()
            whole = Counter((folder / "whole.jsonl").read_text("utf-8").split("\n")[:-1])
            out = folder / "answers.jsonl"
            while True:
                process = start(folder, out.name)
                time.sleep(draw.uniform(0.1, 1.4))
                process.kill()
                if process.wait() >= 0:
                    break
                kills += 1
                wrong += wrong_lines(out, whole)
                torn += (
                    out.exists() and not out.read_bytes().endswith(b"\n") and out.stat().st_size > 0
                )
            jobs += 1
            different += out.read_bytes() != (folder / "whole.jsonl").read_bytes()
    print(f"{kills} kills in {jobs} jobs of {_DOCUMENTS + 1} documents and 3 questions")
    print(f"lines wrong or doubled after a kill: {wrong}; files with a torn end: {torn}")
    print(f"finished files that differ from an uninterrupted one: {different}")


if __name__ == "__main__":
    main()
