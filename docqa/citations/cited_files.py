"""The files that citations name: at their paths, or by their content under a folder."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from docqa.citations.records import Citation
from docqa.datamodel import is_nameless

__all__ = ["CitedFile", "CitedFiles"]

_BLOCK = 1 << 20  # bytes hashed at a time


@dataclass(frozen=True, slots=True)
class CitedFile:
    """The present place of a cited file.

    Attributes:
        path: to read; None where it is missing.
        note: in words, where it was looked for or found, when that is not its own path.
    """

    path: Path | None
    note: str = ""


class CitedFiles:
    """The search for cited files.

    Args:
        root: relative paths start here, and files that are gone from their path are looked for
            here by their SHA-256; None for the working directory, without looking.
    """

    def __init__(self, root: Path | None) -> None:
        self._root = root
        self._found: dict[tuple[str, str], CitedFile] = {}
        self._by_id: dict[str, Path] | None = None

    def find(self, citation: Citation) -> CitedFile:
        """Return the present place of a citation's file."""
        key = citation.source, citation.document_id
        if key not in self._found:
            self._found[key] = self._look(*key)
        return self._found[key]

    def _look(self, source: str, document_id: str) -> CitedFile:
        nameless = is_nameless(source)
        if not nameless:
            path = (self._root or Path()) / source
            if _is_file(path):
                return CitedFile(path)
        missing = "it was no file when it was cited" if nameless else "the file is missing"
        if self._root is None:
            return CitedFile(
                None,
                f"{missing}; relative paths start in the working directory, or in that of --root, "
                "which also looks for the content",
            )
        if document_id and (path_by_id := self._ids().get(document_id)):
            return CitedFile(path_by_id, f"found by its content at {path_by_id}")
        return CitedFile(None, f"{missing}, and no file under {self._root} has its content")

    def _ids(self) -> dict[str, Path]:
        """Return the files under the root by the SHA-256 of their bytes; hashed when asked."""
        if self._by_id is None:
            self._by_id = {}
            for folder, folders, names in os.walk(self._root or Path()):
                folders.sort()
                for path in (Path(folder) / name for name in sorted(names)):
                    if _is_file(path) and (digest := _sha256(path)):
                        self._by_id.setdefault(digest, path)
        return self._by_id


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # a name too long, or with a NUL in it
        return False


def _sha256(path: Path) -> str | None:
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while block := file.read(_BLOCK):
                digest.update(block)
    except OSError:  # what cannot be read cannot be what is looked for
        return None
    return digest.hexdigest()
