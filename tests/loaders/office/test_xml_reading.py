"""The XML of untrusted files: names, paths, and what is refused."""

from __future__ import annotations

import time
from collections.abc import Mapping

import pytest

from docqa.errors import MalformedError
from docqa.loaders.zipped.xml_reading import ElementPath, read_xml


class Recorder:
    """Keep what is read."""

    def __init__(self) -> None:
        self.seen: list[object] = []
        self.path = ElementPath()

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        self.path.start(name)
        self.seen.append((name, dict(attributes), self.path.step.xpath()))

    def end(self, name: str) -> None:
        self.path.end()

    def text(self, text: str) -> None:
        self.seen.append(text)


def read(*chunks: str | bytes) -> list[object]:
    recorder = Recorder()
    pieces = [chunk.encode() if isinstance(chunk, str) else chunk for chunk in chunks]
    read_xml(pieces, recorder, prefixes={"urn:w": "w"}, source="x", part="p.xml")
    return recorder.seen


def test_names_have_the_given_prefixes() -> None:
    """A part's own prefixes do not count; a namespace without one is written out."""
    source = '<q:a xmlns:q="urn:w" q:k="1" k="2"><b xmlns="urn:z"/></q:a>'
    assert read(source) == [
        ("w:a", {"w:k": "1", "k": "2"}, "/w:a"),
        ("{urn:z}b", {}, '/w:a/*[namespace-uri()="urn:z" and local-name()="b"][1]'),
    ]


def test_a_part_may_come_in_pieces_and_encodings() -> None:
    """Chunks may end anywhere, and UTF-16 is read as it is declared."""
    data = '<?xml version="1.0" encoding="utf-16"?><a>é</a>'.encode("utf-16")
    assert read(*[bytes([byte]) for byte in data])[-1] == "é"


def test_characters_that_references_stand_for_are_text() -> None:
    """The five entities of XML and numbers of characters need no declaration."""
    assert "".join(map(str, read("<a>&lt;&#233;&amp;</a>")[1:])) == "<é&"


LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (f'<!DOCTYPE a [<!ENTITY l0 "ha">{LAUGHS}]><a>&l9;</a>', "declares the entity 'l0'"),
        ('<!DOCTYPE a [<!ENTITY f SYSTEM "file:///etc/passwd">]><a>&f;</a>', "entity 'f'"),
        ('<!DOCTYPE a [<!ENTITY % p SYSTEM "http://x/y">%p;]><a/>', "entity 'p'"),
        ("<a>" * 600 + "</a>" * 600, "more than 512 deep"),
        ("<a>&unknown;</a>", "no well-formed XML: undefined entity"),
        ("<a><b></a>", "no well-formed XML: mismatched tag"),
        ("<a>", "no well-formed XML: no element found"),
        ("", "no well-formed XML"),
        ("<p:a/>", "no well-formed XML: unbound prefix"),
        ('<?xml version="1.0" encoding="UTF-N"?><a/>', "declares an encoding that no reader has"),
        ('<?xml version="1.0" encoding="utf-7"?><a/>', "declares an encoding that no reader has"),
    ],
)
def test_what_is_refused(source: str, words: str) -> None:
    """The error names the file, the part and the reason."""
    with pytest.raises(MalformedError, match=f"x: the part p.xml .*{words}"):
        read(source)


def test_a_document_type_that_declares_no_entity_is_read_over() -> None:
    """Old package documents have one; nothing outside the file is looked up."""
    assert read('<!DOCTYPE a PUBLIC "-//X//Y" "http://x/y.dtd"><a>b</a>')[-1] == "b"


def test_an_endless_tag_is_refused_in_linear_time() -> None:
    """A parser that reads a tag again for every chunk would take minutes."""
    start = time.process_time()
    with pytest.raises(MalformedError, match="tag of many megabytes"):
        read('<a b="', *["x" * (1 << 20)] * 100)
    assert time.process_time() - start < 5
