"""One ranking everywhere: passages in memory, in a folder and on shared storage rank alike.

The oracle is `LuceneBM25`, which is compared with rank_bm25's own formula elsewhere. Memory and
folder have its scores. Lance has BM25 with exact lengths, so that neighbours may change places.
"""

from __future__ import annotations

import random
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from checkout import DOCS
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


@pytest.mark.slow
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


@pytest.mark.slow
@settings(max_examples=20)
@given(st.lists(WORDS, min_size=1, max_size=12), st.integers(2, 20), QUERIES)
def test_same_words_go_by_place(words: list[str], copies: int, query: list[str]) -> None:
    """Passages with the same words tie, in whatever segment they are: key and number decide."""
    documents = stored([([(words, False), (words, False)], [])] * copies)
    places = [(hit.key, hit.number) for hit in found_in_folder(documents, Query(query, 7))]
    assert places == sorted(expected(documents, Query(query, 7)))[:7]


GUIDES = sorted(DOCS.rglob("*.md"))


def pages() -> list[StoredDocument]:
    """Return the pages of the documentation as a store keeps them, in passages of several sizes."""
    chance, made = random.Random(0), []
    for path in GUIDES:
        words, passages, start = terms(path.read_text("utf-8")), [], 0
        while start < len(words):
            size = chance.randint(20, 120)
            passages.append((words[start : start + size], False))
            start += size
        made.append((passages, terms(path.stem)))
    return stored(made)


def questions(documents: Sequence[StoredDocument]) -> Iterator[list[str]]:
    """Yield the terms of 200 questions: some of a passage, and one of another."""
    chance = random.Random(1)
    passages = [passage.terms for document in documents for passage in document.passages]
    for one, other in (chance.choices(passages, k=2) for _ in range(200)):
        yield [*chance.choices(one, k=4), chance.choice(other)]


@pytest.fixture(scope="module")
def rankings(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[list[StoredHit], ...]]:
    """Return the first ten of each question from the two engines, compacted."""
    pytest.importorskip("lancedb", reason="LanceDB is not installed: pip install lancedb")
    from docqa.index.lance.store import LanceStore

    folder, documents = tmp_path_factory.mktemp("ranking"), pages()
    stores = (TantivyStore(folder / "kb"), LanceStore(f"lance://{folder / 'lance'}"))
    for store in stores:
        store.create()
        with store.writer() as writer:
            for document in documents:
                writer.replace(document)
            writer.commit()
        store.compact()
    snapshots = [store.snapshot() for store in stores]
    return [
        tuple(snapshot.search(Query(asked, 10, name_weight=0.7)) for snapshot in snapshots)
        for asked in questions(documents)
    ]


def by_place(hits: Sequence[StoredHit]) -> dict[tuple[str, int], float]:
    return {(hit.key, hit.number): hit.score for hit in hits}


def test_lance_finds_the_same_passages(rankings: list[tuple[list[StoredHit], ...]]) -> None:
    """Of the first ten at most 3 % are others, and of the first one at most 2 %."""
    pairs = [(list(by_place(folder)), list(by_place(lance))) for folder, lance in rankings]
    shared = sum(len(set(ours) & set(theirs)) for ours, theirs in pairs)
    assert shared >= 0.97 * sum(len(ours) for ours, _ in pairs)
    assert sum(ours[:1] == theirs[:1] for ours, theirs in pairs) >= 0.98 * len(pairs)


def test_lance_scores_are_near(rankings: list[tuple[list[StoredHit], ...]]) -> None:
    """A score differs by at most 6 %, as a byte keeps a length to within an eighth."""
    for folder, lance in rankings:
        ours, theirs = by_place(folder), by_place(lance)
        both = ours.keys() & theirs.keys()
        assert [theirs[at] for at in both] == pytest.approx([ours[at] for at in both], rel=0.06)
        assert min(theirs.values()) >= 0.94 * min(ours.values())
