"""The corpus behind the adapters: its parts have exact places, and threads share it."""

from __future__ import annotations

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from checkout import EXAMPLES

import docqa
from docqa import Pipeline, SettingError, Where
from docqa.adapters.corpus import Corpus, Part, boxes_by_page, parts_of, shared_pipeline
from docqa.testing import FakeReader

HANDBOOK, NOTES = str(EXAMPLES / "handbook.pdf"), str(EXAMPLES / "notes.md")
FILES = [HANDBOOK, NOTES, *(str(EXAMPLES / f"handbook.{kind}") for kind in ("html", "pptx"))]
LAMP = "When was the lamp first lit?"


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("each", ["page", "passage", "document"])
def test_part_is_the_documents_text(pipeline: Pipeline, file: str, each: str) -> None:
    """Every part stands at its span, on its page, and together they hold every word."""
    document = docqa.load(file)
    parts = list(parts_of(document, each, pipeline=pipeline))  # type: ignore[arg-type]
    assert all(part.span.of(document.text) == part.text for part in parts)
    for part in parts:
        pages = [page for page in document.pages if page.span.overlaps(part.span)]
        assert part.page_number == (pages[0].number if pages else None)
    covered = {at for part in parts for at in range(part.span.start, part.span.end)}
    assert all(at in covered for at, letter in enumerate(document.text) if not letter.isspace())


def test_page_without_text_is_left_out(pipeline: Pipeline) -> None:
    """An empty page makes no part, and the numbers of the others stay."""
    document = docqa.load(b"a")
    page = docqa.Page(1, None, None, docqa.Span(0, 0), 1.0, 1.0)
    pages = (page, docqa.Page(2, "i", "file", docqa.Span(0, 1), 1.0, 1.0))
    document = docqa.Document(
        document.id, "a", "x", "application/pdf", None, document.source_map, pages=pages
    )
    (part,) = parts_of(document, "page", pipeline=pipeline)
    assert (part.page_number, part.page_label, part.number, part.n_pages) == (2, "i", 1, 2)


def test_unknown_kind_of_part(pipeline: Pipeline) -> None:
    """A misspelt kind of part is named, with those that there are."""
    with pytest.raises(SettingError, match="'page', 'passage' or 'document', not 'pages'"):
        list(parts_of(docqa.load(NOTES), "pages", pipeline=pipeline))  # type: ignore[arg-type]


def test_boxes_are_those_of_the_place() -> None:
    """The rectangles of a span are its locations', with the size of each page."""
    document = docqa.load(HANDBOOK)
    span = docqa.Span(document.pages[1].span.end - 30, document.pages[2].span.start + 30)
    entries = boxes_by_page(document, span)
    places = document.locate(span)
    assert [entry["page_number"] for entry in entries] == [2, 3]
    for entry, place in zip(entries, places, strict=True):
        assert isinstance(place, docqa.PageLocation)
        assert place.boxes is not None
        page = document.pages[place.page_number - 1]
        assert (entry["width"], entry["height"]) == (page.width, page.height)
        for box, whole in zip(entry["boxes"], place.boxes, strict=True):
            assert docqa.Box(*box).is_near(whole)


@pytest.mark.parametrize("boxes", [False, True])
def test_collection_gives_the_places_of_its_documents(
    address: str, pipeline: Pipeline, boxes: bool
) -> None:
    """Passages of a collection have the page, label and rectangles of those of the file."""
    stored = Corpus(collection=address, pipeline=pipeline).search(LAMP, top_k=3, boxes=boxes)
    loaded = Corpus([HANDBOOK, NOTES], pipeline=pipeline).search(LAMP, top_k=9, boxes=boxes)
    places = {(each.document.id, each.span): each for each in loaded}
    assert stored
    for part in stored:
        other = places[part.document.id, part.span]
        assert (part.text, part.boxes, part.n_parts) == (other.text, other.boxes, other.n_parts)
        assert (part.page_number, part.page_label) == (other.page_number, other.page_label)


