"""Documents that tell their generation in every sentence, so that a torn one shows.

For trials of collections: a process that changes one and may be killed at any moment, and what
another sees afterwards. The text of a document follows from its name and generation alone, so what
is stored can be compared with what must be there.
"""

from __future__ import annotations

import json
import os
import random
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from docqa.collection.collection import Collection
from docqa.collection.packing import unpack_document, unpack_passage
from docqa.errors import DocqaError
from docqa.index.contract import Snapshot, StoredDocument
from docqa.index.opening import open_store
from docqa.pipeline import Pipeline
from docqa.testing import FakeReader

_MARK = re.compile(r"\b([a-z]+)q([a-j]+)q\b")
_WORDS = [
    "the",
    "keeper",
    "fills",
    "lamp",
    "oil",
    "wind",
    "rain",
    "ship",
    "light",
    "week",
    "log",
    "lens",
    "tower",
    "harbour",
]
GONE = 0
"""The generation of a document that is not there."""


def mark_of(name: str, generation: int) -> str:
    """Return a word that no other document and no other generation has; one term.

    >>> mark_of("one", 20)
    'oneqcaq'
    """
    return f"{name}q{''.join('abcdefghij'[int(digit)] for digit in str(generation))}q"


def text_of(name: str, generation: int) -> str:
    """Return the text of a document: 5 to 60 sentences, each with the mark of its generation.

    Args:
        name: of letters but q.
        generation: from 1.
    """
    chance = random.Random(f"{name} {generation}")
    mark = mark_of(name, generation)
    sentences = (
        f"Line {number} has {mark} and {' '.join(chance.choices(_WORDS, k=9))}."
        for number in range(chance.randint(5, 60))
    )
    return "\n".join(sentences)


def write_source(folder: Path, name: str, generation: int) -> Path:
    """Write a document's file."""
    path = folder / f"{name}.txt"
    path.write_text(text_of(name, generation), encoding="utf-8")
    return path


def collection_in(address: Path) -> Collection:
    """Return a collection that needs no weights."""
    return Collection(address, pipeline=Pipeline(reader=FakeReader()))


