"""``docqa mcp``: tools for agents over standard input and output."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import ExitStack, asynccontextmanager, redirect_stdout
from pathlib import Path
from typing import Any

import click

from docqa.cli.collections import named_collections
from docqa.cli.exits import debugging, write_defects
from docqa.cli.interrupt import before_leaving
from docqa.cli.options import LibraryDefault, password_option, reader_option
from docqa.cli.prelude import Run, command
from docqa.cli.sources import found_files

__all__ = ["mcp"]

_TERMINATED = 143  # 128 + SIGTERM, as shells report it

_EPILOG = """
\b
Examples, as a client is to start it:
  docqa mcp handbook.pdf minutes/
  docqa mcp --collection contracts=kb
  docqa mcp handbook.pdf --allow ~/papers

\b
Needs the extra mcp: pip install "docqa-exact[mcp]"
docqa serve offers the same tools over HTTP, at /mcp.

\b
Exit codes:
  0 the client left, 2 an error, 130 left with Ctrl-C, 143 ended by SIGTERM
"""


@command(epilog=_EPILOG)
@click.argument("files", nargs=-1, metavar="[FILE]...", type=click.Path())
@click.option(
    "--collection",
    "collections",
    multiple=True,
    metavar="NAME=KB",
    help="A collection that docqa index made, and the name by which agents ask it.",
)
@click.option(
    "--allow",
    "folders",
    multiple=True,
    metavar="DIR",
    type=click.Path(exists=True, file_okay=False),
    help="A folder of which agents may open any file, by its path.",
)
@click.option(
    "--max-mb",
    type=click.IntRange(min=1),
    default=100,
    show_default=True,
    help="The largest document that is opened, in MiB.",
)
@click.option(
    "--min-score",
    cls=LibraryDefault,
    type=click.FloatRange(0, 1),
    help="Leave out answers with a lower score.",
)
@click.option("--ocr", is_flag=True, help="Read the scanned pages of PDFs, with Tesseract.")
@password_option
@reader_option
def mcp(
    run: Run,
    /,
    *,
    files: Sequence[str],
    collections: Sequence[str],
    folders: Sequence[str],
    max_mb: int,
    password: str | None,
    **given: Any,
) -> None:
    """Offer FILES and collections to an agent, by the Model Context Protocol.

    A client starts this command and talks to it over standard input and output. Files are opened
    when they are first needed.
    """
    from docqa.reader.requirements import require

    require("docqa mcp", "mcp", "mcp_types", extra="mcp")  # the latter came with version 2
    addresses = named_collections(collections)
    if not (files or addresses or folders):
        raise click.UsageError("name files, --collection NAME=KB or --allow DIR")
    sources = found_files(files)
    if not debugging(run.context):
        write_defects("mcp")
    from docqa.mcp_server.library import Library
    from docqa.mcp_server.server import create_server
    from docqa.service.service import Service
    from docqa.service.settings import ServiceSettings

    settings = ServiceSettings(collections=addresses, upload_bytes=max_mb << 20, **given)
    with ExitStack() as stack:
        service = stack.enter_context(Service(settings))
        library = Library(
            service,
            [Path(each.path) for each in sources],
            folders=[Path(each) for each in folders],
            password=password,
        )
        stack.callback(library.close)
        _close_at_signals(stack.close)
        if sys.stdin.isatty():
            run.notices.note("waiting for a client on standard input (Ctrl-C ends it)")
        create_server(service, library, lifespan=_quiet_output).run("stdio")


@asynccontextmanager
async def _quiet_output(server: Any) -> AsyncIterator[None]:
    """Send to standard error whatever else is printed: standard output is the client's."""
    with redirect_stdout(sys.stderr):
        yield


def _close_at_signals(close: Callable[[], None]) -> None:
    """Leave nothing behind at Ctrl-C and SIGTERM, though a thread waits for standard input."""

    def end(signum: int, frame: Any) -> None:
        try:
            close()
        finally:
            os._exit(_TERMINATED)

    before_leaving(close)
    signal.signal(signal.SIGTERM, end)
