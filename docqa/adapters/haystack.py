"""Haystack: a converter, a retriever and an extractive reader over docqa (the extra ``haystack``).

Documents have Haystack's meta: ``file_path``, ``page_number`` (from 1), ``split_id``,
``split_idx_start`` and ``source_id`` (the SHA-256 of the file). Pipelines are saved and loaded:
``Pipeline.loads(text, allowed_modules=["docqa.*"])``.
"""

from __future__ import annotations

import hashlib
import inspect
import os
import sys
import threading
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path, PurePath
from typing import Any

from docqa.adapters.corpus import (
    Corpus,
    Each,
    Part,
    boxes_by_page,
    parts_of,
    shared_pipeline,
    where_of,
)
from docqa.asking.cells import Cell, answer_cells, question_error
from docqa.asking.pipeline import Pipeline
from docqa.asking.prepared import index_of
from docqa.asking.settings import AskSettings, at_least_1, share
from docqa.collection.collection import Collection
from docqa.collection.packing import NOWHERE
from docqa.datamodel import Answer, RankedPassage, Span, is_nameless
from docqa.datamodel import Document as LoadedDocument
from docqa.errors import LoadError, SettingError
from docqa.load_settings import DEFAULT_LANGUAGE, LoadSettings
from docqa.loaders.load import load_with
from docqa.reader.models import load_reader
from docqa.reader.requirements import require
from docqa.recent import Recent

try:
    from haystack import (
        Document,
        ExtractedAnswer,
        component,
        default_from_dict,
        default_to_dict,
        logging,
    )
    from haystack.components.converters.utils import normalize_metadata
    from haystack.dataclasses import ByteStream
    from haystack.utils import ComponentDevice
except ImportError:
    require("docqa.adapters.haystack", "haystack", extra="haystack")
    raise

__all__ = ["DocqaConverter", "DocqaExtractiveReader", "DocqaRetriever"]

_LOGGER = logging.getLogger(__name__)
_PIPELINES: Recent[Pipeline] = Recent(2)  # of readers with sizes or a device of their own
_LOADING = threading.Lock()


@component
class DocqaConverter:
    """A converter of files of any kind that docqa reads, a document of Haystack for each part.

    A source that cannot be loaded is left out, with a warning that names it and says why.

    Args:
        each: ``"page"``, ``"passage"`` or ``"document"``: the parts. A file without pages is one
            page. Parts without text are left out. Pages of a document are parted by form feeds,
            as Haystack's splitters count them.
        store_full_path: keep the path as given in ``file_path``, not the file's name alone.
        reader: passages are cut for it; see `docqa.load_reader`.
        isolate: load in a worker process, so that a file from a stranger cannot hurt this one.
        ocr: read the scanned pages of PDFs, with Tesseract.
        ocr_language: of Tesseract.
    """

    def __init__(
        self,
        each: Each = "page",
        *,
        store_full_path: bool = False,
        reader: str = "cascade",
        isolate: bool = False,
        ocr: bool = False,
        ocr_language: str = DEFAULT_LANGUAGE,
    ) -> None:
        self.each = each
        self.store_full_path = store_full_path
        self.reader = reader
        self.isolate, self.ocr, self.ocr_language = isolate, ocr, ocr_language

    def to_dict(self) -> dict[str, Any]:
        """Return the component as plain values."""
        return _to_dict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> DocqaConverter:
        """Return the component of plain values."""
        return _from_dict(cls, data)

    @component.output_types(documents=list[Document])
    def run(
        self,
        sources: list[str | Path | ByteStream],
        meta: dict[str, Any] | list[dict[str, Any]] | None = None,
    ) -> dict[str, list[Document]]:
        """Return the parts of all sources, in order.

        Args:
            sources: paths, or byte streams with their ``file_path`` or ``file_name`` in the meta.
            meta: added to that of all documents, or of each source's.

        Raises:
            SettingError: a setting is unknown.
        """
        documents: list[Document] = []
        metas = normalize_metadata(meta, len(sources))
        for source, own in zip(sources, metas, strict=True):
            try:
                loaded = self._loaded(source)
            except LoadError as error:
                _LOGGER.warning("{error}; the source is left out", error=str(error))
                continue
            given = source.meta if isinstance(source, ByteStream) else {}
            parts = parts_of(loaded, self.each, pipeline=shared_pipeline(self.reader))
            documents += (
                _document(part, {**given, **own}, full_path=self.store_full_path) for part in parts
            )
        return {"documents": documents}

    def _loaded(self, source: str | Path | ByteStream) -> LoadedDocument:
        settings = LoadSettings(isolate=self.isolate, ocr=self.ocr, ocr_language=self.ocr_language)
        if not isinstance(source, ByteStream):
            return load_with(settings, source)
        name = source.meta.get("file_path") or source.meta.get("file_name")
        return load_with(settings, source.data, name=None if name is None else str(name))