def test_search_fills_up_with_passages_in_order(pipeline: Pipeline) -> None:
    """As many passages as asked for come while there are some, also without a common term."""
    corpus = Corpus([HANDBOOK, NOTES], pipeline=pipeline)
    parts = corpus.search("zzz", top_k=3)
    assert [(part.number, part.score) for part in parts] == [(0, 0.0), (1, 0.0), (2, 0.0)]
    everything = corpus.search(LAMP, top_k=99)
    assert len(everything) == sum(len(pipeline.passages(each)) for each in corpus.documents)


def test_answers_are_those_of_each_document_best_first(pipeline: Pipeline) -> None:
    """Asking several documents is asking each, with the best answer of all in front."""
    answers = Corpus([HANDBOOK, NOTES], pipeline=pipeline).ask(LAMP, top_k=3)
    alone = [pipeline.ask(file, LAMP, top_k=3) for file in (HANDBOOK, NOTES)]
    every = sorted((one for each in alone for one in each), key=lambda one: -one.score)
    assert list(answers) == every[:3]
    assert answers.coverage.passages_read == sum(each.coverage.passages_read for each in alone)


def test_answer_leads_to_its_passage(pipeline: Pipeline) -> None:
    """The passage that an answer was read in is the document's text at its span."""
    (answer,) = Corpus(HANDBOOK, pipeline=pipeline).ask(LAMP, top_k=1)
    part = Part.read_for(answer)
    assert part.span.of(docqa.load(HANDBOOK).text) == part.text
    assert (part.page_number, part.page_label) == (3, "1")


def test_where_filters_a_collection(address: str, pipeline: Pipeline) -> None:
    """A filter may be a `Where` or a mapping of its fields."""
    for where in (Where(media_type="text/markdown"), {"media_type": "text/markdown"}):
        corpus = Corpus(collection=address, where=where, pipeline=pipeline)
        found = corpus.search("lamp engine horsepower", top_k=9)
        assert {Path(part.document.source).name for part in found} == {"notes.md"}
        assert corpus.ask(LAMP, top_k=1)[0].document.source == NOTES


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, "one of the two"),
        ({"documents": NOTES, "collection": "kb"}, "one of the two"),
        ({"documents": NOTES, "where": {"title": "x"}}, "where filters a collection"),
        ({"collection": "kb", "where": {"tittle": "x"}}, "where has no 'tittle'; it takes keys, "),
    ],
)
def test_wrong_settings(settings: dict[str, object], message: str) -> None:
    """What cannot be meant is refused in words, before a file is opened."""
    with pytest.raises(SettingError, match=message):
        Corpus(**settings)  # type: ignore[arg-type]


def test_threads_share_one_reader_and_one_load() -> None:
    """Many threads at once load each document once, and all get the same answers."""
    loads = []

    class Counting(Pipeline):
        def load(self, source, **settings):  # type: ignore[no-untyped-def]
            loads.append(source)
            return super().load(source, **settings)

    corpus = Corpus([HANDBOOK, NOTES], pipeline=Counting(reader=FakeReader(), min_score=0.0))
    barrier = threading.Barrier(8)

    def work(_: int) -> tuple[list[Part], list[docqa.Answer]]:
        barrier.wait()
        return corpus.search(LAMP, top_k=3), list(corpus.ask(LAMP, top_k=2))

    with ThreadPoolExecutor(8) as pool:
        first, *others = pool.map(work, range(8))
    assert all(other == first for other in others)
    own = [source for source in loads if not isinstance(source, docqa.Document)]
    assert own == [HANDBOOK, NOTES]


def test_adapters_share_a_pipeline(pipeline: Pipeline) -> None:
    """The reader of a name is in memory once, whatever asks for it."""
    assert shared_pipeline() is shared_pipeline("cascade") is pipeline


@pytest.mark.parametrize(
    ("module", "package"),
    [("langchain", "langchain_core"), ("llamaindex", "llama_index"), ("haystack", "haystack")],
)
def test_missing_framework_is_named_with_its_pip_line(module: str, package: str) -> None:
    """Importing an adapter without its framework says what to install."""
    code = (
        f"import sys; sys.modules[{package!r}] = None\n"
        "from docqa.errors import MissingDependencyError\n"
        f"try: import docqa.adapters.{module}\n"
        "except MissingDependencyError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert f"pip install 'docqa-exact[{module}]'" in done.stdout
    assert done.stdout.startswith(f"docqa.adapters.{module} needs {package}")
