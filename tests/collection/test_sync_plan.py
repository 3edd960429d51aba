"""What a folder is compared with: stamps, contents, vanished and moved files."""

from __future__ import annotations

import hashlib
import os
import time
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docqa.collection.files import FolderFiles, files_in
from docqa.collection.ingest import file_stamp
from docqa.collection.records import CollectedDocument, FailedSource, FileStamp
from docqa.collection.sync import SyncPlan, plan_sync
from docqa.errors import SourceNotFoundError

OLD = time.time() - 3600


def write(path: Path, text: str, *, at: float = OLD) -> str:
    """Write a file that was changed at a time; return its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    os.utime(path, (at, at))
    return str(path)


def known(path: str) -> dict[str, CollectedDocument]:
    """Return what a collection has of a file as it is now."""
    content = hashlib.sha256(Path(path).read_bytes()).hexdigest()
    stamp = file_stamp(path)
    facts = CollectedDocument(
        path, content, path, None, "text/plain", "", 0.0, 0, 1, 1, stamp=stamp
    )
    return {path: facts}


def plan(folder: Path, there: dict[str, CollectedDocument], **settings: bool) -> SyncPlan:
    """Return the plan for a folder, by default without checksums."""
    chosen = {"checksum": False, "retry_failed": False} | settings
    return plan_sync(files_in(str(folder)), there, {}, **chosen)


def test_unchanged_file_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Size and time suffice where the time is old enough."""
    there = known(write(tmp_path / "a.txt", "oil"))
    monkeypatch.setattr(hashlib, "sha256", lambda: pytest.fail("it was read"))
    assert plan(tmp_path, there).unchanged == list(there)


def test_changed_vanished_and_new(tmp_path: Path) -> None:
    """Each file is one thing."""
    paths = [write(tmp_path / f"{name}.txt", name) for name in "abc"]
    there = {key: facts for path in paths for key, facts in known(path).items()}
    write(tmp_path / "a.txt", "other")
    (tmp_path / "b.txt").unlink()
    new = write(tmp_path / "d.txt", "new")
    found = plan(tmp_path, there)
    assert (found.changed, found.vanished, found.new) == ([paths[0]], [paths[1]], [new])
    assert found.unchanged == [paths[2]]


def test_touched_file_keeps_its_document(tmp_path: Path) -> None:
    """Another time over the same content is a new stamp, no change."""
    path = write(tmp_path / "a.txt", "oil")
    there = known(path)
    write(tmp_path / "a.txt", "oil", at=OLD + 60)
    found = plan(tmp_path, there)
    assert (found.unchanged, found.changed) == ([path], [])
    assert found.touched[path].mtime_ns == Path(path).stat().st_mtime_ns


def test_change_right_after_a_look_is_seen(tmp_path: Path) -> None:
    """A file of the same size and time is compared where it was young when it was looked at."""
    path = write(tmp_path / "a.txt", "oil", at=time.time())
    there = known(path)
    stat = Path(path).stat()
    Path(path).write_text("tar")
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert plan(tmp_path, there).changed == [path]


def test_checksum_sees_what_the_stamp_hides(tmp_path: Path) -> None:
    """Content decides where it is asked for."""
    path = write(tmp_path / "a.txt", "oil")
    there = known(path)
    write(tmp_path / "a.txt", "tar")
    assert plan(tmp_path, there).unchanged == [path]
    assert plan(tmp_path, there, checksum=True).changed == [path]


def test_moved_file_is_known_by_its_content(tmp_path: Path) -> None:
    """Of two copies that appear for one that is gone, one is moved and one is new."""
    path = write(tmp_path / "a.txt", "oil")
    there = known(path)
    Path(path).unlink()
    copies = [write(tmp_path / "sub" / f"{name}.txt", "oil") for name in "bc"]
    found = plan(tmp_path, there)
    assert found.moved == {copies[0]: path}
    assert (found.new, found.vanished) == ([copies[1]], [])


