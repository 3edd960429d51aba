"""Tell the files that docqa made from those of other programs."""

from __future__ import annotations

import re
from pathlib import Path

__all__ = ["is_made_here"]

# The head of a report or of a text's page, the first mark of a web page's copy, and the author of
# the highlights in a PDF that is not encrypted.
_MADE = re.compile(
    rb'<meta name="generator" content="docqa |<mark id="docqa\d*-1" style="background:'
    rb"|/T \(docqa\)"
)


def is_made_here(path: Path) -> bool:
    """Say whether a file is a report or a marked copy; False where that cannot be told.

    The copies of encrypted PDFs, and of web pages in UTF-16, cannot be told.
    """
    try:
        return _MADE.search(path.read_bytes()) is not None
    except (OSError, ValueError):
        return False
