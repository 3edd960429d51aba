"""LlamaIndex: a reader, a retriever and a query engine over docqa (the extra ``llamaindex``).

Metadata have LlamaIndex's names: ``file_name``, ``file_path``, ``page_label``. Beside them stand
``document_id`` (the SHA-256 of the file) and ``docqa_start`` and ``docqa_end``: the text is
``docqa.load(file_path).text[docqa_start:docqa_end]``. Embeddings and models see ``page_label``
alone, so that splitters have room for the text.
"""

from __future__ import annotations

import asyncio
import io
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import PurePath
from typing import Any

from docqa.adapters.corpus import Corpus, Each, Part, parts_of, plain_answers, shared_pipeline
from docqa.asking.pipeline import Pipeline
from docqa.asking.settings import at_least_1
from docqa.citations.records import handle
from docqa.collection.collection import Collection
from docqa.datamodel import is_nameless
from docqa.index.contract import Where
from docqa.loaders.source_bytes import Source, source_name
from docqa.reader.requirements import require

try:
    from llama_index.core.base.base_query_engine import BaseQueryEngine
    from llama_index.core.base.response.schema import Response
    from llama_index.core.callbacks import CallbackManager
    from llama_index.core.readers.base import BaseReader
    from llama_index.core.retrievers import BaseRetriever
    from llama_index.core.schema import (
        Document,
        NodeRelationship,
        NodeWithScore,
        QueryBundle,
        RelatedNodeInfo,
        TextNode,
    )
except ImportError:
    require("docqa.adapters.llamaindex", "llama_index.core", extra="llamaindex")
    raise

__all__ = ["DocqaQueryEngine", "DocqaReader", "DocqaRetriever"]

_SHOWN = "page_label"  # the one entry that embeddings and models see


class DocqaReader(BaseReader):
    """A reader of files of any kind that docqa reads, a document of LlamaIndex for each part.

    It serves ``SimpleDirectoryReader(file_extractor={".pdf": DocqaReader()})`` too.

    Args:
        each: ``"page"``, ``"passage"`` or ``"document"``: the parts. A file without pages is one
            page. Parts without text are left out.
        pipeline: loads and splits; None for the usual one.
    """

    def __init__(self, *, each: Each = "page", pipeline: Pipeline | None = None) -> None:
        self._each = each
        self._pipeline = shared_pipeline() if pipeline is None else pipeline

    def lazy_load_data(
        self, file: Source, extra_info: Mapping[str, Any] | None = None, fs: Any = None
    ) -> Iterator[Document]:
        """Yield the parts of a file, in order of its text.

        Args:
            file: a path, bytes or an open file.
            extra_info: further metadata.
            fs: the fsspec file system of the path; None for this machine's.

        Raises:
            LoadError: it cannot be loaded.
            SettingError: `each` is another word.
        """
        document = self._pipeline.load(file if fs is None else _opened(fs, file))
        for part in parts_of(document, self._each, pipeline=self._pipeline):
            metadata = {**_metadata(part), **(extra_info or {})}
            yield Document(
                id_=handle(part.document.id, part.span.start, part.span.end),
                text=part.text,
                metadata=metadata,
                **_excluded(part),
            )


class DocqaRetriever(BaseRetriever):
    """A retriever of the passages that rank best by BM25; no model reads them.

    A node's ``start_char_idx`` and ``end_char_idx`` count in the text of the document, and its
    relationships name the document and the neighbouring passages.

    Args:
        documents: sources as `docqa.load` takes them, or one; loaded by the first call.
        collection: in their place, a `docqa.Collection` or its address.
        where: the documents of the collection that are searched: a `docqa.Where`, or a mapping of
            its fields.
        similarity_top_k: the number of passages, at most.
        pipeline: loads and splits; None for the usual one.

    Raises:
        SettingError: there are documents and a collection, or neither; or a setting is unknown.
    """

    def __init__(
        self,
        documents: Iterable[Source] | Source | None = None,
        *,
        collection: Collection | str | os.PathLike[str] | None = None,
        where: Where | Mapping[str, Any] | None = None,
        similarity_top_k: int = 4,
        pipeline: Pipeline | None = None,
        callback_manager: CallbackManager | None = None,
    ) -> None:
        self._corpus = Corpus(documents, collection=collection, where=where, pipeline=pipeline)
        self._similarity_top_k = at_least_1("similarity_top_k", similarity_top_k)
        super().__init__(callback_manager=callback_manager)

    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        found = self._corpus.search(query_bundle.query_str, top_k=self._similarity_top_k)
        return [_node(part) for part in found]

    async def _aretrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        return await asyncio.to_thread(self._retrieve, query_bundle)


