"""``docqa info`` of a collection: place, size, age and failed sources."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from docqa.cli.collections import open_collection
from docqa.cli.notices import counted
from docqa.cli.prelude import Run
from docqa.cli.sources import plain_path
from docqa.cli.terminal import console_for, one_line

if TYPE_CHECKING:
    from docqa.collection.collection import Collection
    from docqa.collection.information import CollectionInfo
    from docqa.collection.records import CollectedDocument

__all__ = ["describe_collection", "is_collection"]

_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]+://", re.I)
_MOST_FAILED_SHOWN = 10


def is_collection(argument: str) -> bool:
    """Say whether an argument names a collection: an engine's address, or a folder that is one."""
    argument = plain_path(argument)
    if _ADDRESS.match(argument):
        return not argument.lower().startswith(("http://", "https://"))
    return (Path(argument) / "documents").is_dir() and open_collection(argument).exists()


def describe_collection(run: Run, address: str, *, documents: bool) -> None:
    """Write the size, age, reader and failures of a collection.

    Args:
        run: of the command.
        address: the collection's.
        documents: list its documents too.

    Raises:
        CollectionError: there is none, or it was made by another version.
    """
    with open_collection(address) as collection:
        if run.as_json:
            run.write_record(_record(collection, documents=documents))
        else:
            run.write(_text(collection, documents=documents))


def _record(collection: Collection, *, documents: bool) -> dict[str, Any]:
    facts = collection.info().to_dict()
    record = {
        "collection": facts.pop("address"),
        **facts,
        "failed": [each.to_dict() for each in collection.failures()],
    }
    if documents:
        record["documents"] = [each.to_dict() for each in collection.documents()]
    return record


def _text(collection: Collection, *, documents: bool) -> str:
    from rich.text import Text

    info = collection.info()
    console = console_for(sys.stdout)
    with console.capture() as written:
        console.print(Text(one_line(info.address), "bold"), soft_wrap=True)
        for name, value in _lines(info, collection):
            style = "yellow" if name in ("failed", "rebuild") else ""
            line = Text.assemble((f"  {name:<12}", "dim"), (one_line(value), style))
            console.print(line, soft_wrap=True)
        for each in collection.documents() if documents else ():
            console.print(Text(f"  {_document(each)}"), soft_wrap=True)
    return written.get()


def _lines(info: CollectionInfo, collection: Collection) -> Iterator[tuple[str, str]]:
    own = info.settings
    yield "documents", f"{info.n_documents:,}"
    if info.n_pages:
        yield "pages", f"{info.n_pages:,}"
    yield "passages", f"{info.n_passages:,}"
    yield "text", f"{info.n_characters:,} characters"
    if info.size is not None:
        yield "size", _bytes(info.size)
    yield "made", f"{_when(info.created)}, by docqa {own.docqa}, format {own.format}"
    if info.changed is not None:
        yield "last change", _when(info.changed)
    sizes = f"up to {own.passage_tokens} tokens a passage, overlap {own.overlap}"
    yield "reader", f"{own.reader}, {sizes}, content {own.content}"
    if info.is_half_rebuilt:
        ends = f"docqa kb rebuild {info.address} makes the others again too"
        yield "rebuild", f"was interrupted; {ends}"
    for folder in info.folders:
        yield "folder", folder
    failures = collection.failures()
    for failure in failures[:_MOST_FAILED_SHOWN]:
        named = "" if failure.key in failure.message else f"{failure.key}: "
        yield "failed", f"{named}{failure.message}"
    if len(failures) > _MOST_FAILED_SHOWN:
        left = counted(len(failures) - _MOST_FAILED_SHOWN, "more source")
        yield "failed", f"{left}; --json names them all"


def _document(document: CollectedDocument) -> str:
    """Return a document on one line: its key, its size, its metadata."""
    pages = f", {counted(document.n_pages, 'page')}" if document.n_pages else ""
    entries = "".join(f", {name}={value}" for name, value in document.metadata.items())
    size = f"{counted(document.n_passages, 'passage')}{pages}"
    title = f' "{document.title}"' if document.title else ""
    return one_line(f"{document.key}{title}: {size}{entries}, indexed {_when(document.indexed)}")


def _when(seconds: float) -> str:
    """Return a time in the local zone, to the minute."""
    return datetime.fromtimestamp(seconds, UTC).astimezone().strftime("%Y-%m-%d %H:%M")


def _bytes(size: int) -> str:
    """Return a number of bytes for people.

    >>> _bytes(900), _bytes(12_345_678)
    ('900 bytes', '12.3 MB')
    """
    for unit, factor in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if size >= factor:
            return f"{size / factor:.1f} {unit}"
    return f"{size} bytes"
