"""Collections: what is in them after each change, what is asked, where answers stand."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from checkout import EXAMPLES

import docqa
from docqa import (
    ClusterError,
    Collection,
    CollectionError,
    Pipeline,
    SettingError,
    SourceNotFoundError,
    Where,
)
from docqa.collection.commits import CollectionWriter
from docqa.collection.records import FailedSource
from docqa.index.contract import StoredDocument, StoredPassage
from docqa.index.opening import open_store
from docqa.index.tantivy import writer
from docqa.load_settings import LoadSettings
from docqa.testing import FakeReader

LAMP = "The lamp burns 40 litres of oil a week. The keeper trims it at dusk.\n"
BELL = "Fog is near.\nThe bell rings 12 times.\n"
OIL = "The lamp burns how much oil a week?"
RINGS = "The bell rings how many times?"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with two files, last changed a while ago."""
    folder = tmp_path / "files"
    folder.mkdir()
    write(folder / "lamp.txt", LAMP)
    write(folder / "bell.txt", BELL)
    return folder


@pytest.fixture
def kb(tmp_path: Path) -> Collection:
    return fake(tmp_path / "kb")


def fake(path: Path, reader: FakeReader | None = None) -> Collection:
    return Collection(path, pipeline=Pipeline(reader=reader or FakeReader(), min_score=0.0))


def write(path: Path, text: str, *, seconds_ago: int = 100) -> None:
    """Write a file that was changed some time ago, so that its time can be trusted."""
    path.write_text(text, "utf-8")
    when = path.stat().st_mtime - seconds_ago
    os.utime(path, (when, when))


def names(keys: object) -> list[str]:
    return sorted(Path(str(key)).name for key in keys)  # type: ignore[attr-defined]


def test_add_then_ask(kb: Collection, folder: Path) -> None:
    """An answer has the words, its document and its line."""
    kb.add([folder / "lamp.txt", folder / "bell.txt"])
    (answer,) = kb.ask(OIL)
    assert (answer.text, answer.line) == ("40 litres", 1)
    assert answer.document.source == str(folder / "lamp.txt")
    assert answer.document.source_state == "same"


def test_unchanged_file_is_not_read_again(kb: Collection, folder: Path) -> None:
    """A second sync reads nothing."""
    assert names(kb.sync(folder).added) == ["bell.txt", "lamp.txt"]
    read: list[str] = []
    changes = kb.sync(folder, progress=lambda now: read.append(now.source))
    assert (names(changes.unchanged), bool(changes), read) == (["bell.txt", "lamp.txt"], False, [])


def test_new_changed_and_vanished_files(kb: Collection, folder: Path) -> None:
    """After a sync the collection has what the folder has."""
    kb.sync(folder)
    write(folder / "lamp.txt", LAMP.replace("40", "55"), seconds_ago=50)
    (folder / "bell.txt").unlink()
    write(folder / "gull.txt", "The gull nests on 3 rocks.\n")
    changes = kb.sync(folder)
    assert names(changes.replaced) == ["lamp.txt"]
    assert names(changes.removed) == ["bell.txt"]
    assert names(changes.added) == ["gull.txt"]
    assert kb.ask(OIL)[0].text == "55 litres"
    assert not kb.search("bell")


def test_touched_file_is_not_loaded(kb: Collection, folder: Path) -> None:
    """A new time with the old content is no change, and is not compared again."""
    kb.sync(folder)
    write(folder / "lamp.txt", LAMP, seconds_ago=50)
    assert names(kb.sync(folder).unchanged) == ["bell.txt", "lamp.txt"]
    stamps = {each.key: each.stamp for each in kb.documents()}
    stamp = stamps[str(folder / "lamp.txt")]
    assert stamp is not None
    assert stamp.mtime_ns == (folder / "lamp.txt").stat().st_mtime_ns


