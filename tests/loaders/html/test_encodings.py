"""Encodings as browsers find them, and the bytes behind each character."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from docqa.datamodel import SourceLocation, Span
from docqa.errors import SettingError
from docqa.loaders.decoded_source import decode
from docqa.loaders.html.encodings import encoding_of_label, sniff_encoding
from docqa.loaders.html.loader import HtmlLoader

_JAPANESE = "<p>日本語の文、ｱとあ。</p><p>二番目 ABC</p>"


@pytest.mark.parametrize(
    ("label", "name"),
    [
        *(("latin1", "windows-1252"), ("ASCII", "windows-1252"), (" utf8\n", "utf-8")),
        *(("sjis", "shift_jis"), ("gb2312", "gbk"), ("ks_c_5601-1987", "euc-kr"), ("x", None)),
    ],
)
def test_labels(label: str, name: str | None) -> None:
    """Labels mean what they mean on the web."""
    assert encoding_of_label(label) == name


def test_labels_are_those_of_webencodings() -> None:
    """An independent table of the Encoding Standard agrees on every label but three."""
    webencodings = pytest.importorskip("webencodings")
    ours = {label for label in webencodings.LABELS if encoding_of_label(label)}
    differ = {x for x in ours if webencodings.LABELS[x] != encoding_of_label(x)}
    assert {webencodings.LABELS[x] for x in set(webencodings.LABELS) - ours} <= {
        *("replacement", "x-user-defined", "hz-gb-2312", "iso-2022-kr", "iso-2022-cn"),
    }
    assert differ == set()


@pytest.mark.parametrize(
    ("data", "name", "origin"),
    [
        (b"\xef\xbb\xbf<meta charset=latin1>", "utf-8", "bom"),
        (b"\xff\xfe<\0p\0", "utf-16le", "bom"),
        (b"<meta charset='latin1'>", "windows-1252", "declared"),
        (
            b"<META http-equiv=Content-Type content='text/html; charset=koi8-r'>",
            "koi8-r",
            "declared",
        ),
        (b"<meta content='text/html; charset=koi8-r'>", "utf-8", "valid"),
        (b"<!-- <meta charset=koi8-r> --><meta charset=sjis>", "shift_jis", "declared"),
        (b"<a title='<meta charset=koi8-r>'><meta charset=sjis>", "shift_jis", "declared"),
        (b"<meta charset=utf-16>", "utf-8", "declared"),
        (b"<meta charset=nonsense><meta charset=euc-jp>", "euc-jp", "declared"),
        (b"<?xml version='1.0' encoding='iso-8859-2'?><p>", "iso-8859-2", "declared"),
        ("<p>é".encode(), "utf-8", "valid"),
        ("<meta charset=latin1><p>Zoë".encode(), "utf-8", "valid"),
        ("<?xml version='1.0' encoding='koi8-r'?><p>Иван".encode(), "utf-8", "valid"),
        ("<meta charset=shift_jis><p>灯台の明かり".encode(), "utf-8", "valid"),
        ("<meta charset=latin1><p>Zoë".encode("latin-1"), "windows-1252", "declared"),
        ("<meta charset=gbk><p>灯塔".encode("gbk"), "gbk", "declared"),
        ("<p>é".encode("latin-1"), "windows-1252", "fallback"),
        (b"<p>" + b" " * 2000 + b"\xe9<meta charset=iso-8859-2>", "iso-8859-2", "declared"),
        ("<p>x".encode("utf-16-le"), "utf-16le", "valid"),
    ],
)
def test_sniffing(data: bytes, name: str, origin: str) -> None:
    """Byte order mark, declaration, valid UTF-8, windows-1252: in this order."""
    found = sniff_encoding(data)
    assert (found.name, found.origin) == (name, origin)


def test_override_beats_the_declaration_but_not_the_byte_order_mark() -> None:
    """The caller knows better than the file, except where its first bytes cannot lie."""
    assert sniff_encoding(b"<meta charset=latin1>", "koi8-r").name == "koi8-r"
    assert sniff_encoding(b"\xef\xbb\xbfx", "koi8-r").name == "utf-8"


@pytest.mark.parametrize("label", ["nonsense", "rot13", "hex"])
def test_unknown_override_is_a_setting_error(label: str) -> None:
    """An encoding that does not exist is named in the message."""
    with pytest.raises(SettingError, match=label):
        HtmlLoader(label).load(b"x", source="x.html")


@pytest.mark.parametrize(
    ("codec", "bom"),
    [
        *(("utf-8", b""), ("utf-8", b"\xef\xbb\xbf"), ("utf-16-le", b"\xff\xfe")),
        *(("utf-16-be", b"\xfe\xff"), ("shift_jis", b""), ("gb18030", b""), ("euc-jp", b"")),
        ("utf-8-sig", b""),
    ],
)
def test_bytes_of_every_character(codec: str, bom: bytes) -> None:
    """The bytes of a location decode to its source characters."""
    data = bom + _JAPANESE.encode(codec)
    plain = codec.removesuffix("-sig")
    label = {"utf-16-le": "utf-16le", "utf-16-be": "utf-16be"}.get(plain, plain)
    document = HtmlLoader(label).load(data, source="x.html")
    for place in range(len(document.text)):
        (location,) = document.locate(Span(place, place + 1))
        assert isinstance(location, SourceLocation)
        assert location.byte_span is not None
        found = data[location.byte_span.start : location.byte_span.end].decode(plain)
        assert found == location.span.of(_JAPANESE)


def test_bytes_of_windows_1252() -> None:
    """A byte is a character, also the five that Python's codec refuses."""
    source = decode(b"a\x81\x80b", "cp1252")
    assert source.text == "a\x81€b"
    assert source.byte_span(Span(1, 3)) == Span(1, 3)


