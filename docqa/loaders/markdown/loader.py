"""Load Markdown: its text as a page shows it, blocks and tables from a CommonMark parser."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from docqa.datamodel import Block, BlockKind, Document, Span, Table
from docqa.loaders.markdown.inline import InlineText, Shown, inline_text
from docqa.loaders.offset_map import OffsetMapBuilder
from docqa.loaders.table_grid import GridCell, grid_table
from docqa.loaders.text import LINE_END, ShownText, text_document
from docqa.loaders.text_decoding import decode_text
from docqa.loaders.typography import struck_warning

if TYPE_CHECKING:
    from markdown_it.token import Token

__all__ = ["MarkdownLoader"]

_FRONT_MATTER = re.compile(r"\A---[ \t]*\r?\n.*?\n(?:---|\.\.\.)[ \t]*(?:\r?\n|\Z)", re.DOTALL)
_NUMBER = re.compile(r"\d{1,9}[.)](?=[ \t]+\Z)")
_QUOTE = re.compile(r"[ \t>]*")
_WORD = re.compile(r"[^\W_]")


class MarkdownLoader:
    """A loader of Markdown (CommonMark with tables and ``~~crossed-out~~`` text).

    The text is what a page shows, without the marks of emphasis, links, quotes, headings and
    tables; what is crossed out is left out. Code keeps its characters. Every offset leads to the
    characters of the file. `encoding` overrules everything but a byte order mark.
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
        page = _Page(decoded.text)
        page.read()
        shown = ShownText("".join(page.parts), page.offsets.build())
        return text_document(
            data,
            decoded,
            source=source,
            media_type="text/markdown",
            title=_title(shown.text, page.blocks),
            shown=shown,
            blocks=tuple(page.blocks),
            tables=tuple(page.tables(shown.text)),
            warnings=(struck_warning(page.struck),) if page.struck else (),
        )


