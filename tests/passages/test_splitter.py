"""Passages: what they hold, how large they are, what neighbours share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from docqa.datamodel import (
    Block,
    Document,
    Passage,
    Span,
    Table,
    TableCell,
    TableRow,
    TextLocation,
)
from docqa.errors import SettingError
from docqa.passages.sentences import sentence_spans
from docqa.passages.splitter import Splitter
from docqa.protocols import Tokenizer
from docqa.reading_form import ReadingForm
from docqa.testing import WhitespaceTokenizer

PIECES = st.sampled_from(
    ["One lamp burns. ", "oil ", "word", "\n", "\n\n", "\f", "12 13\n", "• item\n", "Title\n", ". ",
     "\u200b", "é", "x-y/z ", "。", "\U0001f600", " " * 5, "Who? "]
)  # fmt: skip
TEXTS = st.lists(PIECES, max_size=60).map("".join)


class CharacterTokenizer:
    """Take every character that is a letter or digit as a token; others are none."""

    def offsets(self, text: str) -> list[Span]:
        """Return the span of every letter and digit."""
        return [Span(n, n + 1) for n, character in enumerate(text) if character.isalnum()]


class DoublingTokenizer:
    """Count two tokens of the same span for every word, as byte-level tokenizers may."""

    def offsets(self, text: str) -> list[Span]:
        """Return the span of every word, twice."""
        return [span for span in WhitespaceTokenizer().offsets(text) for _ in range(2)]


class NoSourceMap:
    """Stand in for a place in a file."""

    def locate(self, span: Span) -> tuple[TextLocation, ...]:
        """Return the first line."""
        return (TextLocation(1, 1, 1, span, None),)

    def close(self) -> None:
        """Do nothing."""


def document(text: str, blocks: Sequence[Block] = ()) -> Document:
    return Document("id", text, "a.txt", "text/plain", None, NoSourceMap(), tuple(blocks))


def split(text: str, size: int, overlap: int = 0) -> list[str]:
    """Return the texts of the passages, sized in words."""
    splitter = Splitter(WhitespaceTokenizer(), passage_tokens=size, overlap=overlap)
    return [passage.text for passage in splitter.split(document(text))]


@st.composite
def blocked(draw: st.DrawFn) -> Document:
    """Draw a document whose blocks, some of them flagged, hold all its text."""
    blocks, text = [], ""
    for content in draw(st.lists(TEXTS, max_size=8)):
        kind = draw(st.sampled_from(["paragraph", "heading", "list_item", "table_row", "code"]))
        blocks.append(Block(Span(len(text), len(text) + len(content)), kind, draw(st.booleans())))
        text += content + "\n"
    return document(text, blocks)


DOCUMENTS = st.one_of(TEXTS.map(document), blocked())
TOKENIZERS = st.sampled_from([WhitespaceTokenizer(), CharacterTokenizer(), DoublingTokenizer()])
SIZES = st.integers(2, 12).flatmap(lambda size: st.tuples(st.just(size), st.integers(0, size - 1)))


def outside(text: str, passages: Sequence[Passage]) -> str:
    """Return the characters that no passage holds."""
    kept = list(text)
    for passage in passages:
        kept[passage.span.start : passage.span.end] = [" "] * len(passage.span)
    return "".join(kept).strip()


@settings(max_examples=100, deadline=None)
@given(DOCUMENTS, TOKENIZERS, SIZES)
def test_passages_hold_all_text(
    source: Document, tokenizer: Tokenizer, sizes: tuple[int, int]
) -> None:
    """Every passage is a stretch of the text, fits, and none of the text is lost."""
    splitter = Splitter(tokenizer, passage_tokens=sizes[0], overlap=sizes[1])
    passages = splitter.split(source)
    assert [passage.number for passage in passages] == list(range(len(passages)))
    for passage in passages:
        assert passage.text == passage.span.of(source.text) == passage.text.strip() != ""
        assert len(tokenizer.offsets(passage.text)) <= sizes[0]
    assert not outside(source.text, passages)


@settings(max_examples=60, deadline=None)
@given(DOCUMENTS, TOKENIZERS, SIZES)
def test_neighbours_go_on(source: Document, tokenizer: Tokenizer, sizes: tuple[int, int]) -> None:
    """Each passage ends after its neighbour and shares at most `overlap` tokens with it."""
    splitter = Splitter(tokenizer, passage_tokens=sizes[0], overlap=sizes[1])
    for before, passage in pairwise(splitter.split(source)):
        assert before.span.start < passage.span.start
        assert before.span.end < passage.span.end
        if before.span.overlaps(passage.span):
            shared = source.text[passage.span.start : before.span.end]
            assert len(tokenizer.offsets(shared)) <= sizes[1]


@settings(max_examples=40, deadline=None)
@given(TEXTS, st.integers(0, 19))
def test_passages_are_made_of_sentences(text: str, overlap: int) -> None:
    """Where each sentence fits, passages begin and end where sentences do."""
    sentences = sentence_spans(text)
    longest = max((len(span.of(text).split()) for span in sentences), default=0)
    splitter = Splitter(WhitespaceTokenizer(), passage_tokens=max(longest, 20), overlap=overlap)
    for passage in splitter.split(document(text)):
        assert passage.span.start in {span.start for span in sentences}
        assert passage.span.end in {span.end for span in sentences}


@settings(max_examples=60, deadline=None)
@given(blocked(), SIZES)
def test_flagged_blocks_stay_apart(source: Document, sizes: tuple[int, int]) -> None:
    """A passage holds flagged text or other text, never both; "main" leaves the flagged out."""
    in_tokens = {"passage_tokens": sizes[0], "overlap": sizes[1]}
    everything = Splitter(WhitespaceTokenizer(), **in_tokens).split(source)
    for passage in everything:
        touched = {
            block.boilerplate
            for block in source.blocks
            if block.span.overlaps(passage.span)
            and source.text[max(block.span.start, passage.span.start) : block.span.end].strip()
        }
        assert touched == {passage.boilerplate}
    main = Splitter(WhitespaceTokenizer(), content="main", **in_tokens).split(source)
    assert [p.text for p in main] == [p.text for p in everything if not p.boilerplate]


@pytest.mark.parametrize("text", ["", " \n\f\t", "\n\n"])
def test_blank_document_has_no_passage(text: str) -> None:
    """Nothing to read is an empty list."""
    assert split(text, 10) == []


def test_sentences_fill_a_passage() -> None:
    """As many whole sentences as fit."""
    text = "One lamp burns. Two lamps burn. Three burn. Four."
    assert split(text, 6) == ["One lamp burns. Two lamps burn.", "Three burn. Four."]


def test_neighbours_share_whole_sentences() -> None:
    """The last sentences of a passage, as many as fit into `overlap`, come again."""
    text = "One lamp burns. Two. Three lamps burn. Four."
    assert split(text, 5, 2) == ["One lamp burns. Two.", "Two. Three lamps burn. Four."]


def test_long_sentence_is_cut_at_words() -> None:
    """A sentence longer than a passage is cut, with pieces that neighbours share."""
    text = " ".join(f"w{n}" for n in range(10))
    assert split(text, 4) == ["w0 w1 w2 w3", "w4 w5 w6 w7", "w8 w9"]
    assert split(text, 4, 2) == ["w0 w1 w2 w3", "w2 w3 w4 w5", "w4 w5 w6 w7", "w6 w7 w8 w9"]


def test_long_word_is_cut_at_tokens() -> None:
    """Where there is no white space, token borders do."""
    passages = Splitter(CharacterTokenizer(), passage_tokens=4, overlap=0).split(document("x" * 9))
    assert [passage.text for passage in passages] == ["xxxx", "xxxx", "x"]


def test_text_without_tokens_is_kept() -> None:
    """Characters that the tokenizer drops still belong to a passage."""
    passages = Splitter(CharacterTokenizer(), passage_tokens=1, overlap=0).split(document("--- …"))
    assert [passage.text for passage in passages] == ["--- …"]


def test_heading_goes_with_what_follows() -> None:
    """A passage does not end with a heading while there is more to come."""
    text = "The lamp burns forty litres of oil a week.\n\nOil\n\nOil is landed twice a year."
    before, after = split(text, 14)
    assert after == "Oil\n\nOil is landed twice a year."
    assert before == "The lamp burns forty litres of oil a week."


def test_short_lines_fill_a_passage() -> None:
    """A list whose lines all look like headings is not cut into single lines."""
    assert split("Lamps\n\nOil\n\nWicks\n\nLenses\n\nBells", 4) == [
        "Lamps\n\nOil\n\nWicks\n\nLenses",
        "Bells",
    ]


def test_content_main_leaves_flagged_blocks_out() -> None:
    """Numbers count what is kept."""
    source = document("Home\nThe lamp", [Block(Span(0, 4), "list_item", True),
                                         Block(Span(5, 13), "paragraph")])  # fmt: skip
    splitter = Splitter(WhitespaceTokenizer(), content="main")
    assert splitter.split(source) == [Passage("id", 0, Span(5, 13), "The lamp", False)]


@pytest.mark.parametrize(
    "wrong",
    [
        {"passage_tokens": 0},
        {"passage_tokens": 10, "overlap": 10},
        {"overlap": -1},
        {"content": "body"},
    ],
)
def test_settings_out_of_range(wrong: dict[str, object]) -> None:
    """The message names the setting and its range."""
    with pytest.raises(SettingError, match=list(wrong)[-1]):
        Splitter(WhitespaceTokenizer(), **wrong)


def test_word_pieces_fit(mini: object) -> None:
    """So do passages sized by the shipped reader's tokens, cut words included."""
    tokenizer: Tokenizer = mini.tokenizer
    text = "unquestionably" * 5 + " The lamp burns 1,577.5 litres (§ 12.3).\n" + "xqz" * 30
    for size, overlap in ((3, 0), (8, 3), (20, 10)):
        passages = Splitter(tokenizer, passage_tokens=size, overlap=overlap).split(document(text))
        assert all(len(tokenizer.offsets(passage.text)) <= size for passage in passages)
        assert not outside(text, passages)


