"""Run one process of the test of shared storage: a writer, a reader or a compactor.

``python s3_processes.py ROLE ADDRESS NUMBER SECONDS`` works for SECONDS (a reader, a
compactor) and prints what it saw as one line of JSON.
"""

from __future__ import annotations

import json
import random
import sys
import time
from collections import Counter
from itertools import count
from types import SimpleNamespace

from docqa.errors import CollectionError
from docqa.index.contract import Labels, Query, StoredDocument, StoredPassage
from docqa.index.lance import errors as lance_errors
from docqa.index.lance.store import LanceStore

N_DOCUMENTS = 6  # of each writer, and as many again that all writers replace
N_PASSAGES = 8  # at most, in a document


def made_document(key: str, turn: int, writer: int) -> StoredDocument:
    """Return a document whose passages all say which turn of which writer wrote them."""
    generation = f"{writer:04x}{turn:028x}"
    size = 2 + turn % (N_PASSAGES - 1)
    body = f"{generation} {size}".encode()
    passages = (StoredPassage(number, ("oil", f"n{number}"), body) for number in range(size))
    return StoredDocument(key, generation, Labels(key), ("log",), "{}", body, tuple(passages))


def write(store: LanceStore, writer: int, seconds: float) -> dict[str, object]:
    """Replace documents until the time is over; return the last acknowledged turn of each."""
    chance, acknowledged, slowest = random.Random(writer), {}, 0.0
    waits: list[float] = []
    lance_errors.time = SimpleNamespace(sleep=lambda wait: (waits.append(wait), time.sleep(wait)))
    end = time.monotonic() + seconds
    for turn in count(1):
        if time.monotonic() > end:
            break
        own = chance.random() < 0.7
        key = f"/{writer if own else 'all'}/{chance.randrange(N_DOCUMENTS)}"
        began = time.monotonic()
        with store.writer() as changes:
            changes.replace(made_document(key, turn, writer))
            changes.commit()
        slowest = max(slowest, time.monotonic() - began)
        acknowledged[key] = turn
    return {
        "commits": turn - 1,
        "acknowledged": acknowledged,
        "slowest": slowest,
        "retried": len(waits),
    }


def read(store: LanceStore, seconds: float) -> dict[str, object]:
    """Search and read until the time is over; count what was torn and what failed."""
    seen, times = Counter(reads=0, torn=0, errors=0), []
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            snapshot = store.snapshot()
            began = time.monotonic()
            hits = snapshot.search(Query(["oil"], 10_000))
            times.append(time.monotonic() - began)
            seen["reads"] += 1
            seen["torn"] += n_torn(hits)
        except CollectionError:
            seen["errors"] += 1
    return {**seen, "seconds": sorted(times)}


def n_torn(hits: list) -> int:  # type: ignore[type-arg]
    """Return how many documents are not whole, or of more than one generation."""
    found: dict[str, list] = {}  # type: ignore[type-arg]
    for hit in hits:
        found.setdefault(hit.key, []).append(hit)
    return sum(
        {f"{hit.generation} {len(group)}".encode() for hit in group} != {group[0].body}
        or {hit.body for hit in group} != {group[0].body}
        for group in found.values()
    )


def compact(store: LanceStore, seconds: float) -> dict[str, object]:
    """Compact again and again until the time is over."""
    seen = Counter(compactions=0, errors=0)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            store.compact()
            seen["compactions"] += 1
        except CollectionError:
            seen["errors"] += 1
        time.sleep(0.2)
    return dict(seen)


def main(role: str, address: str, number: str, seconds: str) -> None:
    store = LanceStore(address)
    store.exists()  # imports LanceDB: not counted
    acts = {
        "write": lambda: write(store, int(number), float(seconds)),
        "read": lambda: read(store, float(seconds)),
        "compact": lambda: compact(store, float(seconds)),
    }
    print(json.dumps({"role": role, "number": int(number), **acts[role]()}))  # noqa: T201


if __name__ == "__main__":
    main(*sys.argv[1:])
