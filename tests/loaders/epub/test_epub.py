"""EPUB: chapters in reading order, each placed in its own source, and what is refused."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable

import html5lib
import pytest
from hypothesis import given
from hypothesis import strategies as st

import docqa
from docqa.datamodel import Document, SourceLocation, Span
from docqa.errors import EncryptedError, MalformedError, NoTextError
from docqa.loaders.epub.loader import EpubLoader
from docqa.protocols import Loader

Book = Callable[..., bytes]


def load(data: bytes) -> Document:
    return EpubLoader().load(data, source="test.epub")


def page(body: str) -> str:
    return f'<html xmlns="http://www.w3.org/1999/xhtml"><head><title/></head><body>{body}</body></html>'


def source_of(data: bytes, part: str | None) -> str:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return archive.read(str(part)).decode()


def test_chapters_follow_the_reading_order(book: Book) -> None:
    """The spine says the order; what is off the main line comes last, and nothing twice."""
    spine = '<itemref idref="n" linear="no"/><itemref idref="x"/><itemref idref="c0"/>'
    manifest = "".join(
        f'<item id="{one}" href="{one}.html" media-type="application/xhtml+xml"/>' for one in "nx"
    )
    chapters = {"b.xhtml": page("<h1>Two</h1>"), "a.xhtml": page("<p>One</p>")}
    files = {"n.html": page("note"), "x.html": page("extra")}
    document = load(book(chapters, manifest=manifest, spine=spine, files=files))
    assert document.text == "Two\n\nOne\n\nextra\n\nnote"
    assert [block.kind for block in document.blocks] == ["heading", *["paragraph"] * 3]


def test_metadata_are_those_of_the_package(book: Book) -> None:
    """Title, author and language stand in the package document, not in a chapter."""
    document = load(book({"a.xhtml": page("words")}))
    assert document.title == "The Keeper's Book"
    assert document.metadata == {"author": "A. Quill", "lang": "en"}


_WORDS = st.sampled_from(["one", "R&amp;D", "é漢字 😀", "<b>two</b> words", "<i/>x", "a<br/>b"])
_BODIES = st.lists(_WORDS, min_size=1, max_size=3).map(
    lambda words: "".join(f"<p>{word}</p>" for word in words)
)
_SHARE = st.floats(0, 1, exclude_max=True)


@given(st.lists(_BODIES, min_size=1, max_size=3), _SHARE, _SHARE)
def test_words_stand_where_it_says(
    book: Book, bodies: list[str], first: float, second: float
) -> None:
    """The source of each place, characters and bytes, read by html5lib, is the span's words."""
    data = book({f"c{number}.xhtml": page(body) for number, body in enumerate(bodies)})
    document = load(data)
    low, high = sorted((int(first * len(document.text)), int(second * len(document.text))))
    span, found = Span(low, high + 1), list[str]()
    if not span.of(document.text).strip():
        return
    for place in document.locate(span):
        assert isinstance(place, SourceLocation)
        assert place.byte_span is not None
        source = source_of(data, place.part)
        piece = place.span.of(source)
        assert source.encode()[place.byte_span.start : place.byte_span.end] == piece.encode()
        found += html5lib.parseFragment(piece).itertext()
    assert "".join("".join(found).split()) == "".join(span.of(document.text).split())


def test_a_place_names_its_chapter(book: Book) -> None:
    """Part, path and a fragment that is unique in its part."""
    document = load(book({"a.xhtml": page("<p>same</p>"), "b.xhtml": page("<p>same</p>")}))
    [place] = document.locate(Span(6, 10))
    assert isinstance(place, SourceLocation)
    assert (place.part, place.xpath) == ("OPS/b.xhtml", "/html/body/p[1]")
    assert place.text_fragment == "#:~:text=same"


def test_the_contents_page_is_boilerplate(book: Book) -> None:
    """A navigation document in the reading order repeats the headings."""
    document = load(book({"nav.xhtml": page("<p>Words, 1</p>"), "a.xhtml": page("words")}))
    assert [block.boilerplate for block in document.blocks] == [True, False]


def test_what_is_missing_or_not_read_is_named(book: Book) -> None:
    """A missing chapter, a page outside the reading order, a picture in its place."""
    manifest = (
        '<item id="gone" href="gone.xhtml" media-type="application/xhtml+xml"/>'
        '<item id="loose" href="loose.xhtml" media-type="application/xhtml+xml"/>'
        '<item id="pic" href="map.svg" media-type="image/svg+xml"/>'
        '<item id="old" href="map.xml" media-type="text/xml" fallback="c1"/>'
    )
    spine = "".join(f'<itemref idref="{one}"/>' for one in ("gone", "pic", "old"))
    chapters = {"a.xhtml": page("words"), "empty.xhtml": page("<img/>")}
    data = book(chapters, manifest=manifest, spine=spine, files={"map.svg": "<svg/>"})
    warnings = [(w.kind, w.message.partition(" is ")[0]) for w in load(data).warnings]
    assert warnings == [
        ("parts-unread", "OPS/loose.xhtml"),
        ("no-text", "the chapter OPS/empty.xhtml shows no text"),
        ("missing-part", "the chapter OPS/gone.xhtml"),
        ("parts-unread", "OPS/map.svg"),
    ]


