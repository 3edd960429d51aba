"""Options that several subcommands share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from docqa.loaders.media_types import SUPPORTED_TYPES
from docqa.loaders.settings import DEFAULT_LANGUAGE

__all__ = ["LibraryDefault", "reading_options", "source_options"]

_Command = TypeVar("_Command", bound=Callable[..., Any])

_SOURCE = (
    click.option(
        "--password",
        envvar="DOCQA_PASSWORD",
        help="Opens encrypted PDFs. Other users of the machine see it in the list of processes;"
        " the variable DOCQA_PASSWORD does the same unseen.",
    ),
    click.option("--encoding", help="The sources' encoding, where they declare a wrong one."),
    click.option(
        "--media-type",
        type=click.Choice(list(SUPPORTED_TYPES)),
        metavar="TYPE",
        help=f"The sources' format, where it is told wrong: {', '.join(SUPPORTED_TYPES)}.",
    ),
    click.option(
        "--ocr",
        is_flag=True,
        help="Read the scanned pages of PDFs, with Tesseract: seconds a page.",
    ),
    click.option(
        "--ocr-language",
        default=DEFAULT_LANGUAGE,
        metavar="LANG[+LANG]",
        show_default=True,
        help="What Tesseract reads, such as deu or eng+deu.",
    ),
)
_READING = (
    click.option(
        "--reader",
        default="mini",
        envvar="DOCQA_READER",
        metavar="NAME|PATH",
        show_default=True,
        help="The model that reads: mini, distilbert, or a checkpoint's name or folder.",
    ),
    click.option(
        "--device",
        default="auto",
        envvar="DOCQA_DEVICE",
        show_default=True,
        help="Where it runs: auto, cpu, cuda, cuda:1, mps.",
    ),
)


class LibraryDefault(click.Option):
    """Be an option that leaves its default to the library, and shows it in the help.

    The default of ``--top-passages`` is ``DEFAULT_TOP_PASSAGES`` of `docqa.pipeline`, which is
    imported when the help is asked for.
    """

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        """Return the option's names and its help, with the library's default."""
        import docqa.pipeline

        name = f"DEFAULT_{(self.name or '').upper()}"
        self.show_default = default = str(getattr(docqa.pipeline, name))
        record = super().get_help_record(ctx)
        if record is None:
            return None
        return record[0], record[1].replace(f"({default})", default)  # click's mark of a text


def source_options(command: _Command) -> _Command:
    """Add the options that say how sources are loaded."""
    return _with(command, _SOURCE)


def reading_options(command: _Command) -> _Command:
    """Add the options that choose the reader."""
    return _with(command, _READING)


def _with(command: _Command, options: tuple[Callable[[_Command], _Command], ...]) -> _Command:
    for option in reversed(options):
        command = option(command)
    return command
