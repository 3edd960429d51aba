"""Open an index to read it, also one whose folder cannot be written."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from docqa.index.tantivy.mirror import Mirror, is_writable
from docqa.index.tantivy.schema import TERMS

if TYPE_CHECKING:
    import tantivy

__all__ = ["IndexReader", "open_index"]

_TRIES, _PAUSE = 20, 0.05  # seconds; while somebody writes into an index that is not to be locked

_Value = TypeVar("_Value")


class IndexReader:
    """Keep an index open for reading.

    Args:
        folder: the index's; where nothing can be written into it, it is read through links.
    """

    def __init__(self, folder: Path) -> None:
        is_linked = folder.is_dir() and not is_writable(folder)
        self._mirror = Mirror(folder) if is_linked else None
        path = folder if self._mirror is None else self._mirror.path
        self._index = self._tried(lambda: open_index(path))

    def searcher(self) -> tuple[tantivy.Index, tantivy.Searcher]:
        """Return the index, and what searches its last commit.

        Raises:
            OSError, ValueError: it cannot be read.
        """
        self._tried(self._index.reload)
        return self._index, self._index.searcher()

    def _tried(self, act: Callable[[], _Value]) -> _Value:
        """Return what an act gives; where the files are linked, they are linked anew until it does.

        Raises:
            OSError, ValueError: it does not.
        """
        for left in reversed(range(1 if self._mirror is None else _TRIES)):
            try:
                if self._mirror is not None:
                    self._mirror.refresh()
                return act()
            except (OSError, ValueError):
                if not left:
                    raise
                time.sleep(_PAUSE)
        raise AssertionError


def open_index(folder: Path) -> tantivy.Index:
    """Return the index of a folder; its analyser is no part of the files.

    It sees another commit when it is reloaded, and only then: by itself tantivy would look in the
    background, and make a file in the folder for it while that is being deleted.
    """
    import tantivy

    index = tantivy.Index.open(str(folder))
    index.config_reader(reload_policy="Manual")
    analyser = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.whitespace()).build()
    index.register_tokenizer(TERMS, analyser)
    return index