def encryption(method: str, part: str) -> str:
    return (
        '<encryption xmlns:enc="http://www.w3.org/2001/04/xmlenc#"><enc:EncryptedData>'
        f'<enc:EncryptionMethod Algorithm="{method}"/><enc:CipherData>'
        f'<enc:CipherReference URI="{part}"/></enc:CipherData></enc:EncryptedData></encryption>'
    )


def test_protected_chapters_are_an_error(book: Book) -> None:
    """DRM is said to be what it is."""
    rights = encryption("http://www.w3.org/2001/04/xmlenc#aes256-cbc", "OPS/a.xhtml")
    with pytest.raises(EncryptedError, match=r"test.epub: 1 of its 1 chapters .*DRM"):
        load(book({"a.xhtml": page("words")}, encryption=rights))


@pytest.mark.parametrize(
    ("method", "part"),
    [
        ("http://www.idpf.org/2008/embedding", "OPS/a.xhtml"),
        ("http://www.w3.org/2001/04/xmlenc#aes256-cbc", "OPS/song.mp3"),
    ],
)
def test_obfuscated_fonts_and_protected_sounds_do_not_matter(
    book: Book, method: str, part: str
) -> None:
    """Only text has to be open."""
    rights = encryption(method, part)
    assert load(book({"a.xhtml": page("words")}, encryption=rights)).text == "words"


@pytest.mark.parametrize(
    ("container", "words"),
    [
        ("<container/>", "container.xml names no package document"),
        ("<container", "part META-INF/container.xml is no well-formed XML"),
        ('<!DOCTYPE c [<!ENTITY x "y">]><c/>', "declares the entity 'x'"),
    ],
)
def test_a_broken_container_is_malformed(
    zipped: Callable[..., bytes], container: str, words: str
) -> None:
    """The message names the part and what is wrong with it."""
    data = zipped({"mimetype": "application/epub+zip", "META-INF/container.xml": container})
    with pytest.raises(MalformedError, match=rf"x\.epub: .*{words}"):
        docqa.load(data, name="x.epub")


def test_no_text_is_said(book: Book) -> None:
    """A book of pictures holds nothing to answer from."""
    with pytest.raises(NoTextError, match="no chapter shows text"):
        load(book({"a.xhtml": page("<img/>")}))


def test_it_is_a_loader() -> None:
    """The loader keeps the protocol's signature."""
    assert isinstance(EpubLoader(), Loader)


def test_tables_of_chapters_have_headers(book: Book) -> None:
    """A table is read with its headers in a later chapter too."""
    rows = "<tr><th>Ship</th><th>Built</th></tr><tr><td>Petrel</td><td>1988</td></tr>"
    document = load(book({"a.xhtml": page("<p>x</p>"), "b.xhtml": page(f"<table>{rows}</table>")}))
    [table] = document.tables
    [cell] = table.rows[0].cells
    words = [span.of(document.text) for span in (cell.span, *cell.headers)]
    assert words == ["1988", "Built"]


def test_raised_digits_of_chapters_stay_apart(book: Book) -> None:
    """A chapter is read as a page is: powers, and without what is crossed out."""
    document = load(book({"a.xhtml": page("<p>10<sup>6</sup> <s>5</s> litres</p>")}))
    assert document.text == "10 6 litres"
    assert [warning.kind for warning in document.warnings] == ["struck-text"]


@pytest.mark.parametrize(
    ("href", "member"),
    [
        ("Ch.xhtml", "OPS/ch.xhtml"),
        ("text\\ch.xhtml", "OPS/text/ch.xhtml"),
        ("text/ch.xhtml", "OPS\\text\\ch.xhtml"),
        ("./ch%201.xhtml", "OPS/ch 1.xhtml"),
        ("ch%201.xhtml", "OPS/ch%201.xhtml"),
        ("u\u0308ber.xhtml", "OPS/über.xhtml"),
    ],
)
def test_a_part_is_called_as_the_container_calls_it(book: Book, href: str, member: str) -> None:
    """Case, slashes, escapes and accents of the manifest are not those of the zip file."""
    plain = book({href: page("<p>The keeper is Ida Holm.</p>")})
    data = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(plain)) as old, zipfile.ZipFile(data, "w") as new:
        for name in old.namelist():
            new.writestr(member if name == f"OPS/{href}" else name, old.read(name))
    document = load(data.getvalue())
    [place] = document.locate(Span(14, 22))
    assert isinstance(place, SourceLocation)
    assert source_of(data.getvalue(), place.part)[place.span.start : place.span.end] == "Ida Holm"


def test_names_in_utf_8_without_a_flag_are_found(book: Book) -> None:
    """Zip programs that do not flag their UTF-8 names write the chapter all the same."""
    plain = book({"über.xhtml": page("<p>The keeper is Ida Holm.</p>")})
    with zipfile.ZipFile(io.BytesIO(plain)) as archive:
        flagged = [entry.flag_bits for entry in archive.infolist() if not entry.filename.isascii()]
    assert flagged == [0x800]
    headers = rb"(PK\x03\x04..|PK\x01\x02....)\x00\x08"
    data = re.sub(headers, lambda found: found[1] + bytes(2), plain)
    document = load(data)
    [place] = document.locate(Span(14, 22))
    assert isinstance(place, SourceLocation)
    assert "Ida Holm" in source_of(data, place.part)