def test_stateful_encoding_keeps_its_offsets() -> None:
    """ISO-2022-JP slices need the shift state, but stand where they should."""
    data = "<p>あい</p>x".encode("iso2022_jp")
    source = decode(data, "iso2022_jp_ext")
    start = source.text.index("い")
    span = source.byte_span(Span(start, start + 1))
    assert data[span.start : span.end] == "い".encode("iso2022_jp")[3:5]


@given(st.binary(max_size=60).map(lambda tail: "aé漢😀".encode() + tail), st.integers(0, 3))
@settings(max_examples=150, deadline=None)
def test_broken_bytes_keep_their_places(data: bytes, which: int) -> None:
    """Characters share out all bytes in order, and whole ones decode to themselves."""
    codec = ("utf-8", "cp932", "gb18030", "euc-jp")[which]
    source = decode(data, codec)
    spans = [source.byte_span(Span(k, k + 1)) for k in range(len(source.text))]
    assert [span.start for span in spans] == [0, *(span.end for span in spans[:-1])]
    assert spans[-1].end == len(data)
    for char, span in zip(source.text, spans, strict=True):
        part = span.of(data.decode("latin-1")).encode("latin-1")
        assert char == "\ufffd" or part.decode(codec, "replace").endswith(char)


@given(st.lists(st.sampled_from(["é", "漢", "😀", "a", b"\xff", b"\xe6\xbc"]), max_size=40))
@settings(max_examples=25, deadline=None)
def test_far_offsets_in_broken_utf8(parts: list[str | bytes]) -> None:
    """Checkpoints may stand in the middle of a character or of a broken one."""
    unit = b"".join(part if isinstance(part, bytes) else part.encode() for part in parts)
    data = unit * (6000 // max(1, len(unit)))
    source = decode(data, "utf-8")
    for place in range(0, len(source.text), max(1, len(source.text) // 5)):
        end = source.byte_span(Span(0, place)).end
        assert data[:end].decode("utf-8", "replace") == source.text[:place]


def test_broken_and_guessed_encodings_are_warned_of() -> None:
    """The reader of an answer should know that characters may be wrong."""
    broken = HtmlLoader().load(b"<meta charset=utf-8>caf\xe9 au lait", source="x.html")
    guessed = HtmlLoader().load(b"caf\xe9 au lait", source="x.html")
    assert [w.kind for w in broken.warnings] == ["broken-bytes"]
    assert [w.kind for w in guessed.warnings] == ["encoding-guessed"]
    assert guessed.text == "café au lait"
