"""Collections for commands: opening one, its reader, its metadata."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from docqa.errors import CollectionError

if TYPE_CHECKING:
    from docqa.asking.reading_settings import ReadingSettings
    from docqa.collection.collection import Collection
    from docqa.collection.settings import CollectionSettings

__all__ = [
    "asking_settings",
    "chosen_reader",
    "named_collections",
    "open_collection",
    "parse_entries",
    "settings_before",
]


_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)


def open_collection(address: str) -> Collection:
    """Return the collection at an address, to look at it; no reader is loaded.

    Raises:
        MissingDependencyError: its engine's library is not installed.
        SettingError: there is no engine for the address.
    """
    from docqa.collection.collection import Collection

    return Collection(address)


def named_collections(entries: Iterable[str]) -> dict[str, str]:
    """Return the addresses of ``--collection NAME=KB`` by the names that callers use.

    Raises:
        click.UsageError: one is not of that form.
        CollectionError: there is no collection at an address.
    """
    addresses = parse_entries("--collection", entries)
    for name, address in addresses.items():
        if not _NAME.fullmatch(name):
            raise click.UsageError(
                f"--collection {name!r}: a name has letters, digits, dots, dashes and underscores"
            )
        if not open_collection(address).exists():
            raise CollectionError(
                f"there is no collection at {address}; docqa index DIR --to {address} makes one"
            )
    return addresses


def settings_before(collection: Collection) -> CollectionSettings | None:
    """Return the settings of a collection; None where there is none, or of another version."""
    try:
        return collection.settings()
    except CollectionError:
        return None


def chosen_reader(
    ctx: click.Context,
    given: str,
    own: CollectionSettings | None,
    *,
    by: Iterable[ParameterSource] = (ParameterSource.COMMANDLINE,),
) -> str:
    """Return the reader to use: the one asked for, or the collection's own.

    Args:
        ctx: of the command, which has an option ``--reader``.
        given: the option's value.
        own: the settings of the collection, if there is one.
        by: ways to ask for a reader that count.
    """
    asked_for = ctx.get_parameter_source("reader") in tuple(by)
    return given if own is None or asked_for else own.reader


def asking_settings(
    ctx: click.Context, reading: ReadingSettings, address: str, own: CollectionSettings
) -> ReadingSettings:
    """Return the settings for asking a collection: its own reader unless another is asked for.

    Args:
        ctx: of the command, which has an option ``--reader``.
        reading: what the options say.
        address: the collection's, as the user named it.
        own: the settings of the collection.

    Raises:
        click.UsageError: ``--content`` does nothing here.
    """
    if reading.content != "all":
        raise click.UsageError(
            "--content was settled when the collection was made: docqa kb rebuild "
            f"{address} --content {reading.content} makes it again"
        )
    given = (ParameterSource.COMMANDLINE, ParameterSource.ENVIRONMENT)
    return replace(reading, reader=chosen_reader(ctx, reading.reader, own, by=given))


def parse_entries(option: str, entries: Iterable[str]) -> dict[str, str]:
    """Return the entries of an option as texts by name.

    Raises:
        click.UsageError: one is not of the form NAME=VALUE.

    >>> parse_entries("--where", ["year=2024", "note=a=b"])
    {'year': '2024', 'note': 'a=b'}
    """
    values = {}
    for entry in entries:
        name, sign, value = entry.partition("=")
        if not (name and sign):
            raise click.UsageError(f"{option} takes NAME=VALUE, such as year=2024, not {entry!r}")
        values[name] = value
    return values
