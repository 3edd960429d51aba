"""Load Markdown: the source is the text, its blocks come from a CommonMark parser."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import TYPE_CHECKING

from docqa.datamodel import Block, BlockKind, Document, Span
from docqa.loaders.text import text_document
from docqa.loaders.text_decoding import decode_text

if TYPE_CHECKING:
    from markdown_it.token import Token

__all__ = ["MarkdownLoader"]

_KINDS: dict[str, BlockKind] = {
    "heading_open": "heading",
    "paragraph_open": "paragraph",
    "tr_open": "table_row",
    "fence": "code",
    "code_block": "code",
    "html_block": "paragraph",
}
_FRONT_MATTER = re.compile(r"\A---[ \t]*\r?\n.*?\n(?:---|\.\.\.)[ \t]*(?:\r?\n|\Z)", re.DOTALL)
_LINE_END = re.compile(r"\r\n|\n|\r")


class MarkdownLoader:
    """A loader of Markdown (CommonMark with tables); positions are those of the source.

    The text keeps its markup, so that every offset is an offset of the file. `encoding` overrules
    everything but a byte order mark.
    """

    def __init__(self, encoding: str | None = None) -> None:
        self._encoding = encoding

    def load(self, data: bytes, *, source: str) -> Document:
        """Load `data` as Markdown.

        Raises:
            MalformedError: the bytes are not text in any known encoding.
            SettingError: the loader's `encoding` is unknown.
        """
        decoded = decode_text(data, source=source, encoding=self._encoding)
        blocks = tuple(_blocks(decoded.text))
        return text_document(
            data,
            decoded,
            source=source,
            media_type="text/markdown",
            title=_title(decoded.text, blocks),
            blocks=blocks,
        )


def _blocks(text: str) -> Iterator[Block]:
    """Yield the blocks of `text` in order; lines outside all of them become paragraphs."""
    from markdown_it import MarkdownIt

    front = _FRONT_MATTER.match(text)
    offset = front.end() if front else 0
    yield from _filled(text, _line_spans(text[:offset], 0), "code")
    lines = _line_spans(text, offset)
    tokens = MarkdownIt("commonmark").enable("table").parse(_one_break_a_line(text, lines))
    done = 0
    for kind, first, last in _token_lines(tokens):
        first = max(first, done)  # noqa: PLW2901 - a nested block starts where the outer one ended
        if first >= last:
            continue
        yield from _filled(text, lines[done:first], "paragraph")
        yield from _filled(text, lines[first:last], kind)
        done = last
    yield from _filled(text, lines[done:], "paragraph")


def _one_break_a_line(text: str, lines: list[Span]) -> str:
    return "\n".join(line.of(text).rstrip("\r\n") for line in lines)


def _line_spans(text: str, offset: int) -> list[Span]:
    ends = [match.end() for match in _LINE_END.finditer(text) if match.end() > offset]
    borders = [offset, *ends]
    if borders[-1] < len(text):
        borders.append(len(text))
    return [Span(start, end) for start, end in pairwise(borders)]


def _token_lines(tokens: Iterable[Token]) -> Iterator[tuple[BlockKind, int, int]]:
    depth = 0
    for token in tokens:
        depth += (token.type == "list_item_open") - (token.type == "list_item_close")
        kind = _KINDS.get(token.type)
        if kind is None or token.map is None:
            continue
        inside_list = depth > 0 and kind == "paragraph"
        yield ("list_item" if inside_list else kind), token.map[0], token.map[1]


def _filled(text: str, lines: list[Span], kind: BlockKind) -> Iterator[Block]:
    """Yield one block over `lines`, without white space at its ends, if anything is left."""
    if not lines:
        return
    start, end = lines[0].start, lines[-1].end
    body = text[start:end]
    if body.strip():
        start += len(body) - len(body.lstrip())
        end -= len(body) - len(body.rstrip())
        yield Block(Span(start, end), kind)


def _title(text: str, blocks: tuple[Block, ...]) -> str | None:
    for block in blocks:
        if block.kind == "heading":
            return _heading_text(block.span.of(text)) or None
    return None


def _heading_text(source: str) -> str:
    r"""Return a heading without its marks: CommonMark 0.31.2, sections 4.2 and 4.3.

    >>> _heading_text("## C# ##"), _heading_text("Two\nlines\n---")
    ('C#', 'Two lines')
    """
    first, *others = _LINE_END.split(source.strip())
    if others:  # underlined
        return " ".join(line.strip() for line in [first, *others[:-1]])
    text = first.lstrip("#").strip()
    unclosed = text.rstrip("#")
    return unclosed.rstrip() if unclosed[-1:] in ("", " ", "\t") else text
