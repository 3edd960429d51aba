"""Questions of a caller, and their outcomes one by one."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from docqa.asking.settings import at_least_1, share
from docqa.datamodel import GridItem
from docqa.errors import SettingError
from docqa.index.contract import Where

__all__ = ["AskOutcome", "AskRequest", "AskedItem"]

_MOST_QUESTIONS = 200
_MOST_ANSWERS = 200


@dataclass(frozen=True, slots=True)
class AskRequest:
    """Questions to some documents, or to one collection.

    Attributes:
        questions: in words.
        documents: their ids; empty for all uploaded ones, where no collection is named.
        collection: its name; None for documents.
        where: which documents of the collection.
        top_k: the number of answers of each item, at most.
        min_score: answers with a lower score are left out; None for the service's threshold.
        top_passages: the number of passages that are read for a question; None for the usual one.
        exhaustive: read all passages instead.
        deadline: seconds that it may take; None for the service's, which is the most as well.
        stop: set by the caller to end it with the best so far.

    Raises:
        SettingError: there is no question, or too many; or a setting is out of its range.
    """

    questions: tuple[str, ...]
    documents: tuple[str, ...] = ()
    collection: str | None = None
    where: Where = field(default_factory=Where)
    top_k: int = 1
    min_score: float | None = None
    top_passages: int | None = None
    exhaustive: bool = False
    deadline: float | None = None
    stop: threading.Event = field(default_factory=threading.Event, compare=False)

    def __post_init__(self) -> None:
        if not self.questions:
            raise SettingError("there is no question; give at least one")
        if len(self.questions) > _MOST_QUESTIONS:
            raise SettingError(
                f"{len(self.questions)} questions are too many for one request; ask at most "
                f"{_MOST_QUESTIONS}, or use docqa batch"
            )
        if self.documents and self.collection is not None:
            raise SettingError("name documents or a collection, not both")
        at_least_1("top_k", self.top_k)
        if self.top_k > _MOST_ANSWERS:
            raise SettingError(f"top_k must be at most {_MOST_ANSWERS}, not {self.top_k}")
        if self.min_score is not None:
            share("min_score", self.min_score)
        if self.top_passages is not None:
            at_least_1("top_passages", self.top_passages)
        if self.deadline is not None and not self.deadline > 0:
            raise SettingError(f"deadline must be above 0 seconds, not {self.deadline}")


@dataclass(frozen=True, slots=True)
class AskedItem:
    """The outcome of one question to one document or to a collection.

    Attributes:
        item: the outcome, with names in place of paths of the machine.
        collection: the collection's name, or None for a document.
        complete: all was read that was to be read; else these are the best answers so far.
    """

    item: GridItem
    collection: str | None = None
    complete: bool = True


@dataclass(frozen=True, slots=True)
class AskOutcome:
    """All outcomes of a request, in order."""

    items: tuple[AskedItem, ...]
