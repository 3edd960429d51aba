"""The adapter for LangChain against the framework's own tests, and its metadata."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from checkout import EXAMPLES
from frameworks import require_framework

import docqa
from docqa import Pipeline, SourceNotFoundError
from docqa.testing import FakeReader

require_framework("langchain_core", "langchain_tests.integration_tests")

from langchain_core.documents import Document  # noqa: E402
from langchain_core.embeddings import DeterministicFakeEmbedding  # noqa: E402
from langchain_core.tools import BaseTool  # noqa: E402
from langchain_core.vectorstores import InMemoryVectorStore  # noqa: E402
from langchain_tests.integration_tests import (  # noqa: E402
    RetrieversIntegrationTests,
    ToolsIntegrationTests,
)
from langchain_tests.unit_tests import ToolsUnitTests  # noqa: E402

from docqa.adapters.langchain import DocqaLoader, DocqaRetriever, docqa_tool  # noqa: E402

HANDBOOK, NOTES = str(EXAMPLES / "handbook.pdf"), str(EXAMPLES / "notes.md")
LAMP = "When was the lamp first lit?"


def fake() -> Pipeline:
    return Pipeline(reader=FakeReader(), min_score=0.0)


class TestRetrieverOfDocuments(RetrieversIntegrationTests):
    """LangChain's own tests of a retriever, over files."""

    @property
    def retriever_constructor(self) -> type[DocqaRetriever]:
        return DocqaRetriever

    @property
    def retriever_constructor_params(self) -> dict[str, Any]:
        return {"documents": [HANDBOOK, NOTES], "pipeline": fake()}

    @property
    def retriever_query_example(self) -> str:
        return LAMP


class TestRetrieverOfACollection(TestRetrieverOfDocuments):
    """LangChain's own tests of a retriever, over a collection."""

    @pytest.fixture(autouse=True)
    def _collection(self, address: str) -> None:
        self.address = address

    @property
    def retriever_constructor_params(self) -> dict[str, Any]:
        return {"collection": self.address, "pipeline": fake()}

    @property
    def retriever_query_example(self) -> str:
        return "the lamp of the station and the new engine"


class _OneTool:
    @property
    def tool_constructor(self) -> BaseTool:
        return docqa_tool([HANDBOOK, NOTES], pipeline=fake())

    @property
    def tool_invoke_params_example(self) -> dict[str, Any]:
        return {"question": LAMP}


class TestTool(_OneTool, ToolsIntegrationTests):
    """LangChain's own tests of a tool that is called."""


class TestToolUnit(_OneTool, ToolsUnitTests):
    """LangChain's own tests of a tool's schema."""


def check_metadata(document: Document) -> None:
    """Check that a vector store takes the metadata, and that they lead to the words."""
    assert all(type(value) in {str, int, float} for value in document.metadata.values())
    loaded = docqa.load(document.metadata["source"])
    start, end = document.metadata["docqa_start"], document.metadata["docqa_end"]
    assert loaded.id == document.metadata["document_id"]
    assert loaded.text[start:end] == document.page_content


@pytest.mark.parametrize("each", ["page", "passage", "document"])
def test_loaded_parts_lead_to_their_words(pipeline: Pipeline, each: Any) -> None:
    """Metadata are flat, and give the exact characters of each part of each file."""
    documents = DocqaLoader([HANDBOOK, NOTES], each=each, boxes=True, pipeline=pipeline).load()
    for document in documents:
        check_metadata(document)
    assert len({document.id for document in documents}) == len(documents)


def test_pages_are_numbered_as_in_langchain() -> None:
    """Pages count from 0; beside them stand the printed numbers and the number of pages."""
    documents = DocqaLoader(HANDBOOK).load()
    assert [document.metadata["page"] for document in documents] == list(range(7))
    assert [document.metadata["page_label"] for document in documents[:3]] == ["i", "ii", "1"]
    assert {document.metadata["total_pages"] for document in documents} == {7}


