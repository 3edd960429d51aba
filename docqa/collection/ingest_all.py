"""Take in sources wherever a pool works: in processes, or on the machines of a cluster.

Files are read here and sent as bytes, so the other machines need no disk in common with this one.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import partial

from docqa.collection.ingest import Ingested, Job, Recipe, file_stamp, ingest, labels_of
from docqa.collection.loading import IngestAll
from docqa.collection.records import CollectedDocument, FailedSource, FileStamp
from docqa.errors import DocqaError, LoadError
from docqa.loaders.load import read_source
from docqa.workers.pool import Pool

__all__ = ["ingest_in_pool"]


def ingest_in_pool(pool: Pool) -> IngestAll:
    """Return what takes in sources where a pool works, such as `docqa.workers.ray_pool.RayPool`."""

    def run(recipe: Recipe, jobs: Iterable[Job]) -> Iterator[Ingested]:
        stamps: deque[FileStamp | None] = deque()
        unread: deque[Job] = deque()
        sent = _sent(recipe, jobs, stamps, unread)
        for result in pool.run(partial(ingest, recipe), sent, on_lost=_lost):
            yield _as_here(result, stamps.popleft())
            while unread:
                yield ingest(recipe, unread.popleft())  # says why, as it does everywhere
        yield from (ingest(recipe, job) for job in unread)

    return run


def _sent(
    recipe: Recipe, jobs: Iterable[Job], stamps: deque[FileStamp | None], unread: deque[Job]
) -> Iterator[Job]:
    """Yield jobs with their bytes, and keep their files' times; put aside those without bytes."""
    for job in jobs:
        stamp = file_stamp(job.key) if job.is_file else None
        try:
            data = read_source(job.source, most_bytes=recipe.loading.effective_limits.file_bytes)[0]
        except LoadError:
            unread.append(job)
            continue
        stamps.append(stamp)
        yield replace(job, source=data)


def _as_here(result: Ingested, stamp: FileStamp | None) -> Ingested:
    """Return a result with the file's times, which another machine cannot know."""
    if isinstance(result, FailedSource):
        return replace(result, stamp=stamp)
    facts = replace(CollectedDocument.from_json(result.facts), stamp=stamp)
    return replace(result, facts=facts.to_json(), labels=labels_of(facts))


def _lost(job: Job, error: DocqaError) -> Ingested:
    return FailedSource(
        key=job.key,
        kind=type(error).__name__,
        message=f"{job.key}: {error}",
        failed=time.time(),
        folder=job.folder,
        metadata=dict(job.metadata),
    )
