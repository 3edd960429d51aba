"""Many sources to stored documents: in this process, in several, or on the machines of a cluster.

Where workers see other files than this process, sources are read here and sent as bytes: the other
machines need no disk in common with this one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial

from docqa.asking.pipeline import Pipeline
from docqa.asking.prepared import splitter_for
from docqa.collection.ingest import (
    Ingested,
    Ingester,
    Job,
    Recipe,
    failure,
    ingest,
    ingester_of,
    token_fingerprint,
)
from docqa.collection.records import FailedSource, file_stamp
from docqa.collection.settings import CollectionSettings
from docqa.errors import CollectionError, DocqaError, LoaderCrashedError, LoadError
from docqa.loaders.source_bytes import read_source
from docqa.workers.pool import Pool

__all__ = ["ingest_all", "ingester_for", "new_settings"]


def new_settings(pipeline: Pipeline) -> CollectionSettings:
    """Return the settings of a collection that is made now with a pipeline.

    Raises:
        ModelError: there is no such reader.
        SettingError: passages of that size do not fit the reader.
    """
    ingester = ingester_for(pipeline, None)
    return CollectionSettings.now(
        reader=_reader_name(pipeline),
        tokenizer=token_fingerprint(ingester.tokenizer),
        passage_tokens=ingester.splitter.passage_tokens,
        overlap=ingester.splitter.overlap,
        content=pipeline.splitting.content,
    )


def ingester_for(pipeline: Pipeline, settings: CollectionSettings | None) -> Ingester:
    """Return the ingester of a pipeline's reader and loading.

    Args:
        pipeline: its reader, and its settings of loading and splitting, are used.
        settings: of the collection, for its sizes of passages; None for the pipeline's own.

    Raises:
        ModelError: there is no such reader.
        SettingError: passages of that size do not fit the reader.
    """
    recipe = _recipe(pipeline, settings)
    if recipe is not None:
        return ingester_of(recipe)
    reader, splitting = pipeline.reader, (settings or pipeline).splitting
    return Ingester(pipeline.loading, splitter_for(reader, splitting), reader.tokenizer)


def ingest_all(
    jobs: Sequence[Job],
    *,
    pipeline: Pipeline,
    settings: CollectionSettings,
    pool: Pool | None,
    address: str,
) -> Iterator[Ingested]:
    """Yield the result of each job, in any order.

    Args:
        jobs: those with open files are done in this process.
        pipeline: its reader and loading are used.
        settings: of the collection.
        pool: does the work; None for this process.
        address: of the collection, for messages.

    Raises:
        ClusterError: the pool has no workers.
        CollectionError: the collection keeps the tokens of another reader.
        ModelError: there is no such reader.
    """
    if not jobs:
        return
    ingester = ingester_for(pipeline, settings)
    if token_fingerprint(ingester.tokenizer) != settings.tokenizer:
        name = _reader_name(pipeline)
        raise CollectionError(
            f"{address} keeps the tokens of the reader {settings.reader!r}, and {name!r} has "
            "others; add with that reader, or make the collection again: "
            f"docqa kb rebuild {address} --reader {name}"
        )
    recipe = _recipe(pipeline, settings)
    if recipe is None or pool is None or not _can_be_sent(jobs):
        yield from map(ingester, jobs)
        return
    sent = jobs if pool.shares_files else _with_bytes(recipe, jobs)
    lost = partial(_lost, recipe)
    yield from pool.run(partial(_ingested, recipe), sent, on_lost=lost, ordered=False)


_Sent = Job | FailedSource  # a failed one is on its way back


def _ingested(recipe: Recipe, sent: _Sent) -> Ingested:
    return sent if isinstance(sent, FailedSource) else ingest(recipe, sent)


def _with_bytes(recipe: Recipe, jobs: Iterable[Job]) -> Iterator[_Sent]:
    """Yield jobs with their bytes and their files' stamps; failures where they cannot be read."""
    most = recipe.loading.effective_limits.file_bytes
    for job in jobs:
        stamp = file_stamp(job.key) if job.is_file else None
        try:
            yield replace(job, source=read_source(job.source, most_bytes=most)[0], stamp=stamp)
        except LoadError as error:
            yield replace(failure(job, error), stamp=stamp)


def _lost(recipe: Recipe, sent: _Sent, error: DocqaError) -> Ingested:
    if isinstance(sent, FailedSource):
        return sent
    advice = "" if recipe.loading.isolate else "; index it with isolation on"
    crash = LoaderCrashedError(f"{sent.key}: {error}{advice}", source=sent.key)
    return replace(failure(sent, crash), stamp=sent.stamp)


def _can_be_sent(jobs: Iterable[Job]) -> bool:
    """Say whether other processes can do the jobs: with paths they can, with open files not."""
    return all(isinstance(job.source, (str, bytes)) for job in jobs)


def _recipe(pipeline: Pipeline, settings: CollectionSettings | None) -> Recipe | None:
    """Return the recipe for any process; None for a reader that has no name."""
    chosen = pipeline.chosen_reader
    if not isinstance(chosen, str):
        return None
    return Recipe(pipeline.loading, chosen, (settings or pipeline).splitting)


def _reader_name(pipeline: Pipeline) -> str:
    chosen = pipeline.chosen_reader
    return chosen if isinstance(chosen, str) else chosen.name
