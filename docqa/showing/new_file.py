"""New files: written whole or not at all, and never over their original."""

from __future__ import annotations

import os
import re
import secrets
import stat
from contextlib import suppress
from pathlib import Path

from docqa.errors import HighlightError, SettingError

__all__ = [
    "is_made_by_docqa",
    "is_one_file",
    "require_new_file",
    "require_writable",
    "write_new_file",
]

# The head of a report or of a text's page, the first mark of a web page's copy, and the author of
# the highlights in a PDF that is not encrypted.
_MADE = re.compile(
    rb'<meta name="generator" content="docqa |<mark id="docqa\d*-1" style="background:'
    rb"|/T \(docqa\)"
)


def is_one_file(path: Path, other: Path) -> bool:
    """Say whether two paths name one file: by links of both kinds, or by names in another case."""
    try:
        return path.samefile(other)
    except (OSError, ValueError):
        return path.resolve() == other.resolve()


def require_new_file(out: Path, original: Path) -> None:
    """Check that writing `out` leaves `original` as it is.

    Raises:
        SettingError: both name one file.
    """
    if is_one_file(out, original):
        raise SettingError(
            f"{out} is the original itself, which is never written to; choose another name"
        )


def require_writable(out: Path) -> None:
    """Check that a file can be made at `out`.

    Raises:
        HighlightError: there is no such folder, or no permission, or a folder stands there.
    """
    folder = out.parent
    if out.is_dir():
        raise HighlightError(f"{out}: this is a folder; name a file in it")
    if not folder.is_dir():
        raise HighlightError(f"{out}: there is no folder {folder}; make it first")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise HighlightError(f"{out}: no permission to write in {folder}")


def write_new_file(out: Path, data: bytes) -> None:
    """Write `data` to `out`: beside it first, then moved there in one step.

    A file that is there is replaced and keeps its permissions; of a link, the file that it leads
    to is replaced.

    Raises:
        HighlightError: it cannot be written.
    """
    require_writable(out)
    target = Path(os.path.realpath(out))
    temporary = target.with_name(f".{target.name[:32]}.{secrets.token_hex(4)}")
    try:
        with temporary.open("xb") as file:
            file.write(data)
        with suppress(FileNotFoundError):
            temporary.chmod(stat.S_IMODE(target.stat().st_mode))
        temporary.replace(target)
    except OSError as error:
        raise _unwritable(out, error) from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def _unwritable(out: Path, error: OSError) -> HighlightError:
    return HighlightError(f"{out}: cannot be written: {error.strerror or error}")


def is_made_by_docqa(path: Path) -> bool:
    """Say whether a file is a report or a marked copy; False where it cannot be known.

    The copies of encrypted PDFs, and of web pages in UTF-16, cannot be recognised.
    """
    try:
        return _MADE.search(path.read_bytes()) is not None
    except (OSError, ValueError):
        return False