class _Page:
    """The blocks of a source, laid out as a page shows them."""

    def __init__(self, source: str) -> None:
        self._source = source
        self.parts: list[str] = []
        self.offsets = OffsetMapBuilder()
        self.blocks: list[Block] = []
        self.struck = 0
        self._tables: list[list[list[GridCell]]] = []
        front = _FRONT_MATTER.match(source)
        self._begin = front.end() if front else 0
        self._lines = _line_spans(source, self._begin)
        self._done = 0  # lines that are laid out

    def read(self) -> None:
        """Lay out the whole source, in order; lines that belong to no block are paragraphs."""
        from markdown_it import MarkdownIt

        self._raw(_line_spans(self._source[: self._begin], 0), "code")
        parser = MarkdownIt("commonmark").enable(["table", "strikethrough"])
        parser.disable("text_join", ignoreInvalid=True)  # escapes and references stay apart
        lines = (line.of(self._source).rstrip("\r\n") for line in self._lines)
        tokens, depth = parser.parse("\n".join(lines)), 0
        for number, token in enumerate(tokens):
            depth += (token.type == "list_item_open") - (token.type == "list_item_close")
            if token.type == "heading_open":
                self._words("heading", token, tokens[number + 1])
            elif token.type == "paragraph_open":
                kind: BlockKind = "list_item" if depth else "paragraph"
                self._words(kind, token, tokens[number + 1])
            elif token.type in ("fence", "code_block"):
                self._code(token)
            elif token.type == "html_block":
                self._raw(self._lines_of(token), "paragraph")
            elif token.type == "table_open":
                self._tables.append([])
            elif token.type == "tr_open":
                self._row(token, tokens, number)
        self._skip_to(len(self._lines))

    def tables(self, text: str) -> Iterable[Table]:
        """Yield the tables of the text."""
        for rows in self._tables:
            table = grid_table(text, rows)
            if table is not None:
                yield table

    # Blocks

    def _words(self, kind: BlockKind, token: Token, inline: Token) -> None:
        """Add a paragraph, a heading or an item of a list."""
        lines = self._lines_of(token)
        content = inline.content.split("\n")
        places: list[int] = []
        for line, words in zip(lines, content, strict=False):
            raw = line.of(self._source).rstrip("\r\n")
            found = raw.rfind(words)
            if token.markup.startswith("#"):  # marks may follow
                found = raw.find(words, len(raw) - len(raw.lstrip("#> \t")))
            if found < 0:
                self._raw(lines, kind)
                return
            start = line.start + found
            places += range(start, start + len(words) + 1)  # and the line end
        if len(lines) < len(content) or not lines:
            self._raw(lines, kind)
            return
        found_text = inline_text(inline.content, inline.children or ())
        before = self._source[lines[0].start : places[0]]
        number = _NUMBER.search(before) if kind == "list_item" else None
        shown = [self._verbatim(lines[0].start + number.start(), places[0])] if number else []
        self._open(kind)
        self._add([*shown, *self._placed(found_text, places)])
        self._close(kind)

    def _row(self, token: Token, tokens: Sequence[Token], number: int) -> None:
        """Add a row of a table, its cells divided by tabs."""
        is_head = tokens[number + 1].type == "th_open"
        lines, cells = self._lines_of(token), list[GridCell]()
        self._done += is_head  # the line of dashes
        if not lines:
            return
        raw, at = lines[0].of(self._source).rstrip("\r\n"), 0
        quote = _QUOTE.match(raw)
        at = quote.end() if quote else 0
        at += raw.startswith("|", at)
        self._open("table_row")
        for inline in _inside_row(tokens, number):
            end = _cell_end(raw, at)
            if cells and any(cell.span for cell in cells):
                self._synthetic("\t")
            start = self.offsets.text_length
            places = _cell_places(raw, at, end, inline.content)
            if places is None:
                self._add([self._verbatim(lines[0].start + at, lines[0].start + end)])
            else:
                moved = [lines[0].start + place for place in places]
                found = inline_text(inline.content, inline.children or ())
                self._add(self._placed(found, moved))
            span = Span(start, self.offsets.text_length)
            cells.append(GridCell(span, heads="column" if is_head else None))
            at = end + 1
        self._close("table_row")
        self._tables[-1].append(cells)

    def _code(self, token: Token) -> None:
        """Add a block of code without the fences around it and the marks of quotes before it."""
        lines = self._lines_of(token)[token.type == "fence" :]
        shown: list[Shown] = []
        for line, words in zip(lines, token.content.split("\n"), strict=False):
            raw = line.of(self._source).rstrip("\r\n")
            found = raw.rfind(words)
            if found < 0:  # its white space is not that of the source
                found = raw.rfind(words.strip())
            start = line.start + (len(raw) if found < 0 else found)
            shown.append(self._verbatim(start, line.end))
        while shown and not shown[-1].text.strip():
            shown.pop()
        for last in shown[-1:]:
            shown[-1] = self._verbatim(last.start, last.start + len(last.text.rstrip()))
        self._open("code")
        self._add(shown)
        self._close("code")

    def _lines_of(self, token: Token) -> list[Span]:
        """Return the lines of a block that are not laid out yet, after all lines before them."""
        first, last = token.map or (self._done, self._done)
        self._skip_to(max(first, self._done))
        lines = self._lines[self._done : last]
        self._done = max(self._done, last)
        return lines

    def _skip_to(self, line: int) -> None:
        """Add the lines before `line` that belong to no block; those without words show none."""
        lines = self._lines[self._done : line]
        self._done = line
        if any(_WORD.search(each.of(self._source)) for each in lines):
            self._raw(lines, "paragraph")

    def _raw(self, lines: Sequence[Span], kind: BlockKind) -> None:
        """Add lines as they stand in the source, without white space around them."""
        if not lines:
            return
        start, end = lines[0].start, lines[-1].end
        body = self._source[start:end]
        if body.strip():
            start += len(body) - len(body.lstrip())
            self._open(kind)
            self._add([self._verbatim(start, start + len(body.strip()))])
            self._close(kind)

    # Characters

    def _placed(self, found: InlineText, places: Sequence[int]) -> list[Shown]:
        """Return shown characters with their places in the source, cut where these jump."""
        self.struck += found.struck
        placed: list[Shown] = []
        for each in found.shown:
            if not each.is_verbatim:
                end = places[each.end - 1] + 1 if each.end > each.start else places[each.start]
                end += self._source[end - 1 : end + 1] == "\r\n" and end > places[each.start]
                placed.append(Shown(each.text, places[each.start], end, False))
                continue
            start = each.start
            for end in range(each.start + 1, each.end + 1):
                if end == each.end or places[end] != places[end - 1] + 1:
                    placed.append(self._verbatim(places[start], places[end - 1] + 1))
                    start = end
        return placed

    def _verbatim(self, start: int, end: int) -> Shown:
        return Shown(self._source[start:end], start, end)

    def _add(self, shown: Iterable[Shown]) -> None:
        for each in shown:
            self.parts.append(each.text)
            if each.is_verbatim:
                self.offsets.verbatim(len(each.text), each.start)
            elif each.end > each.start:
                self.offsets.atom(len(each.text), each.start, each.end)
            else:
                self.offsets.synthetic(len(each.text))

    def _synthetic(self, text: str) -> None:
        self.parts.append(text)
        self.offsets.synthetic(len(text))

    def _open(self, kind: BlockKind) -> None:
        """Begin a block: on the next line after one of its kind, else after an empty line."""
        if self.blocks:
            follows = kind == self.blocks[-1].kind and kind in ("list_item", "table_row")
            self._synthetic("\n" if follows else "\n\n")
        self._first, self._first_part = self.offsets.text_length, len(self.parts)

    def _close(self, kind: BlockKind) -> None:
        """End the block, if it shows anything."""
        body = "".join(self.parts[self._first_part :])
        if body.strip():
            start = self._first + len(body) - len(body.lstrip())
            self.blocks.append(Block(Span(start, start + len(body.strip())), kind))


def _line_spans(text: str, offset: int) -> list[Span]:
    ends = [match.end() for match in LINE_END.finditer(text) if match.end() > offset]
    borders = [offset, *ends]
    if borders[-1] < len(text):
        borders.append(len(text))
    return [Span(start, end) for start, end in pairwise(borders)]


def _inside_row(tokens: Sequence[Token], number: int) -> Iterator[Token]:
    """Yield the contents of the cells of the row that token `number` opens."""
    while tokens[number].type != "tr_close":
        number += 1
        if tokens[number].type == "inline":
            yield tokens[number]


def _cell_end(raw: str, at: int) -> int:
    """Return where the cell that begins at `at` ends: at a bar without a backslash before it."""
    while at < len(raw) and not (raw[at] == "|" and raw[at - 1 : at] != "\\"):
        at += 1
    return at


def _cell_places(raw: str, at: int, end: int, content: str) -> list[int] | None:
    r"""Return where each character of a cell stands in its row, and its end; None if it does not.

    >>> _cell_places(r"| a\|b |", 1, 7, "a|b")
    [2, 4, 5, 6]
    """
    at += len(raw[at:end]) - len(raw[at:end].lstrip())
    places: list[int] = []
    for character in content:
        at += raw.startswith("\\|", at) and character == "|"
        if not raw.startswith(character, at):
            return None
        places.append(at)
        at += 1
    return [*places, at]


def _title(text: str, blocks: Sequence[Block]) -> str | None:
    heading = next((block for block in blocks if block.kind == "heading"), None)
    return " ".join(map(str.strip, heading.span.of(text).splitlines())) if heading else None
