"""The one path that asks: batches, documents that are closed in time, failures that stay alone."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

import docqa
from docqa.asking.cells import Cell, batches
from docqa.asking.grid import AskedSource, ask_sources
from docqa.asking.own_reader import completed
from docqa.datamodel import Document, Passage, RankedPassage, Span
from docqa.protocols import BaseReader, Reader, StoringReader
from docqa.testing import FakeReader, WhitespaceTokenizer

LOG = b"The lamp burns forty litres of oil a week. The bell rings in fog.\n"
QUESTION = "How much oil does the lamp burn a week?"
RANKED = RankedPassage(Passage("id", 0, Span(0, 4), "lamp"), 1, 1.0)


class Loaded:
    """Keep note of the documents that are open."""

    def __init__(self) -> None:
        self.open: set[str] = set()
        self.most = 0

    def __call__(self, name: str) -> Document:
        document = docqa.load(LOG, name=name)
        self.open.add(name)
        self.most = max(self.most, len(self.open))
        return replace(document, source_map=Closing(document.source_map, self.open, name))


class Closing:
    """Be a source map that notes when it is closed."""

    def __init__(self, inner: Any, noted: set[str], name: str) -> None:
        self.inner, self.noted, self.name = inner, noted, name

    def locate(self, span: Span) -> Any:
        return self.inner.locate(span)

    def close(self) -> None:
        self.noted.discard(self.name)
        self.inner.close()


def sources(load: Any, count: int, questions: Sequence[str] = (QUESTION,)) -> Iterator[AskedSource]:
    for number in range(count):
        yield AskedSource(f"{number}.txt", partial(load, f"{number}.txt"), questions, closes=True)


def test_documents_of_a_large_folder_are_closed_as_the_outcomes_are_taken() -> None:
    """At most eight are open, each while its outcome is looked at, and in the end none."""
    load, pipeline = Loaded(), docqa.Pipeline(reader=FakeReader())
    for document, item in ask_sources(sources(load, 50, ["Which bell?", QUESTION]), pipeline.call):
        assert document is not None
        assert document.source == item.source
        assert item.source in load.open
    assert (load.open, load.most) == (set(), 8)


def test_documents_are_closed_when_no_more_outcomes_are_taken() -> None:
    """Leaving early leaves nothing open."""
    load, pipeline = Loaded(), docqa.Pipeline(reader=FakeReader())
    outcomes = ask_sources(sources(load, 50), pipeline.call)
    next(outcomes)
    outcomes.close()  # type: ignore[attr-defined]  # it is a generator
    assert load.open == set()


def test_passages_of_several_documents_are_read_together() -> None:
    """Eight small documents are one call of the reader."""
    calls: list[int] = []

    class Counting(FakeReader):
        def read_all(self, requests: Any, *, top_k: int) -> Any:
            calls.append(len(requests))
            return super().read_all(requests, top_k=top_k)

    list(ask_sources(sources(Loaded(), 20), docqa.Pipeline(reader=Counting()).call))
    assert calls == [8, 8, 4]


def test_a_slow_source_is_not_waited_for() -> None:
    """Once loading has taken a second, what is there is read."""
    seconds = iter(range(0, 100, 2))
    cells = (Cell("?", str(n), (RANKED,), ends_source=True) for n in range(3))
    assert [len(batch) for batch in batches(cells, clock=lambda: next(seconds))] == [1, 1, 1]


def test_a_source_that_may_wait_is_loaded_after_the_others_are_answered() -> None:
    """The outcome of a file is there while a pipe after it still waits for its writer."""

    def load_never() -> Document:
        raise AssertionError("it is loaded before the outcome of the first source")

    sources = [
        AskedSource("a.txt", lambda: docqa.load(LOG, name="a.txt"), [QUESTION]),
        AskedSource("pipe", load_never, [QUESTION], waits=True),
    ]
    outcomes = ask_sources(sources, docqa.Pipeline(reader=FakeReader()).call)
    assert next(outcomes)[1].source == "a.txt"


def test_the_first_batch_is_small_and_an_error_ends_a_batch() -> None:
    """The first outcomes come soon, and an error at once."""
    cells = [Cell("?", "a", (RANKED,) * 32) for _ in range(12)]
    assert [len(batch) for batch in batches(cells)] == [2, 8, 2]
    cells[0] = replace(cells[0], error=docqa.QuestionError("no"))
    assert len(next(batches(cells))) == 1


def test_a_question_that_breaks_the_reader_fails_alone() -> None:
    """What was read together is read again one by one, where the caller lets errors be outcomes."""

    class Unlucky(FakeReader):
        def read_all(self, requests: Any, *, top_k: int) -> Any:
            if any("bell" in question for question, _ in requests):
                raise RuntimeError("odd")
            return super().read_all(requests, top_k=top_k)

    call = docqa.Pipeline(reader=Unlucky()).call
    asked = ["Which bell?", QUESTION]
    outcomes = ask_sources(sources(Loaded(), 2, asked), call, failing=(Exception,))
    errors = [(item.source, type(item.error).__name__) for _, item in outcomes]
    assert errors == [
        ("0.txt", "RuntimeError"), ("0.txt", "NoneType"),
        ("1.txt", "RuntimeError"), ("1.txt", "NoneType"),
    ]  # fmt: skip
    with pytest.raises(RuntimeError):
        list(ask_sources(sources(Loaded(), 1, asked), call))


@pytest.mark.parametrize("error", [docqa.ModelError("x"), docqa.SettingError("x")])
def test_what_concerns_all_sources_ends_the_grid(error: Exception) -> None:
    """A reader that cannot be loaded is no outcome of the first source."""

    def call() -> Any:
        raise error

    with pytest.raises(type(error)):
        list(ask_sources(sources(Loaded(), 2), call, failing=(Exception,)))


def test_the_reader_is_not_loaded_for_sources_that_cannot_be() -> None:
    """Where nothing can be read, nothing is loaded to read it."""

    def missing() -> Document:
        raise docqa.SourceNotFoundError("gone", source="a")

    outcomes = ask_sources([AskedSource("a", missing, [QUESTION])], lambda: pytest.fail("loaded"))
    (((document, item)),) = outcomes
    assert (document, item.source, str(item.error)) == (None, "a", "gone")


def test_what_goes_on_is_reported() -> None:
    """Splitting is reported for each source, reading for each batch."""
    stages: list[tuple[str, str]] = []
    call = docqa.Pipeline(reader=FakeReader()).call
    list(ask_sources(sources(Loaded(), 2), call, on_stage=lambda *told: stages.append(told)))
    assert stages == [
        ("splitting", "0.txt"), ("splitting", "1.txt"), ("reading", "0.txt and 1 more"),
    ]  # fmt: skip


class OwnReader(BaseReader):
    """Have what a reader of one's own must have, and inherit the rest."""

    name, revision = "own", "1"
    tokenizer = WhitespaceTokenizer()
    max_passage_tokens = 100

    def read(self, question: str, passages: Sequence[Passage], *, top_k: int) -> Any:
        return FakeReader().read(question, passages, top_k=top_k)


