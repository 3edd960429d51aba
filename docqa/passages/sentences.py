"""Find sentences: nltk's Punkt with parameters that ship here.

Punkt (Kiss and Strunk 2006, "Unsupervised multilingual sentence boundary detection") needs to know
abbreviations. They ship in `docqa.passages.abbreviations`; nothing is downloaded. No sentence
crosses a block.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from string import whitespace
from typing import TYPE_CHECKING

from docqa.datamodel import Block, Span
from docqa.passages.abbreviations import ABBREVIATIONS, BEFORE_NUMBER, SENTENCE_STARTERS
from docqa.passages.lines import blocks_from_lines

if TYPE_CHECKING:
    from nltk.tokenize.punkt import PunktSentenceTokenizer

__all__ = ["block_sentences", "sentence_around", "sentence_blocks", "sentence_spans"]

_PUNKT_AT_MOST = 5_000  # characters handed to Punkt at once: bounds what odd text can cost
_WINDOW = 2_000  # characters looked at on each side of a span for its sentence
_CONTEXT_AT_MOST = 400  # characters of a sentence that is shown

# Ends of sentences in scripts that put no space after them; Punkt knows only Latin ones.
_WIDE_END = re.compile(r"[。！？｡]+[」』”’）]*|[।॥؟۔](?=\s)")
_MAYBE_END = re.compile(r"[.!?][^\w\s]{0,9}\s")
# '"Who pays?" he asked': Punkt ends a sentence at the question mark.
_QUOTED_END = re.compile(r"""[?!…]["'”’»)\]]+$""")
_DOTTED_INITIALS = re.compile(r"(?<![^\W\d_])(?:[^\W\d_]\.){2,}$")
# "Exhibit A. If": Punkt takes every single letter for a name's initial.
_AFTER_LETTER = re.compile(
    rf"\b[A-Z]\.(?=\s+(?:{'|'.join(sorted(word.title() for word in SENTENCE_STARTERS))})\s)"
)
_ENUMERATOR = re.compile(r"\s*\(?(?:\d{1,3}(?:\.\d{1,3})*|[A-Za-z]|[ivxIVX]{1,5})[.)]\s*")
_NEXT_WORD = re.compile(r"\s*([^\W\d_]{1,20})")
_LINE = re.compile(r"[^\n\r\f\v]+")
_SPACE = re.compile(r"\s+")
# White space for Punkt; the separators U+001C to U+001F are none.
_GAP = r"[^\S\x1c-\x1f]+"
_CLOSING = "'\")\\]}\u2018\u2019\u201c\u201d\xab\xbb"
# A mark that may end a sentence: before a sign, or before white space and something else.
_CANDIDATE = re.compile(rf"[.?!](?=[{_CLOSING};*:@({{\[?!]|({_GAP})[\S\x1c-\x1f])")
_NOT_GAP = re.compile(r"[\S\x1c-\x1f]+")
_CLOSED = re.compile(rf"[{_CLOSING}]+?(?:{_GAP}|(?=--)|$)", re.MULTILINE)
_CACHED_AT_MOST = 60  # characters of a mark with the words around it


def sentence_spans(text: str, *, blocks: Sequence[Block] = ()) -> list[Span]:
    r"""Return the sentences of a text in order, without outer white space.

    Together they hold every character that is not white space. Headings, table rows and list items
    end with their line or block, whatever their punctuation.

    Args:
        text: a whole document's text.
        blocks: the blocks its format marks; without them borders are found from the lines.

    >>> text = "Costs\nMr. Roe paid $3.50, i.e. too\nmuch. See No. 5 below."
    >>> [span.of(text) for span in sentence_spans(text)]
    ['Costs', 'Mr. Roe paid $3.50, i.e. too\nmuch.', 'See No. 5 below.']
    """
    return [
        sentence
        for block in sentence_blocks(text, blocks)
        for sentence in block_sentences(text, block)
    ]


def sentence_blocks(text: str, blocks: Sequence[Block] = ()) -> list[Block]:
    """Return the blocks that no sentence crosses; only white space lies between them.

    A format's own blocks are cut further at hard line breaks; text outside them (none, by the
    contract of `Document`) is treated as paragraphs.
    """
    found: list[Block] = []
    end = 0
    for block in blocks:
        found += blocks_from_lines(text, Span(end, max(end, block.span.start)))
        found += _refine(text, block)
        end = max(end, block.span.end)
    return found + blocks_from_lines(text, Span(end, len(text)))


