"""Damage every file of a collection, and look at what asking and checking say then.

    python tests/benchmarks/damaged_files.py [--cases 200] [--seed 0]

A small collection of two segments is copied, one file of the copy is cut off at a random length or
gets a random bit flipped, every file in turn, and a fresh process runs `docqa ask --in` with a
question to each document and `docqa kb check`. The first table counts the outcomes of asking, by
the kind of file: the answers of the undamaged collection; an answer left out with a warning that
names its document; an error with exit code 2; an answer that is another one without a word (wrong);
a traceback, a panic of Rust or a crash. The last column counts the cases that the check saw.
The second table counts the messages of the errors.
"""

from __future__ import annotations

import argparse
import re
import shutil
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "helpers"))

from damaging import Outcome, cut_off, damages, files_of, flipped, made_collection, outcome
from killing import in_fresh_process

_KINDS = ("right", "warned", "error", "WRONG", "TRACEBACK", "seen by check")


def kind_of(path: Path) -> str:
    """Return the kind of a file in a few words."""
    if path.parent.name.startswith("index-"):
        return f"index *{path.suffix}" if path.suffix != ".json" else f"index {path.name}"
    return "documents/*" if path.parent.parent.name == "documents" else path.name


def judged(found: Outcome | None, right: Outcome) -> str:
    """Return the kind of an outcome; None is a process that died."""
    if found is None or found.has_traceback or found.ask_code not in (0, 1, 2):
        return "TRACEBACK"
    if found.ask_code == 2:
        return "error"
    if found.wrong(right.answers):
        return "WRONG"
    return "right" if found.answers == right.answers else "warned"


def message_of(errors: str) -> str:
    """Return the first message without its paths and numbers."""
    first = next((line for line in errors.splitlines() if line.startswith("docqa: error: ")), "")
    short = re.sub(r"\S*/[^\s:)]*", "PATH", first.removeprefix("docqa: error: "))
    return short.partition(". ")[0].partition("; ")[0]


def main() -> None:
    """Print the tables; leave with 1 where an answer is wrong, or anything breaks off."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--cases", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    counts: dict[str, Counter[str]] = {}
    messages: Counter[str] = Counter()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        address, start = made_collection(Path(folder)), Path(folder) / "start"
        right = in_fresh_process(outcome, address)
        if right.ask_code or right.check_code:
            sys.exit(f"the undamaged collection fails:\n{right.errors}{right.found}")
        shutil.copytree(address, start)
        names = [path.relative_to(address) for path in files_of(address)]
        for number, kind, chance in damages(options.cases, len(names), options.seed):
            shutil.rmtree(address)
            shutil.copytree(start, address)
            path = address / names[number]
            done = (cut_off if kind == "cut off" else flipped)(path, chance)
            try:
                found = in_fresh_process(outcome, address)
            except (EOFError, RuntimeError, TimeoutError) as error:
                print(f"{names[number]}, {done}: {error}")
                found = None
            result = judged(found, right)
            row = counts.setdefault(kind_of(path), Counter())
            row[result] += 1
            row["seen by check"] += found is not None and found.check_code == 2
            if found is not None and found.check_code != 2:
                print(f"check missed {names[number]}, {done}")
            if result in ("WRONG", "TRACEBACK") and found is not None:
                print(f"{result}: {names[number]}, {done}\n{found.errors}")
            if found is not None and result == "error":
                messages[message_of(found.errors)] += 1
    print(f"{'file':24}{'cases':>7}" + "".join(f"{kind:>15}" for kind in _KINDS))
    for name, row in [*sorted(counts.items()), ("all", sum(counts.values(), Counter()))]:
        cases = row.total() - row["seen by check"]
        print(f"{name:24}{cases:>7}" + "".join(f"{row[kind]:>15}" for kind in _KINDS))
    print()
    for message, count in messages.most_common():
        print(f"{count:>5}  {message}")
    print(f"{time.monotonic() - began:.0f} s")
    total = sum(counts.values(), Counter())
    sys.exit(1 if total["WRONG"] or total["TRACEBACK"] else 0)


if __name__ == "__main__":
    main()
