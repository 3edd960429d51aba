"""Sentences: where they end, and where only a line does."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from docqa.datamodel import Block, Span
from docqa.passages.lines import blocks_from_lines
from docqa.passages.sentences import (
    _punkt,
    _punkt_ends,
    sentence_around,
    sentence_blocks,
    sentence_spans,
)

PIECES = st.sampled_from(
    ["Word ", "word ", "No. 5", ". ", "! ", "\n", "\n\n", "\f", "\r\n", "\t", "- ", "12 13", "(a) ",
     "1. ", "。", "U.S. ", "Title", "   ", "\u2028", "\u200b", "é", "…", '"', ")", "$ 4", "x" * 40]
)  # fmt: skip
TEXTS = st.lists(PIECES, max_size=40).map("".join)


# Words, marks and abbreviations around which Punkt decides one way or the other.
DECISIVE = st.sampled_from(
    ["a", "A", "The", "the", "Mr", "no", "U.S", "e.g", "Ph.D", "J", "12", "3,4", "1", ".", "?", "!",
     "...", " ", "  ", "\n", "\t", "\v", "\xa0", ")", "(", '"', "'", "]", "{", "--", "-", ",", ";",
     ":", "*", "@", "é", "文", "²", "Ⅷ", "#number#", "\u0301"]
)  # fmt: skip


def sentences(text: str, blocks: tuple[Block, ...] = ()) -> list[str]:
    """Return the sentences of a text with their line breaks shown as a bar."""
    return [
        span.of(text).replace("\f", "|").replace("\n", "|")
        for span in sentence_spans(text, blocks=blocks)
    ]


def around(text: str, words: str, blocks: tuple[Block, ...] = ()) -> str:
    """Return the sentence around the first occurrence of some words."""
    start = text.index(words)
    return sentence_around(text, Span(start, start + len(words)), blocks=blocks).of(text)


@pytest.mark.parametrize(
    "text",
    [
        "Mr. Roe and Dr. A. B. Poe met at 5 p.m. in the U.S. capital.",
        "See Fig. 3 and No. 5, i.e. the second, e.g. on p. 7.",
        "It cost $3.50, or 1.5 per cent.",
        "He moved to Acme Inc. in Oct. 2019 vs. Quill & Co. of St. Ives.",
        'She asked: "Who pays?" of them all.',
        "The U.K. and the U.S. signed.",
        "Under Sec. 12.3(b) of Vol. 2 it ends.",
        "He asked J.P. Quill and “U.S. firms” to come.",
        "max. 5 and min. 3 of approx. 9",
    ],
)
def test_one_sentence(text: str) -> None:
    """Abbreviations, initials and numbers end no sentence."""
    assert sentences(text) == [text]


@pytest.mark.parametrize(
    "text",
    [
        "It rose.|Then it fell.",
        "Was it paid?|No!|It was not.",
        "It was sold to Acme Inc.|The price was low.",
        "He lives in the U.S.|They do not.",
        "It is in Exhibit A.|If not, it is in Part B.|The end.",
        '"It rose." |Then it fell.',
        "(It rose.) |Then it fell.",
        "灯油は四十リットル。|毎週です。",
    ],
)
def test_several_sentences(text: str) -> None:
    """A sentence ends where the next begins, also after an abbreviation before a usual start."""
    parts = [part.strip() for part in text.split("|")]
    joiner = "" if "。" in text else " "
    assert sentences(joiner.join(parts)) == parts


LINES = [
    ("The lamp burns forty litres of|oil a week. It is filled on|Mondays.", 2),
    ("The lamp burns forty litres of\foil a week.", 1),
    ("Oil and lamps of all kinds are\n\nsold here.", 2),
    ("Oil and lamps of all kinds are\r\rsold here.", 2),
    ("Oil and lamps of all kinds are\r\nsold here.", 1),
    ("Net sales 12 13|Costs 9 8|Profit before all of the|taxes 3 5", 3),
    ("• Fill the lamp|• Trim the lamp", 2),
    ("1. Fill the lamp|2. Trim the lamp", 2),
    ("(a) the keeper;|(b) the owner; and|(c) the harbour.", 3),
    ("Contents|Lamps ........ 3|Oil ........ 12", 3),
    ("Name\tWeight|Lamp\t3", 2),
    ("1.1 Scope|These are the rules of the house.", 2),
    ("LAMPS AND OIL|The lamp burns forty litres of oil a week.", 2),
    ("Use the switch|Touch the switch|Hold the switch until the long green light comes on.", 3),
]


@pytest.mark.parametrize(("text", "count"), LINES)
def test_lines_without_blocks(text: str, count: int) -> None:
    """Wrapped lines go on; headings, items and rows end with their line."""
    assert len(sentences(text.replace("|", "\n"))) == count


def test_blocks_are_borders() -> None:
    """Where a format marks blocks, a sentence ends with its block, whatever stands there."""
    text = "The lamp and\nthe oil"
    blocks = (Block(Span(0, 12), "paragraph"), Block(Span(13, 20), "paragraph"))
    assert sentences(text) == ["The lamp and|the oil"]
    assert sentences(text, blocks) == ["The lamp and", "the oil"]


def test_code_is_cut_at_lines() -> None:
    """Every line of a code block stands alone, full stops or not."""
    text = "a = b. c\n\n  d(e)"
    assert sentences(text, (Block(Span(0, len(text)), "code"),)) == ["a = b. c", "d(e)"]


def test_flags_and_kinds_stay() -> None:
    """The finer blocks keep what the format said."""
    text = "Home\nAbout us\nThe lamp"
    blocks = (Block(Span(0, 13), "list_item", True), Block(Span(14, 22), "heading"))
    found = sentence_blocks(text, blocks)
    assert [(b.kind, b.boilerplate) for b in found] == [("list_item", True)] * 2 + [
        ("heading", False)
    ]


def test_text_outside_blocks_is_not_lost() -> None:
    """A format that forgets a stretch of text still has it read."""
    text = "before\nblock\nafter"
    assert sentences(text, (Block(Span(7, 12), "paragraph"),)) == ["before", "block", "after"]


@settings(max_examples=60, deadline=None)
@given(TEXTS, st.booleans())
def test_sentences_hold_all_text(text: str, marked: bool) -> None:
    """Sentences are in order, apart, trimmed, and leave out white space only."""
    blocks = (Block(Span(0, len(text)), "paragraph"),) if marked else ()
    end = 0
    for span in sentence_spans(text, blocks=blocks):
        assert not text[end : span.start].strip()
        assert span.start >= end
        assert span.of(text) == span.of(text).strip() != ""
        end = span.end
    assert not text[end:].strip()


@settings(max_examples=60, deadline=None)
@given(TEXTS, st.data())
def test_sentence_around_holds_the_span(text: str, data: st.DataObject) -> None:
    """Whatever the span, what is shown covers it and is not endless."""
    start = data.draw(st.integers(0, len(text)))
    span = Span(start, data.draw(st.integers(start, len(text))))
    found = sentence_around(text, span)
    assert found.covers(span)
    assert len(found) <= max(400, len(span))


@settings(max_examples=40, deadline=None)
@given(TEXTS.filter(str.strip))
def test_sentence_around_is_the_sentence(text: str) -> None:
    """Around a whole short sentence of a short text stands that sentence."""
    for span in sentence_spans(text):
        if len(span) <= 400:
            assert sentence_around(text, span) == span


def test_sentence_around_an_answer() -> None:
    """The answer's own sentence, not its neighbours."""
    text = "Rates rose. The auditor is\nQuill & Co. of Oslo. It was paid."
    assert around(text, "Quill") == "The auditor is\nQuill & Co. of Oslo."


