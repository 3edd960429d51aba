"""Plain text and Markdown: offsets, lines, columns, bytes and blocks."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

import docqa
from docqa.datamodel import Span
from docqa.loaders.markdown.loader import MarkdownLoader
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
    places = [place.byte_span for place in document.locate(span)]
    words = "".join(raw[place.start : place.end].decode() for place in places)
    assert words == span.of(document.text)
    assert len(places) == 1 or "\x9b" in text or "\x1b" in text or "\b" in text


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


LATIN = [
    ("cp1252", "The rent is £500 a month and the deposit is £1,200, paid to the agent."),
    ("cp1252", "See § 12 and § 14 of the Act. The temperature is 20° C ± 2."),
    ("cp1252", "El niño comió mañana en España; ¿qué pasó?"),
    ("cp1252", "A comissão não aprovou as informações da situação."),
    ("cp1252", "Företaget får inte överlåta sina rättigheter på något sätt."),
    ("cp1252", "The “Agreement” is dated – 2001 — by © the Owner™. " * 4),
    ("cp1250", "Zażółć gęślą jaźń, a potem idź do sądu w Łodzi."),
    ("cp1250", "Kupující je povinen zaplatit kupní cenu do třiceti dnů."),
    ("cp1250", "Őszi eső, fűtés: a bérlő köteles a bérleti díjat megfizetni."),
    ("cp1257", "Šį rytą žvakės degė per naktį, o prižiūrėtojas atėjo anksti."),
]


@pytest.mark.parametrize(("encoding", "text"), LATIN)
def test_short_latin_texts_keep_their_letters(encoding, text):
    """Western, Central European and Baltic letters are told apart by the languages' alphabets."""
    assert docqa.load(text.encode(encoding), name="t.txt").text == text


@pytest.mark.parametrize("order", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize(
    "text",
    [
        "Oil, 40 litres.\n",
        "Лампа горит всю ночь.\n",
        "灯塔的灯 整夜亮着。\n",
        "המנורה דולקת כל הלילה",
    ],
)
def test_utf16_without_a_mark(order, text):
    """UTF-16 is told by its NULs, also where they stand in spaces and line ends alone."""
    document = docqa.load(text.encode(order), name="t.txt")
    assert (document.text, document.metadata["encoding"]) == (text, order)
    assert [warning.kind for warning in document.warnings] == ["guessed-encoding"]


def test_many_nuls_are_no_text():
    """NULs are valid UTF-8, but a file of them is refused; a stray one in a text is kept."""
    with pytest.raises(docqa.MalformedError, match="not text in any known encoding"):
        docqa.load(b"name\0value\0" * 9, name="t.txt")
    assert docqa.load(b"one \0 and more" + b" text" * 30, name="t.txt").text[4] == "\0"


@pytest.mark.parametrize("name", ["<bytes>", "pump.log"])
@pytest.mark.parametrize("encoding", ["utf-8", "cp1252"])
@pytest.mark.parametrize("places", [(0, 0, 2000), (300, 0, 0), (0, 64, 0), (0, 9000, 9000)])
def test_runs_of_nuls_do_not_make_a_log_binary(name, encoding, places):
    """NULs before, between and after lines (a power cut, unused space) leave them readable."""
    lines = "".join(f"10:{n:02}:00 pump {n} läuft\n" for n in range(60))
    before, between, after = (bytes(n) for n in places)
    data = before + lines.encode(encoding) + between + lines.encode(encoding) + after
    document = docqa.load(data + b"\0", name=name)
    assert document.text.replace("\0", "") == 2 * lines
    [place] = document.locate(
        Span(document.text.rindex("läuft"), document.text.rindex("läuft") + 5)
    )
    assert data[place.byte_span.start : place.byte_span.end] == "läuft".encode(encoding)


@pytest.mark.parametrize(
    "data",
    [bytes(4000), b"\x7fbin\0\1\2\3\4\5" * 500, b"name\0value\0" * 400, bytes(range(256)) * 9],
)
def test_records_with_nuls_are_no_text(data):
    """NULs all over, or beside other control bytes, are those of a program's file."""
    with pytest.raises(docqa.LoadError):
        docqa.load(data)


def test_unmarked_iso2022_jp_is_no_ascii():
    """Escape sequences that lead to Japanese are read; others are a terminal's and not shown."""
    text = "灯台の明かりは夜通し燃えています。\n"
    assert docqa.load(text.encode("iso2022_jp"), name="t.txt").text == text
    assert docqa.load(b"\x1b[1mbold\x1b(B", name="t.txt").text == "bold"


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("\x1b[31mERROR\x1b[0m valve \x1b[1;4m7\x1b[m stuck", "ERROR valve 7 stuck"),
        ("\x9b31mred\x9b0m", "red"),
        ("\x1b]8;;http://x.y\x1b\\link\x1b]8;;\x1b\\ \x1b]0;title\x07here", "link here"),
        ("N\bNA\bAM\bME\bE of _\ba_\b pump", "NAME of a pump"),
        ("a lone \x1b", "a lone \x1b"),
    ],
)
def test_a_terminals_codes_are_no_text(raw, text):
    """Colours, links, titles and overstruck letters are left out; places skip them."""
    document = docqa.load(raw.encode(), media_type="text/plain")
    assert document.text == text
    for start, character in enumerate(text):
        (place,) = document.locate(Span(start, start + 1))
        assert raw.encode()[place.byte_span.start : place.byte_span.end].decode() == character


