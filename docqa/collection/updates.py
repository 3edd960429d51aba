"""Changes of a collection: which sources are read, and which documents written, moved, removed."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from itertools import chain

from docqa.asking.pipeline import Pipeline
from docqa.collection.changes import Changes, Report
from docqa.collection.commits import CollectionWriter, read_failures
from docqa.collection.files import FolderFiles, files_in, is_inside
from docqa.collection.ingest import Ingested, Job, failure
from docqa.collection.ingest_all import ingest_all, ingester_for, new_settings
from docqa.collection.packing import unpack_document
from docqa.collection.records import CollectedDocument, FailedSource
from docqa.collection.search import one_document
from docqa.collection.settings import (
    CollectionSettings,
    collection_settings,
    has_settings,
    require_collection,
    write_rebuilding,
    write_settings,
)
from docqa.collection.sources import Sources, absolute, each_source, find_sources
from docqa.collection.sync import (
    SyncPlan,
    change_folders,
    plan_sync,
    read_folders,
    update_records,
)
from docqa.errors import CollectionError, SourceNotFoundError, SourceUnreadableError
from docqa.index.contract import Snapshot, Store, Where
from docqa.loaders.source_bytes import source_name
from docqa.workers.pool import Pool

__all__ = ["Updates"]

Known = Mapping[str, CollectedDocument]


@dataclass(frozen=True, slots=True)
class Updates:
    """The changes of a collection; `docqa.Collection` has the promise of each.

    Attributes:
        store: where the collection is kept.
        pipeline: its reader's tokens are kept, and its settings load sources.
        pool: reads sources; None for this process.
        progress: called after each source.
    """

    store: Store
    pipeline: Pipeline
    pool: Pool | None = None
    progress: Report | None = None

    def add(
        self, sources: Sources, *, name: str | None, metadata: Mapping[str, str] | None
    ) -> Changes:
        """Add sources, or read those again that have changed."""
        found = find_sources(sources, name)
        paths = sorted({job.key for job in found.jobs if job.is_file})
        with self._writing() as (writer, snapshot, settings):
            change_folders(self.store, followed=found.folders)
            known = _documents(snapshot)
            named = {path: known[path] for path in paths if path in known}
            files = FolderFiles(tuple(paths), ())
            plan = plan_sync(files, named, {}, checksum=False, retry_failed=True)
            update_records(writer, snapshot, plan, named, metadata)
            fresh = {*plan.new, *plan.changed}
            jobs = [
                replace(job, metadata=_entries(metadata, named.get(job.key)))
                for job in found.jobs
                if not job.is_file or job.key in fresh
            ]
            writer.write(self._ingested(jobs, settings), total=len(jobs))
            return _changes(writer, plan, known, found.passed_over)

    def sync(
        self,
        folder: str,
        *,
        metadata: Mapping[str, str] | None,
        checksum: bool,
        retry_failed: bool,
    ) -> Changes:
        """Bring a folder up to date in the collection."""
        path = absolute(folder)
        files = files_in(path, without=[self.store.address])
        with self._writing() as (writer, snapshot, settings):
            known = _documents(snapshot)
            ours = {key: each for key, each in known.items() if _is_of(each, path)}
            _require_files(path, files, ours)
            change_folders(self.store, followed=[path])
            failures = read_failures(self.store)
            plan = plan_sync(files, ours, failures, checksum=checksum, retry_failed=retry_failed)
            for key in failures:
                if is_inside(key, path) and key not in files.paths and not files.may_hold(key):
                    writer.forget_failure(key)
            for unreadable, reason in files.unreadable:
                writer.fail(_unreadable(unreadable, reason, path))
            update_records(writer, snapshot, plan, ours, metadata)
            for key in plan.vanished:
                writer.remove(key)
            writer.commit()
            jobs = [
                Job(key, key, path, _entries(metadata, known.get(key)))
                for key in (*plan.new, *plan.changed)
            ]
            writer.write(self._ingested(jobs, settings), total=len(jobs))
            return _changes(writer, plan, known, files.passed_over)

    def remove(self, sources: Sources) -> Changes:
        """Remove documents: by path, by name, or all of a folder."""
        names = [source_name(each) for each in each_source(sources)]
        require_collection(self.store)
        with self._writing() as (writer, snapshot, _):
            known, failures = _documents(snapshot), read_failures(self.store)
            followed = read_folders(self.store, known.values())
            chosen: dict[str, None] = {}
            left: list[str] = []
            for name in names:
                found, folders = _under(name, (*known, *failures)), _under(name, followed)
                left += folders
                if not found and not folders:
                    raise CollectionError(
                        f"{name}: no such document in {self.store.address}; docqa info "
                        f"{self.store.address} --documents lists them"
                    )
                chosen |= dict.fromkeys(found)
            for key in chosen:
                writer.remove(key)
            writer.commit()
            change_folders(self.store, left=left)
            return Changes(removed=tuple(key for key in chosen if key in known))

    def rebuild(self) -> Changes:
        """Make everything again from the sources."""
        require_collection(self.store)
        settings = new_settings(self.pipeline)
        with self.store.writer() as stored:
            snapshot = self.store.snapshot()
            known = _documents(snapshot)
            jobs: list[Job] = []
            lost: list[FailedSource] = []
            for each in known.values():
                try:
                    jobs.append(_again(snapshot, each))
                except CollectionError as error:
                    lost.append(failure(_job(each), error))
            jobs += [
                Job(each.key, each.key, each.folder, each.metadata)
                for each in read_failures(self.store).values()
                if each.key not in known
            ]
            self._forget_tokens(settings)
            write_rebuilding(self.store, settings)
            writer = CollectionWriter(self.store, stored, self.progress, keeps=True)
            results = self._or_kept(self._ingested(jobs, settings), snapshot, settings)
            writer.write(chain(lost, results), total=len(lost) + len(jobs))
            changes = _changes(writer, SyncPlan(), known, Counter())
            write_settings(self.store, settings)
            write_rebuilding(self.store, None)
            return changes

    @contextmanager
    def _writing(self) -> Iterator[tuple[CollectionWriter, Snapshot, CollectionSettings]]:
        """Yield a writer, the state before, and the collection's settings."""
        if not self.store.exists():
            new_settings(self.pipeline)  # before anything is made: the reader may be unknown
            if not self.store.exists():  # that took a while
                self.store.create()
        with self.store.writer() as writer:
            snapshot = self.store.snapshot()
            if not has_settings(self.store) and not snapshot.n_passages:
                write_settings(self.store, new_settings(self.pipeline))
            settings = collection_settings(self.store)
            yield CollectionWriter(self.store, writer, self.progress), snapshot, settings

    def _ingested(self, jobs: list[Job], settings: CollectionSettings) -> Iterator[Ingested]:
        return ingest_all(
            jobs,
            pipeline=self.pipeline,
            settings=settings,
            pool=self.pool,
            address=self.store.address,
        )

    def _or_kept(
        self, results: Iterator[Ingested], snapshot: Snapshot, settings: CollectionSettings
    ) -> Iterator[Ingested]:
        """Yield results, and after a failure the document made again from its stored text."""
        for result in results:
            yield result
            if isinstance(result, FailedSource):
                kept = None
                with suppress(CollectionError):  # it is damaged too, and stays
                    stored = snapshot.document(result.key)
                    if stored is not None:
                        kept = ingester_for(self.pipeline, settings).again(stored)
                if kept is not None:
                    yield kept

    def _forget_tokens(self, new: CollectionSettings) -> None:
        """Keep a reader from the stored tokens while those of another one replace them."""
        try:
            old = collection_settings(self.store)
        except CollectionError:
            return  # of another version: it is refused until all is done
        if old.tokenizer != new.tokenizer:
            write_settings(self.store, replace(old, tokenizer=""))


