"""Plain text and Markdown: offsets, lines, columns, bytes and blocks."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

import docqa
from docqa.datamodel import Span
from docqa.loaders.markdown import MarkdownLoader
from docqa.loaders.text import TextLoader

RUSSIAN = "Лампа горит всю ночь. Смотритель приходит утром и записывает показания приборов. "
LEGACY = {
    "koi8-r": RUSSIAN,
    "cp1251": RUSSIAN,
    "cp1252": "Das Öl reicht für sieben Nächte. Der Wärter prüft die Gläser täglich. ",
    "shift_jis": "灯台の明かりは夜通し燃えています。管理人は朝に来て、計器の数値を記録します。",
    "gb18030": "灯塔的灯整夜亮着。管理员早上来记录仪器的读数。",
    "big5": "燈塔的燈整夜亮著。管理員早上來記錄儀器的讀數。",
    "euc_kr": "등대의 불은 밤새 켜져 있습니다. 관리인은 아침에 와서 기록합니다. ",
}


@given(st.text(alphabet=st.characters(codec="utf-8"), min_size=1), st.data())
def test_bytes_of_a_span_decode_to_the_span(text, data):
    """The byte span of any span of a UTF-8 text is the file's own bytes of it."""
    raw = text.encode()
    document = TextLoader("utf-8").load(raw, source="t.txt")
    if not document.text:  # a lone byte order mark
        return
    start = data.draw(st.integers(0, len(document.text) - 1))
    span = Span(start, data.draw(st.integers(start + 1, len(document.text))))
    (place,) = document.locate(span)
    assert raw[place.byte_span.start : place.byte_span.end].decode() == span.of(document.text)


@given(
    st.lists(st.sampled_from(["ab", "\n", "\r\n", "\r", "é", "\f", "😀"]), min_size=1), st.data()
)
def test_line_and_column_equal_a_walk_over_the_text(pieces, data):
    """Line and column agree with Python's own universal newlines."""
    text = "".join(pieces)
    document = TextLoader().load(text.encode(), source="t.txt")
    start = data.draw(st.integers(0, len(text) - 1))
    (place,) = document.locate(Span(start, start + 1))
    before = text[:start]
    if before.endswith("\r") and text[start] == "\n":
        before = before[:-1]  # inside a CRLF
    lines = before.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    assert place.line == len(lines)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_unicode_encodings_with_and_without_marks(encoding):
    """Byte order marks are honoured and left out of the text; byte spans count them."""
    text = "The wick is trimmed at 06:30.\nNaïve visitors touch it.\n"
    raw = text.encode(encoding)
    document = docqa.load(raw, media_type="text/plain")
    (place,) = document.locate(Span(30, 35))
    plain = encoding.replace("-sig", "") if encoding != "utf-16" else "utf-16-le"
    plain = "utf-32-le" if plain == "utf-32" else plain
    assert document.text == text
    assert (place.line, place.column) == (2, 1)
    assert raw[place.byte_span.start : place.byte_span.end].decode(plain) == "Naïve"


@pytest.mark.parametrize("encoding", LEGACY)
def test_legacy_encodings_are_guessed_and_said(encoding):
    """A text in a national encoding reads right and carries a warning that it was guessed."""
    text = LEGACY[encoding] * 4
    document = docqa.load(text.encode(encoding), name="t.txt")
    assert document.text == text
    assert [warning.kind for warning in document.warnings] == ["guessed-encoding"]


def test_a_declared_encoding_overrules_the_guess():
    """`encoding=` decides, also against valid UTF-8."""
    assert docqa.load("é".encode(), encoding="cp1252", media_type="text/plain").text == "Ã©"


def test_broken_bytes_are_replaced_one_by_one_and_counted():
    """A damaged UTF-8 file loads, says so, and keeps its byte positions."""
    raw = ("Élan, café, naïve. " * 10).encode() + b"\xff tail"
    document = docqa.load(raw, name="t.txt")
    (place,) = document.locate(Span(len(document.text) - 4, len(document.text)))
    assert document.text.endswith("� tail")
    assert raw[place.byte_span.start : place.byte_span.end] == b"tail"
    assert "replaced-bytes" in [warning.kind for warning in document.warnings]


def test_the_id_is_the_hash_of_the_bytes():
    """Same bytes, same id; the name does not matter."""
    raw = b"Some text."
    assert docqa.load(raw, name="a.txt").id == hashlib.sha256(raw).hexdigest()


def test_markdown_blocks_by_kind():
    """Headings, paragraphs, list items, table rows and code are told apart."""
    source = (
        b"# Lamp\n\nSoft\nwrap.\n\n- one\n- two\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n```\nx\n```\n"
    )
    document = MarkdownLoader().load(source, source="lamp.md")
    kinds = [(block.kind, block.span.of(document.text)) for block in document.blocks]
    assert ("heading", "# Lamp") in kinds
    assert ("paragraph", "Soft\nwrap.") in kinds
    assert [text for kind, text in kinds if kind == "list_item"] == ["- one", "- two"]
    assert ("table_row", "| 1 | 2 |") in kinds
    assert document.title == "Lamp"


MARKDOWN = st.lists(
    st.sampled_from(
        ["# H\n", "text\n", "\n", "- a\n", "  - b\n", "1. c\n", "> q\n", "```\n", "|a|b|\n",
         "|-|-|\n", "    code\n", "---\n", "<div>\n", "[x]: /y\n", "\r\n", "\t", "end"]
    )
)  # fmt: skip


@given(MARKDOWN)
def test_markdown_blocks_cover_all_text_and_never_overlap(pieces):
    """Whatever the source, every character that is not white space lies in exactly one block."""
    document = MarkdownLoader().load("".join(pieces).encode(), source="m.md")
    covered = [n for block in document.blocks for n in range(block.span.start, block.span.end)]
    assert covered == sorted(set(covered))
    left = set(range(len(document.text))) - set(covered)
    assert not "".join(document.text[n] for n in left).strip()


def test_front_matter_is_not_a_heading():
    """A YAML header followed by its dashes is no setext heading."""
    document = MarkdownLoader().load(b"---\ntitle: x\n---\n# Real\n", source="m.md")
    assert document.title == "Real"
