"""Pools of workers: the same results in the same order, whoever works."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from worker_jobs import Squares, die_at_3, fail_at_3, wait_at_0

from docqa.errors import DocqaError, SettingError
from docqa.workers.pool import LocalPool, Pool
from docqa.workers.process_pool import ProcessPool

POOLS = [LocalPool(), ProcessPool(2)]


def lost(number: int, error: DocqaError) -> int:
    assert "ended" in str(error)
    return -number


@pytest.mark.parametrize("pool", POOLS, ids=["local", "processes"])
def test_results_come_in_order(pool: Pool, tmp_path: Path) -> None:
    """Every item gives one result, in the order of the items; each worker opens once."""
    found = list(pool.run(Squares(tmp_path), range(9), on_lost=lost))
    assert found == [number * number for number in range(9)]
    assert len(list(tmp_path.glob("worker-*"))) <= 2


@pytest.mark.parametrize("pool", POOLS, ids=["local", "processes"])
def test_items_are_taken_as_room_becomes_free(pool: Pool, tmp_path: Path) -> None:
    """A million items are not in memory at once."""
    taken: list[int] = []

    def items() -> Iterator[int]:
        for number in range(1_000_000):
            taken.append(number)
            yield number

    results = pool.run(Squares(tmp_path), items(), on_lost=lost)
    assert [next(results), next(results)] == [0, 1]
    results.close()  # type: ignore[attr-defined]
    assert len(taken) < 10


@pytest.mark.parametrize("pool", POOLS, ids=["local", "processes"])
def test_what_the_work_raises_reaches_the_caller(pool: Pool) -> None:
    """The exception is the work's own, after the results before it."""
    results = pool.run(fail_at_3, range(9), on_lost=lost)
    assert [next(results) for _ in range(3)] == [0, 1, 4]
    with pytest.raises(ValueError, match="3 is refused"):
        next(results)


def test_an_item_that_ends_its_process_is_given_up_alone() -> None:
    """All others come out, those that died with it too."""
    found = list(ProcessPool(2).run(die_at_3, range(7), on_lost=lost))
    assert found == [0, 1, 4, -3, 16, 25, 36]


def test_results_can_come_as_they_are_ready() -> None:
    """A slow item keeps no other one waiting."""
    found = list(ProcessPool(2).run(wait_at_0, range(5), on_lost=lost, ordered=False))
    assert (sorted(found), found[0] == 0) == ([0, 1, 4, 9, 16], False)


def test_a_lost_item_is_found_in_any_order() -> None:
    """All others come out, those that died with it too."""
    found = ProcessPool(2).run(die_at_3, range(7), on_lost=lost, ordered=False)
    assert sorted(found) == [-3, 0, 1, 4, 16, 25, 36]


@pytest.mark.parametrize(("n_items", "n_workers"), [(2, 0), (3, 2)])
def test_few_items_start_no_process(n_items: int, n_workers: int, tmp_path: Path) -> None:
    """They are done in this process."""
    found = list(ProcessPool(2, few=2).run(Squares(tmp_path), range(n_items), on_lost=lost))
    others = [each for each in tmp_path.glob("worker-*") if each.name != f"worker-{os.getpid()}"]
    assert found == [number * number for number in range(n_items)]
    assert min(n_workers, 1) <= len(others) <= n_workers


def test_there_is_at_least_one_worker() -> None:
    """Zero workers would wait for ever."""
    with pytest.raises(SettingError, match="at least 1"):
        ProcessPool(0)
