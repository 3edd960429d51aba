"""Characters that index and reader take for others."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

import docqa
from docqa.folding import folded_letters, with_offsets
from docqa.index.analysis import terms

WIDE = str.maketrans(
    {chr(code): chr(code + 0xFEE0) for code in range(0x30, 0x7B) if chr(code).isalnum()}
)
SENTENCE = "The oﬃcial keeper is Ida Holm since 1931."


@given(st.text(alphabet=st.sampled_from("abＡ１ﬃﬁ𝐱é⁶½ 漢")))
def test_folded_characters_lead_back(text: str) -> None:
    """Each folded character comes from the one of which it is a compatibility form."""
    folded, offsets = with_offsets(text)
    places = range(len(text)) if offsets is None else offsets
    assert len(places) == len(folded)
    for character, place in zip(folded, places, strict=True):
        assert character in {*unicodedata.normalize("NFKC", text[place]), text[place]}
    assert folded_letters(folded) == folded


@pytest.mark.parametrize(
    "text", [SENTENCE.translate(WIDE), SENTENCE, SENTENCE.replace("Ida", "𝐈𝐝𝐚")]
)
def test_reader_and_ranking_read_the_same_words(mini: docqa.protocols.Reader, text: str) -> None:
    """A question in plain letters finds its answer in other forms of them, at its place."""
    document = docqa.load(text.encode(), media_type="text/plain")
    pipeline = docqa.Pipeline(reader=mini)
    [answer, *_] = pipeline.ask(document, "Who is the official keeper?", min_score=0)
    assert folded_letters(answer.text) == "Ida Holm"
    assert document.text[answer.start : answer.end] == answer.text
    assert terms(text) == terms(folded_letters(text))


@pytest.mark.parametrize("numbers", ["10⁶", "3½", "45③", "⅔7", "10₂"])
def test_raised_digits_and_fractions_are_no_digits_of_a_number(numbers: str) -> None:
    """The terms of 10⁶ are those of "10 6", not of 106."""
    plain = unicodedata.normalize("NFKC", numbers).replace("\N{FRACTION SLASH}", "")
    assert plain not in terms(numbers)
    assert "".join(terms(numbers)) == plain