@pytest.mark.parametrize(
    "encoding", ["utf-8-sig", "utf-16", "utf-32", "iso2022_jp", "hz", "cp932", "gb18030", "utf-7"]
)
def test_bytes_of_a_given_encoding(encoding):
    """Encodings with marks and states give the file's own bytes, UTF-7 none."""
    text, plain = "灯 abc 日本 x", encoding.removesuffix("-sig")
    raw = text.encode(plain if plain[:4] != "utf-" or plain[4:] in "78" else f"{plain}-le")
    document = docqa.load(raw, media_type="text/plain", encoding=encoding)
    places = [document.locate(Span(n, n + 1))[0].byte_span for n in range(len(text))]
    assert document.text == text
    if encoding == "utf-7":
        assert set(places) == {None}
        return
    ends = [0, *(place.end for place in places)]
    assert [place.start for place in places] == ends[:-1]
    read = document.metadata["encoding"]
    assert all(raw[: place.end].decode(read).endswith(text[n]) for n, place in enumerate(places))


@pytest.mark.parametrize("media_type", ["text/plain", "text/markdown", "text/html"])
@pytest.mark.parametrize(
    "encoding",
    ["base64", "rot13", "idna", "punycode", "undefined", "unicode_escape", "a\0b", "\udc80"],
)
def test_what_is_no_encoding_of_files_is_refused(media_type, encoding):
    """Python's codecs that no file is written in are unknown, as are impossible names."""
    with pytest.raises(docqa.SettingError, match="unknown encoding"):
        docqa.load(b"x", media_type=media_type, encoding=encoding)


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
    assert ("heading", "Lamp") in kinds
    assert ("paragraph", "Soft wrap.") in kinds
    assert [text for kind, text in kinds if kind == "list_item"] == ["one", "two"]
    assert ("table_row", "1\t2") in kinds
    assert document.title == "Lamp"


@pytest.mark.parametrize(
    ("source", "title"),
    [
        ("# C#\n", "C#"),
        ("## Lamp ##  \n", "Lamp"),
        ("Two\r\nlines\r\n===\r\n", "Two lines"),
        ("#\n", None),
        ("# a" + " " * 50_000 + "b\n", "a" + " " * 50_000 + "b"),
        ("# a" + " # " * 20_000 + "b\n", "a" + " # " * 20_000 + "b"),
    ],
)
def test_title_is_the_heading_without_its_marks(source, title):
    """Opening, closing and underlining marks go, in time linear in the heading."""
    assert MarkdownLoader().load(source.encode(), source="m.md").title == title


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
