"""Load EPUB publications: each chapter as the web page it is, placed in its own source."""

from __future__ import annotations

import hashlib
from array import array
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from docqa.datamodel import Block, Document, LoadWarning, Page, SourceLocation, Span
from docqa.errors import NoTextError
from docqa.loaders.epub.package import EpubItem, EpubPackage
from docqa.loaders.html.loader import HtmlLoader
from docqa.loaders.html.source_map import HtmlSourceMap, HtmlState

__all__ = ["MEDIA_TYPE", "EpubLoader", "EpubSourceMap"]

MEDIA_TYPE = "application/epub+zip"

_BETWEEN = "\n\n"
_MOST_REASONS = 3


@dataclass(frozen=True, slots=True)
class _Chapter:
    item: EpubItem
    document: Document


@dataclass(frozen=True, slots=True)
class ChapterPlace:
    """A chapter in the text of its publication.

    Attributes:
        part: name of the file inside the container.
        span: characters of the publication's text, never empty.
        source_map: leads from the chapter's own text to its source.
    """

    part: str
    span: Span
    source_map: HtmlSourceMap


@dataclass(frozen=True, slots=True)
class ChapterState:
    """Plain data of a chapter: its place, its bytes and the state of its source map."""

    part: str
    span: Span
    data: bytes
    page: HtmlState


class EpubSourceMap:
    """A source map from an EPUB's text to places in the sources of its chapters.

    Args:
        chapters: in the order of the text.
    """

    State: ClassVar[object] = tuple[ChapterState, ...]

    def __init__(self, chapters: Sequence[ChapterPlace]) -> None:
        self._chapters = chapters
        self._starts = array("Q", [each.span.start for each in chapters])

    def locate(self, span: Span) -> tuple[SourceLocation, ...]:
        """Return the places of `span`, in each chapter as `HtmlSourceMap` gives them."""
        places: list[SourceLocation] = []
        first = bisect_right(self._starts, span.start) - 1
        for chapter in self._chapters[first : bisect_right(self._starts, span.end - 1)]:
            low, high = max(chapter.span.start, span.start), min(chapter.span.end, span.end)
            if low < high:
                places += _in_chapter(chapter, Span(low, high))
        if not places:  # nothing but what divides two chapters
            end = self._chapters[first].span.end
            places += _in_chapter(self._chapters[first], Span(end - 1, end))
        return tuple(places)

    def state(self) -> tuple[ChapterState, ...]:
        """Return plain data from which `restored` makes the map again."""
        return tuple(
            ChapterState(each.part, each.span, each.source_map.data, each.source_map.state())
            for each in self._chapters
        )

    @classmethod
    def restored(
        cls, state: Sequence[ChapterState], *, text: str, pages: Sequence[Page], data: bytes
    ) -> EpubSourceMap:
        """Return the map of a publication from its state and its text.

        Raises:
            ValueError: a chapter is out of order or out of bounds.
        """
        chapters: list[ChapterPlace] = []
        end = 0
        for each in state:
            begins = each.span.start >= end if chapters else each.span.start == 0
            if not (begins and each.span and each.span.end <= len(text)):
                raise ValueError("the chapters of a publication are out of order or out of bounds")
            end = each.span.end
            page = HtmlSourceMap.restored(
                each.page, text=each.span.of(text), pages=(), data=each.data
            )
            chapters.append(ChapterPlace(each.part, each.span, page))
        if not chapters:
            raise ValueError("a publication without chapters")
        return cls(chapters)

    def close(self) -> None:
        """Do nothing: no file is held open."""


def _in_chapter(chapter: ChapterPlace, span: Span) -> Iterator[SourceLocation]:
    for place in chapter.source_map.locate(span.shift(-chapter.span.start)):
        yield replace(place, part=chapter.part)


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
            source_map=EpubSourceMap(places),
            blocks=tuple(_blocks(chapters, places)),
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


def _places(chapters: Sequence[_Chapter]) -> Iterator[ChapterPlace]:
    start = 0
    for chapter in chapters:
        end = start + len(chapter.document.text)
        source_map = chapter.document.source_map
        assert isinstance(source_map, HtmlSourceMap)
        yield ChapterPlace(chapter.item.part, Span(start, end), source_map)
        start = end + len(_BETWEEN)


def _blocks(chapters: Sequence[_Chapter], places: Sequence[ChapterPlace]) -> Iterator[Block]:
    for chapter, place in zip(chapters, places, strict=True):
        for block in chapter.document.blocks:
            boilerplate = block.boilerplate or chapter.item.is_navigation
            yield replace(block, span=block.span.shift(place.span.start), boilerplate=boilerplate)
