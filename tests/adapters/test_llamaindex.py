"""The adapter for LlamaIndex in the framework's own readers, splitters and engines."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path
from typing import Any

import pytest
from checkout import EXAMPLES
from frameworks import require_framework

import docqa
from docqa import Pipeline, SettingError, SourceNotFoundError

require_framework("llama_index.core")

from llama_index.core import SimpleDirectoryReader  # noqa: E402
from llama_index.core.base.base_query_engine import BaseQueryEngine  # noqa: E402
from llama_index.core.base.base_retriever import BaseRetriever  # noqa: E402
from llama_index.core.node_parser import SentenceSplitter  # noqa: E402
from llama_index.core.readers.base import BaseReader  # noqa: E402
from llama_index.core.schema import MetadataMode, NodeRelationship, TextNode  # noqa: E402
from llama_index.core.tools import QueryEngineTool  # noqa: E402

from docqa.adapters.llamaindex import (  # noqa: E402
    DocqaQueryEngine,
    DocqaReader,
    DocqaRetriever,
)

HANDBOOK, NOTES = str(EXAMPLES / "handbook.pdf"), str(EXAMPLES / "notes.md")
LAMP = "When was the lamp first lit?"


def test_classes_are_the_frameworks() -> None:
    """Each class has the base that LlamaIndex looks for."""
    assert issubclass(DocqaReader, BaseReader)
    assert issubclass(DocqaRetriever, BaseRetriever)
    assert issubclass(DocqaQueryEngine, BaseQueryEngine)


@pytest.mark.parametrize("each", ["page", "passage", "document"])
def test_read_parts_lead_to_their_words(pipeline: Pipeline, each: Any) -> None:
    """The metadata of each part give its exact characters."""
    loaded = docqa.load(HANDBOOK)
    for document in DocqaReader(each=each, pipeline=pipeline).load_data(HANDBOOK):
        start, end = document.metadata["docqa_start"], document.metadata["docqa_end"]
        assert loaded.text[start:end] == document.text


def test_directory_reader(pipeline: Pipeline, tmp_path: Path) -> None:
    """SimpleDirectoryReader reads PDFs through it, with its own metadata beside ours."""
    shutil.copy(HANDBOOK, tmp_path)
    extractor = {".pdf": DocqaReader(pipeline=pipeline)}
    documents = SimpleDirectoryReader(
        str(tmp_path), file_extractor=extractor, raise_on_error=True
    ).load_data()
    assert [document.metadata["page_label"] for document in documents[:3]] == ["i", "ii", "1"]
    assert {document.metadata["file_type"] for document in documents} == {"application/pdf"}
    assert {document.metadata["file_path"] for document in documents} == {
        str(tmp_path / "handbook.pdf")
    }
    assert documents[2].get_metadata_str(MetadataMode.LLM) == "page_label: 1"
    assert documents[2].get_metadata_str(MetadataMode.EMBED) == "page_label: 1"


def test_small_splitter_has_room(pipeline: Pipeline, tmp_path: Path) -> None:
    """A splitter of 128 tokens works, and its offsets lead to the file's text."""
    long_name = "a-rather-long-name-of-a-file-" * 6
    shutil.copy(HANDBOOK, tmp_path / f"{long_name}.pdf")
    reader = SimpleDirectoryReader(
        str(tmp_path), file_extractor={".pdf": DocqaReader(pipeline=pipeline)}
    )
    nodes = SentenceSplitter(chunk_size=128, chunk_overlap=0).get_nodes_from_documents(
        reader.load_data()
    )
    text = docqa.load(HANDBOOK).text
    assert len(nodes) > 7
    for node in nodes:
        assert isinstance(node, TextNode)
        assert node.start_char_idx is not None
        start = node.metadata["docqa_start"] + node.start_char_idx
        assert text[start : start + len(node.text)] == node.text


def test_file_system_of_fsspec(pipeline: Pipeline) -> None:
    """A file in another file system is read from there, and keeps its name."""
    fsspec = pytest.importorskip("fsspec")
    memory = fsspec.filesystem("memory")
    with memory.open("/shelf/notes.md", "wb") as file:
        file.write(Path(NOTES).read_bytes())
    (document,) = DocqaReader(pipeline=pipeline).load_data(Path("/shelf/notes.md"), fs=memory)
    assert document.metadata["file_name"] == "notes.md"
    assert document.text == docqa.load(NOTES).text


def test_extra_info_is_kept(pipeline: Pipeline) -> None:
    """Metadata of the caller stand beside ours, and are shown to models."""
    document = DocqaReader(pipeline=pipeline).load_data(NOTES, extra_info={"team": "wardens"})[0]
    assert "team: wardens" in document.get_metadata_str(MetadataMode.LLM)


