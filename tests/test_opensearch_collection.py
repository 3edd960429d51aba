"""Collections opened by the addresses that the guides name, and one in a cluster from end to end.

The cluster is a small one in memory, behind the real client over HTTP; see `opensearch_memory`.
"""

from __future__ import annotations

import base64
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from opensearch_memory import MemoryCluster
from opensearch_server import serving

import docqa
from docqa.cli import indexing, main, session
from docqa.errors import CollectionError, MissingDependencyError, SettingError
from docqa.index.store import Store
from docqa.index.stores import open_store
from docqa.testing import FakeReader

pytest.importorskip("opensearchpy", reason="opensearch-py is not installed")

GUIDES = Path(__file__).parent.parent / "docs" / "guides"
OTHERS = {"http", "https", "ray"}  # schemes in the guides that are no collection's
LIBRARIES = {
    "lance": "lancedb",
    "s3": "lancedb",
    "opensearch": "opensearchpy",
    "opensearch+https": "opensearchpy",
}


def named_addresses() -> list[str]:
    """Return the addresses that the guides to collections name, dots for a host filled in."""
    found = set()
    for guide in GUIDES.glob("*.md"):
        found |= set(re.findall(r"\b([a-z0-9+]+://[^\s`\"'|,;)]+)", guide.read_text("utf-8")))
    return sorted(each for each in found if each.partition("://")[0] not in OTHERS)


class TestAddresses:
    """What `open_store` makes of an address."""

    def test_every_scheme_of_the_guides_is_known(self) -> None:
        """The guides name one of each."""
        named = {each.partition("://")[0] for each in named_addresses()}
        assert named == set(LIBRARIES)

    @pytest.mark.parametrize(
        "address",
        [
            *("kb", "file:///tmp/kb", "lance:///tmp/kb", "s3://bucket/kb"),
            *("opensearch://localhost:9200/kb", "opensearch://host/kb", "OpenSearch://host/kb"),
            *("opensearch+https://host:9200/kb", "opensearch+https://ada@host/kb"),
            *(
                "opensearch+https://ada:password@host/kb",
                "opensearch://host/kb?shards=3&replicas=1",
            ),
        ],
    )
    def test_open(self, address: str) -> None:
        """Each gives a store, without anything being read or made; it says how it is reopened."""
        store = open_store(address)
        assert isinstance(store, Store)
        assert open_store(store.full_address).address == store.address
        assert "password" not in store.address

    @pytest.mark.parametrize("scheme", sorted(LIBRARIES))
    def test_missing_library_is_told(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scheme: str
    ) -> None:
        """The message has the command that installs it."""
        monkeypatch.setitem(sys.modules, LIBRARIES[scheme], None)
        place = str(tmp_path) if scheme == "lance" else "host/kb"
        with pytest.raises(MissingDependencyError, match=r"pip install .docqa-exact\["):
            docqa.Collection(f"{scheme}://{place}").exists()

    def test_unknown_scheme_shows_no_password(self) -> None:
        """The schemes that there are, and the address without user and password."""
        with pytest.raises(SettingError, match=r"opensearch\+https://HOST/NAME") as caught:
            open_store("https://ada:hid/den@host:9200/kb")
        assert "hid" not in str(caught.value)


@pytest.fixture
def cluster() -> Iterator[MemoryCluster]:
    cluster = MemoryCluster()
    with serving(cluster) as port:
        cluster.address = f"opensearch://ada:hidden@127.0.0.1:{port}/kb"
        yield cluster


@pytest.fixture
def files(tmp_path: Path) -> Path:
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / "lamp.txt").write_text("The lamp burns oil.")
    (folder / "bell.txt").write_text("The bell rings at dusk.")
    return folder


def opened(address: str) -> docqa.Collection:
    return docqa.Collection(address, pipeline=docqa.Pipeline(reader=FakeReader()))


def names(collection: docqa.Collection) -> list[str]:
    return [Path(each.key).name for each in collection.documents()]


