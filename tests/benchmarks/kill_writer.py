"""Kill processes that change a collection, and look at what fresh ones find.

    python tests/benchmarks/kill_writer.py [--kills 100] [--seed 0]

A writer replaces, removes and adds small documents in a loop, by `add`, `remove` and `sync`, and
writes each acknowledged change into a file of its own, with fsync. It is killed at a random moment
(SIGKILL). A fresh process then checks that the collection opens, that `check()` finds nothing, that
every document is whole, of one generation and not older than the last acknowledged, and that it is
found; another one writes. A second series compacts in every other turn. Then `create` with the
first commit, `sync` and `compact` are killed at each step in turn: whenever they open a file for
writing, make, rename or delete one.
"""

from __future__ import annotations

import argparse
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from itertools import count
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "helpers"))

from generations import (
    change_at_random,
    compacts,
    expected,
    makes,
    prepare,
    problems_after_kill,
    problems_of_next_writer,
    syncs,
)
from killing import in_fresh_process, killed_at_random, killed_at_step

NAMES = ["one", "two", "three", "four", "five", "six", "seven", "eight"]
KINDS = ("unopenable", "torn", "lost", "unsearchable", "unwritable")


def at_random(folder: Path, *, kills: int, seed: int, compacts: float, within: float) -> list[str]:
    """Kill one writer after another on one collection; return what was found wrong."""
    address, sources, journal = folder / "kb", folder / "sources", folder / "journal"
    sources.mkdir()
    chance, found = random.Random(seed), []
    for number in range(kills):
        killed_at_random(
            change_at_random,
            *(address, sources, journal),
            chance=chance,
            after=journal,
            within=within,
            seed=seed + number,
            names=NAMES,
            compacts=compacts,
        )
        found += in_fresh_process(problems_after_kill, address, journal)
        found += in_fresh_process(problems_of_next_writer, address, sources)
    return found


def at_each_step(folder: Path, work: Callable[[Path], None]) -> tuple[int, list[str]]:
    """Kill a change at each of its steps, each time on the same collection; return their number."""
    case, start = folder / "case", folder / "start"  # documents are filed under their paths
    found: list[str] = []
    in_fresh_process(prepare, case, work is not makes)
    shutil.copytree(case, start)
    for step in count():
        killed = killed_at_step(step, work, case)
        address, journal = case / "kb", case / "journal"
        problems = in_fresh_process(problems_after_kill, address, journal)
        problems += in_fresh_process(problems_of_next_writer, address, case / "sources")
        found += [f"{each} (step {step})" for each in problems]
        if not killed:
            return step, found
        shutil.rmtree(case)
        shutil.copytree(start, case)
    raise AssertionError("a change without an end")


def row(name: str, kills: int, acknowledged: int | None, found: list[str], seconds: float) -> None:
    """Print a line of the table, and what is wrong below it."""
    counts = Counter(each.split(":")[0] for each in found)
    counts["torn"] += sum(count for kind, count in counts.items() if kind not in KINDS)
    shown = "-" if acknowledged is None else f"{acknowledged:,}"
    cells = "".join(f"{counts[kind]:>13}" for kind in KINDS)
    print(f"{name:28}{kills:>6}{shown:>14}{cells}{seconds:>8.0f}", flush=True)
    for each in found[:10]:
        print("   ", each)


def main() -> None:
    """Print the table; leave with 1 where anything is wrong."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--kills", type=int, default=100, help="of each random series")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", type=Path, help="where to work; on the disk that is meant")
    parser.add_argument("--within", type=float, default=0.3, help="seconds after it has begun")
    options = parser.parse_args()
    wrong = 0
    heads = "".join(f"{kind:>13}" for kind in KINDS)
    print(f"{'killed in':28}{'kills':>6}{'acknowledged':>14}{heads}{'s':>8}")
    for name, share in (("add, remove, sync", 0.0), ("the same and compact", 0.5)):
        with tempfile.TemporaryDirectory(dir=options.folder) as folder:
            began = time.monotonic()
            found = at_random(
                Path(folder),
                kills=options.kills,
                seed=options.seed,
                compacts=share,
                within=options.within,
            )
            promised = expected(Path(folder) / "journal")
            row(name, options.kills, promised.n_acknowledged, found, time.monotonic() - began)
            wrong += len(found)
    for name, work in (
        ("create, steps", makes),
        ("sync, steps", syncs),
        ("compact, steps", compacts),
    ):
        with tempfile.TemporaryDirectory(dir=options.folder) as folder:
            began = time.monotonic()
            kills, found = at_each_step(Path(folder), work)
            row(name, kills, None, found, time.monotonic() - began)
            wrong += len(found)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
