"""The prelude of every command: common options, notices, progress and the exit code."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import click

from docqa.cli.exits import ANSWERED, debug_option, debugging, hush_libraries
from docqa.cli.interrupt import emit
from docqa.cli.notices import Notices
from docqa.cli.progress import ProgressLine
from docqa.cli.terminal import speaks_unicode
from docqa.outcome_records import json_line

__all__ = ["Run", "command"]


@dataclass(frozen=True, slots=True)
class Run:
    """The tools of one run of a command.

    Attributes:
        context: of click.
        notices: for standard error.
        progress: the line of progress; taken away when the command ends.
        quiet: only errors go to standard error.
        as_json: whether ``--json`` is given.
    """

    context: click.Context
    notices: Notices
    progress: ProgressLine
    quiet: bool
    as_json: bool

    def write(self, text: str) -> None:
        """Write text to standard output and flush."""
        emit(sys.stdout, text)

    def write_record(self, record: Mapping[str, Any]) -> None:
        """Write one line of JSON to standard output and flush."""
        self.write(json_line(record, unicode=speaks_unicode(sys.stdout)))


def command(
    *,
    json: str | None = None,
    quiet: str = "No progress, notes and warnings; only errors.",
    no_args_is_help: bool = True,
    cls: type[click.Command] = click.Command,
    **settings: Any,
) -> Callable[[Callable[..., int | None]], Any]:
    """Return a decorator that makes a command of a function ``function(run, **options)``.

    The function gets a `Run` and returns an exit code, or None for 0. The command has the options
    ``--quiet`` and ``--debug``, and ``--json`` where its help is given; they are handled here.

    Args:
        json: help of ``--json``; None for a command without it.
        quiet: help of ``--quiet``.
        no_args_is_help: show the help where no argument is given.
        cls: of the command.
        settings: further settings of `click.command`.
    """

    def decorate(function: Callable[..., int | None]) -> Any:
        @functools.wraps(function)
        @click.pass_context
        def begin(
            context: click.Context, /, *, quiet: bool, as_json: bool = False, **given: Any
        ) -> None:
            hush_libraries(context)
            notices = Notices(quiet=quiet, debug=debugging(context))
            progress = ProgressLine(quiet=quiet)
            context.call_on_close(progress.close)
            code = function(Run(context, notices, progress, quiet, as_json), **given)
            context.exit(ANSWERED if code is None else code)

        made = click.command(cls=cls, no_args_is_help=no_args_is_help, **settings)(begin)
        if json is not None:
            made.params.append(click.Option(["--json", "as_json"], is_flag=True, help=json))
        made.params.append(click.Option(["--quiet"], is_flag=True, help=quiet))
        made.params.append(debug_option())
        return made

    return decorate