def test_sentence_around_stays_in_its_row() -> None:
    """A row of a table is shown alone."""
    assert around("Sales 12 13\nCosts 9 8\nTaxes 1 2", "9") == "Costs 9 8"


def test_sentence_around_stays_in_its_block() -> None:
    """The blocks of the format are borders here too."""
    text = "the lamp\nand the oil"
    blocks = (Block(Span(0, 8), "table_row"), Block(Span(9, 20), "table_row"))
    assert around(text, "oil", blocks) == "and the oil"


def test_long_sentence_is_cut_at_white_space() -> None:
    """Four hundred characters around the answer are enough."""
    text = "word " * 1000 + "ANSWER" + " word" * 1000
    found = around(text, "ANSWER")
    assert len(found) <= 400
    assert set(found.split()) == {"word", "ANSWER"}


def test_kinds_from_lines() -> None:
    """Lines tell headings, items, rows and paragraphs apart."""
    lines = ["Net sales", "Lamps 12 13", "• Oil by the litre"]
    lines += ["Sales of lamps and of oil rose in all of", "the regions of the coast."]
    text = "\n".join(lines)
    kinds = [block.kind for block in blocks_from_lines(text, Span(0, len(text)))]
    assert kinds == ["heading", "table_row", "list_item", "paragraph"]


@pytest.mark.parametrize(
    "unit", ["a. ", ". ", "a", "a.", '."', "Aa ", "1 ", "\n", " \n", "A.\n", "- a\n", ".", "  a"]
)
def test_cost_is_linear(unit: str) -> None:
    """Thirty thousand characters of anything take about a second at most."""
    start = time.perf_counter()
    sentence_spans(unit * (30_000 // len(unit)))
    assert time.perf_counter() - start < 5


def test_nltk_is_imported_late() -> None:
    """Importing the module loads no nltk; neither does a text without sentence ends."""
    code = (
        "import sys; from docqa.passages.sentences import sentence_spans; "
        "sentence_spans('a heading'); sys.exit('nltk' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    "lines",
    [
        ["Buyer: Orla Finch", "Seller: Ned Carrow", "Broker: Amy Poole"],
        ["Name of the vessel: Petrel", "Port of registry and home port of the vessel: Bodo"],
        ["Captain - Ann Larsen", "Mate and second hand – Ida Holm", "Cook - Jonas Pell"],
    ],
)
def test_lines_with_labels_are_blocks(lines):
    """No answer runs from one label's value to the next label, however long its line is."""
    text = "\n".join(lines)
    assert [block.span.of(text) for block in blocks_from_lines(text, Span(0, len(text)))] == lines


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("Orla Finch\n12 Quay Street\nAyre", 3),
        ("Rent: 950 pounds\nDeposit: 1,900 pounds\nfor each set of keys", 2),
        ("The owner of\nThe Gannet is\nin Bodo", 1),
        ("The keeper wrote that the lamp of Ayre was lit by Ann\nLarsen, who came at six.", 1),
    ],
)
def test_line_ends_of_a_format_are_borders(text, count):
    """``<br>`` ends a block, but not where words run on or long lines are wrapped."""
    blocks = [Block(Span(0, len(text)), "paragraph")]
    assert len(sentence_blocks(text, blocks)) == count


@settings(max_examples=500)
@given(st.lists(DECISIVE, max_size=40).map("".join))
def test_ends_are_those_of_punkt(text):
    """What is told without asking Punkt is what Punkt tells."""
    assert list(_punkt_ends(text)) == [end for _, end in _punkt().span_tokenize(text)]
