"""Load EPUB publications: each chapter as the web page it is, placed in its own source."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from docqa.datamodel import Block, Document, LoadWarning, Span
from docqa.errors import NoTextError
from docqa.loaders.epub.package import EpubItem, EpubPackage
from docqa.loaders.html.loader import HtmlLoader
from docqa.loaders.html.source_map import HtmlSourceMap
from docqa.loaders.sections import Section, SectionsSourceMap

__all__ = ["MEDIA_TYPE", "EpubLoader"]

MEDIA_TYPE = "application/epub+zip"

_BETWEEN = "\n\n"
_MOST_REASONS = 3


@dataclass(frozen=True, slots=True)
class _Chapter:
    item: EpubItem
    document: Document


class EpubLoader:
    """A loader of EPUB 2 and 3: the chapters of the reading order, those off the main line last.

    Chapters are read as `HtmlLoader` reads pages. The publication's own table of contents is
    boilerplate, and read only where it is part of the reading order.
    """

    def load(self, data: bytes, *, source: str) -> Document:
        """Load `data`; `source` is its path or name, for messages and answers.

        Raises:
            MalformedError: it is no EPUB, or is damaged.
            EncryptedError: its text is protected (DRM).
            TooLargeError: it unpacks to more than is read.
            NoTextError: no chapter shows text.
            MissingDependencyError: no tree builder for HTML is installed.
        """
        package = EpubPackage(data, source=source)
        warnings = [_unread(part) for part in package.unread]
        chapters = list(_chapters(package, warnings))
        if not chapters and warnings:
            unread = "; ".join(warning.message for warning in warnings[:_MOST_REASONS])
            raise NoTextError(f"{source}: no chapter can be read: {unread}", source=source)
        if not chapters:
            raise NoTextError(
                f"{source}: no chapter shows text; if its pages are pictures, save it as PDF and "
                "run OCR on that",
                source=source,
            )
        documents = [chapter.document for chapter in chapters]
        places = list(_places(chapters))
        metadata = dict(package.metadata)
        return Document(
            id=hashlib.sha256(data).hexdigest(),
            text=_BETWEEN.join(document.text for document in documents),
            source=source,
            media_type=MEDIA_TYPE,
            title=metadata.pop("title", None),
            source_map=SectionsSourceMap(places),
            blocks=tuple(_blocks(chapters, places)),
            tables=tuple(
                table.shift(place.span.start)
                for document, place in zip(documents, places, strict=True)
                for table in document.tables
            ),
            warnings=tuple(warnings),
            metadata=metadata,
            extractor=documents[0].extractor,
        )


def _chapters(package: EpubPackage, warnings: list[LoadWarning]) -> Iterator[_Chapter]:
    loader = HtmlLoader(is_xhtml=True)
    for number, item in enumerate(package.spine):
        if item.part not in package.archive:
            warnings.append(
                LoadWarning("missing-part", f"the chapter {item.part} is missing from the file")
            )
            continue
        if not item.is_page:
            warnings.append(_unread(item.part))
            continue
        try:
            document = loader.load(package.archive.read(item.part), source=item.part)
        except NoTextError:
            if number:  # the first is the cover
                warnings.append(LoadWarning("no-text", f"the chapter {item.part} shows no text"))
            continue
        warnings += [
            replace(warning, message=f"{item.part}: {warning.message}")
            for warning in document.warnings
        ]
        yield _Chapter(item, document)


def _unread(part: str) -> LoadWarning:
    return LoadWarning("parts-unread", f"{part} is no page of the reading order; it was not read")


def _places(chapters: Sequence[_Chapter]) -> Iterator[Section]:
    start = 0
    for chapter in chapters:
        end = start + len(chapter.document.text)
        source_map = chapter.document.source_map
        assert isinstance(source_map, HtmlSourceMap)
        yield Section(chapter.item.part, Span(start, end), source_map, source_map.data)
        start = end + len(_BETWEEN)


def _blocks(chapters: Sequence[_Chapter], places: Sequence[Section]) -> Iterator[Block]:
    for chapter, place in zip(chapters, places, strict=True):
        for block in chapter.document.blocks:
            boilerplate = block.boilerplate or chapter.item.is_navigation
            yield replace(block, span=block.span.shift(place.span.start), boilerplate=boilerplate)
