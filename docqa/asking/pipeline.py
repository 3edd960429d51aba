"""Ask documents: load, split, search, read and locate, with everything reusable kept warm."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain

from docqa.asking.grid import Cell, Reading, answer_cells, batches, question_error, require_text
from docqa.asking.prepared import PreparedDocument, prepare
from docqa.datamodel import Answers, Content, Document, GridItem, Passage
from docqa.errors import LoadError, MissingDependencyError, QuestionError, SettingError
from docqa.loaders.limits import Limits
from docqa.loaders.load import Source, load_with, read_source, source_name
from docqa.loaders.ocr.engine import OcrEngine
from docqa.loaders.settings import DEFAULT_LANGUAGE, LoadSettings
from docqa.protocols import Progress, Reader
from docqa.recent import Recent

__all__ = [
    "DEFAULT_MIN_SCORE",
    "DEFAULT_RANK_WEIGHT",
    "DEFAULT_TOP_PASSAGES",
    "Content",
    "Pipeline",
    "ask",
]

# Chosen on SQuAD articles, papers and PDFs: docs/measurements/answers.md has the alternatives,
# docs/measurements/calibration.md those of the threshold.
DEFAULT_TOP_PASSAGES = 10
DEFAULT_MIN_SCORE = 0.15
DEFAULT_RANK_WEIGHT = 6.0

_PREPARED_DOCUMENTS = 32  # documents whose passages stay in memory
_LOADED_DOCUMENTS = 8  # documents asked by path that stay loaded


@dataclass(frozen=True, slots=True)
class Splitting:
    """Hold how documents are split; None leaves a size to the splitter."""

    passage_tokens: int | None
    overlap: int | None
    content: Content


class Pipeline:
    """Answer questions from documents; the object behind `docqa.ask`.

    Args:
        reader: a reader, or the name or path that `docqa.load_reader` takes; loaded when it is
            first needed and kept.
        passage_tokens: largest passage, in the reader's tokens; None takes the splitter's
            default or what the reader's window leaves, whichever is smaller.
        overlap: tokens that neighbouring passages may share; None takes the splitter's default.
        top_passages: how many passages of a document are read for a question.
        exhaustive: read all passages instead.
        min_score: answers with a lower score are left out, in 0 to 1: with a calibrated reader,
            those less likely right than that.
        rank_weight: how much a passage's rank counts in the order of answers, beside the reader's
            margin: a span loses this much times what its passage's BM25 score lacks of the best
            one's, as a share. Scores do not change; 0 leaves the order to the reader.
        content: ``"main"`` leaves out blocks flagged as navigation, footers and the like;
            ``"all"`` ranks them down.
        isolate: load sources in a worker process, so that a file from a stranger cannot crash or
            fill this one.
        limits: what loading a source may cost; without `isolate` only its caps hold.
        ocr: read the scanned pages of PDFs; see `docqa.load`.
        ocr_language: what Tesseract reads; several are joined as ``"eng+deu"``.

    Raises:
        SettingError: a setting is out of its range.
    """

    def __init__(
        self,
        *,
        reader: Reader | str | os.PathLike[str] = "mini",
        passage_tokens: int | None = None,
        overlap: int | None = None,
        top_passages: int = DEFAULT_TOP_PASSAGES,
        exhaustive: bool = False,
        min_score: float = DEFAULT_MIN_SCORE,
        rank_weight: float = DEFAULT_RANK_WEIGHT,
        content: Content = "all",
        isolate: bool = False,
        limits: Limits | None = None,
        ocr: bool | OcrEngine = False,
        ocr_language: str = DEFAULT_LANGUAGE,
    ) -> None:
        self._reader = self._named = reader
        self._passage_tokens = passage_tokens
        self._overlap = overlap
        self._top_passages = _at_least_1("top_passages", top_passages)
        self._exhaustive = exhaustive
        self._min_score = _share("min_score", min_score)
        self._rank_weight = _not_negative("rank_weight", rank_weight)
        self._content: Content = content
        self._loading = LoadSettings(
            isolate=isolate, limits=limits, ocr=ocr, ocr_language=ocr_language
        )
        self._lock = threading.Lock()
        self._prepared: Recent[PreparedDocument] = Recent(_PREPARED_DOCUMENTS)
        self._loaded: Recent[Document] = Recent(_LOADED_DOCUMENTS, on_drop=Document.close)

    @property
    def reader(self) -> Reader:
        """Return the reader, loading it the first time.

        Raises:
            ModelError: it cannot be loaded.
        """
        with self._lock:
            reader = self._reader
            if isinstance(reader, (str, os.PathLike)):
                from docqa.reader.models import load_reader

                self._reader = reader = load_reader(os.fspath(reader))
            return reader

    @property
    def chosen_reader(self) -> Reader | str:
        """Return the reader, or its name or path where it is not loaded yet."""
        with self._lock:
            chosen = self._named
        return os.fspath(chosen) if isinstance(chosen, os.PathLike) else chosen

    @property
    def loading(self) -> LoadSettings:
        """Return how sources are loaded."""
        return self._loading

    @property
    def splitting(self) -> Splitting:
        """Return how documents are split."""
        return Splitting(self._passage_tokens, self._overlap, self._content)

    def load(
        self,
        source: Source,
        *,
        password: str | None = None,
        media_type: str | None = None,
        encoding: str | None = None,
        progress: Progress | None = None,
    ) -> Document:
        """Return `source` as a document; the same bytes under the same name are loaded once.

        The settings are those of `docqa.load`; whether OCR is used is the pipeline's own.

        Raises:
            LoadError: it cannot be loaded.
        """
        if isinstance(source, Document):
            return source
        settings = replace(
            self._loading, password=password, media_type=media_type, encoding=encoding
        )
        data, name = read_source(source, most_bytes=settings.effective_limits.file_bytes)
        return self._loaded.made(
            (hashlib.sha256(data).hexdigest(), name, settings),
            partial(load_with, settings, data, name=name, progress=progress),
        )

    def passages(self, document: Document) -> tuple[Passage, ...]:
        """Return the passages that a document is split into, in order of its text."""
        return self._prepare(document).passages

    def ask(
        self,
        source: Source,
        question: str,
        *,
        top_k: int = 1,
        min_score: float | None = None,
        top_passages: int | None = None,
        exhaustive: bool | None = None,
        password: str | None = None,
    ) -> Answers:
        """Return the best answers of one document, best first; empty when none passes.

        Args:
            source: a path, ``"-"``, bytes, an open file or a `Document`.
            question: one question, in words.
            top_k: at most so many answers.
            min_score: overrules the pipeline's threshold.
            top_passages: overrules the pipeline's number of passages.
            exhaustive: overrules the pipeline's choice.
            password: opens an encrypted PDF.

        Raises:
            LoadError: the source cannot be loaded; `NoTextError` when it holds no text.
            QuestionError: the question is blank or too long for the reader.
            ModelError: the reader cannot be loaded.
            SettingError: a setting is out of its range.
        """
        items = self.ask_all(
            [source],
            [question],
            top_k=top_k,
            min_score=min_score,
            top_passages=top_passages,
            exhaustive=exhaustive,
            password=password,
        )
        item = next(items)
        if item.error is not None:
            raise item.error
        return item.answers

    def ask_all(
        self,
        sources: Iterable[Source] | Source,
        questions: Iterable[str] | str,
        *,
        top_k: int = 1,
        min_score: float | None = None,
        top_passages: int | None = None,
        exhaustive: bool | None = None,
        password: str | None = None,
        media_type: str | None = None,
        encoding: str | None = None,
        progress: Progress | None = None,
    ) -> Iterator[GridItem]:
        """Ask every question of every source; yield one item for each pair, source by source.

        A source that cannot be loaded, or a question that cannot be read, gives items with
        `error` set; the rest goes on. Sources are loaded one at a time, passages of several
        questions and sources are read together.

        Args:
            sources: paths, bytes, open files or documents, taken one by one; or one of them.
            questions: asked of each source; or one question.
            top_k: at most so many answers for each item.
            min_score: overrules the pipeline's threshold.
            top_passages: overrules the pipeline's number of passages.
            exhaustive: overrules the pipeline's choice.
            password: opens encrypted PDFs.
            media_type: overrules the detection for every source.
            encoding: overrules the declared encoding of texts and HTML.
            progress: called with (pages done, pages in all) while each PDF loads.

        Raises:
            ModelError: the reader cannot be loaded.
            QuestionError: a question is not a string.
            SettingError: a setting is out of its range.
        """
        reading = self.reading_settings(
            top_k=top_k, min_score=min_score, top_passages=top_passages, exhaustive=exhaustive
        )
        load_source = partial(
            self.load,
            password=password,
            media_type=media_type,
            encoding=encoding,
            progress=progress,
        )
        cells = self._cells(_each(sources), _questions(questions), reading, load_source)
        return chain.from_iterable(
            answer_cells(batch, self.reader, reading) for batch in batches(cells)
        )

    def reading_settings(
        self,
        *,
        top_k: int = 1,
        min_score: float | None = None,
        top_passages: int | None = None,
        exhaustive: bool | None = None,
    ) -> Reading:
        """Return the settings of one call; None leaves them to the pipeline.

        Raises:
            SettingError: a setting is out of its range.
        """
        return Reading(
            top_k=_at_least_1("top_k", top_k),
            min_score=self._min_score if min_score is None else _share("min_score", min_score),
            rank_weight=self._rank_weight,
            top_passages=self._passages_read(top_passages, exhaustive),
        )

    def _passages_read(self, top_passages: int | None, exhaustive: bool | None) -> int | None:
        if self._exhaustive if exhaustive is None else exhaustive:
            return None
        if top_passages is None:
            return self._top_passages
        return _at_least_1("top_passages", top_passages)

    def _cells(
        self,
        sources: Iterable[Source],
        questions: Sequence[str],
        reading: Reading,
        load_source: Callable[[Source], Document],
    ) -> Iterator[Cell]:
        errors: dict[str, QuestionError | None] = {}
        for number, source in enumerate(sources):
            try:
                document = load_source(source)
                require_text(document)
            except (LoadError, MissingDependencyError) as error:
                for question in questions:
                    yield Cell(question, source_name(source), number, error=error)
                continue
            prepared = self._prepare(document)
            for question in questions:
                if question not in errors:
                    errors[question] = question_error(self.reader, question)
                cell = Cell(question, document.source, number, document, prepared)
                if errors[question] is not None:
                    yield replace(cell, error=errors[question])
                    continue
                ranked = prepared.passages_to_read(question, top_passages=reading.top_passages)
                yield replace(cell, ranked=ranked)

    def _prepare(self, document: Document) -> PreparedDocument:
        return self._prepared.made(
            (document.id, document.media_type, document.text),
            partial(
                prepare,
                document,
                self.reader,
                passage_tokens=self._passage_tokens,
                overlap=self._overlap,
                content=self._content,
            ),
        )


def ask(
    source: Source,
    question: str,
    *,
    reader: Reader | str | os.PathLike[str] = "mini",
    top_k: int = 1,
    min_score: float = DEFAULT_MIN_SCORE,
    top_passages: int = DEFAULT_TOP_PASSAGES,
    exhaustive: bool = False,
    content: Content = "all",
    isolate: bool = False,
    limits: Limits | None = None,
    password: str | None = None,
    ocr: bool | OcrEngine = False,
    ocr_language: str = DEFAULT_LANGUAGE,
) -> Answers:
    """Ask one question of one document; see `Pipeline` for each setting.

    The reader and the last documents stay in memory between calls.

    Returns:
        A list of `Answer`, best first; empty when nothing passes `min_score`. Its `coverage`
        says how many passages were read.

    Raises:
        LoadError: the source cannot be loaded; `NoTextError` when it holds no text.
        QuestionError: the question is blank or too long for the reader.
        ModelError: the reader cannot be loaded.
        SettingError: a setting is out of its range.
    """
    pipeline = _PIPELINES.made(
        (reader, content, isolate, limits, ocr, ocr_language),
        lambda: Pipeline(
            reader=_shared_reader(reader),
            content=content,
            isolate=isolate,
            limits=limits,
            ocr=ocr,
            ocr_language=ocr_language,
        ),
    )
    return pipeline.ask(
        source,
        question,
        top_k=top_k,
        min_score=min_score,
        top_passages=top_passages,
        exhaustive=exhaustive,
        password=password,
    )


_PIPELINES: Recent[Pipeline] = Recent(4)  # those of `ask`
_READERS: Recent[Reader] = Recent(2)  # by name or path, shared by them
_READERS_LOCK = threading.Lock()


def _shared_reader(reader: Reader | str | os.PathLike[str]) -> Reader:
    if not isinstance(reader, (str, os.PathLike)):
        return reader
    from docqa.reader.models import load_reader

    name = os.fspath(reader)
    with _READERS_LOCK:  # loading one twice would cost seconds and memory
        return _READERS.made(name, lambda: load_reader(name))


def _each(sources: Iterable[Source] | Source) -> Iterable[Source]:
    """Return the sources; a path is one, not its letters, and an open file one, not its lines."""
    if isinstance(sources, (str, os.PathLike, bytes, bytearray, memoryview, Document)):
        return (sources,)
    return (sources,) if hasattr(sources, "read") else sources  # type: ignore[return-value]


def _questions(questions: Iterable[str] | str) -> tuple[str, ...]:
    asked = (questions,) if isinstance(questions, str) else tuple(questions)
    for question in asked:
        if not isinstance(question, str):
            raise QuestionError(f"a question is a string, not a {type(question).__name__}")
    return asked


def _at_least_1(name: str, value: int) -> int:
    if value < 1:
        raise SettingError(f"{name} must be at least 1, not {value}")
    return value


def _not_negative(name: str, value: float) -> float:
    if not value >= 0:
        raise SettingError(f"{name} must not be below 0, it is {value}")
    return value


def _share(name: str, value: float) -> float:
    if not 0.0 <= value <= 1.0:
        raise SettingError(f"{name} must lie in 0 to 1, not {value}")
    return value
