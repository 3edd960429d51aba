"""A writer that is killed: what was acknowledged stays, whole.

The long form is tests/benchmarks/kill_writer.py.
"""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest
from generations import (
    change_at_random,
    collection_in,
    compacts,
    expected,
    makes,
    prepare,
    problems_after_kill,
    problems_of_next_writer,
    syncs,
)
from killing import in_fresh_process, killed_at_random, killed_at_step

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.name == "nt", reason="there is no SIGKILL on Windows"),
]


def problems(folder: Path) -> list[str]:
    """Return what fresh processes find wrong."""
    found = in_fresh_process(problems_after_kill, folder / "kb", folder / "journal")
    found += in_fresh_process(problems_of_next_writer, folder / "kb", folder / "sources")
    return list(found)


@pytest.mark.parametrize("share", [0.0, 0.5], ids=["changes", "changes and compactions"])
def test_killed_at_random(tmp_path: Path, share: float) -> None:
    """Every document is whole, of one generation, and not older than acknowledged."""
    (tmp_path / "sources").mkdir()
    chance = random.Random(1)
    for number in range(3):
        killed_at_random(
            change_at_random,
            *(tmp_path / "kb", tmp_path / "sources", tmp_path / "journal"),
            chance=chance,
            after=tmp_path / "journal",
            within=0.2,
            seed=number,
            names=["a", "b", "c", "d"],
            compacts=share,
        )
        assert problems(tmp_path) == []
    assert expected(tmp_path / "journal").n_acknowledged > 0


@pytest.mark.parametrize("work", [makes, syncs, compacts])
def test_killed_at_a_step(tmp_path: Path, work: object) -> None:
    """So it is where a file was just opened, made, renamed or deleted, also the very first."""
    for step in (1, 4, 8, 11):
        folder = tmp_path / str(step)
        in_fresh_process(prepare, folder, work is not makes)
        killed_at_step(step, work, folder)  # type: ignore[arg-type]
        assert problems(folder) == []


def test_what_is_lost_would_be_seen(tmp_path: Path) -> None:
    """The look at what is left is no empty one: a document that goes unsaid, or a body, is told."""
    in_fresh_process(prepare, tmp_path, True)
    assert problems(tmp_path) == []
    collection_in(tmp_path / "kb").remove(tmp_path / "sources" / "one.txt")
    assert problems(tmp_path) == ["lost: one is of generation 0, not of [2]"]
    for body in (tmp_path / "kb" / "documents").glob("*/*"):
        body.unlink()
    found = in_fresh_process(problems_after_kill, tmp_path / "kb", tmp_path / "journal")
    assert any(each.startswith(("torn", "unopenable")) for each in found)
