"""``docqa index`` and ``docqa info`` of a collection, with a reader that needs no weights."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

import docqa
from docqa.cli import indexing, main
from docqa.testing import FakeReader
from docqa.workers.process_pool import ProcessPool

LAMP = "The lamp burns 40 litres of oil a week. The keeper trims it at dusk.\n"
BELL = "Fog is near.\nThe bell rings 12 times.\n"


def pipeline_without_weights(reader: str, sizes: Mapping[str, Any]) -> docqa.Pipeline:
    return docqa.Pipeline(reader=FakeReader(), **sizes)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Be in a folder with two files, last changed a while ago."""
    monkeypatch.setattr(indexing, "indexing_pipeline", pipeline_without_weights)
    monkeypatch.chdir(tmp_path)
    files = Path("files")
    files.mkdir()
    for name, text in (("lamp.txt", LAMP), ("bell.txt", BELL)):
        (files / name).write_text(text)
        os.utime(files / name, (1e9, 1e9))
    return files


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments, prog_name="docqa")


def record(result: Result) -> dict[str, Any]:
    (line,) = result.stdout.splitlines()
    found: dict[str, Any] = json.loads(line)
    return found


def test_folder_is_taken_in_and_kept_in_step(folder: Path) -> None:
    """The first run reads all, the second nothing, the third what has changed."""
    assert run("index", "files", "--to", "kb").stdout.endswith("kb: 2 added\n")
    again = run("index", "files", "--to", "kb")
    assert (again.exit_code, again.stdout.endswith("kb: 2 unchanged\n")) == (0, True)
    (folder / "lamp.txt").write_text(LAMP.replace("40", "50"))
    (folder / "bell.txt").unlink()
    changed = record(run("index", "files", "--to", "kb", "--json"))
    assert [Path(key).name for key in changed["replaced"]] == ["lamp.txt"]
    assert [Path(key).name for key in changed["removed"]] == ["bell.txt"]


def test_summary_counts_what_was_read() -> None:
    """Standard error says how much was read; ``--quiet`` leaves it out."""
    assert "docqa: read 2 files: 2 passages in " in run("index", "files", "--to", "kb").stderr
    assert run("index", "files", "--to", "other", "--quiet").stderr == ""


def test_files_of_other_kinds_are_counted(folder: Path) -> None:
    """What is passed over in a folder is said."""
    (folder / "code.py").write_text("x = 1")
    assert "passed over 1 file of another kind" in run("index", "files", "--to", "kb").stderr


def test_bad_file_is_named_and_the_rest_goes_on(folder: Path) -> None:
    """A broken file and a missing one cost exit 2, not the others."""
    (folder / "broken.pdf").write_bytes(b"\x89PNG\r\n\x1a\n")
    result = run("index", "files", "missing.txt", "--to", "kb")
    assert result.exit_code == 2
    assert result.stdout.endswith("kb: 2 added, 1 failed\n")
    assert "docqa: error: missing.txt: no such file" in result.stderr
    assert "broken.pdf" in result.stderr
    assert "unexpected" not in result.stderr


def test_nothing_to_take_in_is_exit_1() -> None:
    """A folder without files of a supported kind leaves nothing to do."""
    Path("empty").mkdir()
    result = run("index", "empty", "--to", "kb")
    assert (result.exit_code, result.stdout.endswith("kb: nothing to do\n")) == (1, True)


def test_metadata_and_documents() -> None:
    """Metadata is kept with each document, and ``docqa info --documents`` shows it."""
    run("index", "files/lamp.txt", "--to", "kb", "--metadata", "year=1871", "--metadata", "by=me")
    listed = run("info", "kb", "--documents").stdout.splitlines()[-1]
    assert "lamp.txt: 1 passage, year=1871, by=me, indexed " in listed
    assert run("index", "files", "--to", "kb", "--metadata", "year").exit_code == 2


