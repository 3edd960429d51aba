"""Changes of a collection: what is read, written, moved and removed."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace

from docqa.collection.changes import Changes, Report
from docqa.collection.facts import CollectedDocument, FailedSource
from docqa.collection.files import FolderFiles, files_in, is_inside
from docqa.collection.followed import change_folders, read_folders
from docqa.collection.format import Made
from docqa.collection.ingest import Ingested, Job, file_stamp
from docqa.collection.ingesting import Ingesting
from docqa.collection.packing import unpack_document
from docqa.collection.sources import Sources, absolute, each_source, folders_of, jobs_of
from docqa.collection.sync import SyncPlan, plan_sync
from docqa.collection.taking_in import TakingIn, read_failures, refiled
from docqa.errors import CollectionError, SourceNotFoundError, SourceUnreadableError
from docqa.index.contract import Snapshot, Store, Where, missing_collection
from docqa.loaders.load import source_name

__all__ = ["Updates", "is_half_rebuilt", "made_of"]

_MADE = "collection"  # the note that says how it was made
_REBUILDING = "rebuilding"  # how it is being made anew; empty where that has ended

Known = Mapping[str, CollectedDocument]


@dataclass(frozen=True, slots=True)
class Updates:
    """Change a collection; see `docqa.Collection` for what each method promises.

    Attributes:
        store: where it is kept.
        ingesting: how sources are taken in.
        progress: told after each source.
    """

    store: Store
    ingesting: Ingesting
    progress: Report | None = None

    def add(
        self, sources: Sources, *, name: str | None, metadata: Mapping[str, str] | None
    ) -> Changes:
        """Add sources, or read those again that have changed."""
        given = list(each_source(sources))
        jobs = list(jobs_of(given, name))
        folders = () if name is not None else folders_of(given)
        paths = sorted({job.key for job in jobs if job.is_file})
        with self._writing() as (taking_in, snapshot, made):
            change_folders(self.store, followed=folders)
            known = _documents(snapshot)
            named = {path: known[path] for path in paths if path in known}
            files = FolderFiles(tuple(paths), ())
            plan = plan_sync(files, named, {}, checksum=False, retry_failed=True)
            _touch(taking_in, snapshot, plan, named, metadata)
            fresh = {*plan.new, *plan.changed}
            wanted = [
                replace(job, metadata=_entries(metadata, named.get(job.key)))
                for job in jobs
                if not job.is_file or job.key in fresh
            ]
            return self._taken_in(taking_in, wanted, made, known, plan)

    def sync(
        self,
        folder: str,
        *,
        metadata: Mapping[str, str] | None,
        checksum: bool,
        retry_failed: bool,
    ) -> Changes:
        """Make the collection have what a folder has."""
        path = absolute(folder)
        files = files_in(path, without=[self.store.address])
        with self._writing() as (taking_in, snapshot, made):
            known = _documents(snapshot)
            ours = {key: each for key, each in known.items() if _is_of(each, path)}
            _require_files(path, files, ours)
            change_folders(self.store, followed=[path])
            failures = read_failures(self.store)
            plan = plan_sync(files, ours, failures, checksum=checksum, retry_failed=retry_failed)
            for key in failures:
                if is_inside(key, path) and key not in files.paths and not files.may_hold(key):
                    taking_in.forget_failure(key)
            for unreadable, reason in files.unreadable:
                taking_in.fail(_unreadable(unreadable, reason, path))
            _touch(taking_in, snapshot, plan, ours, metadata)
            _move(taking_in, snapshot, plan, ours, metadata)
            for key in plan.vanished:
                taking_in.remove(key)
            taking_in.commit()
            jobs = [
                Job(key, key, path, _entries(metadata, known.get(key)))
                for key in (*plan.new, *plan.changed)
            ]
            return self._taken_in(taking_in, jobs, made, known, plan)

    def remove(self, sources: Sources) -> Changes:
        """Remove documents: by path, by name, or all of a folder."""
        names = [source_name(each) for each in each_source(sources)]
        require_collection(self.store)
        with self._writing() as (taking_in, snapshot, _):
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
                taking_in.remove(key)
            taking_in.commit()
            change_folders(self.store, left=left)
            return Changes(removed=tuple(key for key in chosen if key in known))

    def rebuild(self) -> Changes:
        """Make everything anew from the sources."""
        require_collection(self.store)
        made = self.ingesting.new_made()
        with self.store.writer() as writer:
            snapshot = self.store.snapshot()
            known = _documents(snapshot)
            jobs = [_again(snapshot, each) for each in known.values()]
            jobs += [
                Job(each.key, each.key, each.folder, each.metadata)
                for each in read_failures(self.store).values()
                if each.key not in known
            ]
            self._forget_tokens(made)
            self.store.write_note(_REBUILDING, made.to_json())
            taking_in = TakingIn(self.store, writer, self.progress, keeps=True)
            changes = self._taken_in(taking_in, jobs, made, known, SyncPlan(), kept=snapshot)
            self.store.write_note(_MADE, made.to_json())
            self.store.write_note(_REBUILDING, "")
            return changes

    @contextmanager
    def _writing(self) -> Iterator[tuple[TakingIn, Snapshot, Made]]:
        """Yield what takes sources in, the state before, and how the collection was made."""
        if not self.store.exists():
            self.ingesting.new_made()  # before anything is made: the reader may be unknown
            if not self.store.exists():  # that took a while
                self.store.create()
        with self.store.writer() as writer:
            snapshot = self.store.snapshot()
            if self.store.read_note(_MADE) is None and not snapshot.n_passages:
                self.store.write_note(_MADE, self.ingesting.new_made().to_json())
            yield TakingIn(self.store, writer, self.progress), snapshot, made_of(self.store)

    def _taken_in(
        self,
        taking_in: TakingIn,
        jobs: list[Job],
        made: Made,
        known: Known,
        plan: SyncPlan,
        *,
        kept: Snapshot | None = None,
    ) -> Changes:
        """Take in what is to be read, commit all, and return what was done."""
        taking_in.total = len(jobs)
        results = self.ingesting.run(jobs, made)
        taking_in.write(results if kept is None else self._or_kept(results, kept, made))
        taking_in.commit()
        failed = {each.key for each in taking_in.failed}
        other = {*plan.unchanged, *plan.moved, *plan.moved.values(), *plan.vanished, *failed}
        written = [key for key in dict.fromkeys(taking_in.committed) if key not in other]
        return Changes(
            added=tuple(key for key in written if key not in known),
            replaced=tuple(key for key in written if key in known),
            moved=tuple(plan.moved),
            removed=tuple(plan.vanished),
            unchanged=tuple(plan.unchanged),
            failed=(*taking_in.failed, *plan.still_failed),
        )

    def _or_kept(
        self, results: Iterator[Ingested], snapshot: Snapshot, made: Made
    ) -> Iterator[Ingested]:
        """Yield results, and after a failure what the collection kept of the document."""
        for result in results:
            yield result
            if isinstance(result, FailedSource):
                stored = snapshot.document(result.key)
                if stored is not None:
                    yield self.ingesting.again(stored, made)

    def _forget_tokens(self, new: Made) -> None:
        """Let nobody take the tokens of two readers for those of one while they are exchanged."""
        try:
            old = made_of(self.store)
        except CollectionError:
            return  # of another version: it is refused until all is done
        if old.tokenizer != new.tokenizer:
            self.store.write_note(_MADE, replace(old, tokenizer="").to_json())


def made_of(store: Store) -> Made:
    """Return how a collection was made.

    Raises:
        CollectionError: there is none, or this version cannot use it.
    """
    require_collection(store)
    return Made.from_json(store.read_note(_MADE), address=store.address)


def require_collection(store: Store) -> None:
    """Check that there is one.

    Raises:
        CollectionError: there is none.
    """
    if not store.exists():
        raise missing_collection(store.address)


def is_half_rebuilt(store: Store) -> bool:
    """Say whether a rebuild was begun and not ended: documents are as two settings have them."""
    return bool(store.read_note(_REBUILDING))


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


def _touch(
    taking_in: TakingIn,
    snapshot: Snapshot,
    plan: SyncPlan,
    known: Known,
    metadata: Mapping[str, str] | None,
) -> None:
    """Write down the times of files that were touched, and new metadata."""
    for key in plan.unchanged:
        old = known[key]
        stamp = plan.touched.get(key, old.stamp)
        new = replace(old, stamp=stamp, metadata=_entries(metadata, old))
        if new != old and (document := refiled(snapshot, key, new)) is not None:
            taking_in.put(document)


def _move(
    taking_in: TakingIn,
    snapshot: Snapshot,
    plan: SyncPlan,
    known: Known,
    metadata: Mapping[str, str] | None,
) -> None:
    """File documents under the paths to which their files have moved, with new metadata."""
    for path, origin in plan.moved.items():
        entries = _entries(metadata, known[origin])
        facts = replace(
            known[origin], key=path, source=path, stamp=file_stamp(path), metadata=entries
        )
        if (document := refiled(snapshot, origin, facts)) is not None:
            taking_in.remove(origin)
            taking_in.put(document)


def _again(snapshot: Snapshot, facts: CollectedDocument) -> Job:
    """Return the job that takes a document in anew."""
    if facts.stamp is not None:
        return Job(facts.key, facts.key, facts.folder, facts.metadata)
    stored = next(iter(snapshot.documents(Where(keys=(facts.key,)))))
    kept = unpack_document(snapshot.body(facts.key, stored.generation)).original or b""
    return Job(facts.key, kept, None, facts.metadata, is_file=False)
