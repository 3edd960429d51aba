"""A check of everything that a collection stores."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from docqa.collection.packing import unpack_document, unpack_passage
from docqa.collection.records import CollectedDocument
from docqa.errors import CollectionError
from docqa.index.analysis import terms
from docqa.index.contract import Snapshot, StoredDocument, Where
from docqa.index.memory import ranked_text

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


def check(snapshot: Snapshot) -> CheckReport:
    """Return the problems of a snapshot: every document is looked at, and its passages counted."""
    problems: list[str] = []
    n_documents = n_passages = 0
    for each in snapshot.documents(Where()):
        n_documents += 1
        try:
            document = snapshot.document(each.key)
            if document is None:
                problems.append(f"{each.key}: it is listed, and not there")
                continue
            n_passages += len(document.passages)
            if document.generation != each.generation:
                problems.append(f"{each.key}: it has two generations")
            problems += (f"{each.key}: {problem}" for problem in _problems(document))
        except CollectionError as error:
            message = str(error)
            problems.append(message if each.key in message else f"{each.key}: {message}")
    if n_passages != snapshot.n_passages:
        problems.append(
            f"{snapshot.n_passages:,} passages are stored, {n_passages:,} belong to documents"
        )
    return CheckReport(n_documents, n_passages, tuple(problems))


def _problems(document: StoredDocument) -> Iterator[str]:
    facts = CollectedDocument.from_json(document.facts)
    if facts.key != document.key:
        yield f"its facts are those of {facts.key}"
    numbers = [passage.number for passage in document.passages]
    if numbers != list(range(facts.n_passages)):
        yield f"{len(numbers):,} passages are there where {facts.n_passages:,} belong"
    text = unpack_document(document.body).text
    if len(text) != facts.n_characters:
        yield f"{len(text):,} characters are there where {facts.n_characters:,} belong"
    for stored in document.passages:
        passage = unpack_passage(stored.body, facts.id).passage
        if passage.span.of(text) != passage.text or passage.number != stored.number:
            yield f"passage {stored.number} is not the document's"
        elif tuple(terms(ranked_text(passage))) != stored.terms:
            yield f"passage {stored.number} is filed under other words"