def test_loading_is_lazy(tmp_path: Path) -> None:
    """A file is opened when its turn comes, and a missing one is an error with its name."""
    documents = DocqaLoader([NOTES, tmp_path / "missing.pdf"]).lazy_load()
    assert next(documents).metadata["source"] == NOTES
    with pytest.raises(SourceNotFoundError, match=r"missing\.pdf: no such file"):
        next(documents)


def test_retrieved_passages_lead_to_their_words(pipeline: Pipeline, address: str) -> None:
    """Passages of files and of a collection have the same places, and their rectangles."""
    for sources in ({"documents": [HANDBOOK, NOTES]}, {"collection": address}):
        retriever = DocqaRetriever(**sources, k=2, boxes=True, pipeline=pipeline)
        best, _ = retriever.invoke(LAMP)
        check_metadata(best)
        assert (best.metadata["page"], best.metadata["page_label"]) == (2, "1")
        assert best.metadata["start_index"] == best.metadata["docqa_start"]
        (page,) = json.loads(best.metadata["docqa_boxes"])
        span = docqa.Span(best.metadata["docqa_start"], best.metadata["docqa_end"])
        (place,) = docqa.load(HANDBOOK).locate(span)
        assert isinstance(place, docqa.PageLocation)
        assert page["page_number"] == 3
        assert len(page["boxes"]) == len(place.boxes or ())


def test_passages_go_into_a_vector_store(pipeline: Pipeline) -> None:
    """A store of LangChain takes the passages under their ids, twice without a copy."""
    store = InMemoryVectorStore(DeterministicFakeEmbedding(size=8))
    documents = DocqaLoader(HANDBOOK, each="passage", pipeline=pipeline).load()
    assert store.add_documents(documents) == store.add_documents(documents)
    assert len(store.store) == len(documents)


def test_retriever_without_sources_is_refused() -> None:
    """Neither documents nor a collection is an error in words."""
    with pytest.raises(ValueError, match=r"documents=\[\.\.\.\] or collection"):
        DocqaRetriever(k=1)


def test_tool_gives_words_and_full_answers(pipeline: Pipeline) -> None:
    """The model reads a line for each answer; the program gets records, as JSON has them."""
    tool = docqa_tool([HANDBOOK, NOTES], top_k=1, pipeline=pipeline)
    call = {"name": tool.name, "args": {"question": LAMP}, "id": "1", "type": "tool_call"}
    message = tool.invoke(call)
    first, _, last = message.content.splitlines()
    assert first.startswith(f"1. «14 October 1871» ({HANDBOOK}, page 3 (printed 1), score 0.")
    assert last == "(read 8 of 8 passages)"
    artifact = json.loads(json.dumps(message.artifact))
    (answer,) = artifact["answers"]
    assert docqa.load(HANDBOOK).text[answer["start"] : answer["end"]] == answer["answer"]
    assert (artifact["passages_read"], artifact["passages_total"]) == (8, 8)


def test_tool_says_that_there_is_no_answer(pipeline: Pipeline) -> None:
    """Without an answer the content says so, and how much was read."""
    tool = docqa_tool(NOTES, min_score=1.0, pipeline=pipeline)
    assert tool.invoke({"question": LAMP}) == "no answer\n(read 1 of 1 passages)"


def test_question_that_cannot_be_read_is_an_error_for_the_model(pipeline: Pipeline) -> None:
    """A blank question comes back as a message with the error's words."""
    tool = docqa_tool(NOTES, pipeline=pipeline)
    call = {"name": tool.name, "args": {"question": " "}, "id": "1", "type": "tool_call"}
    message = tool.invoke(call)
    assert (message.status, message.content) == (
        "error",
        "the question is blank; ask with at least one word",
    )


def test_many_calls_at_once_agree(pipeline: Pipeline) -> None:
    """Asynchronous calls run side by side and give the same answers."""
    tool = docqa_tool([HANDBOOK, NOTES], pipeline=pipeline)

    async def ask_often() -> list[str]:
        return await asyncio.gather(*(tool.ainvoke({"question": LAMP}) for _ in range(8)))

    assert len(set(asyncio.run(ask_often()))) == 1
