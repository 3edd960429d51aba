"""Search and ask a collection all the time while another process changes and compacts it.

    python tests/benchmarks/readers_during_writing.py [--seconds 20] [--readers 3]

Documents tell their generation in every sentence (`tests/helpers/generations.py`). A reader takes
snapshots and looks whether each document is whole and of one generation, never older than one that
was acknowledged before the snapshot; searches for words of all documents; and asks, where an answer
must be words of its document. Torn views and errors: 0 expected.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "helpers"))

from reading_along import Reads, read_during


def main() -> None:
    """Print the table; leave with 1 where anything is wrong."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=20.0, help="of each series")
    parser.add_argument("--readers", type=int, default=3)
    parser.add_argument("--folder", type=Path, help="where to work; on the disk that is meant")
    options = parser.parse_args()
    wrong = 0
    heads = ("commits", "views", "searches", "questions", "torn", "stale", "errors")
    print(f"{'':24}" + "".join(f"{head:>11}" for head in heads))
    for name, share in (("replacing, removing", 0.0), ("and compacting", 0.3)):
        with tempfile.TemporaryDirectory(dir=options.folder) as folder:
            commits, reads = read_during(
                Path(folder), seconds=options.seconds, n_readers=options.readers, compacts=share
            )
        total = sum(reads, Reads())
        figures = (commits, total.views, total.searches, total.questions)
        figures += (total.torn, total.stale, len(total.errors))
        print(f"{name:24}" + "".join(f"{figure:>11,}" for figure in figures), flush=True)
        for error in total.errors[:10]:
            print("   ", error)
        wrong += total.is_wrong
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
