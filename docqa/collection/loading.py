"""Take in many sources, in this process or in several."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from itertools import islice

from docqa.collection.ingest import Ingested, Job, Recipe, ingest
from docqa.collection.records import FailedSource

__all__ = ["IngestAll", "ingest_in_processes"]

IngestAll = Callable[[Recipe, Iterable[Job]], Iterator[Ingested]]
"""Takes in sources somewhere else; yields what comes of each, in any order."""

_WAITING = 2  # jobs of each process that are handed out beforehand


def ingest_in_processes(workers: int) -> IngestAll:
    """Return what takes in sources in so many processes.

    Each starts an interpreter of its own, so a script must guard its start with
    ``if __name__ == "__main__":``. A source whose process dies is tried once more, alone, and
    fails if it does so again.
    """

    def run(recipe: Recipe, jobs: Iterable[Job]) -> Iterator[Ingested]:
        left, lost = iter(jobs), list[Job]()
        while True:
            yield from _until_broken(workers, recipe, left, lost)
            if not lost:
                return
            for job in lost:
                yield from _alone(recipe, job)
            lost.clear()

    return run


def _until_broken(
    workers: int, recipe: Recipe, jobs: Iterator[Job], lost: list[Job]
) -> Iterator[Ingested]:
    """Yield what comes of jobs until all are done or a process dies, its jobs in `lost`.

    Where it is broken off, by Ctrl-C for one, nobody waits for the sources that are being loaded.
    """
    running: dict[Future[Ingested], Job] = {}
    pool = _pool(workers)
    try:
        while True:
            for job in islice(jobs, workers * _WAITING - len(running)):
                lost.append(job)  # should the pool be broken already
                running[pool.submit(ingest, recipe, job)] = job
                lost.pop()
            if not running:
                break
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                result = future.result()
                del running[future]
                yield result
    except BrokenProcessPool:
        lost += running.values()
    finally:
        pool.shutdown(wait=not running, cancel_futures=True)


def _alone(recipe: Recipe, job: Job) -> Iterator[Ingested]:
    with _pool(1) as pool:
        try:
            yield pool.submit(ingest, recipe, job).result()
        except BrokenProcessPool:
            yield FailedSource(
                key=job.key,
                kind="LoaderCrashedError",
                message=f"{job.key}: it ends the process that loads it; index it with isolation on",
                failed=time.time(),
                folder=job.folder,
                metadata=dict(job.metadata),
            )


def _pool(workers: int) -> ProcessPoolExecutor:
    context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(workers, mp_context=context, initializer=_begin)


def _begin() -> None:
    """Leave Ctrl-C to the parent, and the cores to one another; end when the parent ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """End this process when its parent is gone, killed or not: nobody would give it work."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