class Journal:
    """Write down what a writer is about to do and what was acknowledged; each line lasts."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("a", encoding="ascii")

    def begins(self, change: dict[str, int]) -> None:
        """Write the generations that a change is about to give documents."""
        self._write("begins", change)

    def acknowledged(self, change: dict[str, int]) -> None:
        """Write that the change was made."""
        self._write("acknowledged", change)

    def _write(self, what: str, change: dict[str, int]) -> None:
        self._file.write(json.dumps([what, change]) + "\n")
        self._file.flush()
        os.fsync(self._file.fileno())


@dataclass
class Expected:
    """The documents that may be there after a kill.

    Attributes:
        last: the last acknowledged generation of each document.
        begun: what changes that were not acknowledged since may have made of documents.
        n_acknowledged: changes.
    """

    last: dict[str, int] = field(default_factory=dict)
    begun: dict[str, set[int]] = field(default_factory=dict)
    n_acknowledged: int = 0

    def may_be(self, name: str) -> set[int]:
        """Return the generations that a document may have."""
        return {self.last.get(name, GONE)} | self.begun.get(name, set())


def expected(journal: Path) -> Expected:
    """Return the promises of a journal."""
    found = Expected()
    for line in journal.read_text("ascii").splitlines() if journal.exists() else ():
        what, change = json.loads(line)
        if what == "begins":
            for name, generation in change.items():
                found.begun.setdefault(name, set()).add(generation)
        else:
            found.last |= change
            found.begun = {name: of for name, of in found.begun.items() if name not in change}
            found.n_acknowledged += 1
    return found


def generation_of(document: StoredDocument) -> int:
    """Return the one generation of a stored document.

    Raises:
        ValueError: it has several, or is not what was written.
    """
    name = Path(document.key).stem
    texts = [unpack_passage(passage.body, "id").passage.text for passage in document.passages]
    text = unpack_document(document.body).text
    found = {match for one in (*texts, text) for match in _MARK.findall(one)}
    if len(found) != 1 or {mark[0] for mark in found} != {name}:
        raise ValueError(f"{document.key}: torn: {sorted(found)}")
    generation = int("".join(str("abcdefghij".index(letter)) for letter in found.pop()[1]))
    if text != text_of(name, generation):
        raise ValueError(f"{document.key}: its text is not that of generation {generation}")
    return generation


def generations(snapshot: Snapshot) -> dict[str, int]:
    """Return the generation of every document.

    Raises:
        ValueError: one is torn.
    """
    found = {}
    for facts in snapshot.documents():
        document = snapshot.document(facts.key)
        if document is None:
            raise ValueError(f"{facts.key}: it is listed, and not there")
        found[Path(facts.key).stem] = generation_of(document)
    return found


def problems_after_kill(address: Path, journal: Path) -> list[str]:
    """Return the faults of a collection whose writer was killed; each begins with its kind.

    A collection need not be there before the first acknowledgement.
    """
    promised = expected(journal)
    collection = collection_in(address)
    if not collection.exists():
        return ["lost: the whole collection"] if promised.last else []
    try:
        report = collection.check() if _is_made(address) else None
        found = generations(open_store(address).snapshot())
    except DocqaError as error:
        return [f"unopenable: {error}"]
    except ValueError as error:
        return [str(error)]
    problems = [f"torn: {each}" for each in (report.problems if report else ())]
    for name in sorted({*found, *promised.last, *promised.begun}):
        if found.get(name, GONE) not in promised.may_be(name):
            problems.append(
                f"lost: {name} is of generation {found.get(name, GONE)}, not of "
                f"{sorted(promised.may_be(name))}"
            )
    return problems + list(_not_found(collection, found))


def _is_made(address: Path) -> bool:
    return open_store(address).read_note("collection") is not None


def _not_found(collection: Collection, there: dict[str, int]) -> Iterator[str]:
    for name, generation in there.items():
        hits = collection.search(mark_of(name, generation), top_k=1000)
        (facts,) = [each for each in collection.documents() if Path(each.key).stem == name]
        if {hit.document.key for hit in hits} != {facts.key} or len(hits) != facts.n_passages:
            yield f"unsearchable: {name} of generation {generation}"


def problems_of_next_writer(address: Path, folder: Path) -> list[str]:
    """Return the faults that the next writer meets; it adds a document and removes it again."""
    probe = write_source(folder, "probe", 1)
    collection = collection_in(address)
    try:
        collection.add(probe)
        if generations(open_store(address).snapshot()).get("probe") != 1:
            return ["unwritable: what was added is not there"]
        collection.remove(probe)
    except DocqaError as error:
        return [f"unwritable: {error}"]
    probe.unlink()
    return []


def change_at_random(
    address: Path, folder: Path, journal: Path, *, seed: int, names: Iterable[str], compacts: float
) -> None:
    """Replace, remove and add documents until the process is killed.

    Args:
        address: of the collection.
        folder: of the sources.
        journal: goes on from what it says.
        seed: of the choices.
        names: of the documents.
        compacts: share of the changes that compact instead.
    """
    chance, known = random.Random(seed), expected(journal)
    last = {name: max(known.may_be(name)) for name in names}
    written, collection = Journal(journal), collection_in(address)
    newest = max(last.values()) + 1
    if known.begun:  # its files may be new already, and the next `sync` would see them
        again = dict.fromkeys(known.begun, newest)
        written.begins(again)
        collection.add([write_source(folder, name, newest) for name in again])
        written.acknowledged(again)
        last |= again
    while True:
        if chance.random() < compacts and collection.exists():
            collection.compact()
            continue
        newest += 1
        chosen = chance.sample(sorted(last), chance.randint(1, 3))
        removed = chance.random() < 0.25 and all(last[name] for name in chosen)
        change = dict.fromkeys(chosen, GONE if removed else newest)
        written.begins(change)
        if removed:
            collection.remove([folder / f"{name}.txt" for name in chosen])
        elif chance.random() < 0.5:
            collection.add([write_source(folder, name, newest) for name in chosen])
        else:
            _sync(collection, folder, last, change)
        written.acknowledged(change)
        last |= change


def _sync(
    collection: Collection, folder: Path, last: dict[str, int], change: dict[str, int]
) -> None:
    """Write new files and synchronise; the files of removed documents are gone by then."""
    for name, generation in last.items():
        if generation == GONE:
            (folder / f"{name}.txt").unlink(missing_ok=True)
    for name, generation in change.items():
        write_source(folder, name, generation)
    collection.sync(folder)


def prepare(folder: Path, is_made: bool) -> None:
    """Write three sources, and a collection of older ones and a replaced one where asked."""
    sources = folder / "sources"
    sources.mkdir(parents=True)
    journal, collection = Journal(folder / "journal"), collection_in(folder / "kb")
    for generation in (1, 2) if is_made else ():
        change = dict.fromkeys(("one", "two", "three"), generation)
        for name in change:
            write_source(sources, name, generation)
        collection.sync(sources)
        journal.acknowledged(change)


def makes(folder: Path) -> None:
    """Make a collection of one document."""
    journal = Journal(folder / "journal")
    source = write_source(folder / "sources", "one", 1)
    journal.begins({"one": 1})
    collection_in(folder / "kb").add(source)
    journal.acknowledged({"one": 1})


def syncs(folder: Path) -> None:
    """Bring a collection up to date with a new, a changed and a vanished file."""
    sources, journal = folder / "sources", Journal(folder / "journal")
    change = {"one": 3, "two": GONE, "four": 3}
    journal.begins(change)
    write_source(sources, "one", 3)
    write_source(sources, "four", 3)
    (sources / "two.txt").unlink()
    collection_in(folder / "kb").sync(sources)
    journal.acknowledged(change)


def compacts(folder: Path) -> None:
    """Compact a collection in which documents were replaced."""
    collection_in(folder / "kb").compact()
