"""The folder of a collection: what kills, other processes and odd names leave in it."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import pytest

from docqa.errors import CollectionError
from docqa.index.contract import Labels, StoredDocument, StoredPassage, Where
from docqa.index.durable_files import write_durably
from docqa.index.tantivy import index_reader
from docqa.index.tantivy.store import TantivyStore


def document(key: str, generation: int = 1) -> StoredDocument:
    labels = Labels("id", folders=(str(Path(key).parent),), title="Rep\ud800rt")
    passage = StoredPassage(0, ("oil", "lamp"), b"passage")
    return StoredDocument(key, f"{generation:032x}", labels, (), "{}", b"body", (passage,))


def write(store: TantivyStore, *documents: StoredDocument) -> None:
    with store.writer() as writer:
        for one in documents:
            writer.replace(one)
        writer.commit()


@pytest.fixture
def store(tmp_path: Path) -> TantivyStore:
    """Return an empty collection's store."""
    made = TantivyStore(tmp_path / "kb")
    made.create()
    return made


def test_names_without_an_encoding(store: TantivyStore) -> None:
    """A file's name may hold bytes that are no UTF-8: it is found, filtered, replaced, removed."""
    key, folder = "/b\udcfcro/caf\udce9.txt", "/b\udcfcro"
    write(store, document("/a"), document(key))
    write(store, document(key, generation=2))
    snapshot = store.snapshot()
    assert snapshot.document(key) == document(key, generation=2)
    for where in (Where(keys=(key,)), Where(folder=folder)):
        assert [each.key for each in snapshot.documents(where)] == [key]
    assert len(list(snapshot.documents(Where(title="Rep\ud800rt")))) == 2
    with store.writer() as writer:
        writer.remove(key)
        writer.commit()
    assert [each.key for each in store.snapshot().documents()] == ["/a"]


def test_what_a_kill_leaves_keeps_no_collection_from_being_made(tmp_path: Path) -> None:
    """Half-written files are no other program's, and are cleaned up."""
    for name in (".abc.part", "lock"):
        (tmp_path / name).touch()
    (tmp_path / "index-half").mkdir()
    store = TantivyStore(tmp_path)
    store.create()
    assert sorted(path.name[:6] for path in tmp_path.iterdir()) == [
        *("checks", "curren", "docume", "index-", "lock", "notes")
    ]
    assert store.snapshot().n_passages == 0


def test_other_files_are_left_alone(tmp_path: Path) -> None:
    """A folder with anything else in it becomes no collection."""
    (tmp_path / "thesis.odt").touch()
    with pytest.raises(CollectionError, match=r"thesis\.odt"):
        TantivyStore(tmp_path).create()
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.odt"]


@pytest.mark.parametrize("change", ["compact", "writer"])
def test_one_writer_at_a_time(store: TantivyStore, change: str) -> None:
    """Compacting is a change too: it would clean up what is being written."""
    other = TantivyStore(store.address)
    with store.writer() as writer:
        writer.replace(document("/a"))
        with pytest.raises(CollectionError, match="another process is writing"):
            other.writer().__enter__() if change == "writer" else other.compact()
        writer.commit()
    assert other.snapshot().document("/a") == document("/a")


def test_made_twice_at_once_is_made_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that another process makes and fills in the meantime is left as it is."""
    slow, fast = TantivyStore(tmp_path / "kb"), TantivyStore(tmp_path / "kb")

    def meanwhile() -> None:
        fast.create()
        write(fast, document("/a"))

    monkeypatch.setattr(slow, "_require_own_folder", meanwhile)
    slow.create()
    assert slow.snapshot().document("/a") == document("/a")


def test_commit_after_one_that_failed(store: TantivyStore) -> None:
    """A file that a failed commit left does not keep the next one from writing its own."""
    write(store, document("/a"), document("/b"))
    original = TantivyStore(store.address)
    folder = next(Path(store.address).glob("index-*"))
    meta = (folder / "meta.json").read_bytes()
    write(store, document("/a", generation=2))
    write_durably(folder / "meta.json", meta)  # as if the last commit had not come so far
    (Path(store.address) / "checksums").unlink()  # a change that fails deletes them first
    write(original, document("/a", generation=2))
    assert original.snapshot().document("/a") == document("/a", generation=2)


def test_snapshots_while_the_index_is_switched(store: TantivyStore) -> None:
    """A reader that opens the folder that is just deleted opens the new one."""
    write(store, document("/a"))
    done, errors = threading.Event(), list[BaseException]()

    def read() -> None:
        while not done.is_set():
            try:
                assert TantivyStore(store.address).snapshot().n_passages == 1
            except BaseException as error:
                errors.append(error)
                return

    reader = threading.Thread(target=read)
    reader.start()
    for _ in range(10):
        store.compact()
    done.set()
    reader.join()
    assert errors == []


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux keeps any bytes as names")
def test_folder_with_an_odd_name_among_others(tmp_path: Path) -> None:
    """One file whose name is no UTF-8 keeps a folder from nothing."""
    from generations import collection_in

    path = os.fsencode(tmp_path / "sources") + b"/caf\xe9.txt"
    (tmp_path / "sources").mkdir()
    with open(path, "wb") as file:  # noqa: PTH123 - pathlib takes no bytes
        file.write(b"The lamp burns oil.")
    collection = collection_in(tmp_path / "kb")
    assert len(collection.sync(tmp_path / "sources").added) == 1
    assert [os.fsencode(hit.document.key) for hit in collection.search("lamp")] == [path]
    (answer,) = collection.ask("What does the lamp burn?", min_score=0.0)
    assert answer.document.source_state == "same"
    assert collection.check()


def test_folder_that_cannot_be_written_is_read(
    store: TantivyStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A read-only index is searched, sees later commits, and gets no file."""
    write(store, document("/a"))
    monkeypatch.setattr(index_reader, "is_writable", lambda folder: False)
    reader = TantivyStore(store.address)
    before = sorted(Path(store.address).rglob("*"))
    assert [each.key for each in reader.snapshot().documents()] == ["/a"]
    assert sorted(Path(store.address).rglob("*")) == before
    for number in range(12):  # enough for merges, which delete what was linked
        write(store, document(f"/b{number}"))
        assert len(list(reader.snapshot().documents())) == number + 2
    store.compact()
    assert len(list(reader.snapshot().documents())) == 13


