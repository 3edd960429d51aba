"""How fast a batch is on one machine's cores: alone, in processes, and on a Ray cluster.

    python tests/benchmarks/ray_speed.py [documents] [questions]

Documents are articles of SQuAD dev (DOCQA_DATA), questions are drawn from all of them, so most are
not answered in most documents, as in a real search. Every way writes the same file, which is
checked. The cluster is Ray's own test cluster: a head without processors and a node for every core,
all on this machine, so no more than the cores can be gained, and Ray's own cost is seen.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from docqa.batch.job import BatchJob
from docqa.batch.questions import numbered
from docqa.batch.targets import BatchSource, Documents
from docqa.workers.pool import LocalPool, Pool
from docqa.workers.process_pool import ProcessPool

_STORE = 200 << 20  # bytes of each node's object store


def make_documents(folder: Path, count: int) -> tuple[list[BatchSource], list[str]]:
    """Write articles as text files; return them and all their questions."""
    data = json.loads(
        (Path(os.environ["DOCQA_DATA"]) / "dev/squad-dev-v1.1.json").read_text("utf-8")
    )["data"]
    sources, questions = [], []
    for number in range(count):
        article = data[number % len(data)]
        text = "\n\n".join(paragraph["context"] for paragraph in article["paragraphs"])
        path = folder / f"{number:04}.txt"
        path.write_text(f"{article['title']} {number}\n\n{text}\n", encoding="utf-8")
        sources.append(BatchSource(str(path)))
        questions += [asked["question"] for part in article["paragraphs"] for asked in part["qas"]]
    return sources, questions


def ray_pool(workers: int) -> tuple[Pool, Callable[[], None]]:
    """Return a pool on a fresh cluster of `workers` nodes, and the function that ends it."""
    from ray.cluster_utils import Cluster

    from docqa.workers.ray_pool import RayPool

    head = {"num_cpus": 0, "object_store_memory": _STORE, "include_dashboard": False}
    cluster = Cluster(initialize_head=True, head_node_args=head)
    for _ in range(workers):
        cluster.add_node(num_cpus=1, object_store_memory=_STORE)
    return RayPool(cluster.address), cluster.shutdown


def timed(
    name: str, pool: Pool, sources: list[BatchSource], questions: list[str], out: Path
) -> float:
    """Print and return how long a job takes, from its start to its last outcome."""
    began, first = time.perf_counter(), 0.0
    with BatchJob(numbered(questions), Documents(sources), out, pool=pool) as job:
        for _ in job.run():
            first = first or time.perf_counter() - began
    seconds = time.perf_counter() - began
    rate = len(sources) * len(questions) / seconds
    print(f"| {name} | {first:.1f} | {seconds:.1f} | {rate:.1f} |", flush=True)
    return seconds


def main() -> None:
    n_documents, n_questions = (int(given) for given in [*sys.argv[1:3], "40", "16"][:2])
    cores = len(os.sched_getaffinity(0))
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "docs").mkdir()
        sources, questions = make_documents(folder / "docs", n_documents)
        asked = questions[:: max(1, len(questions) // n_questions)][:n_questions]
        print(f"{len(sources)} documents, {len(asked)} questions, {cores} cores\n")
        print("| way | first outcome, s | all, s | outcomes a second |")
        print("|---|---|---|---|")
        ways: list[tuple[str, Callable[[], tuple[Pool, Callable[[], None]]]]] = [
            ("this process", lambda: (LocalPool(), lambda: None)),
            (f"{cores} processes", lambda: (ProcessPool(cores), lambda: None)),
            ("Ray, 1 node of 1 core", lambda: ray_pool(1)),
            (f"Ray, {cores} nodes of 1 core", lambda: ray_pool(cores)),
        ]
        files: list[bytes] = []
        for title, opened in ways:
            pool, close = opened()
            out = folder / f"{len(files)}.jsonl"
            try:
                timed(title, pool, sources, asked, out)
            finally:
                close()
            files.append(out.read_bytes())
        print(f"\nfiles that differ from the first: {sum(file != files[0] for file in files)}")


if __name__ == "__main__":
    main()
