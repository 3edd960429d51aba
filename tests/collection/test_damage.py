"""Damaged files of a collection: ordinary errors, no wrong answer, and a check that sees them all.

The long form is tests/benchmarks/damaged_files.py.
"""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from damaging import QUESTIONS, cut_off, files_of, flipped, made_collection, outcome
from killing import in_fresh_process

from docqa.asking.pipeline import Pipeline
from docqa.collection.collection import Collection
from docqa.errors import CollectionError, DocqaError
from docqa.index.tantivy import store as stores
from docqa.index.tantivy.errors import translated_errors
from docqa.testing import FakeReader


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a collection that is not changed."""
    return made_collection(tmp_path_factory.mktemp("damage"))


@pytest.fixture
def address(start: Path, tmp_path: Path) -> Path:
    """Return a copy of the collection."""
    return shutil.copytree(start, tmp_path / "kb")


def opened(address: Path) -> Collection:
    return Collection(address, pipeline=Pipeline(reader=FakeReader(), min_score=0.0))


def body_of(address: Path, name: str) -> Path:
    """Return the file that holds a document's body; its text is compressed, its name is not."""
    from docqa.collection.packing import unpack_document

    for path in address.glob("documents/*/*"):
        if unpack_document(path.read_bytes()).values["source"].endswith(name):
            return path
    raise AssertionError(name)


@pytest.mark.parametrize("damage", [cut_off, flipped])
def test_check_sees_a_change_in_every_file(
    start: Path, tmp_path: Path, damage: Callable[[Path, random.Random], str]
) -> None:
    """Whatever file it is; asking gives the same answers, a warning or an ordinary error."""
    question = next(iter(QUESTIONS))
    right = [(each.text, each.start) for each in opened(start).ask(question)]
    missed = []
    for number, name in enumerate(path.relative_to(start) for path in files_of(start)):
        address = shutil.copytree(start, tmp_path / f"kb{number}")
        done = damage(address / name, random.Random(number))
        if not opened(address).check().problems:
            missed.append(f"{name}: {done}")
        try:
            found = opened(address).ask(question)
        except CollectionError:
            continue
        assert found.warnings or [(each.text, each.start) for each in found] == right, name
    assert missed == []


def test_undamaged_collection_is_right(address: Path) -> None:
    """The check finds nothing, also while the list of checksums is away, as after a kill."""
    assert opened(address).check().problems == ()
    (address / "checksums").unlink()
    assert opened(address).check().problems == ()


def test_damaged_document_costs_its_own_answers(address: Path) -> None:
    """The others answer, and a warning names the one that was left out."""
    flipped(body_of(address, "lamp.txt"), random.Random(0))
    lamp, bridge = list(QUESTIONS)[:2]
    first, second = opened(address).ask_all([lamp, bridge])
    assert (first.error, second.error) == (None, None)
    assert "lamp.txt" not in {Path(each.document.source).name for each in first.answers}
    (warning,) = first.answers.warnings
    assert "lamp.txt" in warning
    assert "docqa kb rebuild" in warning
    assert "77 metres" in second.answers[0].text
    assert second.answers.warnings in ((), (warning,))  # the bridge shares words with the lamp


def test_rebuild_mends_damaged_documents(address: Path) -> None:
    """A source that is a file is read again; bytes that the collection alone had are named."""
    for path in address.glob("documents/*/*"):
        flipped(path, random.Random(1))
    with Collection(address, pipeline=Pipeline(reader="mini")) as collection:
        changes = collection.rebuild()
        assert [Path(each.key).name for each in changes.failed] == ["note.txt", "blank.txt"]
        collection.compact()
        assert [each.partition(":")[0] for each in collection.check().problems] == ["note.txt"]


@pytest.mark.parametrize("part", ["store", "term", "idx", "del"])
def test_damaged_index_says_what_to_do(address: Path, part: str) -> None:
    """It is one CollectionError, from every call, that names the file and the way out."""
    path = next(address.glob(f"index-*/*.{part}"))
    path.write_bytes(b"")
    collection = opened(address)
    for call in (
        lambda: collection.ask("What?"),
        lambda: collection.search("lamp"),
        collection.documents,
        collection.compact,
        lambda: collection.add(b"text", name="b"),
    ):
        with pytest.raises(CollectionError, match=rf"{path.name}.*docqa index SOURCE"):
            call()


def test_index_whose_files_are_gone(address: Path) -> None:
    """Missing files of the engine are an ordinary error."""
    shutil.rmtree(next(address.glob("index-*")))
    with pytest.raises(CollectionError, match=r"meta\.json: it is missing"):
        opened(address).ask("What?")
    assert any("missing" in each for each in opened(address).check().problems)


def test_write_to_a_damaged_index_launders_nothing(address: Path) -> None:
    """A change is refused, so that the checksums are not made again over the damage."""
    flipped(next(address.glob("index-*/meta.json")), random.Random(3))
    with pytest.raises(CollectionError):
        opened(address).add(b"text", name="b")
    assert opened(address).check().problems


class PanicException(BaseException):
    """A panic of Rust, as pyo3 raises it: no `Exception`."""


def test_panic_is_an_error() -> None:
    """A panic never passes through."""
    with (
        pytest.raises(CollectionError, match="the index is damaged"),
        translated_errors("kb", "cannot be read"),
    ):
        raise PanicException("index out of bounds")


def test_ctrl_c_is_no_panic() -> None:
    """Other exceptions of that kind pass."""
    with pytest.raises(KeyboardInterrupt), translated_errors("kb", "cannot be read"):
        raise KeyboardInterrupt


def test_commands_end_with_an_error(address: Path) -> None:
    """`docqa ask --in` and `docqa kb check` end with 2 and one line, and no panic is seen."""
    path = next(address.glob("index-*/*.store"))
    os.truncate(path, path.stat().st_size // 2)
    found = in_fresh_process(outcome, address)
    assert (found.ask_code, found.check_code, found.has_traceback) == (2, 2, False)
    assert path.name in found.errors
    assert path.name in found.found[0]


@pytest.mark.parametrize("name", ["folders", "failures"])
def test_damaged_note_is_an_error_where_it_is_needed(address: Path, start: Path, name: str) -> None:
    """Asking needs neither; a change says which one to delete, and works then."""
    note = address / "notes" / f"{name}.json"
    note.write_bytes(note.read_bytes()[:-2])
    sources = start.parent / "sources"
    with Collection(address, pipeline=Pipeline(reader="mini")) as collection:
        assert collection.ask(next(iter(QUESTIONS)), min_score=0.0)
        with pytest.raises(CollectionError, match=f"its note '{name}' is damaged; delete it"):
            collection.sync(sources)
        note.unlink()
        collection.sync(sources)
        assert collection.check()


def test_reader_during_a_commit_sees_no_damage(
    address: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The list of checksums is away while an index changes, so no commit looks like damage."""
    keep, seen = stores.keep_checksums, []

    def looking(folder: Path, before: dict[str, int]) -> None:
        seen.append(opened(address).check().problems)
        keep(folder, before)

    monkeypatch.setattr(stores, "keep_checksums", looking)
    with Collection(address, pipeline=Pipeline(reader="mini")) as collection:
        collection.add(b"The quay is long.", name="quay.txt")
    assert seen == [()]


def test_stored_document_error_can_be_sent() -> None:
    """Worker processes send it: it keeps its key."""
    import pickle

    from docqa.errors import StoredDocumentError

    again = pickle.loads(pickle.dumps(StoredDocumentError("a: damaged", key="a")))
    assert (str(again), again.key, isinstance(again, DocqaError)) == ("a: damaged", "a", True)
