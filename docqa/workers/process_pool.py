"""Work in several processes of this machine."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from itertools import chain, islice
from multiprocessing import connection
from typing import Any, Generic

from docqa.errors import ClusterError, SettingError
from docqa.workers.pool import Item, Lost, Result, Work

__all__ = ["ProcessPool"]

_ITEMS_PER_WORKER = 2  # one under way, one waiting for it to end
_TRIES_ALONE = 2


class ProcessPool:
    """A pool of `workers` processes of this machine.

    A process that dies takes no other item with it: its items are done again, and an item that
    ends its process even when it is alone in it is given up. Processes are started afresh (spawn),
    so `work` must be importable by name, and a script must guard its start with
    ``if __name__ == "__main__":``. They end with this process, however that ends.

    Args:
        workers: number of processes; they share the machine's cores.
        few: up to this number of items are done in this process: to start others takes longer.

    Raises:
        SettingError: `workers` is below 1.
    """

    shares_files = True

    def __init__(self, workers: int, *, few: int = 0) -> None:
        if workers < 1:
            raise SettingError(f"workers must be at least 1, not {workers}")
        self._workers, self._few = workers, few

    def run(
        self,
        work: Work[Item, Result],
        items: Iterable[Item],
        *,
        on_lost: Lost[Item, Result],
        ordered: bool = True,
    ) -> Iterator[Result]:
        """Yield the result of `work` for each item; see `Pool.run`."""
        rest = iter(items)
        if self._few:
            first = list(islice(rest, self._few + 1))
            if len(first) <= self._few:
                yield from map(work, first)
                return
            rest = chain(first, rest)
        with _Processes[Item, Result](self._workers, work, on_lost) as processes:
            yield from processes.results(rest, ordered=ordered)


class _Processes(Generic[Item, Result]):
    """The processes of one run; a broken set of them is replaced."""

    def __init__(self, workers: int, work: Work[Item, Result], on_lost: Lost[Item, Result]) -> None:
        self._workers, self._on_lost = workers, on_lost
        self._pickled = pickle.dumps(work)
        self._executor = self._open(workers)
        self._under_way: deque[tuple[Item, Future[Result]]] = deque()

    def __enter__(self) -> _Processes[Item, Result]:
        return self

    def __exit__(self, *exception: object) -> None:
        self._executor.shutdown(wait=False, cancel_futures=True)

    def results(self, items: Iterator[Item], *, ordered: bool) -> Iterator[Result]:
        while True:
            room = self._workers * _ITEMS_PER_WORKER - len(self._under_way)
            self._under_way.extend((item, self._submit(item)) for item in islice(items, room))
            if not self._under_way:
                return
            item, future = self._under_way.popleft() if ordered else self._next_done()
            try:
                result = future.result()
            except BrokenProcessPool:
                # Whose fault it was cannot be seen: this item goes alone, the others again.
                self._executor.shutdown(wait=False)
                self._executor = self._open(self._workers)
                result = self._alone(item)
                self._under_way = deque(
                    (other, its if _is_done(its) else self._submit(other))
                    for other, its in self._under_way
                )
            yield result

    def _next_done(self) -> tuple[Item, Future[Result]]:
        """Wait for an item that is done, and return it: the earliest, where there are several."""
        wait([future for _, future in self._under_way], return_when=FIRST_COMPLETED)
        done = next(each for each in self._under_way if each[1].done())
        self._under_way = deque(each for each in self._under_way if each is not done)
        return done

    def _alone(self, item: Item) -> Result:
        for _ in range(_TRIES_ALONE):
            with self._open(1) as executor:
                try:
                    result: Result = executor.submit(_do, item).result()
                    return result
                except BrokenProcessPool:
                    continue
        why = "the process that worked on it ended; it may have crashed or run out of memory"
        return self._on_lost(item, ClusterError(why))

    def _submit(self, item: Item) -> Future[Result]:
        try:
            return self._executor.submit(_do, item)
        except BrokenProcessPool as error:
            failed: Future[Result] = Future()
            failed.set_exception(error)
            return failed

    def _open(self, workers: int) -> ProcessPoolExecutor:
        return ProcessPoolExecutor(
            workers,
            mp_context=multiprocessing.get_context("spawn"),  # forking with threads is unsafe
            initializer=_begin,
            initargs=(self._pickled, _threads(self._workers)),
        )


def _is_done(future: Future[Any]) -> bool:
    return future.done() and not isinstance(future.exception(), BrokenProcessPool)


def _threads(workers: int) -> int:
    """Return how many threads a worker may compute with, so that all have the machine's cores."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return max(1, (cores or 1) // workers)


_work: Callable[[Any], Any]  # of this process, where it is a worker


def _begin(pickled: bytes, threads: int) -> None:
    """Make this process a worker, which ends at once on Ctrl-C and when its parent ends."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    for library in ("OMP", "RAYON"):  # PyTorch's and tokenizers'; read when they are loaded
        os.environ.setdefault(f"{library}_NUM_THREADS", str(threads))
    threading.Thread(target=_end_with_parent, daemon=True).start()
    global _work  # noqa: PLW0603 - a worker's one piece of work
    _work = pickle.loads(pickled)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)


def _do(item: Any) -> Any:
    return _work(item)
