"""A collection on shared storage that several processes begin at once."""

from __future__ import annotations

import importlib.util
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from s3_processes import made_document
from s3_server import s3_environment

from docqa.index.contract import Query
from docqa.index.lance.store import LanceStore

pytestmark = pytest.mark.skipif(
    not importlib.util.find_spec("lancedb"), reason="LanceDB is not installed: pip install lancedb"
)

if TYPE_CHECKING:
    from lancedb.db import DBConnection

N_WRITERS = 3
KEYS = [f"/{number}" for number in range(N_WRITERS)]


def tables_in(folder: Path) -> DBConnection:
    """Return LanceDB's own connection to the tables of a folder."""
    import lancedb

    return lancedb.connect(folder)


def begin_together(address: str) -> None:
    """Let writers that know nothing of each other make a collection, and write into it."""
    barrier = threading.Barrier(N_WRITERS)

    def begin(number: int) -> None:
        store = LanceStore(address)
        barrier.wait()
        if not store.exists():
            store.create()
        with store.writer() as writer:
            store.snapshot()
            writer.replace(made_document(KEYS[number], 1, 2))
            store.write_note(f"note {number}", "there")
            writer.commit()

    with ThreadPoolExecutor(N_WRITERS) as threads:
        list(threads.map(begin, range(N_WRITERS)))


def check_all_is_there(address: str) -> None:
    store = LanceStore(address)
    assert [each.key for each in store.snapshot().documents()] == KEYS
    assert [store.read_note(f"note {number}") for number in range(N_WRITERS)] == ["there"] * 3
    store.compact()
    assert {hit.key for hit in store.snapshot().search(Query(["oil"], 100))} == set(KEYS)


@pytest.mark.parametrize("attempt", range(8))
def test_in_a_folder(tmp_path: Path, attempt: int) -> None:
    """All of them succeed, and nothing that one has written is lost, whoever is first."""
    address = f"lance://{tmp_path}/kb-{attempt}"
    begin_together(address)
    check_all_is_there(address)


@pytest.fixture(scope="module")
def bucket() -> Iterator[str]:
    """Return the address of a bucket on a server of these tests."""
    pytest.importorskip("moto", reason='moto is not installed: pip install "moto[server]"')
    with s3_environment() as variables, pytest.MonkeyPatch.context() as patch:
        for name, value in variables.items():
            patch.setenv(name, value)
        yield "s3://bucket"


@pytest.mark.slow
@pytest.mark.parametrize("attempt", range(3))
def test_on_s3(bucket: str, attempt: int) -> None:
    """So it is on object storage."""
    begin_together(f"{bucket}/kb-{attempt}")
    check_all_is_there(f"{bucket}/kb-{attempt}")


@pytest.mark.parametrize("step", ["create_table", "clone_table"])
def test_between_looking_and_making(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """Who finds nothing, and is overtaken by one who makes and fills it, has that one's."""
    slow, fast = (LanceStore(f"lance://{tmp_path}/kb") for _ in range(2))
    connection = type(tables_in(tmp_path / "kb"))
    original = getattr(connection, step)

    def overtaken(*arguments: object, **settings: object) -> object:
        monkeypatch.undo()
        fast.create()
        with fast.writer() as writer:
            writer.replace(made_document("/0", 1, 2))
            writer.commit()
        return original(*arguments, **settings)

    monkeypatch.setattr(connection, step, overtaken)
    slow.create()
    assert slow.snapshot().document("/0") == made_document("/0", 1, 2)


def test_maker_was_killed(tmp_path: Path) -> None:
    """A table's folder without a version is no collection yet, and keeps nobody from making it."""
    (tmp_path / "kb" / "passages.lance" / "data").mkdir(parents=True)
    store = LanceStore(f"lance://{tmp_path}/kb")
    assert not store.exists()
    store.create()
    assert store.snapshot().n_passages == 0
    passages = tables_in(tmp_path / "kb").open_table("passages")
    assert {index.name for index in passages.list_indices()} == {"terms_idx", "names_idx"}


def test_missing_index_is_made(tmp_path: Path) -> None:
    """Where its maker was killed between table and indexes, compaction makes them."""
    store = LanceStore(f"lance://{tmp_path}/kb")
    store.create()
    tables = tables_in(tmp_path / "kb")
    tables.open_table("passages").drop_index("names_idx")
    store.compact()
    assert len(tables.open_table("passages").list_indices()) == 2


def test_made_by_an_earlier_version(tmp_path: Path) -> None:
    """Its two columns more, and the mark in front of its terms, disturb nobody."""
    import pyarrow as pa

    store = LanceStore(f"lance://{tmp_path}/kb")
    store.create()
    older, newer = made_document("/0", 1, 2), made_document("/1", 1, 2)
    with store.writer() as writer:
        writer.replace(older)
        writer.commit()
    table = tables_in(tmp_path / "kb").open_table("passages")
    table.add_columns([pa.field(name, pa.int32()) for name in ("n_terms", "n_names")])
    marked = {name: f"concat(chr(1), ' ', {name})" for name in ("terms", "names")}
    table.update(where="number >= 0", values_sql=marked)
    with store.writer() as writer:
        writer.replace(newer)
        writer.commit()
    for _ in range(2):
        snapshot = LanceStore(f"lance://{tmp_path}/kb").snapshot()
        assert [snapshot.document(key) for key in ("/0", "/1")] == [older, newer]
        assert {hit.key for hit in snapshot.search(Query(["oil"], 100))} == {"/0", "/1"}
        store.compact()
