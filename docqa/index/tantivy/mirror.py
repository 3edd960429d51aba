"""Read an index whose folder cannot be written: on a read-only disk, or another user's.

tantivy makes a lock file in the folder that it opens, also for reading. So it gets a folder of its
own, of links to the files.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import weakref
from contextlib import suppress
from pathlib import Path

__all__ = ["Mirror", "is_writable"]

_LEFT_OUT = ".tantivy-", ".managed.json"  # locks, made in the mirror; what writers may delete
_PREFIX = "docqa-mirror-"


class Mirror:
    """Keep a temporary folder of symbolic links to what an index has.

    The lock that keeps a writer from deleting what is being opened is not shared: opening may fail
    while somebody else writes, and works when it is tried again. The folder goes with the object;
    those of processes that were killed go when the next one is made.

    Args:
        folder: the index's; `refresh` links what it has.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder.absolute()
        _sweep()
        self.path = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-"))
        weakref.finalize(self, shutil.rmtree, self.path, ignore_errors=True)

    def refresh(self) -> None:
        """Link what is new, and drop what is gone."""
        there, linked = _names(self._folder), _names(self.path)
        for name in linked - there:
            with suppress(FileNotFoundError):
                (self.path / name).unlink()
        for name in there - linked:
            (self.path / name).symlink_to(self._folder / name)


def _names(folder: Path) -> set[str]:
    return {each.name for each in folder.iterdir() if not each.name.startswith(_LEFT_OUT)}


def _sweep() -> None:
    """Remove the mirrors of this user's processes that are no more."""
    for each in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*-*"):
        process = each.name.removeprefix(_PREFIX).partition("-")[0]
        with suppress(OSError):
            if process.isdecimal() and not _is_running(int(process)):
                shutil.rmtree(each, ignore_errors=True)  # not those of other users


def _is_running(process: int) -> bool:
    if os.name == "nt":
        return True  # to ask there is to end it
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):  # or no process has such a number
        return False
    except PermissionError:  # another user's
        pass
    return True


def is_writable(folder: Path) -> bool:
    """Say whether files can be made in a folder, as far as its permissions and disk tell."""
    return os.access(folder, os.W_OK | os.X_OK)
