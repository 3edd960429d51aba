"""Passages as tantivy keeps them: the fields, and the record of a passage."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from docqa.index.contract import Labels, StoredDocument, StoredPassage
from docqa.index.seals import sealed, unsealed
from docqa.index.surrogates import escape_surrogates, unescape_surrogates
from docqa.index.tantivy.errors import DamageError

if TYPE_CHECKING:
    import tantivy

__all__ = [
    "TERMS",
    "body_of",
    "facts_of",
    "labels_of",
    "metadata_term",
    "passage_of",
    "passage_record",
    "schema",
]

_TEXTS = ("key", "generation", "number", "boilerplate")
_BYTES = ("facts", "labels")
TERMS = "terms"  # the analyser of fields that come as terms with spaces between them


def schema() -> tantivy.Schema:
    """Return the fields of a passage.

    `terms` and `names` are counted; the others, unless stored alone, are matched letter for letter.
    `first` is 1 on a document's first passage, which has its `facts` and `labels`.
    """
    import tantivy

    builder = tantivy.SchemaBuilder()
    builder.add_text_field("terms", stored=True, tokenizer_name=TERMS, index_option="freq")
    builder.add_text_field("names", stored=True, tokenizer_name=TERMS, index_option="freq")
    for name, stored in (("key", True), ("generation", True), ("folder", False)):
        builder.add_text_field(name, stored=stored, tokenizer_name="raw", index_option="basic")
    for name in ("media_type", "title", "metadata"):
        builder.add_text_field(name, tokenizer_name="raw", index_option="basic")
    builder.add_integer_field("date", indexed=True, fast=True)
    builder.add_integer_field("number", stored=True)
    builder.add_integer_field("boilerplate", stored=True)
    builder.add_integer_field("first", indexed=True)
    for name in ("facts", "labels", "body"):
        builder.add_bytes_field(name, stored=True)
    return builder.build()


def passage_record(document: StoredDocument, passage: StoredPassage) -> tantivy.Document:
    """Return a passage as tantivy keeps it."""
    import tantivy

    labels = document.labels
    is_first = passage is document.passages[0]
    fields: dict[str, Any] = {
        "terms": " ".join(passage.terms),
        "names": " ".join(document.names),
        "key": escape_surrogates(document.key),
        "generation": document.generation,
        "folder": [escape_surrogates(folder) for folder in labels.folders],
        "media_type": labels.media_type,
        "title": escape_surrogates(labels.title),
        "metadata": [metadata_term(*pair) for pair in sorted(labels.metadata.items())],
        "number": passage.number,
        "boilerplate": int(passage.boilerplate),
        "first": int(is_first),
    }
    if is_first:
        fields["facts"] = escape_surrogates(document.facts).encode("utf-8")
        fields["labels"] = labels.to_json().encode("ascii")
    fields["body"] = sealed(passage.body, _others(fields.get))
    if labels.date is not None:
        fields["date"] = labels.date
    return tantivy.Document(**fields)


def passage_of(record: tantivy.Document) -> StoredPassage:
    """Return the passage that a record keeps."""
    return StoredPassage(
        number=record.get_first("number"),
        terms=tuple(str(record.get_first("terms")).split(" ")) if record.get_first("terms") else (),
        body=body_of(record),
        boilerplate=bool(record.get_first("boilerplate")),
    )


def body_of(record: tantivy.Document) -> bytes:
    """Return the passage's body of a record.

    Raises:
        DamageError: it, or another field of the record, is not what was written.
    """
    try:
        return unsealed(bytes(record.get_first("body")), _others(record.get_first))
    except (ValueError, TypeError) as error:
        key = record.get_first("key")
        raise DamageError(f"the stored passage of {key}: {error}") from error


def _others(field: Callable[[str], Any]) -> bytes:
    """Return other fields of a record, over which the seal of its body is too.

    Terms and names are left out: they are only copied, and `docqa.collection.checking` makes them
    again from the text.
    """
    texts = "\n".join([str(field(name)) for name in _TEXTS]).encode("utf-8")
    return b"\n".join([texts, *[bytes(field(name) or b"") for name in _BYTES]])


def facts_of(record: tantivy.Document) -> str:
    """Return the facts that the record of a document's first passage keeps."""
    return unescape_surrogates(bytes(record.get_first("facts")).decode("utf-8"))


def labels_of(record: tantivy.Document) -> Labels:
    """Return the labels that the record of a document's first passage keeps."""
    return Labels.from_json(bytes(record.get_first("labels")).decode("ascii"))


def metadata_term(name: str, value: str) -> str:
    """Return an entry of the user's metadata as one term; no other entry has the same."""
    return json.dumps([name, value])
