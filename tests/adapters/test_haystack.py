"""The adapter for Haystack in real pipelines, and beside the reader whose place it takes."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from checkout import EXAMPLES
from frameworks import require_framework

import docqa
from docqa import Collection, Pipeline, QuestionError, SettingError

require_framework("haystack")

import haystack  # noqa: E402
from haystack import Document, ExtractedAnswer  # noqa: E402
from haystack.components.preprocessors import DocumentSplitter  # noqa: E402
from haystack.components.retrievers.in_memory import InMemoryBM25Retriever  # noqa: E402
from haystack.components.writers import DocumentWriter  # noqa: E402
from haystack.dataclasses import ByteStream  # noqa: E402
from haystack.document_stores.in_memory import InMemoryDocumentStore  # noqa: E402

from docqa.adapters.haystack import (  # noqa: E402
    DocqaConverter,
    DocqaExtractiveReader,
    DocqaRetriever,
)

HANDBOOK, NOTES = str(EXAMPLES / "handbook.pdf"), str(EXAMPLES / "notes.md")
LAMP = "When was the lamp first lit?"
FIELDS = {field.name for field in dataclasses.fields(ExtractedAnswer)}


def converted(each: Any = "passage", **settings: Any) -> list[Document]:
    converter = DocqaConverter(each, store_full_path=True, **settings)
    return converter.run(sources=[HANDBOOK, NOTES])["documents"]


def check_places(answer: ExtractedAnswer) -> None:
    """Check every offset of an answer against the text that it counts in."""
    assert answer.document is not None
    assert answer.document_offset is not None
    assert answer.context is not None
    assert answer.context_offset is not None
    content = answer.document.content or ""
    assert content[answer.document_offset.start : answer.document_offset.end] == answer.data
    assert answer.context in content
    assert answer.context[answer.context_offset.start : answer.context_offset.end] == answer.data
    if "document_start" in answer.meta:
        loaded = docqa.load(answer.document.meta["file_path"])
        span = docqa.Span(answer.meta["document_start"], answer.meta["document_end"])
        assert span.of(loaded.text) == answer.data
        assert loaded.id == answer.document.meta["source_id"]
        place = loaded.locate(span)[0]
        number = place.page_number if isinstance(place, docqa.PageLocation) else None
        assert answer.meta.get("answer_page_number") == number


@pytest.mark.parametrize("each", ["page", "passage", "document"])
def test_converted_parts_lead_to_their_words(pipeline: Pipeline, each: str) -> None:
    """The meta of each part give its file and its exact characters."""
    documents = converted(each)
    assert {Path(each.meta["file_path"]).name for each in documents} == {"handbook.pdf", "notes.md"}
    for document in documents:
        loaded = docqa.load(document.meta["file_path"])
        start = document.meta["split_idx_start"]
        assert loaded.text[start : start + len(document.content or "")] == document.content
        assert document.meta["source_id"] == loaded.id


def test_converter_keeps_names_alone_unless_asked(pipeline: Pipeline) -> None:
    """As in Haystack's converters, the folder is left out, and meta of the caller stay."""
    sources = [HANDBOOK, ByteStream.from_file_path(Path(NOTES), meta={"file_path": NOTES})]
    meta = [{"team": "wardens"}, {"team": "boat"}]
    documents = DocqaConverter().run(sources=sources, meta=meta)["documents"]
    assert [each.meta["file_path"] for each in documents] == ["handbook.pdf"] * 7 + ["notes.md"]
    assert [each.meta["team"] for each in documents] == ["wardens"] * 7 + ["boat"]
    assert [each.meta.get("page_number") for each in documents] == [*range(1, 8), None]


def test_source_that_cannot_be_read_is_named(
    pipeline: Pipeline, caplog: pytest.LogCaptureFixture
) -> None:
    """A missing file is left out with a warning, and the others are converted."""
    with caplog.at_level(logging.WARNING):
        documents = DocqaConverter().run(sources=["missing.pdf", NOTES])["documents"]
    assert len(documents) == 1
    assert "missing.pdf: no such file" in caplog.text


def test_haystacks_splitter_counts_the_same_pages(pipeline: Pipeline) -> None:
    """Form feeds part the pages of a whole document, so that splitters know the page."""
    splitter = DocumentSplitter(split_by="word", split_length=20, split_overlap=0)
    splitter.warm_up()
    (whole,) = DocqaConverter("document").run(sources=[HANDBOOK])["documents"]
    loaded = docqa.load(HANDBOOK)
    for piece in splitter.run(documents=[whole])["documents"]:
        start = piece.meta["split_idx_start"]
        page = next(page for page in loaded.pages if start < page.span.end)
        assert piece.meta["page_number"] == page.number