def test_remove_takes_documents_out(folder: Path) -> None:
    """Files stay where they are; an unknown document is an error with advice."""
    run("index", "files", "--to", "kb")
    removed = run("kb", "remove", "kb", "files/lamp.txt")
    assert removed.exit_code == 0
    assert "files is followed: docqa index or --sync adds" in removed.stderr
    assert (folder / "lamp.txt").exists()
    again = run("kb", "remove", "kb", "files/lamp.txt")
    assert again.exit_code == 2
    assert "no such document" in again.stderr
    assert "--documents lists them" in again.stderr
    assert "followed" not in run("kb", "remove", "kb", "files").stderr


def test_upkeep() -> None:
    """Checking, compacting and rebuilding each say what they did."""
    run("index", "files", "--to", "kb")
    assert "2 documents, 2 passages: all is right" in run("kb", "check", "kb").stdout
    assert record(run("kb", "compact", "kb", "--json"))["bytes_after"] > 0
    assert run("kb", "rebuild", "kb").stdout.endswith("kb: 2 replaced\n")
    assert run("kb", "check", "nowhere").exit_code == 2


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (("--remove", "files/lamp.txt", "--from", "kb"), "docqa kb remove KB SOURCE..."),
        (("--rebuild", "kb"), "docqa kb rebuild KB"),
        (("--compact", "kb"), "docqa kb compact KB"),
        (("--check", "kb", "--json"), "docqa kb check KB"),
    ],
)
def test_old_spelling_names_the_new_command(old: tuple[str, ...], new: str) -> None:
    """An option that became a command is a usage error and does nothing."""
    result = run("index", *old)
    assert (result.exit_code, Path("kb").exists()) == (2, False)
    assert result.stderr.splitlines()[-1].endswith(f"is a command of its own: {new}")


def test_kb_info_is_info_of_a_collection() -> None:
    """Both spellings show the same."""
    run("index", "files", "--to", "kb")
    assert run("kb", "info", "kb", "--documents").stdout == run("info", "kb", "--documents").stdout
    assert record(run("kb", "info", "kb", "--json")) == record(run("info", "kb", "--json"))


def test_sizes_are_settled_when_a_collection_is_made() -> None:
    """Other sizes later are refused, and a rebuild takes them."""
    run("index", "files", "--to", "kb", "--passage-tokens", "50")
    refused = run("index", "files", "--to", "kb", "--passage-tokens", "60")
    assert refused.exit_code == 2
    assert "docqa kb rebuild kb --passage-tokens 60" in refused.stderr
    assert run("kb", "rebuild", "kb", "--passage-tokens", "60").exit_code == 0
    assert docqa.Collection("kb").settings().passage_tokens == 60


def test_rebuild_keeps_the_sizes() -> None:
    """What is not asked for stays as the collection was made."""
    run("index", "files", "--to", "kb", "--passage-tokens", "50")
    run("kb", "rebuild", "kb")
    assert docqa.Collection("kb").settings().passage_tokens == 50


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("index", "files"), "name the collection"),
        (("index", "--to", "kb"), "no source given"),
        (("index", "-", "--to", "kb"), "save standard input"),
    ],
)
def test_wrong_use_is_told(arguments: tuple[str, ...], said: str) -> None:
    """Each mistake has a line that says what to write."""
    result = run(*arguments)
    assert result.exit_code == 2
    assert said in result.stderr


def test_second_writer_is_one_line() -> None:
    """While another process writes, indexing ends with one line."""
    run("index", "files", "--to", "kb")
    from docqa.index.opening import open_store

    with open_store("kb").writer():
        result = run("index", "files", "--to", "kb")
    assert result.exit_code == 2
    (line,) = result.stderr.splitlines()
    assert "another process is writing to this collection" in line


