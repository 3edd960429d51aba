"""The object behind `docqa.ask`: it keeps the reader and the last documents warm."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Iterable, Iterator
from copy import copy
from dataclasses import replace
from functools import partial

from docqa.asking.grid import AskCall, AskedSource, ask_sources
from docqa.asking.own_reader import completed
from docqa.asking.prepared import PreparedDocument, prepare
from docqa.asking.settings import (
    DEFAULT_MIN_SCORE,
    DEFAULT_TOP_PASSAGES,
    AskSettings,
    Splitting,
    at_least_1,
    share,
)
from docqa.datamodel import Answers, Content, Document, GridItem, Passage, RankedPassage
from docqa.errors import QuestionError
from docqa.limits import Limits
from docqa.load_settings import LoadSettings
from docqa.loaders.load import load_with
from docqa.loaders.source_bytes import Source, read_source, source_name
from docqa.ocr_engine import DEFAULT_LANGUAGE, OcrEngine
from docqa.protocols import Progress, Reader
from docqa.recent import Recent

__all__ = ["Pipeline"]

_PREPARED_DOCUMENTS = 32  # documents whose passages stay in memory
_LOADED_DOCUMENTS = 8  # documents asked by path that stay loaded


class Pipeline:
    """A reader with the settings to ask documents; the object behind `docqa.ask`.

    Args:
        reader: a reader, or the name or path that `docqa.load_reader` takes. It is loaded when it
            is first needed, and kept. `docqa.protocols.Reader` says how to bring your own.
        passage_tokens: largest passage, in the reader's tokens; None takes the splitter's
            default, or the room in the reader's window where that is smaller.
        overlap: tokens that neighbouring passages may share; None takes the splitter's default.
        top_passages: the number of passages of a document that are read for a question; the first
            two of the document are read too, where that is five or more.
        exhaustive: read all passages instead.
        min_score: answers with a lower score are left out, in 0 to 1. With a calibrated reader it
            is the lowest probability that an answer is right.
        content: ``"main"`` leaves out blocks flagged as navigation, footers and the like;
            ``"all"`` ranks them down.
        isolate, limits, ocr, ocr_language: of loading; see `docqa.load_settings.LoadSettings`.

    Raises:
        SettingError: a setting is out of its range.
    """

    def __init__(
        self,
        *,
        reader: Reader | str | os.PathLike[str] = "cascade",
        passage_tokens: int | None = None,
        overlap: int | None = None,
        top_passages: int = DEFAULT_TOP_PASSAGES,
        exhaustive: bool = False,
        min_score: float = DEFAULT_MIN_SCORE,
        content: Content = "all",
        isolate: bool = False,
        limits: Limits | None = None,
        ocr: bool | OcrEngine = False,
        ocr_language: str = DEFAULT_LANGUAGE,
    ) -> None:
        named = isinstance(reader, (str, os.PathLike))
        self._reader = self._named = reader if named else completed(reader)
        self._splitting = Splitting(passage_tokens, overlap, content)
        self._top_passages = at_least_1("top_passages", top_passages)
        self._exhaustive = exhaustive
        self._min_score = share("min_score", min_score)
        self._loading = LoadSettings(
            isolate=isolate, limits=limits, ocr=ocr, ocr_language=ocr_language
        )
        self._open()

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
        """Return the settings under which sources are loaded."""
        return self._loading

    @property
    def splitting(self) -> Splitting:
        """Return the settings under which documents are split."""
        return self._splitting

    def with_loading(self, loading: LoadSettings) -> Pipeline:
        """Return a pipeline that loads sources with other settings; all else is the same.

        A reader that is loaded is shared, documents in memory are not.
        """
        other = copy(self)
        other._loading = loading
        other._open()
        return other

    def _open(self) -> None:
        self._lock = threading.Lock()
        self._prepared: Recent[PreparedDocument] = Recent(_PREPARED_DOCUMENTS)
        self._loaded: Recent[Document] = Recent(_LOADED_DOCUMENTS, on_drop=Document.close)

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

        The settings are those of `LoadSettings`; None leaves one to the pipeline.

        Raises:
            LoadError: it cannot be loaded.
        """
        if isinstance(source, Document):
            return source
        own = self._loading
        settings = replace(
            own,
            password=own.password if password is None else password,
            media_type=own.media_type if media_type is None else media_type,
            encoding=own.encoding if encoding is None else encoding,
        )
        data, name = read_source(source, most_bytes=settings.effective_limits.file_bytes)
        return self._loaded.get_or_make(
            (hashlib.sha256(data).hexdigest(), name, settings),
            partial(load_with, settings, data, name=name, progress=progress),
        )

    def passages(self, document: Document) -> tuple[Passage, ...]:
        """Return the passages that a document is split into, in order of its text."""
        return self._prepare(document).passages

    def ranked(self, document: Document, question: str) -> tuple[RankedPassage, ...]:
        """Return the passages of a document that would be read for a question, best rank first.

        At most `top_passages` and the first two, or all with `exhaustive`. Passages that share no
        term with the question have the score 0.0; they follow in order of the text.
        """
        top_passages = self._passages_read(None, None)
        return self._prepare(document).passages_to_read(question, top_passages=top_passages)

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
            top_k: the number of answers, at most.
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
        `error` set, and the rest is asked. Sources are loaded one at a time. Passages of several
        questions and sources are read together.

        Args:
            sources: paths, bytes, open files or documents, taken one by one; or one of them.
            questions: asked of each source; or one question.
            top_k: the number of answers of each item, at most.
            min_score: overrules the pipeline's threshold.
            top_passages: overrules the pipeline's number of passages.
            exhaustive: overrules the pipeline's choice.
            password: opens encrypted PDFs.
            media_type: overrules the detection for every source.
            encoding: overrules the declared encoding of every source.
            progress: called with (pages done, pages in all) while each PDF loads.

        Raises:
            ModelError: the reader cannot be loaded.
            QuestionError: a question is not a string.
            SettingError: a setting is out of its range.
        """
        settings = self.ask_settings(
            top_k=top_k, min_score=min_score, top_passages=top_passages, exhaustive=exhaustive
        )
        load_source = partial(
            self.load,
            password=password,
            media_type=media_type,
            encoding=encoding,
            progress=progress,
        )
        asked = _questions(questions)
        outcomes = ask_sources(
            (
                AskedSource(source_name(source), partial(load_source, source), asked)
                for source in _each(sources)
            ),
            lambda: AskCall(self.reader, settings, self._prepare),
        )
        return (item for _, item in outcomes)

    def call(
        self,
        *,
        top_k: int = 1,
        min_score: float | None = None,
        top_passages: int | None = None,
        exhaustive: bool | None = None,
    ) -> AskCall:
        """Return the reader, the settings and the splitting of one call; None is the pipeline's.

        Raises:
            ModelError: the reader cannot be loaded.
            SettingError: a setting is out of its range.
        """
        settings = self.ask_settings(
            top_k=top_k, min_score=min_score, top_passages=top_passages, exhaustive=exhaustive
        )
        return AskCall(self.reader, settings, self._prepare)

    def ask_settings(
        self,
        *,
        top_k: int = 1,
        min_score: float | None = None,
        top_passages: int | None = None,
        exhaustive: bool | None = None,
    ) -> AskSettings:
        """Return the settings of one call; None leaves them to the pipeline.

        Raises:
            SettingError: a setting is out of its range.
        """
        return AskSettings(
            top_k=at_least_1("top_k", top_k),
            min_score=self._min_score if min_score is None else share("min_score", min_score),
            top_passages=self._passages_read(top_passages, exhaustive),
        )

    def _passages_read(self, top_passages: int | None, exhaustive: bool | None) -> int | None:
        if self._exhaustive if exhaustive is None else exhaustive:
            return None
        if top_passages is None:
            return self._top_passages
        return at_least_1("top_passages", top_passages)

    def _prepare(self, document: Document) -> PreparedDocument:
        return self._prepared.get_or_make(
            (document.id, document.media_type, document.text),
            partial(prepare, document, self.reader, self._splitting),
        )


def _each(sources: Iterable[Source] | Source) -> Iterable[Source]:
    """Return the sources. A path is one, not its letters; an open file is one, not its lines."""
    if isinstance(sources, (str, os.PathLike, bytes, bytearray, memoryview, Document)):
        return (sources,)
    return (sources,) if hasattr(sources, "read") else sources  # type: ignore[return-value]


def _questions(questions: Iterable[str] | str) -> tuple[str, ...]:
    asked = (questions,) if isinstance(questions, str) else tuple(questions)
    for question in asked:
        if not isinstance(question, str):
            raise QuestionError(f"a question is a string, not a {type(question).__name__}")
    return asked
