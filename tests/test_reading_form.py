"""What a passage is read as, and the way back to its characters."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from docqa.datamodel import Insertion, Passage, Span
from docqa.reading_form import ReadingForm

TEXTS = st.text("ab 1\n", max_size=20)


@st.composite
def passages(draw: st.DrawFn) -> Passage:
    """Draw a passage with insertions at rising places, several at one place among them."""
    text = draw(TEXTS)
    places = sorted(draw(st.lists(st.integers(0, len(text)), max_size=5)))
    insertions = tuple(Insertion(place, draw(st.text("XY: ", max_size=4))) for place in places)
    return Passage("id", 0, Span(0, len(text)), text, insertions=insertions)


@given(passages())
def test_own_characters_stay(passage: Passage) -> None:
    """Without what was inserted, the reading form is the passage's text."""
    form = ReadingForm.of(passage)
    ends = [0, *(span.end for span in form.inserted)]
    starts = [*(span.start for span in form.inserted), len(form.text)]
    assert "".join(form.text[a:b] for a, b in zip(ends, starts, strict=True)) == passage.text


@given(passages(), st.data())
def test_spans_lead_back_or_nowhere(passage: Passage, data: st.DataObject) -> None:
    """A span of own characters leads to the same ones; any other leads nowhere."""
    form = ReadingForm.of(passage)
    start = data.draw(st.integers(0, len(form.text)))
    span = Span(start, data.draw(st.integers(start, len(form.text))))
    back = form.to_passage(span)
    touches = any(span.overlaps(inserted) for inserted in form.inserted)
    assert (back is None) >= touches
    if back is not None:
        assert back.of(passage.text) == span.of(form.text)


@given(passages(), st.data())
def test_borders_stand_before_the_same_characters(passage: Passage, data: st.DataObject) -> None:
    """A border stays right before its character, behind what is inserted there."""
    offsets = st.integers(0, max(0, len(passage.text) - 1))
    border = data.draw(offsets)
    form = ReadingForm.of(passage)
    kept = [n for n in range(len(form.text)) if form.to_passage(Span(n, n + 1)) is not None]
    expected = {kept[border]} if passage.text else {form.borders([border])[0]}
    assert expected <= set(form.borders([border]))


def test_nothing_inserted_is_the_text_itself() -> None:
    """A passage without tables is read as before."""
    passage = Passage("id", 0, Span(5, 8), "abc", borders=(1,))
    form = ReadingForm.of(passage)
    assert form.text is passage.text
    assert form.inserted == ()
    assert form.borders(passage.borders) == (1,)