def test_missing_file_is_named() -> None:
    """A file that is not there is an error with its name."""
    with pytest.raises(SourceNotFoundError, match=r"missing\.pdf"):
        DocqaReader().load_data("missing.pdf")


@pytest.mark.parametrize("source", ["documents", "collection"])
def test_retrieved_nodes_lead_to_their_words(pipeline: Pipeline, address: str, source: str) -> None:
    """Nodes have offsets into the document's text, its id, and their neighbours."""
    sources = {"documents": [HANDBOOK, NOTES], "collection": address}
    retriever = DocqaRetriever(**{source: sources[source]}, similarity_top_k=2, pipeline=pipeline)
    best = retriever.retrieve(LAMP)[0]
    loaded = docqa.load(HANDBOOK)
    node = best.node
    assert isinstance(node, TextNode)
    assert loaded.text[node.start_char_idx : node.end_char_idx] == node.text
    assert node.relationships[NodeRelationship.SOURCE].node_id == loaded.id
    passages = pipeline.passages(loaded)
    number = next(each.number for each in passages if each.span.start == node.start_char_idx)
    assert node.node_id == f"{loaded.id}/{number}"
    assert node.prev_node.node_id == f"{loaded.id}/{number - 1}"
    assert node.next_node.node_id == f"{loaded.id}/{number + 1}"
    assert best.score
    assert best.score > 0


def test_last_passage_has_no_next(pipeline: Pipeline) -> None:
    """The ends of a document have one neighbour, and one passage alone has none."""
    (only,) = DocqaRetriever(NOTES, pipeline=pipeline).retrieve("engine")
    assert only.node.prev_node is None
    assert only.node.next_node is None


def test_query_engine_answers_in_exact_words(pipeline: Pipeline) -> None:
    """The response is the best answer's text; its records and its passage come with it."""
    response = DocqaQueryEngine([HANDBOOK, NOTES], top_k=2, pipeline=pipeline).query(LAMP)
    text = docqa.load(HANDBOOK).text
    best = response.metadata["answers"][0]
    assert str(response) == text[best["start"] : best["end"]] == "14 October 1871"
    node = response.source_nodes[0].node
    assert response.response in node.text
    assert text[node.start_char_idx : node.end_char_idx] == node.text
    assert node.metadata["page_label"] == "1"
    assert response.metadata["passages_read"] == 8
    assert "1871" in response.get_formatted_sources(length=200)


def test_query_without_an_answer(pipeline: Pipeline) -> None:
    """Without an answer there is no response, and the metadata say how much was read."""
    response = DocqaQueryEngine(NOTES, min_score=1.0, pipeline=pipeline).query(LAMP)
    assert (response.response, response.source_nodes) == (None, [])
    assert (response.metadata["answers"], response.metadata["passages_read"]) == ([], 1)


def test_asynchronous_calls_do_not_hold_up_the_loop(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While one query is read, the loop goes on; all give the same response."""
    engine = DocqaQueryEngine([HANDBOOK, NOTES], pipeline=pipeline)
    retriever = DocqaRetriever([HANDBOOK, NOTES], pipeline=pipeline)

    async def work() -> tuple[set[str], set[str]]:
        responses = await asyncio.gather(*(engine.aquery(LAMP) for _ in range(6)))
        found = await asyncio.gather(*(retriever.aretrieve(LAMP) for _ in range(6)))
        return {str(each) for each in responses}, {each[0].node.node_id for each in found}

    responses, nodes = asyncio.run(work())
    assert responses == {"14 October 1871"}
    assert len(nodes) == 1


def test_engine_as_a_tool_of_an_agent(pipeline: Pipeline) -> None:
    """LlamaIndex makes a tool of the engine, whose output is the words."""
    engine = DocqaQueryEngine(HANDBOOK, pipeline=pipeline)
    tool = QueryEngineTool.from_defaults(engine, name="handbook", description="the handbook")
    assert tool.call(input=LAMP).content == "14 October 1871"


def test_wrong_numbers_are_refused(pipeline: Pipeline) -> None:
    """A number of passages or answers below one is an error in words."""
    with pytest.raises(SettingError, match="similarity_top_k must be at least 1"):
        DocqaRetriever(NOTES, similarity_top_k=0, pipeline=pipeline)
    with pytest.raises(SettingError, match="top_k must be at least 1"):
        DocqaQueryEngine(NOTES, top_k=0, pipeline=pipeline)