class DocqaQueryEngine(BaseQueryEngine):
    """A query engine that answers with the exact words of a document; it needs no LLM.

    The response is the best answer's text, or None where no answer passes. Its metadata are plain
    values: ``answers`` (see `docqa.Answer.to_dict`), ``passages_read``, ``passages_total`` and
    ``warnings``. Its source nodes are the passages in which the answers were read.

    Args:
        documents: sources as `docqa.load` takes them, or one; loaded by the first call.
        collection: in their place, a `docqa.Collection` or its address.
        where: the documents of the collection that are asked.
        top_k: the number of answers, at most.
        min_score: the lowest score; None for the pipeline's.
        pipeline: loads, splits and reads; None for the usual one, which all adapters share.

    Raises:
        SettingError: there are documents and a collection, or neither; or a setting is unknown.
    """

    def __init__(
        self,
        documents: Iterable[Source] | Source | None = None,
        *,
        collection: Collection | str | os.PathLike[str] | None = None,
        where: Where | Mapping[str, Any] | None = None,
        top_k: int = 1,
        min_score: float | None = None,
        pipeline: Pipeline | None = None,
        callback_manager: CallbackManager | None = None,
    ) -> None:
        self._corpus = Corpus(documents, collection=collection, where=where, pipeline=pipeline)
        self._top_k, self._min_score = at_least_1("top_k", top_k), min_score
        super().__init__(callback_manager=callback_manager)

    def _query(self, query_bundle: QueryBundle) -> Response:
        answers = self._corpus.ask(
            query_bundle.query_str, top_k=self._top_k, min_score=self._min_score
        )
        nodes: dict[str, NodeWithScore] = {}  # the best answer of each passage
        for answer in answers:
            node = _node(Part.read_for(answer))
            nodes.setdefault(node.node.node_id, node)
        return Response(
            answers[0].text if answers else None,
            source_nodes=list(nodes.values()),
            metadata=plain_answers(answers),
        )

    async def _aquery(self, query_bundle: QueryBundle) -> Response:
        return await asyncio.to_thread(self._query, query_bundle)

    def _get_prompt_modules(self) -> dict[str, Any]:
        return {}


def _opened(fs: Any, file: Source) -> io.BytesIO:
    """Return the bytes of a file of an fsspec file system, under its name."""
    name = source_name(file)
    with fs.open(name, "rb") as opened:
        data = io.BytesIO(opened.read())
    data.name = name
    return data


def _metadata(part: Part) -> dict[str, Any]:
    source = part.document.source
    path = None if is_nameless(source) else source
    values = {
        _SHOWN: part.page_label,
        "file_name": path and PurePath(path).name,
        "file_path": path,
        "title": part.document.title,
        "page_number": part.page_number,
        "total_pages": part.n_pages or None,
        "document_id": part.document.id,
        "docqa_start": part.span.start,
        "docqa_end": part.span.end,
    }
    return {name: value for name, value in values.items() if value is not None}


def _excluded(part: Part) -> dict[str, list[str]]:
    hidden = [name for name in _metadata(part) if name != _SHOWN]
    return {"excluded_embed_metadata_keys": hidden, "excluded_llm_metadata_keys": list(hidden)}


def _node(part: Part) -> NodeWithScore:
    related = {NodeRelationship.SOURCE: RelatedNodeInfo(node_id=part.document.id)}
    if part.number > 0:
        related[NodeRelationship.PREVIOUS] = RelatedNodeInfo(node_id=_passage_id(part, -1))
    if part.number + 1 < part.n_parts:
        related[NodeRelationship.NEXT] = RelatedNodeInfo(node_id=_passage_id(part, 1))
    node = TextNode(
        id_=_passage_id(part),
        text=part.text,
        start_char_idx=part.span.start,
        end_char_idx=part.span.end,
        metadata=_metadata(part),
        relationships=related,
        **_excluded(part),
    )
    return NodeWithScore(node=node, score=part.score)


def _passage_id(part: Part, step: int = 0) -> str:
    return f"{part.document.id}/{part.number + step}"
