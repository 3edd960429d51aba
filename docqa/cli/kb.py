"""``docqa kb``: the care of a collection that ``docqa index`` made."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from docqa.cli.collection_info import describe_collection
from docqa.cli.collection_options import size_options
from docqa.cli.collections import chosen_reader, open_collection, settings_before
from docqa.cli.exits import ANSWERED, FAILED
from docqa.cli.guesses import GuessingGroup
from docqa.cli.indexing import Indexing, write_changes
from docqa.cli.notices import counted
from docqa.cli.options import reader_option, source_options
from docqa.cli.pool_options import loading_pool, loading_pool_options
from docqa.cli.prelude import Run, command
from docqa.cli.terminal import one_line
from docqa.load_settings import LoadSettings

__all__ = ["kb"]

_EPILOG = """
\b
Examples:
  docqa kb info kb
  docqa kb remove kb contracts/old.pdf
  docqa kb rebuild kb --passage-tokens 200
  docqa kb compact kb
  docqa kb check kb

\b
KB is a folder, or an address such as s3://bucket/kb. docqa index adds documents to it, and
docqa ask --in KB asks it.

\b
Exit codes:
  0 done, 2 an error or a problem, 130 left with Ctrl-C (committed changes stay)
"""
_CHANGES = "Write the changes as one JSON object."
_OBJECT = "Write one JSON object."
_QUIET = "No progress and notes; only errors."

_kb_argument = click.argument("address", metavar="KB")


@click.group(cls=GuessingGroup, epilog=_EPILOG, no_args_is_help=True)
def kb() -> None:
    """Look after a collection: show it, remove documents, rebuild, compact and check it."""


@command(json=_OBJECT, quiet=_QUIET)
@_kb_argument
@click.option("--documents", is_flag=True, help="List the documents.")
def info(run: Run, /, *, address: str, documents: bool) -> int:
    """Show where the collection KB is, its size, its age, and the sources that failed."""
    describe_collection(run, address, documents=documents)
    return ANSWERED


@command(json=_CHANGES, quiet=_QUIET)
@_kb_argument
@click.argument("sources", nargs=-1, required=True, metavar="SOURCE...", type=click.Path())
def remove(run: Run, /, *, address: str, sources: Sequence[str]) -> int:
    """Take each SOURCE out of the collection KB; no file is touched.

    A SOURCE is a document, by its path, or a folder. A file in a folder that the collection
    follows comes back with the next docqa index of that folder, or --sync: move it elsewhere, or
    remove the folder.
    """
    with open_collection(address) as collection:
        folders = {each.key: each.folder for each in collection.documents()}
        changes = collection.remove(sources)
        write_changes(run, collection.address, changes)
        left = {folders[key] for key in changes.removed if Path(key).is_file()}
        followed = () if settings_before(collection) is None else collection.info().folders
        for folder in left.intersection(followed):
            run.notices.note(
                f"{folder} is followed: docqa index or --sync adds what is still in it again; "
                "move the files elsewhere, or remove the folder from the collection"
            )
    return ANSWERED


@command(json=_CHANGES, quiet=_QUIET)
@_kb_argument
@loading_pool_options
@size_options
@reader_option
@source_options
def rebuild(
    run: Run,
    /,
    *,
    address: str,
    jobs: int | None,
    ray_address: str | None,
    reader: str,
    loading: LoadSettings,
    sizes: dict[str, Any],
) -> int:
    """Make the collection KB again from its sources, with other sizes where they are given.

    Without them it keeps its reader and its sizes.
    """
    with open_collection(address) as before:
        own = settings_before(before)
    chosen = chosen_reader(run.context, reader, own)
    if own is not None and chosen == own.reader:
        kept = {name: getattr(own, name) for name in ("passage_tokens", "overlap", "content")}
        sizes = {**kept, **sizes}
    indexing = Indexing(
        address,
        reader=chosen,
        sizes=sizes,
        loading=loading,
        pool=loading_pool(jobs, ray_address),
        notices=run.notices,
        progress=run.progress,
    )
    code = indexing.rebuild()
    write_changes(run, indexing.collection.address, indexing.changes)
    return code


@command(json=_OBJECT, quiet=_QUIET)
@_kb_argument
def compact(run: Run, /, *, address: str) -> int:
    """Free the room of the documents in KB that were replaced or removed."""
    with open_collection(address) as collection:
        before = collection.info().size
        run.progress.say("compacting")
        collection.compact()
        run.progress.close()
        after = collection.info().size
        shown = f"{before:,} bytes before, {after:,} now" if after and before else "compacted"
        if run.as_json:
            sizes = {"bytes_before": before, "bytes_after": after}
            run.write_record({"collection": collection.address, **sizes})
        else:
            run.write(f"{one_line(collection.address)}: {shown}\n")
    return ANSWERED


@command(json=_OBJECT, quiet=_QUIET)
@_kb_argument
def check(run: Run, /, *, address: str) -> int:
    """Check everything that KB stores; exit code 2 where something is wrong."""
    with open_collection(address) as collection:
        run.progress.say("checking")
        report = collection.check()
        run.progress.close()
        found = {"documents": report.n_documents, "passages": report.n_passages}
        problems = report.problems
        if run.as_json:
            record = {"collection": collection.address, **found, "problems": list(problems)}
            run.write_record(record)
        else:
            state = counted(len(problems), "problem") if problems else "all is right"
            looked = f"{counted(report.n_documents, 'document')}, {report.n_passages:,} passages"
            listed = "".join(f"  {one_line(problem)}\n" for problem in problems)
            run.write(f"{one_line(collection.address)}: {looked}: {state}\n{listed}")
    return FAILED if problems else ANSWERED


for _command in (info, remove, rebuild, compact, check):
    kb.add_command(_command)
