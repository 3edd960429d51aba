"""BM25 in memory against rank_bm25's own formula and against tantivy."""

from __future__ import annotations

import math

import numpy as np
import pytest
import tantivy
from hypothesis import given, settings
from hypothesis import strategies as st
from rank_bm25 import BM25Okapi

from docqa.index.analysis import terms
from docqa.index.bm25 import LuceneBM25, byte_length

WORDS = st.sampled_from(["a", "b", "c", "d", "e"])
CORPORA = st.lists(st.lists(WORDS, max_size=60), min_size=1, max_size=12)
QUERIES = st.lists(WORDS, min_size=1, max_size=5)

PROSE = """
The lamp burns 40 litres of oil a week, and the keeper fills it on Mondays.
Oil is landed twice a year; the second landing is in September.
A keeper's log notes wind, weather and each ship that passes the light.
The light was built of granite in 1868 and first lit in the spring of 1870.
Each week the keeper cleans the lens and trims the lamp.
""".strip().splitlines()


def tantivy_scores(corpus: list[list[str]], query: list[str]) -> list[float]:
    """Return tantivy's score of every passage, 0 where it finds none."""
    builder = tantivy.SchemaBuilder()
    builder.add_text_field("terms", tokenizer_name="whitespace", index_option="freq")
    builder.add_integer_field("number", stored=True)
    index = tantivy.Index(builder.build())
    writer = index.writer(heap_size=15_000_000, num_threads=1)
    for number, passage in enumerate(corpus):
        writer.add_document(tantivy.Document(terms=" ".join(passage), number=number))
    writer.commit()
    writer.wait_merging_threads()
    index.reload()
    searcher = index.searcher()
    clauses = [
        (tantivy.Occur.Should, tantivy.Query.term_query(index.schema, "terms", term))
        for term in query
    ]
    found = searcher.search(tantivy.Query.boolean_query(clauses), limit=len(corpus))
    scores = [0.0] * len(corpus)
    for score, address in found.hits:
        scores[searcher.doc(address)["number"][0]] = score
    return scores


@settings(max_examples=25, deadline=None)
@given(CORPORA, QUERIES)
def test_scores_equal_tantivy(corpus: list[list[str]], query: list[str]) -> None:
    """Scores are those of tantivy, whose arithmetic is in single precision."""
    scores = LuceneBM25(corpus).get_scores(query)
    assert scores == pytest.approx(tantivy_scores(corpus, query), rel=1e-5, abs=1e-6)


def test_scores_equal_tantivy_on_prose() -> None:
    """So they are on analysed text, with long passages whose length does not fit the byte."""
    corpus = [terms(line) for line in PROSE] + [terms(" ".join(PROSE * n)) for n in (1, 3, 9)]
    for question in ("Who fills the lamp?", "When was the light built?", "40 litres a week"):
        query = terms(question)
        scores = LuceneBM25(corpus).get_scores(query)
        assert scores == pytest.approx(tantivy_scores(corpus, query), rel=1e-5)


@settings(max_examples=50, deadline=None)
@given(CORPORA.filter(any), QUERIES)
def test_postings_equal_upstream(corpus: list[list[str]], query: list[str]) -> None:
    """The inverted index changes the cost of upstream's scores, not the scores."""
    bm25 = LuceneBM25(corpus)
    assert np.allclose(bm25.get_scores(query), BM25Okapi.get_scores(bm25, query), rtol=1e-12)


def test_score_by_hand() -> None:
    """One term in one of two passages, worked out on paper."""
    scores = LuceneBM25([["lamp", "oil"], ["oil"]]).get_scores(["lamp"])
    expected = math.log(1 + 1.5 / 1.5) * 1 * 2.2 / (1 + 1.2 * (0.25 + 0.75 * 2 / 1.5))
    assert scores.tolist() == pytest.approx([expected, 0.0])


def test_term_in_half_of_the_passages_counts() -> None:
    """Plain BM25Okapi scores both passages 0 here."""
    corpus = [["oil", "lamp"], ["wind", "rain"]]
    assert BM25Okapi(corpus).get_scores(["oil"]).tolist() == [0.0, 0.0]
    assert LuceneBM25(corpus).get_scores(["oil"])[0] > 0


@pytest.mark.parametrize("corpus", [[], [[]], [[], []]])
def test_nothing_to_score_is_no_error(corpus: list[list[str]]) -> None:
    """No passage, or none with a term, gives scores of 0."""
    assert LuceneBM25(corpus).get_scores(["a"]).tolist() == [0.0] * len(corpus)


@given(st.integers(0, 2**31 - 1))
def test_byte_length_keeps_four_bits(length: int) -> None:
    """A length loses less than an eighth and coming back again changes nothing."""
    kept = byte_length(length)
    assert kept <= length < kept + max(1, length / 8)
    assert byte_length(kept) == kept


def test_byte_length_has_256_values() -> None:
    """All lengths below 2 to the 31 share one byte's values."""
    values = {24 + (mantissa << shift) for shift in range(28) for mantissa in range(8, 16)}
    values |= set(range(40))
    assert len(values) == 256
    assert all(byte_length(value) == value for value in values)
