"""The options that say where work is done: processes here, or a Ray cluster."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from docqa.cli.options import with_options

if TYPE_CHECKING:
    from docqa.workers.pool import Pool

__all__ = ["MOST_JOBS", "loading_pool", "loading_pool_options", "open_pool", "pool_options"]

MOST_JOBS = 8  # processes; each has a loader of its own under it, and the disk is one
_FEW = 4  # files; to start processes for them takes longer than to read them

_Command = TypeVar("_Command", bound=Callable[..., Any])


def pool_options(command: _Command) -> _Command:
    """Add ``--workers`` and ``--ray``; the command gets them as `workers` and `ray_address`."""
    workers = click.option(
        "--workers",
        type=click.IntRange(min=1),
        metavar="N",
        help="Processes that work; with --ray at most N. By default this one, and with"
        " --ray one for every GPU of the cluster, or every processor where it has none.",
    )
    return with_options(command, workers, _ray_option("Work"))


def loading_pool_options(command: _Command) -> _Command:
    """Add ``--jobs`` and ``--ray``; the command gets them as `jobs` and `ray_address`."""
    jobs = click.option(
        "--jobs",
        type=click.IntRange(min=1),
        metavar="N",
        help="Load N files at a time, each in a process of its own; by default one for each"
        f" processor, at most {MOST_JOBS}.",
    )
    return with_options(command, jobs, _ray_option("Load"))


def _ray_option(work: str) -> Callable[[_Command], _Command]:
    return click.option(
        "--ray",
        "ray_address",
        metavar="ADDRESS",
        envvar="DOCQA_RAY",
        help=f"{work} on the machines of a Ray cluster: auto, HOST:PORT, ray://HOST:PORT, or"
        " local.",
    )


def open_pool(workers: int | None, ray_address: str | None, *, gpus: bool, few: int = 0) -> Pool:
    """Return the pool of workers that the options ask for.

    Args:
        workers: how many processes; None for what suits.
        ray_address: of a cluster, or None.
        gpus: the work may run on GPUs.
        few: see `docqa.workers.process_pool.ProcessPool`.
    """
    if ray_address is not None:
        from docqa.workers.ray_pool import RayPool

        return RayPool(ray_address, workers=workers, gpus=gpus)
    if workers is not None and workers > 1:
        # Python's own cleaner of semaphores would report on Ctrl-C what it does about it.
        os.environ.setdefault("PYTHONWARNINGS", "ignore:resource_tracker")
        from docqa.workers.process_pool import ProcessPool

        return ProcessPool(workers, few=few)
    from docqa.workers.pool import LocalPool

    return LocalPool()


def loading_pool(jobs: int | None, ray_address: str | None) -> Pool:
    """Return the pool that loads sources; few files are loaded in this process.

    Args:
        jobs: how many processes; None for one for each processor, at most `MOST_JOBS`.
        ray_address: of a cluster, or None.
    """
    if jobs is None and ray_address is None:
        jobs = min(os.cpu_count() or 1, MOST_JOBS)
    return open_pool(jobs, ray_address, gpus=False, few=_FEW)
