"""Tell soft line breaks from hard ones where a format marks no blocks (PDF, plain text).

A soft break only wraps a line: the sentence goes on. A hard break ends a heading, a list item, a
table row or a paragraph. The decision looks at two neighbouring lines and at how long the lines
around them are; it needs no layout, so it works alike on text from PDFium (no blank lines, pages
joined by a form feed) and on hard-wrapped plain text.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from docqa.datamodel import Block, BlockKind, Span
from docqa.limits import check_time

__all__ = ["blocks_from_lines"]

_LINE = re.compile(r"[^\n\r\f\v\x1c-\x1e\x85\u2028\u2029]+")
_LINE_END = re.compile(r"\r\n|[\n\r\v\x1c-\x1e\x85\u2028\u2029]")
_LINES_AT_A_TIME = 1_000  # looked at before the time of their source is checked
_NEIGHBOURS = 4  # lines on each side whose longest gives the width that a line could have had
_WRAPPED = 50  # characters: shorter lines that a format ends are no wrapped prose
_NARROWEST = 30  # characters; no text is wrapped at less
_FULL = 0.7  # a line is full when it and the next word reach this share of the width
_HEADING_LENGTH = 90  # characters
_HEADING_WORDS = 12

_NUMBER = re.compile(r"[(\[<]*[-–—−+±~]?[$€£¥]?\(?\d[\d.,:/]*(?:%|x|bps?)?[)\]]*(?:\([a-z\d]\))?")
_SYMBOL = re.compile(r"[$€£¥%()–—−-]+|(?:N/?[AM]|n/?[am])\.?")
_COLUMNS = re.compile(r"\t|\S {4,}\S|\S {2,}\S.*\S {2,}\S")
_LEADER = re.compile(r"\.{4,}|(?: \.){4,}|…{2,}")
_BULLET = re.compile(r"[•·∙●○◦■□▪▫◆◇►▶➢➤‣⁃✓✔❖]\s*\S")
_DASH = re.compile(r"[*–—-]\s+\S")  # a bullet, or a dash in a sentence
_NUMBERED = re.compile(
    r"(?:\(?(?:\d{1,3}|[A-Za-z]|[ivxIVX]{1,5})[.)]|\d{1,3}(?:\.\d{1,3})+\.?|§+ ?\d[\d.]*"
    r"|(?:Article|ARTICLE|Section|SECTION|Chapter|CHAPTER|Part|PART|Exhibit|EXHIBIT)"
    r" (?:\d[\d.]*|[IVX]+|[A-Z])\b[.:]?)(?:\s+\S|$)"
)
# "Due date: 3 June", "Mate - Ida Holm": a label of a few words, and what it stands for.
_LABELLED = re.compile(r"[^\W\d_a-z][^\n:.!?]{0,50}(?::\s+| [–—-] )\S")
_ENDS_SENTENCE = re.compile(r"[.!?:;。！？…][\"'”’)\]»]*$")
# What an item may end with though its list goes on.
_ENDS_ITEM = re.compile(r"[,;](?: and| or| and/or)?$", re.IGNORECASE)
# What comes before a number that is no item's: "as Section" / "12. says".
_REFERS = re.compile(
    r"\b(?:articles?|chapters?|clauses?|exhibits?|fig\.|figures?|items?|no\.|notes?|pages?"
    r"|paragraphs?|parts?|sections?|subsections?|tables?)$",
    re.IGNORECASE,
)
_SENTENCE_INSIDE = re.compile(r"[a-z]{3}[.!?] ")
_GOES_ON = re.compile(
    r"(?:[,&/–—-]|\b(?:a|an|and|as|at|by|for|from|in|of|on|or|that|the|to|with))$", re.IGNORECASE
)


@dataclass(slots=True)
class _Line:
    """A line that is not blank.

    Attributes:
        start, end: characters of the text, without outer white space.
        content: these characters.
        indent: white space before it.
        after_gap: a blank line stands before it on the same page.
        is_row: it looks like a row of a table.
        width: length of the longest line around it.
    """

    start: int
    end: int
    content: str
    indent: int
    after_gap: bool
    is_row: bool
    width: int = 0


def blocks_from_lines(text: str, span: Span, *, are_broken: bool = False) -> list[Block]:
    r"""Return the blocks that the lines of `span` form; only white space lies between them.

    Args:
        text: a document's.
        span: characters of it.
        are_broken: the format says where lines end (``<br>``): they are wrapped only where they
            are as long as those of a letter.

    >>> text = "Net sales\nA. Sales 12 13\nB. Costs 9 8\nSales rose in all\nregions."
    >>> [(block.kind, block.span.of(text)) for block in blocks_from_lines(text, Span(0, len(text)))]
    ... # doctest: +NORMALIZE_WHITESPACE
    [('heading', 'Net sales'), ('table_row', 'A. Sales 12 13'), ('table_row', 'B. Costs 9 8'),
     ('paragraph', 'Sales rose in all\nregions.')]
    """
    lines = _lines(text, span)
    if not lines:
        return []
    groups = [[lines[0]]]
    for before, line in pairwise(lines):
        if _is_hard(groups[-1][0], before, line) or (are_broken and _is_broken(before, line)):
            groups.append([line])
        else:
            groups[-1].append(line)
    return [Block(Span(group[0].start, group[-1].end), _kind(group)) for group in groups]


def _lines(text: str, span: Span) -> list[_Line]:
    lines: list[_Line] = []
    gap_start = span.start
    for match in _LINE.finditer(text, span.start, span.end):
        raw = match.group()
        content = raw.strip()
        if not content:
            continue
        indent = 0 if raw[0] == content[0] else len(raw) - len(raw.lstrip())
        start = match.start() + indent
        gap = text[gap_start : match.start()]
        line = _Line(start, start + len(content), content, indent, False, _is_row(content))
        if len(gap) > 1:
            line.after_gap = "\f" not in gap and len(_LINE_END.findall(gap)) > 1
        lines.append(line)
        if not len(lines) % _LINES_AT_A_TIME:
            check_time()
        gap_start = line.end
    _measure_widths(lines)
    return lines


def _measure_widths(lines: Sequence[_Line]) -> None:
    lengths = [0 if line.is_row else len(line.content) + line.indent for line in lines]
    for number, line in enumerate(lines):
        line.width = max(lengths[max(0, number - _NEIGHBOURS) : number + _NEIGHBOURS + 1])


def _is_row(content: str) -> bool:
    """Say whether a line looks like a row of a table: columns, or numbers at its end."""
    spaced = "\t" in content or "  " in content
    dotted = ".." in content or ". ." in content or "…" in content
    if (spaced and _COLUMNS.search(content)) or (dotted and _LEADER.search(content)):
        return True
    words = content.split()
    trailing = 0
    for word in reversed(words):
        if _NUMBER.fullmatch(word):
            trailing += 1
        elif not _SYMBOL.fullmatch(word):
            break
    return trailing >= 2 or trailing == len(words) > 0


def _is_item(content: str) -> bool:
    return bool(_BULLET.match(content) or _DASH.match(content) or _NUMBERED.match(content))


def _is_hard(first: _Line, before: _Line, line: _Line) -> bool:
    """Say whether the break between two neighbouring lines ends a block that began at `first`."""
    if line.after_gap or _BULLET.match(line.content):
        return True
    starts_small = line.content[0].islower()
    ended = bool(_ENDS_SENTENCE.search(before.content))
    if before.is_row or line.is_row:
        # A row's label may itself be wrapped: "Nonaccrual loans" / "retained 842 689".
        return before.is_row or not starts_small or ended
    if _LABELLED.match(before.content) and _LABELLED.match(line.content):
        return True
    full = _is_full(before, line)
    if _begins_item(first, before, line, likely=ended or not full):
        return True
    if starts_small or _GOES_ON.search(before.content):
        return False
    indented = ended and line.indent > before.indent
    return indented or not full or (before.content.isupper() and not line.content.isupper())


def _is_broken(before: _Line, line: _Line) -> bool:
    """Say whether a line end that a format has on purpose ends a block."""
    if line.content[0].islower() or _GOES_ON.search(before.content):
        return False
    return before.width < _WRAPPED or not _is_full(before, line)


def _begins_item(first: _Line, before: _Line, line: _Line, *, likely: bool) -> bool:
    """Say whether a line begins a list's item.

    In a paragraph, a line may begin with "12." where a sentence ends, or with a dash: so it must
    be `likely` that a block ends here, or what stands before must be an item or its lead.
    """
    if not _is_item(line.content) or _REFERS.search(before.content):
        return False
    return likely or _is_item(first.content) or bool(_ENDS_ITEM.search(before.content))


def _is_full(before: _Line, line: _Line) -> bool:
    """Say whether the next line's first word would hardly have fitted on the line before."""
    next_word = line.content.split(maxsplit=1)[0]
    length = before.indent + len(before.content) + 1 + min(len(next_word), 20)
    return length >= _FULL * max(before.width, line.width, _NARROWEST)


def _kind(group: Sequence[_Line]) -> BlockKind:
    first = group[0]
    if group[-1].is_row:
        return "table_row"
    if _is_heading(group):
        return "heading"
    return "list_item" if _is_item(first.content) else "paragraph"


def _is_heading(group: Sequence[_Line]) -> bool:
    """Say whether lines are short, start with a capital or number and end without a full stop."""
    content = group[0].content
    if len(group) > 2 or sum(len(line.content) for line in group) > _HEADING_LENGTH:
        return False
    if not (content[0].isupper() or content[0].isdigit() or content[0] == "§"):
        return False
    last = group[-1].content
    if last[-1] in ".!;,…" or _GOES_ON.search(last) or _SENTENCE_INSIDE.search(content):
        return False
    words = [word for line in group for word in line.content.split()]
    return len(words) <= _HEADING_WORDS
