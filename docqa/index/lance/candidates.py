"""Ask Lance for the passages that may be the best, and tell when they are enough."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from docqa.index.contract import Query
from docqa.index.lance.rows import key_of, terms_of
from docqa.index.ranking import RawHit

if TYPE_CHECKING:
    from docqa.index.lance.scores import PassageScorer

__all__ = ["best_of", "is_complete", "lance_query", "raw_hit"]

# A byte keeps a length to within an eighth, so no passage scores more than this times Lance's score
# where Lance's statistics are up to date; where they are not, what the candidates show is taken.
_BYTE_GAIN = 9 / 8


def lance_query(query: Query, scorer: PassageScorer) -> Any:
    """Return the query by which Lance finds candidates; None where no term is anywhere."""
    from lancedb.query import BooleanQuery, MatchQuery, Occur

    own = [term for term in query.terms if term in scorer.own.weights]
    names = [term for term in query.terms if term in scorer.names.weights]
    parts = [MatchQuery(" ".join(own), "terms")] if own else []
    if names:
        parts.append(MatchQuery(" ".join(names), "names", boost=query.name_weight))
    if len(parts) < 2:
        return parts[0] if parts else None
    return BooleanQuery([(Occur.SHOULD, part) for part in parts])


def is_complete(hits: Sequence[RawHit], rows: Sequence[dict[str, Any]], limit: int) -> bool:
    """Say whether no passage that was not fetched can be among the best `limit`."""
    if len(hits) < limit:
        return False
    gains = (hit.score / hit.place["_score"] for hit in hits)  # type: ignore[index]
    reach = max(_BYTE_GAIN, *gains) * float(rows[-1]["_score"])
    return bool(best_of(hits, limit)[-1].score > reach)


def best_of(hits: Sequence[RawHit], limit: int) -> list[RawHit]:
    """Return the best hits, ties by key and number."""
    return sorted(hits, key=lambda hit: (-hit.score, hit.key, hit.number))[:limit]


def raw_hit(row: dict[str, Any], scorer: PassageScorer) -> RawHit:
    """Return a row as a hit with docqa's score; its place is the row."""
    score = scorer.score(terms_of(row["terms"]), terms_of(row["names"]))
    return RawHit(key_of(row), row["number"], score, row["boilerplate"], row)
