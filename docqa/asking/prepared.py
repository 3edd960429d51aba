"""A document made ready for questions: its passages and their index."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from docqa.asking.settings import Splitting
from docqa.datamodel import Content, Document, Passage, RankedPassage
from docqa.errors import NoTextError, SettingError
from docqa.protocols import Index, Reader

if TYPE_CHECKING:
    from docqa.passages.splitter import Splitter
    from docqa.reader.tokenizing import Tokenizing

__all__ = ["PreparedDocument", "index_of", "prepare", "require_text", "splitter_for"]

_OPENING = 2  # passages at the beginning of a document that count as relevant
_OPENING_SHARE = 0.7  # of the best score, at least


@dataclass(frozen=True, slots=True)
class PreparedDocument:
    """A document's passages, in order of the text, with their index.

    Attributes:
        passage_tokens, overlap: sizes of the passages, in the reader's tokens.
        content: which blocks are in them.
    """

    passages: tuple[Passage, ...]
    index: Index
    passage_tokens: int
    overlap: int
    content: Content

    def passages_to_read(
        self, question: str, *, top_passages: int | None
    ) -> tuple[RankedPassage, ...]:
        """Return the passages to read for a question, best ranked first.

        Where the ranking finds fewer than `top_passages` (a question in other words than the
        document's), passages that share no term with the question fill up in order of the text,
        so that a document of at most `top_passages` passages is always read whole. The first two
        passages of a document, unless that were more than a fifth, are among them, and count as 0.7
        of the best score at least: contracts and letters say there who, when and about what.

        Args:
            question: as asked.
            top_passages: how many; None for all.
        """
        limit = len(self.passages) if top_passages is None else top_passages
        found = self.index.search(question, top_k=len(self.passages)) if self.passages else []
        scores = {one.passage.number: one.score for one in found}
        best = max(scores.values(), default=0.0)
        opening = self.passages[: min(_OPENING, limit // 5)]
        for each in opening:
            scores[each.number] = max(_OPENING_SHARE * best, scores.get(each.number, 0.0))

        def order(passage: Passage) -> tuple[float, int]:
            return -scores.get(passage.number, 0.0), passage.number

        others = sorted(self.passages[len(opening) :], key=order)[: limit - len(opening)]
        return tuple(
            RankedPassage(each, rank, scores.get(each.number, 0.0))
            for rank, each in enumerate(sorted((*opening, *others), key=order), start=1)
        )


def prepare(document: Document, reader: Reader, splitting: Splitting) -> PreparedDocument:
    """Split a document into passages for a reader and index them.

    Raises:
        SettingError: a setting is out of its range, or passages would not fit the reader.
    """
    splitter = splitter_for(reader, splitting)
    passages = tuple(splitter.split(document))
    sizes = splitter.passage_tokens, splitter.overlap
    return PreparedDocument(passages, index_of(passages), *sizes, splitting.content)


def splitter_for(reader: Reader | Tokenizing, splitting: Splitting | None = None) -> Splitter:
    """Return the splitter for a reader; None takes default sizes that fit.

    Raises:
        SettingError: a setting is out of its range, or passages would not fit the reader.
    """
    from docqa.passages.splitter import DEFAULT_OVERLAP, DEFAULT_PASSAGE_TOKENS, Splitter

    chosen, fits = splitting or Splitting(), reader.max_passage_tokens
    size, overlap = chosen.passage_tokens, chosen.overlap
    if size is None:
        size = min(DEFAULT_PASSAGE_TOKENS, fits)
    if size > fits:
        raise SettingError(
            f"passage_tokens is {size}, but the reader {reader.name!r} takes at most {fits} beside "
            "a question; choose a smaller number"
        )
    if overlap is None:
        overlap = min(DEFAULT_OVERLAP, size // 2)
    return Splitter(reader.tokenizer, passage_tokens=size, overlap=overlap, content=chosen.content)


def index_of(passages: Iterable[Passage]) -> Index:
    """Return an index of passages in memory."""
    from docqa.index.memory import MemoryIndex

    index = MemoryIndex()
    index.add(passages)
    return index


def require_text(document: Document) -> None:
    """Check that a document has text to answer from.

    Raises:
        NoTextError: it has none; the message says how many pages need OCR, or how it failed.
    """
    if document.text.strip():
        return
    name = document.source
    raise NoTextError(f"{name}: no text to answer from: {_why_empty(document)}", source=name)


def _why_empty(document: Document) -> str:
    scanned = sum(page.needs_ocr for page in document.pages)
    if not scanned:
        shown = "; if its pages show any, --ocr (ocr=True) may read it" if document.pages else ""
        return f"nothing in it is text{shown}"
    tried = [each.message for each in document.warnings if each.kind.startswith("ocr-")]
    advice = tried[0] if tried else "--ocr (ocr=True) reads it"
    return f"{_images(scanned, len(document.pages))} without a text layer; {advice}"


def _images(n_scanned: int, n_pages: int) -> str:
    """Return how many of a document's pages are images.

    >>> _images(1, 1), _images(1, 3)
    ('its only page is an image', '1 of its 3 pages is an image')
    >>> _images(2, 3)
    '2 of its 3 pages are images'
    """
    if n_pages == 1:
        return "its only page is an image"
    verb = "is an image" if n_scanned == 1 else "are images"
    return f"{n_scanned} of its {n_pages} pages {verb}"
