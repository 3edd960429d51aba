"""The form of a text, and the answers that keep to it whatever the model says."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from tokenizers import Tokenizer
from tokenizers.models import WordPiece
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer
from tokenizers.processors import TemplateProcessing

from docqa.datamodel import Insertion, Passage, Span
from docqa.reader.span_reader import SpanReader
from docqa.reader.text_forms import text_form
from docqa.reader.tokenizer import FastTokenizer

Ints, Floats = NDArray[np.int64], NDArray[np.float32]
_CHARACTERS = sorted(set("abcdefghijklmnopqrstuvwxyz0123456789$%().,;:/-'\"“”«»@€•?&·é☞_"))
_BRACKETS = {"(": ")", "“": "”", "«": "»"}


class PointingModel:
    """A model that wants the span from one character to another, and nothing else."""

    def __init__(self) -> None:
        self.first = self.last = 0
        self.after_question = 0

    def __call__(self, input_ids: Ints, attention_mask: Ints) -> tuple[Floats, Floats]:
        starts, ends = np.full((2, *input_ids.shape), -5, dtype=np.float32)
        starts[:, self.after_question + self.first] = 9
        ends[:, self.after_question + self.last - 1] = 9
        return starts, ends


def character_reader(model: PointingModel) -> SpanReader:
    """Return a reader whose tokens are single characters: the hardest case for whole words."""
    words = ["[UNK]", "[CLS]", "[SEP]", "[PAD]"]
    vocabulary = [*words, *_CHARACTERS, *(f"##{each}" for each in _CHARACTERS)]
    backend = Tokenizer(
        WordPiece(  # type: ignore[call-arg]
            {word: number for number, word in enumerate(vocabulary)}, unk_token="[UNK]"
        )
    )
    backend.normalizer = BertNormalizer(strip_accents=False, handle_chinese_chars=False)
    backend.pre_tokenizer = BertPreTokenizer()
    backend.post_processor = TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", 1), ("[SEP]", 2)],
    )
    return SpanReader(
        model, FastTokenizer(backend), name="toy", no_answer=True, max_answer_tokens=60
    )


def answered(text: str, wanted: str, question: str = "who?", *, borders: Sequence[int] = ()) -> str:
    """Return the first answer where the model wants `wanted`, which stands once in `text`."""
    assert text.count(wanted) == 1
    model = PointingModel()
    reader = character_reader(model)
    passage = Passage("d", 0, Span(0, len(text)), text, borders=tuple(borders))
    tokens = reader.tokenizer.offsets(text)
    at = text.index(wanted)
    model.first = next(n for n, token in enumerate(tokens) if token.start == at)
    model.last = next(n for n, token in enumerate(tokens, 1) if token.end == at + len(wanted))
    model.after_question = len(reader.tokenizer.offsets(question)) + 2
    best = reader.read(question, [passage], top_k=1).spans
    return best[0].span.of(text) if best else ""


@pytest.mark.parametrize(
    ("text", "wanted", "whole"),
    [
        ("it has 10/459,977 of them", "10/459", "10/459,977"),
        ("a sum of 28,361 in all", "28", "28,361"),
        ("a sum of $ 28,286 in all", "28,286", "$ 28,286"),
        ("a sum of us$28.5 in all", "28", "$28.5"),
        ("a share of 5 % in all", "5", "5 %"),
        ("they hold 116 million shares", "116 million", "116 million"),
        ("in 2024-05-31 it ends", "05", "2024-05-31"),
        ("within fifty (50) days", "fifty", "fifty (50)"),
        ("within fifty (50) days", "50", "fifty (50)"),
        ("within thirty (30) days", "thirty (30", "thirty (30)"),
        ("one hundred and twenty (120) days", "hundred", "one hundred and twenty (120)"),
        ("within 50 (fifty) days", "50", "50 (fifty)"),
        ("the landlord agreed", "land", "landlord"),
        ("they don't agree", "don", "don't"),
        ("it is tesla's coil", "tesla", "tesla"),
        ("mail to a.quill@example.com now", "quill", "a.quill@example.com"),
        ("see https://example.com/a-b now", "example", "https://example.com/a-b"),
        ("in the u.s. market", "u.s", "u.s."),
        ("1990-1995 were good", "1990", "1990"),
        ("a 20-yard pass", "20", "20"),
    ],
)
def test_words_and_numbers_are_whole(text: str, wanted: str, whole: str) -> None:
    """An answer grows to the words, numbers and amounts that it touches, and no further."""
    assert answered(text, wanted) == whole


@pytest.mark.parametrize(
    ("text", "wanted", "begin"),
    [("the fee is due. it falls", ". it", "."), ("it was red; then blue", "; then", ";")],
)
def test_no_answer_begins_with_the_end_of_another_sentence(
    text: str, wanted: str, begin: str
) -> None:
    """A mark that closes what stands before it begins no answer, and is none by itself."""
    assert not answered(text, wanted).startswith(begin)
    assert not answered(text, begin).startswith(begin)


@pytest.mark.parametrize("word", [".5", ".net"])
def test_a_point_that_begins_a_word_begins_an_answer(word: str) -> None:
    """A point before a digit or a letter belongs to the word behind it."""
    assert answered(f"use {word} or more", word) == word


def test_a_hyphen_or_a_script_without_spaces_may_be_cut() -> None:
    """Where words have no visible ends, the reader's tokens say where they are."""
    assert not text_form("北京是中国的首都", ()).inside.any()


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("the name (of the firm) is known", "name (of"),
        ("the “golden days” are over", "the “golden"),
        ("the «golden days» are over", "days» are"),
        ('he said "no more" and left', 'said "no'),
        ("a (b (c) d) e", "(c) d) e"),
    ],
)
def test_brackets_and_quotation_marks_come_in_pairs(text: str, wanted: str) -> None:
    """What opens inside an answer closes inside it."""
    found = answered(text, wanted)
    assert found
    for opening, closing in [*_BRACKETS.items()]:
        assert found.count(opening) == found.count(closing)
    assert found.count('"') % 2 == 0


