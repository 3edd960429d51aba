"""Compare loading in the isolated worker with loading in this process, on good files.

    DOCQA_DATA=.../data python tests/benchmarks/isolation_speed.py [--pages 100] [--rounds 5]

Both ways take turns, file by file and round by round. Wall and processor time (of this process
and the worker together; Linux) are medians over the rounds, added over the files; the ratio is
that of the sums. Files are PDFs of about 20 pages until there are `--pages`, and with data the
longest PDF of the development data and web pages of it put together to 5 MB. Last, what one
location, one copy by pickle and a cold command cost.
"""

from __future__ import annotations

import argparse
import os
import pickle
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from cold_ask import cut, make

import docqa
from docqa.datamodel import Span
from docqa.loaders.isolation import calls as isolation


def pdfs(pages: int, folder: Path) -> list[Path]:
    """Return PDFs of 20 pages or fewer with `pages` pages together, real ones where there are."""
    data = os.environ.get("DOCQA_DATA")
    sources = sorted((Path(data) / "dev/pdf-qa/pdfs").iterdir()) if data else []
    files = []
    for number in range(-(-pages // 20)):
        count = min(20, pages - 20 * number)
        files.append(folder / f"{number}.pdf")
        if sources:
            from pypdf import PdfReader

            fitting = (path for path in sources if len(PdfReader(path).pages) >= count)
            source = next(fitting)
            sources = sources[sources.index(source) + 1 :]
            cut(source, count, files[-1])
        else:
            make(count, files[-1])
    return files


def large_files(folder: Path) -> list[Path]:
    """Return the PDF with most pages, and web pages put together to 5 MB."""
    if "DOCQA_DATA" not in os.environ:
        return []
    from pypdf import PdfReader

    data = Path(os.environ["DOCQA_DATA"])
    longest = max((data / "dev/pdf-qa/pdfs").iterdir(), key=lambda path: len(PdfReader(path).pages))
    page, target = b"", folder / "5mb.html"
    for path in sorted((data / "robust/html").rglob("*.html")):
        page += path.read_bytes()
        if len(page) > 5_000_000:
            break
    target.write_bytes(b"<!doctype html>" + page[:5_000_000])
    return [longest, target]


def worker_seconds() -> float:
    """Return the processor time that the worker has used, 0 where that is unknown."""
    stat = Path(f"/proc/{isolation.worker_pid()}/stat")
    if not stat.exists():
        return 0.0
    fields = stat.read_text("ascii", "replace").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def timed(path: Path, *, isolate: bool) -> tuple[float, float]:
    """Return the seconds, on the clock and of processors, of one load."""
    before, used, started = worker_seconds(), time.process_time(), time.perf_counter()
    docqa.load(path, isolate=isolate).close()
    wall = time.perf_counter() - started
    return wall, time.process_time() - used + worker_seconds() - before


def compare(name: str, files: list[Path], rounds: int) -> None:
    """Print one row: sums over the files of medians over the rounds, and their ratios."""
    seconds: dict[bool, list[float]] = {}
    samples: dict[tuple[bool, Path], list[tuple[float, float]]] = {}
    for number in range(rounds + 1):
        for path in files:
            for isolate in (True, False) if number % 2 else (False, True):
                sample = timed(path, isolate=isolate)
                if number:  # the first round warms up
                    samples.setdefault((isolate, path), []).append(sample)
    for isolate in (False, True):
        medians = [
            [statistics.median(kind) for kind in zip(*samples[isolate, path], strict=True)]
            for path in files
        ]
        seconds[isolate] = [sum(kind) for kind in zip(*medians, strict=True)]
    (wall, cpu), (isolated_wall, isolated_cpu) = seconds[False], seconds[True]
    print(
        f"| {name} | {wall:.2f} | {isolated_wall:.2f} | {isolated_wall / wall:.2f} | {cpu:.2f} | "
        f"{isolated_cpu:.2f} | {isolated_cpu / cpu:.2f} |"
    )


def median_ms(call: Callable[[], object], times: int) -> float:
    """Return the median of the milliseconds that a call takes."""
    samples = []
    for _ in range(times):
        started = time.perf_counter()
        call()
        samples.append(time.perf_counter() - started)
    return 1000 * statistics.median(samples)


def print_small_costs(path: Path) -> None:
    """Print what a location and a copy cost in both ways."""
    for isolate in (False, True):
        document = docqa.load(path, isolate=isolate)
        spans = iter([Span(start, start + 30) for start in range(0, 3000, 10)])
        locate = median_ms(lambda: document.locate(next(spans)), 300)  # noqa: B023  # called here
        copied = pickle.dumps(document)
        copy = median_ms(lambda: pickle.loads(pickle.dumps(document)), 3)  # noqa: B023
        print(
            f"{path.name[:30]} {'isolated' if isolate else 'in process'}: one location "
            f"{locate:.2f} ms, pickled and back {copy:.0f} ms, {len(copied) / 1e6:.1f} MB"
        )


def compare_commands(path: Path, rounds: int) -> None:
    """Print what a cold `docqa ask` takes in both ways, medians of runs that take turns."""
    samples: dict[str, list[tuple[float, float]]] = {"--isolate": [], "--no-isolate": []}
    for _ in range(rounds):
        for option, taken in samples.items():
            started, used = time.perf_counter(), os.times()
            command = [sys.executable, "-m", "docqa", "ask", str(path), "What is it?", option]
            subprocess.run(command, capture_output=True, check=False)
            now = os.times()
            cpu = now.children_user - used.children_user
            cpu += now.children_system - used.children_system
            taken.append((time.perf_counter() - started, cpu))
    for option, taken in samples.items():
        wall, cpu = (statistics.median(kind) for kind in zip(*taken, strict=True))
        print(f"cold docqa ask {option}: {wall:.2f} s on the clock, {cpu:.2f} s of processors")


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pages", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files, large = pdfs(options.pages, folder), large_files(folder)
        started = time.perf_counter()
        isolation.call(len, "", source="nothing")
        print(f"the worker starts in {time.perf_counter() - started:.2f} s\n")
        print("| files | wall here | isolated | ratio | processor here | isolated | ratio |")
        print("|---|---|---|---|---|---|---|")
        compare(f"{options.pages} pages in {len(files)} PDFs", files, options.rounds)
        for path in large:
            compare(path.name[:40], [path], options.rounds)
        print()
        for path in [files[0], *large]:
            print_small_costs(path)
        print()
        compare_commands(files[0], options.rounds)


if __name__ == "__main__":
    main()
