"""Readers of a collection that another process changes, and what they see."""

from __future__ import annotations

import random
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from generations import (
    change_at_random,
    collection_in,
    expected,
    generations,
    mark_of,
    text_of,
)
from killing import in_fresh_process, started

from docqa.collection.collection import Collection
from docqa.errors import CollectionError, DocqaError
from docqa.index.opening import open_store

__all__ = ["Reads", "read_during"]

NAMES = ["one", "two", "three", "four", "five", "six"]


@dataclass(frozen=True)
class Reads:
    """Count what a reader did and what was wrong.

    Attributes:
        views: snapshots of which every document was looked at.
        searches, questions: through the collection.
        torn: views with a document that is not whole, or of several generations.
        stale: views older than what was acknowledged before.
        errors: what was raised, one line each.
    """

    views: int = 0
    searches: int = 0
    questions: int = 0
    torn: int = 0
    stale: int = 0
    errors: tuple[str, ...] = ()

    def __add__(self, other: Reads) -> Reads:
        return Reads(
            *(getattr(self, name) + getattr(other, name) for name in Reads.__dataclass_fields__)
        )

    @property
    def is_wrong(self) -> bool:
        """Return whether a promise is broken."""
        return bool(self.torn or self.stale or self.errors)


def read_during(
    folder: Path, *, seconds: float, n_readers: int, compacts: float
) -> tuple[int, list[Reads]]:
    """Let readers read while a writer writes; return the number of commits, and what they saw."""
    address, sources, journal = folder / "kb", folder / "sources", folder / "journal"
    sources.mkdir()
    with started(
        change_at_random, address, sources, journal, seed=1, names=NAMES, compacts=compacts
    ) as writer:
        while writer.is_alive() and not expected(journal).n_acknowledged:
            time.sleep(0.01)
        with ThreadPoolExecutor(n_readers) as threads:
            found = list(
                threads.map(
                    lambda seed: in_fresh_process(
                        read_along, address, journal, seconds, seed, seconds=seconds + 120
                    ),
                    range(n_readers),
                )
            )
        if not writer.is_alive():
            raise RuntimeError("the writer has ended by itself")
    return expected(journal).n_acknowledged, found


def read_along(address: Path, journal: Path, seconds: float, seed: int) -> Reads:
    """Read a collection in turn by snapshot, search and question."""
    collection, chance = collection_in(address), random.Random(seed)
    total, end = Reads(), time.monotonic() + seconds
    while time.monotonic() < end:
        for read in (_view, _search, _question):
            try:
                total += read(collection, journal, chance)
            except DocqaError as error:
                total += Reads(errors=(f"{read.__name__}: {error}",))
    return total


def _view(collection: Collection, journal: Path, chance: random.Random) -> Reads:
    """Look at every document of one snapshot; where it was compacted meanwhile, at a newer one."""
    del chance
    promised = expected(journal)
    snapshot = open_store(collection.address).snapshot()
    try:
        found = generations(snapshot)
    except CollectionError as error:
        if "cleaned up" in str(error):  # bodies of an older state: as `ask` does, once more
            return Reads()
        raise
    except ValueError as error:
        return Reads(views=1, torn=1, errors=(str(error),))
    older = [name for name, last in promised.last.items() if _is_older(found, name, last)]
    return Reads(views=1, stale=bool(older))


def _is_older(found: dict[str, int], name: str, last: int) -> bool:
    """Return whether a document is older than the one acknowledged before."""
    return name in found and found[name] < last


def _search(collection: Collection, journal: Path, chance: random.Random) -> Reads:
    """Search for words of many documents: the passages of each are of one generation."""
    del journal, chance
    hits = collection.search("lamp oil", top_k=200)
    seen: dict[str, set[str]] = {}
    for hit in hits:
        name = Path(hit.document.key).stem
        words = hit.passage.text.split()
        seen.setdefault(name, set()).update(
            word for word in words if word.startswith(f"{name}q") and word.endswith("q")
        )
    return Reads(searches=1, torn=sum(len(marks) > 1 for marks in seen.values()))


def _question(collection: Collection, journal: Path, chance: random.Random) -> Reads:
    """Ask for a line of a document: the answer stands where it is said to stand."""
    name = chance.choice(NAMES)
    generation = expected(journal).last.get(name) or 1
    answers = collection.ask(f"Which line has {mark_of(name, generation)}?", min_score=0.0)
    for answer in answers:
        own = Path(answer.document.source).stem
        (mark,) = {word for word in answer.passage.text.split() if word.startswith(f"{own}q")}
        number = "".join(str("abcdefghij".index(letter)) for letter in mark[len(own) + 1 : -1])
        if text_of(own, int(number))[answer.start : answer.end] != answer.text:
            return Reads(questions=1, torn=1)
    return Reads(questions=1)
