"""Questions and searches of agents."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from docqa.datamodel import Answer, Location, Span
from docqa.errors import QuestionError
from docqa.mcp_server.desk import Desk, Scope, ToolOutcome
from docqa.mcp_server.results import (
    AnswerQuote,
    AskResult,
    CitedPlace,
    PassageHit,
    SearchResult,
    cited_place,
    word_places,
)
from docqa.mcp_server.wording import CONTEXT, answer_lines, at, coverage_lines
from docqa.places import sentence_around
from docqa.service.requests import AskedItem, AskRequest

if TYPE_CHECKING:
    from docqa.mcp_server.turns import Turn

__all__ = ["ask", "search"]

_PASSAGE = 700  # characters of a passage that are shown


def ask(
    desk: Desk,
    turn: Turn,
    question: str,
    *,
    document: str | None = None,
    collection: str | None = None,
    top_k: int = 3,
    exhaustive: bool = False,
) -> ToolOutcome[AskResult]:
    """Return the answers to a question, best first."""
    scope = desk.scope(document, collection, turn)
    found: dict[str, tuple[AnswerQuote, str]] = {}
    notes, read, of, complete = scope.notes, 0, 0, not scope.waiting
    for item in _asked(desk, turn, question, scope, top_k=top_k, exhaustive=exhaustive):
        outcome, coverage = item.item, item.item.answers.coverage
        read, of = read + coverage.passages_read, of + coverage.passages_total
        complete &= item.complete
        if isinstance(outcome.error, QuestionError):
            raise outcome.error
        if outcome.error is not None:
            notes.append(f"{outcome.source}: {outcome.error}")
        notes += outcome.answers.warnings
        for answer in outcome.answers:
            name = answer.document.source
            if item.collection is None:
                name = desk.library.name(answer.document.id)
            quote = _answer_quote(answer, name, item.collection)
            found.setdefault(quote.cite, (quote, answer_lines(answer, name, quote.cite)))
    best = sorted(found.values(), key=lambda each: -each[0].score)[:top_k]
    answers = [quote for quote, _ in best]
    result = AskResult(answers=answers, read=read, of=of, complete=complete, notes=notes)
    text = [f"{n}. {lines}" for n, (_, lines) in enumerate(best, start=1)]
    return ToolOutcome("\n".join([*text, *coverage_lines(result, exhaustive=exhaustive)]), result)


def search(
    desk: Desk,
    turn: Turn,
    query: str,
    *,
    document: str | None = None,
    collection: str | None = None,
    top_k: int = 5,
) -> ToolOutcome[SearchResult]:
    """Return the passages that rank best for words."""
    scope = desk.scope(document, collection, turn)
    hits = []
    for name, found in desk.ranked(scope, query, top_k):
        for document_id, own_name, ranked in found:
            passage = ranked.passage
            locations: tuple[Location, ...] = ()
            called = own_name if name else desk.library.name(document_id)
            if name is None:  # of a collection's document the file would be opened first
                first = passage.span.start
                locations = desk.service.locate(document_id, first, first + 1)
            words = passage.text.strip()
            hit = PassageHit(
                **cited_place(document_id, called, passage.span, locations),
                text=words[:_PASSAGE],
                is_cut=len(words) > _PASSAGE,
                score=round(ranked.score, 3),
                collection=name,
            )
            hits.append((ranked.rank, -ranked.score, hit))
    best = [hit for _, _, hit in sorted(hits, key=lambda each: each[:2])][:top_k]
    result = SearchResult(passages=best, notes=scope.notes)
    lines = [
        f"{n}. {at(each)}\n{each.text}{' ...' if each.is_cut else ''}\n"
        for n, each in enumerate(best, start=1)
    ]
    return ToolOutcome(
        "\n".join([*(lines or ["no passage has these words"]), *result.notes]), result
    )


def _asked(
    desk: Desk, turn: Turn, question: str, scope: Scope, *, top_k: int, exhaustive: bool
) -> Iterator[AskedItem]:
    parts: list[dict[str, Any]] = [{"collection": name} for name in scope.collections]
    if scope.ids:
        parts.insert(0, {"documents": scope.ids})
    total, done = len(scope.ids) + len(scope.collections), 0
    for n, part in enumerate(parts):
        request = AskRequest(
            (question,),
            **part,
            top_k=top_k,
            exhaustive=exhaustive,
            deadline=max(0.05, turn.left / (len(parts) - n)),
            stop=turn.stop,
        )
        for item in desk.service.ask_items(request):
            done += 1
            turn.note(done, total, f"read {item.item.source}")
            yield item


def _answer_quote(answer: Answer, name: str, collection: str | None) -> AnswerQuote:
    document_id, span = answer.document.id, Span(answer.start, answer.end)
    return AnswerQuote(
        **cited_place(document_id, name, span, answer.locations, answer.heading),
        quote=answer.text,
        score=round(answer.score, 4),
        calibrated=answer.reader is not None and answer.reader.calibrated,
        collection=collection,
        context="".join(sentence_around(answer, most=CONTEXT)),
        locations=word_places(answer.locations),
        occurrences=[
            CitedPlace(**cited_place(document_id, name, Span(each.start, each.end), each.locations))
            for each in answer.occurrences[:10]
        ],
    )
