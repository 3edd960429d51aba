"""``docqa index``: keep many documents in one stored index."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from docqa.cli.collections import chosen_reader, made_before, open_collection, parse_entries
from docqa.cli.exits import ANSWERED, FAILED, debug_option, debugging, hush_libraries
from docqa.cli.interrupt import emit
from docqa.cli.notices import Notices, counted
from docqa.cli.options import reader_option, source_options
from docqa.cli.pool_options import MOST_JOBS, loading_pool
from docqa.cli.progress import ProgressLine
from docqa.cli.sources import STDIN
from docqa.cli.terminal import one_line, speaks_unicode
from docqa.index.opening import shown
from docqa.load_settings import LoadSettings
from docqa.outcome_records import json_line

if TYPE_CHECKING:
    from docqa.cli.indexing import Indexing
    from docqa.collection.settings import CollectionSettings

__all__ = ["index"]

_EPILOG = """
\b
Examples:
  docqa index contracts/ --to kb                (again: reads what is new or has changed)
  docqa index contracts/ minutes/ notes.md --to kb --jobs 4
  docqa index reports/2024/ --to kb --metadata year=2024
  docqa index --remove contracts/old.pdf --from kb
  docqa ask --in kb "When does the agreement with Quill end?"
  docqa info kb
  docqa index --compact kb                      (frees the room of what was replaced)

\b
A folder is kept in step: its new, changed, moved and vanished files. A file is added, or read again
where it has changed. What a file says stays in the collection until it is indexed again or removed.

\b
Output:
  What was changed goes to standard output, everything else to standard error.
  --json   one object: "added", "replaced", "moved", "removed" are lists of what documents are
           filed under, "unchanged" is a number, "failed" says why for each source.

\b
Exit codes:
  0 everything is in the collection, 1 there was nothing to take in, 2 something failed (the rest is
  taken in), 130 left with Ctrl-C (what was committed stays)
