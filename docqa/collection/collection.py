"""The collection: add, remove, synchronise, search and ask many documents at once."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Union

from docqa.collection.asking import Asked, FoundPassage, ask_batch, search
from docqa.collection.changes import Changes, Report
from docqa.collection.checking import CheckReport, check
from docqa.collection.facts import CollectedDocument, FailedSource
from docqa.collection.files import FolderFiles, files_in, is_inside
from docqa.collection.format import Made
from docqa.collection.information import CollectionInfo, information
from docqa.collection.ingest import (
    Ingester,
    Job,
    Recipe,
    file_stamp,
    ingest,
    ingester_of,
    require_metadata,
)
from docqa.collection.loading import IngestAll
from docqa.collection.packing import unpack_document
from docqa.collection.sync import SyncPlan, plan_sync
from docqa.collection.taking_in import TakingIn, read_failures, refiled
from docqa.datamodel import Answers, Document, GridItem
from docqa.errors import CollectionError, SettingError
from docqa.grid import Reading, read_settings
from docqa.index.store import Snapshot, Store, Where
from docqa.index.stores import open_store
from docqa.loaders.load import Source, source_name
from docqa.pipeline import Pipeline
from docqa.prepared import splitter_for
from docqa.recent import Recent

if TYPE_CHECKING:
    from docqa.collection.packing import PackedDocument
    from docqa.protocols import Reader

__all__ = ["Collection"]

_QUESTIONS_PER_BATCH = 8
_BODIES_KEPT = 64  # documents unpacked lately; a long one takes a few megabytes
_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]+://", re.I)

Sources = Union[Iterable[Source], Source]


class Collection:
    """Keep many documents in one stored index, and ask all of them at once.

    Nothing is read or made before it is needed; the first `add` or `sync` makes the collection.
    Any number of processes may search and ask, also while one writes: each question sees one
    commit, in which every document is whole. Threads may share a collection; one of them writes at
    a time.

    Args:
        address: a folder; or where an engine is, see `docqa.index.stores.open_store`.
        pipeline: its reader, settings and threshold are used; None for the usual ones. How
            documents are split is settled when the collection is made.
        password: opens encrypted PDFs.
        ingest_all: takes in sources somewhere else, such as `docqa.collection.loading.
            ingest_in_processes(4)`; None for here, one after another.

    Raises:
        SettingError: there is no engine for the address.
        MissingDependencyError: the engine's library is not installed.
    """

    def __init__(
        self,
        address: str | os.PathLike[str],
        *,
        pipeline: Pipeline | None = None,
        password: str | None = None,
        ingest_all: IngestAll | None = None,
    ) -> None:
        self._store: Store = open_store(address)
        self._pipeline = Pipeline() if pipeline is None else pipeline
        self._loading = replace(self._pipeline.loading, password=password)
        self._ingest_all = ingest_all
        self._bodies: Recent[tuple[PackedDocument, Document]] = Recent(_BODIES_KEPT)

    @property
    def address(self) -> str:
        """Return where the collection is."""
        return self._store.address

    def exists(self) -> bool:
        """Say whether the collection was made."""
        return self._store.exists()

    def add(
        self,
        sources: Sources,
        *,
        name: str | None = None,
        metadata: Mapping[str, object] | None = None,
        progress: Report | None = None,
    ) -> Changes:
        """Add sources, or read those again that have changed; folders stand for their files.

        What cannot be loaded is in `Changes.failed` and in `failures`, and keeps the rest from
        nothing.

        Args:
            sources: paths, open files or documents; or one of them, or bytes with a `name`. Bytes
                and what has no file are kept in the collection.
            name: what one source without a path is filed under.
            metadata: kept with each of them, for filters; numbers become text.
            progress: told after each source.

        Raises:
            CollectionError: another process is writing, the disk is full, or the collection was
                made by another version.
            LoadError: a folder cannot be read.
            SettingError: a source without a path has no name, or metadata is not text by name.
        """
        entries = None if metadata is None else require_metadata(metadata)
        jobs = list(_jobs(sources, name))
        with self._writing(len(jobs), progress) as (taking_in, snapshot):
            known = _documents(snapshot)
            files = FolderFiles(tuple(sorted({job.key for job in jobs if job.is_file})), ())
            named = {path: known[path] for path in files.paths if path in known}
            plan = plan_sync(files, named, {}, checksum=False, retry_failed=True)
            told = {
                path: entries if entries is not None else dict(known[path].metadata)
                for path in named
            }
            self._touch(taking_in, snapshot, plan, named, told)
            fresh = {*plan.new, *plan.changed}
            wanted = [
                replace(job, metadata=told.get(job.key, entries or {}))
                for job in jobs
                if not job.is_file or job.key in fresh
            ]
            taking_in.total = len(wanted)
            taking_in.write(self._ingested(wanted))
            taking_in.commit()
            return _changes(taking_in, known, plan)

    def sync(
        self,
        folder: str | os.PathLike[str],
        *,
        metadata: Mapping[str, object] | None = None,
        checksum: bool = False,
        retry_failed: bool = False,
        progress: Report | None = None,
    ) -> Changes:
        """Make the collection have what a folder has: new, changed, moved and vanished files.

        A file whose size and time are those that were indexed is not read; others are compared by
        content. A file with the content of one that vanished is that one, moved. Documents of other
        folders stay as they are.

        Args:
            folder: its files of supported kinds, in it and below, without hidden ones.
            metadata: kept with each new or changed file; None keeps what a changed one had.
            checksum: compare the content of every file, also where size and time say nothing new.
            retry_failed: try again what failed before, also where it has not changed.
            progress: told after each file that is read.

        Raises:
            CollectionError: another process is writing, the disk is full, the collection was made
                by another version; or the folder holds no file any more, as one does whose disk is
                not there.
            LoadError: there is no such folder, or it cannot be read.
        """
        entries = None if metadata is None else require_metadata(metadata)
        path = os.path.abspath(os.fspath(folder))  # noqa: PTH100 - the path as it is, links and all
        files = files_in(path, without=[self.address])
        with self._writing(0, progress) as (taking_in, snapshot):
            known = _documents(snapshot)
            ours = {key: each for key, each in known.items() if _is_of(each, path)}
            self._require_files(path, files, ours)
            failures = read_failures(self._store)
            plan = plan_sync(files, ours, failures, checksum=checksum, retry_failed=retry_failed)
            for key in failures:
                if is_inside(key, path) and key not in files.paths and not files.may_hold(key):
                    taking_in.forget_failure(key)
            self._touch(taking_in, snapshot, plan, ours, {})
            self._move(taking_in, snapshot, plan, ours)
            for key in plan.vanished:
                taking_in.remove(key)
            jobs = [
                Job(key, key, path, _entries(entries, known.get(key)))
                for key in (*plan.new, *plan.changed)
            ]
            taking_in.total = len(jobs)
            taking_in.commit()
            taking_in.write(self._ingested(jobs))
            taking_in.commit()
            return _changes(taking_in, known, plan)

    def remove(self, sources: Sources) -> Changes:
        """Remove documents: by path, by name, or all of a folder. Files are not touched.

        Raises:
            CollectionError: another process is writing; or there is no such document in the
                collection, and nothing is removed.
        """
        names = [_named(each) for each in _each(sources)]
        with self._writing(0, None) as (taking_in, snapshot):
            known, failures = _documents(snapshot), read_failures(self._store)
            chosen: dict[str, None] = {}
            for name in names:
                paths = {name, os.path.abspath(name)}  # noqa: PTH100
                found = [
                    key
                    for key in (*known, *failures)
                    if key in paths or any(is_inside(key, path) for path in paths)
                ]
                if not found:
                    raise CollectionError(
                        f"{name}: no such document in {self.address}; documents() lists them"
                    )
                chosen |= dict.fromkeys(found)
            for key in chosen:
                taking_in.remove(key)
            taking_in.commit()
            return Changes(removed=tuple(key for key in chosen if key in known))

    def search(
        self, query: str, *, top_k: int = 10, where: Where | None = None
    ) -> list[FoundPassage]:
        """Return the passages that rank best for a query; nothing is read by a model.

        Raises:
            CollectionError: there is no collection, or it was made by another version.
            SettingError: `top_k` is below 1.
        """
        if top_k < 1:
            raise SettingError(f"top_k must be at least 1, not {top_k}")
        self._made()
        return search(self._store.snapshot(), query, top_k=top_k, where=_where(where))

    def ask(
        self,
        question: str,
        *,
        top_k: int = 1,
        where: Where | None = None,
        min_score: float | None = None,
        top_passages: int | None = None,
    ) -> Answers:
        """Return the best answers of all documents, best first; empty when none passes.

        Each answer has its place in its own source, which is opened for it, and says in
        ``answer.document.source_state`` whether the source is still what was indexed.

        Args:
            question: one question, in words.
            top_k: at most so many answers.
            where: which documents are asked.
            min_score: overrules the pipeline's threshold.
            top_passages: overrules the pipeline's number of passages.

        Raises:
            CollectionError: there is no collection, or it was made by another version.
            QuestionError: the question is blank or too long for the reader.
            ModelError: the reader cannot be loaded.
            SettingError: a setting is out of its range.
        """
        (item,) = self.ask_all(
            [question], top_k=top_k, where=where, min_score=min_score, top_passages=top_passages
        )
        if item.error is not None:
            raise item.error
        return item.answers

    def ask_all(
        self,
        questions: Iterable[str] | str,
        *,
        top_k: int = 1,
        where: Where | None = None,
        min_score: float | None = None,
        top_passages: int | None = None,
    ) -> Iterator[GridItem]:
        """Ask every question of all documents; yield one item for each, in order.

        A question that cannot be read gives an item with `error` set. `GridItem.source` is the
        collection's address; each answer names its document.

        Raises:
            CollectionError: there is no collection, or it was made by another version.
            ModelError: the reader cannot be loaded.
            SettingError: a setting is out of its range.
        """
        made = self._made()
        reading = self._pipeline.reading_settings(
            top_k=top_k, min_score=min_score, top_passages=top_passages
        )
        asked = [questions] if isinstance(questions, str) else list(questions)
        return self._answered(made, asked, reading, _where(where))

    def documents(self, where: Where | None = None) -> list[CollectedDocument]:
        """Return what is known of the documents, ordered by key.

        Raises:
            CollectionError: there is no collection.
        """
        found = self._store.snapshot().documents(_where(where))
        return [CollectedDocument.from_json(each.facts) for each in found]

    def failures(self) -> list[FailedSource]:
        """Return the sources that are not in the collection because they could not be loaded.

        Raises:
            CollectionError: there is no collection.
        """
        self._store.snapshot()
        return list(read_failures(self._store).values())

    def info(self) -> CollectionInfo:
        """Return where the collection is, how large and how old.

        Raises:
            CollectionError: there is no collection, or it was made by another version.
        """
        return information(self._store, self._made(), self.documents(), self.failures())

    def compact(self) -> None:
        """Free the room of what was replaced and removed.

        Until then BM25 counts replaced passages, as Lucene does, and scores are a little off.
        Asking works meanwhile; a question that began before may have to be asked again.

        Raises:
            CollectionError: another process is writing, or the disk is full; nothing is changed.
        """
        self._made()
        self._store.compact()

    def check(self) -> CheckReport:
        """Look at everything that is stored: is every document whole, and of one generation?

        Raises:
            CollectionError: there is no collection, or it cannot be read at all.
        """
        return check(self._store.snapshot())

    def rebuild(self, *, progress: Report | None = None) -> Changes:
        """Make everything anew from the sources, also a collection of another version.

        Each document is replaced when its source has been read, and stays where that is gone:
        nothing is lost on the way. Sources that failed before are tried again.

        Raises:
            CollectionError: another process is writing, the disk is full, or what is there cannot
                be read at all.
        """
        snapshot = self._store.snapshot()
        known = _documents(snapshot)
        jobs = [self._again(snapshot, each) for each in known.values()]
        jobs += [
            Job(each.key, each.key, each.folder, each.metadata)
            for each in read_failures(self._store).values()
            if each.key not in known
        ]
        made = self._new_made()
        with self._store.writer() as writer:
            taking_in = TakingIn(self._store, writer, len(jobs), progress, keeps=True)
            taking_in.write(self._ingested(jobs, made))
            taking_in.commit()
            self._store.write_note("collection", made.to_json())
            return _changes(taking_in, known, SyncPlan())

    def close(self) -> None:
        """Free what is held open; the collection can be used again."""
        self._store.close()

    def __enter__(self) -> Collection:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _answered(
        self, made: Made, questions: Sequence[str], reading: Reading, where: Where
    ) -> Iterator[GridItem]:
        reader = self._pipeline.reader
        asked = Asked(
            snapshot=self._store.snapshot(),
            where=where,
            reader=reader,
            reading=reading,
            loading=self._loading,
            settings=read_settings(
                reading,
                passage_tokens=made.passage_tokens,
                overlap=made.overlap,
                content=made.content,
            ),
            is_kept=_fingerprint(reader) == made.tokenizer != "" and hasattr(reader, "remember"),
            bodies=self._bodies,
            address=self.address,
        )
        for first in range(0, len(questions), _QUESTIONS_PER_BATCH):
            batch = questions[first : first + _QUESTIONS_PER_BATCH]
            try:
                items = ask_batch(asked, batch)
            except CollectionError:  # compacted in between: once more, as it is now
                asked = replace(asked, snapshot=self._store.snapshot())
                items = ask_batch(asked, batch)
            yield from items

    def _made(self) -> Made:
        self._require()
        return Made.from_json(self._store.read_note("collection"), address=self.address)

    def _require(self) -> None:
        if not self._store.exists():
            raise CollectionError(
                f"{self.address}: there is no collection here; docqa index DIR --to "
                f"{self.address} makes one"
            )

    def _new_made(self) -> Made:
        ingester = self._ingester(None)
        splitter = ingester.splitter
        return Made.now(
            reader=self._reader_name(),
            tokenizer=getattr(ingester.tokenizer, "fingerprint", ""),
            passage_tokens=splitter.passage_tokens,
            overlap=splitter.overlap,
            content=self._pipeline.splitting.content,
        )

    def _reader_name(self) -> str:
        chosen = self._pipeline.chosen_reader
        return chosen if isinstance(chosen, str) else chosen.name

    @contextmanager
    def _writing(self, total: int, progress: Report | None) -> Iterator[tuple[TakingIn, Snapshot]]:
        """Yield what takes sources in, and the state before; all is committed at the end."""
        if not self._store.exists():
            made = self._new_made()  # before anything is made: the reader may be unknown
            self._store.create()
            self._store.write_note("collection", made.to_json())
        made = self._made()
        with self._store.writer() as writer:
            snapshot = self._store.snapshot()
            taking_in = TakingIn(self._store, writer, total, progress)
            yield taking_in, snapshot
            taking_in.commit()

    def _ingested(self, jobs: Sequence[Job], made: Made | None = None) -> Iterator[Any]:
        """Yield what comes of each job, as the collection was made."""
        if not jobs:
            return
        made = made or self._made()
        recipe = self._recipe(made)
        if recipe is not None and self._ingest_all is not None and _are_apart(jobs):
            yield from self._ingest_all(recipe, jobs)
        elif recipe is not None:
            self._require_tokenizer(made, ingester_of(recipe))
            yield from (ingest(recipe, job) for job in jobs)
        else:
            ingester = self._ingester(made)
            self._require_tokenizer(made, ingester)
            yield from map(ingester, jobs)

    def _require_tokenizer(self, made: Made, ingester: Ingester) -> None:
        own = getattr(ingester.tokenizer, "fingerprint", "")
        if own != made.tokenizer:
            raise CollectionError(
                f"{self.address} keeps the tokens of the reader {made.reader!r}, and "
                f"{self._reader_name()!r} has others; add with that reader, or make the collection "
                f"anew: docqa index --rebuild {self.address} --reader {self._reader_name()}"
            )

    def _recipe(self, made: Made) -> Recipe | None:
        """Return what other processes need too; None for a reader that is no name."""
        chosen = self._pipeline.chosen_reader
        if not isinstance(chosen, str):
            return None
        return Recipe(self._loading, chosen, made.passage_tokens, made.overlap, made.content)

    def _ingester(self, made: Made | None) -> Ingester:
        splitting = self._pipeline.splitting
        chosen = self._pipeline.chosen_reader
        sizes = (
            (splitting.passage_tokens, splitting.overlap, splitting.content)
            if made is None
            else (made.passage_tokens, made.overlap, made.content)
        )
        if isinstance(chosen, str):
            return ingester_of(Recipe(self._loading, chosen, *sizes))
        splitter = splitter_for(
            chosen,
            passage_tokens=sizes[0],
            overlap=sizes[1],
            content=sizes[2],
        )
        return Ingester(self._loading, splitter, chosen.tokenizer)

    def _again(self, snapshot: Snapshot, facts: CollectedDocument) -> Job:
        """Return the job that takes a document in anew."""
        if facts.stamp is not None:
            return Job(facts.key, facts.key, facts.folder, facts.metadata)
        stored = next(iter(snapshot.documents(Where(keys=(facts.key,)))))
        kept = unpack_document(snapshot.body(facts.key, stored.generation)).original or b""
        return Job(facts.key, kept, None, facts.metadata, is_file=False)

    def _require_files(
        self, folder: str, files: FolderFiles, ours: Mapping[str, CollectedDocument]
    ) -> None:
        if ours and not files.paths:
            raise CollectionError(
                f"{folder} holds no file that docqa reads, and the collection has {len(ours):,} "
                "documents of it; if its disk is there and they are to go, remove them"
            )

    def _touch(
        self,
        taking_in: TakingIn,
        snapshot: Snapshot,
        plan: SyncPlan,
        known: Mapping[str, CollectedDocument],
        metadata: Mapping[str, Mapping[str, str]],
    ) -> None:
        """Write down the times of files that were touched, and new metadata."""
        for key in plan.unchanged:
            old = known[key]
            stamp = plan.touched.get(key, old.stamp)
            new = replace(old, stamp=stamp, metadata=dict(metadata.get(key, old.metadata)))
            if new != old and (document := refiled(snapshot, key, new)) is not None:
                taking_in.put(document)

    def _move(
        self,
        taking_in: TakingIn,
        snapshot: Snapshot,
        plan: SyncPlan,
        known: Mapping[str, CollectedDocument],
    ) -> None:
        """File documents under the paths to which their files have moved."""
        for path, origin in plan.moved.items():
            facts = replace(known[origin], key=path, source=path, stamp=file_stamp(path))
            if (document := refiled(snapshot, origin, facts)) is not None:
                taking_in.remove(origin)
                taking_in.put(document)


def _documents(snapshot: Snapshot) -> dict[str, CollectedDocument]:
    found = (CollectedDocument.from_json(each.facts) for each in snapshot.documents(Where()))
    return {each.key: each for each in found}


def _is_of(document: CollectedDocument, folder: str) -> bool:
    return document.stamp is not None and is_inside(document.key, folder)


def _entries(given: Mapping[str, str] | None, known: CollectedDocument | None) -> Mapping[str, str]:
    if given is not None:
        return given
    return {} if known is None else known.metadata


def _changes(
    taking_in: TakingIn, known: Mapping[str, CollectedDocument], plan: SyncPlan
) -> Changes:
    failed = {each.key for each in taking_in.failed}
    same = {*plan.unchanged, *plan.moved, *plan.moved.values(), *plan.vanished, *failed}
    written = [key for key in dict.fromkeys(taking_in.committed) if key not in same]
    return Changes(
        added=tuple(key for key in written if key not in known),
        replaced=tuple(key for key in written if key in known),
        moved=tuple(plan.moved),
        removed=tuple(plan.vanished),
        unchanged=tuple(plan.unchanged),
        failed=(*taking_in.failed, *plan.still_failed),
    )


def _jobs(sources: Sources, name: str | None) -> Iterator[Job]:
    """Yield a job for each source; folders stand for their files.

    Raises:
        LoadError: a folder cannot be read.
        SettingError: a source without a path has no name.
    """
    for source in _each(sources):
        if isinstance(source, (str, os.PathLike)) and name is None:
            path = os.path.abspath(os.fspath(source))  # noqa: PTH100
            if os.path.isdir(path):  # noqa: PTH112
                yield from (Job(file, file, path) for file in files_in(path).paths)
            else:
                yield Job(path, path)
            continue
        key = name or source_name(source)
        if not key or (key.startswith("<") and key.endswith(">")):
            raise SettingError(
                "bytes and open files without a name need one: add(data, name='minutes.txt')"
            )
        yield Job(key, source, is_file=False)


def _each(sources: Sources) -> Iterable[Source]:
    if isinstance(sources, (str, os.PathLike, bytes, bytearray, memoryview, Document)):
        return (sources,)
    return (sources,) if hasattr(sources, "read") else sources  # type: ignore[return-value]


def _named(source: Source) -> str:
    return source_name(source)


def _where(where: Where | None) -> Where:
    """Return a filter with its paths as they are stored."""
    if where is None:
        return Where()
    folder = where.folder
    return replace(
        where,
        keys=tuple(dict.fromkeys(each for key in where.keys for each in (key, _absolute(key)))),
        folder=None if folder is None else _absolute(folder),
    )


def _absolute(path: str) -> str:
    return path if _ADDRESS.match(path) else os.path.abspath(path)  # noqa: PTH100


def _are_apart(jobs: Sequence[Job]) -> bool:
    """Say whether the jobs can be done elsewhere: paths can, open files cannot."""
    return all(isinstance(job.source, str) for job in jobs)


def _fingerprint(reader: Reader) -> str:
    fingerprint: str = getattr(reader.tokenizer, "fingerprint", "")
    return fingerprint
