"""``docqa serve``: answers over HTTP, for programs and for a page in the browser."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from docqa.cli.collections import named_collections
from docqa.cli.exits import debugging, write_defects
from docqa.cli.interrupt import INTERRUPTED, raising_interrupt
from docqa.cli.notices import counted
from docqa.cli.options import LibraryDefault, reader_option
from docqa.cli.prelude import Run, command
from docqa.cli.sources import SourceFile, found_files
from docqa.errors import DocqaError, SettingError

if TYPE_CHECKING:
    from docqa.server.app import State
    from docqa.server.settings import ServerSettings
    from docqa.service.service import Service

__all__ = ["serve"]

_PACKAGES = "starlette", "uvicorn", "pydantic", "prometheus_client"

_EPILOG = """
\b
Examples:
  docqa serve report.pdf minutes/
  docqa serve --collection contracts=kb
  docqa serve --host 0.0.0.0 --token-file token.txt --allow-host kb.example
  curl -s localhost:8080/score --json '{"inputs": {"question": "Who audits?",
       "context": "Quill audits the company."}}'

\b
Needs the extra server: pip install "docqa-exact[server]"
It listens on this machine alone. A --host that lets other machines in needs a token.

\b
Exit codes:
  0 asked to end, 2 an error, 130 left with Ctrl-C
"""


@command(epilog=_EPILOG, no_args_is_help=False)
@click.argument("files", nargs=-1, metavar="[FILE]...", type=click.Path())
@click.option(
    "--collection",
    "collections",
    multiple=True,
    metavar="NAME=KB",
    help="A collection that docqa index made, and the name by which callers ask it.",
)
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen at.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8080,
    show_default=True,
    help="The port to listen at; 0 for one that is free.",
)
@click.option(
    "--token",
    envvar="DOCQA_TOKEN",
    help="Asked of every caller. Other users of the machine see it in the list of processes; the"
    " variable DOCQA_TOKEN and --token-file do the same unseen.",
)
@click.option(
    "--token-file",
    type=click.Path(exists=True, dir_okay=False),
    help="The file whose first line is the token.",
)
@click.option(
    "--allow-host",
    "allow_hosts",
    multiple=True,
    metavar="NAME[:PORT]",
    help="A further name by which the server may be called, such as that of a proxy.",
)
@click.option(
    "--allow-origin",
    "allow_origins",
    multiple=True,
    metavar="ORIGIN",
    help="Another site whose pages may call the server, such as https://notes.example.",
)
@click.option(
    "--root-path",
    default="",
    metavar="/PREFIX",
    help="The prefix below which a proxy offers the server.",
)
@click.option(
    "--max-mb",
    type=click.IntRange(min=1),
    default=100,
    show_default=True,
    help="The largest document that is taken, in MiB.",
)
@click.option("--metrics", is_flag=True, help="Offer /metrics, as Prometheus reads it.")
@click.option(
    "--drain",
    type=click.FloatRange(min=0),
    default=10.0,
    show_default=True,
    metavar="SECONDS",
    help="How long running requests may go on after SIGTERM.",
)
@click.option(
    "--deadline",
    type=click.FloatRange(min=0, min_open=True),
    default=30.0,
    show_default=True,
    metavar="SECONDS",
    help="How long a request may take; what is found by then is answered.",
)
@click.option(
    "--min-score",
    cls=LibraryDefault,
    type=click.FloatRange(0, 1),
    help="Leave out answers with a lower score, unless a request names its own.",
)
@click.option("--ocr", is_flag=True, help="Read the scanned pages of PDFs, with Tesseract.")
@reader_option
def serve(
    run: Run,
    /,
    *,
    files: Sequence[str],
    collections: Sequence[str],
    token: str | None,
    token_file: str | None,
    max_mb: int,
    drain: float,
    **given: Any,
) -> int:
    """Answer questions over HTTP: to FILES, collections, and documents that callers send.

    The page for browsers is at the address that is written when the server listens.
    """
    from docqa.reader.requirements import require

    require("docqa serve", *_PACKAGES, extra="server")
    from docqa.server.app import State
    from docqa.server.serving import bound, serve_until_ended
    from docqa.server.settings import ServerSettings
    from docqa.service.service import Service
    from docqa.service.settings import ServiceSettings

    own = "host", "port", "allow_hosts", "allow_origins", "root_path", "metrics"
    settings = ServerSettings(
        **{name: given.pop(name) for name in own}, token=_token(token, token_file)
    )
    addresses = named_collections(collections)
    sources = found_files(files)
    state = State()
    if not debugging(run.context):
        _write_defects(state)
    listening = bound(settings)
    chosen = ServiceSettings(collections=addresses, upload_bytes=max_mb << 20, **given)
    with raising_interrupt(), Service(chosen) as service:
        threading.Thread(target=_load, args=(run, service, sources), daemon=True).start()
        run.notices.note(f"listening at {_address(settings, listening.getsockname()[1])}")
        serve_until_ended(settings, service, listening, drain_seconds=drain, state=state)
    return INTERRUPTED if state.is_interrupted else 0


def _write_defects(state: State) -> None:
    """Let tracebacks of the server's own errors, which no caller sees, reach standard error.

    Requests that are cut off at the end of the server are no errors.
    """

    def is_defect(record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        return not (state.is_interrupted or isinstance(error, asyncio.CancelledError))

    write_defects("uvicorn.error", "mcp", only=is_defect)


def _load(run: Run, service: Service, sources: Sequence[SourceFile]) -> None:
    """Load the files that the command names, in the order of their names."""
    for source in sources:
        path = Path(source.path)
        try:
            service.add_file(path, path.name)
        except DocqaError as error:
            run.notices.error(error, source=source.path)
    if sources:
        run.notices.note(f"loaded {counted(len(service.documents()), 'file')}")


def _address(settings: ServerSettings, port: int) -> str:
    """Return the address of the page, with the token where a browser keeps it to itself."""
    host = settings.host if settings.host not in {"0.0.0.0", "::"} else "localhost"
    shown = f"[{host}]" if ":" in host else host
    token = "" if settings.token is None else f"#token={settings.token}"
    return f"http://{shown}:{port}{settings.root_path}/{token}"


def _token(token: str | None, path: str | None) -> str | None:
    """Return the token of the option or the variable, else the first line of the file.

    Raises:
        SettingError: both are given, or the file cannot be read.
    """
    if path is None:
        return token or None
    if token:
        raise SettingError("give --token or --token-file, not both")
    try:
        return Path(path).read_text(encoding="utf-8").partition("\n")[0].strip()
    except (OSError, UnicodeError) as error:
        raise SettingError(f"the token cannot be read from {path}: {error}") from error
