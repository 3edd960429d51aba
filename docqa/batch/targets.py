"""The targets of a batch: documents one by one, or a collection as a whole."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

from docqa.asking.reading_settings import ReadingSettings
from docqa.batch.asking import Asking, SourceJob, SourceOutcome
from docqa.batch.asking_collection import AskingCollection, fingerprint
from docqa.batch.questions import BatchQuestion
from docqa.errors import LoadError
from docqa.index.contract import Where
from docqa.load_settings import LoadSettings
from docqa.loaders.source_bytes import read_source

__all__ = ["BatchSource", "BatchTarget", "Documents", "WholeCollection"]


@dataclass(frozen=True, slots=True)
class BatchSource:
    """The name of a document or collection, or why there is none."""

    name: str
    error: LoadError | None = None


class BatchTarget(Protocol):
    """The sources that a batch asks, and the jobs that ask them."""

    @property
    def sources(self) -> Sequence[BatchSource]:
        """Return the sources of each question, each named once."""
        ...

    @property
    def settings(self) -> dict[str, Any]:
        """Return plain values that decide the answers beside the settings of reading."""
        ...

    def content_sha256(self, source: BatchSource, loading: LoadSettings) -> str | None:
        """Return the fingerprint of a source's content; None where it cannot be read."""
        ...

    def jobs(
        self,
        source: BatchSource,
        blocks: Sequence[tuple[BatchQuestion, ...]],
        loading: LoadSettings,
    ) -> Iterator[SourceJob]:
        """Yield a job for each block of questions."""
        ...

    def work(
        self, reading: ReadingSettings, loading: LoadSettings, settings: dict[str, Any]
    ) -> Callable[[SourceJob], SourceOutcome]:
        """Return the work for a job; picklable."""
        ...


@dataclass(frozen=True, slots=True)
class Documents:
    """Documents that are asked one by one. Their bytes are read here, and go with the jobs."""

    sources: Sequence[BatchSource]

    @property
    def settings(self) -> dict[str, Any]:
        """Return no values; see `BatchTarget`."""
        return {}

    def content_sha256(self, source: BatchSource, loading: LoadSettings) -> str | None:
        """Return the SHA-256 of a file; see `BatchTarget`."""
        content = _content(source, loading)[0]
        return None if content is None else hashlib.sha256(content).hexdigest()

    def jobs(
        self,
        source: BatchSource,
        blocks: Sequence[tuple[BatchQuestion, ...]],
        loading: LoadSettings,
    ) -> Iterator[SourceJob]:
        """Yield a job for each block of questions; see `BatchTarget`."""
        content, error = _content(source, loading)
        sha256 = None if content is None else hashlib.sha256(content).hexdigest()
        for number, block in enumerate(blocks, start=1):
            yield SourceJob(source.name, content, sha256, error, block, number == len(blocks))

    def work(
        self, reading: ReadingSettings, loading: LoadSettings, settings: dict[str, Any]
    ) -> Callable[[SourceJob], SourceOutcome]:
        """Return the work for a job; see `BatchTarget`."""
        return Asking(reading, loading, settings)


@dataclass(frozen=True, slots=True)
class WholeCollection:
    """A collection whose documents are asked at once. Each worker must reach its address.

    Attributes:
        address: as `Collection.address` gives it; names it in lines and messages.
        where: the filter of its documents; paths are those of the machine that starts the job.
    """

    address: str
    where: Where = field(default_factory=Where)

    def __post_init__(self) -> None:
        """Make paths absolute: workers may be in another folder, and so may a later run."""
        from docqa.collection.sources import with_absolute_paths

        object.__setattr__(self, "where", with_absolute_paths(self.where))

    @property
    def sources(self) -> Sequence[BatchSource]:
        """Return the collection; see `BatchTarget`."""
        return (BatchSource(self.address),)

    @property
    def settings(self) -> dict[str, Any]:
        """Return the filter, where it leaves documents out; see `BatchTarget`."""
        given = {
            name: value for name, value in asdict(self.where).items() if value not in (None, (), {})
        }
        if "keys" in given:
            given["keys"] = sorted(given["keys"])
        return {"where": given} if given else {}

    def content_sha256(self, source: BatchSource, loading: LoadSettings) -> str | None:
        """Return the fingerprint of the collection; see `BatchTarget`.

        Raises:
            CollectionError: there is no collection, or it was made by another version.
        """
        from docqa.collection.collection import Collection

        del loading, source
        with Collection(self.address) as collection:
            return fingerprint(collection, self.where)

    def jobs(
        self,
        source: BatchSource,
        blocks: Sequence[tuple[BatchQuestion, ...]],
        loading: LoadSettings,
    ) -> Iterator[SourceJob]:
        """Yield a job for each block of questions; see `BatchTarget`."""
        del loading
        for number, block in enumerate(blocks, start=1):
            yield SourceJob(source.name, None, None, None, block, number == len(blocks))

    def work(
        self, reading: ReadingSettings, loading: LoadSettings, settings: dict[str, Any]
    ) -> Callable[[SourceJob], SourceOutcome]:
        """Return the work for a job; see `BatchTarget`."""
        return AskingCollection(reading, loading, settings, self.where, self.address)


def _content(source: BatchSource, loading: LoadSettings) -> tuple[bytes | None, LoadError | None]:
    """Return the bytes of a source, or why there are none."""
    if source.error is not None:
        return None, source.error
    try:
        return read_source(source.name, most_bytes=loading.effective_limits.file_bytes)[0], None
    except LoadError as error:
        return None, error