def test_moved_file_keeps_its_document(kb: Collection, folder: Path) -> None:
    """A file with the content of one that vanished is that one, with its metadata."""
    kb.sync(folder, metadata={"year": 1871})
    (folder / "lamp.txt").rename(folder / "lantern.txt")
    changes = kb.sync(folder)
    assert (names(changes.moved), changes.added, changes.removed) == (["lantern.txt"], (), ())
    (answer,) = kb.ask(OIL, where=Where(metadata={"year": "1871"}))
    assert answer.document.source == str(folder / "lantern.txt")


def test_renamed_to_another_kind_is_read_again(kb: Collection, folder: Path) -> None:
    """The same bytes are other words under a name of another media type."""
    write(folder / "page.txt", "# Lamp\n\nIt burns **40** litres.\n")
    kb.sync(folder)
    (folder / "page.txt").rename(folder / "page.md")
    changes = kb.sync(folder)
    assert (names(changes.added), names(changes.removed)) == (["page.md"], ["page.txt"])
    assert not changes.moved
    (document,) = [each for each in kb.documents() if each.key.endswith("page.md")]
    assert document.media_type == "text/markdown"


def test_ctrl_c_leaves_no_half_document(
    kb: Collection, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What Ctrl-C meets while its passages are handed over is written whole."""
    long = "".join(f"The lamp burnt {n} litres in week {n} of the year.\n" for n in range(400))
    for name in ("a.txt", "b.txt", "c.txt"):
        write(folder / name, long)
    kb.sync(folder)
    for name in ("a.txt", "b.txt", "c.txt"):
        write(folder / name, long.replace("litres", "gallons"), seconds_ago=50)
    record = writer.passage_record

    def interrupted(document: StoredDocument, passage: StoredPassage) -> object:
        if document.key.endswith("b.txt") and passage.number == 2:
            monkeypatch.undo()
            signal.raise_signal(signal.SIGINT)
        return record(document, passage)

    monkeypatch.setattr(writer, "passage_record", interrupted)
    with pytest.raises(KeyboardInterrupt):
        kb.sync(folder)
    assert kb.check()
    assert names(kb.sync(folder).unchanged) == ["a.txt", "b.txt", "bell.txt", "lamp.txt"]
    assert kb.check()


def test_same_size_and_time_need_a_checksum(kb: Collection, folder: Path) -> None:
    """A change that leaves size and time as they were is found by `checksum`."""
    kb.sync(folder)
    path = folder / "lamp.txt"
    before = path.stat()
    path.write_text(LAMP.replace("40", "55"))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert not kb.sync(folder)
    assert names(kb.sync(folder, checksum=True).replaced) == ["lamp.txt"]


def test_failed_file_is_kept_in_mind(kb: Collection, folder: Path) -> None:
    """A broken file costs no other; it is tried again when it changes or when told so."""
    (folder / "broken.pdf").write_bytes(b"\x89PNG\r\n\x1a\n")
    os.utime(folder / "broken.pdf", (1, 1))
    assert names(kb.sync(folder).added) == ["bell.txt", "lamp.txt"]
    (failure,) = kb.failures()
    assert (Path(failure.key).name, failure.kind) == ("broken.pdf", "UnsupportedFormatError")
    read: list[str] = []
    again = kb.sync(folder, progress=lambda now: read.append(now.source))
    assert (names(each.key for each in again.failed), read) == (["broken.pdf"], [])
    kb.sync(folder, retry_failed=True, progress=lambda now: read.append(now.source))
    assert names(read) == ["broken.pdf"]
    (folder / "broken.pdf").unlink()
    kb.sync(folder)
    assert kb.failures() == []


def test_file_that_breaks_loses_its_old_words(kb: Collection, folder: Path) -> None:
    """What a file says no longer is not answered from it."""
    kb.sync(folder)
    (folder / "lamp.txt").write_bytes(b"\x89PNG\r\n\x1a\n")
    assert names(each.key for each in kb.sync(folder).failed) == ["lamp.txt"]
    assert names(each.key for each in kb.documents()) == ["bell.txt"]


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root reads every folder")
def test_unreadable_subfolder_loses_nothing(kb: Collection, folder: Path) -> None:
    """What cannot be looked at stays, and is told."""
    _unreadable_subfolder(kb, folder, lambda path: path.chmod(0))


def test_subfolder_that_fails_to_list_loses_nothing(
    kb: Collection, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A subfolder that the system refuses to list is a failure, and its documents stay."""
    listed = os.scandir

    def refusing(path: str) -> object:
        if str(path).endswith("sub"):
            raise PermissionError(13, "Permission denied", str(path))
        return listed(path)

    _unreadable_subfolder(kb, folder, lambda _: monkeypatch.setattr(os, "scandir", refusing))
    monkeypatch.undo()
    kb.sync(folder)
    assert kb.failures() == []


def _unreadable_subfolder(kb: Collection, folder: Path, close) -> None:  # type: ignore[no-untyped-def]
    sub = folder / "sub"
    sub.mkdir()
    write(sub / "gull.txt", "The gull nests on 3 rocks.\n")
    kb.sync(folder)
    close(sub)
    changes = kb.sync(folder)
    assert names(each.key for each in changes.failed) == ["sub"]
    assert changes.removed == ()
    assert names(each.key for each in kb.failures()) == ["sub"]


def test_folder_that_lost_all_its_files_is_refused(kb: Collection, folder: Path) -> None:
    """An empty folder looks like a disk that is not there: nothing is removed."""
    kb.sync(folder)
    for path in folder.iterdir():
        path.unlink()
    with pytest.raises(SourceNotFoundError, match="holds no file that docqa reads"):
        kb.sync(folder)
    assert len(kb.documents()) == 2


def test_remove_by_path_and_by_folder(kb: Collection, folder: Path) -> None:
    """A path stands for a document, a folder for all below it; files are not touched."""
    kb.sync(folder)
    assert names(kb.remove(folder / "lamp.txt").removed) == ["lamp.txt"]
    assert names(kb.remove(folder).removed) == ["bell.txt"]
    assert (folder / "lamp.txt").exists()
    with pytest.raises(CollectionError, match=r"lamp\.txt: no such document"):
        kb.remove(folder / "lamp.txt")


def test_empty_name_is_refused(kb: Collection, folder: Path) -> None:
    """A variable without a value neither removes all nor adds the working folder."""
    kb.sync(folder)
    for act in (kb.add, kb.sync, kb.remove):
        with pytest.raises(SettingError, match="empty name"):
            act("")
    with pytest.raises(SettingError, match="empty name"):
        kb.remove([folder / "lamp.txt", ""])
    assert len(kb.documents()) == 2


def test_two_sources_of_one_name_are_refused(kb: Collection) -> None:
    """Neither takes the place of the other unseen."""
    with pytest.raises(SettingError, match=r"x\.txt: two sources"):
        kb.add([b"The lamp.", b"The bell."], name="x.txt")


def test_folder_is_followed_before_it_has_documents(kb: Collection, tmp_path: Path) -> None:
    """It is one of the collection's folders until it is removed."""
    folder = tmp_path / "later"
    folder.mkdir()
    kb.sync(folder)
    assert kb.info().folders == (str(folder),)
    write(folder / "lamp.txt", LAMP)
    for each in kb.info().folders:
        kb.sync(each)
    assert len(kb.documents()) == 1
    kb.remove(folder)
    assert kb.info().folders == ()
    kb.add(tmp_path)
    assert kb.info().folders == (str(tmp_path),)


def test_failures_that_another_writer_found_stay(kb: Collection, tmp_path: Path) -> None:
    """Two writers of one store each keep account of their own sources alone."""
    kb.add(b"The lamp.", name="lamp.txt")
    address = kb.address
    with open_store(address).writer() as native:
        ours, theirs = (CollectionWriter(open_store(address), native, None) for _ in range(2))
        for writes, name in ((ours, "a.pdf"), (theirs, "b.pdf")):
            writes.fail(FailedSource(key=name, kind="LoadError", message=name, failed=0.0))
        ours.commit()
        theirs.commit()
        assert [each.key for each in kb.failures()] == ["a.pdf", "b.pdf"]
        theirs.forget_failure("b.pdf")
        theirs.commit()
    assert [each.key for each in kb.failures()] == ["a.pdf"]


def test_bytes_with_a_name(kb: Collection) -> None:
    """Bytes are kept in the collection, so that answers have their places."""
    kb.add(LAMP.encode(), name="lamp.txt", metadata={"from": "mail"})
    (answer,) = kb.ask(OIL)
    assert (answer.document.source, answer.line) == ("lamp.txt", 1)
    assert answer.document.source_state is None
    with pytest.raises(docqa.SettingError, match="need one"):
        kb.add(BELL.encode())


def test_filters_choose_documents(kb: Collection, folder: Path) -> None:
    """Each filter leaves what it says, and coverage counts the passages asked."""
    kb.add(folder / "lamp.txt", metadata={"year": 1871})
    kb.add(folder / "bell.txt")
    dates = {each.key: each.stamp for each in kb.documents()}
    stamp = dates[str(folder / "lamp.txt")]
    assert stamp is not None
    second = stamp.mtime_ns // 10**9
    for where, count in (
        (Where(metadata={"year": "1871"}), 1),
        (Where(metadata={"year": "1872"}), 0),
        (Where(folder=str(folder)), 2),
        (Where(folder=str(folder / "sub")), 0),
        (Where(media_type="text/plain"), 2),
        (Where(title="Lamp"), 0),
        (Where(since=second), 2),
        (Where(until=second), 0),
        (Where(keys=(str(folder / "bell.txt"),)), 1),
    ):
        assert len(kb.documents(where)) == count, where
        assert kb.ask(OIL, where=where).coverage.passages_total == count, where


def test_metadata_of_a_known_file_can_change_alone(kb: Collection, folder: Path) -> None:
    """To add an unchanged file with metadata keeps its words and changes the metadata."""
    kb.add(folder / "lamp.txt", metadata={"year": 1871})
    kb.add(folder / "lamp.txt")
    assert kb.documents()[0].metadata == {"year": "1871"}
    kb.add(folder / "lamp.txt", metadata={"year": 1872})
    assert kb.documents()[0].metadata == {"year": "1872"}


def test_state_of_the_source(kb: Collection, folder: Path) -> None:
    """An answer says whether its file is still what was indexed."""
    kb.sync(folder)
    path, away = folder / "lamp.txt", folder / "sub" / "lantern.txt"

    def state() -> tuple[object, str, int | None]:
        (answer,) = kb.ask(OIL)
        return answer.document.source_state, Path(answer.document.source).name, answer.line

    assert state() == ("same", "lamp.txt", 1)
    away.parent.mkdir()
    path.rename(away)
    assert state() == ("moved", "lantern.txt", 1)
    away.write_text("The lamp is out.\n")
    assert state() == ("missing", "lamp.txt", None)
    path.write_text("The lamp is out.\n")
    assert state() == ("changed", "lamp.txt", None)


def test_copies_of_a_file_give_one_answer(kb: Collection, folder: Path) -> None:
    """The same content under two names is read once."""
    write(folder / "copy.txt", LAMP)
    kb.sync(folder)
    assert len(kb.documents()) == 3
    assert len(kb.ask(OIL, top_k=5)) == 1


def test_copies_of_a_file_take_no_room(kb: Collection, folder: Path) -> None:
    """However many copies rank above a passage, it is read as if there were one."""
    for number in range(25):
        write(folder / f"copy-{number}.txt", "The lamp burns oil, oil a week: see there. Oil!\n")
    kb.sync(folder)
    found = kb.search("lamp burns oil week", top_k=2)
    assert names(hit.document.key for hit in found) == ["copy-0.txt", "lamp.txt"]
    assert [hit.rank for hit in found] == [1, 2]
    assert len(kb.search("lamp burns oil week", top_k=1)) == 1


@pytest.mark.parametrize("isolate", [False, True])
@pytest.mark.parametrize(
    ("name", "question"),
    [
        ("handbook.pdf", "How many steps lead to the lantern?"),
        ("handbook.html", "How many steps lead to the lantern?"),
        ("handbook.docx", "How many steps lead to the lantern?"),
        ("notes.md", "How many horsepower has the new engine?"),
        ("logbook.txt", "What was the lowest pressure of the storm?"),
    ],
)
def test_positions_are_those_of_the_file(
    tmp_path: Path, name: str, question: str, isolate: bool
) -> None:
    """Places from a collection are those that the loaded file gives for the same span."""
    pipeline = Pipeline(reader=FakeReader(), min_score=0.0, isolate=isolate)
    kb = Collection(tmp_path / "kb", pipeline=pipeline)
    kb.add(EXAMPLES / name)
    answers = kb.ask(question, top_k=3)
    assert answers
    with docqa.load(EXAMPLES / name) as document:
        for answer in answers:
            span = docqa.Span(answer.start, answer.end)
            assert span.of(document.text) == answer.text
            assert answer.locations == document.locate(span)
            assert answer.locations


def test_boxes_of_a_pdf_are_there(kb: Collection) -> None:
    """An answer from a PDF has its page and rectangles."""
    kb.add(EXAMPLES / "handbook.pdf")
    place = kb.ask("How many steps lead to the lantern?")[0].locations[0]
    assert isinstance(place, docqa.PageLocation)
    assert place.boxes


def test_copy_that_is_there_is_cited(kb: Collection, folder: Path) -> None:
    """A folder was renamed and indexed again: the answer stands where people can look."""
    kb.sync(folder)
    moved = folder.with_name("zz-renamed")
    folder.rename(moved)
    kb.sync(moved)
    (answer,) = kb.ask(OIL)
    assert answer.document.source == str(moved / "lamp.txt")
    assert answer.document.source_state == "same"


@pytest.mark.parametrize("top_k", [1, 2])
def test_copy_that_is_there_is_found(kb: Collection, folder: Path, top_k: int) -> None:
    """It is looked for where one that is gone ranks above it, and has the score of that one."""
    write(folder / "a-lamp.txt", LAMP)
    kb.sync(folder)
    best = kb.search("a lamp burns oil", top_k=1)[0]
    assert names([best.document.key]) == ["a-lamp.txt"]
    (folder / "a-lamp.txt").unlink()
    found = kb.search("a lamp burns oil", top_k=top_k)
    assert names([found[0].document.key]) == ["lamp.txt"]
    assert found[0].score == best.score


def test_metadata_of_a_folder_can_change_alone(kb: Collection, folder: Path) -> None:
    """Files that have not changed, or only moved, get what is given; without, they keep it."""
    kb.sync(folder, metadata={"year": "2024"})
    (folder / "bell.txt").rename(folder / "rung.txt")
    kb.sync(folder, metadata={"year": "2025"})
    assert [each.metadata for each in kb.documents()] == [{"year": "2025"}] * 2
    kb.sync(folder)
    assert [each.metadata for each in kb.documents()] == [{"year": "2025"}] * 2


def test_interrupted_rebuild_is_told(kb: Collection, folder: Path) -> None:
    """Until another one ends, the collection says that it is as two settings have it."""
    kb.sync(folder)
    smaller = Collection(
        kb.address, pipeline=Pipeline(reader=FakeReader(), passage_tokens=40, min_score=0.0)
    )

    def interrupt(now: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        smaller.rebuild(progress=interrupt)
    assert kb.info().is_half_rebuilt
    assert len(kb.ask(OIL)) == 1
    smaller.rebuild()
    assert not kb.info().is_half_rebuilt
    assert kb.info().settings.passage_tokens == 40


def test_another_reader_can_ask(tmp_path: Path, folder: Path) -> None:
    """Who asks needs not be who indexed; who adds must keep the same tokens."""
    kb = Collection(tmp_path / "kb", pipeline=Pipeline(reader="mini"))
    kb.add(folder / "lamp.txt")
    other = fake(tmp_path / "kb")
    assert other.ask(OIL)[0].text == "40 litres"
    with pytest.raises(CollectionError, match="keeps the tokens of the reader 'mini'"):
        other.add(folder / "bell.txt")


def test_rebuild_with_another_reader(tmp_path: Path, folder: Path) -> None:
    """A rebuild takes the new reader's tokens, and keeps a document whose file is gone."""
    fake(tmp_path / "kb").sync(folder, metadata={"year": 1871})
    (folder / "bell.txt").unlink()
    kb = Collection(tmp_path / "kb", pipeline=Pipeline(reader="mini", min_score=0.0))
    changes = kb.rebuild()
    assert names(changes.replaced) == ["lamp.txt"]
    assert names(each.key for each in changes.failed) == ["bell.txt"]
    assert kb.failures() == []
    assert kb.settings().reader == "mini"
    assert [each.metadata for each in kb.documents()] == [{"year": "1871"}] * 2
    assert kb.check()
    assert kb.ask(RINGS)[0].document.source_state == "missing"


def test_no_collection_says_how_to_make_one(tmp_path: Path) -> None:
    """The message names the place and the command."""
    with pytest.raises(CollectionError, match=r"nowhere: there is no collection here; docqa index"):
        fake(tmp_path / "nowhere").ask(OIL)
    assert not (tmp_path / "nowhere").exists()


def test_foreign_folder_is_left_alone(folder: Path) -> None:
    """A folder with other files becomes no collection."""
    with pytest.raises(CollectionError, match="holds other files"):
        fake(folder).add(folder / "lamp.txt")
    assert names(folder.iterdir()) == ["bell.txt", "lamp.txt"]


def test_another_format_is_refused(kb: Collection, folder: Path, tmp_path: Path) -> None:
    """A collection of another format is refused with what to do; `rebuild` makes it this one's."""
    kb.sync(folder)
    note = tmp_path / "kb" / "notes" / "collection.json"
    note.write_text(json.dumps({**json.loads(note.read_text()), "format": 999}))
    with pytest.raises(CollectionError, match=r"format 999 .* docqa kb rebuild"):
        kb.ask(OIL)


HOLD = """
import sys
from docqa.index.opening import open_store
with open_store(sys.argv[1]).writer():
    print("writing", flush=True)
    sys.stdin.read()
"""


def test_second_writer_is_told(kb: Collection, folder: Path) -> None:
    """While another process writes, adding says so, and asking works."""
    kb.add(folder / "lamp.txt")
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, kb.address], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None
        other.stdout.readline()
        with pytest.raises(CollectionError, match="another process is writing"):
            kb.add(folder / "bell.txt")
        assert kb.ask(OIL)[0].text == "40 litres"
        other.communicate()
    assert kb.add(folder / "bell.txt").added


def test_compact_and_check(kb: Collection, folder: Path) -> None:
    """Compacting frees room and changes no answer; all is right after it."""
    kb.sync(folder)
    for number in range(3):
        write(folder / "lamp.txt", LAMP.replace("40", f"5{number}"), seconds_ago=50 - number)
        kb.sync(folder)
    before = kb.info().size
    kb.compact()
    after = kb.info().size
    assert before is not None
    assert after is not None
    assert after < before
    assert kb.check()
    assert kb.ask(OIL)[0].text == "52 litres"


def test_info(kb: Collection, folder: Path) -> None:
    """The facts are those of the documents."""
    kb.sync(folder)
    info = kb.info()
    assert (info.n_documents, info.n_passages, info.n_failed) == (2, 2, 0)
    assert info.n_characters == len(LAMP) + len(BELL)
    assert info.folders == (str(folder),)
    assert info.changed is not None
    assert info.created <= info.changed


def test_questions_together(kb: Collection, folder: Path) -> None:
    """Many questions give one item each, in order; a blank one fails alone."""
    kb.sync(folder)
    items = list(kb.ask_all([OIL, " ", RINGS]))
    assert [item.question for item in items] == [OIL, " ", RINGS]
    assert items[0].answers[0].text == "40 litres"
    assert items[2].answers[0].document.source.endswith("bell.txt")
    assert isinstance(items[1].error, docqa.QuestionError)


class LosingPool:
    """A pool that loses one file, and whose workers see no files where `shares_files` is False."""

    def __init__(self, *, shares_files: bool) -> None:
        self.shares_files = shares_files
        self.sources: list[object] = []

    def run(
        self, work: Any, items: Iterable[Any], *, on_lost: Any, ordered: bool = True
    ) -> Iterator[Any]:
        assert not ordered
        for job in items:
            self.sources.append(getattr(job, "source", None))
            is_lost = job.key.endswith("bell.txt")
            yield on_lost(job, ClusterError("the process ended")) if is_lost else work(job)


@pytest.mark.parametrize("shares_files", [True, False])
def test_pool_loads_and_loses_sources(kb: Collection, folder: Path, shares_files: bool) -> None:
    """A lost source is a failure with a reason; where workers see no files, bytes are sent."""
    pool = LosingPool(shares_files=shares_files)
    pooled = Collection(kb.address, pipeline=Pipeline(reader="mini"), pool=pool)
    changes = pooled.sync(folder)
    assert [Path(key).name for key in changes.added] == ["lamp.txt"]
    (failure,) = changes.failed
    assert failure.kind == "LoaderCrashedError"
    assert "bell.txt: the process ended; index it with isolation on" in failure.message
    assert {type(each) for each in pool.sources} == {str if shares_files else bytes}
    assert pooled.sync(folder).unchanged == changes.added


def test_unreadable_source_fails_before_it_is_sent(kb: Collection, tmp_path: Path) -> None:
    """The reason is that of this machine, and the other sources are taken."""
    pool = LosingPool(shares_files=False)
    pooled = Collection(kb.address, pipeline=Pipeline(reader="mini"), pool=pool)
    changes = pooled.add([tmp_path / "missing.txt", EXAMPLES / "notes.md"])
    assert [each.kind for each in changes.failed] == ["SourceNotFoundError"]
    assert len(changes.added) == 1


def test_changes_say_what_was_passed_over(kb: Collection, folder: Path) -> None:
    """Files of other kinds are counted, when a folder is synchronised and when it is added."""
    (folder / "tool.exe").write_bytes(b"x")
    assert kb.sync(folder).passed_over == {".exe": 1}
    assert kb.add(folder).passed_over == {".exe": 1}


def test_pipeline_says_how_sources_are_loaded(kb: Collection, tmp_path: Path) -> None:
    """An encrypted PDF opens with the password of the pipeline's loading."""
    import pypdf

    writer = pypdf.PdfWriter(EXAMPLES / "handbook.pdf")
    writer.encrypt("oil", algorithm="AES-256")
    writer.write(tmp_path / "locked.pdf")
    assert [each.kind for each in kb.add(tmp_path / "locked.pdf").failed] == ["EncryptedError"]
    pipeline = Pipeline(reader=FakeReader()).with_loading(LoadSettings(password="oil"))
    assert len(Collection(kb.address, pipeline=pipeline).add(tmp_path / "locked.pdf").added) == 1


def test_document_is_as_it_was_indexed(kb: Collection, folder: Path) -> None:
    """A document is handed out by its key, and gives places while its source is the same."""
    kb.add(folder)
    key = str(folder / "bell.txt")
    with kb.document(key) as document:
        span = docqa.Span(BELL.index("12"), BELL.index("12") + 2)
        assert (document.text, document.source) == (BELL, key)
        assert document.locate(span) == docqa.load(key).locate(span)
    write(folder / "bell.txt", "Another bell.\n")
    with kb.document(key) as document:
        assert document.text == BELL
        assert document.locate(span) == ()


def test_document_that_is_not_there(kb: Collection, folder: Path) -> None:
    """A key without a document is an error that names both and the command that lists them."""
    kb.add(folder / "lamp.txt")
    with pytest.raises(CollectionError, match=r"bell\.txt: no such document in .*kb; docqa kb"):
        kb.document(str(folder / "bell.txt"))
