"""What the arguments of a collection's methods name."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Union

from docqa.collection.files import files_in
from docqa.collection.ingest import Job
from docqa.datamodel import Document, is_nameless
from docqa.errors import SettingError
from docqa.index.contract import Where
from docqa.loaders.source_bytes import Source, source_name

__all__ = [
    "Sources",
    "absolute",
    "each_source",
    "folders_of",
    "jobs_of",
    "with_absolute_paths",
]

_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]+://", re.I)

Sources = Union[Iterable[Source], Source]


def jobs_of(sources: Sources, name: str | None) -> Iterator[Job]:
    """Yield a job for each source; folders stand for their files.

    Args:
        sources: see `docqa.Collection.add`.
        name: what a source without a path is filed under.

    Raises:
        LoadError: a folder cannot be read.
        SettingError: a source has no name, or the name of another, or is a document.
    """
    named: set[str] = set()
    for source in each_source(sources):
        if isinstance(source, (str, os.PathLike)) and name is None:
            path = absolute(os.fspath(source))
            if os.path.isdir(path):  # noqa: PTH112 - a path as it came
                yield from (Job(file, file, path) for file in files_in(path).paths)
            else:
                yield Job(path, path)
            continue
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
        if key in named:
            raise SettingError(
                f"{key}: two sources of this name; the second would take the place of the first. "
                "Add each with a name of its own"
            )
        named.add(key)
        yield Job(key, source, is_file=False)


def folders_of(sources: Iterable[Source]) -> list[str]:
    """Return the folders among some sources, as absolute paths."""
    paths = (os.fspath(each) for each in sources if isinstance(each, (str, os.PathLike)))
    return [absolute(path) for path in paths if os.path.isdir(path)]  # noqa: PTH112


def each_source(sources: Sources) -> Iterable[Source]:
    """Return the sources; a path is one, not its letters, and an open file one, not its lines."""
    if isinstance(sources, (str, os.PathLike, bytes, bytearray, memoryview, Document)):
        return (sources,)
    return (sources,) if hasattr(sources, "read") else sources  # type: ignore[return-value]


def absolute(path: str) -> str:
    """Return a path as documents are filed under it: absolute, links as they are.

    Raises:
        SettingError: it is empty, which means a variable without a value more often than the
            working folder.
    """
    if not path:
        raise SettingError("an empty name is no source; name a file or a folder, the working one .")
    return path if _ADDRESS.match(path) else os.path.abspath(path)  # noqa: PTH100 - keeps links


def with_absolute_paths(where: Where | None) -> Where:
    """Return a filter with its paths as documents are filed; names stay beside them."""
    if where is None:
        return Where()
    keys = dict.fromkeys(each for key in where.keys for each in (key, absolute(key)))
    folder = None if where.folder is None else absolute(where.folder)
    return replace(where, keys=tuple(keys), folder=folder)
