"""Open an index to read it, also one whose folder cannot be written."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from docqa.index.tantivy.mirror import Mirror, is_writable
from docqa.index.tantivy.schema import TERMS

if TYPE_CHECKING:
    import tantivy

__all__ = ["OpenIndex", "open_index"]

_TRIES = 10  # while somebody else writes into an index that is not to be locked


class OpenIndex:
    """Keep an index open for reading.

    Args:
        folder: the index's; where nothing can be written into it, it is read through links.
    """

    def __init__(self, folder: Path) -> None:
        is_linked = folder.is_dir() and not is_writable(folder)
        self._mirror = Mirror(folder) if is_linked else None
        self._index = open_index(folder if self._mirror is None else self._mirror.path)

    def searcher(self) -> tuple[tantivy.Index, tantivy.Searcher]:
        """Return the index, and what searches its last commit.

        Raises:
            OSError, ValueError: it cannot be read.
        """
        for left in reversed(range(_TRIES)):
            try:
                if self._mirror is not None:
                    self._mirror.refresh()
                self._index.reload()
                break
            except (OSError, ValueError):
                if self._mirror is None or not left:
                    raise
        return self._index, self._index.searcher()


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
