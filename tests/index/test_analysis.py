"""Terms: what matches what."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from docqa.index.analysis import terms

SAME = [
    ("COMPANIES", "company"),
    ("the company's", "company"),
    ("company’s", "company's"),
    ("café", "CAFE"),
    ("cafe\u0301", "café"),
    ("ﬁnancial oﬃce", "financial office"),
    ("Straße", "STRASSE"),
    ("Łódź Ørsted", "lodz orsted"),
    ("co\u00adoperate", "cooperate"),
    ("1,577.50", "$1577.50"),
    ("1.577,50", "1577.50"),
    ("$ 1,577", "1577"),
    ("12 %", "12%"),
    ("§ 12.3", "Section 12.3"),
    ("U.S.", "US"),
    ("for-\nward", "for-ward"),
    ("for-  \r\n  ward", "for-ward"),
    ("long–term", "long-term"),
    ("ＲＸ－７", "RX-7"),
    ("مُحَمَّد", "محمد"),
]

SHARED = [
    ("for-\nward", "forward"),
    ("for-ward", "forward"),
    ("long-term", "long term"),
    ("longterm", "long-term"),
    ("AB-1234/5", "AB1234/5"),
    ("RX-7", "rx7"),
    ("28mm", "28 mm"),
    ("Form 10-K", "10K"),
    ("31.12.2020", "2020"),
    ("2021-03-31", "2021"),
    ("Section 12.3(b)", "12.3"),
    ("l'avion", "avion"),
    ("information@example.org", "example.org"),
    ("東京都", "東京"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_spellings_of_the_same(one: str, other: str) -> None:
    """Two spellings of the same words give the same terms."""
    assert terms(one) == terms(other) != []


@pytest.mark.parametrize(("one", "other"), SHARED)
def test_spellings_that_meet(one: str, other: str) -> None:
    """A joined form and a split form share a term."""
    assert set(terms(one)) & set(terms(other))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("AB-1234/5", ["ab", "1234", "5", "ab12345"]),
        ("31.12.2020", ["31.12.2020", "31", "12", "2020"]),
        ("(1,577)", ["1577"]),
        ("東京都 水", ["東京", "京都", "水"]),
        ("हिन्दी", ["हिन्दी"]),
        ("йод", ["йод"]),
        ("May in the US", ["may", "us"]),
    ],
)
def test_terms_of_one_text(text: str, expected: list[str]) -> None:
    """Numbers, part numbers and other scripts survive."""
    assert terms(text) == expected


@pytest.mark.parametrize("text", ["", " \n", "…—?!", "the of and", "\ud800"])
def test_texts_without_terms(text: str) -> None:
    """Punctuation and function words are no terms; a lone surrogate is no error."""
    assert terms(text) == []


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=60), st.text(max_size=60))
def test_paragraphs_are_analysed_alone(one: str, other: str) -> None:
    """No term reaches over a full stop and white space."""
    assert terms(f"{one} . {other}") == terms(f"{one} .") + terms(f". {other}")


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=80))
def test_terms_are_bare(text: str) -> None:
    """No term is empty or holds white space, and the same text gives the same terms."""
    found = terms(text)
    assert found == terms(text)
    assert all(term and not any(character.isspace() for character in term) for term in found)


@pytest.mark.parametrize("unit", ["a", "a.", "1,", "a'", "a-\n", "日", "- ", "é", "\n"])
def test_cost_is_linear(unit: str) -> None:
    """A hundred thousand characters of anything take far less than a second."""
    start = time.perf_counter()
    terms(unit * (100_000 // len(unit)))
    assert time.perf_counter() - start < 2