@st.composite
def tabled(draw: st.DrawFn) -> Document:
    """Draw a document whose words are the cells of a table now and then, headed by the first."""
    source = draw(DOCUMENTS)
    words = WhitespaceTokenizer().offsets(source.text)
    cells = [span for span in words[1:] if draw(st.booleans())]
    rows = tuple(TableRow((TableCell(span, (words[0],)),)) for span in cells)
    return replace(source, tables=(Table(rows),) if rows else ())


@settings(max_examples=100, deadline=None)
@given(tabled(), TOKENIZERS, SIZES)
def test_what_is_read_fits(source: Document, tokenizer: Tokenizer, sizes: tuple[int, int]) -> None:
    """With the headers put in, a passage is no longer than allowed, and its own text stays."""
    splitter = Splitter(tokenizer, passage_tokens=sizes[0], overlap=sizes[1])
    passages = splitter.split(source)
    for passage in passages:
        assert passage.text == passage.span.of(source.text) == passage.text.strip() != ""
        assert len(tokenizer.offsets(ReadingForm.of(passage).text)) <= sizes[0]
        assert {each.position for each in passage.insertions} <= {0, *passage.borders}
    assert not outside(source.text, passages)


def test_a_row_is_read_with_its_headers() -> None:
    """Each cell of a row has its header before it, in whatever passage the row is."""
    text = "Year 2021 2020\nFees 14 12\nCosts 9 8"
    heads = Span(5, 9), Span(10, 14)
    cells = ((20, 22), (23, 25)), ((32, 33), (34, 35))
    rows = tuple(
        TableRow(tuple(TableCell(Span(*at), (head,)) for at, head in zip(row, heads, strict=True)))
        for row in cells
    )
    source = replace(document(text), tables=(Table(rows),))
    passages = Splitter(WhitespaceTokenizer(), passage_tokens=6, overlap=0).split(source)
    read = [ReadingForm.of(passage).text for passage in passages]
    assert read == ["Year 2021 2020", "Fees 2021: 14 2020: 12", "Costs 2021: 9 2020: 8"]
