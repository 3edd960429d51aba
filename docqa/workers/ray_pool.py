"""Work on the machines of a Ray cluster.

Each worker is a Ray actor that keeps its copy of the work. Items are sent as they are, through
Ray's object store: the machines need no disk in common with this one. Ray does not repeat
anything by itself here (no restarts of actors, no retries of calls): a repeated call would wait for
its dead actor's place on a machine that is gone, while others are idle. The items of a lost worker
are given to another one instead.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, Generic

from docqa.errors import ClusterError, SettingError
from docqa.workers.pool import Item, Lost, Result, Work
from docqa.workers.ray_cluster import Cluster, RayWorker, connected

__all__ = ["RayPool"]

_ITEMS_PER_WORKER = 2  # one under way, one already there when it ends
_OPEN_ITEMS_PER_WORKER = 8  # under way, or done and waiting for an earlier one
_DEATHS = 3  # of workers, after which an item is not given to another one
_LOOK_AGAIN = 5.0  # seconds, for workers of machines that joined


class RayPool:
    """A pool of workers on a Ray cluster, as many as it has room for.

    A machine that is lost in the middle costs time alone: others do its items again. Machines that
    join are used. Without room for a single worker it waits `patience` seconds.

    Args:
        address: of the cluster, as ``ray.init`` takes it: ``"auto"`` for the one that this machine
            belongs to, ``"host:6379"``, ``"ray://host:10001"``, or ``"local"`` to start Ray on this
            machine alone.
        workers: the most of them; None for one for every GPU (with `gpus`, where the cluster has
            any), else for every `cpus_per_worker` processors.
        gpus: workers compute on GPUs where the cluster has any, one each.
        cpus_per_worker: processors of one worker, and the threads that it computes with.
        patience: seconds to wait for the first worker, and for another one when all are lost.

    Raises:
        SettingError: a number is out of its range.
    """

    shares_files = False

    def __init__(
        self,
        address: str,
        *,
        workers: int | None = None,
        gpus: bool = False,
        cpus_per_worker: int = 1,
        patience: float = 120.0,
    ) -> None:
        if (workers is not None and workers < 1) or cpus_per_worker < 1:
            raise SettingError("a cluster needs at least 1 worker with at least 1 processor")
        self._address, self._workers, self._gpus = address, workers, gpus
        self._cpus_per_worker, self._patience = cpus_per_worker, patience

    def run(
        self,
        work: Work[Item, Result],
        items: Iterable[Item],
        *,
        on_lost: Lost[Item, Result],
        ordered: bool = True,
    ) -> Iterator[Result]:
        """Yield the result of `work` for each item; see `Pool.run`.

        Raises:
            ClusterError: the cluster cannot be reached, has no room for a worker, or its machines
                lack this version of docqa.
            MissingDependencyError: Ray is not installed.
        """
        with connected(
            self._address, work, gpus=self._gpus, cpus_per_worker=self._cpus_per_worker
        ) as cluster:
            schedule = _Schedule[Item, Result](cluster, iter(items), on_lost, ordered=ordered)
            yield from schedule.results(most=self._workers, patience=self._patience)


class _Task(Generic[Item]):
    """An item until its result is there."""

    def __init__(self, number: int, item: Item, stored: Any) -> None:
        self.number, self.item, self.stored = number, item, stored
        self.deaths = 0


class _Schedule(Generic[Item, Result]):
    """The items of one run: which worker has which, and which are done."""

    def __init__(
        self,
        cluster: Cluster,
        items: Iterator[Item],
        on_lost: Lost[Item, Result],
        *,
        ordered: bool,
    ) -> None:
        self._cluster, self._items, self._on_lost = cluster, enumerate(items), on_lost
        self._ordered, self._next = ordered, 0
        self._workers: list[RayWorker] = []
        self._backlog: deque[_Task[Item]] = deque()
        self._under_way: dict[Any, tuple[RayWorker, _Task[Item]]] = {}
        self._done: dict[int, Result] = {}
        self._n_open = 0  # taken and not yet yielded
        self._last_look = self._last_sign = 0.0

    def results(self, *, most: int | None, patience: float) -> Iterator[Result]:
        self._last_sign = time.monotonic()
        while True:
            self._hire(most)
            self._take()
            self._hand_out()
            while (number := self._next_done()) is not None:
                yield self._done.pop(number)
                self._next, self._n_open = self._next + 1, self._n_open - 1
                self._take()
                self._hand_out()  # the caller may take its time over a result
            if not self._n_open:
                return
            self._wait(patience)

    def _next_done(self) -> int | None:
        """Return the number of the item whose result is to be yielded now; None for none yet."""
        if self._ordered:
            return self._next if self._next in self._done else None
        return next(iter(self._done), None)

    def _hire(self, most: int | None) -> None:
        """Start workers wherever there is room for them."""
        if self._workers and time.monotonic() - self._last_look < _LOOK_AGAIN:
            return
        self._last_look = time.monotonic()
        room = max(1, self._cluster.n_places())
        while len(self._workers) < (room if most is None else min(room, most)):
            self._workers.append(self._cluster.start_worker())

    def _take(self) -> None:
        room = len(self._workers) * _OPEN_ITEMS_PER_WORKER - self._n_open
        wanted = len(self._workers) * _ITEMS_PER_WORKER - len(self._under_way) - len(self._backlog)
        for number, item in islice(self._items, max(0, min(room, wanted))):
            self._backlog.append(_Task(number, item, self._cluster.store(item)))
            self._n_open += 1

    def _hand_out(self) -> None:
        """Give the backlog to the workers that have the fewest items."""
        for had in range(_ITEMS_PER_WORKER):
            for worker in self._workers:
                if self._backlog and worker.is_ready and len(worker.calls) == had:
                    task = self._backlog.popleft()
                    call = worker.call(task.stored)
                    self._under_way[call] = worker, task

    def _wait(self, patience: float) -> None:
        """Wait for a worker's start or an item's end, and record it.

        Raises:
            ClusterError: there has been no worker for `patience` seconds.
        """
        starting = {worker.start: worker for worker in self._workers if not worker.is_ready}
        seconds = min(_LOOK_AGAIN, patience)
        ready = self._cluster.wait([*starting, *self._under_way], seconds=seconds)
        for reference in ready:
            self._last_sign = time.monotonic()
            if reference in starting:
                self._started(starting[reference])
            elif reference in self._under_way:  # not so where its worker was found dead just now
                self._ended(reference)
        if any(worker.is_ready for worker in self._workers):
            return
        if time.monotonic() - self._last_sign > patience:
            raise ClusterError(
                f"no worker could start within {patience:g} seconds: {self._cluster.describe()}; "
                "free some of it, or let machines join"
            )

    def _started(self, worker: RayWorker) -> None:
        if not worker.check_start():
            self._dismiss(worker)

    def _ended(self, call: Any) -> None:
        worker, task = self._under_way[call]
        succeeded, result = self._cluster.result(call)
        if not succeeded:
            self._under_way[worker.calls[0]][1].deaths += 1  # what it was at
            self._dismiss(worker)
            return
        del self._under_way[call]
        worker.calls.remove(call)
        self._done[task.number] = result

    def _dismiss(self, worker: RayWorker) -> None:
        """Part with a worker that was lost, and put its items back, first in line."""
        self._workers.remove(worker)
        worker.kill()
        for call in reversed(worker.calls):
            task = self._under_way.pop(call)[1]
            if task.deaths < _DEATHS:
                self._backlog.appendleft(task)
                continue
            why = (
                f"{_DEATHS} workers ended while they had it; it may crash them or need more memory"
            )
            self._done[task.number] = self._on_lost(task.item, ClusterError(why))
        self._last_look = 0.0  # there is room for another one, here or elsewhere
