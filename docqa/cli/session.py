"""What stays open during one command: the settings, the reader, the documents."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from docqa.cli.progress import ProgressLine
from docqa.cli.sources import STDIN
from docqa.datamodel import Answers, Coverage, Document, GridItem
from docqa.errors import ModelError, SettingError
from docqa.loaders.settings import LoadSettings
from docqa.reading_settings import ReadingSettings, open_pipeline

if TYPE_CHECKING:
    from docqa.asking.pipeline import Pipeline
    from docqa.cli.sources import SourceFile

__all__ = ["ReadingSettings", "Session", "failure", "open_pipeline"]

_QUESTIONS_PER_BATCH = 8  # read together; more would keep the first answers waiting


@dataclass
class Session:
    """Load sources and ask them, with the reader loaded once, when it is first needed."""

    sources: LoadSettings
    reading: ReadingSettings
    progress: ProgressLine
    kept: dict[str, bytes] = field(default_factory=dict, init=False)  # what is read only once
    checks: list[Callable[[Document], None]] = field(default_factory=list, init=False)
    _pipeline: Pipeline | None = field(default=None, init=False)
    _opening: Future[Pipeline] | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        """Let the worker that loads the sources start while this process goes on."""
        if self.sources.isolate:
            from docqa.loaders.isolation.calls import start

            start()

    @property
    def pipeline(self) -> Pipeline:
        """Return the pipeline, loading the reader the first time."""
        if self._pipeline is None:
            self.progress.say("loading the reader")
            opening, self._opening = self._opening, None
            self._pipeline = opening.result() if opening else open_pipeline(self.reading)
        return self._pipeline

    def open_early(self) -> None:
        """Let a reader that loads fast do so while the worker loads the first source.

        A slow one would keep the command from ending when the source cannot be loaded.
        """
        if self._pipeline is not None or not self.sources.isolate:
            return
        from docqa.reader.runtimes import starts_fast

        told = self.reading
        if starts_fast(told.reader, runtime=told.runtime, device=told.device, dtype=told.dtype):
            pool = ThreadPoolExecutor(1)
            self._opening = pool.submit(open_pipeline, told)
            pool.shutdown(wait=False)  # it takes nothing further

    def load(self, file: SourceFile, *, keeps: bool = False) -> Document:
        """Return the document of one source.

        The bytes of standard input, a pipe or a device, which can be read only once, are kept by
        the source's name; with `keeps` those of every source.

        Raises:
            LoadError: it cannot become a document.
        """
        from docqa.loaders.load import Source, load_with, read_source

        if file.error is not None:
            raise file.error
        self.progress.say(f"loading {file.path}")
        source: Source = file.path
        if keeps or file.path == STDIN or not Path(file.path).is_file():
            most = self.sources.effective_limits.file_bytes
            source = self.kept[file.path] = read_source(file.path, most_bytes=most)[0]
        progress = self.progress.pages(file.path)
        return load_with(self.sources, source, name=file.path, progress=progress)

    def passage_counter(self) -> Callable[[Document], int]:
        """Return what tells into how many passages the reader's pipeline splits a document.

        Raises:
            ModelError: there is no such reader.
        """
        from docqa.cli.passage_count import PassageCounter

        counter = PassageCounter.of_reader(self.reading.reader)
        if counter is not None:
            return counter.count
        return lambda document: len(self.pipeline.passages(document))

    def ask(self, document: Document, questions: Sequence[str]) -> Iterator[GridItem]:
        """Yield the outcome of every question, in order and as soon as its batch is read."""
        pipeline = self.pipeline
        self.progress.say(f"splitting {document.source}")
        pipeline.passages(document)
        for first in range(0, len(questions), _QUESTIONS_PER_BATCH):
            self.progress.say(f"reading {document.source}")
            batch = questions[first : first + _QUESTIONS_PER_BATCH]
            yield from pipeline.ask_all([document], batch, top_k=self.reading.top_k)

    def ask_all(
        self, files: Sequence[SourceFile], questions: Sequence[str]
    ) -> Iterator[tuple[Document | None, GridItem]]:
        """Yield each source's document and outcomes; a source that fails spoils no other.

        Raises:
            ModelError: the reader cannot be loaded.
            SettingError: a setting is out of its range.
        """
        self.open_early()
        for file in files:
            self.progress.next_step()
            try:
                document = self.load(file)
                for check in self.checks:
                    check(document)  # before the reader is loaded
            except Exception as error:
                yield from ((None, failure(file.path, question, error)) for question in questions)
                continue
            with document:
                yield from ((document, item) for item in self.ask_safely(document, questions))

    def ask_safely(self, document: Document, questions: Sequence[str]) -> Iterator[GridItem]:
        """Yield the outcome of every question; what goes wrong underway fails those left."""
        n_asked = 0
        self.pipeline  # noqa: B018  # what keeps the reader from loading concerns every source
        try:
            for item in self.ask(document, questions):
                n_asked += 1
                yield item
        except (ModelError, SettingError, BrokenPipeError):
            raise
        except Exception as error:
            yield from (failure(document.source, left, error) for left in questions[n_asked:])


def failure(source: str, question: str, error: Exception) -> GridItem:
    """Return the cell of the grid for a source that failed."""
    return GridItem(question, source, None, Answers(coverage=Coverage(0, 0)), error)
