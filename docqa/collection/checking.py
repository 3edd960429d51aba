"""A check of everything that a collection stores."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from docqa.collection.commits import read_failures
from docqa.collection.packing import unpack_document, unpack_passage
from docqa.collection.records import CollectedDocument, labels_of
from docqa.collection.search import one_document
from docqa.collection.settings import collection_settings, require_collection
from docqa.errors import CollectionError, StoredDocumentError
from docqa.index.analysis import terms
from docqa.index.contract import Snapshot, Store, StoredDocument, Where
from docqa.index.memory import ranked_text
from docqa.index.name_terms import name_terms

__all__ = ["CheckReport", "check"]


@dataclass(frozen=True, slots=True)
class CheckReport:
    """The result of a check.

    Attributes:
        n_documents, n_passages: numbers of those that were looked at.
        problems: one line each; empty where all is right.
    """

    n_documents: int
    n_passages: int
    problems: tuple[str, ...]

    def __bool__(self) -> bool:
        """Say whether all is right."""
        return not self.problems


def check(store: Store) -> CheckReport:
    """Return the problems of a collection: its files, and each document with its passages.

    Raises:
        CollectionError: there is no collection.
    """
    require_collection(store)
    problems: list[str] = []
    try:
        problems += store.problems(_body_problem)
        read_failures(store)
        collection_settings(store)
    except CollectionError as error:
        problems.append(str(error))
    try:
        n_documents, n_passages = _check_documents(store.snapshot(), problems)
    except CollectionError as error:
        n_documents = n_passages = 0
        problems.append(str(error))
    return CheckReport(n_documents, n_passages, tuple(dict.fromkeys(problems)))


def _body_problem(body: bytes) -> str | None:
    try:
        unpack_document(body)
    except CollectionError as error:
        return str(error)
    return None


def _check_documents(snapshot: Snapshot, problems: list[str]) -> tuple[int, int]:
    """Look at every document; return their number and that of their passages."""
    n_documents = n_passages = 0
    for each in snapshot.documents(Where()):
        n_documents += 1
        try:
            with one_document(each.key):
                document = snapshot.document(each.key)
                if document is None:
                    problems.append(f"{each.key}: it is listed, and not there")
                    continue
                n_passages += len(document.passages)
                if document.generation != each.generation:
                    problems.append(f"{each.key}: it has two generations")
                problems += (f"{each.key}: {problem}" for problem in _problems(document))
        except StoredDocumentError as error:
            problems.append(str(error))
    if n_passages != snapshot.n_passages:
        problems.append(
            f"{snapshot.n_passages:,} passages are stored, {n_passages:,} belong to documents"
        )
    return n_documents, n_passages


def _problems(document: StoredDocument) -> Iterator[str]:
    facts = CollectedDocument.from_json(document.facts)
    if facts.key != document.key:
        yield f"its facts are those of {facts.key}"
    names = name_terms(facts.source, facts.title)
    if (document.labels, document.names) != (labels_of(facts), names):
        yield "it is filed under other names or labels"
    numbers = [passage.number for passage in document.passages]
    if numbers != list(range(facts.n_passages)):
        yield f"{len(numbers):,} passages are there where {facts.n_passages:,} belong"
    text = unpack_document(document.body).text
    if len(text) != facts.n_characters:
        yield f"{len(text):,} characters are there where {facts.n_characters:,} belong"
    for stored in document.passages:
        passage = unpack_passage(stored.body, facts.id).passage
        own = (passage.number, passage.boilerplate)
        if passage.span.of(text) != passage.text or own != (stored.number, stored.boilerplate):
            yield f"passage {stored.number} is not the document's"
        elif tuple(terms(ranked_text(passage))) != stored.terms:
            yield f"passage {stored.number} is filed under other words"
