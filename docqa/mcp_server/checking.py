"""Quotes of agents: where words stand, and whether they stand where it is said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from docqa.citations.quoting import quoted_spans
from docqa.datamodel import Location, Span
from docqa.errors import DeadlineError, DocqaError, SettingError
from docqa.mcp_server.desk import Desk, Scope, ToolOutcome
from docqa.mcp_server.library import parsed
from docqa.mcp_server.results import (
    CheckedQuote,
    QuoteHit,
    QuoteResult,
    VerifyResult,
    cited_place,
    word_places,
)
from docqa.mcp_server.wording import (
    CONTEXT,
    cut,
    differences,
    hit_lines,
    nowhere_lines,
    outcome_line,
)
from docqa.places import one_spaced

if TYPE_CHECKING:
    from docqa.mcp_server.turns import Turn

__all__ = ["quote", "verify"]

_SEARCHED = 20  # passages whose documents are looked at for a quote, in a collection
_ELSEWHERE = 3  # places of a quote that does not stand at its cite
_COMPARED = 3  # documents in which the nearest text is looked for


def quote(
    desk: Desk,
    turn: Turn,
    words: str,
    *,
    document: str | None = None,
    collection: str | None = None,
    limit: int = 5,
) -> ToolOutcome[QuoteResult]:
    """Return the places where words stand, or the text that is most like them."""
    if not words.strip():
        raise SettingError("there are no words to look for")
    scope = desk.scope(document, collection, turn)
    ids = list(scope.ids)
    for _, found in desk.ranked(Scope(collections=scope.collections), words, _SEARCHED):
        ids += [each for each, _, _ in found]
    places: list[QuoteHit] = []
    complete = not scope.waiting
    for n, each in enumerate(dict.fromkeys(ids)):
        if len(places) == limit:
            break
        if turn.left <= 0:
            complete = False
            break
        turn.note(n, len(ids), "looking for the words")
        places += _standing(desk, words, each, limit - len(places))
    if places:
        result = QuoteResult(places=places, complete=complete, notes=scope.notes)
        lines = [f"{n}. {hit_lines(each)}" for n, each in enumerate(places, start=1)]
        return ToolOutcome("\n".join([*lines, *result.notes]), result)
    near = _nearest(desk, words, _likeliest(desk, words, scope, ids))
    result = QuoteResult(
        places=[],
        nearest=near and near[0],
        likeness=near and round(near[1], 3),
        differences=differences(words, near[0].quote) if near else [],
        complete=complete,
        notes=scope.notes,
    )
    return ToolOutcome("\n".join([*nowhere_lines(words, result), *result.notes]), result)


def verify(
    desk: Desk, turn: Turn, citations: Sequence[Mapping[str, str]]
) -> ToolOutcome[VerifyResult]:
    """Return for each cite and quote whether the words stand there."""
    outcomes = []
    for n, each in enumerate(citations):
        turn.note(n, len(citations), "checking")
        outcomes.append(_checked(desk, turn, each["cite"], each["quote"]))
    lines = [f"{n}. {outcome_line(each)}" for n, each in enumerate(outcomes, start=1)]
    return ToolOutcome("\n".join(lines), VerifyResult(outcomes=outcomes))


def _standing(desk: Desk, words: str, document_id: str, limit: int) -> list[QuoteHit]:
    found = desk.service.quote(words, documents=[document_id], limit=limit)
    return [_hit(desk, document_id, span, locations) for _, span, locations in found]


def _hit(desk: Desk, document_id: str, span: Span, locations: Sequence[Location] = ()) -> QuoteHit:
    text = desk.service.text(document_id)
    locations = locations or desk.service.locate(document_id, span.start, span.end)
    heading = desk.service.heading(document_id, span.start, span.end)
    name = desk.library.name(document_id)
    before = text[max(0, span.start - CONTEXT) : span.start].rpartition("\x0c")[2]
    if span.start > CONTEXT and " " in before:
        before = before[before.index(" ") :]
    after = text[span.end : span.end + CONTEXT].partition("\x0c")[0]
    if span.end + CONTEXT < len(text) and " " in after:
        after = after[: after.rindex(" ")]
    return QuoteHit(
        **cited_place(document_id, name, span, locations, heading),
        quote=span.of(text),
        context=one_spaced(f"{before}«{cut(span.of(text))}»{after}"),
        locations=word_places(locations),
    )


def _likeliest(desk: Desk, words: str, scope: Scope, ids: Sequence[str]) -> list[str]:
    """Return the documents in which words most likely stand in another form."""
    ranked = [
        document_id
        for _, found in desk.ranked(Scope(scope.ids), words, _SEARCHED)
        for document_id, _, _ in found
    ]
    return list(dict.fromkeys([*ranked, *ids]))[:_COMPARED]


def _nearest(desk: Desk, words: str, ids: Sequence[str]) -> tuple[QuoteHit, float] | None:
    found = []
    for each in ids:
        near = desk.service.nearest(words, each)
        if near is not None:
            found.append((near.likeness, each, near.span))
    if not found:
        return None
    likeness, document_id, span = max(found)
    return _hit(desk, document_id, span), likeness


def _checked(desk: Desk, turn: Turn, cite: str, words: str) -> CheckedQuote:
    given: dict[str, Any] = {"cite": cite, "quote": cut(words)}
    try:
        if turn.left <= 0:
            raise DeadlineError("time ran out before it was checked; check it again")
        digits, cited = parsed(cite)
        document_id = desk.library.find(digits, turn)
        text = desk.service.text(document_id)
    except DocqaError as error:
        return CheckedQuote(outcome="unknown", reason=str(error), **given)
    if document_id.startswith(digits):
        start, end = cited.start, min(cited.end, len(text))
        spans = quoted_spans(text[start:end], words, limit=1, ignore_case=False)
        if spans:
            span = Span(start + spans[0].start, start + spans[0].end)
            hit = _hit(desk, document_id, span)
            return CheckedQuote(outcome="exact", found=[hit], **given)
    spans = quoted_spans(text, words, limit=_ELSEWHERE, ignore_case=False)
    if spans:
        found = [_hit(desk, document_id, span) for span in spans]
        return CheckedQuote(outcome="elsewhere", found=found, **given)
    near = _nearest(desk, words, [document_id])
    if near is None:
        return CheckedQuote(outcome="missing", **given)
    return CheckedQuote(
        outcome="altered",
        found=[near[0]],
        differences=differences(words, near[0].quote),
        **given,
    )