@pytest.mark.parametrize("each", ["page", "passage", "document"])
def test_answers_have_every_place(pipeline: Pipeline, each: str) -> None:
    """Offsets in document, context and file agree, whatever the documents are."""
    answers = DocqaExtractiveReader().run(query=LAMP, documents=converted(each))["answers"]
    scores = [answer.score for answer in answers]
    assert scores == sorted(scores, reverse=True)
    assert answers[0].data == "14 October 1871"
    assert answers[0].meta["answer_page_number"] == 3
    assert [answer.data for answer in answers].count(None) == 1
    for answer in answers:
        if answer.data is not None:
            check_places(answer)


def test_one_answer_a_place_of_a_file(pipeline: Pipeline) -> None:
    """Words that two passages share are found once."""
    documents = converted("passage")
    answers = DocqaExtractiveReader(no_answer=False, top_k=99).run(
        query="What does the warden do with the lamp, the boat and the engine?",
        documents=documents,
    )["answers"]
    taken: dict[str, list[docqa.Span]] = {}
    for answer in answers:
        assert answer.document is not None
        span = docqa.Span(answer.meta["document_start"], answer.meta["document_end"])
        others = taken.setdefault(answer.document.meta["source_id"], [])
        assert not any(span.overlaps(other) for other in others)
        others.append(span)


def test_changed_documents_have_no_place_in_the_file(pipeline: Pipeline) -> None:
    """After a cleaner or a splitter the words count in the document alone."""
    (whole,) = DocqaConverter("document").run(sources=[HANDBOOK])["documents"]
    cleaned = dataclasses.replace(whole, id="", content=(whole.content or "").replace("\n", " "))
    splitter = DocumentSplitter(split_by="word", split_length=60, split_overlap=0)
    splitter.warm_up()
    for documents in ([cleaned], splitter.run(documents=[whole])["documents"]):
        best = DocqaExtractiveReader().run(query=LAMP, documents=documents)["answers"][0]
        assert best.meta["answer_page_number"] == 3
        assert "document_start" not in best.meta
        check_places(best)


def test_rectangles_where_the_file_is_the_same(pipeline: Pipeline, tmp_path: Path) -> None:
    """With `locate` an answer has its rectangles, and none once the file is another one."""
    path = shutil.copy(HANDBOOK, tmp_path)
    converter = DocqaConverter("passage", store_full_path=True)
    documents = converter.run(sources=[str(path)])["documents"]
    best = DocqaExtractiveReader(locate=True).run(query=LAMP, documents=documents)["answers"][0]
    span = docqa.Span(best.meta["document_start"], best.meta["document_end"])
    (place,) = docqa.load(HANDBOOK).locate(span)
    assert isinstance(place, docqa.PageLocation)
    (page,) = best.meta["boxes"]
    assert page["page_number"] == place.page_number
    assert docqa.Box(*page["boxes"][0]).is_near(place.boxes[0])  # type: ignore[index]
    shutil.copy(EXAMPLES / "handbook.docx", path)
    best = DocqaExtractiveReader(locate=True).run(query=LAMP, documents=documents)["answers"][0]
    assert "boxes" not in best.meta


def test_no_answer_is_what_the_others_leave(pipeline: Pipeline) -> None:
    """The answer without text has 1 less the sum of the others' scores, and its own rank."""
    documents = [Document(content="The engine burns 11 litres."), Document(content="Fog is near.")]
    answers = DocqaExtractiveReader().run(query=LAMP, documents=documents)["answers"]
    (nothing,) = (answer for answer in answers if answer.data is None)
    found = sum(answer.score for answer in answers if answer.data is not None)
    assert nothing.score == pytest.approx(max(0.0, 1 - found))
    assert nothing.document is None
    without = DocqaExtractiveReader().run(query=LAMP, documents=documents, no_answer=False)
    assert nothing.data not in [answer.data for answer in without["answers"]]


def test_number_and_threshold_of_answers(pipeline: Pipeline) -> None:
    """`top_k` leaves room for the answer without text; a threshold holds, also one of 0."""
    documents = converted()
    reader = DocqaExtractiveReader(top_k=2, score_threshold=0.5)
    answers = reader.run(query=LAMP, documents=documents)["answers"]
    assert all(answer.score >= 0.5 for answer in answers)
    assert len(reader.run(query=LAMP, documents=documents, score_threshold=0.0)["answers"]) == 3
    one = reader.run(query=LAMP, documents=documents, top_k=1, no_answer=False)["answers"]
    assert [answer.data for answer in one] == ["14 October 1871"]


