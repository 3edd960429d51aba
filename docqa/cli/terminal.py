"""Text for terminals: harmless, in the terminal's encoding, coloured where it is wanted."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["console_for", "one_line", "prepare_streams", "safe", "speaks_unicode"]

# ECMA-48: control sequences (5.4), control strings (5.6) and their 8-bit forms.
_ESCAPES = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"
    r"|(?:\x1b[]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x07\x1b\x9c\n]{0,4096}(?:\x07|\x1b\\|\x9c)"
)
# Other controls, and the bidirectional embeddings, overrides and isolates (UAX 9), which would
# reorder what follows on the line; plain left-to-right and right-to-left marks stay.
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_SPACE = re.compile(r"\s+")


def safe(text: str) -> str:
    r"""Return `text` without escape sequences and controls, which a terminal would obey.

    Tabs and line ends stay; other controls are dropped.

    >>> safe("a \x1b[31mred\x1b[0m word\x07 and a \x1b]0;title\x07tail")
    'a red word and a tail'
    """
    return _CONTROLS.sub("", _ESCAPES.sub("", text))


def one_line(text: str) -> str:
    r"""Return `text` for display on one line: safe, white space as single spaces.

    >>> one_line("two\r\n  lines\x1b[2J ")
    'two lines '
    """
    return _CONTROLS.sub("", _SPACE.sub(" ", _ESCAPES.sub("", text)))


def prepare_streams(*streams: TextIO) -> None:
    """Let no stream fail on a character that its encoding lacks; it is written as an escape."""
    for stream in streams:
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")


def speaks_unicode(stream: TextIO) -> bool:
    """Say whether every character can be written to `stream` as it is."""
    encoding = (getattr(stream, "encoding", None) or "ascii").lower().replace("_", "-")
    return encoding.startswith(("utf-", "utf8", "cp65001"))


def console_for(stream: TextIO) -> Console:
    """Return a console over `stream` that takes all text literally.

    Colours appear on terminals only; ``NO_COLOR``, ``FORCE_COLOR`` and ``TERM=dumb`` are honoured.
    """
    from rich.console import Console

    return Console(file=stream, markup=False, highlight=False, emoji=False)