@component
class DocqaRetriever:
    """A retriever of the passages of a collection that rank best by BM25.

    Args:
        collection: the address of the collection.
        top_k: the number of passages, at most; those that share no term are left out.
        where: the documents that are searched, a mapping of the fields of `docqa.Where`.
        boxes: add the rectangles of their lines as ``boxes``; the sources are opened for them.
    """

    def __init__(
        self,
        collection: str,
        *,
        top_k: int = 10,
        where: dict[str, Any] | None = None,
        boxes: bool = False,
    ) -> None:
        self.collection = os.fspath(collection)
        self.top_k = at_least_1("top_k", top_k)
        self.where = where
        self.boxes = boxes
        where_of(where)
        self._collection: Collection | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the component as plain values."""
        return _to_dict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> DocqaRetriever:
        """Return the component of plain values."""
        return _from_dict(cls, data)

    def warm_up(self) -> None:
        """Open the collection.

        Raises:
            SettingError: there is no engine for the address.
            MissingDependencyError: the engine's library is not installed.
        """
        with _LOADING:
            if self._collection is None:
                self._collection = Collection(self.collection, pipeline=shared_pipeline())

    @component.output_types(documents=list[Document])
    def run(
        self, query: str, top_k: int | None = None, where: dict[str, Any] | None = None
    ) -> dict[str, list[Document]]:
        """Return the passages for a query, best first.

        Args:
            query: in words.
            top_k: overrules the component's.
            where: takes the place of the component's.

        Raises:
            CollectionError: there is no collection, or it cannot be read.
            SettingError: a setting is out of its range.
        """
        self.warm_up()
        corpus = Corpus(collection=self._collection, where=self.where if where is None else where)
        most = self.top_k if top_k is None else top_k
        found = corpus.search(query, top_k=most, boxes=self.boxes)
        return {"documents": [_document(part, {}, full_path=True) for part in found]}


@component
class DocqaExtractiveReader:
    """An extractive reader in the place of ``TransformersExtractiveReader``.

    Inputs, outputs and most settings are that component's. An answer has its sentence as `context`
    too, and in its meta ``answer_page_number``, ``page_label``, ``document_start`` and
    ``document_end`` (characters of the file's text, where the document comes from this module
    unchanged), ``occurrences`` and ``boxes``. All documents are read whole, and ranked together.
    Answers never overlap, whatever `overlap_threshold` is.

    Args:
        model: see `docqa.load_reader`.
        device: a name such as ``"cuda:0"``, or a ``ComponentDevice``; None for what is there.
        token: refused; the hub's own ``HF_TOKEN`` is used.
        top_k: the number of answers, at most; the one without text comes on top.
        score_threshold: the lowest score; 0 and None keep all.
        max_seq_length: tokens of a window; None for the reader's.
        stride: tokens that windows of a long passage share; None for the reader's.
        max_batch_size: windows that are read at once; None for what suits the device.
        answers_per_seq: refused; the reader proposes enough.
        no_answer: add an answer without text, with the probability that no other is right: 1 less
            the sum of their scores.
        calibration_factor: refused; the reader has its own calibration.
        overlap_threshold: answers that overlap are one already.
        model_kwargs: refused; `docqa.load_reader` takes none.
        locate: look up the rectangles of answers, as ``boxes``: the file at the document's
            ``file_path`` is opened, where it is still the same.
        isolate: open it in a worker process.

    Raises:
        SettingError: a setting is out of its range, or is one that cannot be honoured.
    """

    def __init__(
        self,
        model: str | Path = "cascade",
        device: ComponentDevice | str | None = None,
        token: Any = None,
        top_k: int = 20,
        score_threshold: float | None = None,
        max_seq_length: int | None = None,
        stride: int | None = None,
        max_batch_size: int | None = None,
        answers_per_seq: int | None = None,
        no_answer: bool = True,
        calibration_factor: float | None = None,
        overlap_threshold: float | None = 0.01,
        model_kwargs: dict[str, Any] | None = None,
        *,
        locate: bool = False,
        isolate: bool = False,
    ) -> None:
        _refuse(
            token=token,
            answers_per_seq=answers_per_seq,
            calibration_factor=calibration_factor,
            model_kwargs=model_kwargs,
        )
        self.model = os.fspath(model)
        self.device = device.to_torch_str() if isinstance(device, ComponentDevice) else device
        self.top_k = at_least_1("top_k", top_k)
        self.score_threshold = score_threshold
        self.max_seq_length, self.stride = max_seq_length, stride
        self.max_batch_size = max_batch_size
        self.no_answer = no_answer
        self.overlap_threshold = overlap_threshold
        self.locate, self.isolate = locate, isolate
        share("score_threshold", score_threshold or 0.0)

    def to_dict(self) -> dict[str, Any]:
        """Return the component as plain values."""
        return _to_dict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> DocqaExtractiveReader:
        """Return the component of plain values."""
        return _from_dict(cls, data)

    def warm_up(self) -> None:
        """Load the reader.

        Raises:
            ModelError: it cannot be loaded.
            SettingError: a size is out of its range.
        """
        _ = self._pipeline().reader

    @component.output_types(answers=list[ExtractedAnswer])
    def run(
        self,
        query: str,
        documents: list[Document],
        top_k: int | None = None,
        score_threshold: float | None = None,
        max_seq_length: int | None = None,
        stride: int | None = None,
        max_batch_size: int | None = None,
        answers_per_seq: int | None = None,
        no_answer: bool | None = None,
        overlap_threshold: float | None = None,
    ) -> dict[str, list[ExtractedAnswer]]:
        """Return the answers in some documents, best first.

        Args:
            query: the question.
            documents: those without text are left out, with a warning.
            top_k: overrules the component's; likewise `score_threshold` and `no_answer`.
            score_threshold: the lowest score.
            max_seq_length: refused; it belongs to the component.
            stride: likewise.
            max_batch_size: likewise.
            answers_per_seq: refused.
            no_answer: add an answer without text.
            overlap_threshold: answers that overlap are one already.

        Raises:
            QuestionError: the query is blank or too long for the reader.
            ModelError: the reader cannot be loaded.
            SettingError: a setting is out of its range, or is one that cannot be honoured.
        """
        del overlap_threshold
        _refuse(
            max_seq_length=max_seq_length,
            stride=stride,
            max_batch_size=max_batch_size,
            answers_per_seq=answers_per_seq,
        )
        if not documents:
            return {"answers": []}
        most = self.top_k if top_k is None else at_least_1("top_k", top_k)
        lowest = self.score_threshold if score_threshold is None else score_threshold
        lowest = share("score_threshold", 0.0 if lowest is None else lowest)
        readable = {each.id: each for each in documents if _has_text(each)}
        found = list(self._answers(query, readable))[:most]
        if self.no_answer if no_answer is None else no_answer:
            found.append(_nothing(query, found))
            found.sort(key=lambda answer: -answer.score)
        return {"answers": [answer for answer in found if answer.score >= lowest]}

    def _answers(self, query: str, documents: dict[str, Document]) -> Iterator[ExtractedAnswer]:
        """Yield the answers, best first, each place of a file once."""
        pipeline = self._pipeline()
        taken: dict[str, list[Span]] = {}
        for answer in _read(pipeline, query, documents.values()):
            document = documents[answer.document.id]
            place = _place_in_file(document, Span(answer.start, answer.end))
            if place is not None:
                spans = taken.setdefault(place[0], [])
                if any(place[1].overlaps(span) for span in spans):
                    continue  # passages of a file share sentences
                spans.append(place[1])
            yield _extracted(answer, document, self._meta(answer, document, place))

    def _meta(
        self, answer: Answer, document: Document, place: tuple[str, Span] | None
    ) -> dict[str, Any]:
        first, label = document.meta.get("page_number"), document.meta.get("page_label")
        meta: dict[str, Any] = {}
        if isinstance(first, int):
            number = first + (document.content or "").count("\f", 0, answer.start)
            meta["answer_page_number"] = number
            if number == first and label is not None:
                meta["page_label"] = label
        if place is not None:
            meta |= {"document_start": place[1].start, "document_end": place[1].end}
            if self.locate and (boxes := self._boxes(document, place, answer.text)):
                meta["boxes"] = boxes
        if answer.occurrences:
            meta["occurrences"] = [
                {"start": each.start, "end": each.end, "score": each.score}
                for each in answer.occurrences
            ]
        return meta

    def _boxes(
        self, document: Document, place: tuple[str, Span], words: str
    ) -> list[dict[str, Any]] | None:
        """Return the rectangles of some words, where the file is there and is the same."""
        source_id, span = place
        path = document.meta.get("file_path")
        if not isinstance(path, str):
            return None
        files = self._pipeline().with_loading(LoadSettings(isolate=self.isolate))
        try:
            with files.load(path) as loaded:
                same = loaded.id == source_id and span.of(loaded.text) == words
                return boxes_by_page(loaded, span) if same else None
        except LoadError:
            return None

    def _pipeline(self) -> Pipeline:
        window = self.max_seq_length
        settings = {
            "device": self.device,
            "window_tokens": window,
            "window_overlap": self.stride,
            "batch_tokens": self.max_batch_size and self.max_batch_size * (window or 384),
        }
        given = {name: value for name, value in settings.items() if value is not None}
        if not given:
            return shared_pipeline(self.model)
        with _LOADING:
            return _PIPELINES.get_or_make(
                (self.model, *given.items()),
                lambda: Pipeline(reader=load_reader(self.model, **given)),
            )


def _refuse(**settings: object) -> None:
    """Check that settings which cannot be honoured are left out.

    Raises:
        SettingError: one is given; the message says where it belongs.
    """
    for name, value in settings.items():
        if value is not None:
            raise SettingError(f"DocqaExtractiveReader cannot take {name}: {_REFUSED[name]}")


_IN_INIT = "it belongs to the component: set it when you make it"
_REFUSED = {
    "token": "leave it out; the Hugging Face hub takes its token from HF_TOKEN",
    "answers_per_seq": "leave it out; the reader proposes enough answers of each window",
    "calibration_factor": "leave it out; the reader has its own calibration",
    "model_kwargs": "leave it out; docqa.load_reader takes no further settings",
    "max_seq_length": _IN_INIT,
    "stride": _IN_INIT,
    "max_batch_size": _IN_INIT,
}


def _to_dict(made: Any) -> dict[str, Any]:
    names = inspect.signature(type(made).__init__).parameters
    values = {name: getattr(made, name) for name in names if hasattr(made, name)}
    return default_to_dict(made, **values)


def _from_dict(kind: Any, data: dict[str, Any]) -> Any:
    return default_from_dict(kind, data)


def _document(part: Part, given: dict[str, Any], *, full_path: bool) -> Document:
    """Return a part as Haystack's document, on top of the meta that were given."""
    source = part.document.source
    path = None if is_nameless(source) else source if full_path else PurePath(source).name
    own = {
        "file_path": path,
        "title": part.document.title,
        "page_number": part.page_number,
        "page_label": part.page_label,
        "total_pages": part.n_pages or None,
        "split_id": part.number,
        "split_idx_start": part.span.start,
        "source_id": part.document.id,
        "docqa_seal": _seal(part.document.id, part.span.start, part.text),
        "boxes": part.boxes,
    }
    meta = {name: value for name, value in own.items() if value is not None}
    return Document(content=part.text, meta={**given, **meta}, score=part.score)