def test_without_its_lock_tantivy_does_not_open(
    store: TantivyStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The links are needed: the index itself cannot be opened where no lock can be made."""
    write(store, document("/a"))
    (index,) = Path(store.address).glob("index-*")
    lock = index / ".tantivy-meta.lock"
    lock.unlink(missing_ok=True)
    lock.mkdir()
    with pytest.raises(ValueError, match=r"(?i)lock"):
        index_reader.IndexReader(index).searcher()
    monkeypatch.setattr(index_reader, "is_writable", lambda folder: False)
    assert index_reader.IndexReader(index).searcher()[1].num_docs == 1


def test_opening_goes_on_while_files_go(
    store: TantivyStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a writer deletes between linking and opening is linked anew."""
    write(store, document("/a"))
    monkeypatch.setattr(index_reader, "is_writable", lambda folder: False)
    failures = [OSError("gone"), ValueError("gone")]
    open_index = index_reader.open_index

    def failing(folder: Path) -> object:
        if failures:
            raise failures.pop()
        return open_index(folder)

    monkeypatch.setattr(index_reader, "open_index", failing)
    assert TantivyStore(store.address).snapshot().n_passages == 1
    assert not failures


@pytest.mark.skipif(os.name == "nt", reason="Windows has no way to ask whether a process runs")
def test_links_of_killed_processes_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next process removes what one left that was killed; those in use stay."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    ended = subprocess.run(
        [sys.executable, "-c", "import os; print(os.getpid())"], stdout=subprocess.PIPE, check=True
    )
    for process in (int(ended.stdout), "9" * 30):
        (tmp_path / f"docqa-mirror-{process}-x").mkdir()
    for name in ("docqa-mirror-notes", "docqa-mirror-1-x"):
        (tmp_path / name).mkdir()
    (tmp_path / "index").mkdir()
    mirror = index_reader.LinkedFolder(tmp_path / "index")
    left = {each.name for each in tmp_path.glob("docqa-mirror-*")}
    assert left == {"docqa-mirror-notes", "docqa-mirror-1-x", mirror.path.name}


@pytest.mark.skipif(os.name == "nt", reason="Windows has no umask")
def test_whole_folder_is_for_whom_the_umask_lets(tmp_path: Path) -> None:
    """Others may read everything, tantivy's own lists included, after every kind of change."""
    old = os.umask(0o022)
    try:
        store = TantivyStore(tmp_path / "kb")
        store.create()
        assert closed_files(store) == []
        for number in range(10):
            write(store, document(f"/{number}"))
            assert closed_files(store) == []
        store.compact()
        assert closed_files(store) == []
    finally:
        os.umask(old)


def closed_files(store: TantivyStore) -> list[Path]:
    """Return what others may not read, but for locks."""
    files = [each for each in Path(store.address).rglob("*") if "lock" not in each.name]
    return [each for each in files if not each.stat().st_mode & 0o004]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no umask")
def test_files_are_for_whom_the_umask_lets(tmp_path: Path) -> None:
    """What others may read of a collection is settled as for every file."""
    old = os.umask(0o027)
    try:
        write_durably(tmp_path / "note", b"text")
    finally:
        os.umask(old)
    assert (tmp_path / "note").stat().st_mode & 0o777 == 0o640
