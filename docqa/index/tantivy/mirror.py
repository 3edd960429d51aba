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

_OWN = ".tantivy-"  # locks; they are made in the mirror


class Mirror:
    """Keep a temporary folder of symbolic links to what an index has.

    The lock that keeps a writer from deleting what is being opened is not shared: opening may fail
    while somebody else writes, and works when it is tried again.

    Args:
        folder: the index's.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder.absolute()
        self.path = Path(tempfile.mkdtemp(prefix="docqa-"))
        weakref.finalize(self, shutil.rmtree, self.path, ignore_errors=True)
        self.refresh()

    def refresh(self) -> None:
        """Link what is new, and drop what is gone."""
        there, linked = _names(self._folder), _names(self.path)
        for name in linked - there:
            with suppress(FileNotFoundError):
                (self.path / name).unlink()
        for name in there - linked:
            (self.path / name).symlink_to(self._folder / name)


def _names(folder: Path) -> set[str]:
    return {each.name for each in folder.iterdir() if not each.name.startswith(_OWN)}


def is_writable(folder: Path) -> bool:
    """Say whether files can be made in a folder, as far as its permissions and disk tell."""
    return os.access(folder, os.W_OK | os.X_OK)
