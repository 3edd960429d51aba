"""Read a collection's folder as one commit left it."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from itertools import chain
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING

from docqa.errors import StoredDocumentError
from docqa.index.contract import DocumentFacts, Query, StoredDocument, StoredHit, Where
from docqa.index.ranking import RawHit, best_hits
from docqa.index.surrogates import escape_surrogates, unescape_surrogates
from docqa.index.tantivy.errors import translated_errors
from docqa.index.tantivy.schema import body_of, facts_of, labels_of, metadata_term, passage_of

if TYPE_CHECKING:
    import tantivy

__all__ = ["TantivySnapshot", "body_path"]


@dataclass(frozen=True, slots=True)
class _Read:
    """A stored passage that is whole: a damaged one must not rank where it does not belong."""

    key: str
    generation: str
    number: int
    boilerplate: bool
    body: bytes


def _read(record: tantivy.Document) -> _Read:
    body = body_of(record)
    return _Read(
        _key(record),
        record.get_first("generation"),
        _number(record),
        bool(record.get_first("boilerplate")),
        body,
    )


class TantivySnapshot:
    """One commit of a collection; a `Snapshot`. Threads may share it.

    Args:
        schema: of the index.
        searcher: sees that commit.
        folder: the collection's.
    """

    def __init__(self, schema: tantivy.Schema, searcher: tantivy.Searcher, folder: Path) -> None:
        self._schema, self._searcher = schema, searcher
        self._folder, self._bodies = folder, folder / "documents"

    @property
    def n_passages(self) -> int:
        """Return the number of passages."""
        count: int = self._searcher.num_docs
        return count

    def search(self, query: Query) -> list[StoredHit]:
        """Return the best passages: scores above 0 and falling, ties by key and number.

        Raises:
            CollectionError: the index is damaged.
        """
        if not query.terms or not self.n_passages:
            return []
        with self._reading():
            return self._best(query)

    def _best(self, query: Query) -> list[StoredHit]:
        asked = self._scored(query)
        kept: dict[tuple[int, int], _Read] = {}

        def fetch(limit: int) -> Sequence[RawHit[_Read]]:
            found = self._searcher.search(asked, min(limit, self.n_passages), count=False).hits
            return [self._raw(score, place, kept) for score, place in found]

        best = best_hits(fetch, top_k=query.top_k, boilerplate_weight=query.boilerplate_weight)
        return [
            StoredHit(hit.key, hit.row.generation, hit.number, hit.score, hit.row.body)
            for hit in best
        ]

    def documents(self, where: Where | None = None) -> Iterator[DocumentFacts]:
        """Yield the entries of the documents, ordered by key."""
        with self._reading():
            found = [
                DocumentFacts(_key(record), record.get_first("generation"), facts_of(record))
                for record in self._first(where or Where())
            ]
        yield from sorted(found, key=attrgetter("key"))

    def body(self, key: str, generation: str) -> bytes:
        """Return a document's body.

        Raises:
            StoredDocumentError: that generation is gone.
        """
        try:
            return body_path(self._bodies, key, generation).read_bytes()
        except OSError as error:
            raise StoredDocumentError(
                f"{key} is no longer stored in {self._bodies} as it was found: it was replaced and "
                "cleaned up since; ask again (or, if that does not help, index it again)",
                key=key,
            ) from error

    def document(self, key: str) -> StoredDocument | None:
        """Return a document as it was written, passages in order; None where there is none."""
        found = self.without_body(key)
        return None if found is None else replace(found, body=self.body(key, found.generation))

    def without_body(self, key: str) -> StoredDocument | None:
        """Return a document as it was written, but with an empty body."""
        with self._reading():
            return self._without_body(key)

    def _without_body(self, key: str) -> StoredDocument | None:
        records = sorted(self._found(self._term("key", escape_surrogates(key))), key=_number)
        if not records:
            return None
        first = records[0]
        names = first.get_first("names")
        return StoredDocument(
            key=key,
            generation=first.get_first("generation"),
            labels=labels_of(first),
            names=tuple(names.split(" ")) if names else (),
            facts=facts_of(first),
            body=b"",
            passages=tuple(passage_of(record) for record in records),
        )

    def _reading(self) -> AbstractContextManager[None]:
        return translated_errors(str(self._folder), "cannot be read")

    def _first(self, where: Where) -> Iterator[tantivy.Document]:
        """Yield the record of each document's first passage, in no order."""
        yield from self._found(self._all_of([self._term("first", 1), *self._conditions(where)]))

    def _found(self, query: tantivy.Query) -> Iterator[tantivy.Document]:
        if self.n_passages:
            hits = self._searcher.search(query, self.n_passages, count=False).hits
            yield from (self._record(place) for _, place in hits)

    def _record(self, place: tantivy.DocAddress) -> tantivy.Document:
        """Return a stored passage, which is whole."""
        record = self._searcher.doc(place)
        body_of(record)
        return record

    def _raw(
        self, score: float, place: tantivy.DocAddress, kept: dict[tuple[int, int], _Read]
    ) -> RawHit[_Read]:
        at = place.segment_ord, place.doc
        read = kept.get(at)
        if read is None:
            read = kept[at] = _read(self._searcher.doc(place))
        return RawHit(read.key, read.number, score, read.boilerplate, read)

    def _scored(self, query: Query) -> tantivy.Query:
        """Return the query that scores the terms and, weighed, the names."""
        import tantivy

        weights = {"terms": 1.0, "names": query.name_weight}
        parts = [
            tantivy.Query.boost_query(self._term(field, term), weight * times)
            for field, weight in weights.items()
            for term, times in Counter(query.terms).items()
            if weight
        ]
        asked = tantivy.Query.boolean_query([(tantivy.Occur.Should, part) for part in parts])
        conditions = self._conditions(query.where)
        return self._all_of([asked, *conditions]) if conditions else asked

    def _conditions(self, where: Where) -> list[tantivy.Query]:
        """Return the conditions of a filter, which add nothing to the score."""
        import tantivy

        native = tantivy.Query
        same = {"folder": where.folder, "media_type": where.media_type, "title": where.title}
        exact = [
            self._term(name, escape_surrogates(value))
            for name, value in same.items()
            if value is not None
        ]
        entries = [
            self._term("metadata", metadata_term(*pair)) for pair in sorted(where.metadata.items())
        ]
        found = list(chain(exact, entries))
        if where.keys:
            keys = [escape_surrogates(key) for key in where.keys]
            found.append(native.term_set_query(self._schema, "key", keys))
        if where.since is not None or where.until is not None:
            found.append(
                native.range_query(
                    self._schema,
                    "date",
                    tantivy.FieldType.Integer,
                    where.since,
                    where.until,
                    include_upper=where.until is None,
                )
            )
        return [native.const_score_query(condition, 0.0) for condition in found]

    def _term(self, field: str, value: object) -> tantivy.Query:
        import tantivy

        option = "freq" if field in ("terms", "names") else "basic"
        return tantivy.Query.term_query(self._schema, field, value, option)

    def _all_of(self, queries: Sequence[tantivy.Query]) -> tantivy.Query:
        import tantivy

        return tantivy.Query.boolean_query([(tantivy.Occur.Must, query) for query in queries])


def body_path(bodies: Path, key: str, generation: str) -> Path:
    """Return the file of a document's body, in the folder of bodies."""
    name = hashlib.sha256(f"{generation} {key}".encode("utf-8", "surrogatepass")).hexdigest()
    return bodies / name[:2] / name


def _key(record: tantivy.Document) -> str:
    return unescape_surrogates(record.get_first("key"))


def _number(record: tantivy.Document) -> int:
    number: int = record.get_first("number")
    return number
