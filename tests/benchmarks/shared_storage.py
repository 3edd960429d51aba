"""Measure a collection on shared storage: costs of each step, and many processes at once.

``python tests/benchmarks/shared_storage.py [--seconds 60] [--documents 100]`` needs LanceDB and
moto. The S3 API is moto's server on this machine: figures hold for no other storage, its numbers of
requests and of conflicts do.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "helpers"))

import lancedb
from s3_processes import made_document, n_torn
from s3_server import s3_environment, start

from docqa.index.contract import Labels, Query, Store, StoredDocument, StoredPassage
from docqa.index.lance.snapshot import LanceSnapshot
from docqa.index.lance.store import LanceStore

WORDS = [f"word{rank}" for rank in range(20_000)]
WEIGHTS = [1 / (rank + 10) for rank in range(20_000)]


def written(number: int, chance: random.Random, n_passages: int = 100) -> StoredDocument:
    """Return a document of random words, 60 to 160 in a passage, with bodies of 1,000 bytes."""
    texts = (chance.choices(WORDS, WEIGHTS, k=chance.randint(60, 160)) for _ in range(n_passages))
    passages = (
        StoredPassage(at, tuple(terms), chance.randbytes(1_000)) for at, terms in enumerate(texts)
    )
    generation = f"{chance.getrandbits(128):032x}"
    body = chance.randbytes(60_000)
    key = f"/filings/{number:05}.pdf"
    return StoredDocument(
        key, generation, Labels(key), (f"filing{number}",), "{}", body, tuple(passages)
    )


def seconds(act: Callable[[], object]) -> float:
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


def median(act: Callable[[], object], times: int) -> float:
    return statistics.median(seconds(act) for _ in range(times))


def replace(store: Store, *documents: StoredDocument) -> None:
    with store.writer() as writer:
        for document in documents:
            writer.replace(document)
        writer.commit()


def search(store: Store, chance: random.Random) -> None:
    terms = chance.choices(WORDS[50:], WEIGHTS[50:], k=6)
    store.snapshot().search(Query(terms, 10, name_weight=0.5))


def costs(address: str, n_documents: int) -> None:
    """Print what each step takes in a collection of `n_documents` documents."""
    chance, store = random.Random(0), LanceStore(address)
    store.create()
    documents = [written(number, chance) for number in range(n_documents)]
    batches = [documents[first : first + 50] for first in range(0, n_documents, 50)]
    rows = [
        (
            "write all, 50 documents a commit, s",
            seconds(lambda: [replace(store, *b) for b in batches]),
        )
    ]
    rows.append(("first compact, s", seconds(store.compact)))
    full = store.size()
    reader = LanceStore(address)
    rows.append(("open and first query, ms", 1e3 * seconds(lambda: search(reader, chance))))
    rows.append(("query p50, ms", 1e3 * median(lambda: search(reader, chance), 40)))
    news = iter([written(number, chance) for number in range(20)])
    rows.append(
        ("replace one document, p50, ms", 1e3 * median(lambda: replace(store, next(news)), 20))
    )
    rows.append(("first query after it, ms", 1e3 * seconds(lambda: search(reader, chance))))
    rows.append(
        ("query p50 after 20 replaces, ms", 1e3 * median(lambda: search(reader, chance), 20))
    )
    grown = store.size()
    rows.append(("compact, s", seconds(store.compact)))
    rows.append(("query p50 after that, ms", 1e3 * median(lambda: search(reader, chance), 20)))
    print(f"\n{address}: {store.snapshot().n_passages} passages")
    for name, value in rows:
        print(f"  {name:36} {value:10.2f}")
    if full and grown:
        sizes = [f"{size / 1e6:.0f}" for size in (full, grown, store.size() or 0)]
        print(f"  MB: compacted, 20 replaces later, compacted again: {', '.join(sizes)}")


def together(address: str, duration: float) -> None:
    """Print what two writers, two readers and a compactor saw at the same time."""
    LanceStore(address).create()
    roles = [("write", 1), ("write", 2), ("read", 1), ("read", 2), ("compact", 1)]
    running = [start(role, address, number, duration) for role, number in roles]
    reports = [json.loads(process.communicate(timeout=duration + 300)[0]) for process in running]
    writers, readers, compactor = reports[:2], reports[2:4], reports[4]
    snapshot = LanceStore(address).snapshot()
    keys = {key for one in writers for key in one["acknowledged"]}
    lost = sum(
        snapshot.document(key)
        not in [
            made_document(key, one["acknowledged"][key], one["number"])
            for one in writers
            if key in one["acknowledged"]
        ]
        for key in keys
    )
    times = sorted(value for one in readers for value in one["seconds"])
    print(f"\n{address}: two writers, two readers, a compactor, {duration:.0f} s")
    print(f"  commits {sum(one['commits'] for one in writers)}, documents {len(keys)}, lost {lost}")
    print(f"  tried again after a conflict {sum(one['retried'] for one in writers)} times")
    print(f"  slowest commit {max(one['slowest'] for one in writers):.2f} s")
    torn, errors = (sum(one[name] for one in readers) for name in ("torn", "errors"))
    print(f"  reads {len(times)}, torn {torn}, errors {errors}", end=", ")
    print(f"p50 {1e3 * statistics.median(times):.0f} ms")
    print(f"  compactions {compactor['compactions']}, given up {compactor['errors']}")
    print(f"  torn at the end {n_torn(snapshot.search(Query(['oil'], 10_000)))}")


def every_version(address: str) -> None:
    """Print how many versions of a collection, all that are left, are torn when searched."""
    connection = lancedb.connect(address.removeprefix("lance://"))
    numbers = [version["version"] for version in connection.open_table("passages").list_versions()]
    torn = searched = 0
    for number in numbers:
        table = connection.open_table("passages")
        table.checkout(number)
        if len(table.list_indices()) < 2:  # the collection was being made
            continue
        hits = LanceSnapshot(table, address).search(Query(["oil"], 10_000))
        in_table = table.count_rows("number >= 0")
        searched += 1
        torn += n_torn(hits) > 0 or len(hits) != in_table
    print(f"  versions searched {searched}, torn {torn}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--documents", type=int, default=100)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        costs(f"lance://{folder}/kb", given.documents)
        together(f"lance://{folder}/together", given.seconds)
        every_version(f"lance://{folder}/together")
    with s3_environment() as variables:
        os.environ.update(variables)
        costs("s3://bucket/costs", given.documents)
        together("s3://bucket/together", given.seconds)
        every_version("s3://bucket/together")


if __name__ == "__main__":
    main()