def test_unreadable_folder_keeps_its_documents(tmp_path: Path) -> None:
    """What cannot be looked into has not vanished."""
    there = known(write(tmp_path / "shut" / "a.txt", "oil"))
    files = FolderFiles((), ((str(tmp_path / "shut"), "Permission denied"),))
    assert plan_sync(files, there, {}, checksum=False, retry_failed=False) == SyncPlan()


def test_failed_file_waits_for_a_change(tmp_path: Path) -> None:
    """What failed is tried again when it has changed, or when asked."""
    path = write(tmp_path / "a.pdf", "no PDF")
    failed = {path: FailedSource(path, "MalformedError", "broken", 0.0, stamp=file_stamp(path))}
    files = files_in(str(tmp_path))
    waits = plan_sync(files, {}, failed, checksum=False, retry_failed=False)
    assert (waits.still_failed, waits.new) == ([failed[path]], [])
    assert plan_sync(files, {}, failed, checksum=False, retry_failed=True).new == [path]
    write(tmp_path / "a.pdf", "other content")
    assert plan_sync(files, {}, failed, checksum=False, retry_failed=False).new == [path]


@pytest.mark.parametrize("kind", ["SourceUnreadableError", "MissingDependencyError"])
def test_failure_to_read_is_tried_again_at_every_run(tmp_path: Path, kind: str) -> None:
    """Rights, locks and lost shares say nothing of the content, whatever the file's time says."""
    path = write(tmp_path / "a.pdf", "no PDF")
    failed = {path: FailedSource(path, kind, "locked", 0.0, stamp=file_stamp(path))}
    assert plan_sync(files_in(str(tmp_path)), {}, failed, checksum=False, retry_failed=False).new


def test_failed_content_is_known_whatever_its_time(tmp_path: Path) -> None:
    """A touched file with the content that failed waits; other content behind the time does not."""
    path = write(tmp_path / "a.pdf", "no PDF")
    stamp, digest = file_stamp(path), hashlib.sha256(b"no PDF").hexdigest()
    failed = {path: FailedSource(path, "MalformedError", "broken", 0.0, id=digest, stamp=stamp)}
    files = files_in(str(tmp_path))
    write(tmp_path / "a.pdf", "no PDF", at=OLD + 60)
    assert plan_sync(files, {}, failed, checksum=False, retry_failed=False).still_failed
    write(tmp_path / "a.pdf", "a  PDF")
    assert plan_sync(files, {}, failed, checksum=True, retry_failed=False).new == [path]


@given(st.integers(0, 2**40), st.integers(0, 2**62), st.floats(0, 1e10))
def test_stamp_comes_back(size: int, mtime_ns: int, taken: float) -> None:
    """Stored stamps compare as they did: nanoseconds survive JSON."""
    stamp = FileStamp(size, mtime_ns, taken)
    facts = CollectedDocument("k", "id", "k", None, "", "", 0.0, 0, 1, 1, stamp=stamp)
    assert CollectedDocument.from_json(facts.to_json()) == facts


def test_files_of_a_folder(tmp_path: Path) -> None:
    """Supported files, in it and below; nothing hidden, no linked folder; others are counted."""
    taken = [write(tmp_path / name, "x") for name in ("a.txt", "b/c.MD", "b/ü.html")]
    for name in ("a.exe", ".hidden.txt", ".git/d.txt", "kb/e.txt"):
        write(tmp_path / name, "x")
    (tmp_path / "loop").symlink_to(tmp_path, target_is_directory=True)
    found = files_in(str(tmp_path), without=[str(tmp_path / "kb")])
    assert found == FolderFiles(tuple(sorted(taken)), (), Counter({".exe": 1}))


def test_link_that_leads_nowhere_is_told_of(tmp_path: Path) -> None:
    """A broken link counts as a file, so that its failing is kept and said."""
    (tmp_path / "a.txt").symlink_to(tmp_path / "gone.txt")
    found = plan(tmp_path, {})
    assert found.new == [str(tmp_path / "a.txt")]


def test_missing_folder_is_no_empty_one(tmp_path: Path) -> None:
    """The error says that nothing is removed."""
    with pytest.raises(SourceNotFoundError, match="stay in the collection"):
        files_in(str(tmp_path / "gone"))