def test_documents_without_text(pipeline: Pipeline, caplog: pytest.LogCaptureFixture) -> None:
    """A document without content is named and left out; none at all gives no answers."""
    reader = DocqaExtractiveReader()
    documents = [Document(id="picture", content=None), Document(content="Lit on 14 October 1871.")]
    with caplog.at_level(logging.WARNING):
        answers = reader.run(query=LAMP, documents=documents)["answers"]
    assert "picture has no text" in caplog.text
    assert answers[0].document == documents[1] or answers[1].document == documents[1]
    assert reader.run(query=LAMP, documents=[]) == {"answers": []}
    (nothing,) = reader.run(query=LAMP, documents=[documents[0]])["answers"]
    assert (nothing.data, nothing.score) == (None, 1.0)


@pytest.mark.parametrize("name", ["token", "answers_per_seq", "calibration_factor", "model_kwargs"])
def test_settings_that_cannot_be_honoured(name: str) -> None:
    """A setting of the old reader that means nothing here is refused by name."""
    with pytest.raises(SettingError, match=f"cannot take {name}: leave it out"):
        DocqaExtractiveReader(**{name: 1})


@pytest.mark.parametrize("name", ["max_seq_length", "stride", "max_batch_size", "answers_per_seq"])
def test_settings_of_the_component_are_not_of_a_call(name: str) -> None:
    """Sizes belong to the component, and a call that gives one says so."""
    with pytest.raises(SettingError, match=f"cannot take {name}: "):
        DocqaExtractiveReader().run(query=LAMP, documents=[Document(content="a")], **{name: 1})


def test_wrong_numbers_and_questions(pipeline: Pipeline) -> None:
    """Numbers out of range, unknown filters and blank questions are errors in words."""
    with pytest.raises(SettingError, match="top_k must be at least 1"):
        DocqaExtractiveReader(top_k=0)
    with pytest.raises(SettingError, match="score_threshold must lie in 0 to 1"):
        DocqaExtractiveReader(score_threshold=2)
    with pytest.raises(SettingError, match="where has no 'name'"):
        DocqaRetriever("kb", where={"name": "x"})
    with pytest.raises(QuestionError, match="blank"):
        DocqaExtractiveReader().run(query=" ", documents=[Document(content="a")])


def asking(address: str) -> haystack.Pipeline:
    made = haystack.Pipeline()
    retriever = DocqaRetriever(address, top_k=4, where={"media_type": "application/pdf"})
    made.add_component("retriever", retriever)
    made.add_component("reader", DocqaExtractiveReader(top_k=2, locate=True))
    made.connect("retriever.documents", "reader.documents")
    return made


def run(made: haystack.Pipeline) -> list[ExtractedAnswer]:
    found = made.run({"retriever": {"query": LAMP}, "reader": {"query": LAMP}})
    return found["reader"]["answers"]


def test_pipeline_of_retriever_and_reader(address: str) -> None:
    """Documents of a collection are read, and the answers have their rectangles."""
    answers = run(asking(address))
    assert answers[0].data == "14 October 1871"
    assert answers[0].meta["boxes"][0]["page_number"] == 3
    check_places(answers[0])


def test_pipeline_is_saved_and_loaded(address: str) -> None:
    """What `dumps` writes, `loads` makes again: same settings, same answers."""
    made = asking(address)
    written = made.dumps()
    again = haystack.Pipeline.loads(written, allowed_modules=["docqa.*"])
    assert again.dumps() == written
    assert [answer.to_dict() for answer in run(again)] == [answer.to_dict() for answer in run(made)]
    for name in ("DocqaRetriever", "DocqaExtractiveReader"):
        assert f"type: docqa.adapters.haystack.{name}\n" in written


@pytest.mark.parametrize(
    "made",
    [
        DocqaConverter("passage", isolate=True, ocr_language="deu"),
        DocqaRetriever("kb", top_k=3, where={"keys": ["a"]}, boxes=True),
        DocqaExtractiveReader("mini", device="cpu", top_k=3, max_seq_length=200, no_answer=False),
    ],
)
def test_component_is_saved_and_loaded(made: Any) -> None:
    """Each setting is in `to_dict`, and comes back."""
    again = type(made).from_dict(made.to_dict())
    public = [name for name in vars(made) if not name.startswith("_")]
    assert {name: getattr(again, name) for name in public} == {
        name: getattr(made, name) for name in public
    }


def test_answer_is_saved_and_loaded(address: str) -> None:
    """An answer goes through Haystack's own form without a loss."""
    (answer, *_) = run(asking(address))
    assert ExtractedAnswer.from_dict(answer.to_dict()) == answer


