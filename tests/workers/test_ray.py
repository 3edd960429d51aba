"""Work on a real Ray cluster on this machine: a head and two nodes, one of which is killed."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from worker_jobs import Meeting, Squares, die_at_3, fail_at_3

from docqa.batch.job import BatchJob
from docqa.batch.questions import numbered
from docqa.batch.targets import BatchSource, Documents
from docqa.errors import ClusterError, DocqaError
from docqa.workers.ray_pool import RayPool

ray = pytest.importorskip("ray", reason="Ray is not installed: pip install docqa-exact[ray]")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="Ray's clusters in one machine need POSIX"),
    pytest.mark.filterwarnings("ignore"),  # Ray leaves sockets and processes to the interpreter
]

_STORE = 80 << 20  # bytes; Ray takes no less
_SYSTEM = {"health_check_initial_delay_ms": 0, "health_check_period_ms": 1000}


class Machines:
    """A cluster whose head does no work, and whose nodes have one processor each."""

    def __init__(self) -> None:
        from ray.cluster_utils import Cluster

        head = {"num_cpus": 0, "object_store_memory": _STORE, "include_dashboard": False}
        self._cluster = Cluster(
            initialize_head=True, head_node_args={**head, "_system_config": _SYSTEM}
        )
        self.address: str = self._cluster.address
        self.nodes: list[Any] = []
        self.have(2)

    @property
    def pool(self) -> RayPool:
        return RayPool(self.address)

    def have(self, count: int) -> None:
        while len(self.nodes) < count:
            self.nodes.append(self._cluster.add_node(num_cpus=1, object_store_memory=_STORE))

    def kill_one(self) -> None:
        """End a machine as a power cut does."""
        self._cluster.remove_node(self.nodes.pop(), allow_graceful=False)

    def close(self) -> None:
        self._cluster.shutdown()


@pytest.fixture(scope="module")
def machines() -> Iterator[Machines]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join(str(Path(path).resolve()) for path in sys.path))
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        opened = Machines()
        yield opened
        opened.close()


@pytest.fixture(autouse=True)
def _two_nodes(machines: Machines) -> None:
    machines.have(2)


def lost(number: int, error: DocqaError) -> int:
    assert "ended" in str(error)
    return -number


def make_documents(folder: Path, count: int) -> list[BatchSource]:
    for number in range(count):
        text = f"The lamp of tower {number} burns {number + 20} litres of oil a week.\n"
        (folder / f"{number:02}.txt").write_text(text)
    (folder / "broken.pdf").write_bytes(b"no PDF")
    return [BatchSource(str(path)) for path in sorted(folder.iterdir())]


def answer(sources: list[BatchSource], out: Path, **settings: Any) -> Iterator[Any]:
    questions = numbered(["How much oil does the lamp burn?", "Who left?"])
    with BatchJob(questions, Documents(sources), out, **settings) as job:
        yield from job.run()


def test_results_come_in_order_from_all_machines(machines: Machines, tmp_path: Path) -> None:
    """There is one worker for each processor, and who is first does not matter."""
    found = list(machines.pool.run(Meeting(tmp_path, 2), range(30), on_lost=lost))
    assert found == [number * number for number in range(30)]
    assert len(list(tmp_path.glob("worker-*"))) == 2


def test_a_machine_that_is_lost_costs_nothing_but_time(machines: Machines, tmp_path: Path) -> None:
    """Killed with items under way, a node loses and doubles no result."""
    found = []
    for result in machines.pool.run(Squares(tmp_path, 0.2), range(30), on_lost=lost):
        found.append(result)
        if len(found) == 6:
            machines.kill_one()
    assert found == [number * number for number in range(30)]


def test_a_batch_is_the_same_as_on_one_machine(machines: Machines, tmp_path: Path) -> None:
    """Scores, places, errors and order, with a node killed in mid-work: byte for byte."""
    (tmp_path / "docs").mkdir()
    sources = make_documents(tmp_path / "docs", 16)
    here, there = tmp_path / "here.jsonl", tmp_path / "there.jsonl"
    list(answer(sources, here))
    for number, _ in enumerate(answer(sources, there, pool=machines.pool)):
        if number == 3:
            machines.kill_one()
    assert there.read_bytes() == here.read_bytes()


def test_an_item_that_ends_its_workers_is_given_up_alone(machines: Machines) -> None:
    """All others come out, those that waited behind it too."""
    found = list(machines.pool.run(die_at_3, range(7), on_lost=lost))
    assert found == [0, 1, 4, -3, 16, 25, 36]


def test_what_the_work_raises_reaches_the_caller(machines: Machines) -> None:
    """The exception is the work's own."""
    with pytest.raises(ValueError, match="3 is refused"):
        list(machines.pool.run(fail_at_3, range(9), on_lost=lost))


def test_a_cluster_that_is_not_there_is_said_so() -> None:
    """An address at which nobody listens fails at once, with what to do."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        pool = RayPool(f"127.0.0.1:{unused.getsockname()[1]}")
        with pytest.raises(ClusterError, match="no Ray cluster can be reached"):
            list(pool.run(abs, range(3), on_lost=lost))


def test_a_cluster_without_room_is_said_so(machines: Machines, tmp_path: Path) -> None:
    """Work that needs more than any machine has does not wait for ever."""
    pool = RayPool(machines.address, cpus_per_worker=64, patience=1.0)
    with pytest.raises(ClusterError, match="no worker could start within 1 seconds"):
        list(pool.run(Squares(tmp_path), range(3), on_lost=lost))


def test_a_collection_is_the_same_as_on_one_machine(machines: Machines, tmp_path: Path) -> None:
    """Documents that are loaded on a cluster are stored as those that are loaded here."""
    pytest.importorskip("tantivy")
    import docqa

    (tmp_path / "docs").mkdir()
    make_documents(tmp_path / "docs", 6)
    here = docqa.Collection(tmp_path / "here")
    there = docqa.Collection(tmp_path / "there", pool=machines.pool)
    for collection in (here, there):
        changes = collection.add(tmp_path / "docs")
        assert (len(changes.added), len(changes.failed)) == (6, 1)
    assert [(each.key, each.id, each.stamp is not None) for each in there.documents()] == [
        (each.key, each.id, True) for each in here.documents()
    ]
    question = "How much oil does the lamp of tower 3 burn?"
    assert there.ask(question) == here.ask(question)
    assert there.sync(tmp_path / "docs").added == ()
