"""Fill a small disk while a collection is made, changed and compacted on it.

    sudo python tests/benchmarks/full_disk.py [--megabytes 8]

The disk is an ext4 image, mounted through a loopback device (root is needed; where mounting is
refused, a tmpfs of the same size). A part of it is taken up by a file, so that the change does not
fit, more of it in each round. Expected each time: one `CollectionError` that says that the disk is
full, `check()` finds nothing, all documents are those of the last commit, and when the file is
deleted the same change works.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "helpers"))

from full_disks import Outcome, filled, outcome
from generations import collection_in, write_source

from docqa.collection.collection import Collection

NAMES = ["one", "two", "three", "four", "five", "six", "seven", "eight"]


@contextmanager
def small_disk(megabytes: int) -> Iterator[tuple[str, Path]]:
    """Yield the kind of a mounted file system and its folder."""
    with tempfile.TemporaryDirectory() as folder:
        image, mounted = Path(folder) / "image", Path(folder) / "disk"
        mounted.mkdir()
        with image.open("wb") as file:
            file.truncate(megabytes << 20)
        subprocess.run(["mkfs.ext4", "-q", "-m", "0", image], check=True)
        kind, command = "ext4, loopback", ["mount", "-o", "loop", str(image), str(mounted)]
        if subprocess.run(command, check=False, capture_output=True).returncode:
            kind = "tmpfs"
            size = f"size={megabytes}m"
            subprocess.run(["mount", "-t", "tmpfs", "-o", size, "tmpfs", mounted], check=True)
        try:
            yield kind, mounted
        finally:
            subprocess.run(["umount", "-l", mounted], check=True)


def sources(folder: Path, generation: int) -> None:
    """Write a generation of all documents."""
    for name in NAMES:
        write_source(folder, name, generation)


def tried(
    name: str, disk: Path, room: int, before: Callable[[Collection], None], act: Callable[..., None]
) -> Outcome:
    """Return the outcome of a change with `room` bytes free, on a collection of its own."""
    address = disk / "kb"
    shutil.rmtree(address, ignore_errors=True)
    collection = collection_in(address)
    before(collection)
    with filled(disk, leaving=room):
        found = outcome(collection, lambda: act(collection))
    again = outcome(collection, lambda: act(collection))
    print(f"{name:10}{room >> 10:>8} kB  {found}\n{'':22}with room again: {again}", flush=True)
    return found if found.is_wrong else again


def main() -> None:
    """Print what happens; leave with 1 where anything is wrong."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--megabytes", type=int, default=8)
    options = parser.parse_args()
    if os.geteuid():
        sys.exit("mounting needs root: run it with sudo")
    wrong = 0
    with small_disk(options.megabytes) as (kind, disk), tempfile.TemporaryDirectory() as folder:
        print(f"{kind}, {options.megabytes} MB")
        old = Path(folder)
        sources(old, 1)

        def nothing(collection: Collection) -> None:
            del collection

        def made(collection: Collection) -> None:
            sources(old, 1)
            collection.sync(old)

        def indexes(collection: Collection) -> None:
            collection.sync(old)

        def replaces(collection: Collection) -> None:
            sources(old, 2)
            collection.sync(old)

        cases = (
            ("index", nothing, indexes),
            ("replace", made, replaces),
            ("compact", made, Collection.compact),
        )
        for name, before, act in cases:
            for kilobytes in (0, 8, 16, 32, 48, 64, 96, 128, 192):
                wrong += tried(name, disk, kilobytes << 10, before, act).is_wrong
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
