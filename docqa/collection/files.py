"""The files of a folder that a collection takes."""

from __future__ import annotations

import os
import stat
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from docqa.errors import SourceNotFoundError, SourceUnreadableError
from docqa.loaders.formats import SUPPORTED_SUFFIXES

__all__ = ["FolderFiles", "files_in", "is_inside", "is_special"]

_SPECIAL = "pipes and devices"  # their heading among the files of a folder that are passed over


@dataclass(frozen=True, slots=True)
class FolderFiles:
    """The files of a folder and the folders below it.

    Attributes:
        paths: absolute, sorted, of files of supported kinds.
        unreadable: folders that cannot be looked into, with the reason; their files are not known.
        passed_over: how many files of other kinds there are, by suffix.
    """

    paths: tuple[str, ...]
    unreadable: tuple[tuple[str, str], ...]
    passed_over: Counter[str] = field(default_factory=Counter)

    def may_hold(self, path: str) -> bool:
        """Say whether a file that was not found may lie in a folder that cannot be read."""
        return any(is_inside(path, folder) for folder, _ in self.unreadable)


def files_in(folder: str, *, without: Iterable[str] = ()) -> FolderFiles:
    """Return the files of supported kinds in a folder and below, hidden ones left out.

    Links to files count as files; links to folders are not followed, since they may lead around in
    a circle.

    Args:
        folder: a path; those found begin with it.
        without: folders to pass over, as absolute paths.

    Raises:
        SourceNotFoundError: there is no such folder.
        SourceUnreadableError: it cannot be looked into.
    """
    left_out = {os.path.normpath(each) for each in without}
    if not Path(folder).is_dir():
        raise SourceNotFoundError(
            f"{folder}: no such folder. Its documents stay in the collection; if they are to go, "
            "remove them",
            source=folder,
        )
    errors: list[OSError] = []
    paths: list[str] = []
    passed_over: Counter[str] = Counter()
    for where, folders, names in os.walk(folder, onerror=errors.append):
        folders[:] = [
            each
            for each in folders
            if not each.startswith(".") and os.path.join(where, each) not in left_out  # noqa: PTH118
        ]
        shown = [each for each in names if not each.startswith(".")]
        for each in shown:
            path = os.path.join(where, each)  # noqa: PTH118
            if not _is_taken(each):
                passed_over[_suffix(each) or "no suffix"] += 1
            elif is_special(path):
                passed_over[_SPECIAL] += 1
            else:
                paths.append(path)
    unreadable = tuple((str(each.filename), each.strerror or str(each)) for each in errors)
    if any(path == folder for path, _ in unreadable):
        raise SourceUnreadableError(
            f"{folder}: this folder cannot be read: {unreadable[0][1]}", source=folder
        )
    return FolderFiles(tuple(sorted(paths)), unreadable, passed_over)


def _is_taken(name: str) -> bool:
    return _suffix(name) in SUPPORTED_SUFFIXES


def _suffix(name: str) -> str:
    return Path(name).suffix.lower()


def is_inside(path: str, folder: str) -> bool:
    """Say whether a path is a folder's own or lies below it; both absolute.

    >>> is_inside("/a/b/c", "/a/b"), is_inside("/a/bc", "/a/b"), is_inside("/a", "/")
    (True, False, True)
    """
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)


def is_special(path: str) -> bool:
    """Say whether a path, or the target of its link, is a pipe, socket or device.

    To open a pipe waits for a writer, perhaps for ever. A path that cannot be looked at is not
    special: loading says why.
    """
    try:
        mode = os.stat(path).st_mode  # noqa: PTH116 - a path as it came
    except (OSError, ValueError):
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))
