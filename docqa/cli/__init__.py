"""The command line: one module per subcommand, each imported when it is called.

Results go to standard output, everything else to standard error. Exit codes follow grep: 0 when at
least one answer was found, 1 when none was, 2 when anything failed; 130 after Ctrl-C.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import os
import sys
from collections.abc import Sequence
from typing import Any

import click

from docqa._version import __version__
from docqa.cli.exits import FAILED, drop_output, guarded, is_of_output, report_full_output
from docqa.cli.guesses import GuessingGroup
from docqa.cli.interrupt import emit, install_interrupt
from docqa.cli.terminal import prepare_streams

__all__ = ["main"]

_COMMANDS = {
    "ask": "docqa.cli.ask:ask",
    "index": "docqa.cli.index:index",
    "kb": "docqa.cli.kb:kb",
    "batch": "docqa.cli.batch:batch",
    "serve": "docqa.cli.serve:serve",
    "mcp": "docqa.cli.mcp:mcp",
    "info": "docqa.cli.info:info",
    "show": "docqa.cli.show:show",
    "verify": "docqa.cli.verify:verify",
    "evaluate": "docqa.cli.evaluate:evaluate",
    "train": "docqa.cli.train:train",
    "calibrate": "docqa.cli.calibrate:calibrate",
}

_EPILOG = """
\b
Examples:
  docqa ask report.pdf "Who audits the company?"
  docqa ask contracts/ "When does the agreement end?" --json
  docqa ask report.pdf                  (asks for questions, keeps the document open)
  docqa ask report.pdf "Who audits the company?" --highlight marked.pdf
  docqa index contracts/ minutes/ --to kb       (keeps an index of many documents)
  docqa ask --in kb "When does the agreement with Quill end?"
  docqa kb check kb
  docqa batch questions.txt reports/ --out answers.jsonl
  docqa serve report.pdf
  docqa mcp report.pdf                  (for agents, which start it themselves)
  docqa info report.pdf
  docqa show report.pdf --page 3 --boxes page-3.png
  docqa verify answers.jsonl
  docqa evaluate dev-v1.1.json --sample 500
  docqa train questions.json --out run/
  docqa calibrate questions.json --reader run/reader

\b
Exit codes:
  0 answered, 1 nothing found, 2 an error, 130 left with Ctrl-C

\b
Shell completion (put the line into the file that your shell reads at its start):
  bash   eval "$(_DOCQA_COMPLETE=bash_source docqa)"       ~/.bashrc
  zsh    eval "$(_DOCQA_COMPLETE=zsh_source docqa)"        ~/.zshrc
  fish   _DOCQA_COMPLETE=fish_source docqa | source        ~/.config/fish/config.fish
"""


class LazyGroup(GuessingGroup):
    """A group whose subcommands are import strings, resolved when they are needed.

    So ``docqa --help`` and shell completion start at once. Arguments that begin with a source
    instead of a command are those of ``docqa ask``.
    """

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the subcommand and its arguments; ``ask`` where the first one is a source.

        Raises:
            click.UsageError: there is no such subcommand.
        """
        if args and args[0] not in _COMMANDS:
            from docqa.cli.sources import looks_like_path, names_source

            if names_source(args[0]) or looks_like_path(args[0]):
                args = ["ask", *args]
        return super().resolve_command(ctx, args)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the subcommands, in the order of the help."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the subcommand of that name, imported now, or None."""
        if cmd_name not in _COMMANDS:
            return None
        module, _, attribute = _COMMANDS[cmd_name].partition(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def main(self, args: Sequence[str] | None = None, *rest: Any, **settings: Any) -> Any:
        """Run the command line; without `args` it is the process's own and takes its Ctrl-C."""
        if args is None:
            install_interrupt()
            # The interpreter's last collection visits every object of torch: a second for nothing.
            atexit.register(gc.freeze)
            if sys.stderr is None:  # closed; what is opened next must not take its number
                sys.stderr = open(os.devnull, "w")  # noqa: PTH123, SIM115 - until the process ends
            if sys.stdout is None:
                emit(sys.stderr, "docqa: error: standard output is closed\n")
                sys.exit(FAILED)
        prepare_streams(sys.stdout, sys.stderr)
        try:
            return super().main(args, *rest, **settings)
        except OSError as error:  # of the help, which click writes
            if args is not None or not is_of_output(error):
                raise
            report_full_output(error)
            drop_output()
            sys.exit(FAILED)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the subcommand; every exception becomes one line and an exit code."""
        return guarded(ctx, super().invoke)


@click.group(
    cls=LazyGroup,
    epilog=_EPILOG,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="docqa")
@click.pass_context
def main(ctx: click.Context) -> None:
    """Ask documents: the exact words of the answer and the exact place where they stand.

    Reads PDF, HTML, Word, PowerPoint, EPUB, Markdown and plain text, on this machine; nothing is
    sent anywhere.
    """
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())
