"""Split a document into overlapping passages that end where sentences end."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from docqa.datamodel import Block, Content, Document, Insertion, Passage, Span
from docqa.errors import SettingError
from docqa.limits import check_time
from docqa.passages.cell_headers import CellHeaders
from docqa.passages.sentences import block_sentences, sentence_blocks
from docqa.protocols import StoringTokenizer, Tokenizer
from docqa.reading_form import ReadingForm

__all__ = ["DEFAULT_OVERLAP", "DEFAULT_PASSAGE_TOKENS", "Splitter"]

# Chosen by tests/benchmarks/end_to_end.py and retrieval.py; docs/measurements/answers.md and
# passages.md hold the tables.
DEFAULT_PASSAGE_TOKENS = 160
DEFAULT_OVERLAP = 32

_BATCH = 50_000  # characters tokenised at once; bounds the memory that offsets take
_TAB = re.compile("\t")
_HEADER_TOKENS = 20  # of a long header: at least that number is taken out together
_SLACK = 2  # tokens by which a text may count more alone than inside the document


@dataclass(slots=True)
class _Sentence:
    """A sentence, or a part of one that is longer than a passage.

    Attributes:
        span: characters of the document's text.
        n_tokens: its tokens, with those of the headers put before its cells.
        n_inserted: those of the headers alone.
        is_heading: a passage should not end with it.
        boilerplate: its block is flagged.
        is_first: it begins here, and not in a piece before.
        is_row: it is a table row, its cells divided by tabs.
    """

    span: Span
    n_tokens: int
    n_inserted: int
    is_heading: bool
    boilerplate: bool
    is_first: bool
    is_row: bool


class Splitter:
    """A splitter of documents into passages of at most `passage_tokens` tokens.

    The passages of a document together hold every character that is not white space (of the
    unflagged blocks, with ``content="main"``). A passage is made of whole sentences and shares the
    last ones, up to `overlap` tokens, with its neighbour; a sentence longer than a passage is cut
    at token borders. Flagged blocks never share a passage with others.

    Args:
        tokenizer: counts tokens, as the reader does.
        passage_tokens: largest passage, in tokens.
        overlap: tokens that neighbours may share, below `passage_tokens`.
        content: ``"main"`` leaves out blocks flagged as navigation, footers and the like.

    Raises:
        SettingError: a setting is out of its range.
    """

    def __init__(
        self,
        tokenizer: Tokenizer,
        *,
        passage_tokens: int = DEFAULT_PASSAGE_TOKENS,
        overlap: int = DEFAULT_OVERLAP,
        content: Content = "all",
    ) -> None:
        if passage_tokens < 1:
            raise SettingError(f"passage_tokens must be at least 1, not {passage_tokens}")
        if not 0 <= overlap < passage_tokens:
            raise SettingError(
                f"overlap must be at least 0 and below passage_tokens ({passage_tokens}), "
                f"not {overlap}"
            )
        if content not in ("all", "main"):
            raise SettingError(f'content must be "all" or "main", not {content!r}')
        self._tokenizer = tokenizer
        self._encoder = tokenizer if isinstance(tokenizer, StoringTokenizer) else None
        self.passage_tokens = passage_tokens
        self.overlap = overlap
        self._content = content
        self._header_tokens: dict[str, int] = {}

    def split(self, document: Document) -> list[Passage]:
        """Return the document's passages, numbered from 0 in the order of its text.

        Raises:
            LoadTimeoutError: the time of the document's source is over; see `docqa.limits`.
        """
        passages: list[Passage] = []
        headers = CellHeaders(document)
        sentences = self._sentences(document, headers)
        for boilerplate, run in groupby(sentences, key=lambda sentence: sentence.boilerplate):
            if boilerplate and self._content == "main":
                continue
            sentences_of_run = list(run)
            borders = _borders(document.text, sentences_of_run, headers)
            for span in self._pack(document.text, sentences_of_run):
                check_time()
                inside = borders[bisect_right(borders, span.start) : bisect_left(borders, span.end)]
                text = span.of(document.text)
                passages.append(
                    Passage(
                        document_id=document.id,
                        number=len(passages),
                        span=span,
                        text=text,
                        boilerplate=boilerplate,
                        borders=tuple(start - span.start for start in inside),
                        insertions=self._fitting(text, headers.insertions(span)),
                    )
                )
        return passages

    def _fitting(self, text: str, insertions: tuple[Insertion, ...]) -> tuple[Insertion, ...]:
        """Return as many of the insertions, from the first, as the largest passage has room for."""
        while insertions:
            form = ReadingForm.from_insertions(text, insertions)
            excess = self._n_tokens(form.text) - self.passage_tokens
            if excess <= 0:
                break
            insertions = insertions[: -max(1, excess // _HEADER_TOKENS)]
        return insertions

    def _sentences(self, document: Document, headers: CellHeaders) -> Iterator[_Sentence]:
        """Yield the document's sentences with their tokens counted, long ones cut."""
        text, batch = document.text, list[tuple[Span, Block]]()
        for block in sentence_blocks(text, document.blocks):
            check_time()
            for span in block_sentences(text, block):
                if batch and span.end - batch[0][0].start > _BATCH:
                    yield from self._counted(text, batch, headers)
                    batch = []
                batch.append((span, block))
        yield from self._counted(text, batch, headers)

    def _counted(
        self, text: str, batch: Sequence[tuple[Span, Block]], headers: CellHeaders
    ) -> Iterator[_Sentence]:
        if not batch:
            return
        origin = batch[0][0].start
        starts, ends = self._borders_of_tokens(text[origin : batch[-1][0].end], origin)
        for span, block in batch:
            first, last = bisect_left(starts, span.start), bisect_left(starts, span.end)
            inside = starts[first:last]
            if bisect_right(ends, span.start) != first:
                # It begins inside a token: no white space between sentences (Chinese).
                inside, _ = self._borders_of_tokens(span.of(text), span.start)
            for piece, n_tokens in self._cut(text, span, inside):
                inserted = 0
                if headers.starts:
                    inserted = sum(self._inserted(each.text) for each in headers.insertions(piece))
                yield _Sentence(
                    piece,
                    n_tokens + inserted,
                    inserted,
                    is_heading=block.kind == "heading",
                    boilerplate=block.boilerplate,
                    is_first=piece.start == span.start,
                    is_row=block.kind == "table_row",
                )

    def _borders_of_tokens(self, text: str, origin: int) -> tuple[list[int], list[int]]:
        """Return where the tokens of a text begin and end, counted from `-origin`."""
        if self._encoder is None:
            tokens = self._tokenizer.offsets(text)
            return [each.start + origin for each in tokens], [each.end + origin for each in tokens]
        found = self._encoder.encode([text])[0]
        shown = found.starts < found.ends
        starts, ends = (each[shown] + origin for each in (found.starts, found.ends))
        return starts.tolist(), ends.tolist()

    def _n_tokens(self, text: str) -> int:
        return len(self._borders_of_tokens(text, 0)[0])

    def _inserted(self, text: str) -> int:
        """Return how many tokens a header has; tables repeat theirs."""
        if text not in self._header_tokens:
            self._header_tokens[text] = self._n_tokens(text)
        return self._header_tokens[text]

    def _cut(self, text: str, span: Span, starts: Sequence[int]) -> Iterator[tuple[Span, int]]:
        """Yield a sentence and its number of tokens, in pieces where it is too long.

        Pieces are small enough that neighbouring passages can share one; they begin at tokens,
        at the first token of a word where one is near.
        """
        n_tokens = self._recount(span.of(text), len(starts))
        if n_tokens <= self.passage_tokens:
            yield span, n_tokens
            return
        size = self.overlap or self.passage_tokens
        borders = sorted({*starts, span.end})
        first, begin = 0, span.start
        while begin < span.end:
            check_time()
            last = self._piece_end(text, begin, borders, first, size)
            piece = Span(begin, begin + len(text[begin : borders[last]].rstrip()))
            yield piece, self._n_tokens(piece.of(text))
            first, begin = last, borders[last]

    def _piece_end(
        self, text: str, begin: int, borders: Sequence[int], first: int, size: int
    ) -> int:
        """Return the number of the border at which a piece of at most `size` tokens ends.

        Where a single token counts as several when it stands alone, the piece is that token.
        """
        last = min(first + size, len(borders) - 1)
        if last < len(borders) - 1:
            words = range(last, first + size // 2, -1)
            last = next((n for n in words if text[borders[n] - 1].isspace()), last)
        while last > first + 1:
            excess = self._n_tokens(text[begin : borders[last]]) - size
            if excess <= 0:
                break
            last = max(first + 1, last - excess)
        return max(last, first + 1)

    def _pack(self, text: str, sentences: Sequence[_Sentence]) -> Iterator[Span]:
        """Yield the spans of passages over a run of sentences."""
        start = fresh = 0
        while fresh < len(sentences):
            start, stop = self._grow(text, sentences, start, fresh)
            yield Span(sentences[start].span.start, sentences[stop - 1].span.end)
            start, fresh = self._step_back(sentences, start, stop), stop

    def _grow(
        self, text: str, sentences: Sequence[_Sentence], start: int, fresh: int
    ) -> tuple[int, int]:
        """Return which sentences ``[start, stop)`` the passage takes.

        It takes as many as fit, sentence `fresh` in any case, and leaves headings at its end to
        the next passage, which holds what they are about.
        """
        stop, total = fresh + 1, sum(s.n_tokens for s in sentences[start : fresh + 1])
        while stop < len(sentences) and total + sentences[stop].n_tokens <= self.passage_tokens:
            total += sentences[stop].n_tokens
            stop += 1
        if stop < len(sentences):
            stop, total = self._leave_headings(sentences, fresh, stop, total)
        while start + 1 < stop and not self._fits(text, sentences[start:stop], total):
            if stop > fresh + 1:
                stop -= 1
                total -= sentences[stop].n_tokens
            else:
                total -= sentences[start].n_tokens
                start += 1
        return start, stop

    def _leave_headings(
        self, sentences: Sequence[_Sentence], fresh: int, stop: int, total: int
    ) -> tuple[int, int]:
        """Return `stop` and `total` without the headings at the end.

        A long run of short lines is a list that only looks like headings; it stays.
        """
        last, rest = stop, total
        while fresh + 1 < last and sentences[last - 1].is_heading:
            last -= 1
            rest -= sentences[last].n_tokens
        return (last, rest) if total - rest <= self.passage_tokens // 4 else (stop, total)

    def _step_back(self, sentences: Sequence[_Sentence], start: int, stop: int) -> int:
        """Return the first of the sentences before `stop` that the next passage shares."""
        if stop == len(sentences):
            return stop
        room = min(self.overlap, self.passage_tokens - sentences[stop].n_tokens)
        first = stop
        while first - 1 > start and sentences[first - 1].n_tokens <= room:
            first -= 1
            room -= sentences[first].n_tokens
        return first

    def _fits(self, text: str, sentences: Sequence[_Sentence], total: int) -> bool:
        content = text[sentences[0].span.start : sentences[-1].span.end]
        inserted = sum(sentence.n_inserted for sentence in sentences)
        return self._recount(content, total - inserted, inserted) <= self.passage_tokens

    def _recount(self, content: str, estimate: int, inserted: int = 0) -> int:
        """Return the number of tokens of a text and its insertions, exact near the limit.

        Inside the document its first and last word may have been other tokens.
        """
        if abs(estimate + inserted - self.passage_tokens) > _SLACK:
            return estimate + inserted
        return self._n_tokens(content) + inserted


def _borders(text: str, sentences: Iterable[_Sentence], headers: CellHeaders) -> list[int]:
    """Return where sentences and the cells of table rows begin, rising."""
    borders: list[int] = []
    for sentence in sentences:
        if sentence.is_first:
            borders.append(sentence.span.start)
        if sentence.is_row:
            tabs = _TAB.finditer(text, sentence.span.start, sentence.span.end)
            borders += [tab.end() for tab in tabs]
        borders += headers.borders(sentence.span)
    return sorted(set(borders))
