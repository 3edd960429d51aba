"""``docqa index``: keep many documents in one stored index."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import click

from docqa.cli.collection_options import size_options
from docqa.cli.collections import chosen_reader, open_collection, parse_entries, settings_before
from docqa.cli.indexing import Indexing, write_changes
from docqa.cli.options import reader_option, source_options
from docqa.cli.pool_options import loading_pool, loading_pool_options
from docqa.cli.prelude import Run, command
from docqa.cli.sources import STDIN
from docqa.load_settings import LoadSettings

if TYPE_CHECKING:
    from docqa.collection.settings import CollectionSettings

__all__ = ["index"]

_EPILOG = """
\b
Examples:
  docqa index contracts/ --to kb                (again: reads what is new or has changed)
  docqa index contracts/ minutes/ notes.md --to kb --jobs 4
  docqa index reports/2024/ --to kb --metadata year=2024
  docqa ask --in kb "When does the agreement with Quill end?"
  docqa kb info kb
  docqa kb remove kb contracts/old.pdf

\b
A folder is kept in step: its new, changed, moved and vanished files. A file is added, or read again
where it has changed. What a file says stays in the collection until it is indexed again or removed.

\b
Output:
  What was changed goes to standard output, everything else to standard error.
  --json   one object: "added", "replaced", "moved", "removed" are lists of the
           documents' keys, "unchanged" is a number, "failed" says why for each source.

\b
Exit codes:
  0 everything is in the collection, 1 there was nothing to take in, 2 something failed (the rest is
  taken in), 130 left with Ctrl-C (what was committed stays)
"""

_Command = TypeVar("_Command", bound=Callable[..., Any])
_MOVED = ("remove", "rebuild", "compact", "check")


def _refuse_moved(context: click.Context, option: click.Parameter, given: bool) -> None:
    """Name the command that an option has become.

    Raises:
        click.UsageError: the option is given.
    """
    if given:
        more = " SOURCE..." if option.name == "remove" else ""
        raise click.UsageError(
            f"docqa index --{option.name} is a command of its own: docqa kb {option.name} KB{more}"
        )


def _moved_options(command: _Command) -> _Command:
    """Add the hidden options that have become commands of ``docqa kb``."""
    for name in _MOVED:
        command = click.option(
            f"--{name}",
            is_flag=True,
            hidden=True,
            expose_value=False,
            is_eager=True,
            callback=_refuse_moved,
            help=f"Moved to docqa kb {name}.",
        )(command)
    return click.option("--from", hidden=True, expose_value=False, help="Of --remove.")(command)


@command(
    epilog=_EPILOG,
    json="Write the changes as one JSON object.",
    quiet="No progress and notes; only errors.",
)
@click.argument("sources", nargs=-1, metavar="SOURCE...", type=click.Path())
@click.option(
    "--to",
    "address",
    metavar="KB",
    help="The collection: a folder, made when it is not there; or an address, such as"
    " s3://bucket/kb.",
)
@loading_pool_options
@click.option(
    "--metadata",
    "entries",
    multiple=True,
    metavar="NAME=VALUE",
    help="Keep this with each document that is taken in, for docqa ask --where; may be repeated.",
)
@click.option("--checksum", is_flag=True, help="Compare contents where size and time are the same.")
@click.option("--retry-failed", is_flag=True, help="Try unchanged files again that failed before.")
@size_options
@reader_option
@source_options
@_moved_options
def index(
    run: Run,
    /,
    *,
    sources: Sequence[str],
    address: str | None,
    jobs: int | None,
    ray_address: str | None,
    entries: Sequence[str],
    checksum: bool,
    retry_failed: bool,
    reader: str,
    loading: LoadSettings,
    sizes: dict[str, Any],
) -> int:
    """Keep the documents of each SOURCE in a collection, for docqa ask --in.

    A SOURCE is a file, a folder (everything of a supported kind in it and below) or a pattern.
    docqa kb removes, rebuilds and checks.
    """
    if address is None:
        raise click.UsageError("name the collection: docqa index SOURCE... --to KB")
    _require_sources(sources, address)
    with open_collection(address) as before:
        own = settings_before(before)
    if own is not None:
        _require_sizes(own, sizes, address)
    indexing = Indexing(
        address,
        reader=chosen_reader(run.context, reader, own),
        sizes=sizes,
        loading=loading,
        pool=loading_pool(jobs, ray_address),
        notices=run.notices,
        progress=run.progress,
    )
    code = indexing.add(
        sources,
        metadata=parse_entries("--metadata", entries) if entries else None,
        checksum=checksum,
        retry_failed=retry_failed,
    )
    write_changes(run, indexing.collection.address, indexing.changes)
    return code


def _require_sources(sources: Sequence[str], address: str) -> None:
    """Check that there are sources that can be read again.

    Raises:
        click.UsageError: there is none, or standard input is one.
    """
    if not sources:
        raise click.UsageError(
            f"no source given: write docqa index SOURCE... --to {address}; docqa info "
            f"{address} says what is in it"
        )
    if STDIN in sources:
        raise click.UsageError("docqa index reads files and folders: save standard input to one")


def _require_sizes(settings: CollectionSettings, asked_for: dict[str, Any], address: str) -> None:
    """Check that the sizes asked for are those of the collection.

    Raises:
        click.UsageError: one differs.
    """
    for name, value in asked_for.items():
        own = getattr(settings, name)
        if value != own:
            option = f"--{name.replace('_', '-')}"
            raise click.UsageError(
                f"{address} was made with {option} {own}; to change that, make it again: "
                f"docqa kb rebuild {address} {option} {value}"
            )
