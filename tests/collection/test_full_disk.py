"""A disk without room: one clear error, and what was committed before is intact.

The long form, on ext4, is tests/benchmarks/full_disk.py.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from full_disks import NAMES, filled, outcome, tell_with_small_files, write_all
from generations import collection_in
from killing import in_fresh_process

pytestmark = pytest.mark.slow


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """Yield a file system of 4 MB; skip the test where none can be mounted."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if not hasattr(os, "geteuid") or os.geteuid():
        pytest.skip("mounting a small file system needs root")
    command = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(folder)]
    if subprocess.run(command, check=False, capture_output=True).returncode:
        pytest.skip("a small file system cannot be mounted here")
    yield folder  # an index that is still mapped keeps it busy: -l
    subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.mark.parametrize("room", [0, 8 << 10, 24 << 10])
def test_no_room_for_the_first_commit(disk: Path, tmp_path: Path, room: int) -> None:
    """Making a collection fails with one clear error, and works when there is room."""
    collection = collection_in(disk / "kb")
    write_all(tmp_path, 1)
    with filled(disk, leaving=room):
        found = outcome(collection, lambda: collection.sync(tmp_path))
    assert found.error is not None
    assert not found.is_wrong, str(found)
    assert not outcome(collection, lambda: collection.sync(tmp_path)).error
    assert len(collection.documents()) == len(NAMES)


@pytest.mark.parametrize("room", [0, 8 << 10, 16 << 10])
@pytest.mark.parametrize("change", ["replace", "compact"])
def test_no_room_for_a_change(disk: Path, tmp_path: Path, room: int, change: str) -> None:
    """Whether it fits or not, the documents are whole; it works when there is room."""
    collection = collection_in(disk / "kb")
    for generation in (1, 2):
        write_all(tmp_path, generation)
        collection.sync(tmp_path)
    write_all(tmp_path, 3)

    def act() -> None:
        if change == "compact":
            collection.compact()
        else:
            collection.sync(tmp_path)

    with filled(disk, leaving=room):
        found = outcome(collection, act)
    assert not found.is_wrong, str(found)
    assert found.error is not None or room
    again = outcome(collection, act)
    assert again.error is None
    assert again.is_intact


@pytest.mark.skipif(os.name == "nt", reason="there is no limit for the size of files on Windows")
def test_files_that_cannot_grow(tmp_path: Path) -> None:
    """Any failure to write is a CollectionError, and nothing of the change is seen."""
    told = in_fresh_process(tell_with_small_files, tmp_path)
    assert told == ("CollectionError", True)
