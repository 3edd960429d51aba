"""What a collection stores comes back as it was: passages, tokens, documents."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from docqa.collection.packing import (
    PackedPassage,
    pack_document,
    pack_passage,
    unpack_document,
    unpack_passage,
)
from docqa.datamodel import (
    Block,
    Document,
    Insertion,
    LoadWarning,
    Page,
    Passage,
    Span,
    TableCell,
    TableRow,
)
from docqa.errors import CollectionError
from docqa.index.surrogates import escape_surrogates, unescape_surrogates
from docqa.reader.tokenizer import Tokens

ANY_TEXT = st.text(st.characters(codec=None, exclude_categories=()), max_size=30)  # halves of pairs
OFFSETS = st.integers(0, 2**31 - 1)
SPANS = st.tuples(OFFSETS, OFFSETS).map(lambda pair: Span(*sorted(pair)))


@st.composite
def passages(draw: st.DrawFn) -> Passage:
    """Draw any passage, also one that no splitter makes."""
    text = draw(ANY_TEXT)
    return Passage(
        document_id="id",
        number=draw(st.integers(0, 2**31)),
        span=draw(SPANS),
        text=text,
        boilerplate=draw(st.booleans()),
        borders=tuple(draw(st.lists(st.integers(0, 2**31), max_size=4))),
        insertions=tuple(
            draw(st.lists(st.builds(Insertion, st.integers(0, 2**31), ANY_TEXT), max_size=3))
        ),
    )


@st.composite
def tokens(draw: st.DrawFn) -> Tokens:
    """Draw tokens: ids of any size, starts that may also fall, as those of no tokenizer do."""
    count = draw(st.integers(0, 40))
    numbers = st.lists(st.integers(0, 10**9), min_size=count, max_size=count)
    ids, starts, lengths = (np.array(draw(numbers), dtype=np.int32) for _ in range(3))
    return Tokens(ids, starts, starts + lengths)


ROWS = st.builds(
    TableRow,
    st.lists(st.builds(TableCell, SPANS, st.lists(SPANS, max_size=2).map(tuple)), max_size=3).map(
        tuple
    ),
    st.none() | SPANS,
)
POINTS = st.floats(0, 1e4)
PAGES = st.builds(
    Page,
    number=st.integers(1, 10**6),
    label=st.none() | ANY_TEXT,
    span=SPANS,
    width=POINTS,
    height=POINTS,
    garbled=st.floats(0, 1),
)


@st.composite
def documents(draw: st.DrawFn) -> Document:
    """Draw a document with everything that is kept of one; tables are kept with passages."""
    return Document(
        id="id",
        text=draw(ANY_TEXT),
        source=draw(ANY_TEXT),
        media_type="text/html",
        title=draw(st.none() | ANY_TEXT),
        source_map=NOWHERE,
        blocks=tuple(
            draw(st.lists(st.builds(Block, SPANS, st.just("text"), st.booleans()), max_size=3))
        ),
        pages=tuple(draw(st.lists(PAGES, max_size=2))),
        warnings=tuple(draw(st.lists(st.builds(LoadWarning, ANY_TEXT, ANY_TEXT), max_size=2))),
        metadata=draw(st.dictionaries(ANY_TEXT, ANY_TEXT, max_size=2)),
        extractor=draw(ANY_TEXT),
    )


class Nowhere:
    """Be a source map that is not asked."""

    def locate(self, span: Span) -> tuple[()]:
        del span
        return ()

    def close(self) -> None: ...


NOWHERE = Nowhere()


@given(passages(), st.none() | tokens(), st.lists(ROWS, max_size=3))
def test_passage_comes_back(passage: Passage, made: Tokens | None, rows: list[TableRow]) -> None:
    """Passages, their tokens and rows are what they were, also with half of a surrogate pair."""
    back = unpack_passage(pack_passage(PackedPassage(passage, made, tuple(rows))), "id")
    assert (back.passage, back.rows) == (passage, tuple(rows))
    assert (back.tokens is None) == (made is None)
    if made is not None:
        for name in ("ids", "starts", "ends"):
            assert getattr(back.tokens, name).dtype == np.int32
            assert getattr(back.tokens, name).tolist() == getattr(made, name).tolist()


@settings(max_examples=50)
@given(documents(), st.none() | st.binary(max_size=50))
def test_document_comes_back(document: Document, original: bytes | None) -> None:
    """So are documents; bytes that are kept, also none of them, are what they were."""
    packed = unpack_document(pack_document(document, original=original))
    assert packed.document(NOWHERE, None) == document
    assert packed.original == original


@given(st.data())
def test_damage_is_told(data: st.DataObject) -> None:
    """Bytes that are missing are an error of the collection, nothing else."""
    whole = pack_passage(PackedPassage(data.draw(passages()), data.draw(tokens())))
    part = whole[: data.draw(st.integers(0, len(whole) - 1))]
    with pytest.raises(CollectionError, match="damaged"):
        unpack_passage(part, "id")


@given(ANY_TEXT | ANY_TEXT.map(lambda text: "\0" + text))
def test_every_text_can_be_encoded(text: str) -> None:
    """What an engine keeps has an encoding and leads back."""
    escape_surrogates(text).encode("utf-8")
    assert unescape_surrogates(escape_surrogates(text)) == text