def block_sentences(text: str, block: Block) -> list[Span]:
    """Return the sentences of one block of `sentence_blocks`."""
    if block.kind in ("heading", "code"):
        return [block.span]
    return [
        sentence
        for start, end in _pieces(text, block.span)
        for sentence in _trimmed(text, _split(text[start:end], start))
    ]


def sentence_around(text: str, span: Span, *, blocks: Sequence[Block] = ()) -> Span:
    """Return the sentence or line around `span`, for display.

    A span that crosses sentences gives them all. A result over 400 characters is cut at white
    space on both sides of `span`, which always stays whole.

    >>> text = "Rates rose. The auditor is Quill & Co. in Oslo. It was paid."
    >>> sentence_around(text, Span(27, 38)).of(text)
    'The auditor is Quill & Co. in Oslo.'
    """
    start, end = span.start, span.end
    for block in _blocks_near(text, span, blocks):
        if not block.span.overlaps(span):
            continue
        for sentence in block_sentences(text, block):
            if sentence.overlaps(span):
                start, end = min(start, sentence.start), max(end, sentence.end)
    return _bounded(text, span, Span(start, end))


def _blocks_near(text: str, span: Span, blocks: Sequence[Block]) -> list[Block]:
    """Return blocks as `sentence_blocks` does, of the text around `span` only."""
    low, high = max(0, span.start - _WINDOW), min(len(text), span.end + _WINDOW)
    if not blocks:
        line_start = text.rfind("\n", max(0, low - _WINDOW), low) + 1
        return blocks_from_lines(text, Span(line_start or low, high))
    first = bisect_right(blocks, low, key=lambda block: block.span.end)
    last = bisect_right(blocks, high, key=lambda block: block.span.start)
    near = (replace(b, span=_intersection(b.span, low, high)) for b in blocks[first:last])
    return [finer for block in near for finer in _refine(text, block)]


def _intersection(span: Span, low: int, high: int) -> Span:
    start = max(span.start, low)
    return Span(start, max(start, min(span.end, high)))


def _bounded(text: str, span: Span, sentence: Span) -> Span:
    """Return `sentence`, cut to 400 characters around `span` where it is longer."""
    room = max(0, _CONTEXT_AT_MOST - len(span)) // 2
    start, end = sentence.start, sentence.end
    if len(sentence) > _CONTEXT_AT_MOST and span.start - start > room:
        start = span.start - room
        space = _SPACE.search(text, start, span.start)
        start = space.end() if space else start
    if end - start > _CONTEXT_AT_MOST and end - span.end > room:
        end = max(span.end, start + _CONTEXT_AT_MOST)
        words = text[span.end : end].rsplit(maxsplit=1)
        end = (
            span.end + len(text[span.end : end].rstrip())
            if len(words) < 2
            else (span.end + text[span.end : end].rindex(words[-1]))
        )
    shown = next(_trimmed(text, [(start, end)]), span)
    return Span(min(shown.start, span.start), max(shown.end, span.end))


def _refine(text: str, block: Block) -> list[Block]:
    """Cut a format's block at hard line breaks; its kind and flag stay."""
    if block.kind == "code":
        lines = (match.span() for match in _LINE.finditer(text, block.span.start, block.span.end))
        return [replace(block, span=line) for line in _trimmed(text, lines)]
    if block.kind in ("heading", "table_row"):
        bare = _trimmed(text, [(block.span.start, block.span.end)])
        return [replace(block, span=span) for span in bare]
    finer = blocks_from_lines(text, block.span, are_broken=True)
    return [replace(block, span=each.span) for each in finer]


def _trimmed(text: str, spans: Iterable[tuple[int, int]]) -> Iterator[Span]:
    """Yield the spans without outer white space; blank ones are left out."""
    for start, end in spans:
        content = text[start:end]
        bare = content.lstrip()
        if bare:
            first = end - len(bare)
            yield Span(first, first + len(bare.rstrip()))


def _pieces(text: str, span: Span) -> Iterator[tuple[int, int]]:
    """Cut a very long block after a full stop or at white space: Punkt's cost stays linear."""
    start = span.start
    while span.end - start > _PUNKT_AT_MOST:
        limit = start + _PUNKT_AT_MOST
        cuts = (text.rfind(end, start + 1, limit) for end in (". ", ".\n", " ", "\n"))
        cut = next((cut + 1 for cut in cuts if cut > 0), limit)
        yield start, cut
        start = cut
    yield start, span.end


