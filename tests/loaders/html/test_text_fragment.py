"""Text fragments lead to one place, or there are none."""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import unquote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from docqa.datamodel import Span
from docqa.loaders.html.loader import HtmlLoader
from docqa.loaders.html.text_directive import FragmentMatcher, TextDirective
from docqa.loaders.html.text_fragment import FragmentFinder

_TEXTS = st.lists(
    st.sampled_from(["a", "b", "Café", "cafe", "1,000", "-", "don't", "\n", "\t"])
).map(" ".join)


def _find(text: str, words: str) -> str | None:
    start = text.index(words)
    return FragmentFinder(text).find(Span(start, start + len(words)))


@pytest.mark.parametrize(
    ("text", "words", "fragment"),
    [
        ("one two three", "two", "#:~:text=two"),
        ("one two three", "tw", "#:~:text=two"),
        ("well-known, R&D", "well-known, R&D", "#:~:text=well%2Dknown%2C%20R%26D"),
        ("it costs 1,000.50 now", "000", "#:~:text=1%2C000.50"),
        ("two x\ntwo y", "two y", "#:~:text=two%20y"),
    ],
)
def test_fragments(text: str, words: str, fragment: str) -> None:
    """Whole words, encoded; a span over two blocks is named by its ends."""
    assert _find(text, words) == fragment


def test_a_span_over_blocks_has_no_fragment() -> None:
    """What a style sheet puts between two blocks is not known."""
    assert FragmentFinder("one two\nthree four").find(Span(0, 18)) is None


def test_context_makes_a_repeated_word_unique() -> None:
    """Words before and after are added until the fragment leads to this place alone."""
    text = "first the end\nsecond the end"
    finder = FragmentFinder(text)
    start = text.rindex("the end")
    fragment = finder.find(Span(start, start + 7))
    assert fragment == "#:~:text=second-,the%20end"


def test_repeated_lines_have_no_fragment() -> None:
    """A wrong link is worse than none."""
    text = "\n".join(["Prediction: yes"] * 30)
    start = text.index("yes", 200)
    assert FragmentFinder(text).find(Span(start, start + 3)) is None


def test_case_and_accents_do_not_tell_places_apart() -> None:
    """Browsers compare base letters, so that an earlier look-alike needs context."""
    assert _find("The CAFÉ opened. A cafe closed.", "cafe") != "#:~:text=cafe"


@pytest.mark.parametrize(
    ("words", "fragment"),
    [
        ("物理效应", "#:~:text=酒精对人体的-,物理效应,-与海拔无关"),
        ("酒精", "#:~:text=酒精,-对人体的物理效应与海拔无关"),
        ("海拔无关", "#:~:text=酒精对人体的物理效应与-,海拔无关"),
        ("酒精对人体的物理效应与海拔无关", "#:~:text=酒精对人体的物理效应与海拔无关"),
    ],
)
def test_scripts_without_spaces_are_not_widened(words: str, fragment: str) -> None:
    """Only a browser knows where such words end: the context reaches to the next punctuation."""
    assert unquote(_find("如果，酒精对人体的物理效应与海拔无关。那些", words) or "") == fragment


def test_a_run_without_a_border_near_has_no_fragment() -> None:
    """Where no punctuation is near, no link is certain."""
    assert _find("酒精对人体的物理效应" * 100 + "海拔" + "无关" * 400, "海拔") is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Die Strasse, die Straße.", "Straße"),
        ("Step 1: then step ①.", "①"),
        ("A firm is a ﬁrm.", "ﬁrm"),
        ("fi\u00adnal and final", "final"),
        ("He said 'no' and said ‘no’ again", "‘no’"),
    ],
)
def test_look_alikes_need_context(text: str, words: str) -> None:
    """Chromium compares by the root collation: an earlier equal of other characters counts."""
    fragment = _find(text, words)
    assert fragment is None or "-," in fragment


def test_marks_belong_to_their_letters() -> None:
    """A word of Devanagari is whole with its vowel signs."""
    assert unquote(_find("हिन्दी भाषा में", "भाष") or "") == "#:~:text=भाषा"