def test_inches_and_letters_of_lists_are_no_pairs() -> None:
    """A mark without a partner in its block bounds nothing."""
    assert answered('a 5" pipe and a 6" pipe', 'pipe and a 6" pipe') == 'pipe and a 6" pipe'
    assert answered("b) the firm pays", "the firm") == "the firm"


@pytest.mark.parametrize(
    ("text", "borders", "wanted", "question", "right"),
    [
        ("9.4 Applicable Law. the law of peru rules here", [20], "9.4", "which law?", False),
        ("9.4 Applicable Law. the law of peru rules here", [20], "Applicable Law", "law?", False),
        ("9.4 Applicable Law. the law of peru rules here", [20], "9.4", "which section?", True),
        ("1. Red 2. Blue 3. Green", [7, 15], "Blue", "which colour?", True),
        ("(a) the firm pays", [], "(a)", "who pays?", False),
        ("section 5. the firm pays", [], "section 5", "who pays?", False),
        ("section 5. the firm pays", [], "section 5", "which section says so?", True),
        ("section 5 forbids it", [], "section 5", "what forbids it?", True),
        ("12 High Street the firm of per dahl", [15], "12 High Street", "where?", True),
        ("costs ($ in millions) were 5", [], "$ in millions", "how high?", False),
        ("costs ($ in millions) were 5", [], "$ in millions", "what unit is used?", True),
        ("• the firm pays", [], "•", "which section?", False),
        ("by /s/ per dahl", [], "/s/", "which section?", False),
        ("1.5 million people", [], "1.5 million", "how many?", True),
        ("per ..... 3\ntom ..... 1\nann ..... 2", [], "tom", "who?", True),
        ("law ..... 3\nterm ..... 14\nend ..... 20", [], "14", "what is the term?", False),
        ("law ..... 3\nterm ..... 14\nend ..... 20", [], "14", "on which page?", True),
    ],
)
def test_labels_answer_who_asks_for_them(
    text: str, borders: list[int], wanted: str, question: str, right: bool
) -> None:
    """Enumerators, numbered headings, lines of contents and units say where, not what."""
    assert (answered(text, wanted, question, borders=borders) == wanted) == right


pieces = st.sampled_from(
    [
        "ab",
        "c",
        "28,286",
        "10/459",
        "fifty (50)",
        "(",
        ")",
        "“",
        "”",
        "$",
        "5 %",
        "•",
        "a.b",
        ",",
        ".",
    ]
)


@given(st.lists(pieces, min_size=1, max_size=12), st.lists(st.booleans(), max_size=12), st.data())
def test_every_answer_is_whole(words: list[str], inserted: list[bool], data: st.DataObject) -> None:
    """No answer, at any rank, parts a word, a number or a pair, or leaves the passage's text."""
    text = " ".join(words)
    begins = list(itertools.accumulate((len(word) + 1 for word in words), initial=0))[:-1]
    put = zip(begins, inserted, strict=False)
    insertions = tuple(Insertion(at, "7 (") for at, chosen in put if chosen)
    model = PointingModel()
    reader = character_reader(model)
    size = len(reader.tokenizer.offsets(text))
    model.first = data.draw(st.integers(0, size - 1))
    model.last = data.draw(st.integers(model.first + 1, size))
    model.after_question = len("who?") + 2
    whole = Passage("d", 0, Span(0, len(text)), text, insertions=insertions)
    for found in reader.read("who?", [whole], top_k=20).spans:
        said, start, end = found.span.of(text), found.span.start, found.span.end
        assert said == said.strip() != ""
        assert not re.match(r"[.,;:!?…]+(?!\w)", text[start:])
        assert not (start and re.match(r"\w\w|\d[,/]\d", text[start - 1 : start + 2]))
        assert not re.match(r"\w\w|\d[,/]\d", text[end - 1 : end + 2])
        if not insertions:
            form = text_form(text, ())
            assert form.pair[start] == form.pair[end]
