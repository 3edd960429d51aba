"""The arguments of a collection's methods: sources, filters and metadata."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from docqa.collection.files import files_in
from docqa.collection.ingest import Job
from docqa.datamodel import Document, is_nameless
from docqa.errors import SettingError
from docqa.index.contract import Where
from docqa.loaders.source_bytes import Source, source_name

__all__ = [
    "FoundSources",
    "Sources",
    "absolute",
    "each_source",
    "find_sources",
    "require_metadata",
    "with_absolute_paths",
]

_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]+://", re.I)

Sources = Iterable[Source] | Source


@dataclass(frozen=True, slots=True)
class FoundSources:
    """The sources of one call.

    Attributes:
        jobs: one for each source; folders stand for their files.
        folders: the absolute paths of folders.
        passed_over: how many files of other kinds there are in them, by suffix.
    """

    jobs: list[Job] = field(default_factory=list)
    folders: list[str] = field(default_factory=list)
    passed_over: Counter[str] = field(default_factory=Counter)


def find_sources(sources: Sources, name: str | None) -> FoundSources:
    """Return the jobs and folders of some sources.

    Args:
        sources: see `docqa.Collection.add`.
        name: the key of a source without a path.

    Raises:
        LoadError: a folder cannot be read.
        SettingError: a source has no name, or the name of another, or is a document.
    """
    found = FoundSources()
    named: set[str] = set()
    for source in each_source(sources):
        if isinstance(source, (str, os.PathLike)) and name is None:
            _find_files(found, absolute(os.fspath(source)))
            continue
        key = _name(source, name)
        if key in named:
            raise SettingError(
                f"{key}: two sources of this name; the second would take the place of the first. "
                "Add each with a name of its own"
            )
        named.add(key)
        found.jobs.append(Job(key, source, is_file=False))
    return found


def _find_files(found: FoundSources, path: str) -> None:
    if not os.path.isdir(path):  # noqa: PTH112 - a path as it came
        found.jobs.append(Job(path, path))
        return
    files = files_in(path)
    found.folders.append(path)
    found.jobs.extend(Job(file, file, path) for file in files.paths)
    found.passed_over.update(files.passed_over)


def _name(source: Source, name: str | None) -> str:
    """Return the key of a source without a path.

    Raises:
        SettingError: it has no name, or is a document.
    """
    if isinstance(source, Document):
        raise SettingError(
            f"{source.source}: a collection reads its sources itself; add the file or bytes "
            "that the document was loaded from"
        )
    key = name or source_name(source)
    if is_nameless(key):
        raise SettingError(
            "bytes and open files without a name need one: add(data, name='minutes.txt')"
        )
    return key


def each_source(sources: Sources) -> Iterable[Source]:
    """Return the sources; a path is one, not its letters, and an open file one, not its lines."""
    if isinstance(sources, (str, os.PathLike, bytes, bytearray, memoryview, Document)):
        return (sources,)
    return (sources,) if hasattr(sources, "read") else sources  # type: ignore[return-value]


def absolute(path: str) -> str:
    """Return a path as a document's key has it: absolute, links as they are.

    Raises:
        SettingError: it is empty, which means a variable without a value more often than the
            working folder.
    """
    if not path:
        raise SettingError("an empty name is no source; name a file or a folder, the working one .")
    return path if _ADDRESS.match(path) else os.path.abspath(path)  # noqa: PTH100 - keeps links


def with_absolute_paths(where: Where | None) -> Where:
    """Return a filter with its paths as keys have them; names stay beside them."""
    if where is None:
        return Where()
    keys = dict.fromkeys(each for key in where.keys for each in (key, absolute(key)))
    folder = None if where.folder is None else absolute(where.folder)
    return replace(where, keys=tuple(keys), folder=folder)


def require_metadata(metadata: Mapping[str, object]) -> dict[str, str]:
    """Return the user's metadata as it is stored: text by text.

    Raises:
        SettingError: a name is no text, or a value neither text nor a number.
    """
    for name, value in metadata.items():
        if not isinstance(name, str) or not isinstance(value, (str, int, float)):
            raise SettingError(
                f"metadata must be texts or numbers by name, not {name!r}: {value!r}"
            )
    return {name: str(value) for name, value in metadata.items()}
