"""An extractive reader in the place of the one that Haystack moved out of its core."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from haystack import Document, ExtractedAnswer, component, default_from_dict, logging
from haystack.utils import ComponentDevice

from docqa.adapters.corpus import boxes_by_page, shared_pipeline
from docqa.adapters.haystack.documents import place_in_file, plain_values
from docqa.asking.cells import Cell, answer_cells, question_error
from docqa.asking.pipeline import Pipeline
from docqa.asking.prepared import index_of
from docqa.asking.settings import AskSettings, at_least_1, share
from docqa.collection.packing import NOWHERE
from docqa.datamodel import Answer, RankedPassage, Span
from docqa.datamodel import Document as LoadedDocument
from docqa.errors import LoadError, SettingError
from docqa.load_settings import LoadSettings
from docqa.reader.models import load_reader
from docqa.recent import Recent

__all__ = ["DocqaExtractiveReader"]

_LOGGER = logging.getLogger(__name__)
_PIPELINES: Recent[Pipeline] = Recent(2)  # of readers with sizes or a device of their own
_LOADING = threading.Lock()


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

    __module__ = "docqa.adapters.haystack"  # the path that saved pipelines name

    def __init__(
        self,
        model: str | Path = "cascade",
        *,
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
        self._files: Pipeline | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the component as plain values."""
        return plain_values(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> DocqaExtractiveReader:
        """Return the component of plain values."""
        return default_from_dict(cls, data)

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
        *,
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
            place = place_in_file(document, Span(answer.start, answer.end))
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
        if self._files is None:  # keeps the files opened last
            self._files = self._pipeline().with_loading(LoadSettings(isolate=self.isolate))
        try:
            loaded = self._files.load(path)
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
        given: dict[str, Any] = {
            name: value for name, value in settings.items() if value is not None
        }
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
