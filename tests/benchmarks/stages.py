"""The stages before reading: load, split, index, rank."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from made_document import make_pdf
from memory import memory_growth
from records import StageSpeed
from docqa.datamodel import Document, Passage
from docqa.grid import require_text
from docqa.loaders.load import load_with
from docqa.loaders.settings import LoadSettings
from docqa.prepared import PreparedDocument, index_of, prepare, splitter_for

if TYPE_CHECKING:
    from docqa.protocols import Index, Reader

__all__ = ["Requests", "StagesOutcome", "measure_stages"]

_Made = TypeVar("_Made")

Requests = Sequence[tuple[str, Sequence[Passage]]]
"""What a reader is asked: each question with the passages that ranked best for it."""


@dataclass(frozen=True, slots=True)
class StagesOutcome:
    """Hold the speed of each stage, what is read next, and the highest peak of memory."""

    stages: tuple[StageSpeed, ...]
    requests: Requests
    peak_memory: int | None


class _Watch:
    """Run steps a number of times with a clock and an eye on memory."""

    def __init__(self, rounds: int) -> None:
        self._rounds = rounds
        self.stages: list[StageSpeed] = []
        self.peaks: list[int] = []

    def run(
        self,
        name: str,
        make: Callable[[], _Made],
        amounts: Callable[[_Made], dict[str, int]],
    ) -> _Made:
        """Return what the last round made."""
        seconds, growths = [], []
        for _ in range(self._rounds):
            with memory_growth() as growth:
                started = time.perf_counter()
                made = make()
                seconds.append(time.perf_counter() - started)
            growths += [] if growth.in_memory is None else [growth.in_memory]
            self.peaks += [] if growth.peak is None else [growth.peak]
        memory = max(growths, default=None)
        self.stages.append(StageSpeed(name, tuple(seconds), amounts(made), memory))
        return made


def measure_stages(
    data: bytes,
    questions: Sequence[str],
    reader: Reader,
    *,
    name: str,
    rounds: int,
    top_passages: int,
    loading: LoadSettings,
) -> StagesOutcome:
    """Load, split, index and rank; every stage runs once on a page of its own to warm up.

    Args:
        data: the document's bytes.
        questions: what is ranked for.
        reader: whose tokens passages are measured in.
        name: what the document is called.
        rounds: how often each stage is measured.
        top_passages: how many passages are ranked and then read for a question.
        loading: how the document is loaded.

    Raises:
        LoadError: it cannot be loaded; `NoTextError` when it holds no text.
    """
    _warm_up(reader, questions, loading)
    watch = _Watch(rounds)
    with ExitStack() as opened:
        load = partial(_load_again, opened, loading, data, name)
        document = watch.run("load", load, _pages_and_characters)
        require_text(document)
        splitter = splitter_for(reader)
        characters = len(document.text)
        passages = watch.run(
            "split",
            partial(splitter.split, document),
            lambda made: {"characters": characters, "passages": len(made)},
        )
    index = watch.run(
        "index",
        partial(_indexed, passages, questions[0]),
        lambda _: {"passages": len(passages)},
    )
    prepared = PreparedDocument(
        tuple(passages), index, splitter.passage_tokens, splitter.overlap, content="all"
    )
    requests = watch.run(
        "rank",
        partial(_ranked, prepared, questions, top_passages),
        lambda _: {"questions": len(questions)},
    )
    return StagesOutcome(tuple(watch.stages), requests, max(watch.peaks, default=None))


def _warm_up(reader: Reader, questions: Sequence[str], loading: LoadSettings) -> None:
    """Import what the stages import when they are first used."""
    settings = LoadSettings(isolate=loading.isolate, limits=loading.limits)
    with load_with(settings, make_pdf(1), name="warm-up.pdf") as document:
        _ranked(prepare(document, reader), questions, 1)


def _load_again(opened: ExitStack, loading: LoadSettings, data: bytes, name: str) -> Document:
    """Close the document of the round before, and load it anew."""
    opened.pop_all().close()
    return opened.enter_context(load_with(loading, data, name=name))


def _indexed(passages: Sequence[Passage], question: str) -> Index:
    """Return the index after its first search, which completes it."""
    index = index_of(passages)
    index.search(question, top_k=1)
    return index


def _ranked(
    prepared: PreparedDocument, questions: Sequence[str], top_passages: int
) -> list[tuple[str, list[Passage]]]:
    return [
        (
            question,
            [
                each.passage
                for each in prepared.passages_to_read(question, top_passages=top_passages)
            ],
        )
        for question in questions
    ]


def _pages_and_characters(document: Document) -> dict[str, int]:
    pages = {"pages": len(document.pages)} if document.pages else {}
    return {**pages, "characters": len(document.text)}
