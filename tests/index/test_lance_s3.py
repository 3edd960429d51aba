"""A collection on a real S3 API: several processes write, read and compact at once."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Iterator

import pytest
from s3_processes import made_document, n_torn
from s3_server import s3_environment, start

from docqa.index.contract import Query
from docqa.index.lance.store import LanceStore

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not (importlib.util.find_spec("lancedb") and importlib.util.find_spec("moto")),
        reason='LanceDB or moto is not installed: pip install lancedb "moto[server]"',
    ),
]

ADDRESS = "s3://bucket/kb"
SECONDS = 8.0


@pytest.fixture(scope="module")
def store() -> Iterator[LanceStore]:
    """Return an empty collection on a server of this test."""
    with s3_environment() as variables, pytest.MonkeyPatch.context() as patch:
        for name, value in variables.items():
            patch.setenv(name, value)
        store = LanceStore(ADDRESS)
        store.create()
        yield store


def test_collection_on_s3(store: LanceStore) -> None:
    """An address and the environment are enough; notes and documents are kept."""
    written = made_document("/a", 3, 9)
    with store.writer() as changes:
        changes.replace(written)
        changes.commit()
    store.write_note("format", "1")
    reader = LanceStore(ADDRESS)
    assert reader.exists()
    assert reader.read_note("format") == "1"
    assert reader.snapshot().document("/a") == written
    assert reader.size() is None


def test_nothing_is_torn_or_lost(store: LanceStore) -> None:
    """Two writers, two readers and a compactor: every acknowledged document is there, whole."""
    roles = [("write", 1), ("write", 2), ("read", 1), ("read", 2), ("compact", 1)]
    running = [start(role, ADDRESS, number, SECONDS) for role, number in roles]
    reports = [json.loads(process.communicate(timeout=300)[0]) for process in running]
    writers, readers, compactor = reports[:2], reports[2:4], reports[4]
    assert all(report["torn"] == report["errors"] == 0 for report in readers)
    assert all(report["reads"] > 0 for report in readers)
    assert compactor["compactions"] > 0
    snapshot = LanceStore(ADDRESS).snapshot()
    assert n_torn(snapshot.search(Query(["oil"], 10_000))) == 0
    last = {
        key: [made_document(key, one["acknowledged"][key], one["number"]) for one in found]
        for key in {key for one in writers for key in one["acknowledged"]}
        if (found := [one for one in writers if key in one["acknowledged"]])
    }
    assert last
    assert all(snapshot.document(key) in candidates for key, candidates in last.items())
