"""Load and ask files made to hurt, and print the outcome of each.

    python tests/benchmarks/hostile_files.py [NAME ...] [--load-only] [--patience 300]

The files are those of ``tests/helpers/hostile.py``, made again. Each is loaded in the isolated
worker under the default limits and asked one question in this process, as the command does. The
table says what came of it: the error, or the document's size and its warnings; seconds on the clock
for loading and for the rest; the highest memory of the worker and of this process (VmHWM; Linux).
"""

from __future__ import annotations

import argparse
import re
import signal
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from types import FrameType

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "helpers"))

import hostile

import docqa
from docqa.loaders.isolation import calls as isolation

QUESTION = "When was the lamp lit?"


class Peak(threading.Thread):
    """Sample the worker's peak memory, whichever process the worker is."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.megabytes = 0.0

    def run(self) -> None:
        """Look fifty times a second."""
        while True:
            pid = isolation.worker_pid()
            if pid is not None:
                self.megabytes = max(self.megabytes, high_water(str(pid)))
            time.sleep(0.02)


def high_water(pid: str) -> float:
    """Return the highest resident memory of a process in MB, 0 where that is unknown."""
    with suppress(OSError):
        status = Path(f"/proc/{pid}/status").read_text("ascii", "replace")
        match = re.search(r"^VmHWM:\s+(\d+)", status, re.MULTILINE)
        return int(match[1]) / 1024 if match else 0.0
    return 0.0


def forget_high_water() -> None:
    """Let this process's peak start from what it holds now."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5", "ascii")


def give_up(signum: int, frame: FrameType | None) -> None:
    """End a file that takes too long here."""
    raise TimeoutError("THE CALLER HANGS")


def row(name: str, pipeline: docqa.Pipeline | None, peak: Peak) -> str:
    """Return one line of the table."""
    data = hostile.FILES[name]()
    isolation.stop()
    peak.megabytes = 0.0
    forget_high_water()
    started = loaded = time.perf_counter()
    outcome = ""
    try:
        document = docqa.load(data, name=name, isolate=True)
        loaded = time.perf_counter()
        outcome = f"{len(document.text):,} characters"
        outcome += "".join(f"; {warning.message}" for warning in document.warnings[:2])
        if pipeline is not None:
            answers = pipeline.ask(document, QUESTION, min_score=0.0)
            outcome += f"; answer {answers[0].text[:40]!r}" if answers else "; no answer"
    except docqa.DocqaError as error:
        outcome += f" {type(error).__name__}: {error}"
    except (Exception, TimeoutError) as error:
        outcome += f" UNEXPECTED {type(error).__name__}: {error}"
    ended = time.perf_counter()
    if loaded == started:
        loaded = ended
    time.sleep(0.05)
    return (
        f"| {name} | {len(data) / 1e6:.2f} | {loaded - started:.1f} | {ended - loaded:.1f} | "
        f"{peak.megabytes:,.0f} | {high_water('self'):,.0f} | {outcome.strip()[:230]} |"
    )


def main() -> None:
    """Print the table, line by line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--load-only", action="store_true")
    parser.add_argument("--patience", type=int, default=300, help="seconds for one file")
    parser.add_argument("names", nargs="*", help="files, or their suffixes: pdf, html, txt, md")
    options = parser.parse_args()
    chosen = [
        name
        for name in hostile.FILES
        if not options.names or {name, name.rpartition(".")[2]} & {*options.names}
    ]
    pipeline = None if options.load_only else docqa.Pipeline()
    if pipeline is not None:
        pipeline.ask(b"The lamp was lit in 1871.", QUESTION)
    peak = Peak()
    peak.start()
    signal.signal(signal.SIGALRM, give_up)
    print(f"limits: {docqa.Limits()}\n")
    print("| file | MB | load s | ask s | worker MB | caller MB | what happened |")
    print("|---|---|---|---|---|---|---|")
    for name in chosen:
        signal.alarm(options.patience)
        print(row(name, pipeline, peak), flush=True)
        signal.alarm(0)


if __name__ == "__main__":
    main()
