"""The session of one command: the settings, the reader and the documents that stay open."""

from __future__ import annotations

import stat
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from docqa.asking.reading_settings import ReadingSettings, open_pipeline
from docqa.cli.progress import ProgressLine
from docqa.cli.sources import STDIN
from docqa.datamodel import Document, GridItem
from docqa.load_settings import LoadSettings
from docqa.protocols import LoadingReader

if TYPE_CHECKING:
    from docqa.asking.grid import AskedSource
    from docqa.asking.pipeline import Pipeline
    from docqa.cli.sources import SourceFile
    from docqa.reader.tokenizer import FastTokenizer

__all__ = ["PassageCounter", "ReadingSettings", "Session", "open_pipeline"]

# From this number of positions on, a window leaves room for the default passage size beside the
# longest question (384 tokens less 64 and a few separators: `docqa.load_reader`).
_ROOMY = 512

_LARGE = 1 << 20  # bytes; a PDF of this size takes about a second to load


@dataclass
class Session:
    """The sources and the reader of one command; the reader is loaded when it is first needed."""

    sources: LoadSettings
    reading: ReadingSettings
    progress: ProgressLine
    kept: dict[str, bytes] = field(default_factory=dict, init=False)  # of what is read once
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

        chosen = self.reading
        if starts_fast(
            chosen.reader, runtime=chosen.runtime, device=chosen.device, dtype=chosen.dtype
        ):
            pool = ThreadPoolExecutor(1)
            self._opening = pool.submit(_opened_whole, chosen)
            pool.shutdown(wait=False)  # it takes nothing further

    def load(self, file: SourceFile, *, keeps: bool = False) -> Document:
        """Return the document of one source.

        The bytes of standard input, a pipe or a device, which can be read only once, are kept by
        the source's name; with `keeps` those of every source.

        Raises:
            LoadError: it cannot become a document.
        """
        from docqa.loaders.load import load_with
        from docqa.loaders.source_bytes import Source, read_source

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
        """Return the passage counter of the reader.

        Raises:
            ModelError: there is no such reader.
        """
        counter = PassageCounter.of_reader(self.reading.reader)
        if counter is not None:
            return counter.count
        return lambda document: len(self.pipeline.passages(document))

    def ask_all(
        self, files: Sequence[SourceFile], questions: Sequence[str]
    ) -> Iterator[tuple[Document | None, GridItem]]:
        """Yield each outcome with its document, source by source.

        Raises:
            ModelError: the reader cannot be loaded.
            SettingError: a setting is out of its range.
        """
        from docqa.asking.grid import AskedSource

        self.open_early()
        return self._asked(
            AskedSource(
                file.path, partial(self._checked, file), questions, closes=True, waits=_waits(file)
            )
            for file in files
        )

    def ask_open(
        self, documents: Sequence[Document], question: str
    ) -> Iterator[tuple[Document | None, GridItem]]:
        """Yield the outcome of a question to each of the documents, which stay open.

        Raises:
            ModelError: the reader cannot be loaded.
            SettingError: a setting is out of its range.
        """
        from docqa.asking.grid import AskedSource

        return self._asked(
            AskedSource(document.source, partial(_itself, document), [question])
            for document in documents
        )

    def _asked(self, sources: Iterable[AskedSource]) -> Iterator[tuple[Document | None, GridItem]]:
        from docqa.asking.grid import ask_sources

        return ask_sources(
            sources,
            lambda: self.pipeline.call(top_k=self.reading.top_k),
            failing=(Exception,),
            on_stage=lambda stage, source: self.progress.say(f"{stage} {source}"),
        )

    def _checked(self, file: SourceFile) -> Document:
        """Return the document of a source, checked before the reader is loaded."""
        self.progress.next_step()
        document = self.load(file)
        for check in self.checks:
            check(document)
        return document


def _itself(document: Document) -> Document:
    return document


def _waits(file: SourceFile) -> bool:
    """Say whether a source may take long to load: a pipe, a device or a large file."""
    try:
        found = Path(file.path).stat()
    except (OSError, ValueError):
        return file.path == STDIN
    return not stat.S_ISREG(found.st_mode) or found.st_size > _LARGE


class PassageCounter:
    """A counter of passages with a reader's tokenizer alone, so that no runtime need start.

    Args:
        tokenizer: the reader's.
    """

    def __init__(self, tokenizer: FastTokenizer) -> None:
        from docqa.passages.splitter import Splitter

        self._splitter = Splitter(tokenizer)

    @classmethod
    def of_reader(cls, name_or_path: str) -> PassageCounter | None:
        """Return the counter of a reader, or None where the reader must be loaded for it.

        Raises:
            ModelError: there is no such reader.
        """
        from docqa.reader.checkpoints import find_checkpoint

        checkpoint = find_checkpoint(name_or_path, revision=None)
        if checkpoint.parts:
            checkpoint = find_checkpoint(checkpoint.parts[0])
        path = checkpoint.folder / "tokenizer.json"
        if int(checkpoint.config.get("max_position_embeddings", 0)) < _ROOMY or not path.is_file():
            return None
        from tokenizers import Tokenizer

        from docqa.reader.tokenizer import FastTokenizer

        return cls(FastTokenizer(Tokenizer.from_file(str(path)), pad_id=0))

    def count(self, document: Document) -> int:
        """Return the number of passages of a document with the default sizes."""
        return sum(1 for _ in self._splitter.split(document))


def _opened_whole(settings: ReadingSettings) -> Pipeline:
    """Return the pipeline with all models of its reader loaded."""
    pipeline = open_pipeline(settings)
    if isinstance(pipeline.reader, LoadingReader):
        pipeline.reader.load()
    return pipeline
