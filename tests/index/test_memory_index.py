"""The index in memory: ranks, ties, replacement and flagged passages."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from docqa.datamodel import Passage, RankedPassage, Span
from docqa.errors import SettingError
from docqa.index.analysis import terms
from docqa.index.bm25 import LuceneBM25
from docqa.index.memory import MemoryIndex
from docqa.protocols import Index


def passage(text: str, number: int = 0, document: str = "a", *, flagged: bool = False) -> Passage:
    return Passage(document, number, Span(0, len(text)), text, flagged)


def indexed(*texts: str) -> MemoryIndex:
    """Return an index of one document with these passages."""
    index = MemoryIndex()
    index.add(passage(text, number) for number, text in enumerate(texts))
    return index


def numbers(found: list[RankedPassage]) -> list[int]:
    return [ranked.passage.number for ranked in found]


def test_is_an_index() -> None:
    """It has the verbs of the protocol."""
    assert isinstance(MemoryIndex(), Index)


def test_best_passage_first() -> None:
    """Ranks count from 1, scores fall."""
    found = indexed("wind and rain", "the lamp burns oil", "oil").search("oil lamp", top_k=5)
    assert numbers(found) == [1, 2]
    assert [ranked.rank for ranked in found] == [1, 2]
    assert found[0].score > found[1].score > 0


def test_passages_without_a_term_are_left_out() -> None:
    """A score of 0 is no result."""
    assert indexed("wind", "rain").search("lamp", top_k=2) == []


@pytest.mark.parametrize("query", ["", "?", "the", "lamp"])
def test_empty_index_finds_nothing(query: str) -> None:
    """An index may be empty, and a query without terms."""
    assert MemoryIndex().search(query, top_k=3) == []
    assert indexed("", " ").search(query, top_k=3) == []


def test_ties_go_by_document_and_number() -> None:
    """The order of adding does not matter."""
    index = MemoryIndex()
    index.add([passage("oil", 10, "b"), passage("oil", 2, "b"), passage("oil", 3, "a")])
    found = [ranked.passage for ranked in index.search("oil", top_k=9)]
    assert [(p.document_id, p.number) for p in found] == [("a", 3), ("b", 2), ("b", 10)]


def test_add_replaces_a_passage_of_the_same_number() -> None:
    """The older text is not found any more."""
    index = indexed("lamp")
    assert index.search("lamp", top_k=1)
    index.add([passage("wind")])
    assert index.search("lamp", top_k=1) == []
    assert numbers(index.search("wind", top_k=1)) == [0]
    assert len(index) == 1


def test_remove_forgets_a_document() -> None:
    """Statistics are those of what is left."""
    index = indexed("lamp oil", "wind")
    before = index.search("lamp", top_k=1)
    index.add([passage("lamp lamp", document="b")])
    index.remove("b")
    index.remove("unknown")
    assert index.search("lamp", top_k=1) == before


@settings(max_examples=30, deadline=None)
@given(st.lists(st.lists(st.sampled_from("abcdef"), max_size=8), max_size=12), st.integers(1, 20))
def test_search_is_the_sorted_scores(corpus: list[list[str]], top_k: int) -> None:
    """Ranking is BM25's scores, sorted, cut and without zeros."""
    found = indexed(*(" ".join(words) for words in corpus)).search("b c d", top_k=top_k)
    scores = LuceneBM25([terms(" ".join(words)) for words in corpus]).get_scores(["b", "c", "d"])
    order = sorted((n for n in range(len(corpus)) if scores[n] > 0), key=lambda n: (-scores[n], n))
    assert numbers(found) == order[:top_k]
    assert [ranked.score for ranked in found] == [scores[n] for n in order[:top_k]]


def test_flagged_passages_rank_down() -> None:
    """The weight multiplies their scores and leaves the others' alone."""
    index = MemoryIndex(boilerplate_weight=0.25)
    index.add([passage("oil lamp", 0, flagged=True), passage("oil lamp in the rain", 1)])
    found = index.search("oil lamp", top_k=2)
    assert numbers(found) == [1, 0]
    even = MemoryIndex(boilerplate_weight=1)
    even.add([passage("oil lamp", 0, flagged=True), passage("oil lamp in the rain", 1)])
    scores = {r.passage.number: r.score for r in even.search("oil lamp", top_k=2)}
    assert [r.score for r in found] == [scores[1], pytest.approx(scores[0] * 0.25)]


def test_weight_0_leaves_flagged_passages_out() -> None:
    """They score 0."""
    index = MemoryIndex(boilerplate_weight=0)
    index.add([passage("oil", flagged=True)])
    assert index.search("oil", top_k=1) == []


@pytest.mark.parametrize("weight", [-0.1, 1.5, float("nan")])
def test_weight_out_of_range(weight: float) -> None:
    """The message says the range."""
    with pytest.raises(SettingError, match="0 to 1"):
        MemoryIndex(boilerplate_weight=weight)


def test_top_k_below_1() -> None:
    """Asking for nothing is a mistake."""
    with pytest.raises(SettingError, match="top_k"):
        MemoryIndex().search("oil", top_k=0)
