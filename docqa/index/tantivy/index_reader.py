"""Open an index to read it, also one on a read-only disk or in another user's folder.

tantivy makes a lock file in the folder that it opens, also for reading. Where none can be made, it
gets a folder of links to the files instead.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
import weakref
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from docqa.index.tantivy.checksums import Checksums
from docqa.index.tantivy.schema import TERMS

if TYPE_CHECKING:
    import tantivy

__all__ = ["IndexReader", "LinkedFolder", "is_writable", "open_index"]

_LEFT_OUT = ".tantivy-", ".managed.json"  # locks, made in the linked folder; the list of a writer
_PREFIX = "docqa-mirror-"
_TRIES, _PAUSE = 20, 0.05  # seconds; while another process writes into an index without a lock

_Value = TypeVar("_Value")


class IndexReader:
    """An index that is open for reading.

    Args:
        folder: the index's; it is read through links where nothing can be written into it.
    """

    def __init__(self, folder: Path) -> None:
        is_linked = folder.is_dir() and not is_writable(folder)
        self._links = LinkedFolder(folder) if is_linked else None
        path = folder if self._links is None else self._links.path
        self._checksums = Checksums(folder)
        self._index = self._tried(lambda: open_index(path))

    def searcher(self) -> tuple[tantivy.Index, tantivy.Searcher]:
        """Return the index, and a searcher of its last commit.

        Raises:
            DamageError: a file of it is missing, or not what was written.
            OSError, ValueError: it cannot be read.
        """
        self._tried(self._index.reload)
        return self._index, self._index.searcher()

    def _tried(self, act: Callable[[], _Value]) -> _Value:
        """Return the result of an act, which is tried again with new links where files are linked.

        Raises:
            OSError, ValueError: the act failed each time.
        """
        for left in reversed(range(1 if self._links is None else _TRIES)):
            try:
                self._checksums.require()
                if self._links is not None:
                    self._links.refresh()
                return act()
            except (OSError, ValueError):
                if not left:
                    raise
                time.sleep(_PAUSE)
        raise AssertionError


def open_index(folder: Path) -> tantivy.Index:
    """Return the index of a folder with its analyser, which is no part of the files.

    A later commit is seen after a reload only. tantivy's own reloading works in the background, and
    would make a file in a folder that is being deleted.
    """
    import tantivy

    index = tantivy.Index.open(str(folder))
    index.config_reader(reload_policy="Manual")
    analyser = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.whitespace()).build()
    index.register_tokenizer(TERMS, analyser)
    return index


class LinkedFolder:
    """A temporary folder of symbolic links to the files of an index.

    The lock that keeps a writer from deleting files that are being opened is not shared: opening
    may fail during a commit, and works when it is tried again. The folder goes with the object;
    those of killed processes go when the next one is made.

    Args:
        folder: the index's; `refresh` links what it has.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder.absolute()
        _sweep()
        self.path = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-"))
        weakref.finalize(self, shutil.rmtree, self.path, ignore_errors=True)

    def refresh(self) -> None:
        """Add links to new files, and remove the links whose files are gone."""
        there, linked = _names(self._folder), _names(self.path)
        for name in linked - there:
            with suppress(FileNotFoundError):
                (self.path / name).unlink()
        for name in there - linked:
            (self.path / name).symlink_to(self._folder / name)


def _names(folder: Path) -> set[str]:
    return {each.name for each in folder.iterdir() if not each.name.startswith(_LEFT_OUT)}


def _sweep() -> None:
    """Remove the linked folders of this user's processes that have ended."""
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
    """Return whether files can be made in a folder, by its permissions and its disk."""
    return os.access(folder, os.W_OK | os.X_OK)