class TestCollection:
    """A collection in a cluster, through `docqa.Collection` and the command."""

    def test_life(self, cluster: MemoryCluster, files: Path) -> None:
        """Files are indexed, found, asked, replaced and removed, and others see it."""
        with opened(cluster.address) as kb:
            assert not kb.exists()
            assert len(kb.sync(files).added) == 2
            assert names(kb) == ["bell.txt", "lamp.txt"]
            (hit,) = kb.search("lamp oil")
            assert hit.passage.text == "The lamp burns oil."
            (answer,) = kb.ask("What burns oil?", min_score=0)
            assert answer.document.source == str(files / "lamp.txt")
            (files / "lamp.txt").write_text("The lamp burns gas now, and no oil.")
            assert kb.sync(files).replaced == (str(files / "lamp.txt"),)
            assert kb.search("gas")[0].passage.text == "The lamp burns gas now, and no oil."
            assert kb.remove(files / "bell.txt").removed == (str(files / "bell.txt"),)
            kb.compact()
            info = kb.info()
            assert (info.n_documents, info.n_passages) == (1, 1)
            assert info.folders == (str(files),)
            assert info.size
            assert not kb.check().problems
        with opened(cluster.address) as other:
            assert names(other) == ["lamp.txt"]
            assert other.search("bell") == []

    def test_name_without_an_encoding(self, cluster: MemoryCluster) -> None:
        """A name as Python gives one that is no UTF-8 is kept, found and removed."""
        name = "caf\udce9.txt"
        with opened(cluster.address) as kb:
            kb.add(b"The lamp burns oil.", name=name)
            kb.add(b"The bell rings.", name="bell.txt")
            assert [each.key for each in kb.documents()] == ["bell.txt", name]
            assert [each.key for each in kb.documents(docqa.Where(keys=(name,)))] == [name]
            assert kb.search("lamp")
            assert kb.remove(name).removed == (name,)
            assert [each.key for each in kb.documents()] == ["bell.txt"]

    def test_reopened_as_it_was_opened(self, cluster: MemoryCluster, files: Path) -> None:
        """Who reopens it by its full address is the same user; the address shows nobody."""
        with opened(cluster.address) as kb:
            kb.sync(files)
            assert kb.address == cluster.address.replace("ada:hidden@", "")
            assert (kb.info().address, "hidden" in repr(kb)) == (kb.address, False)
            (item,) = kb.ask_all(["What burns oil?"])
            assert item.source == kb.address
            full = kb.full_address
        cluster.headers.clear()
        with docqa.Collection(full) as again:
            assert len(again.documents()) == 2
        wanted = "Basic " + base64.b64encode(b"ada:hidden").decode()
        assert {each["authorization"] for each in cluster.headers} == {wanted}

    def test_command_shows_no_password(
        self, cluster: MemoryCluster, files: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Neither in results nor in notes and errors."""
        reading = docqa.Pipeline(reader=FakeReader(), min_score=0)
        monkeypatch.setattr(session, "open_pipeline", lambda _: reading)
        monkeypatch.setattr(indexing, "indexing_pipeline", lambda *_: reading)
        kb, dead = cluster.address, "opensearch://ada:hidden@127.0.0.1:9/kb"
        for arguments, code in [
            (["index", str(files), "--to", kb], 0),
            (["index", "--to", kb], 2),
            (["index", str(files), "--to", kb, "--passage-tokens", "7"], 2),
            (["info", kb], 0),
            (["info", kb, "--json", "--documents"], 0),
            (["ask", "--in", kb, "--sync", "What burns oil?"], 0),
            (["ask", "--in", kb, "--json", "What burns oil?"], 0),
            (["ask", "--in", kb, "--content", "main", "What burns oil?"], 2),
            (["kb", "check", kb], 0),
            (["kb", "compact", kb], 0),
            (["ask", "--in", dead, "What burns oil?"], 2),
            (["info", dead], 2),
        ]:
            result = CliRunner().invoke(main, arguments, prog_name="docqa")
            assert (result.exit_code, result.output) == (code, result.output)
            assert "hidden" not in result.output

    def test_incomplete_address_is_told(self) -> None:
        """The name of the collection is missing."""
        with pytest.raises(CollectionError, match="opensearch://HOST:9200/NAME"):
            docqa.Collection("opensearch://localhost:9200")