def test_indexing_pipeline_with_haystacks_store(pipeline: Pipeline) -> None:
    """Converter, store, BM25 retriever of Haystack, and the reader behind it."""
    store = InMemoryDocumentStore()
    indexing = haystack.Pipeline()
    indexing.add_component("converter", DocqaConverter("passage", store_full_path=True))
    indexing.add_component("writer", DocumentWriter(store))
    indexing.connect("converter.documents", "writer.documents")
    indexing.run({"converter": {"sources": [HANDBOOK, NOTES]}})
    made = haystack.Pipeline()
    made.add_component("retriever", InMemoryBM25Retriever(store, top_k=3))
    made.add_component("reader", DocqaExtractiveReader())
    made.connect("retriever.documents", "reader.documents")
    best = run(made)[0]
    assert best.data == "14 October 1871"
    check_places(best)
    asynchronous = asyncio.run(
        made.run_async({"retriever": {"query": LAMP}, "reader": {"query": LAMP}})
    )
    assert asynchronous["reader"]["answers"][0] == best


def test_many_threads_share_a_reader(address: str) -> None:
    """Calls from several threads at once give the same answers."""
    made = asking(address)
    with ThreadPoolExecutor(6) as pool:
        first, *others = pool.map(lambda _: [a.to_dict() for a in run(made)], range(6))
    assert all(other == first for other in others)


def test_sizes_reach_the_reader(packed: Callable[[str], Path], one_thread: None) -> None:
    """The sizes of a component are those of its reader, which components with them share."""
    settings: dict[str, Any] = {"max_seq_length": 100, "stride": 10, "max_batch_size": 3}
    reader = DocqaExtractiveReader(packed("distilbert"), device="cpu", **settings)
    other = DocqaExtractiveReader(packed("distilbert"), device="cpu", **settings)
    reader.warm_up()
    loaded: Any = reader._pipeline().reader
    assert (loaded.window_tokens, loaded.window_overlap, loaded.batch_tokens) == (100, 10, 300)
    assert other._pipeline().reader is loaded


def test_retriever_of_no_collection(tmp_path: Path) -> None:
    """An address without a collection is an error that says how to make one."""
    with pytest.raises(docqa.CollectionError, match="docqa index"):
        DocqaRetriever(str(tmp_path / "none")).run(query=LAMP)


def test_where_of_a_call_takes_the_place(address: str) -> None:
    """A filter of a call is used in the place of the component's."""
    retriever = DocqaRetriever(address, where={"media_type": "application/pdf"})
    query = "lamp engine horsepower"
    found = retriever.run(query=query, where={"media_type": "text/markdown"})["documents"]
    assert {document.meta["file_path"] for document in found} == {NOTES}
    assert all(document.score for document in found)
    with Collection(address) as kb:
        assert (
            kb.search(query)[0].score == retriever.run(query=query, where={})["documents"][0].score
        )


@pytest.mark.slow
def test_same_fields_as_the_reader_of_transformers(
    checkpoint: Callable[[str], Path], one_thread: None
) -> None:
    """Both readers give the same fields with the same types, over one random model."""
    module = pytest.importorskip(
        "haystack_integrations.components.readers.transformers",
        reason="needs transformers-haystack (test-adapters)",
        exc_type=ImportError,
    )
    folder = str(checkpoint("distilbert"))
    pages = Document(content="john in seattle .\fthe company , live .", meta={"page_number": 4})
    documents = [pages, Document(content="my name is john and i live in seattle .")]
    theirs = module.TransformersExtractiveReader(
        folder, top_k=3, max_seq_length=64, stride=16, token=None
    )
    ours = DocqaExtractiveReader(folder, device="cpu", top_k=3, max_seq_length=64, stride=16)
    question = "where do i live ?"
    theirs.warm_up()
    expected = theirs.run(query=question, documents=documents)["answers"]
    found = ours.run(query=question, documents=documents)["answers"]
    assert len(found) == len(expected) == 4
    for answers in (expected, found):
        assert sorted(a.score for a in answers) == [a.score for a in answers][::-1]
        assert [a.data for a in answers].count(None) == 1
    for one in expected:
        kind = next(each for each in found if (each.data is None) == (one.data is None))
        for name in FIELDS - {"context", "context_offset"}:  # theirs leaves these out
            assert type(getattr(kind, name)) is type(getattr(one, name)), name
        assert kind.query == one.query == question
    for answers in (expected, found):
        for answer in answers:
            if answer.document is pages:
                before = pages.content[: answer.document_offset.start]
                assert answer.meta["answer_page_number"] == 4 + before.count("\f")
    assert set(ours.to_dict()["init_parameters"]) - {"locate", "isolate"} <= set(
        theirs.to_dict()["init_parameters"]
    )
    inputs = haystack.Pipeline()
    inputs.add_component("theirs", theirs)
    inputs.add_component("ours", ours)
    sockets = inputs.inputs()
    assert sockets["ours"].keys() == sockets["theirs"].keys()
    for name, socket in sockets["theirs"].items():
        assert sockets["ours"][name]["type"] == socket["type"], name
        assert sockets["ours"][name]["is_mandatory"] == socket["is_mandatory"], name
