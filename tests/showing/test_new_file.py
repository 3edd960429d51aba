"""New files: whole or not at all, and never over the original."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from docqa.errors import HighlightError, SettingError
from docqa.showing.new_file import require_new_file, require_writable, write_new_file


@pytest.fixture
def original(tmp_path: Path) -> Path:
    path = tmp_path / "report.pdf"
    path.write_bytes(b"original")
    return path


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_same_path_is_refused(original: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The original is recognised by another spelling of its path."""
    monkeypatch.chdir(original.parent)
    with pytest.raises(SettingError, match="the original itself"):
        require_new_file(Path("report.pdf"), original)
    with pytest.raises(SettingError, match="the original itself"):
        require_new_file(original.parent / "." / "report.pdf", Path("report.pdf"))


@pytest.mark.parametrize("link", [os.symlink, os.link])
def test_links_to_the_original_are_refused(original: Path, link) -> None:
    """Links of both kinds lead to the original's bytes."""
    link(original, original.parent / "link.pdf")
    with pytest.raises(SettingError, match="the original itself"):
        require_new_file(original.parent / "link.pdf", original)


def test_name_in_another_case_is_refused_where_it_is_the_same_file(original: Path) -> None:
    """The file system decides whether case matters."""
    other = original.with_name("REPORT.pdf")
    if other.exists():
        with pytest.raises(SettingError):
            require_new_file(other, original)
    else:
        require_new_file(other, original)


def test_missing_original_is_compared_by_its_path(tmp_path: Path) -> None:
    """An original that is gone is not made anew by accident."""
    with pytest.raises(SettingError):
        require_new_file(tmp_path / "a" / ".." / "gone.pdf", tmp_path / "gone.pdf")


def test_file_is_written_and_nothing_else(tmp_path: Path) -> None:
    """No temporary file is left."""
    write_new_file(tmp_path / "out.pdf", b"new")
    assert (tmp_path / "out.pdf").read_bytes() == b"new"
    assert names(tmp_path) == ["out.pdf"]


def test_replaced_file_keeps_its_permissions(tmp_path: Path) -> None:
    """Another file of the name is replaced, as its owner shared it."""
    out = tmp_path / "out.pdf"
    out.write_bytes(b"old")
    out.chmod(0o640)
    write_new_file(out, b"new")
    assert (out.read_bytes(), stat.S_IMODE(out.stat().st_mode)) == (b"new", 0o640)


def test_link_stays_a_link(tmp_path: Path) -> None:
    """Of a link, the file that it leads to is replaced."""
    (tmp_path / "target.pdf").write_bytes(b"old")
    (tmp_path / "link.pdf").symlink_to("target.pdf")
    write_new_file(tmp_path / "link.pdf", b"new")
    assert (tmp_path / "link.pdf").is_symlink()
    assert (tmp_path / "target.pdf").read_bytes() == b"new"


def test_failure_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the last step fails, the old file is whole and the temporary one is gone."""
    out = tmp_path / "out.pdf"
    out.write_bytes(b"old")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(HighlightError, match=r"out\.pdf: cannot be written: No space left"):
        write_new_file(out, b"new")
    assert (out.read_bytes(), names(tmp_path)) == (b"old", ["out.pdf"])


def test_folder_that_is_missing_is_named(tmp_path: Path) -> None:
    """The message says which folder to make."""
    with pytest.raises(HighlightError, match=r"there is no folder .*nowhere"):
        require_writable(tmp_path / "nowhere" / "out.pdf")


def test_folder_as_file_is_refused(tmp_path: Path) -> None:
    """A folder is no place to write to by itself."""
    with pytest.raises(HighlightError, match="this is a folder"):
        require_writable(tmp_path)


def test_folder_without_permission_is_named(tmp_path: Path) -> None:
    """A folder that nobody may write in is told before anything is read."""
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o500)
    if os.access(closed, os.W_OK):
        pytest.skip("this user may write everywhere")
    with pytest.raises(HighlightError, match="no permission to write"):
        require_writable(closed / "out.pdf")
