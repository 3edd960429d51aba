"""The collection: add, remove, synchronise, search and ask many documents at once."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from docqa.asking.pipeline import Pipeline
from docqa.asking.settings import AskSettings
from docqa.collection.asking import CollectionCall, ask_collection
from docqa.collection.changes import Changes, Report
from docqa.collection.checking import CheckReport, check
from docqa.collection.facts import CollectedDocument, FailedSource
from docqa.collection.format import Made
from docqa.collection.hits import FoundPassage, search
from docqa.collection.information import CollectionInfo, information
from docqa.collection.ingest import require_metadata, token_fingerprint
from docqa.collection.ingesting import Ingesting
from docqa.collection.loading import IngestAll
from docqa.collection.sources import Sources, with_absolute_paths
from docqa.collection.taking_in import read_failures
from docqa.collection.updates import Updates, is_half_rebuilt, made_of
from docqa.datamodel import Answers, Document, GridItem
from docqa.errors import SettingError
from docqa.index.store import Store, Where
from docqa.index.stores import open_store
from docqa.loaders.settings import LoadSettings
from docqa.recent import Recent

if TYPE_CHECKING:
    from docqa.collection.packing import PackedDocument

__all__ = ["Collection"]

_BODIES_KEPT = 64  # documents unpacked lately; a long one takes a few megabytes


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
        loading: how sources are loaded, in full; None for the pipeline's way, with `password`.
        ingest_all: takes in sources somewhere else, such as `docqa.collection.loading.
            ingest_in_processes(4)`; None for here, one after another.

    Raises:
        CollectionError: it is no whole address of a cluster.
        SettingError: there is no engine for the address.
        MissingDependencyError: the engine's library is not installed.
    """

    def __init__(
        self,
        address: str | os.PathLike[str],
        *,
        pipeline: Pipeline | None = None,
        password: str | None = None,
        loading: LoadSettings | None = None,
        ingest_all: IngestAll | None = None,
    ) -> None:
        self._store: Store = open_store(address)
        self._pipeline = Pipeline() if pipeline is None else pipeline
        self._loading = loading or replace(self._pipeline.loading, password=password)
        self._ingest_all = ingest_all
        self._bodies: Recent[tuple[PackedDocument, Document]] = Recent(_BODIES_KEPT)

    @property
    def address(self) -> str:
        """Return where the collection is, for people."""
        return self._store.address

    @property
    def full_address(self) -> str:
        """Return what opens the collection again, in another process too.

        That of a cluster holds the user and the password that it was opened with: hand it on, and
        show `address`.
        """
        return self._store.full_address

    def exists(self) -> bool:
        """Say whether the collection was made."""
        return self._store.exists()

    def made(self) -> Made:
        """Return how the collection was made: format, version, reader and sizes of passages.

        Raises:
            CollectionError: there is no collection, or it was made by another version.
        """
        return made_of(self._store)

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
            sources: paths and open files; or one of them, or bytes with a `name`. The bytes of what
                has no path are kept in the collection, for its places.
            name: what one source without a path is filed under.
            metadata: kept with each of them, for filters; numbers become text.
            progress: told after each source.

        Raises:
            CollectionError: another process is writing, the disk is full, or the collection was
                made by another version.
            LoadError: a folder cannot be read.
            SettingError: a source without a path has no name, or metadata is not text by name.
        """
        return self._updates(progress).add(sources, name=name, metadata=_entries(metadata))

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
            metadata: kept with each file of the folder; None keeps what they had.
            checksum: compare the content of every file, also where size and time say nothing new.
            retry_failed: try again what failed before, also where it has not changed.
            progress: told after each file that is read.

        Raises:
            CollectionError: another process is writing, the disk is full, or the collection was
                made by another version.
            LoadError: there is no such folder, or it cannot be read, or it holds no file any more,
                as one does whose disk is not there.
        """
        return self._updates(progress).sync(
            os.fspath(folder),
            metadata=_entries(metadata),
            checksum=checksum,
            retry_failed=retry_failed,
        )

    def remove(self, sources: Sources) -> Changes:
        """Remove documents: by path, by name, or all of a folder. Files are not touched.

        Raises:
            CollectionError: another process is writing; or there is no such document in the
                collection, and nothing is removed.
        """
        return self._updates(None).remove(sources)

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
        self.made()
        return search(self._store.snapshot(), query, top_k=top_k, where=with_absolute_paths(where))

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
        made = self.made()
        settings = self._pipeline.ask_settings(
            top_k=top_k, min_score=min_score, top_passages=top_passages
        )
        asked = [questions] if isinstance(questions, str) else list(questions)
        return self._answered(made, asked, settings, with_absolute_paths(where))

    def documents(self, where: Where | None = None) -> list[CollectedDocument]:
        """Return what is known of the documents, ordered by key.

        Raises:
            CollectionError: there is no collection.
        """
        found = self._store.snapshot().documents(with_absolute_paths(where))
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
        return information(
            self._store,
            self.made(),
            self.documents(),
            self.failures(),
            is_half_rebuilt=is_half_rebuilt(self._store),
        )

    def compact(self) -> None:
        """Free the room of what was replaced and removed.

        Until then BM25 counts replaced passages, as Lucene does, and scores are a little off.
        Asking works meanwhile; a question that began before may have to be asked again.

        Raises:
            CollectionError: another process is writing, or the disk is full; nothing is changed.
        """
        self.made()
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
        return self._updates(progress).rebuild()

    def close(self) -> None:
        """Free what is held open; the collection can be used again."""
        self._store.close()

    def __enter__(self) -> Collection:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _answered(
        self, made: Made, questions: Sequence[str], settings: AskSettings, where: Where
    ) -> Iterator[GridItem]:
        reader = self._pipeline.reader
        call = CollectionCall(
            snapshot=self._store.snapshot(),
            where=where,
            reader=reader,
            settings=settings,
            read_settings=settings.with_sizes(
                passage_tokens=made.passage_tokens, overlap=made.overlap, content=made.content
            ),
            loading=self._loading,
            is_kept=token_fingerprint(reader.tokenizer) == made.tokenizer != "",
            bodies=self._bodies,
            address=self.address,
        )
        yield from ask_collection(call, questions, self._store.snapshot)

    def _updates(self, progress: Report | None) -> Updates:
        ingesting = Ingesting(self._pipeline, self._loading, self._ingest_all, self.address)
        return Updates(self._store, ingesting, progress)


def _entries(metadata: Mapping[str, object] | None) -> dict[str, str] | None:
    return None if metadata is None else require_metadata(metadata)