def _split(content: str, origin: int) -> Iterator[tuple[int, int]]:
    """Yield the sentences of a piece of running text; only white space is left out.

    Args:
        content: the piece.
        origin: where it begins in the text.
    """
    borders = {len(content)}
    if not content.isascii():
        borders.update(match.end() for match in _WIDE_END.finditer(content))
    if _MAYBE_END.search(content):
        borders.update(_punkt_ends(content))
        borders.update(match.end() for match in _AFTER_LETTER.finditer(content))
    start = 0
    for end in sorted(borders):
        if end < len(content) and _goes_on(content, start, end):
            continue
        yield origin + start, origin + end
        start = end


def _goes_on(content: str, start: int, end: int) -> bool:
    """Say whether a border that Punkt sees is none.

    It stands after an item's number, in "'Who?' he asked" or in "J.P. Quill".
    """
    if _ENUMERATOR.fullmatch(content, start, end):
        return True
    near = max(start, end - 9)
    is_initials = content[end - 3 : end - 2] == "." and _DOTTED_INITIALS.search(content, near, end)
    if not is_initials and not _QUOTED_END.search(content, near, end):
        return False
    following = _NEXT_WORD.match(content, end)
    word = following.group(1) if following else ""
    return word.lower() not in SENTENCE_STARTERS if is_initials else word[:1].islower()


def _punkt_ends(content: str) -> Iterator[int]:
    """Yield where Punkt ends sentences: the ends of its `span_tokenize`."""
    breaks = list(_punkt_breaks(content))
    starts = [0, *(following for _, following in breaks)]
    ends = [*(end for end, _ in breaks), len(content.rstrip())]
    begin = 0
    for end, start, stop in zip(ends, starts[1:], ends[1:], strict=False):
        closed = None if content[start].isalnum() else _CLOSED.match(content, start, stop)
        if closed is not None:  # a bracket or quotation mark behind the mark goes with it
            yield start + len(closed.group().rstrip())
        elif end > begin:
            yield end
        begin = start if closed is None else closed.end()
    if ends[-1] > begin:
        yield ends[-1]


def _punkt_breaks(content: str) -> Iterator[tuple[int, int]]:
    """Yield the end of each sentence but the last, and the start of the next.

    Of several marks in one word, the last one counts.
    """
    spaces = [white for white in whitespace if white in content]
    begin = stop = 0  # of the word before the mark
    last = None
    for match in _CANDIDATE.finditer(content):
        at = match.start()
        space = max([content.rfind(white, stop, at) for white in spaces], default=-1)
        first = space + 1 if space > stop else begin
        if last is not None and stop <= first and _is_break(content, begin, last):
            yield last.end(), max(last.end(), last.end(1))
        last, begin, stop = match, first, at
    if last is not None and _is_break(content, begin, last):
        yield last.end(), max(last.end(), last.end(1))


def _is_break(content: str, begin: int, mark: re.Match[str]) -> bool:
    """Say whether Punkt ends a sentence at a mark; the word before it starts at `begin`.

    Plain words need no look at Punkt's rules for abbreviations, initials and numbers.
    """
    word, following = content[begin : mark.start()], mark.end(1)
    if following < 0:  # a sign stands behind
        return _asked(content[begin : mark.end() + 1])
    letter = content[following]
    plain = len(word) > 1 and letter.isalpha() and word.isalnum()
    if plain and (letter.isupper() or word.isalpha()) and word.lower() not in ABBREVIATIONS:
        return True
    after = _NOT_GAP.match(content, following)
    return _asked(content[begin : after.end() if after else None])


def _asked(context: str) -> bool:
    """Say whether Punkt sees the end of a sentence in a mark with the words around it."""
    known = len(context) <= _CACHED_AT_MOST
    return _remembered(context) if known else _punkt().text_contains_sentbreak(context)


@lru_cache(maxsize=20_000)
def _remembered(context: str) -> bool:
    return bool(_punkt().text_contains_sentbreak(context))


@lru_cache(maxsize=1)
def _punkt() -> PunktSentenceTokenizer:
    from nltk.tokenize.punkt import PunktParameters, PunktSentenceTokenizer

    parameters = PunktParameters()
    parameters.ortho_context = Counter()  # which does not keep the words that it is asked for
    parameters.abbrev_types = set(ABBREVIATIONS)
    parameters.sent_starters = set(SENTENCE_STARTERS)
    parameters.collocations = {(word, "##number##") for word in BEFORE_NUMBER}
    return PunktSentenceTokenizer(parameters)
