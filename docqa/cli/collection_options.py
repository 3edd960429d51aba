"""Options of collections: which one, which of its documents, and the sizes of a new one."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar, cast

import click

from docqa.cli.collections import parse_entries
from docqa.cli.options import Option, with_options
from docqa.errors import SettingError
from docqa.index.contract import Where
from docqa.loaders.formats import TYPES_BY_SUFFIX, format_of

__all__ = [
    "AskedCollection",
    "collection_options",
    "settled_collection_options",
    "size_options",
]

_Command = TypeVar("_Command", bound=Callable[..., Any])
_DATE = click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"])

_IN = click.option(
    "--in",
    "kb",
    metavar="KB",
    help="Ask all documents of a collection at once, which docqa index made.",
)
_SYNC = click.option("--sync", is_flag=True, help="Bring the collection up to date before asking.")
_CHOOSING = (
    click.option(
        "--folder", metavar="DIR", help="With --in: only documents in this folder and below."
    ),
    click.option(
        "--document",
        "documents",
        multiple=True,
        metavar="PATH",
        help="With --in: only this document; may be repeated.",
    ),
    click.option(
        "--type", "kind", metavar="TYPE", help="With --in: only such files: pdf, html, text/plain."
    ),
    click.option("--title", help="With --in: only documents with this title, letter for letter."),
    click.option(
        "--since", type=_DATE, metavar="DATE", help="With --in: only files changed since then."
    ),
    click.option(
        "--until", type=_DATE, metavar="DATE", help="With --in: only files changed before then."
    ),
    click.option(
        "--where",
        "entries",
        multiple=True,
        metavar="NAME=VALUE",
        help="With --in: only documents with this metadata; may be repeated, and all must hold.",
    ),
)


_SIZES = (
    click.option(
        "--passage-tokens",
        type=click.IntRange(min=1),
        metavar="N",
        help="Largest passage of a new collection, in the reader's tokens.",
    ),
    click.option(
        "--overlap",
        type=click.IntRange(min=0),
        metavar="N",
        help="Tokens that neighbouring passages of a new collection may share.",
    ),
    click.option(
        "--content",
        type=click.Choice(["all", "main"]),
        help="main leaves navigation, footers and the like out of a new collection.",
    ),
)


@dataclass(frozen=True, slots=True)
class AskedCollection:
    """A collection to ask.

    Attributes:
        address: the collection's.
        where: the filter of its documents.
        sync: bring it up to date first.
    """

    address: str
    where: Where
    sync: bool


def collection_options(command: _Command) -> _Command:
    """Add the options that choose a collection; the command gets them as `collection`."""
    return _with_collection(command, (_IN, _SYNC, *_CHOOSING))


def settled_collection_options(command: _Command) -> _Command:
    """Add those options without ``--sync``, for a command that takes a collection as it is."""
    return _with_collection(command, (_IN, *_CHOOSING))


def size_options(command: _Command) -> _Command:
    """Add the options on passages; the command gets the given ones as `sizes`, by name."""

    @functools.wraps(command)
    def with_sizes(
        *arguments: Any,
        passage_tokens: int | None,
        overlap: int | None,
        content: str | None,
        **given: Any,
    ) -> Any:
        sizes = {"passage_tokens": passage_tokens, "overlap": overlap, "content": content}
        chosen = {name: value for name, value in sizes.items() if value is not None}
        return command(*arguments, sizes=chosen, **given)

    return with_options(cast(_Command, with_sizes), *_SIZES)


def _with_collection(command: _Command, options: Sequence[Option]) -> _Command:
    @functools.wraps(command)
    def with_collection(*arguments: Any, kb: str | None, sync: bool = False, **given: Any) -> Any:
        filters = {name: given.pop(name) for name in _FILTERS}
        asked = [option for name, option in _FILTERS.items() if filters[name] not in (None, ())]
        if kb is None and (asked or sync):
            option = asked[0] if asked else "--sync"
            raise click.UsageError(f"{option} is about a collection: name it with --in KB")
        collection = None if kb is None else AskedCollection(kb, _where(**filters), sync)
        return command(*arguments, collection=collection, **given)

    return with_options(cast(_Command, with_collection), *options)


_FILTERS = {
    "folder": "--folder",
    "documents": "--document",
    "kind": "--type",
    "title": "--title",
    "since": "--since",
    "until": "--until",
    "entries": "--where",
}


def _where(
    *,
    folder: str | None,
    documents: Sequence[str],
    kind: str | None,
    title: str | None,
    since: datetime | None,
    until: datetime | None,
    entries: Sequence[str],
) -> Where:
    return Where(
        keys=tuple(documents),
        folder=folder,
        media_type=None if kind is None else _media_type(kind),
        title=title,
        since=None if since is None else int(since.timestamp()),
        until=None if until is None else int(until.timestamp()),
        metadata=parse_entries("--where", entries),
    )


def _media_type(kind: str) -> str:
    """Return the media type of a type or a suffix.

    Raises:
        click.UsageError: there is none.

    >>> _media_type("PDF"), _media_type(".md"), _media_type("text/html")
    ('application/pdf', 'text/markdown', 'text/html')
    """
    named = kind.lower()
    with suppress(SettingError):
        return format_of(named).media_type
    found = TYPES_BY_SUFFIX.get(f".{named.removeprefix('.')}")
    if found is None:
        known = ", ".join(sorted(suffix.removeprefix(".") for suffix in TYPES_BY_SUFFIX))
        raise click.UsageError(f"--type {kind}: docqa reads no such files; it knows {known}")
    return found
