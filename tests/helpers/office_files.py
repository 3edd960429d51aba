"""Write small Office and EPUB files by hand, so that a test shows all of the file it is about."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Mapping, Sequence

import pytest

WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
SHOW = "application/vnd.openxmlformats-officedocument.presentationml.presentation.main+xml"
_SCHEMAS = "http://schemas.openxmlformats.org/"
_OFFICE = _SCHEMAS + "officeDocument/2006/relationships"
NAMESPACES = {
    "w": _SCHEMAS + "wordprocessingml/2006/main",
    "p": _SCHEMAS + "presentationml/2006/main",
    "a": _SCHEMAS + "drawingml/2006/main",
    "m": _SCHEMAS + "officeDocument/2006/math",
    "mc": _SCHEMAS + "markup-compatibility/2006",
    "r": _OFFICE,
    "wps": "http://schemas.microsoft.com/office/word/2010/wordprocessingShape",
    "v": "urn:schemas-microsoft-com:vml",
}


def rooted(name: str, inside: str, attributes: str = "") -> str:
    """Return a part whose root declares every prefix."""
    declared = "".join(f' xmlns:{prefix}="{uri}"' for prefix, uri in NAMESPACES.items())
    return f"<{name}{declared}{attributes}>{inside}</{name}>"


def zipped(parts: Mapping[str, str | bytes]) -> bytes:
    """Return a zip container of `parts`."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def relationships(targets: Sequence[tuple[str, str]]) -> str:
    """Return a relationships part; ids are ``rId1`` and so on."""
    rows = "".join(
        f'<Relationship Id="rId{number}" Type="{_OFFICE}/{kind}" Target="{target}"/>'
        for number, (kind, target) in enumerate(targets, start=1)
    )
    return f'<Relationships xmlns="{_SCHEMAS}package/2006/relationships">{rows}</Relationships>'


def types(main: str, content_type: str) -> str:
    return (
        f'<Types xmlns="{_SCHEMAS}package/2006/content-types">'
        f'<Override PartName="/{main}" ContentType="{content_type}"/></Types>'
    )


def word_file(body: str, **others: str) -> bytes:
    """Return a Word document with `body` inside ``w:body``; `others` are parts by their kind."""
    kinds = [(kind.rstrip("12"), f"{kind}.xml") for kind in others]
    return zipped(
        {
            "[Content_Types].xml": types("word/document.xml", WORD),
            "_rels/.rels": relationships([("officeDocument", "word/document.xml")]),
            "word/document.xml": rooted("w:document", f"<w:body>{body}</w:body>"),
            "word/_rels/document.xml.rels": relationships(kinds),
            **{f"word/{kind}.xml": content for kind, content in others.items()},
        }
    )


def slide(shapes: str, attributes: str = "") -> str:
    """Return a slide's part with `shapes` in its shape tree."""
    tree = f"<p:cSld><p:spTree>{shapes}</p:spTree></p:cSld>"
    return rooted("p:sld", tree, attributes)


def show_file(slides: Sequence[str], parts: Mapping[str, str] | None = None) -> bytes:
    """Return a presentation of `slides`; `parts` are further parts by their name."""
    names = [f"slides/slide{number}.xml" for number, _ in enumerate(slides, start=1)]
    ids = "".join(f'<p:sldId id="{256 + n}" r:id="rId{n}"/>' for n in range(1, len(names) + 1))
    size = '<p:sldSz cx="9144000" cy="5143500"/>'
    return zipped(
        {
            "[Content_Types].xml": types("ppt/presentation.xml", SHOW),
            "_rels/.rels": relationships([("officeDocument", "ppt/presentation.xml")]),
            "ppt/presentation.xml": rooted(
                "p:presentation", f"<p:sldIdLst>{ids}</p:sldIdLst>{size}"
            ),
            "ppt/_rels/presentation.xml.rels": relationships([("slide", name) for name in names]),
            **{f"ppt/{name}": part for name, part in zip(names, slides, strict=True)},
            **(parts or {}),
        }
    )


def book_file(
    chapters: Mapping[str, str],
    *,
    manifest: str = "",
    spine: str = "",
    files: Mapping[str, str] | None = None,
    **others: str,
) -> bytes:
    """Return an EPUB of `chapters`, the one called nav.xhtml being its table of contents.

    `manifest` and `spine` are added to theirs, `files` to OPS and `others` to META-INF.
    """
    items = "".join(
        f'<item id="c{n}" href="{name}" media-type="application/xhtml+xml"'
        + (' properties="nav"/>' if name == "nav.xhtml" else "/>")
        for n, name in enumerate(chapters)
    )
    line = "".join(f'<itemref idref="c{n}"/>' for n, _ in enumerate(chapters))
    package = (
        '<package xmlns="http://www.idpf.org/2007/opf" xmlns:dc="http://purl.org/dc/elements/1.1/">'
        "<metadata><dc:title>The  Keeper's\n Book</dc:title><dc:creator>A. Quill</dc:creator>"
        "<dc:language>en</dc:language></metadata>"
        f"<manifest>{items}{manifest}</manifest><spine>{line}{spine}</spine></package>"
    )
    container = (
        '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
        '<rootfile full-path="OPS/book.opf" media-type="application/oebps-package+xml"/>'
        "</rootfiles></container>"
    )
    return zipped(
        {
            "mimetype": "application/epub+zip",
            "META-INF/container.xml": container,
            "OPS/book.opf": package,
            **{f"OPS/{name}": content for name, content in {**chapters, **(files or {})}.items()},
            **{f"META-INF/{name}.xml": content for name, content in others.items()},
        }
    )


@pytest.fixture(scope="session", name="zipped")
def zipped_fixture() -> Callable[..., bytes]:
    """Return the function that packs parts."""
    return zipped


@pytest.fixture(scope="session", name="rooted")
def rooted_fixture() -> Callable[..., str]:
    """Return the function that writes a part's root."""
    return rooted


@pytest.fixture(scope="session")
def word() -> Callable[..., bytes]:
    """Return the function that writes Word documents."""
    return word_file


@pytest.fixture(scope="session", name="slide")
def slide_fixture() -> Callable[..., str]:
    """Return the function that writes a slide."""
    return slide


@pytest.fixture(scope="session")
def show() -> Callable[..., bytes]:
    """Return the function that writes presentations."""
    return show_file


@pytest.fixture(scope="session")
def book() -> Callable[..., bytes]:
    """Return the function that writes EPUBs."""
    return book_file


@pytest.fixture(scope="session")
def lamp_files() -> dict[str, bytes]:
    """Return a file of each format, by its name, that holds one sentence among others."""
    sentence = "The lamp burns 40 litres of oil a week."
    in_word = "<w:p/><w:p><w:r><w:t>{}</w:t></w:r></w:p>"
    note = rooted("w:footnotes", f"<w:footnote>{in_word.format(sentence)}</w:footnote>")
    in_slide = "<p:sp><p:txBody><a:p><a:r><a:t>{}</a:t></a:r></a:p></p:txBody></p:sp>"
    shown, other = (slide(in_slide.format(words)) for words in (sentence, "Fog. " * 200))
    return {
        "lamp.docx": word_file(in_word.format(sentence)),
        "note.docx": word_file(in_word.format("See below."), footnotes=note),
        "lamp.pptx": show_file([slide(""), shown, other, shown]),
        "lamp.epub": book_file({"a.xhtml": f"<p>{sentence}</p>"}),
    }


@pytest.fixture(scope="session")
def namespaces() -> dict[str, str]:
    """Return the namespaces of the prefixes, for XPath."""
    return dict(NAMESPACES)
