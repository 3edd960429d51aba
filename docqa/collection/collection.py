"""A collection of documents: add, remove, synchronise, search and ask them all at once."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence

from docqa.asking.pipeline import Pipeline
from docqa.asking.settings import AskSettings, at_least_1
from docqa.collection.asking import CollectionCall, ask_collection
from docqa.collection.changes import Changes, Report
from docqa.collection.checking import CheckReport, check
from docqa.collection.commits import read_failures
from docqa.collection.information import CollectionInfo, information
from docqa.collection.ingest import token_fingerprint
from docqa.collection.records import CollectedDocument, FailedSource
from docqa.collection.search import FoundPassage, one_document, search
from docqa.collection.settings import CollectionSettings, collection_settings
from docqa.collection.sources import Sources, require_metadata, with_absolute_paths
from docqa.collection.stored_document import Bodies, stored_document
from docqa.collection.updates import Updates
from docqa.datamodel import Answers, Document, GridItem
from docqa.errors import CollectionError
from docqa.index.contract import Store, Where
from docqa.index.opening import open_store
from docqa.recent import Recent
from docqa.workers.pool import Pool

__all__ = ["Collection"]

_BODIES_KEPT = 64  # documents unpacked lately; a long one takes a few megabytes


class Collection:
    """Many documents in one stored index, which are asked all at once.

    Nothing is read or made before it is needed; the first `add` or `sync` makes the collection.
    Any number of processes may search and ask, also while one writes: each question sees one
    commit, in which every document is whole. Threads may share a collection; one of them writes at
    a time.

    Args:
        address: a folder; or where an engine is, see `docqa.index.opening.open_store`.
        pipeline: its reader, its settings of loading and reading, and its threshold are used;
            None for the usual ones. How documents are split is settled when the collection is
            made.
        pool: reads sources elsewhere, such as `docqa.workers.process_pool.ProcessPool(4)`; None
            for this process, one after another.

    Raises:
        SettingError: there is no engine for the address.
        MissingDependencyError: the engine's library is not installed.
    """

    def __init__(
        self,
        address: str | os.PathLike[str],
        *,
        pipeline: Pipeline | None = None,
        pool: Pool | None = None,
    ) -> None:
        self._store: Store = open_store(address)
        self._pipeline = Pipeline() if pipeline is None else pipeline
        self._pool = pool
        self._bodies: Bodies = Recent(_BODIES_KEPT)

    @property
    def address(self) -> str:
        """Return the address of the collection; it opens it again, in another process too."""
        return self._store.address

    def exists(self) -> bool:
        """Say whether the collection was made."""
        return self._store.exists()

    def settings(self) -> CollectionSettings:
        """Return the collection's settings: format, version, reader and sizes of passages.

        Raises:
            CollectionError: there is no collection, or it was made by another version.
        """
        return collection_settings(self._store)

    def add(
        self,
        sources: Sources,
        *,
        name: str | None = None,
        metadata: Mapping[str, object] | None = None,
        progress: Report | None = None,
    ) -> Changes:
        """Add sources, or read those again that have changed; folders stand for their files.

        Sources that cannot be loaded are in `Changes.failed` and in `failures`; the others are
        added.

        Args:
            sources: paths and open files; or one of them, or bytes with a `name`. The bytes of
                sources without a path are kept in the collection, for their places.
            name: the key of one source without a path.
            metadata: kept with each of them, for filters; numbers become text.
            progress: called after each source.

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
        """Bring a folder up to date in the collection: new, changed, moved and vanished files.

        A file whose size and time are those that were indexed is not read; others are compared by
        content. A file with the content of one that vanished is that one, moved. Documents of other
        folders stay as they are.

        Args:
            folder: its files of supported kinds, in it and below, without hidden ones.
            metadata: kept with each file of the folder; None keeps what they had.
            checksum: compare the content of every file, also where size and time say nothing new.
            retry_failed: try failed files again, also where they have not changed.
            progress: called after each file that is read.

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
            SettingError: `top_k` is out of its range.
        """
        at_least_1("top_k", top_k)
        self.settings()
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
            top_k: the most answers.
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
        own = self.settings()
        settings = self._pipeline.ask_settings(
            top_k=top_k, min_score=min_score, top_passages=top_passages
        )
        asked = [questions] if isinstance(questions, str) else list(questions)
        return self._answered(own, asked, settings, with_absolute_paths(where))

    def documents(self, where: Where | None = None) -> list[CollectedDocument]:
        """Return the records of the documents, ordered by key.

        Raises:
            CollectionError: there is no collection.
        """
        found = self._store.snapshot().documents(with_absolute_paths(where))
        return [CollectedDocument.from_json(each.facts) for each in found]

    def document(self, key: str) -> Document:
        """Return a document as it was indexed: its text and pages, without its tables.

        Its places are looked up in its source, which is opened for them; close the document
        afterwards, or use it in a `with` block.

        Args:
            key: of its record; see `documents`.

        Raises:
            CollectionError: there is no such document in the collection, or it is damaged.
        """
        snapshot = self._store.snapshot()
        for found in snapshot.documents(Where(keys=(key,))):
            with one_document(key):
                facts = CollectedDocument.from_json(found.facts)
            return stored_document(
                snapshot,
                (facts, found.generation),
                loading=self._pipeline.loading,
                bodies=self._bodies,
            )
        raise CollectionError(
            f"{key}: no such document in {self.address}; docqa kb info KB --documents lists them"
        )

    def failures(self) -> list[FailedSource]:
        """Return the sources that are not in the collection because they could not be loaded.

        Raises:
            CollectionError: there is no collection.
        """
        self._store.snapshot()
        return list(read_failures(self._store).values())

    def info(self) -> CollectionInfo:
        """Return the address, size and age of the collection.

        Raises:
            CollectionError: there is no collection, or it was made by another version.
        """
        return information(self._store, self.settings(), self.documents(), self.failures())

    def compact(self) -> None:
        """Free the room of documents that were replaced or removed.

        Until then BM25 counts replaced passages, as Lucene does, and scores are a little off.
        Asking works meanwhile; a question that began before may have to be asked again.

        Raises:
            CollectionError: another process is writing, or the disk is full; nothing is changed.
        """
        self.settings()
        self._store.compact()

    def check(self) -> CheckReport:
        """Return the problems of the collection: its files, and each document with its passages.

        In a folder every file is compared with its checksum, so that a changed byte is seen in any
        of them. On LanceDB, which keeps none, what each row holds is compared.

        Raises:
            CollectionError: there is no collection.
        """
        return check(self._store)

    def rebuild(self, *, progress: Report | None = None) -> Changes:
        """Make everything again from the sources, also a collection of another version.

        Each document is replaced when its source has been read, and stays where that is gone:
        nothing is lost on the way. Sources that failed before are tried again.

        Raises:
            CollectionError: another process is writing, the disk is full, or the collection
                cannot be read at all.
        """
        return self._updates(progress).rebuild()

    def close(self) -> None:
        """Close all open files; the collection can be used again."""
        self._store.close()

    def __enter__(self) -> Collection:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _answered(
        self,
        own: CollectionSettings,
        questions: Sequence[str],
        settings: AskSettings,
        where: Where,
    ) -> Iterator[GridItem]:
        reader = self._pipeline.reader
        call = CollectionCall(
            snapshot=self._store.snapshot(),
            where=where,
            reader=reader,
            settings=settings,
            read_settings=settings.with_sizes(
                passage_tokens=own.passage_tokens, overlap=own.overlap, content=own.content
            ),
            loading=self._pipeline.loading,
            is_kept=token_fingerprint(reader.tokenizer) == own.tokenizer != "",
            bodies=self._bodies,
            address=self.address,
        )
        yield from ask_collection(call, questions, self._store.snapshot)

    def _updates(self, progress: Report | None) -> Updates:
        return Updates(self._store, self._pipeline, self._pool, progress)


def _entries(metadata: Mapping[str, object] | None) -> dict[str, str] | None:
    return None if metadata is None else require_metadata(metadata)