"""


@click.command(epilog=_EPILOG, no_args_is_help=True)
@click.argument("sources", nargs=-1, metavar="SOURCE...", type=click.Path())
@click.option(
    "--to",
    "--from",
    "address",
    metavar="KB",
    help="The collection: a folder, made when it is not there; or an address, such as"
    " s3://bucket/kb.",
)
@click.option("--remove", is_flag=True, help="Take the sources out of it; no file is touched.")
@click.option("--rebuild", metavar="KB", help="Make a collection anew from its sources.")
@click.option("--compact", metavar="KB", help="Free the room of what was replaced and removed.")
@click.option("--check", metavar="KB", help="Look at everything that a collection stores.")
@click.option(
    "--jobs",
    type=click.IntRange(min=1),
    metavar="N",
    help="Load so many files at a time, each in a process of its own; by default as many as there"
    f" are processors, at most {MOST_JOBS}.",
)
@click.option(
    "--ray",
    metavar="ADDRESS",
    envvar="DOCQA_RAY",
    help="Load on the machines of a Ray cluster: auto, HOST:PORT, ray://HOST:PORT, or local.",
)
@click.option(
    "--metadata",
    "entries",
    multiple=True,
    metavar="NAME=VALUE",
    help="Keep this with each document that is taken in, for docqa ask --where; may be repeated.",
)
@click.option("--checksum", is_flag=True, help="Compare contents where size and time are the same.")
@click.option("--retry-failed", is_flag=True, help="Try unchanged files again that failed before.")
@click.option(
    "--passage-tokens",
    type=click.IntRange(min=1),
    metavar="N",
    help="Largest passage of a new collection, in the reader's tokens.",
)
@click.option(
    "--overlap",
    type=click.IntRange(min=0),
    metavar="N",
    help="Tokens that neighbouring passages of a new collection may share.",
)
@click.option(
    "--content",
    type=click.Choice(["all", "main"]),
    help="main leaves navigation, footers and the like out of a new collection.",
)
@click.option("--json", "as_json", is_flag=True, help="Write the changes as one JSON object.")
@click.option("--quiet", is_flag=True, help="No progress and notes; only errors.")
@reader_option
@source_options
@debug_option
@click.pass_context
def index(
    ctx: click.Context,
    /,
    *,
    sources: Sequence[str],
    address: str | None,
    remove: bool,
    rebuild: str | None,
    compact: str | None,
    check: str | None,
    jobs: int | None,
    ray: str | None,
    entries: Sequence[str],
    checksum: bool,
    retry_failed: bool,
    as_json: bool,
    quiet: bool,
    reader: str,
    loading: LoadSettings,
    **sizes: Any,
) -> None:
    """Keep the documents of each SOURCE in a collection, for docqa ask --in.

    A SOURCE is a file, a folder (everything of a supported kind in it and below) or a pattern.
    """
    from docqa.cli.indexing import Indexing, Taking

    hush_libraries(ctx)
    task = _task(sources, address, rebuild=rebuild, compact=compact, check=check, remove=remove)
    name, chosen = task
    notices = Notices(quiet=quiet, debug=debugging(ctx))
    progress = ProgressLine(quiet=quiet)
    ctx.call_on_close(progress.close)
    before = open_collection(chosen)
    made = made_before(before)
    before.close()
    asked_for = {size: value for size, value in sizes.items() if value is not None}
    if name == "rebuild":
        kept = made is not None and chosen_reader(ctx, reader, made) == made.reader
        asked_for = {**(_sizes(made) if kept else {}), **asked_for}
    elif made is not None:
        _require_sizes(made, asked_for, shown(chosen))
    indexing = Indexing(
        chosen,
        reader=chosen_reader(ctx, reader, made),
        sizes=asked_for,
        loading=loading,
        pool=loading_pool(jobs, ray),
        notices=notices,
        progress=progress,
    )
    if name == "add":
        taking = Taking(
            parse_entries("--metadata", entries) if entries else None, checksum, retry_failed
        )
        ctx.exit(_told(indexing, indexing.add(sources, taking), as_json=as_json))
    if name == "remove":
        ctx.exit(_told(indexing, indexing.remove(sources), as_json=as_json))
    if name == "rebuild":
        ctx.exit(_told(indexing, indexing.rebuild(), as_json=as_json))
    ctx.exit(_upkept(indexing, name, as_json=as_json))


def _task(
    sources: Sequence[str], address: str | None, *, remove: bool, **upkeep: str | None
) -> tuple[str, str]:
    """Return what is to be done, and to which collection.

    Raises:
        click.UsageError: nothing is, or two things are.
    """
    asked = [(name, kb) for name, kb in upkeep.items() if kb is not None]
    if asked:
        name, kb = asked[0]
        if sources or address or remove or len(asked) > 1:
            raise click.UsageError(f"--{name} KB stands alone; do one thing after another")
        return name, kb
    if address is None:
        raise click.UsageError("name the collection: docqa index SOURCE... --to KB")
    if not sources:
        raise click.UsageError(
            f"no source given: write docqa index SOURCE... --to {shown(address)}; docqa info "
            f"{shown(address)} says what is in it"
        )
    if STDIN in sources:
        raise click.UsageError("docqa index reads files and folders: save standard input to one")
    return "remove" if remove else "add", address


def _sizes(made: CollectionSettings | None) -> dict[str, Any]:
    assert made is not None
    return {
        "passage_tokens": made.passage_tokens,
        "overlap": made.overlap,
        "content": made.content,
    }


def _require_sizes(made: CollectionSettings, asked_for: dict[str, Any], address: str) -> None:
    """Check that nothing is asked for that was settled otherwise.

    Raises:
        click.UsageError: it is.
    """
    for name, value in asked_for.items():
        own = getattr(made, name)
        if value != own:
            option = f"--{name.replace('_', '-')}"
            raise click.UsageError(
                f"{address} was made with {option} {own}; to change that, make it anew: "
                f"docqa index --rebuild {address} {option} {value}"
            )


def _told(indexing: Indexing, code: int, *, as_json: bool) -> int:
    """Write what was changed, and the errors; return the exit code."""
    changes, address = indexing.changes, indexing.collection.address
    if as_json:
        record = {
            "collection": address,
            **{name: list(getattr(changes, name)) for name in _LISTED},
            "unchanged": len(changes.unchanged),
            "failed": [each.to_dict() for each in changes.failed],
        }
        emit(sys.stdout, json_line(record, unicode=speaks_unicode(sys.stdout)))
    else:
        emit(sys.stdout, f"{one_line(address)}: {changes}\n")
    indexing.tell_failures()
    return code


_LISTED = ("added", "replaced", "moved", "removed")


def _upkept(indexing: Indexing, name: str, *, as_json: bool) -> int:
    """Compact or check, say what came of it, and return the exit code."""
    collection = indexing.collection
    if name == "compact":
        before, after = indexing.compact()
        record: dict[str, Any] = {"bytes_before": before, "bytes_after": after}
        line = f"{before:,} bytes before, {after:,} now" if after and before else "compacted"
        problems: tuple[str, ...] = ()
    else:
        report = indexing.check()
        problems = report.problems
        record = {
            "documents": report.n_documents,
            "passages": report.n_passages,
            "problems": list(problems),
        }
        looked = f"{counted(report.n_documents, 'document')}, {report.n_passages:,} passages"
        line = f"{looked}: {counted(len(problems), 'problem') if problems else 'all is right'}"
    if as_json:
        emit(sys.stdout, json_line({"collection": collection.address, **record}))
    else:
        told = "".join(f"  {one_line(problem)}\n" for problem in problems)
        emit(sys.stdout, f"{one_line(collection.address)}: {line}\n{told}")
    return FAILED if problems else ANSWERED
