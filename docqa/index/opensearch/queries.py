"""What is asked of a cluster: which records are seen, which documents are meant, how they rank."""

from __future__ import annotations

from collections import Counter
from typing import Any

from docqa.index.encodable import encodable
from docqa.index.opensearch.head import Head
from docqa.index.opensearch.records import metadata_term
from docqa.index.store import Query, Where

__all__ = ["filtered", "leftovers", "ranked"]

Body = dict[str, Any]


def filtered(head: Head, kind: str, *conditions: Body, where: Where | None = None) -> Body:
    """Return the query for all records of a kind that are seen, without scores.

    Args:
        head: says what is seen.
        kind: ``"document"``, ``"body"`` or ``"passage"``.
        conditions: filters that must hold, too.
        where: which documents are meant; all by default.
    """
    return {"bool": _conditions(head, kind, where or Where(), *conditions)}


def ranked(head: Head, query: Query, factor: float) -> Body:
    """Return the query that scores passages: their own terms, and the names of their documents.

    A term that the query repeats counts as often. Filters take no part in the scores.

    Args:
        head: says what is seen.
        query: what is searched.
        factor: multiplies the cluster's scores; see `docqa.index.opensearch.client.score_factor`.
    """
    weights = {"text": factor, "names": factor * query.name_weight}
    clauses = [
        {"term": {field: {"value": term, "boost": count * weight}}}
        for field, weight in weights.items()
        if weight > 0
        for term, count in Counter(query.terms).items()
    ]
    scored = {"should": clauses, "minimum_should_match": 1}
    return {"bool": {**scored, **_conditions(head, "passage", query.where)}}


def leftovers(head: Head) -> Body:
    """Return the query for what nobody will see: dead editions, and commits given up."""
    return {
        "bool": {
            "should": [
                {"terms": {"edition": list(head.dead)}},
                {"terms": {"commit": list(head.given_up)}},
            ],
            "minimum_should_match": 1,
        }
    }


def _conditions(head: Head, kind: str, where: Where, *conditions: Body) -> Body:
    seen = [{"term": {"kind": kind}}, {"range": {"commit": {"lt": head.next_number}}}]
    unseen = {"commit": sorted({*head.open, *head.given_up}), "edition": list(head.dead)}
    hidden = [{"terms": {field: values}} for field, values in unseen.items() if values]
    found: Body = {"filter": [*seen, *conditions, *_meant(where)]}
    return {**found, "must_not": hidden} if hidden else found


def _meant(where: Where) -> list[Body]:
    """Return the filters of a `Where`; one condition each."""
    same = {"folders": where.folder, "media_type": where.media_type, "title": where.title}
    exact = {field: encodable(value) for field, value in same.items() if value is not None}
    dates = {"gte": where.since, "lt": where.until}
    limits = {name: value for name, value in dates.items() if value is not None}
    return [
        *([{"terms": {"key": [encodable(key) for key in where.keys]}}] if where.keys else []),
        *({"term": {field: value}} for field, value in exact.items()),
        *([{"range": {"date": limits}}] if limits else []),
        *({"term": {"metadata": metadata_term(*each)}} for each in where.metadata.items()),
    ]
