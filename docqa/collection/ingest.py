"""From a source to a stored document: load, split, analyse, tokenise, pack.

It can run in any process, on any machine: a `Recipe`, a `Job` and its result can be pickled.
"""

from __future__ import annotations

import hashlib
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TYPE_CHECKING

from docqa.asking.prepared import require_text, splitter_for
from docqa.asking.settings import Splitting
from docqa.collection.packing import (
    NOWHERE,
    PackedPassage,
    pack_document,
    pack_passage,
    table_of,
    unpack_document,
    unpack_passage,
)
from docqa.collection.records import (
    CollectedDocument,
    FailedSource,
    FileStamp,
    file_stamp,
    labels_of,
)
from docqa.datamodel import Document, Table
from docqa.errors import DocqaError, LoadError
from docqa.index.analysis import terms
from docqa.index.contract import StoredDocument, StoredPassage
from docqa.index.memory import ranked_text
from docqa.index.name_terms import name_terms
from docqa.limits import SourceTime, at_work
from docqa.load_settings import LoadSettings
from docqa.loaders.load import load_with
from docqa.loaders.source_bytes import Source, read_source
from docqa.protocols import StoringTokenizer, Tokenizer, Tokens
from docqa.reading_form import ReadingForm

if TYPE_CHECKING:
    from docqa.passages.splitter import Splitter

__all__ = [
    "Ingested",
    "Ingester",
    "Job",
    "Recipe",
    "failure",
    "ingest",
    "ingester_of",
    "token_fingerprint",
]


@dataclass(frozen=True, slots=True)
class Recipe:
    """The settings by which sources become stored documents; hashable.

    Attributes:
        loading: how sources are loaded.
        reader: the name or path of the reader whose tokens count.
        splitting: how documents are split.
    """

    loading: LoadSettings
    reader: str
    splitting: Splitting


@dataclass(frozen=True, slots=True)
class Job:
    """A source to be ingested.

    Attributes:
        key: its name in the collection: an absolute path, or the name that it was given.
        source: its path, or what `docqa.load` takes.
        folder: the folder that it was found in, or None.
        metadata: the user's own.
        is_file: `key` is the path of a file, which will be there for its places.
        stamp: the file's, where it was taken already.
    """

    key: str
    source: Source
    folder: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    is_file: bool = True
    stamp: FileStamp | None = None


Ingested = StoredDocument | FailedSource


@dataclass(frozen=True, slots=True)
class Ingester:
    """The steps from a source to a stored document, for one reader.

    Attributes:
        loading: how sources are loaded.
        splitter: cuts documents into passages.
        tokenizer: makes the tokens to keep; none are kept where it is no `StoringTokenizer`.
    """

    loading: LoadSettings
    splitter: Splitter
    tokenizer: Tokenizer

    def __call__(self, job: Job) -> Ingested:
        """Return a source as a stored document, or why it cannot be one."""
        document_id = None
        stamp = job.stamp or (file_stamp(job.key) if job.is_file else None)
        try:
            most = self.loading.effective_limits.file_bytes
            data, _ = read_source(job.source, most_bytes=most)
            document_id = hashlib.sha256(data).hexdigest()
            started = time.monotonic()
            document = load_with(self.loading, data, name=job.key)
            taken = SourceTime(job.key, self.loading.wall_seconds, time.monotonic() - started)
            with document, at_work(taken):
                require_text(document)
                kept = None if job.is_file else data
                return self._stored(job, document, stamp, kept)
        except DocqaError as error:
            return replace(failure(job, error), id=document_id, stamp=stamp)

    def again(self, stored: StoredDocument) -> StoredDocument:
        """Return a stored document made again, from its stored text: its source is gone.

        Raises:
            CollectionError: the stored bytes are damaged.
        """
        old = CollectedDocument.from_json(stored.facts)
        rows = [row for each in stored.passages for row in unpack_passage(each.body, old.id).rows]
        packed = unpack_document(stored.body)
        document = packed.document(NOWHERE, None, (table_of(rows),) if rows else ())
        job = Job(old.key, old.key, old.folder, old.metadata)
        new = self._stored(job, document, old.stamp, None)
        facts = replace(old, n_passages=len(new.passages))
        return replace(new, labels=labels_of(facts), facts=facts.to_json(), body=stored.body)

    def _stored(
        self, job: Job, document: Document, stamp: FileStamp | None, original: bytes | None
    ) -> StoredDocument:
        passages = self.splitter.split(document)
        forms = [ReadingForm.of(passage).text for passage in passages]
        tokens: Sequence[Tokens | None] = [None] * len(forms)
        if isinstance(self.tokenizer, StoringTokenizer):
            tokens = self.tokenizer.encode(forms)
        rows = Table.joined(document.tables)
        stored = tuple(
            StoredPassage(
                passage.number,
                tuple(terms(ranked_text(passage))),
                pack_passage(PackedPassage(passage, made, rows.rows_touching(passage.span))),
                passage.boilerplate,
            )
            for passage, made in zip(passages, tokens, strict=True)
        )
        if not stored:
            raise LoadError(f"{job.key}: nothing in it is to be indexed", source=job.key)
        facts = CollectedDocument(
            key=job.key,
            id=document.id,
            source=job.key,
            title=document.title,
            media_type=document.media_type,
            extractor=document.extractor,
            indexed=time.time(),
            n_pages=len(document.pages),
            n_passages=len(stored),
            n_characters=len(document.text),
            folder=job.folder,
            stamp=stamp,
            metadata=dict(job.metadata),
            warnings=tuple(each.message for each in document.warnings),
        )
        return StoredDocument(
            key=job.key,
            generation=uuid.uuid4().hex,
            labels=labels_of(facts),
            names=name_terms(facts.source, facts.title),
            facts=facts.to_json(),
            body=pack_document(replace(document, source=facts.source), original=original),
            passages=stored,
        )


def failure(job: Job, error: DocqaError) -> FailedSource:
    """Return the record of a source that fails now."""
    return FailedSource(
        key=job.key,
        kind=type(error).__name__,
        message=str(error),
        failed=time.time(),
        folder=job.folder,
        metadata=dict(job.metadata),
    )


def ingest(recipe: Recipe, job: Job) -> Ingested:
    """Return a source as a stored document, or why it cannot be one.

    Raises:
        ModelError: there is no such reader.
        SettingError: passages of that size do not fit the reader.
    """
    return ingester_of(recipe)(job)


@lru_cache(maxsize=4)
def ingester_of(recipe: Recipe) -> Ingester:
    """Return the ingester of a recipe, without loading the reader's weights.

    Raises:
        ModelError: there is no such reader.
        SettingError: passages of that size do not fit the reader.
    """
    from docqa.reader.tokenizing import load_tokenizing

    reader = load_tokenizing(recipe.reader)
    return Ingester(recipe.loading, splitter_for(reader, recipe.splitting), reader.tokenizer)


def token_fingerprint(tokenizer: Tokenizer) -> str:
    """Return the fingerprint of the tokens that a collection stores; ``""`` for none."""
    return tokenizer.fingerprint if isinstance(tokenizer, StoringTokenizer) else ""
