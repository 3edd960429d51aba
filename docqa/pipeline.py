"""Ask documents: load, split, search, read and locate, with everything reusable kept warm."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Generic, Literal, TypeVar

from docqa.answers import answers_from_spans, weigh_by_rank
from docqa.datamodel import Answers, Coverage, Document, GridItem, Passage, RankedPassage
from docqa.errors import DocqaError, LoadError, NoTextError, QuestionError, SettingError
from docqa.loaders.load import Progress, Source, load, read_source, source_name
from docqa.protocols import Index, Reader

__all__ = ["DEFAULT_MIN_SCORE", "DEFAULT_TOP_PASSAGES", "Content", "Pipeline", "ask"]

Content = Literal["all", "main"]

# Chosen on SQuAD articles, papers and PDFs: docs/measurements/answers.md has the alternatives.
DEFAULT_TOP_PASSAGES = 10
DEFAULT_MIN_SCORE = 0.5
DEFAULT_RANK_WEIGHT = 6.0
_PREPARED_DOCUMENTS = 32  # documents whose passages stay in memory
_LOADED_DOCUMENTS = 8  # documents asked by path that stay loaded
_MORE_PROPOSALS = 20  # spans asked of the reader beyond the answers, to weigh and merge
_PASSAGES_PER_BATCH = 256  # passages collected over questions and sources before reading

_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True)
class _Prepared:
    """Hold a document's passages and their index."""

    passages: tuple[Passage, ...]
    index: Index


