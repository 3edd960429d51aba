"""What stands in the index of a cluster: its settings, and documents and passages as records.

A document is a record for each passage, one for its body (which is large, and read alone) and one
for the rest. All records of one writing of a document share an edition, a new random name, and the
number of the commit that wrote them; see `docqa.index.opensearch.head` for how these say what is
seen.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from docqa.index.encodable import decoded, encodable
from docqa.index.store import DocumentFacts, Labels, StoredDocument, StoredPassage

__all__ = [
    "LARGEST_PAGE",
    "index_body",
    "key_of",
    "metadata_term",
    "records",
    "stored_document",
    "stored_facts",
    "stored_passage",
    "unpacked",
]

LARGEST_PAGE = 1_000_000
"""Hits that one request may ask for."""
# Lucene takes terms of 32,766 bytes at most; a character has four.
_LONGEST_TERM = 8191
# Stands in the place of no terms at all: Lucene counts only what has a term of the field.
_NO_TERMS = "\ue000"


def index_body(shards: int, replicas: int | None) -> dict[str, Any]:
    """Return settings and mappings of the index that holds documents and passages.

    Terms come analysed, with spaces between them. Refreshing is left to commits. Deleted records
    leave no trace in the scores once `expunge_deletes` ran, so no share of them is allowed then.
    """
    text = {"type": "text", "analyzer": "terms", "index_options": "freqs", "similarity": "BM25"}
    label = {"type": "keyword", "ignore_above": _LONGEST_TERM}
    settings: dict[str, Any] = {
        "number_of_shards": shards,
        "refresh_interval": "-1",
        "max_result_window": LARGEST_PAGE,
        "replication.type": "DOCUMENT",  # a refresh is seen on every copy
        "merge.policy.expunge_deletes_allowed": 0,
        "analysis": {
            "tokenizer": {"spaces": {"type": "whitespace", "max_token_length": _LONGEST_TERM}},
            "analyzer": {"terms": {"type": "custom", "tokenizer": "spaces"}},
        },
    }
    if replicas is not None:
        settings["number_of_replicas"] = replicas
    properties = {
        **{name: {"type": "keyword"} for name in ("kind", "key", "generation", "edition")},
        **{name: {"type": "long"} for name in ("commit", "number", "date")},
        **dict.fromkeys(("media_type", "title", "folders", "metadata"), label),
        "text": text,
        "names": text,
        "kept": {"type": "object", "enabled": False},
    }
    return {
        "settings": {"index": settings},
        "mappings": {"dynamic": "strict", "properties": properties},
    }


def records(document: StoredDocument, edition: str, commit: int) -> Iterator[dict[str, Any]]:
    """Yield the records of a document, each with its id under ``_id``."""
    labels = document.labels
    shared = {
        "key": encodable(document.key),
        "generation": document.generation,
        "edition": edition,
        "commit": commit,
        "media_type": encodable(labels.media_type),
        "title": encodable(labels.title),
        "folders": [encodable(folder) for folder in labels.folders],
        "metadata": [metadata_term(*each) for each in labels.metadata.items()],
        **({} if labels.date is None else {"date": labels.date}),
    }
    names = _joined(document.names)
    for passage in document.passages:
        yield {
            "_id": f"{edition}-{passage.number}",
            "kind": "passage",
            **shared,
            "number": passage.number,
            "text": _joined(passage.terms),
            "names": names,
            "kept": {"body": _packed(passage.body), "boilerplate": passage.boilerplate},
        }
    body = {"body": _packed(document.body)}
    yield {"_id": f"{edition}-body", "kind": "body", **shared, "kept": body}
    kept = {
        "facts": encodable(document.facts),
        "names": list(document.names),
        "labels": labels.to_json(),
    }
    yield {"_id": edition, "kind": "document", **shared, "kept": kept}


def metadata_term(name: str, value: str) -> str:
    """Return the term of an entry of the user's metadata; no two entries share one.

    >>> metadata_term("year", "2024")
    '["year", "2024"]'
    """
    return encodable(json.dumps([name, value], ensure_ascii=False))


def key_of(source: Mapping[str, Any]) -> str:
    """Return the key of a record's document."""
    return decoded(source["key"])


def stored_facts(source: Mapping[str, Any]) -> DocumentFacts:
    """Return what lists of documents show of the one that a record holds."""
    return DocumentFacts(key_of(source), source["generation"], decoded(source["kept"]["facts"]))


def stored_passage(source: Mapping[str, Any]) -> StoredPassage:
    """Return the passage that a record holds."""
    text, kept = source["text"], source["kept"]
    terms = () if text == _NO_TERMS else tuple(text.split(" "))
    return StoredPassage(source["number"], terms, unpacked(kept["body"]), kept["boilerplate"])


def stored_document(
    source: Mapping[str, Any], body: bytes, passages: Sequence[StoredPassage]
) -> StoredDocument:
    """Return the document that a record, its body and its passages hold."""
    kept = source["kept"]
    return StoredDocument(
        key_of(source),
        source["generation"],
        Labels.from_json(kept["labels"]),
        tuple(kept["names"]),
        stored_facts(source).facts,
        body,
        tuple(passages),
    )


def unpacked(text: str) -> bytes:
    """Return the bytes that stand in a record as base64."""
    return base64.b64decode(text)


def _packed(body: bytes) -> str:
    return base64.b64encode(body).decode("ascii")


def _joined(terms: Sequence[str]) -> str:
    return " ".join(terms) or _NO_TERMS
