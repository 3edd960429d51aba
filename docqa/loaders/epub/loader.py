"""Load EPUB publications: each chapter as the web page it is, placed in its own source."""

from __future__ import annotations

import hashlib
from array import array
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from docqa.datamodel import Block, Document, LoadWarning, SourceLocation, Span
from docqa.errors import NoTextError
from docqa.loaders.epub.package import EpubItem, EpubPackage
from docqa.loaders.html.loader import HtmlLoader

__all__ = ["MEDIA_TYPE", "EpubLoader", "EpubSourceMap"]

MEDIA_TYPE = "application/epub+zip"

_BETWEEN = "\n\n"


@dataclass(frozen=True, slots=True)
class _Chapter:
    item: EpubItem
    document: Document


class EpubSourceMap:
    """Map spans of an EPUB's text to places in the sources of its chapters.

    Args:
        parts: names of the chapters, in the order of the text.
        documents: the chapters.
        starts: where each begins in the text.
    """

    def __init__(
        self, parts: Sequence[str], documents: Sequence[Document], starts: Sequence[int]
    ) -> None:
        self._parts, self._documents = parts, documents
        self._starts = array("Q", starts)

    def locate(self, span: Span) -> tuple[SourceLocation, ...]:
        """Return the places of `span`, in each chapter as `HtmlSourceMap` gives them."""
        places: list[SourceLocation] = []
        first = bisect_right(self._starts, span.start) - 1
        for number in range(first, bisect_right(self._starts, span.end - 1)):
            start, length = self._starts[number], len(self._documents[number].text)
            low, high = max(0, span.start - start), min(length, span.end - start)
            if low < high:
                places += self._in_chapter(number, Span(low, high))
        if not places:  # nothing but what divides two chapters
            length = len(self._documents[first].text)
            places += self._in_chapter(first, Span(length - 1, length))
        return tuple(places)

    def close(self) -> None:
        """Do nothing: no file is held open."""

    def _in_chapter(self, number: int, span: Span) -> Iterator[SourceLocation]:
        for place in self._documents[number].locate(span):
            if isinstance(place, SourceLocation):
                yield replace(place, part=self._parts[number])


class EpubLoader:
    """Load EPUB 2 and 3: the chapters of the reading order, those off the main line last.

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
        if not chapters:
            raise NoTextError(
                f"{source}: no chapter shows text; if its pages are pictures, save it as PDF and "
                "run OCR on that",
                source=source,
            )
        starts, length = [], 0
        for chapter in chapters:
            starts.append(length)
            length += len(chapter.document.text) + len(_BETWEEN)
        documents = [chapter.document for chapter in chapters]
        metadata = dict(package.metadata)
        return Document(
            id=hashlib.sha256(data).hexdigest(),
            text=_BETWEEN.join(document.text for document in documents),
            source=source,
            media_type=MEDIA_TYPE,
            title=metadata.pop("title", None),
            source_map=EpubSourceMap([one.item.part for one in chapters], documents, starts),
            blocks=tuple(_blocks(chapters, starts)),
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


def _blocks(chapters: Sequence[_Chapter], starts: Sequence[int]) -> Iterator[Block]:
    for chapter, start in zip(chapters, starts, strict=True):
        for block in chapter.document.blocks:
            boilerplate = block.boilerplate or chapter.item.is_navigation
            yield replace(block, span=block.span.shift(start), boilerplate=boilerplate)
