"""Tokens, windows and batches."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, pre_tokenizers, processors

from docqa.errors import ModelIncompatibleError
from docqa.folding import folded_letters
from docqa.reader.encoding import PassageTokens, Window, assemble, plan_batches, window_ranges
from docqa.reader.tokenizer import FastTokenizer
from docqa.reading_form import ReadingForm


@pytest.fixture(params=["bert", "roberta"])
def tokenizer(request: pytest.FixtureRequest, checkpoint: Callable[[str], Path]) -> FastTokenizer:
    """Return a toy WordPiece and a toy byte tokenizer."""
    return FastTokenizer(Tokenizer.from_file(str(checkpoint(request.param) / "tokenizer.json")))


@pytest.fixture
def toy_bert(checkpoint: Callable[[str], Path]) -> Tokenizer:
    """Return the toy WordPiece of the `tokenizers` library."""
    return Tokenizer.from_file(str(checkpoint("bert") / "tokenizer.json"))


def spans_of(tokenizer: FastTokenizer, text: str) -> list[str]:
    return [span.of(text) for span in tokenizer.offsets(text)]


def test_template_of_each_family(checkpoint: Callable[[str], Path]) -> None:
    """What stands around question and passage is read off the tokenizer."""
    templates = {
        name: FastTokenizer(Tokenizer.from_file(str(checkpoint(name) / "tokenizer.json"))).template
        for name in ("bert", "roberta")
    }
    assert (templates["bert"].before, templates["bert"].between) == ((1,), (2,))
    assert (templates["roberta"].between, templates["roberta"].after) == ((2, 2), (2,))


def test_tokenizer_without_separators_is_refused() -> None:
    """A tokenizer that frames nothing cannot tell question from passage."""
    with pytest.raises(ModelIncompatibleError, match="post-processor"):
        FastTokenizer(Tokenizer(models.WordLevel({"a": 0}, unk_token="a")))


def test_passage_first_is_refused() -> None:
    """Checkpoints that read the passage before the question are not read wrongly."""
    backend = Tokenizer(models.WordLevel({"a": 0, "[S]": 1}, unk_token="a"))
    backend.post_processor = processors.TemplateProcessing(
        single="[S] $A", pair="[S] $B [S] $A", special_tokens=[("[S]", 1)]
    )
    with pytest.raises(ModelIncompatibleError, match="question first"):
        FastTokenizer(backend)


def test_offsets_leave_white_space_out(tokenizer: FastTokenizer) -> None:
    """No token starts or ends with white space, and none is white space alone."""
    pieces = spans_of(tokenizer, "  my\u00a0name \n is\tjohn ")
    assert all(piece == piece.strip() != "" for piece in pieces)
    assert "".join(pieces) == "mynameisjohn"


@given(st.text(alphabet=st.characters(), max_size=40))
def test_offsets_of_any_text(text: str) -> None:
    """Any string gives sorted, non-empty spans inside it."""
    tokenizer = FastTokenizer(_byte_tokenizer())
    spans = tokenizer.offsets(text)
    assert all(0 <= span.start < span.end <= len(text) for span in spans)
    assert [span.start for span in spans] == sorted(span.start for span in spans)


@pytest.mark.parametrize("control", ["\f", "\v", "\0", "\x85", "\u2028"])
def test_control_characters_part_words(tokenizer: FastTokenizer, control: str) -> None:
    """The number above a page break and the number below it are two tokens, at their places."""
    [tokens] = tokenizer.encode([f"the{control}company"])
    spaced = tokenizer.encode(["the company"])[0]
    assert tokens.ids.tolist() == spaced.ids.tolist()
    assert tokens.starts.tolist() == spaced.starts.tolist()


MIXED = st.text(
    st.one_of(
        st.sampled_from(
            "aB0.,!([-'`~ \n\t\u00a0\u3000éÉßİ中文、한\u0301\u0338\u200b\u00ad”—½\U0001f600"
        ),
        st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]),
    ),
    max_size=30,
)


@given(texts=st.lists(MIXED, min_size=1, max_size=3))
def test_tokens_are_those_of_the_library(
    checkpoint: Callable[[str], Path], texts: list[str]
) -> None:
    """Tokens put together from those of pieces are those of the text as a whole."""
    backend = Tokenizer.from_file(str(checkpoint("bert") / "tokenizer.json"))
    tokenizer = FastTokenizer(backend)
    for text in texts:
        if folded_letters(text) == text:
            found, whole = tokenizer.encode([text])[0], backend.encode(text, "a")
            places = list(zip(found.starts.tolist(), found.ends.tolist(), strict=True))
            first = [number for number, owner in enumerate(whole.sequence_ids) if owner == 0]
            assert found.ids.tolist() == [whole.ids[number] for number in first]
            assert places == [whole.offsets[number] for number in first]


def test_words_are_cut_once(toy_bert: Tokenizer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Words that were seen before are not cut again."""
    tokenizer = FastTokenizer(toy_bert)
    first = tokenizer.encode(["my company, the company"])[0]
    monkeypatch.setattr(tokenizer, "_backend", None)
    monkeypatch.setattr(tokenizer._pieces, "_backend", None)
    again = tokenizer.encode(["company, my the"])[0]
    assert sorted(again.ids.tolist()) == sorted(set(first.ids.tolist()))