@dataclass(frozen=True, slots=True)
class _Request:
    """Hold one cell of the grid before it is read."""

    question: str
    source: str
    document: Document | None
    ranked: tuple[RankedPassage, ...] = ()
    n_passages: int = 0
    error: DocqaError | None = None


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
        min_score: answers below it are left out, in 0 to 1. Not a probability.
        rank_weight: how much the reader's margin counts a passage's rank: a span loses this much
            times what its passage's BM25 score lacks of the best one's, as a share. 0 leaves the
            order to the reader.
        content: ``"main"`` leaves out blocks flagged as navigation, footers and the like;
            ``"all"`` ranks them down.

    Raises:
        SettingError: a setting is out of its range.
    """

    def __init__(
        self,
        *,
        reader: Reader | str = "mini",
        passage_tokens: int | None = None,
        overlap: int | None = None,
        top_passages: int = DEFAULT_TOP_PASSAGES,
        exhaustive: bool = False,
        min_score: float = DEFAULT_MIN_SCORE,
        rank_weight: float = DEFAULT_RANK_WEIGHT,
        content: Content = "all",
    ) -> None:
        self._reader = reader
        self._passage_tokens = passage_tokens
        self._overlap = overlap
        self._top_passages = _at_least_1("top_passages", top_passages)
        self._exhaustive = exhaustive
        self._min_score = _share("min_score", min_score)
        self._rank_weight = _not_negative("rank_weight", rank_weight)
        self._content: Content = content
        self._lock = threading.RLock()
        self._prepared: _Recent[_Prepared] = _Recent(_PREPARED_DOCUMENTS)
        self._loaded: _Recent[Document] = _Recent(_LOADED_DOCUMENTS, on_drop=Document.close)

    @property
    def reader(self) -> Reader:
        """Return the reader, loading it the first time.

        Raises:
            ModelError: it cannot be loaded.
        """
        with self._lock:
            reader = self._reader
            if isinstance(reader, str):
                from docqa.reader.models import load_reader

                self._reader = reader = load_reader(reader)
            return reader

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

        The settings are those of `docqa.load`.

        Raises:
            LoadError: it cannot be loaded.
        """
        if isinstance(source, Document):
            return source
        data, name = read_source(source)
        key = (hashlib.sha256(data).hexdigest(), name, password, media_type, encoding)
        with self._lock:
            document = self._loaded.get(key)
            if document is None:
                document = load(
                    data,
                    name=name,
                    password=password,
                    media_type=media_type,
                    encoding=encoding,
                    progress=progress,
                )
                self._loaded.put(key, document)
            return document

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
        password: str | None = None,
    ) -> Answers:
        """Return the best answers of one document, best first; empty when none passes.

        Args:
            source: a path, ``"-"``, bytes, an open file or a `Document`.
            question: one question, in words.
            top_k: at most so many answers.
            min_score: overrules the pipeline's threshold.
            password: opens an encrypted PDF.

        Raises:
            LoadError: the source cannot be loaded; `NoTextError` when it holds no text.
            QuestionError: the question is blank or too long for the reader.
            ModelError: the reader cannot be loaded.
            SettingError: a setting is out of its range.
        """
        item = next(
            self.ask_all([source], [question], top_k=top_k, min_score=min_score, password=password)
        )
        if item.error is not None:
            raise item.error
        return item.answers

    def ask_all(
        self,
        sources: Iterable[Source],
        questions: Iterable[str],
        *,
        top_k: int = 1,
        min_score: float | None = None,
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
            sources: paths, bytes, open files or documents; taken one by one.
            questions: asked of each source.
            top_k: at most so many answers for each item.
            min_score: overrules the pipeline's threshold.
            password: opens encrypted PDFs.
            media_type: overrules the detection for every source.
            encoding: overrules the declared encoding of texts and HTML.
            progress: called with (pages done, pages in all) while each PDF loads.

        Raises:
            ModelError: the reader cannot be loaded.
            SettingError: a setting is out of its range.
        """
        _at_least_1("top_k", top_k)
        threshold = self._min_score if min_score is None else _share("min_score", min_score)
        asked = tuple(questions)
        return self._grid(
            sources,
            asked,
            top_k=top_k,
            min_score=threshold,
            load_source=partial(
                self.load,
                password=password,
                media_type=media_type,
                encoding=encoding,
                progress=progress,
            ),
        )

    def _grid(
        self,
        sources: Iterable[Source],
        questions: Sequence[str],
        *,
        top_k: int,
        min_score: float,
        load_source: Callable[[Source], Document],
    ) -> Iterator[GridItem]:
        pending: list[_Request] = []
        for source in sources:
            for request in self._requests(source, questions, load_source):
                pending.append(request)
                if sum(len(one.ranked) for one in pending) >= _PASSAGES_PER_BATCH:
                    yield from self._answer(pending, top_k=top_k, min_score=min_score)
                    pending = []
        yield from self._answer(pending, top_k=top_k, min_score=min_score)

    def _requests(
        self,
        source: Source,
        questions: Sequence[str],
        load_source: Callable[[Source], Document],
    ) -> Iterator[_Request]:
        try:
            document = load_source(source)
            _require_text(document)
        except LoadError as error:
            for question in questions:
                yield _Request(question, source_name(source), None, error=error)
            return
        prepared = self._prepare(document)
        for question in questions:
            yield _Request(
                question,
                document.source,
                document,
                self._passages_to_read(prepared, question),
                len(prepared.passages),
                error=self._question_error(question),
            )

    def _question_error(self, question: str) -> QuestionError | None:
        try:
            self.reader.read(question, (), top_k=1)
        except QuestionError as error:
            return error
        return None

    def _answer(
        self, requests: Sequence[_Request], *, top_k: int, min_score: float
    ) -> Iterator[GridItem]:
        """Read the requests' passages together and yield their items in order."""
        readable = [request for request in requests if request.error is None]
        proposals = iter(
            self.reader.read_all(
                [(one.question, [ranked.passage for ranked in one.ranked]) for one in readable],
                top_k=top_k + _MORE_PROPOSALS,
            )
            if readable
            else ()
        )
        for request in requests:
            document = request.document
            if request.error is not None or document is None:
                yield _failed(request)
                continue
            spans = weigh_by_rank(next(proposals), request.ranked, weight=self._rank_weight)
            answers = answers_from_spans(document, spans, top_k=top_k, min_score=min_score)
            coverage = Coverage(spans.passages_read, request.n_passages)
            yield GridItem(
                request.question, request.source, document.info, Answers(answers, coverage=coverage)
            )

    def _prepare(self, document: Document) -> _Prepared:
        key = (document.id, document.media_type, document.text)
        with self._lock:
            prepared = self._prepared.get(key)
            if prepared is None:
                prepared = self._split_and_index(document)
                self._prepared.put(key, prepared)
            return prepared

    def _split_and_index(self, document: Document) -> _Prepared:
        from docqa.index.memory import MemoryIndex
        from docqa.passages.splitter import DEFAULT_OVERLAP, DEFAULT_PASSAGE_TOKENS, Splitter

        fits = self.reader.max_passage_tokens
        if self._passage_tokens is not None and self._passage_tokens > fits:
            raise SettingError(
                f"passage_tokens is {self._passage_tokens}, but the reader {self.reader.name!r} "
                f"takes at most {fits} beside a question; choose a smaller number"
            )
        size = (
            min(DEFAULT_PASSAGE_TOKENS, fits)
            if self._passage_tokens is None
            else (self._passage_tokens)
        )
        overlap = min(DEFAULT_OVERLAP, size // 2) if self._overlap is None else self._overlap
        splitter = Splitter(
            self.reader.tokenizer, passage_tokens=size, overlap=overlap, content=self._content
        )
        index = MemoryIndex()
        passages = tuple(splitter.split(document))
        index.add(passages)
        return _Prepared(passages, index)

    def _passages_to_read(self, prepared: _Prepared, question: str) -> tuple[RankedPassage, ...]:
        """Return the passages to read, best ranked first.

        Where the ranking finds fewer than `top_passages` (a question in other words than the
        document's), passages that share no term with the question fill up in order of the text,
        so that a short document is always read whole.
        """
        limit = len(prepared.passages) if self._exhaustive else self._top_passages
        found = prepared.index.search(question, top_k=limit) if limit and question.strip() else []
        seen = {ranked.passage.number for ranked in found}
        rest = (passage for passage in prepared.passages if passage.number not in seen)
        filled = zip(range(len(found), limit), rest, strict=False)
        return (*found, *(RankedPassage(passage, rank + 1, 0.0) for rank, passage in filled))


def ask(
    source: Source,
    question: str,
    *,
    reader: Reader | str = "mini",
    top_k: int = 1,
    min_score: float = DEFAULT_MIN_SCORE,
    top_passages: int = DEFAULT_TOP_PASSAGES,
    exhaustive: bool = False,
    content: Content = "all",
    password: str | None = None,
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
    key = (reader, top_passages, exhaustive, content)
    with _LOCK:
        pipeline = _SHARED.get(key)
        if pipeline is None:
            pipeline = Pipeline(
                reader=reader, top_passages=top_passages, exhaustive=exhaustive, content=content
            )
            _SHARED.put(key, pipeline)
    return pipeline.ask(source, question, top_k=top_k, min_score=min_score, password=password)


class _Recent(Generic[_Value]):
    """Keep the values used last, at most `size` of them."""

    def __init__(self, size: int, *, on_drop: Callable[[_Value], None] | None = None) -> None:
        self._size = size
        self._on_drop = on_drop
        self._values: OrderedDict[object, _Value] = OrderedDict()

    def get(self, key: object) -> _Value | None:
        if key not in self._values:
            return None
        self._values.move_to_end(key)
        return self._values[key]

    def put(self, key: object, value: _Value) -> None:
        self._values[key] = value
        while len(self._values) > self._size:
            _, dropped = self._values.popitem(last=False)
            if self._on_drop is not None:
                self._on_drop(dropped)


_LOCK = threading.Lock()
_SHARED: _Recent[Pipeline] = _Recent(4)  # pipelines of `ask`, one for each choice of settings


def _require_text(document: Document) -> None:
    if document.text.strip():
        return
    scanned = [page.number for page in document.pages if page.needs_ocr]
    reason = (
        f"its {len(document.pages)} pages are images without a text layer; run OCR on it first "
        "(OCRmyPDF adds a text layer)"
        if scanned
        else "nothing in it is text"
    )
    raise NoTextError(
        f"{document.source}: no text to answer from: {reason}", source=document.source
    )


def _failed(request: _Request) -> GridItem:
    info = request.document.info if request.document is not None else None
    nothing = Answers(coverage=Coverage(0, request.n_passages))
    return GridItem(request.question, request.source, info, nothing, request.error)


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
