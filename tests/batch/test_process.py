"""``docqa batch`` as a process that is killed."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

# The fake reader under the revision of the shipped weights; it takes its time over each question.
DRIVER = """
import time
import docqa
from docqa.batch import asking, job
from docqa.cli import main
from docqa.reader.checkpoints import find_checkpoint
from docqa.testing import FakeReader

class SlowReader(FakeReader):
    revision = find_checkpoint("cascade").revision
    def read_all(self, requests, *, top_k):
        time.sleep(0.01 * len(requests))
        return super().read_all(requests, top_k=top_k)

job._QUESTIONS_PER_JOB = 2
asking.open_pipeline = lambda settings: docqa.Pipeline(reader=SlowReader())
main(prog_name="docqa")
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("docs").mkdir()
    for number in range(24):
        Path(f"docs/{number:02}.txt").write_text(
            f"The lamp of tower {number} is {number * 7} feet up.\n"
        )
    Path("docs/broken.pdf").write_bytes(b"no PDF")
    Path("questions.txt").write_text("Where is the lamp?\nWhich tower is 70 feet up?\nWho left?\n")


def start(out: str) -> subprocess.Popen[bytes]:
    here = os.pathsep.join(path for path in sys.path if path)
    arguments = ["batch", "questions.txt", "docs", "--no-isolate", "--out", out]
    return subprocess.Popen(
        [sys.executable, "-c", DRIVER, *arguments],
        env={**os.environ, "PYTHONPATH": here},
        stderr=subprocess.PIPE,
    )


def grown(path: Path, process: subprocess.Popen[bytes]) -> None:
    """Wait until the job has written something more, or is done."""
    size = path.stat().st_size if path.exists() else 0
    while process.poll() is None and (not path.exists() or path.stat().st_size <= size):
        time.sleep(0.01)


def test_killed_at_random_moments_it_comes_to_the_same_file() -> None:
    """After each kill -9 the same command goes on; the file is that of an uninterrupted run."""
    with start("whole.jsonl") as process:
        process.communicate(timeout=120)
    draw = random.Random(5)
    kills = 0
    for _ in range(8):
        with start("answers.jsonl") as process:
            grown(Path("answers.jsonl"), process)
            time.sleep(draw.uniform(0, 0.1))
            process.kill()
            kills += process.wait() == -signal.SIGKILL
    assert kills >= 3, "the job was done too soon to be killed"
    with start("answers.jsonl") as process:
        process.communicate(timeout=120)
        assert process.returncode == 2
    assert Path("answers.jsonl").read_bytes() == Path("whole.jsonl").read_bytes()


@pytest.mark.skipif(os.name == "nt", reason="sends SIGINT as a terminal does")
def test_interrupt_says_how_to_go_on() -> None:
    """Ctrl-C ends with 130 and one line; what is in the file is whole."""
    with start("answers.jsonl") as process:
        grown(Path("answers.jsonl"), process)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=120)
    assert process.returncode == 130
    assert b"docqa: stopped; answers.jsonl has " in err
    assert Path("answers.jsonl").read_bytes().endswith(b"\n")