def test_a_word_of_many_words_is_no_piece(toy_bert: Tokenizer) -> None:
    """Where added tokens reach over white space, texts are cut as wholes."""
    toy_bert.add_tokens(["my company"])
    tokens = FastTokenizer(toy_bert).encode(["is my company"])[0]
    assert tokens.ids.tolist()[-1] == toy_bert.token_to_id("my company")


def test_lone_surrogates_keep_places(tokenizer: FastTokenizer) -> None:
    """A lone surrogate is read as one character and moves nothing."""
    assert spans_of(tokenizer, "my \ud800 name")[-1] in ("name", "e")


def test_written_special_tokens_are_plain_text(tokenizer: FastTokenizer) -> None:
    """A document that spells a separator out does not get one."""
    ids = tokenizer.encode(["my [SEP] </s> name"])[0].ids
    assert 2 not in ids.tolist()


@given(st.integers(0, 300), st.integers(1, 60), st.data())
def test_windows_cover_every_answer(n_tokens: int, room: int, data: st.DataObject) -> None:
    """Each answer of at most overlap + 1 tokens lies whole in a window; windows fit the room."""
    overlap = data.draw(st.integers(0, room - 1))
    ranges = window_ranges(n_tokens, room, overlap)
    assert all(0 < last - first <= room for first, last in ranges)
    for start in range(max(n_tokens - overlap, 0)):
        assert any(first <= start and start + overlap < last for first, last in ranges)


def test_last_window_is_no_repetition() -> None:
    """A passage that ends with a window gets no further window of overlap alone."""
    assert window_ranges(10, 6, 2) == [(0, 6), (4, 10)]


@given(st.lists(st.integers(1, 400), max_size=60), st.integers(1, 2000))
def test_batches_hold_each_window_once(lengths: list[int], batch_tokens: int) -> None:
    """Batches share out all windows within the bound; a longer window stands alone."""
    batches = plan_batches(lengths, batch_tokens)
    assert sorted(index for batch in batches for index in batch) == list(range(len(lengths)))
    for batch in batches:
        longest = max(lengths[index] for index in batch)
        assert len(batch) == 1 or len(batch) * longest <= batch_tokens


def test_batches_hold_little_padding() -> None:
    """Over many mixed windows less than a tenth is padding."""
    lengths = np.random.default_rng(0).integers(20, 385, 500).tolist()
    batches = plan_batches(lengths, 4096)
    laid_out = sum(len(batch) * max(lengths[index] for index in batch) for batch in batches)
    assert laid_out < 1.1 * sum(lengths)


def test_assemble_equals_the_tokenizers_own_pairs(checkpoint: Callable[[str], Path]) -> None:
    """A window's ids are those of encoding question and passage as a pair."""
    for name in ("bert", "roberta"):
        backend = Tokenizer.from_file(str(checkpoint(name) / "tokenizer.json"))
        tokenizer = FastTokenizer(Tokenizer.from_str(backend.to_str()))
        question, passage = tokenizer.encode(["who is john ?", "my name is john ."])
        length = len(question) + len(passage) + tokenizer.template.n_special
        form = ReadingForm("my name is john .", ())
        window = Window(0, 0, question.ids, form, passage, 0, len(passage), length)
        batch = assemble([window], tokenizer.template, pad_id=0)
        pair = backend.encode("who is john ?", "my name is john .")
        assert batch.input_ids[0].tolist() == pair.ids
        assert batch.answerable[0].tolist() == _in_passage(pair, "my name is john .")


def test_tokens_are_made_once() -> None:
    """A passage that was read before is not tokenized again, until it is pushed out."""
    asked: list[str] = []
    tokenizer = FastTokenizer(_byte_tokenizer())
    encode = tokenizer.encode
    tokenizer.encode = lambda texts: asked.extend(texts) or encode(texts)  # type: ignore[method-assign,func-returns-value]
    passages = PassageTokens(tokenizer, max_tokens=10)
    for texts in (["abc", "def"], ["def", "abc", "ghi"], ["jklm"], ["def"]):
        passages(texts)
    assert asked == ["abc", "def", "ghi", "jklm", "def"]


def _in_passage(pair, passage: str) -> list[bool]:  # type: ignore[no-untyped-def]
    places = zip(pair.sequence_ids, pair.offsets, strict=True)
    return [owner == 1 and passage[start:end].strip() != "" for owner, (start, end) in places]


def _byte_tokenizer() -> Tokenizer:
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    backend = Tokenizer(models.BPE({char: i for i, char in enumerate(alphabet)}, merges=[]))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.add_special_tokens(["<s>"])
    number = backend.token_to_id("<s>")
    backend.post_processor = processors.RobertaProcessing(("<s>", number), ("<s>", number))
    return backend
