"""Load Word documents: the text that is shown, a paragraph of a part for each of its places."""

from __future__ import annotations

from collections.abc import Iterator

from docqa.datamodel import Document, LoadWarning
from docqa.loaders.office.document import office_document, require_text, unread_warnings
from docqa.loaders.office.docx_reader import WordReader
from docqa.loaders.office.docx_styles import StyleReader
from docqa.loaders.office.layout import PartParagraph, lay_out
from docqa.loaders.office.package import OfficePackage
from docqa.loaders.office.pptx_reader import SlideReader
from docqa.loaders.office.reader import OfficeReader

__all__ = ["MEDIA_TYPE", "DocxLoader"]

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"

_NOTES = ("footnotes", "endnotes")
_EDGES = ("header", "footer")


class DocxLoader:
    """A loader of Word documents (.docx, .docm, .dotx), of the transitional and the strict kind.

    The text is that of the body and its diagrams, then of the footnotes and endnotes, then of each
    header and footer, which are boilerplate. It is what Word shows with all tracked changes
    accepted: inserted text is there, deleted text is not, nor are hidden text, field codes and
    comments. Of form fields it is the value; a box to tick is ☒ or ☐. Charts, and documents that
    are embedded or inserted as they are (``w:altChunk``), are named in a warning. Numbers that
    Word counts itself (of list items and headings) are no text of the file.
    """

    def load(self, data: bytes, *, source: str) -> Document:
        """Load `data`; `source` is its path or name, for messages and answers.

        Raises:
            MalformedError: it is no Word document, or is damaged.
            EncryptedError: its parts are encrypted.
            TooLargeError: it unpacks to more than is read.
            NoTextError: it holds no text.
        """
        package = OfficePackage(data, source=source)
        warnings: list[LoadWarning] = []
        readers = list(_read_parts(package, warnings))
        laid_out = lay_out(_paragraphs(readers))
        unread = unread_warnings(package, readers)
        require_text(laid_out, (*warnings, *unread), source=source, sheets="pages")
        return office_document(
            data,
            package,
            laid_out,
            source=source,
            media_type=MEDIA_TYPE,
            extractor="docqa docx",
            readers=readers,
            unread=unread,
            warnings=warnings,
        )


def _read_parts(package: OfficePackage, warnings: list[LoadWarning]) -> Iterator[OfficeReader]:
    """Yield the readers of the parts that hold text, in the order of the text."""
    main, styles = package.main_part, StyleReader()
    for part in package.related(main, "styles")[:1]:
        if part in package.archive:
            package.read(part, styles)
        else:
            warnings.append(_missing(part, "headings are known by their style's id only"))
    parts = [(main, False)]
    parts += [(part, False) for kind in _NOTES for part in package.related(main, kind)]
    parts += [(part, True) for kind in _EDGES for part in package.related(main, kind)]
    for part, boilerplate in parts:
        if part not in package.archive:
            warnings.append(_missing(part, "its text was not read"))
            continue
        reader = WordReader(part, styles, boilerplate=boilerplate)
        package.read(part, reader)
        yield reader
        for diagram in package.related(part, "diagramData"):
            if diagram in package.archive:
                shapes = SlideReader(diagram)
                package.read(diagram, shapes)
                yield shapes


def _missing(part: str, effect: str) -> LoadWarning:
    return LoadWarning("missing-part", f"the part {part} is missing from the file; {effect}")


def _paragraphs(readers: list[OfficeReader]) -> Iterator[PartParagraph]:
    """Yield all paragraphs; of headers and footers with the same words, one."""
    seen: set[str] = set()
    for reader in readers:
        words = "\n".join(paragraph.text for paragraph in reader.paragraphs)
        is_edge = all(paragraph.boilerplate for paragraph in reader.paragraphs)
        if not (is_edge and words in seen):
            yield from reader.paragraphs
        seen.add(words)
