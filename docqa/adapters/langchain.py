"""LangChain: a loader, a retriever and a tool over docqa (the extra ``langchain``).

Metadata are flat scalars, as vector stores need them, with the names that LangChain's PDF loaders
use: ``source``, ``page`` (from 0), ``page_label``, ``total_pages``, ``title``, and ``start_index``
of a passage. Beside them stand ``document_id`` (the SHA-256 of the file) and ``docqa_start`` and
``docqa_end``: the text is ``docqa.load(source).text[docqa_start:docqa_end]``.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any

from docqa.adapters.corpus import (
    Corpus,
    Each,
    Part,
    each_source,
    parts_of,
    plain_answers,
    shared_pipeline,
)
from docqa.asking.pipeline import Pipeline
from docqa.citations.records import handle
from docqa.collection.collection import Collection
from docqa.datamodel import Answer, Answers
from docqa.errors import QuestionError
from docqa.index.contract import Where
from docqa.loaders.source_bytes import Source
from docqa.places import one_spaced, place_in_words, score_in_words
from docqa.reader.requirements import require

try:
    from langchain_core.callbacks import CallbackManagerForRetrieverRun
    from langchain_core.document_loaders import BaseLoader
    from langchain_core.documents import Document
    from langchain_core.retrievers import BaseRetriever
    from langchain_core.tools import BaseTool, StructuredTool, ToolException
except ImportError:
    require("docqa.adapters.langchain", "langchain_core", extra="langchain")
    raise

__all__ = ["DocqaLoader", "DocqaRetriever", "docqa_tool"]


class DocqaLoader(BaseLoader):
    """A loader of files of any kind that docqa reads, a document of LangChain for each part.

    Args:
        sources: paths, bytes or open files; or one. They are loaded one by one.
        each: ``"page"``, ``"passage"`` or ``"document"``: the parts. A file without pages is one
            page. Parts without text are left out.
        boxes: give passages the rectangles of their lines, as JSON in ``docqa_boxes``; see
            `docqa.adapters.corpus.boxes_by_page`.
        pipeline: loads and splits; None for the usual one.
    """

    def __init__(
        self,
        sources: Iterable[Source] | Source,
        *,
        each: Each = "page",
        boxes: bool = False,
        pipeline: Pipeline | None = None,
    ) -> None:
        self._sources = each_source(sources)
        self._each, self._boxes = each, boxes
        self._pipeline = shared_pipeline() if pipeline is None else pipeline

    def lazy_load(self) -> Iterator[Document]:
        """Yield the parts of each source, in order of its text.

        Raises:
            LoadError: a source cannot be loaded.
            SettingError: `each` is another word.
        """
        for source in self._sources:
            document = self._pipeline.load(source)
            for part in parts_of(document, self._each, pipeline=self._pipeline, boxes=self._boxes):
                yield _document(part, is_passage=self._each == "passage")


class DocqaRetriever(BaseRetriever):
    """A retriever of the passages that rank best by BM25; no model reads them.

    ``invoke(query)`` returns `k` passages, ``invoke(query, k=3)`` three.

    Attributes:
        k: the number of passages, at most; a collection gives those that share a term alone.
        documents: sources as `docqa.load` takes them, or one; loaded by the first call.
        collection: in their place, a `docqa.Collection` or its address.
        where: the documents of the collection that are searched: a `docqa.Where`, or a mapping of
            its fields.
        boxes: add the rectangles of their lines, as JSON in ``docqa_boxes``.
        pipeline: loads and splits; None for the usual one.
    """

    k: int = 4
    documents: Any = None
    collection: Any = None
    where: Any = None
    boxes: bool = False
    pipeline: Any = None
    _corpus: Corpus

    def model_post_init(self, context: Any) -> None:
        """Check the settings.

        Raises:
            ValueError: there are documents and a collection, or neither; or `where` is unknown.
        """
        super().model_post_init(context)
        self._corpus = Corpus(
            self.documents, collection=self.collection, where=self.where, pipeline=self.pipeline
        )

    def _get_relevant_documents(
        self, query: str, *, run_manager: CallbackManagerForRetrieverRun, k: int | None = None
    ) -> list[Document]:
        del run_manager
        found = self._corpus.search(query, top_k=self.k if k is None else k, boxes=self.boxes)
        return [_document(part, is_passage=True) for part in found]


def docqa_tool(
    documents: Iterable[Source] | Source | None = None,
    *,
    collection: Collection | str | os.PathLike[str] | None = None,
    where: Where | Mapping[str, Any] | None = None,
    top_k: int = 3,
    min_score: float | None = None,
    pipeline: Pipeline | None = None,
    name: str = "ask_documents",
    description: str | None = None,
) -> BaseTool:
    """Return a tool with which a model asks documents and gets their exact words.

    Its content is a numbered line for each answer, with its place and the sentence around it, and
    a last line that says how much was read. Its artifact has the same as plain values: ``answers``
    (see `docqa.Answer.to_dict`), ``passages_read``, ``passages_total`` and ``warnings``. A question
    that cannot be read is an error that the model sees.

    Args:
        documents: sources as `docqa.load` takes them, or one; loaded by the first call.
        collection: in their place, a `docqa.Collection` or its address.
        where: the documents of the collection that are asked.
        top_k: the number of answers, at most.
        min_score: the lowest score; None for the pipeline's.
        pipeline: loads, splits and reads; None for the usual one, which all adapters share.
        name: of the tool.
        description: for the model; None for one that says how to ask and to quote.

    Raises:
        SettingError: there are documents and a collection, or neither; or `where` is unknown.
    """
    corpus = Corpus(documents, collection=collection, where=where, pipeline=pipeline)

    def ask_documents(
        question: Annotated[str, "one short question, in full words"],
    ) -> tuple[str, dict[str, Any]]:
        try:
            answers = corpus.ask(question, top_k=top_k, min_score=min_score)
        except QuestionError as error:
            raise ToolException(str(error)) from error
        return _in_words(answers), plain_answers(answers)

    return StructuredTool.from_function(
        ask_documents,
        name=name,
        description=description or _DESCRIPTION,
        response_format="content_and_artifact",
        handle_tool_error=True,
    )


_DESCRIPTION = (
    "Ask the documents one question. The result is their exact words, in «», with the file and the "
    "page, and a score in 0 to 1. Quote only words between «», and name the place beside them. "
    "Without an answer the words are not there."
)


def _document(part: Part, *, is_passage: bool) -> Document:
    """Return a part as LangChain's document; its metadata are strings and numbers, never None."""
    metadata: dict[str, str | int | float | None] = {
        "source": part.document.source,
        "title": part.document.title,
        "page": None if part.page_number is None else part.page_number - 1,
        "page_label": part.page_label,
        "total_pages": part.n_pages or None,
        "start_index": part.span.start if is_passage else None,
        "score": part.score,
        "document_id": part.document.id,
        "docqa_start": part.span.start,
        "docqa_end": part.span.end,
        "docqa_boxes": None if part.boxes is None else json.dumps(part.boxes),
    }
    return Document(
        id=handle(part.document.id, part.span.start, part.span.end),
        page_content=part.text,
        metadata={name: value for name, value in metadata.items() if value is not None},
    )


def _in_words(answers: Answers) -> str:
    lines = [_line(number, answer) for number, answer in enumerate(answers, start=1)]
    return "\n".join([*(lines or ["no answer"]), *answers.warnings, f"({answers.coverage})"])


def _line(number: int, answer: Answer) -> str:
    place = ", ".join(filter(None, (answer.document.source, place_in_words(answer))))
    return (
        f"{number}. «{one_spaced(answer.text)}» ({place}, score {score_in_words(answer.score)})\n"
        f"   {one_spaced(answer.context)}"
    )