@pytest.mark.parametrize(
    ("words", "fragment"),
    [
        ("before it", "#:~:text=before%20it"),
        ("before it after it", "#:~:text=before%20it,after%20it"),
        ("after", "#:~:text=after"),
    ],
)
def test_no_term_crosses_an_image(words: str, fragment: str) -> None:
    """A browser finds no text across a box in the line, but a range from side to side it does."""
    page = b"<p>before it <img src=a.png>after it</p>"
    document = HtmlLoader().load(page, source="a.html")
    start = document.text.index(words)
    (place,) = document.locate(Span(start, start + len(words)))
    assert place.text_fragment == fragment  # type: ignore[union-attr]


def test_layout_alone_has_no_fragment() -> None:
    """A span of nothing but white space names no place."""
    assert FragmentFinder("a\n\nb").find(Span(1, 3)) is None


def test_resolve_follows_the_specification() -> None:
    """Prefix and suffix may stand in the blocks next to the text, with white space between."""
    matcher = FragmentMatcher("a x\nb\nc x\nb d")
    assert matcher.resolve(TextDirective("c x", "b", "", "d")) == Span(10, 11)
    assert matcher.resolve(TextDirective("", "b", "", "")) == Span(4, 5)
    assert matcher.resolve(TextDirective("", "c", "d", "")) == Span(6, 13)
    assert matcher.resolve(TextDirective("d", "b", "", "")) is None


def _first_match(text: str, fragment: str) -> tuple[int, int]:
    """Resolve a fragment with a regular expression, which takes the leftmost match too."""
    parts = fragment.removeprefix("#:~:text=").split(",")
    prefix = unquote(parts.pop(0)[:-1]) if parts[0].endswith("-") else ""
    suffix = unquote(parts.pop()[1:]) if parts[-1].startswith("-") else ""
    target = r"(?!\w).*?(?<!\w)".join(re.escape(unquote(part)) for part in parts)
    around = (rf"(?<!\w){re.escape(prefix)}\s*", rf"\s*{re.escape(suffix)}")
    pattern = f"{around[0] * bool(prefix)}(?<!\\w)({target})(?!\\w){around[1] * bool(suffix)}"
    pattern += r"(?!\w)"
    bare = "".join(unicodedata.normalize("NFD", char)[0] for char in text)
    plain = "".join(unicodedata.normalize("NFD", char)[0] for char in pattern)
    match = re.search(plain, bare, re.IGNORECASE | re.DOTALL)
    assert match is not None
    return match.span(1)


def test_a_suffix_may_continue_a_word() -> None:
    """With a suffix, the text before it needs no border: an earlier match counts."""
    assert FragmentMatcher("foobar foo bar").resolve(TextDirective("", "foo", "", "bar")) == Span(
        0, 3
    )


@given(_TEXTS, st.integers(0, 40), st.integers(1, 30))
@settings(max_examples=150, deadline=None)
def test_the_first_match_is_the_span(text: str, start: int, length: int) -> None:
    """An independent matcher finds the span, widened to whole words, before any other place."""
    span = Span(min(start, len(text)), min(start + length, len(text)))
    fragment = FragmentFinder(text).find(span)
    if fragment is not None:
        low, high = _first_match(text, fragment)
        wanted = span.of(text)
        left = span.start + len(wanted) - len(wanted.lstrip())
        assert low <= left
        assert high >= left + len(wanted.strip())
        assert text[low:high].count(" ") <= wanted.count(" ") + 2


@pytest.mark.parametrize(
    ("rule", "crosses"),
    [
        (".tag { color: red }", True),
        ("@media print { p > span.tag { display: none } }", False),
        ("p.x em, #y .z i { float: left }", False),
        ("<!-- .tag { position : absolute }", False),
    ],
)
def test_what_the_page_may_set_apart_is_not_crossed(rule: str, crosses: bool) -> None:
    """Where a rule of the page takes an element out of the line, no term relies on its edge."""
    page = f"<style>{rule}</style><p>one two <span class='a tag'><i>three</i></span> four</p>"
    document = HtmlLoader().load(page.encode(), source="a.html")
    start = document.text.index("two")
    (place,) = document.locate(Span(start, start + len("two three")))
    wanted = "#:~:text=two%20three" if crosses else "#:~:text=two,three"
    assert place.text_fragment == wanted  # type: ignore[union-attr]


def test_a_box_ends_words_too() -> None:
    """Words that only a box tells apart are a browser's first match."""
    page = b"<p>the end<button>game</button> is the end</p>"
    document = HtmlLoader().load(page, source="a.html")
    start = document.text.rindex("end")
    (place,) = document.locate(Span(start, start + 3))
    assert place.text_fragment == "#:~:text=is%20the-,end"  # type: ignore[union-attr]
