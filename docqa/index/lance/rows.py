"""Documents as Lance keeps them: the columns, documents as rows, filters as its SQL.

Each passage is a row. What belongs to the document (its facts, labels and body) stands on the row
of its first passage. Columns are kept apart, so a query that does not name one does not read it,
and one version of one table holds everything.

One row more, the turn, has no passage. Every commit replaces it, so that of two commits at the same
time one finds its row gone and starts again. Lance itself lets both add the same new key.

Tables that docqa 0.1 made before its release have two columns more (`n_terms`, `n_names`), and a
mark in front of each text of terms. Both are ignored, and stay empty in new rows.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from docqa.index.contract import Labels, StoredDocument, StoredPassage, Where
from docqa.index.surrogates import escape_surrogates, unescape_surrogates

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = [
    "PASSAGES",
    "condition",
    "document_of",
    "facts_of",
    "key_of",
    "labels_of",
    "one_of",
    "quoted",
    "schema",
    "table_of",
    "terms_of",
]

PASSAGES = "number >= 0"
"""Holds for every row but the turn."""

_TURN = ""  # the key of no document
_OLD_MARK = "\x01"


def table_of(documents: Iterable[StoredDocument], commit: str, columns: pa.Schema) -> pa.Table:
    """Return the rows of a commit: those of the documents' passages, and the turn.

    Args:
        documents: the documents to write.
        commit: 32 hexadecimal digits, of this commit alone.
        columns: those of the table; they are at least those of `schema`.
    """
    import pyarrow as pa

    turn = {"key": _TURN, "generation": commit, "number": -1}
    rows = [turn, *(row for document in documents for row in _rows(document))]
    return pa.Table.from_pylist(rows, schema=columns)


def schema() -> pa.Schema:
    """Return the columns."""
    import pyarrow as pa

    text, count = pa.string(), pa.int32()
    columns: dict[str, pa.DataType] = {
        **{"key": text, "generation": text, "number": count, "first": pa.bool_()},
        **{"terms": text, "names": text},
        **{"boilerplate": pa.bool_(), "document_id": text, "folders": pa.list_(text)},
        **{"media_type": text, "title": text, "date": pa.int64(), "metadata": pa.list_(text)},
        **{"passage_body": pa.large_binary(), "facts": text, "document_body": pa.large_binary()},
    }
    return pa.schema(list(columns.items()))


def _rows(document: StoredDocument) -> Iterator[dict[str, Any]]:
    labels = asdict(document.labels)
    shared = {
        **labels,
        "key": escape_surrogates(document.key),
        "generation": document.generation,
        "folders": [escape_surrogates(folder) for folder in document.labels.folders],
        "media_type": escape_surrogates(document.labels.media_type),
        "title": escape_surrogates(document.labels.title),
        "metadata": _entries(document.labels.metadata),
        "names": " ".join(document.names),
    }
    for at, passage in enumerate(document.passages):
        is_first = at == 0
        yield {
            **shared,
            "number": passage.number,
            "first": is_first,
            "terms": " ".join(passage.terms),
            "boilerplate": passage.boilerplate,
            "passage_body": passage.body,
            "facts": escape_surrogates(document.facts) if is_first else None,
            "document_body": document.body if is_first else None,
        }


def document_of(rows: Iterable[Mapping[str, Any]]) -> StoredDocument | None:
    """Return the document that all rows of one key make up; None without rows."""
    ordered = sorted(rows, key=lambda row: int(row["number"]))
    if not ordered:
        return None
    first = next(row for row in ordered if row["first"])
    return StoredDocument(
        key=key_of(first),
        generation=first["generation"],
        labels=labels_of(first),
        names=terms_of(first["names"]),
        facts=facts_of(first),
        body=first["document_body"],
        passages=tuple(
            StoredPassage(
                row["number"], terms_of(row["terms"]), row["passage_body"], row["boilerplate"]
            )
            for row in ordered
        ),
    )


def terms_of(text: str) -> tuple[str, ...]:
    """Return the terms of a column's text.

    >>> terms_of("oil lamp oil"), terms_of("")
    (('oil', 'lamp', 'oil'), ())
    """
    terms = tuple(text.split(" ")) if text else ()
    return terms[1:] if terms[:1] == (_OLD_MARK,) else terms


def key_of(row: Mapping[str, Any]) -> str:
    """Return the key of a row's document."""
    return unescape_surrogates(row["key"])


def facts_of(row: Mapping[str, Any]) -> str:
    """Return the facts of a document, from the row of its first passage."""
    return unescape_surrogates(row["facts"])


def labels_of(row: Mapping[str, Any]) -> Labels:
    """Return the labels of a row's document."""
    return Labels(
        document_id=row["document_id"],
        folders=tuple(unescape_surrogates(folder) for folder in row["folders"]),
        media_type=unescape_surrogates(row["media_type"]),
        title=unescape_surrogates(row["title"]),
        date=row["date"],
        metadata=dict(json.loads(entry) for entry in row["metadata"]),
    )


def condition(where: Where) -> str:
    """Return the SQL that holds for the passages of the documents for which `where` holds.

    >>> condition(Where(title="It's"))
    "number >= 0 AND title = 'It''s'"
    """
    parts = [PASSAGES]
    if where.keys:
        parts.append(one_of("key", where.keys))
    if where.folder is not None:
        parts.append(f"array_has(folders, {quoted(where.folder)})")
    if where.media_type is not None:
        parts.append(f"media_type = {quoted(where.media_type)}")
    if where.title is not None:
        parts.append(f"title = {quoted(where.title)}")
    if where.since is not None:
        parts.append(f"date >= {int(where.since)}")
    if where.until is not None:
        parts.append(f"date < {int(where.until)}")
    parts += [f"array_has(metadata, {quoted(entry)})" for entry in _entries(where.metadata)]
    return " AND ".join(parts)


def one_of(column: str, values: Iterable[str]) -> str:
    """Return the SQL that holds where a column has one of these values, at least one.

    >>> one_of("key", ["a", "b"])
    "key IN ('a', 'b')"
    """
    return f"{column} IN ({', '.join(quoted(value) for value in values)})"


def quoted(text: str) -> str:
    """Return a text, as rows have it, in SQL; a quote is doubled and nothing else means anything.

    >>> quoted("it's")
    "'it''s'"
    """
    return "'" + escape_surrogates(text).replace("'", "''") + "'"


def _entries(metadata: Mapping[str, str]) -> list[str]:
    """Return the user's entries, each as one text that no other entry has."""
    return [json.dumps(pair) for pair in sorted(metadata.items())]