def test_info_tells_where_how_large_and_what_failed(folder: Path) -> None:
    """The facts of a collection for people, and for machines."""
    for number in range(12):
        (folder / f"broken-{number:02}.pdf").write_bytes(b"\x89PNG\r\n\x1a\n")
    run("index", "files", "--to", "kb")
    shown = run("info", "kb")
    assert shown.exit_code == 0
    lines = shown.stdout.splitlines()
    assert lines[0] == str(Path("kb").absolute())
    assert lines[1].split() == ["documents", "2"]
    assert sum(line.startswith("  failed") for line in lines) == 11
    assert "2 more sources; --json names them all" in lines[-1]
    facts = record(run("info", "kb", "--json", "--documents"))
    assert (len(facts["failed"]), len(facts["documents"])) == (12, 2)
    assert facts["made"]["format"] == 1


def test_info_of_a_plain_folder_is_what_it_was() -> None:
    """A folder that is no collection is a folder of files."""
    result = run("info", "files", "--documents")
    assert result.exit_code == 2
    assert "--documents lists a collection, and files is none" in result.stderr


DRIVER = """
import sys, time
import docqa
from docqa.cli import indexing, main
from docqa.testing import FakeReader

indexing.indexing_pipeline = lambda reader, sizes: docqa.Pipeline(reader=FakeReader(), **sizes)
report = indexing._Watch.__call__
def told(self, now):
    report(self, now)
    if now.done == 3:
        print("three", flush=True)
    if now.done >= 3:
        time.sleep(0.2)
indexing._Watch.__call__ = told
main(prog_name="docqa")
"""


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_interrupt_keeps_what_was_read(folder: Path) -> None:
    """After Ctrl-C what was read is in the collection, and a line says how much."""
    for number in range(40):
        (folder / f"note-{number:02}.txt").write_text(f"Note {number} is here.\n")
    here = os.pathsep.join(path for path in sys.path if path)
    command = [sys.executable, "-c", DRIVER, "index", "files", "--to", "kb", "--no-isolate"]
    pipe = subprocess.PIPE
    with subprocess.Popen(
        command, stdout=pipe, stderr=pipe, env={**os.environ, "PYTHONPATH": here}
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"three\n"
        time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    kept = len(docqa.Collection("kb").documents())
    assert 3 <= kept < 42
    assert f"stopped: {kept} of 42 files are in".encode() in said


@pytest.mark.slow
def test_processes_give_what_one_gives(folder: Path) -> None:
    """Loading in several processes takes in the same, and names what fails."""
    for number in range(6):
        (folder / f"note-{number}.txt").write_text(f"Note {number} is here.\n")
    (folder / "broken.pdf").write_bytes(b"\x89PNG\r\n\x1a\n")
    spread = docqa.Collection("kb", pipeline=docqa.Pipeline(reader="mini"), pool=ProcessPool(2))
    alone = docqa.Collection("alone", pipeline=docqa.Pipeline(reader="mini"))
    one, many = alone.sync(folder), spread.sync(folder)
    assert sorted(many.added) == sorted(one.added)
    assert [each.kind for each in many.failed] == ["UnsupportedFormatError"]
    assert [each.id for each in spread.documents()] == [each.id for each in alone.documents()]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_pipe_is_passed_over(folder: Path) -> None:
    """To open one would wait for ever."""
    os.mkfifo(folder / "pipe.txt")
    result = run("index", str(folder), "--to", "kb")
    assert result.exit_code == 0, result.output
    assert "pipes and devices" in result.stderr
    keys = [each.key for each in docqa.Collection("kb").documents()]
    assert not [key for key in keys if key.endswith("pipe.txt")]


@pytest.mark.parametrize("arguments", [("rebuild", "no"), ("remove", "no", "x")])
def test_wrong_name_leaves_nothing(arguments: tuple[str, ...]) -> None:
    """A collection that is not there is not begun by what only changes one."""
    result = run("kb", *arguments)
    assert (result.exit_code, Path("no").exists()) == (2, False)
    assert "there is no collection here" in result.stderr


def test_folder_without_files_is_told(folder: Path) -> None:
    """Nothing was done, and the message says why."""
    (folder / "empty").mkdir()
    result = run("index", str(folder / "empty"), "--to", "kb")
    assert "empty: no file of a supported kind in this folder yet" in result.stderr