def _seal(source_id: str, start: int, text: str) -> str:
    """Return a checksum by which a text is known to stand at its place still."""
    sealed = f"{source_id}:{start}:{text}".encode("utf-8", "surrogatepass")
    return hashlib.sha256(sealed).hexdigest()[:16]


def _place_in_file(document: Document, span: Span) -> tuple[str, Span] | None:
    """Return a file's id, and the characters of its text that are a span of a document.

    None for a document that comes from elsewhere, or whose text or place was changed.
    """
    meta, text = document.meta, document.content or ""
    source_id, start = meta.get("source_id"), meta.get("split_idx_start")
    if not isinstance(start, int) or not isinstance(source_id, str):
        return None
    same = meta.get("docqa_seal") == _seal(source_id, start, text)
    return (source_id, span.shift(start)) if same else None


def _has_text(document: Document) -> bool:
    if document.content is None:
        _LOGGER.warning(
            "the document {document_id} has no text; it is left out", document_id=document.id
        )
    return document.content is not None


def _read(pipeline: Pipeline, query: str, documents: Iterable[Document]) -> Sequence[Answer]:
    """Return the answers in documents that are ranked together, best first."""
    reader = pipeline.reader
    if (refused := question_error(reader, query)) is not None:
        raise refused
    loaded = {
        each.id: LoadedDocument(each.id, each.content or "", each.id, "text/plain", None, NOWHERE)
        for each in documents
    }
    passages = [passage for each in loaded.values() for passage in pipeline.passages(each)]
    if not passages:
        return []
    found = index_of(passages).search(query, top_k=len(passages))
    kept = {one.passage.place for one in found}
    found += [RankedPassage(each, 0, 0.0) for each in passages if each.place not in kept]
    cell = Cell(
        query,
        "documents",
        ranked=tuple(found),
        n_passages=len(passages),
        documents=loaded,
        settings=AskSettings(top_k=sys.maxsize, min_score=0.0, top_passages=None),
    )
    (item,) = answer_cells([cell], lambda: reader, failing=())
    return item.answers


def _extracted(answer: Answer, document: Document, meta: dict[str, Any]) -> ExtractedAnswer:
    start = answer.start - answer.context_start
    return ExtractedAnswer(
        query=answer.question,
        score=answer.score,
        data=answer.text,
        document=document,
        context=answer.context,
        document_offset=ExtractedAnswer.Span(answer.start, answer.end),
        context_offset=ExtractedAnswer.Span(start, start + len(answer.text)),
        meta=meta,
    )


def _nothing(query: str, answers: Sequence[ExtractedAnswer]) -> ExtractedAnswer:
    """Return the answer without text: the words of no other answer are right."""
    return ExtractedAnswer(query=query, score=max(0.0, 1 - sum(each.score for each in answers)))
