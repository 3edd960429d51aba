"""``docqa ask --in``: questions to a collection."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import click

from docqa.asking.settings import DEFAULT_TOP_PASSAGES
from docqa.cli.collection_options import AskedCollection
from docqa.cli.collections import asking_settings, open_collection
from docqa.cli.exits import ANSWERED
from docqa.cli.notices import Notices, counted
from docqa.cli.outcomes import OutcomeCounts, why_fewer
from docqa.cli.session import Session
from docqa.cli.writers import Format, open_writer
from docqa.datamodel import GridItem

if TYPE_CHECKING:
    from docqa.collection.collection import Collection

__all__ = ["CollectionSession"]


class CollectionSession:
    """One collection that is asked; the reader is loaded when it is first needed.

    Args:
        asked: the collection, and the documents of it.
        session: has the reader, and loads sources for the places of answers.
        ctx: of the command.

    Raises:
        click.UsageError: an option does nothing here.
        CollectionError: there is no collection, or it was made by another version.
    """

    def __init__(self, asked: AskedCollection, session: Session, ctx: click.Context) -> None:
        self._asked, self._session = asked, session
        with open_collection(asked.address) as known:
            own = known.settings()
        session.reading = asking_settings(ctx, session.reading, asked.address, own)
        self._kept_by = own.reader
        self._collection: Collection | None = None

    @property
    def collection(self) -> Collection:
        """Return the collection, loading the reader the first time."""
        if self._collection is None:
            from docqa.collection.collection import Collection

            self._collection = Collection(
                self._asked.address,
                pipeline=self._session.pipeline.with_loading(self._session.sources),
            )
        return self._collection

    def sync(self, notices: Notices) -> bool:
        """Bring the collection up to date, and report the changes.

        Returns:
            Whether all folders could be read.

        Raises:
            CollectionError: another process is writing, or the disk is full.
        """
        from docqa.cli.indexing import Indexing

        indexing = Indexing(
            self._asked.address,
            reader=self._kept_by,
            sizes={},
            loading=self._session.sources,
            notices=notices,
            progress=self._session.progress,
        )
        could = indexing.refresh()
        self._session.progress.close()
        notices.note(f"{self._asked.address}: {indexing.changes}")
        indexing.collection.close()
        return could

    def ask_all(self, questions: Sequence[str]) -> Iterator[tuple[None, GridItem]]:
        """Yield the outcome of every question, in order and as soon as its batch is read."""
        collection, progress = self.collection, self._session.progress
        asking = f"asking {self._asked.address}"
        progress.say(asking)
        for item in collection.ask_all(
            questions, top_k=self._session.reading.top_k, where=self._asked.where
        ):
            progress.close()
            yield None, item
            progress.say(asking)
        progress.close()

    def converse(self, notices: Notices, kind: Format) -> int:
        """Answer questions from the terminal until an empty line or Ctrl-D."""
        from docqa.cli.prompt import typed_questions

        documents = self.collection.documents(self._asked.where)
        self._session.progress.close()
        n_passages = sum(each.n_passages for each in documents)
        named = f"{self.collection.address}: {counted(len(documents), 'document')}"
        notices.note(f"{named}, {counted(n_passages, 'passage')}; an empty line leaves")
        writer = open_writer(kind, many_sources=False, many_questions=False)
        for question in typed_questions():
            for _, item in self.ask_all([question]):
                if item.error is not None:
                    notices.error(item.error)
                    continue
                for warning in item.answers.warnings:
                    notices.warning(warning)
                writer.write(item)
                if item.answers:
                    notices.note(str(item.answers.coverage))
        return ANSWERED

    def why_fewer(self, item: GridItem) -> str:
        """Return the reason why a question has fewer answers than were asked for, or ``""``."""
        return why_fewer(self._session.reading, item)

    def what_to_try(self, tally: OutcomeCounts) -> str:
        """Return advice for questions that nothing answers."""
        if not tally.passages_total:
            if not self._asked.where:
                return f"{self._asked.address} has no documents; docqa index takes some in"
            return "no document of the collection is asked: the filters leave none"
        if not tally.passages_read:
            question = "the question" if tally.unanswered == 1 else "any of the questions"
            return f"no passage shares a word with {question}; to try: other words"
        reading, tries = self._session.reading, []
        # Fewer are read where no more share a word with the question.
        if not reading.exhaustive and tally.most_read == (
            reading.top_passages or DEFAULT_TOP_PASSAGES
        ):
            tries.append("a higher --top-passages reads more of the passages")
        if reading.min_score != 0:
            tries.append("--min-score 0 shows even unlikely answers")
        tries.append("other words may match the documents' better")
        return f"to try: {'; '.join(tries)}"