class OldReader:
    """Have what readers had before the protocol named the rest."""

    name, revision = "old", "1"
    tokenizer = WhitespaceTokenizer()
    max_passage_tokens = 100

    def read(self, question: str, passages: Sequence[Passage], *, top_k: int) -> Any:
        return FakeReader().read(question, passages, top_k=top_k)

    def read_all(self, requests: Any, *, top_k: int) -> Any:
        return [self.read(*request, top_k=top_k) for request in requests]


@pytest.mark.parametrize("reader", [OwnReader(), OldReader()])
def test_readers_of_ones_own_work(reader: Any) -> None:
    """Five members are enough; the answers say what is known of the reader."""
    pipeline = docqa.Pipeline(reader=reader, min_score=0.0)
    (answer,) = pipeline.ask(docqa.load(LOG), QUESTION)
    assert answer.reader is not None
    assert (answer.reader.name, answer.reader.runtime) == (reader.name, "")
    assert not answer.reader.calibrated
    with pytest.raises(docqa.QuestionError, match="blank"):
        pipeline.ask(docqa.load(LOG), " ")


def test_capabilities_are_protocols() -> None:
    """The fake reader is a reader that stores nothing; the shipped one takes over tokens."""
    assert isinstance(FakeReader(), Reader)
    assert not isinstance(FakeReader(), StoringReader)
    assert not isinstance(OldReader(), Reader)
    assert isinstance(completed(OldReader()), Reader)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: docqa.Pipeline(reader=5), "reader must be a reader, or the name or path"),
        (lambda: docqa.load(LOG, ocr="yes"), "ocr must be True, False or an OcrEngine"),
        (lambda: docqa.load(LOG, limits="a"), "limits must be docqa.Limits"),
        (lambda: docqa.Pipeline(reader=FakeReader()).ask(LOG, "a", top_k="3"), "a whole number"),
        (lambda: docqa.Pipeline(reader=FakeReader()).ask(LOG, "a", top_k=1.5), "a whole number"),
        (lambda: docqa.Pipeline(min_score="high"), "min_score must be a number, not 'high'"),
        (lambda: docqa.cite(docqa.load(LOG), (1, 4)), "cite takes a docqa.datamodel.Span"),
        (lambda: docqa.report([object()], "x.html"), "report takes the items of docqa.Pipeline"),
    ],
)
def test_a_value_of_another_kind_is_a_setting_error(call: Any, message: str) -> None:
    """The message says what is wanted, in place of an error from deep inside."""
    with pytest.raises(docqa.SettingError, match=re.escape(message)):
        call()