def _changes(
    writer: CollectionWriter, plan: SyncPlan, known: Known, passed_over: Counter[str]
) -> Changes:
    """Commit all that was written, and return the changes.

    Args:
        writer: of the collection.
        plan: of the files.
        known: the documents before.
        passed_over: see `Changes`.
    """
    writer.commit()
    failed = {each.key for each in writer.failed}
    other = {*plan.unchanged, *plan.moved, *plan.moved.values(), *plan.vanished, *failed}
    written = [key for key in dict.fromkeys(writer.committed) if key not in other]
    return Changes(
        added=tuple(key for key in written if key not in known),
        replaced=tuple(key for key in written if key in known),
        moved=tuple(plan.moved),
        removed=tuple(plan.vanished),
        unchanged=tuple(plan.unchanged),
        failed=(*writer.failed, *plan.still_failed),
        passed_over=passed_over,
    )


def _documents(snapshot: Snapshot) -> dict[str, CollectedDocument]:
    found = (CollectedDocument.from_json(each.facts) for each in snapshot.documents(Where()))
    return {each.key: each for each in found}


def _is_of(document: CollectedDocument, folder: str) -> bool:
    return document.stamp is not None and is_inside(document.key, folder)


def _under(name: str, keys: tuple[str, ...]) -> list[str]:
    """Return the keys that a path or name stands for."""
    paths = {name, absolute(name)}
    return [key for key in keys if any(is_inside(key, path) for path in paths)]


def _entries(given: Mapping[str, str] | None, known: CollectedDocument | None) -> Mapping[str, str]:
    if given is not None:
        return given
    return {} if known is None else known.metadata


def _require_files(folder: str, files: FolderFiles, ours: Known) -> None:
    if ours and not files.paths:
        raise SourceNotFoundError(
            f"{folder} holds no file that docqa reads, and the collection has {len(ours):,} "
            "documents of it; if its disk is there and they are to go, remove them",
            source=folder,
        )


def _unreadable(folder: str, reason: str, above: str) -> FailedSource:
    return FailedSource(
        key=folder,
        kind=SourceUnreadableError.__name__,
        message=f"{folder}: this folder cannot be read: {reason}",
        failed=time.time(),
        folder=above,
    )


def _again(snapshot: Snapshot, record: CollectedDocument) -> Job:
    """Return the job that reads the source of a document again.

    Raises:
        StoredDocumentError: its bytes were kept in the collection alone, and are damaged.
    """
    if record.stamp is not None:
        return _job(record)
    stored = next(iter(snapshot.documents(Where(keys=(record.key,)))))
    with one_document(record.key):
        kept = unpack_document(snapshot.body(record.key, stored.generation)).original or b""
    return Job(record.key, kept, None, record.metadata, is_file=False)


def _job(record: CollectedDocument) -> Job:
    return Job(record.key, record.key, record.folder, record.metadata)
