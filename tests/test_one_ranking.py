"""One ranking everywhere: what is kept in memory and what is stored rank alike.

The oracle is `LuceneBM25`, which is compared with rank_bm25's own formula elsewhere.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from docqa.datamodel import Passage, Span
from docqa.index.analysis import terms
from docqa.index.bm25 import LuceneBM25
from docqa.index.contract import Labels, Query, StoredDocument, StoredHit, StoredPassage
from docqa.index.memory import MemoryIndex
from docqa.index.tantivy.store import TantivyStore

WORDS = st.sampled_from(["oil", "lamp", "wind", "rain", "ship", "2024"])
PASSAGES = st.tuples(st.lists(WORDS, max_size=50), st.booleans())
DOCUMENTS = st.tuples(st.lists(PASSAGES, min_size=1, max_size=6), st.lists(WORDS, max_size=4))
COLLECTIONS = st.lists(DOCUMENTS, min_size=1, max_size=6)
QUERIES = st.lists(WORDS | st.just("unknown"), min_size=1, max_size=6)

Made = Sequence[tuple[Sequence[tuple[list[str], bool]], list[str]]]


def stored(made: Made) -> list[StoredDocument]:
    """Return drawn documents as a store keeps them; keys in the order of the list."""
    return [
        StoredDocument(
            key=f"/{number:02}",
            generation=f"{number:032x}",
            labels=Labels(f"{number:02}"),
            names=tuple(names),
            facts="{}",
            body=b"body",
            passages=tuple(
                StoredPassage(order, tuple(words), b"x", flagged)
                for order, (words, flagged) in enumerate(passages)
            ),
        )
        for number, (passages, names) in enumerate(made)
    ]


def found_in_folder(documents: Sequence[StoredDocument], query: Query) -> list[StoredHit]:
    """Return what a collection's folder ranks, written in several commits: several segments."""
    with tempfile.TemporaryDirectory() as folder:
        store = TantivyStore(Path(folder) / "kb")
        store.create()
        with store.writer() as writer:
            for document in documents:
                writer.replace(document)
                writer.commit()
        return store.snapshot().search(query)


def expected(documents: Sequence[StoredDocument], query: Query) -> dict[tuple[str, int], float]:
    """Return the score of each passage that has one, by the seam's words."""
    rows = [(document, passage) for document in documents for passage in document.passages]
    own = LuceneBM25([passage.terms for _, passage in rows]).get_scores(query.terms)
    named = LuceneBM25([document.names for document, _ in rows]).get_scores(query.terms)
    scores = {
        (document.key, passage.number): (
            score * (query.boilerplate_weight if passage.boilerplate else 1)
        )
        for (document, passage), score in zip(
            rows, (own + query.name_weight * named).tolist(), strict=True
        )
    }
    return {place: score for place, score in scores.items() if score > 0}


@settings(max_examples=25)
@given(COLLECTIONS, QUERIES, st.sampled_from([0.0, 0.5, 2.0]), st.sampled_from([0.0, 0.5, 1.0]))
def test_scores_are_those_of_memory(
    made: Made, words: list[str], name_weight: float, boilerplate_weight: float
) -> None:
    """With names, flagged passages and repeated terms; what scores 0 is left out."""
    documents = stored(made)
    query = Query(words, 100, name_weight=name_weight, boilerplate_weight=boilerplate_weight)
    found = {(hit.key, hit.number): hit.score for hit in found_in_folder(documents, query)}
    assert found == pytest.approx(expected(documents, query), rel=1e-5)


@settings(max_examples=25)
@given(COLLECTIONS, QUERIES, st.integers(1, 8))
def test_best_are_the_same_passages_in_the_same_order(
    made: Made, words: list[str], top_k: int
) -> None:
    """Ranks are those of `MemoryIndex`, but where scores are equal up to single precision."""
    documents = stored(made)
    index = MemoryIndex()
    for document in documents:
        for one in document.passages:
            text = " ".join(one.terms)
            span = Span(0, len(text))
            index.add([Passage(document.key, one.number, span, text, one.boilerplate)])
    asked = " ".join(words)
    memory = index.search(asked, top_k=top_k)
    folder = found_in_folder(documents, Query(terms(asked), top_k))
    assert [hit.score for hit in folder] == pytest.approx([one.score for one in memory], rel=1e-5)
    by_place = expected(documents, Query(terms(asked), top_k))
    ranked = [by_place[hit.key, hit.number] for hit in folder]
    assert ranked == pytest.approx([one.score for one in memory], rel=1e-5)


@settings(max_examples=20)
@given(st.lists(WORDS, min_size=1, max_size=12), st.integers(2, 20), QUERIES)
def test_same_words_go_by_place(words: list[str], copies: int, query: list[str]) -> None:
    """Passages with the same words tie, in whatever segment they are: key and number decide."""
    documents = stored([([(words, False), (words, False)], [])] * copies)
    places = [(hit.key, hit.number) for hit in found_in_folder(documents, Query(query, 7))]
    assert places == sorted(expected(documents, Query(query, 7)))[:7]
