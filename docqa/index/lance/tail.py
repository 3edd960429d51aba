"""Hold the passages that Lance's text index does not have.

Those are the ones written since it was last brought up to date. Some more may be missing: where a
commit meets a compaction, Lance 13 (LanceDB 0.40) sometimes calls a file indexed of which the index
lacks rows. So the index is asked what it has; what it says of itself is not relied on.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from docqa.index.contract import Labels, Where
from docqa.index.lance.rows import key_of, labels_of, terms_of

__all__ = ["Tail"]


class Tail:
    """Hold passages in memory and find those that have a term.

    Args:
        rows: of the passages.
    """

    def __init__(self, rows: Sequence[dict[str, Any]]) -> None:
        self.rows = rows
        self.ids = frozenset(row["_rowid"] for row in rows)
        self._labels: dict[str, Labels] = {}
        self._postings: dict[str, dict[str, list[int]]] = {
            field: _postings([row[field] for row in rows]) for field in ("terms", "names")
        }

    def frequency(self, field: str, term: str) -> int:
        """Return in how many passages a field has a term."""
        return len(self._postings[field].get(term, ()))

    def found(self, terms: Sequence[str], fields: Sequence[str]) -> Iterator[dict[str, Any]]:
        """Yield the passages that have one of the terms in one of the fields."""
        postings = [self._postings[field].get(term, ()) for field in fields for term in terms]
        for at in sorted({at for numbers in postings for at in numbers}):
            yield self.rows[at]

    def holds(self, where: Where, row: dict[str, Any]) -> bool:
        """Say whether a passage is of a document that is asked."""
        if not where:
            return True
        labels = self._labels.get(row["key"])
        if labels is None:
            labels = self._labels[row["key"]] = labels_of(row)
        return where.holds(key_of(row), labels)


def _postings(texts: Sequence[str]) -> dict[str, list[int]]:
    found: defaultdict[str, list[int]] = defaultdict(list)
    for at, text in enumerate(texts):
        for term in set(terms_of(text)):
            found[term].append(at)
    return dict(found)
