"""How a collection takes in sources: as it was made, here or elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from docqa.collection.format import Made
from docqa.collection.ingest import Ingested, Ingester, Job, Recipe, ingester_of
from docqa.collection.loading import IngestAll
from docqa.errors import CollectionError
from docqa.index.store import StoredDocument
from docqa.loaders.settings import LoadSettings
from docqa.pipeline import Pipeline
from docqa.prepared import splitter_for

__all__ = ["Ingesting"]


@dataclass(frozen=True, slots=True)
class Ingesting:
    """Take in sources for a collection.

    Attributes:
        pipeline: its reader's tokens are kept, and a new collection splits as it does.
        loading: how sources are loaded.
        ingest_all: takes them in somewhere else; None for here, one after another.
        address: the collection's, for messages.
    """

    pipeline: Pipeline
    loading: LoadSettings
    ingest_all: IngestAll | None
    address: str

    def new_made(self) -> Made:
        """Return how a collection is made now.

        Raises:
            ModelError: there is no such reader.
            SettingError: passages of that size do not fit the reader.
        """
        ingester = self._ingester(None)
        return Made.now(
            reader=self._reader_name(),
            tokenizer=getattr(ingester.tokenizer, "fingerprint", ""),
            passage_tokens=ingester.splitter.passage_tokens,
            overlap=ingester.splitter.overlap,
            content=self.pipeline.splitting.content,
        )

    def run(self, jobs: Sequence[Job], made: Made) -> Iterator[Ingested]:
        """Yield what comes of each job, as the collection was made.

        Raises:
            CollectionError: the collection keeps the tokens of another reader.
            ModelError: there is no such reader.
        """
        if not jobs:
            return
        ingester = self._ingester(made)
        own = getattr(ingester.tokenizer, "fingerprint", "")
        if own != made.tokenizer:
            name = self._reader_name()
            raise CollectionError(
                f"{self.address} keeps the tokens of the reader {made.reader!r}, and {name!r} has "
                "others; add with that reader, or make the collection anew: "
                f"docqa kb rebuild {self.address} --reader {name}"
            )
        recipe = self._recipe(made)
        if recipe is not None and self.ingest_all is not None and _are_apart(jobs):
            yield from self.ingest_all(recipe, jobs)
        else:
            yield from map(ingester, jobs)

    def again(self, stored: StoredDocument, made: Made) -> StoredDocument:
        """Return a stored document as the collection is made now; its source is gone."""
        return self._ingester(made).again(stored)

    def _recipe(self, made: Made | None) -> Recipe | None:
        """Return what other processes need too; None for a reader that is no name."""
        chosen, splitting = self.pipeline.chosen_reader, made or self.pipeline.splitting
        if not isinstance(chosen, str):
            return None
        return Recipe(
            self.loading, chosen, splitting.passage_tokens, splitting.overlap, splitting.content
        )

    def _ingester(self, made: Made | None) -> Ingester:
        recipe = self._recipe(made)
        if recipe is not None:
            return ingester_of(recipe)
        reader, splitting = self.pipeline.reader, made or self.pipeline.splitting
        splitter = splitter_for(
            reader,
            passage_tokens=splitting.passage_tokens,
            overlap=splitting.overlap,
            content=splitting.content,
        )
        return Ingester(self.loading, splitter, reader.tokenizer)

    def _reader_name(self) -> str:
        chosen = self.pipeline.chosen_reader
        return chosen if isinstance(chosen, str) else chosen.name


def _are_apart(jobs: Sequence[Job]) -> bool:
    """Say whether the jobs can be done elsewhere: paths can, open files cannot."""
    return all(isinstance(job.source, (str, bytes)) for job in jobs)
