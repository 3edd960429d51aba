"""Options that several subcommands share."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import fields
from typing import Any, TypeVar, cast

import click

from docqa.errors import SettingError
from docqa.limits import Limits
from docqa.load_settings import LoadSettings
from docqa.loaders.formats import SUPPORTED_TYPES, format_of
from docqa.ocr_engine import DEFAULT_LANGUAGE

__all__ = [
    "LibraryDefault",
    "Option",
    "answer_options",
    "device_option",
    "isolation_options",
    "password_option",
    "reader_option",
    "reading_options",
    "source_options",
    "with_options",
]

_Command = TypeVar("_Command", bound=Callable[..., Any])

Option = Callable[[Callable[..., Any]], Callable[..., Any]]
"""A decorator that adds an option or an argument of click."""

password_option = click.option(
    "--password",
    envvar="DOCQA_PASSWORD",
    help="Opens encrypted PDFs. Other users of the machine see it in the list of processes;"
    " the variable DOCQA_PASSWORD does the same unseen.",
)
_ISOLATION = (
    click.option(
        "--isolate/--no-isolate",
        default=True,
        show_default=True,
        help="Load in a process of its own under limits, which a hostile file cannot get past;"
        " --no-isolate is for files that you trust and sets none.",
    ),
    click.option(
        "--time-limit",
        type=click.FloatRange(min=0, min_open=True),
        metavar="SECONDS",
        help="How long a source may take, from loading it to reading it for a question;"
        f" {Limits().wall_seconds:g} by default, and"
        f" {Limits().cpu_seconds:g} of processor time for loading a page.",
    ),
    click.option(
        "--memory-limit",
        type=click.IntRange(min=1),
        metavar="MIB",
        help=f"How much memory it may take; {(Limits().memory_bytes or 0) >> 20} by default.",
    ),
)


def _known_media_type(
    context: click.Context, parameter: click.Parameter, value: str | None
) -> str | None:
    """Return a media type as it was given, if a format has it.

    Raises:
        click.BadParameter: none has.
    """
    try:
        if value is not None:
            format_of(value)
    except SettingError as error:
        raise click.BadParameter(str(error)) from error
    return value


_SOURCE = (
    password_option,
    click.option("--encoding", help="The sources' encoding, where they declare a wrong one."),
    click.option(
        "--media-type",
        callback=_known_media_type,
        metavar="TYPE",
        help=f"The sources' format, where it is recognised wrongly: {', '.join(SUPPORTED_TYPES)}.",
    ),
    *_ISOLATION,
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
        help="The languages that Tesseract reads, such as deu or eng+deu.",
    ),
)
device_option = click.option(
    "--device",
    default="auto",
    envvar="DOCQA_DEVICE",
    show_default=True,
    help="Where it runs: auto, cpu, cuda, cuda:1, mps.",
)
reader_option = click.option(
    "--reader",
    default="cascade",
    envvar="DOCQA_READER",
    metavar="NAME|PATH",
    show_default=True,
    help="The model that reads: mini, base, cascade, distilbert, or a checkpoint's name or folder.",
)
_READING = (
    reader_option,
    device_option,
    click.option(
        "--runtime",
        type=click.Choice(["auto", "onnx", "torch"]),
        default="auto",
        envvar="DOCQA_RUNTIME",
        show_default=True,
        help="The runtime: torch, or ONNX Runtime, which starts faster and runs on CPUs only.",
    ),
    click.option(
        "--dtype",
        type=click.Choice(["int8", "float32", "bfloat16", "float16"]),
        envvar="DOCQA_DTYPE",
        help="The number format it computes in; by default one that suits runtime and device.",
    ),
)


class LibraryDefault(click.Option):
    """An option that leaves its default to the library, and shows it in the help.

    The default of ``--top-passages`` is ``DEFAULT_TOP_PASSAGES`` of `docqa.asking.settings`, which
    is imported when the help is asked for.
    """

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        """Return the option's names and its help, with the library's default."""
        import docqa.asking.settings

        name = f"DEFAULT_{(self.name or '').upper()}"
        self.show_default = default = str(getattr(docqa.asking.settings, name))
        record = super().get_help_record(ctx)
        if record is None:
            return None
        return record[0], record[1].replace(f"({default})", default)  # click's mark of a text


_ANSWERS = (
    click.option(
        "-k",
        "--top-k",
        type=click.IntRange(1, 1_000_000),
        default=1,
        show_default=True,
        help="Most answers to each question from each source.",
    ),
    click.option(
        "--min-score",
        cls=LibraryDefault,
        type=click.FloatRange(0, 1),
        help="Leave out answers with a lower score; 0 keeps even guesses.",
    ),
    click.option(
        "--top-passages",
        cls=LibraryDefault,
        type=click.IntRange(1, 1_000_000_000),
        help="Passages read for a question: those that rank best.",
    ),
    click.option(
        "--exhaustive",
        is_flag=True,
        help="Read all passages, in a collection all that share a word with the question; slow and"
        " thorough.",
    ),
    click.option(
        "--content",
        type=click.Choice(["all", "main"]),
        default="all",
        show_default=True,
        help="main leaves out navigation, footers and the like.",
    ),
    click.option(
        "--calibration",
        metavar="FILE",
        envvar="DOCQA_CALIBRATION",
        type=click.Path(dir_okay=False),
        help="The calibration that docqa calibrate wrote, where it is not beside the reader.",
    ),
)


def answer_options(command: _Command) -> _Command:
    """Add the options on the number of answers and on the passages read for them."""
    return with_options(command, *_ANSWERS)


def source_options(command: _Command) -> _Command:
    """Add the options on loading sources; the command gets them as `loading`."""

    @functools.wraps(command)
    def with_loading(
        *arguments: Any,
        isolate: bool,
        time_limit: float | None,
        memory_limit: int | None,
        **given: Any,
    ) -> Any:
        limits = _limits(isolate=isolate, time_limit=time_limit, memory_limit=memory_limit)
        own = {field.name for field in fields(LoadSettings)} & given.keys()
        named = {name: given.pop(name) for name in own}
        loading = LoadSettings(isolate=isolate, limits=limits, **named)
        return command(*arguments, loading=loading, **given)

    return with_options(cast(_Command, with_loading), *_SOURCE)


def isolation_options(command: _Command) -> _Command:
    """Add the options of isolated loading; the command gets them as `isolate` and `limits`."""

    @functools.wraps(command)
    def with_limits(
        *arguments: Any,
        isolate: bool,
        time_limit: float | None,
        memory_limit: int | None,
        **given: Any,
    ) -> Any:
        limits = _limits(isolate=isolate, time_limit=time_limit, memory_limit=memory_limit)
        return command(*arguments, isolate=isolate, limits=limits, **given)

    return with_options(cast(_Command, with_limits), *_ISOLATION)


def reading_options(command: _Command) -> _Command:
    """Add the options that choose the reader."""
    return with_options(command, *_READING)


def _limits(*, isolate: bool, time_limit: float | None, memory_limit: int | None) -> Limits | None:
    """Return the limits that options ask for, or None for the library's own.

    Raises:
        click.UsageError: limits are given that nothing would watch.
    """
    given: dict[str, Any] = {}
    if time_limit is not None:
        given |= {"wall_seconds": time_limit, "cpu_seconds": time_limit}
    if memory_limit is not None:
        given["memory_bytes"] = memory_limit << 20
    if given and not isolate:
        raise click.UsageError("--time-limit and --memory-limit do nothing with --no-isolate")
    return Limits(**given) if given else None


def with_options(command: _Command, *options: Option) -> _Command:
    """Return a command with options (and arguments) added, in the order of its help."""
    for option in reversed(options):
        command = cast(_Command, option(command))
    return command
