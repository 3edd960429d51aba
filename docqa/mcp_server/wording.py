"""The words of the tools' texts."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from docqa.places import one_spaced, place_in_words, score_in_words, sentence_around

if TYPE_CHECKING:
    from docqa.datamodel import Answer
    from docqa.mcp_server.results import (
        AskResult,
        CheckedQuote,
        CitedPlace,
        ListResult,
        QuoteHit,
        QuoteResult,
    )

__all__ = [
    "CONTEXT",
    "answer_lines",
    "at",
    "coverage_lines",
    "cut",
    "differences",
    "hit_lines",
    "nowhere_lines",
    "outcome_line",
    "table",
]

CONTEXT = 160  # characters shown on each side of words
_QUOTED = 300  # characters of words that are shown again


def answer_lines(answer: Answer, name: str, cite: str) -> str:
    """Return an answer with its place, its score and its cite, and the sentence around it."""
    before, words, after = sentence_around(answer, most=CONTEXT)
    score = f"score {score_in_words(answer.score)}"
    place = ", ".join(filter(None, (name, place_in_words(answer), score)))
    return f"«{words}» — {place} [cite: {cite}]\n   {before}«{words}»{after}"


def coverage_lines(result: AskResult, *, exhaustive: bool) -> list[str]:
    """Return the number of passages read, advice, and a line for each document left out."""
    coverage = f"read {result.read} of {result.of} passages"
    lines = [coverage if result.answers else f"no answer ({coverage})"]
    if not result.complete:
        lines[0] += "; time ran out: ask again, or name one document"
    elif not result.answers and not exhaustive and result.read < result.of:
        lines[0] += "; exhaustive=true reads all"
    return [*lines, *result.notes]


def at(place: CitedPlace, words: str = "") -> str:
    """Return a place in words, with its cite.

    Args:
        place: the place.
        words: of the page or line, where it is known better.
    """
    if not words and place.page is not None:
        printed = f" (printed {place.page_label})" if place.page_label else ""
        words = f"page {place.page}{printed}"
    elif not words and place.line is not None:
        words = f"line {place.line}"
    heading = f'under "{place.heading[:80]}"' if place.heading else ""
    return f"{', '.join(filter(None, (place.document, words, heading)))} [cite: {place.cite}]"


def hit_lines(hit: QuoteHit) -> str:
    """Return words with their place, and the text around them."""
    return f"«{cut(hit.quote)}» — {at(hit)}\n   {hit.context}"


def nowhere_lines(words: str, result: QuoteResult) -> list[str]:
    """Return that words stand nowhere, and the text that is most like them."""
    lines = [f"«{cut(words)}» stands nowhere"]
    if not result.complete:
        lines[0] += " in the part that was looked at; time ran out"
    if result.nearest is not None:
        lines += [f"most like it ({result.likeness:.0%}): {hit_lines(result.nearest)}"]
        lines += result.differences
    return lines


def outcome_line(checked: CheckedQuote) -> str:
    """Return the outcome of one citation."""
    words = f"«{cut(checked.quote)}»"
    if checked.outcome == "unknown":
        return f"unknown: {words}: {checked.reason}"
    if checked.outcome == "missing":
        return f"missing: {words} stands nowhere in the document of {checked.cite}"
    if checked.outcome == "altered":
        hit = checked.found[0]
        stands = f"the text has «{cut(hit.quote)}»"
        if len(hit.quote) > _QUOTED and checked.differences:  # they may lie in the middle
            stands = cut(checked.differences[0])
        return f"altered: {words}; {stands} — {at(hit)}"
    places = "; ".join(at(hit) for hit in checked.found[:2])
    where = f", not at {checked.cite}" if checked.outcome == "elsewhere" else ""
    return f"{checked.outcome}: {words} — {places}{where}"


def table(result: ListResult) -> list[str]:
    """Return a line for each document, and the names of the collections."""
    lines = []
    for row in result.documents:
        facts = [row.id or "not readable", row.name]
        facts += [f"{row.pages} page{'s' * (row.pages > 1)}"] if row.pages else []
        facts += [f'"{row.title}"'] if row.title else []
        facts += [f"in {row.collection}"] if row.collection else []
        facts += [] if row.is_open else ["opened when it is first asked"]
        lines += ["  ".join(facts), *(f"    {warning}" for warning in row.warnings)]
    if result.collections:
        lines.append(f"collections: {', '.join(result.collections)}")
    if result.cursor:
        lines.append(f'{result.total} in all; more: list_documents(cursor="{result.cursor}")')
    return lines or ["no document"]


def cut(words: str) -> str:
    """Return words with single spaces; of many the first and the last ones.

    >>> cut("one  two"), len(cut("word " * 1_000))
    ('one two', 303)
    """
    folded = one_spaced(words)
    if len(folded) <= _QUOTED:
        return folded
    return f"{folded[: _QUOTED // 2]} … {folded[-_QUOTED // 2 :]}"


def differences(words: str, actual: str) -> list[str]:
    """Return in words how a text differs from words, word by word.

    >>> differences("lit in 1872 by Ada", "lit in October 1871 by Ada")
    ['the text has "October 1871" in place of "1872"']
    """
    given, there = words.split(), actual.split()
    found = []
    for kind, i, j, k, m in difflib.SequenceMatcher(None, given, there, False).get_opcodes():
        said, stands = " ".join(given[i:j]), " ".join(there[k:m])
        if kind == "replace":
            found.append(f'the text has "{stands}" in place of "{said}"')
        elif kind == "delete":
            found.append(f'the text has no "{said}" there')
        elif kind == "insert":
            found.append(f'the text has "{stands}" besides')
    return found[:10]
