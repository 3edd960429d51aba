"""``docqa serve``: answers over HTTP, for programs and for a page in the browser."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from docqa.cli.interrupt import emit
from docqa.cli.options import reading_options
from docqa.cli.prelude import Run, command
from docqa.errors import SettingError

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
@reading_options
def serve(
    run: Run,
    /,
    *,
    token: str | None,
    token_file: str | None,
    max_mb: int,
    drain: float,
    **given: Any,
) -> int:
    """Answer questions over HTTP, from this machine's browser or from programs."""
    from docqa.reader.requirements import require

    require("docqa serve", *_PACKAGES, extra="server")
    names = "host", "port", "allow_hosts", "allow_origins", "root_path", "metrics"
    from docqa.server.settings import ServerSettings

    settings = ServerSettings(
        **{name: given.pop(name) for name in names},
        token=_token(token, token_file),
        upload_bytes=max_mb << 20,
    )
    from docqa.server.app import create_app
    from docqa.server.serving import bound, serve

    listening = bound(settings)
    host, port = listening.getsockname()[:2]
    app = create_app(settings, score=_score(given["reader"]), not_ready=lambda: "")
    run.notices.note(f"listening at http://{host}:{port}/ (Ctrl-C ends it)")
    serve(app, listening, drain_seconds=drain, on_stop=lambda: None)
    return 0


def _score(name: str) -> Any:
    import asyncio
    from concurrent.futures import ThreadPoolExecutor

    from docqa.compat import pipeline

    pool = ThreadPoolExecutor(1)
    qa = pipeline(model="mini")

    async def score(f: Any, n: int) -> Any:
        return await asyncio.get_running_loop().run_in_executor(pool, f, qa)

    return score


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
